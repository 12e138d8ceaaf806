//! From requests to tallies: what can be computed in one pass.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr, ExprSchemable};

use super::Ordered;
use super::cells::Cells;
use super::dimension::Dimension;
use super::measures::{Lane, Wanted, measurable};
use super::slots::{ALL, Slots};
use super::tally::{Output, Tally};
use crate::Result;
use crate::engine::Events;
use crate::engine::ordered::{Order, Request, RowTests, RowValue, ScanSource};
use crate::expr::{Aggregate, AggregateFunction, Expression, PlanContext, RowExpr};
use crate::metric::query::executor::ScanRequest;
use crate::metric::query::graph::any_of;

/// An aggregate that a tally can compute.
struct Wish {
    /// Its number in the request.
    aggregate: usize,
    what: What,
    /// Whether it matters only whether it is 0.
    presence: bool,
    /// Which rows it is of.
    condition: Option<Expr>,
    /// Which rows make a group.
    filter: Option<Expr>,
}

enum What {
    Rows,
    Actors,
    Measure(AggregateFunction, Expr, DataType),
}

impl Ordered {
    /// Finds what of `requests` (which differ in aggregates and windows alone) can be computed in one pass; `None` if
    /// that is nothing.
    ///
    /// # Errors
    /// `InvalidSpec` for columns that are not there.
    pub(crate) fn plan(events: &Events, requests: &[ScanRequest<'_>]) -> Result<Option<Ordered>> {
        let source = events.scan_source();
        let counts = |distinct: bool| {
            let mut aggregates = requests.iter().flat_map(|r| r.aggregates);
            aggregates.any(|a| a.distinct == distinct && counts_actor(a, &source))
        };
        // A pass by actors meets rows that have one: to count them it need not read who it is.
        let assumes = counts(true) && counts(false);
        let mut plan = Self::plan_one(events, requests, assumes)?;
        if let Some(plan) = plan.as_mut().filter(|_| assumes) {
            plan.otherwise = Self::plan_one(events, requests, false)?.map(Box::new);
        }
        Ok(plan)
    }

    fn plan_one(
        events: &Events,
        requests: &[ScanRequest<'_>],
        all_have_actors: bool,
    ) -> Result<Option<Ordered>> {
        let Some(first) = requests.first() else {
            return Ok(None);
        };
        let source = events.scan_source();
        let schema = DFSchema::try_from(Arc::clone(&source.events))?;
        let cx = PlanContext::new(&schema, first.zone);
        let mut request = Request {
            times: true,
            order: Order::Any,
            // Rows without an actor may take a scan of their own.
            texts: Some(Arc::default()),
            ..Request::default()
        };
        request.filter = first.filter.map(|f| f.to_expr(&cx)).transpose()?;
        if let Some(filter) = &request.filter
            && filter.get_type(&schema)? != DataType::Boolean
        {
            return Ok(None);
        }
        // What all aggregates ask of a row is asked but once.
        let shared = shared_filter(requests);
        let mut planning = Planning {
            source: &source,
            schema: &schema,
            cx,
            strip: matches!(shared, Some(Shared::Same(_))),
            all_have_actors,
            request,
            tallies: Vec::new(),
            of: Vec::new(),
        };
        for (number, request) in requests.iter().enumerate() {
            if planning.tallies_of(number, request).is_err() {
                return Ok(None);
            }
        }
        let Planning {
            mut request,
            tallies,
            of,
            ..
        } = planning;
        if tallies.is_empty() {
            return Ok(None);
        }
        if let Some(Shared::Same(filter) | Shared::AnyOf(filter)) = &shared {
            let cx = PlanContext::new(&schema, first.zone);
            let filter = filter.to_expr(&cx)?;
            request.filter = Some(match request.filter.take() {
                Some(before) => before.and(filter),
                None => filter,
            });
        }
        let windows = requests.iter().map(|r| &r.windows).filter(|w| w.len() > 0);
        request.from = windows
            .clone()
            .map(|w| w.first_us())
            .min()
            .filter(|from| *from > i64::MIN);
        request.to = Some(windows.map(|w| w.end_us()).max().unwrap_or(i64::MIN));
        let by_actor = tallies.iter().any(|t: &Tally| t.actors.width() > 0);
        Ok(Some(Ordered {
            source,
            request,
            tallies,
            of,
            by_actor,
            otherwise: None,
        }))
    }
}

/// Tells whether an aggregate counts actors, or the rows that have one.
fn counts_actor(aggregate: &Aggregate, source: &ScanSource) -> bool {
    match (aggregate.function, aggregate.arguments.as_slice()) {
        (AggregateFunction::Count, [Expression::Leaf(column)]) => source.shape.is_actor(&column.0),
        _ => false,
    }
}

/// What all aggregates have in common.
enum Shared {
    Same(RowExpr),
    AnyOf(RowExpr),
}

fn shared_filter(requests: &[ScanRequest<'_>]) -> Option<Shared> {
    let mut different: Vec<&RowExpr> = Vec::new();
    for aggregate in requests.iter().flat_map(|r| r.aggregates) {
        let filter = aggregate.filter.as_ref()?;
        if !different.contains(&filter) {
            different.push(filter);
        }
    }
    match different.as_slice() {
        [] => None,
        [only] => Some(Shared::Same((*only).clone())),
        _ => any_of(different).map(Shared::AnyOf),
    }
}

struct Planning<'a> {
    source: &'a ScanSource,
    schema: &'a DFSchema,
    cx: PlanContext<'a>,
    /// Whether the filters of aggregates are left out, since only rows that pass them are read.
    strip: bool,
    /// Whether no row is without an actor.
    all_have_actors: bool,
    request: Request,
    tallies: Vec<Tally>,
    of: Vec<(usize, Vec<usize>)>,
}

impl Planning<'_> {
    fn tallies_of(&mut self, number: usize, request: &ScanRequest<'_>) -> Result<()> {
        let wishes = request.aggregates.iter().enumerate();
        let wishes = wishes.filter_map(|(i, aggregate)| {
            let presence = request.presence.contains(&i);
            self.wish(i, aggregate, presence)
        });
        let mut wishes: Vec<Wish> = wishes.collect();
        if wishes.is_empty() {
            return Ok(());
        }
        while !wishes.is_empty() {
            let Some(tally) = self.tally(number, request, &mut wishes)? else {
                return Ok(());
            };
            self.tallies.push(tally);
        }
        Ok(())
    }

    /// Finds out whether an aggregate can be tallied.
    fn wish(&self, number: usize, aggregate: &Aggregate, presence: bool) -> Option<Wish> {
        let filter = match &aggregate.filter {
            Some(filter) if !self.strip => Some(filter.to_expr(&self.cx).ok()?),
            _ => None,
        };
        let mut condition = filter.clone();
        let what = match (aggregate.function, aggregate.arguments.as_slice()) {
            (AggregateFunction::Count, []) => What::Rows,
            (AggregateFunction::Count, [Expression::Leaf(column)]) if aggregate.distinct => {
                if !self.source.shape.is_actor(&column.0) {
                    return None;
                }
                What::Actors
            }
            _ if aggregate.distinct => return None,
            (AggregateFunction::Count, _)
                if self.all_have_actors && counts_actor(aggregate, self.source) =>
            {
                What::Rows
            }
            (AggregateFunction::Count, [argument]) => {
                let there = argument.to_expr(&self.cx).ok()?.is_not_null();
                condition = Some(match condition {
                    Some(condition) => condition.and(there),
                    None => there,
                });
                What::Rows
            }
            (
                AggregateFunction::Sum
                | AggregateFunction::Avg
                | AggregateFunction::Min
                | AggregateFunction::Max,
                [argument],
            ) => {
                let argument = argument.to_expr(&self.cx).ok()?;
                let data_type = argument.get_type(self.schema).ok()?;
                let extremes = matches!(
                    aggregate.function,
                    AggregateFunction::Min | AggregateFunction::Max
                );
                if !measurable(&data_type, extremes) {
                    return None;
                }
                What::Measure(aggregate.function, argument, data_type)
            }
            _ => return None,
        };
        Some(Wish {
            aggregate: number,
            what,
            presence,
            condition,
            filter,
        })
    }

    /// Makes a tally of the first of `wishes`, as many as have few enough tests, and takes these out. `None` if the
    /// dimensions cannot be tallied.
    fn tally(
        &mut self,
        number: usize,
        request: &ScanRequest<'_>,
        wishes: &mut Vec<Wish>,
    ) -> Result<Option<Tally>> {
        let mut dimensions = Vec::with_capacity(request.dimensions.len());
        for dimension in request.dimensions {
            match Dimension::new(dimension, self.source, &mut self.request) {
                Some(dimension) => dimensions.push(dimension),
                None => return Ok(None),
            }
        }
        let all_filtered = wishes.iter().all(|wish| wish.filter.is_some());
        let mut tests: Vec<Expr> = Vec::new();
        let mut taken = 0;
        for wish in wishes.iter() {
            let mut more = tests.clone();
            more.extend(wish.condition.iter().cloned());
            if all_filtered {
                more.extend(wish.filter.iter().cloned());
            }
            dedup(&mut more);
            if more.len() > ALL as usize {
                break;
            }
            tests = more;
            taken += 1;
        }
        let bit = |condition: &Option<Expr>| match condition {
            Some(condition) => tests
                .iter()
                .position(|t| t == condition)
                .map_or(ALL, |at| at as u32),
            None => ALL,
        };
        let mut tally = Tally {
            cells: Cells::new(
                &request.windows,
                request.disjoint,
                request.bucketer.as_ref(),
            ),
            dimensions,
            tests: None,
            present_if: all_filtered.then_some(0),
            counts: Slots::default(),
            counts_exactly: false,
            actors: Slots::default(),
            lanes: Vec::new(),
            outputs: Vec::with_capacity(taken),
            pool: Arc::clone(&self.source.context.runtime_env().memory_pool),
        };
        let mut aggregates = Vec::with_capacity(taken);
        let mut arguments: Vec<Expr> = Vec::new();
        for wish in wishes.drain(..taken) {
            aggregates.push(wish.aggregate);
            if let Some(bits) = &mut tally.present_if {
                *bits |= 1 << bit(&wish.filter);
            }
            let bit = bit(&wish.condition);
            let output = match wish.what {
                What::Rows => {
                    tally.counts.add(bit);
                    tally.counts_exactly |= !wish.presence;
                    Output::Count(bit)
                }
                What::Actors => {
                    tally.actors.add(bit);
                    Output::Actors(bit)
                }
                What::Measure(function, argument, data_type) => {
                    let at = match arguments.iter().position(|a| *a == argument) {
                        Some(at) => at,
                        None => {
                            let value = RowValue::new(&argument, self.source, &mut self.request)?;
                            tally.lanes.push(Lane {
                                value,
                                slots: Slots::default(),
                                wanted: Wanted::default(),
                            });
                            arguments.push(argument);
                            arguments.len() - 1
                        }
                    };
                    let Some(lane) = tally.lanes.get_mut(at) else {
                        return Ok(None);
                    };
                    lane.slots.add(bit);
                    lane.output(at, function, bit, data_type)
                }
            };
            tally.outputs.push(output);
        }
        if !tests.is_empty() {
            tally.tests = Some(RowTests::new(&tests, self.source, &mut self.request)?);
        }
        self.of.push((number, aggregates));
        Ok(Some(tally))
    }
}

impl Lane {
    /// Returns how an aggregate comes from the lane, which has the number `at`.
    fn output(
        &mut self,
        at: usize,
        function: AggregateFunction,
        bit: u32,
        data_type: DataType,
    ) -> Output {
        match function {
            AggregateFunction::Min => {
                self.wanted.least = true;
                Output::Least(at, bit, data_type)
            }
            AggregateFunction::Max => {
                self.wanted.most = true;
                Output::Most(at, bit, data_type)
            }
            AggregateFunction::Avg => {
                self.wanted.sum = true;
                Output::Mean(at, bit)
            }
            _ => {
                self.wanted.sum = true;
                let sum_type = match data_type {
                    DataType::Float32 | DataType::Float64 => DataType::Float64,
                    unsigned if unsigned.is_unsigned_integer() => DataType::UInt64,
                    _ => DataType::Int64,
                };
                Output::Sum(at, bit, sum_type)
            }
        }
    }
}

fn dedup(list: &mut Vec<Expr>) {
    let mut different: Vec<Expr> = Vec::with_capacity(list.len());
    for expr in list.drain(..) {
        if !different.contains(&expr) {
            different.push(expr);
        }
    }
    *list = different;
}
