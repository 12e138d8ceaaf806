//! Rows in the order of actor (or object) and time.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast as cast_array;
use arrow::datatypes::{DataType, Int64Type};
use arrow::row::{OwnedRow, RowConverter};
use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr, cast, lit};
use datafusion::prelude::ident;

use crate::engine::ScanStats;
use crate::event::TIME;
use crate::expr::{PlanContext, RowExpr};
use crate::metric::query::executor::{Combinations, row_converter};
use crate::metric::query::period_of::{Finder, period_of};
use crate::metric::query::relational::{column, within};
use crate::{Error, Result};

use super::PassContext;

/// One row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// The combination of dimensions.
    pub(super) id: u32,
    /// Microseconds, or the number of a cell.
    pub(super) at: i64,
    /// Bit i: condition i is true.
    pub(super) flags: u64,
    /// Equal within a run for equal keys.
    pub(super) key: u32,
    /// No part of the key is null.
    pub(super) whole: bool,
    /// The number of the actor, where it is asked for.
    pub(super) who: u32,
}

/// Which rows a pass follows.
pub(super) struct Follow<'a> {
    /// Conditions that all rows meet.
    pub(super) filters: Vec<&'a RowExpr>,
    /// Conditions of which each row meets one at least; none is all rows.
    pub(super) flags: Vec<&'a RowExpr>,
    /// The columns that make a run; never null.
    pub(super) run: Vec<&'a str>,
    /// More columns of the key.
    pub(super) key: Vec<&'a str>,
    /// Whether rows with a null in `key` are left out.
    pub(super) whole_keys: bool,
    /// Whether a run is of one combination of dimensions.
    pub(super) by_dimensions: bool,
    /// A column whose values are numbered; rows in which it is null are left out.
    pub(super) who: Option<&'a str>,
    /// `[from, to)`.
    pub(super) range: (i64, i64),
    /// Instead of times: cells, each once for a run.
    pub(super) cells: Option<Finder>,
    /// The numbers of `who` so far.
    pub(super) known: Actors,
}

/// The numbers of actors.
#[derive(Debug, Default)]
pub(super) struct Actors {
    converter: Option<RowConverter>,
    numbers: HashMap<OwnedRow, u32>,
}

impl Actors {
    fn numbers(&mut self, column: &ArrayRef) -> Result<Vec<u32>> {
        let columns = [Arc::clone(column)];
        let rows = converter(&mut self.converter, &columns)?.convert_columns(&columns)?;
        let mut found = Vec::with_capacity(column.len());
        for row in rows.iter() {
            let row = row.owned();
            let next = self.numbers.len() as u32;
            found.push(*self.numbers.entry(row).or_insert(next));
        }
        Ok(found)
    }
}

impl<'a> Follow<'a> {
    pub(super) fn new(run: Vec<&'a str>, range: (i64, i64)) -> Self {
        Follow {
            filters: Vec::new(),
            flags: Vec::new(),
            run,
            key: Vec::new(),
            whole_keys: false,
            by_dimensions: false,
            who: None,
            range,
            cells: None,
            known: Actors::default(),
        }
    }

    /// Calls `visit` as [`each_with_actors`](Follow::each_with_actors).
    pub(super) async fn each(
        self,
        cx: &PassContext<'_>,
        combinations: &mut Combinations,
        visit: &mut (dyn FnMut(&[Step]) -> Result<()> + Send),
    ) -> Result<ScanStats> {
        let (_, stats) = self.each_with_actors(cx, combinations, visit).await?;
        Ok(stats)
    }

