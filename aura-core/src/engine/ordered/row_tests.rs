//! Conditions on rows, as bits.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::logical_expr::utils::{split_binary, split_conjunction};
use datafusion::logical_expr::{Expr, Operator, cast};

use super::code::is_text;
use super::row_value::{RowValue, Rows, no_condition};
use super::{Column, Request, ScanSource, Texts};
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
    value: RowValue,
}

#[derive(Debug, Clone, Copy)]
enum Rule {
    All(u64),
    Any(u64),
}

/// What the tests know of the texts seen so far: one for each thread and scan.
#[derive(Debug, Default)]
pub(crate) struct Answers(Vec<Vec<u64>>);

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
            match leaf.value.only_column().filter(|_| by_text) {
                Some(place) => match tests.by_text.iter_mut().find(|t| t.place == place) {
                    Some(text) => text.leaves.push(leaf),
                    None => tests.by_text.push(TextLeaves {
                        place,
                        leaves: vec![leaf],
                    }),
                },
                None => tests.by_row.push(leaf),
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
            let passing = leaf.value.passing(rows)?;
            for (mask, passing) in masks.iter_mut().zip(passing.iter()) {
                *mask |= u64::from(passing) << leaf.bit;
            }
        }
        if let Some(rules) = &self.rules {
            apply(rules, masks);
        }
        Ok(())
    }
}

/// Turns the bits of leaves into those of conditions.
fn apply(rules: &[Rule], masks: &mut [u64]) {
    /// Few combinations of bits occur, and they occur again and again.
    const REMEMBERED_BITS: u32 = 6;
    let holds = |leaves: u64| {
        let bits = rules.iter().enumerate().map(|(i, rule)| {
            let holds = match *rule {
                Rule::All(all) => leaves & all == all,
                Rule::Any(any) => leaves & any != 0,
            };
            u64::from(holds) << i
        });
        bits.fold(0, |all, bit| all | bit)
    };
    let mut remembered = [(0, holds(0)); 1 << REMEMBERED_BITS];
    for mask in masks {
        let leaves = *mask;
        let slot = leaves.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - REMEMBERED_BITS);
        let entry = &mut remembered[slot as usize];
        if entry.0 != leaves {
            *entry = (leaves, holds(leaves));
        }
        *mask = entry.1;
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
            let passing = leaf.value.passing_of(Arc::clone(&new))?;
            for (mask, passing) in known.iter_mut().skip(from).zip(passing.iter()) {
                *mask |= u64::from(passing) << leaf.bit;
            }
        }
        Ok(())
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
        let by_text = speaks_of_one_text(part, &self.source.events);
        let value = RowValue::new(part, self.source, self.request)?;
        let value = match value.data_type() {
            DataType::Boolean => value,
            DataType::Null => {
                let never = cast(part.clone(), DataType::Boolean);
                RowValue::new(&never, self.source, self.request)?
            }
            other => return Err(no_condition(other)),
        };
        let bit = self.leaves.len() as u32;
        self.leaves
            .push((part.clone(), Leaf { bit, value }, by_text));
        Ok(bit)
    }
}
