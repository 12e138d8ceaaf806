//! Conditions on rows, as bits.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StringArray};
use arrow::buffer::ScalarBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::logical_expr::utils::{split_binary, split_conjunction};
use datafusion::logical_expr::{Expr, Operator};
use datafusion::physical_plan::PhysicalExpr;

use super::code::is_text;
use super::{ActorBlock, Column, Request, RowBlock, ScanSource, Texts};
use crate::event::TIME;
use crate::{Error, Result};

/// Most conditions that are tested together.
pub(crate) const MOST_TESTS: usize = 64;

/// Conditions over the columns of the table `events`, tested together on the rows of blocks.
///
/// A condition on one text column is asked once for each text, and all of these on one column are one
/// look into a table for each row, however many they are.
#[derive(Debug)]
pub(crate) struct RowTests {
    /// What is asked of one text column alone, by column.
    by_text: Vec<TextLeaves>,
    /// What takes the values of rows.
    by_row: Vec<Leaf>,
    /// How the conditions come from the bits of the leaves; `None` where leaf i is condition i.
    rules: Option<Vec<Rule>>,
}

#[derive(Debug)]
struct TextLeaves {
    place: usize,
    leaves: Vec<Leaf>,
}

/// A part of a condition that is evaluated at once.
#[derive(Debug)]
struct Leaf {
    bit: u32,
    expr: Arc<dyn PhysicalExpr>,
    columns: Vec<Place>,
    schema: SchemaRef,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Time,
    Column(usize),
}

#[derive(Debug, Clone, Copy)]
enum Rule {
    All(u64),
    Any(u64),
}

/// What the tests know of the texts seen so far: one for each thread and scan.
#[derive(Debug, Default)]
pub(crate) struct Answers(Vec<Vec<u64>>);

/// The rows of a block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    rows: usize,
    times: Option<&'a ScalarBuffer<i64>>,
    columns: &'a [Column],
}

impl<'a> From<&'a ActorBlock> for Rows<'a> {
    fn from(block: &'a ActorBlock) -> Self {
        Rows {
            rows: block.times.len(),
            times: Some(&block.times),
            columns: &block.columns,
        }
    }
}

impl<'a> From<&'a RowBlock> for Rows<'a> {
    fn from(block: &'a RowBlock) -> Self {
        Rows {
            rows: block.rows,
            times: block.times.as_ref(),
            columns: &block.columns,
        }
    }
}

impl RowTests {
    /// Prepares conditions (at most [`MOST_TESTS`]), and asks `request` for what they read.
    ///
    /// # Errors
    /// `InvalidSpec` when there are too many, for an unknown column, and for types that do not fit.
    pub(crate) fn new(
        conditions: &[Expr],
        source: &ScanSource,
        request: &mut Request,
    ) -> Result<Self> {
        if conditions.len() > MOST_TESTS {
            return Err(Error::invalid_spec(format!(
                "{} different conditions on events; at most {MOST_TESTS} can be tested together",
                conditions.len()
            )));
        }
        let mut making = Making {
            source,
            request,
            leaves: Vec::new(),
        };
        let mut rules = Vec::with_capacity(conditions.len());
        let parts: usize = conditions.iter().map(|c| parts(c).1.len()).sum();
        for condition in conditions {
            // With too many parts each condition is one.
            let (any, parts) = match parts <= MOST_TESTS {
                true => parts_of(condition, source),
                false => (false, vec![condition.clone()]),
            };
            let mut mask = 0;
            for part in &parts {
                mask |= 1 << making.leaf(part)?;
            }
            rules.push(match any {
                true => Rule::Any(mask),
                false => Rule::All(mask),
            });
        }
        let plain = rules.iter().enumerate().all(|(i, rule)| match rule {
            Rule::All(mask) | Rule::Any(mask) => *mask == 1 << i,
        });
        let mut tests = RowTests {
            by_text: Vec::new(),
            by_row: Vec::new(),
            rules: (!plain).then_some(rules),
        };
        for (_, leaf, by_text) in making.leaves {
            match (by_text, leaf.columns.as_slice()) {
                (true, &[Place::Column(place)]) => {
                    match tests.by_text.iter_mut().find(|t| t.place == place) {
                        Some(text) => text.leaves.push(leaf),
                        None => tests.by_text.push(TextLeaves {
                            place,
                            leaves: vec![leaf],
                        }),
                    }
                }
                _ => tests.by_row.push(leaf),
            }
        }
        Ok(tests)
    }