    /// Calls `visit` with the rows of each run, ordered by key, time and dimensions.
    pub(super) async fn each_with_actors(
        self,
        cx: &PassContext<'_>,
        combinations: &mut Combinations,
        visit: &mut (dyn FnMut(&[Step]) -> Result<()> + Send),
    ) -> Result<(Actors, ScanStats)> {
        let mut frame = cx.events.frame()?;
        let schema = frame.schema().clone();
        let plan = PlanContext::new(&schema, cx.zone);
        let time = column(TIME).to_expr(&plan)?;
        for filter in cx.filter.into_iter().chain(self.filters.iter().copied()) {
            frame = frame.filter(filter.to_expr(&plan)?)?;
        }
        frame = frame.filter(within(&time, &[self.range]))?;
        let mut any: Option<Expr> = None;
        for flag in &self.flags {
            let flag = flag.to_expr(&plan)?;
            any = Some(match any {
                None => flag,
                Some(before) => before.or(flag),
            });
        }
        if let Some(any) = any {
            frame = frame.filter(any)?;
        }
        let mut required = self.run.clone();
        required.extend(self.who);
        if self.whole_keys {
            required.extend(&self.key);
        }
        for name in required {
            frame = frame.filter(column(name).to_expr(&plan)?.is_not_null())?;
        }
        let mut columns: Vec<Expr> = Vec::new();
        for (i, dimension) in cx.dimensions.iter().enumerate() {
            columns.push(dimension.to_expr(&plan)?.alias(format!("d{i}")));
        }
        let keys: Vec<&str> = self
            .run
            .iter()
            .chain(&self.key)
            .chain(&self.who)
            .copied()
            .collect();
        for (i, name) in keys.iter().enumerate() {
            columns.push(plain(name, &plan, &schema)?.alias(format!("k{i}")));
        }
        let distinct = self.cells.is_some();
        let at = match self.cells {
            Some(finder) => period_of(finder, time),
            None => time,
        };
        columns.push(cast(at, DataType::Int64).alias("at"));
        for (i, flag) in self.flags.iter().enumerate() {
            columns.push(flag.to_expr(&plan)?.is_true().alias(format!("f{i}")));
        }
        frame = frame.select(columns)?;
        if distinct {
            frame = frame.filter(ident("at").is_not_null())?.distinct()?;
        }
        let dimensions = cx.dimensions.len();
        let own_keys = self.run.len() + self.key.len();
        let dims = (0..dimensions).map(|i| format!("d{i}"));
        let key_names = (0..own_keys).map(|i| format!("k{i}"));
        let who = self.who.map(|_| format!("k{own_keys}"));
        let flags = (0..self.flags.len()).map(|i| format!("f{i}"));
        let at = std::iter::once("at".to_owned());
        let order: Vec<String> = match self.by_dimensions {
            true => dims
                .chain(key_names)
                .chain(at)
                .chain(who)
                .chain(flags)
                .collect(),
            false => key_names
                .chain(at)
                .chain(dims)
                .chain(who)
                .chain(flags)
                .collect(),
        };
        frame = frame.sort(
            order
                .into_iter()
                .map(|n| ident(n).sort(true, false))
                .collect(),
        )?;
        let mut reader = Reader {
            dimensions,
            run: self.run.len(),
            key: self.key.len(),
            flags: self.flags.len(),
            who: self.who.is_some(),
            by_dimensions: self.by_dimensions,
            run_rows: None,
            key_rows: None,
            actors: self.known,
            open: Vec::new(),
            last: None,
        };
        let stats = cx
            .events
            .fold(frame, &mut |batch| {
                reader.read(batch.columns(), batch.num_rows(), combinations, visit)
            })
            .await?;
        if !reader.open.is_empty() {
            visit(&reader.open)?;
        }
        Ok((reader.actors, stats))
    }
}

/// A column without a dictionary, which rows compare faster.
fn plain(name: &str, plan: &PlanContext<'_>, schema: &DFSchema) -> Result<Expr> {
    let expr = column(name).to_expr(plan)?;
    let ty = schema
        .fields()
        .iter()
        .find(|f| f.name() == name)
        .map(|f| f.data_type().clone());
    Ok(match ty {
        Some(DataType::Dictionary(_, value)) => cast(expr, *value),
        Some(DataType::Null) | None => cast(lit(arrow_null()), DataType::Utf8),
        Some(_) => expr,
    })
}