    /// Makes what a thread keeps.
    pub(crate) fn new_answers(&self) -> Answers {
        Answers(vec![Vec::new(); self.by_text.len()])
    }

    /// Sets `masks` to one word for each row: bit i tells whether condition i is true; null is not.
    ///
    /// # Errors
    /// What the evaluation of a condition returns.
    pub(crate) fn masks<'a>(
        &self,
        answers: &mut Answers,
        rows: impl Into<Rows<'a>>,
        masks: &mut Vec<u64>,
    ) -> Result<()> {
        let rows = rows.into();
        masks.clear();
        for (number, (text, known)) in self.by_text.iter().zip(&mut answers.0).enumerate() {
            let column = rows.columns.get(text.place).and_then(Column::codes);
            let (codes, texts) =
                column.ok_or_else(|| Error::internal("a text column is none in the scan"))?;
            text.learn(texts, known)?;
            let answer = |&code: &u32| known.get(code as usize).copied().unwrap_or(0);
            match number {
                0 => masks.extend(codes.iter().map(answer)),
                _ => {
                    let pairs = masks.iter_mut().zip(codes);
                    pairs.for_each(|(mask, code)| *mask |= answer(code));
                }
            }
        }
        masks.resize(rows.rows, 0);
        for leaf in &self.by_row {
            let arrays = leaf.columns.iter().map(|place| rows.array(*place));
            let passing = leaf.evaluate(arrays.collect::<Result<_>>()?, rows.rows)?;
            for (mask, passing) in masks.iter_mut().zip(passing.iter()) {
                *mask |= u64::from(passing) << leaf.bit;
            }
        }
        if let Some(rules) = &self.rules {
            for mask in masks.iter_mut() {
                let leaves = *mask;
                let bits = rules.iter().enumerate().map(|(i, rule)| {
                    let holds = match *rule {
                        Rule::All(all) => leaves & all == all,
                        Rule::Any(any) => leaves & any != 0,
                    };
                    u64::from(holds) << i
                });
                *mask = bits.fold(0, |all, bit| all | bit);
            }
        }
        Ok(())
    }
}

impl Rows<'_> {
    fn array(&self, place: Place) -> Result<ArrayRef> {
        let lost = || Error::internal("a column of a condition is not in the scan");
        Ok(match place {
            Place::Time => {
                let times = self.times.ok_or_else(lost)?;
                let times = arrow::array::TimestampMicrosecondArray::new(times.clone(), None);
                Arc::new(times.with_timezone("UTC"))
            }
            Place::Column(place) => match self.columns.get(place).ok_or_else(lost)? {
                Column::Values(values) => Arc::clone(values),
                Column::Codes { codes, texts } => Arc::new(texts.of(codes.iter().copied())),
            },
        })
    }
}

impl TextLeaves {
    /// Brings `known`, the bits of each code, up to date.
    fn learn(&self, texts: &Texts, known: &mut Vec<u64>) -> Result<()> {
        if known.len() == texts.len() {
            return Ok(());
        }
        let mut new: Vec<Option<String>> = Vec::new();
        if known.is_empty() {
            new.push(None);
        }
        texts.each_from(known.len(), |_, text| new.push(Some(text.to_owned())));
        let rows = new.len();
        let new: ArrayRef = Arc::new(new.into_iter().collect::<StringArray>());
        let from = known.len();
        known.resize(from + rows, 0);
        for leaf in &self.leaves {
            let passing = leaf.evaluate(vec![Arc::clone(&new)], rows)?;
            for (mask, passing) in known.iter_mut().skip(from).zip(passing.iter()) {
                *mask |= u64::from(passing) << leaf.bit;
            }
        }
        Ok(())
    }
}