fn arrow_null() -> datafusion::scalar::ScalarValue {
    datafusion::scalar::ScalarValue::Null
}

struct Reader {
    dimensions: usize,
    run: usize,
    key: usize,
    flags: usize,
    who: bool,
    by_dimensions: bool,
    run_rows: Option<RowConverter>,
    key_rows: Option<RowConverter>,
    actors: Actors,
    /// The rows of the run so far.
    open: Vec<Step>,
    last: Option<(u32, OwnedRow, Option<OwnedRow>, u32)>,
}

fn converter<'c>(
    slot: &'c mut Option<RowConverter>,
    columns: &[ArrayRef],
) -> Result<&'c mut RowConverter> {
    if slot.is_none() {
        let types: Vec<DataType> = columns.iter().map(|c| c.data_type().clone()).collect();
        *slot = Some(row_converter(&types)?);
    }
    slot.as_mut()
        .ok_or_else(|| Error::internal("a converter of rows is missing"))
}

impl Reader {
    fn read(
        &mut self,
        columns: &[ArrayRef],
        rows: usize,
        combinations: &mut Combinations,
        visit: &mut (dyn FnMut(&[Step]) -> Result<()> + Send),
    ) -> Result<()> {
        let part = |from: usize, n: usize| columns.get(from..from + n).unwrap_or_default();
        let ids = combinations.ids(part(0, self.dimensions), rows)?;
        let run_columns = part(self.dimensions, self.run);
        let runs = converter(&mut self.run_rows, run_columns)?.convert_columns(run_columns)?;
        let key_columns = part(self.dimensions + self.run, self.key);
        let keys = match self.key {
            0 => None,
            _ => Some(converter(&mut self.key_rows, key_columns)?.convert_columns(key_columns)?),
        };
        let after_keys = self.dimensions + self.run + self.key;
        let whos = match (self.who, part(after_keys, 1)) {
            (true, [column]) => self.actors.numbers(column)?,
            _ => Vec::new(),
        };
        let after_who = after_keys + usize::from(self.who);
        let at = part(after_who, 1)
            .first()
            .map(|c| cast_array(c, &DataType::Int64));
        let at = at.ok_or_else(|| Error::internal("the rows have no time"))??;
        let times = at.as_primitive::<Int64Type>().values();
        let flags = part(after_who + 1, self.flags);
        for row in 0..rows {
            let id = ids.get(row).copied().unwrap_or(0);
            let run = runs.row(row);
            let key = keys.as_ref().map(|k| k.row(row));
            let same_run = self.last.as_ref().is_some_and(|(last_id, last, ..)| {
                last.row() == run && (!self.by_dimensions || *last_id == id)
            });
            let number = match &self.last {
                Some((_, _, last_key, number)) if same_run => {
                    let same = last_key.as_ref().map(|k| k.row()) == key;
                    if same { *number } else { number + 1 }
                }
                _ => 0,
            };
            if !same_run && !self.open.is_empty() {
                visit(&self.open)?;
                self.open.clear();
            }
            let changed = !same_run || self.last.as_ref().is_some_and(|l| l.3 != number);
            if changed {
                self.last = Some((id, run.owned(), key.map(|k| k.owned()), number));
            }
            let who = whos.get(row).copied().unwrap_or(0);
            let mut bits = 0_u64;
            for (i, flag) in flags.iter().enumerate() {
                if flag.as_boolean().value(row) {
                    bits |= 1 << i;
                }
            }
            self.open.push(Step {
                id,
                at: times.get(row).copied().unwrap_or(0),
                flags: bits,
                key: number,
                whole: key_columns.iter().all(|c| c.is_valid(row)),
                who,
            });
        }
        Ok(())
    }
}