impl Leaf {
    fn evaluate(&self, arrays: Vec<ArrayRef>, rows: usize) -> Result<arrow::buffer::BooleanBuffer> {
        let arrays = arrays.into_iter().zip(self.schema.fields());
        let arrays = arrays.map(
            |(array, field)| match array.data_type() == field.data_type() {
                true => Ok(array),
                false => Ok(cast(&array, field.data_type())?),
            },
        );
        let batch = RecordBatch::try_new_with_options(
            Arc::clone(&self.schema),
            arrays.collect::<Result<_>>()?,
            &RecordBatchOptions::new().with_row_count(Some(rows)),
        )?;
        let answers = self.expr.evaluate(&batch)?.into_array(rows)?;
        let answers = answers.as_boolean_opt().ok_or_else(|| {
            Error::invalid_spec(format!(
                "a condition has the type {}; true or false is expected",
                answers.data_type()
            ))
        })?;
        Ok(match answers.nulls() {
            Some(nulls) => answers.values() & nulls.inner(),
            None => answers.values().clone(),
        })
    }
}

/// The parts of a condition, and whether any of them is enough.
fn parts(condition: &Expr) -> (bool, Vec<&Expr>) {
    match condition {
        Expr::BinaryExpr(binary) if binary.op == Operator::Or => {
            (true, split_binary(condition, Operator::Or))
        }
        _ => (false, split_conjunction(condition)),
    }
}

/// As [`parts`]; a condition on one text column alone stays whole.
fn parts_of(condition: &Expr, source: &ScanSource) -> (bool, Vec<Expr>) {
    if speaks_of_one_text(condition, &source.events) {
        return (false, vec![condition.clone()]);
    }
    let (any, parts) = parts(condition);
    (any, parts.into_iter().cloned().collect())
}

fn speaks_of_one_text(expr: &Expr, events: &SchemaRef) -> bool {
    let columns = expr.column_refs();
    let mut names = columns.iter().map(|c| c.name.as_str());
    let Some(first) = names.next() else {
        return false;
    };
    names.all(|name| name == first)
        && events
            .field_with_name(first)
            .is_ok_and(|field| is_text(field.data_type()))
        && !expr.is_volatile()
}

struct Making<'a> {
    source: &'a ScanSource,
    request: &'a mut Request,
    leaves: Vec<(Expr, Leaf, bool)>,
}

impl Making<'_> {
    /// Returns the bit of a part, which is made if it is new.
    fn leaf(&mut self, part: &Expr) -> Result<u32> {
        if let Some((_, leaf, _)) = self.leaves.iter().find(|(known, ..)| known == part) {
            return Ok(leaf.bit);
        }
        let events = &self.source.events;
        let by_text = speaks_of_one_text(part, events);
        let mut names: Vec<String> = part.column_refs().iter().map(|c| c.name.clone()).collect();
        names.sort_unstable();
        names.dedup();
        let mut columns = Vec::with_capacity(names.len());
        let mut fields = Vec::with_capacity(names.len());
        for name in &names {
            let (_, ty) = self.source.shape.place(events, name)?;
            columns.push(match name == TIME {
                true => {
                    self.request.times = true;
                    Place::Time
                }
                false => Place::Column(self.request.want(name)),
            });
            // Null is asked for as well, whatever the schema says of the column.
            fields.push(Field::new(name, ty, true));
        }
        let schema = Arc::new(Schema::new(fields));
        let part_of_schema = DFSchema::try_from(Arc::clone(&schema))?;
        let expr = unqualified(part)?;
        let (expr_type, _) = datafusion::logical_expr::ExprSchemable::data_type_and_nullable(
            &expr,
            &part_of_schema,
        )?;
        if !matches!(expr_type, DataType::Boolean | DataType::Null) {
            return Err(Error::invalid_spec(format!(
                "a condition has the type {expr_type}; true or false is expected"
            )));
        }
        let expr = datafusion::logical_expr::cast(expr, DataType::Boolean);
        let expr = self
            .source
            .context
            .create_physical_expr(expr, &part_of_schema)?;
        let bit = self.leaves.len() as u32;
        let leaf = Leaf {
            bit,
            expr,
            columns,
            schema,
        };
        self.leaves.push((part.clone(), leaf, by_text));
        Ok(bit)
    }
}

/// Takes the table's name off the columns.
fn unqualified(expr: &Expr) -> Result<Expr> {
    use datafusion::common::tree_node::{Transformed, TreeNode};
    let plain = expr.clone().transform(|expr| {
        Ok(match expr {
            Expr::Column(column) if column.relation.is_some() => Transformed::yes(Expr::Column(
                datafusion::common::Column::new_unqualified(column.name),
            )),
            other => Transformed::no(other),
        })
    })?;
    Ok(plain.data)
}
