//! Checking a batch against a compiled contract.
//!
//! Each column is looked at in one pass of few branches, which finds the rows that may break a rule;
//! only for those is the rule looked up, checked in full and put into words.

mod explain;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;

use super::OnViolation;
use explain::Checked;

use super::compile::{Checks, Column, CompiledContract, TextChecks};
use crate::document::shortened;
use crate::event::{EVENT, PropertyType};
use crate::ingest::block::Misfit;
use crate::{Error, Result};

/// The rule that a row breaks. The text code is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Rule {
    /// The event is not declared.
    UndeclaredEvent,
    /// The value does not have the type of the property.
    Type,
    /// A required property is missing or null.
    Required,
    /// The value is not one of those allowed.
    Enum,
    /// The value is below the least allowed.
    Min,
    /// The value is above the greatest allowed.
    Max,
    /// The text has too many characters.
    MaxLength,
    /// The text does not match the pattern.
    Pattern,
}

/// A rule broken by a row: the first one of its property, in the order of [`Rule`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Row of the batch.
    pub(crate) row: u32,
    /// `None` when the event itself is at fault.
    pub(crate) property: Option<String>,
    pub(crate) rule: Rule,
    /// The property, the event, the value found and the rule, in words.
    pub(crate) message: String,
    /// What the contract says should happen to the row.
    pub(crate) action: OnViolation,
}

impl CompiledContract {
    /// Checks a batch in canonical form. `misfits` are those that its reader found, sorted by row and
    /// column.
    ///
    /// There is at most one violation per row and property, sorted by row, then in the order of
    /// declaration. A row whose event is not declared has that violation alone, unless the contract
    /// accepts such events: then only the common properties are checked. A declared property that the
    /// batch has no column for is missing in every row.
    ///
    /// # Errors
    /// [`Internal`](crate::ErrorKind::Internal) when a column of the batch does not have the type
    /// declared: batches are made for the contract.
    pub(crate) fn check(&self, batch: &RecordBatch, misfits: &[Misfit]) -> Result<Vec<Violation>> {
        let schema = batch.schema_ref();
        let events = batch
            .column_by_name(EVENT)
            .and_then(|c| c.as_string_opt::<i32>())
            .ok_or_else(|| Error::internal("contract: the batch has no text column `event`"))?;
        let numbers = self.numbers(events);
        let mut misfits: Vec<&Misfit> = misfits.iter().collect();
        misfits.sort_by_key(|m| (m.column, m.row));

        let mut found = Vec::new();
        if self.undeclared_events != OnViolation::Accept {
            for (row, _) in numbers.iter().enumerate().filter(|(_, n)| **n == 0) {
                found.push(Violation {
                    row: row as u32,
                    property: None,
                    rule: Rule::UndeclaredEvent,
                    message: format!(
                        "event `{}` is not declared in contract `{}`",
                        shortened(events.value(row)),
                        self.name
                    ),
                    action: self.undeclared_events,
                });
            }
        }
        let mut suspects = Vec::new();
        for column in &self.columns {
            let index = schema.index_of(&column.name).ok();
            let misfits = match index {
                Some(index) => of_column(&misfits, index as u32),
                None => &[],
            };
            let values = Values::of(column, index.map(|i| batch.column(i)))?;
            suspects.clear();
            column.suspects(&values, &numbers, &mut suspects);
            let checked = Checked {
                column,
                events,
                numbers: &numbers,
            };
            checked.explain(&values, &suspects, misfits, &mut found);
        }
        found.sort_by_key(|v| v.row);
        Ok(found)
    }

    /// Numbers the event of every row.
    fn numbers(&self, events: &StringArray) -> Vec<u16> {
        let (offsets, bytes) = (events.value_offsets(), events.value_data());
        let number = |name: &[u8]| u16::try_from(self.events.find(name)).unwrap_or(0);
        offsets
            .windows(2)
            .map(|ends| match *ends {
                [start, end] => bytes.get(start as usize..end as usize).map_or(0, &number),
                _ => 0,
            })
            .collect()
    }
}

/// Cuts the misfits of one column out of all, which are sorted by column.
fn of_column<'a>(misfits: &'a [&'a Misfit], column: u32) -> &'a [&'a Misfit] {
    let start = misfits.partition_point(|m| m.column < column);
    let end = misfits.partition_point(|m| m.column <= column);
    misfits.get(start..end).unwrap_or(&[])
}

/// The values of a column, by the type that the contract declares.
enum Values<'a> {
    /// The batch has no such column.
    Absent,
    Integers(&'a [i64], Option<&'a NullBuffer>),
    Days(&'a [i32], Option<&'a NullBuffer>),
    Numbers(&'a [f64], Option<&'a NullBuffer>),
    Booleans(&'a arrow::array::BooleanArray),
    Texts(&'a StringArray),
}

impl<'a> Values<'a> {
    fn of(column: &Column, array: Option<&'a ArrayRef>) -> Result<Values<'a>> {
        let Some(array) = array else {
            return Ok(Values::Absent);
        };
        let nulls = array.nulls().filter(|n| n.null_count() > 0);
        let values = match column.ty {
            PropertyType::String | PropertyType::Json => {
                array.as_string_opt::<i32>().map(Values::Texts)
            }
            PropertyType::Integer => array
                .as_primitive_opt::<Int64Type>()
                .map(|a| Values::Integers(a.values(), nulls)),
            PropertyType::Timestamp => array
                .as_primitive_opt::<TimestampMicrosecondType>()
                .map(|a| Values::Integers(a.values(), nulls)),
            PropertyType::Date => array
                .as_primitive_opt::<Date32Type>()
                .map(|a| Values::Days(a.values(), nulls)),
            PropertyType::Number => array
                .as_primitive_opt::<Float64Type>()
                .map(|a| Values::Numbers(a.values(), nulls)),
            PropertyType::Boolean => array.as_boolean_opt().map(Values::Booleans),
        };
        values.ok_or_else(|| {
            Error::internal(format!(
                "contract: column `{}` of the batch has type {}, the contract declares {}",
                column.name,
                array.data_type(),
                column.ty.name()
            ))
        })
    }

    fn is_null(&self, row: usize) -> bool {
        let null = |nulls: &Option<&NullBuffer>| nulls.is_some_and(|n| n.is_null(row));
        match self {
            Values::Absent => true,
            Values::Integers(_, nulls) | Values::Days(_, nulls) | Values::Numbers(_, nulls) => {
                null(nulls)
            }
            Values::Booleans(array) => array.is_null(row),
            Values::Texts(array) => array.is_null(row),
        }
    }
}

/// Rows are looked at in groups, one bit each.
const GROUP: usize = 64;

impl Column {
    /// Collects the rows that may break a rule.
    fn suspects(&self, values: &Values<'_>, numbers: &[u16], out: &mut Vec<u32>) {
        match values {
            Values::Absent => {
                if self.any_required {
                    let absent = NullBuffer::new_null(numbers.len());
                    self.scan(numbers, Some(&absent), out, |_, _, _| 0);
                }
            }
            Values::Integers(all, nulls) => self.scan_integers(all, *nulls, numbers, out),
            Values::Days(all, nulls) => self.scan_integers(all, *nulls, numbers, out),
            Values::Numbers(all, nulls) => {
                let ends: Vec<(f64, f64)> = self
                    .rules
                    .iter()
                    .map(|r| match &r.checks {
                        // Values to choose from are rare: each is looked at in full.
                        Checks::Number(range) if range.allowed.is_some() => (f64::NAN, f64::NAN),
                        Checks::Number(range) => (
                            range.min.unwrap_or(f64::NEG_INFINITY),
                            range.max.unwrap_or(f64::INFINITY),
                        ),
                        _ => (f64::NEG_INFINITY, f64::INFINITY),
                    })
                    .collect();
                self.scan(numbers, *nulls, out, |start, rules, _| {
                    let group = all.get(start..start + rules.len()).unwrap_or(&[]);
                    let mut bad = 0;
                    for (i, (value, rule)) in group.iter().zip(rules).enumerate() {
                        let (low, high) = ends.get(*rule as usize).copied().unwrap_or_default();
                        // NaN is in no range.
                        bad |= u64::from(!((*value >= low) & (*value <= high))) << i;
                    }
                    bad
                });
            }
            Values::Booleans(array) => {
                let nulls = array.nulls().filter(|n| n.null_count() > 0);
                let refused: Vec<[bool; 2]> = self
                    .rules
                    .iter()
                    .map(|r| match r.checks {
                        Checks::Boolean { allowed } => allowed.map(|a| !a),
                        _ => [false, false],
                    })
                    .collect();
                self.scan(numbers, nulls, out, |start, rules, _| {
                    let mut bad = 0;
                    for (i, rule) in rules.iter().enumerate() {
                        let [no, yes] = refused.get(*rule as usize).copied().unwrap_or_default();
                        let value = array.value(start + i);
                        bad |= u64::from(if value { yes } else { no }) << i;
                    }
                    bad
                });
            }
            Values::Texts(array) => self.scan_texts(array, numbers, out),
        }
    }

    fn scan_integers<T: Copy + Into<i64>>(
        &self,
        all: &[T],
        nulls: Option<&NullBuffer>,
        numbers: &[u16],
        out: &mut Vec<u32>,
    ) {
        let ends: Vec<(i64, i64)> = self
            .rules
            .iter()
            .map(|r| match &r.checks {
                // An empty range: each value is looked at in full.
                Checks::Integer(range) if range.allowed.is_some() => (1, 0),
                Checks::Integer(range) => {
                    (range.min.unwrap_or(i64::MIN), range.max.unwrap_or(i64::MAX))
                }
                _ => (i64::MIN, i64::MAX),
            })
            .collect();
        self.scan(numbers, nulls, out, |start, rules, _| {
            let group = all.get(start..start + rules.len()).unwrap_or(&[]);
            let mut bad = 0;
            for (i, (value, rule)) in group.iter().zip(rules).enumerate() {
                let (low, high) = ends.get(*rule as usize).copied().unwrap_or_default();
                let value: i64 = (*value).into();
                bad |= u64::from((value < low) | (value > high)) << i;
            }
            bad
        });
    }

    fn scan_texts(&self, array: &StringArray, numbers: &[u16], out: &mut Vec<u32>) {
        let nulls = array.nulls().filter(|n| n.null_count() > 0);
        let (offsets, bytes) = (array.value_offsets(), array.value_data());
        let checks: Vec<Option<&TextChecks>> = self
            .rules
            .iter()
            .map(|r| match &r.checks {
                Checks::Text(checks) => Some(checks),
                _ => None,
            })
            .collect();
        let mut memo = Memo::default();
        self.scan(numbers, nulls, out, |start, rules, valid| {
            let mut bad = 0;
            for (i, rule) in rules.iter().enumerate() {
                if valid & (1 << i) == 0 {
                    continue;
                }
                let Some(Some(checks)) = checks.get(*rule as usize) else {
                    continue;
                };
                let row = start + i;
                let ends = (offsets.get(row), offsets.get(row + 1));
                let (Some(from), Some(to)) = ends else {
                    continue;
                };
                let value = bytes.get(*from as usize..*to as usize).unwrap_or(&[]);
                let fits = checks.allowed.as_ref().is_none_or(|a| a.find(value) != 0)
                    && checks.max_length.is_none_or(|most| value.len() <= most)
                    && checks
                        .pattern
                        .as_ref()
                        .is_none_or(|p| memo.matches(p, *rule, row, array));
                bad |= u64::from(!fits) << i;
            }
            bad
        });
    }

    /// Walks over the rows in groups: `bad(first row, rules of the rows, valid rows)` gives a bit for
    /// every row whose value may break its rule; bits of nulls do not count. Nulls of required
    /// properties are found here.
    #[inline(always)]
    fn scan(
        &self,
        numbers: &[u16],
        nulls: Option<&NullBuffer>,
        out: &mut Vec<u32>,
        mut bad: impl FnMut(usize, &[u16], u64) -> u64,
    ) {
        let missing_matters = self.any_required && nulls.is_some();
        if !missing_matters && !self.any_check {
            return;
        }
        let required: Vec<bool> = self.rules.iter().map(|r| r.required).collect();
        let mut words = nulls.map(|n| n.inner().bit_chunks());
        let mut words = words.as_mut().map(|chunks| chunks.iter_padded());
        let mut rules = [0_u16; GROUP];
        for (group, numbers) in numbers.chunks(GROUP).enumerate() {
            let start = group * GROUP;
            let all = u64::MAX >> (GROUP - numbers.len());
            let valid = match &mut words {
                Some(words) => words.next().unwrap_or(0) & all,
                None => all,
            };
            for (rule, number) in rules.iter_mut().zip(numbers) {
                *rule = self.by_event.get(*number as usize).copied().unwrap_or(0);
            }
            let rules = rules.get(..numbers.len()).unwrap_or(&[]);
            let mut suspect = 0;
            if self.any_check && valid != 0 {
                suspect = bad(start, rules, valid) & valid;
            }
            if missing_matters && valid != all {
                let mut must = 0;
                for (i, rule) in rules.iter().enumerate() {
                    let is = required.get(*rule as usize).copied().unwrap_or(false);
                    must |= u64::from(is) << i;
                }
                suspect |= must & !valid;
            }
            while suspect != 0 {
                out.push((start + suspect.trailing_zeros() as usize) as u32);
                suspect &= suspect - 1;
            }
        }
    }
}

/// Remembers for a few hundred values whether they match, so that a pattern runs once per distinct
/// value and not per row. A value is remembered as the row that has it; of two values that fall on
/// one place the later stays.
#[derive(Default)]
struct Memo {
    places: Vec<MemoPlace>,
}

#[derive(Clone, Copy, Default)]
struct MemoPlace {
    row: u32,
    /// 0 is a free place: rules are numbered from 1.
    rule: u16,
    matches: bool,
}

impl Memo {
    const PLACES: usize = 1024;

    #[inline]
    fn matches(
        &mut self,
        pattern: &regex::Regex,
        rule: u16,
        row: usize,
        array: &StringArray,
    ) -> bool {
        let value = array.value(row);
        let hash = xxhash_rust::xxh3::xxh3_64(value.as_bytes()) as usize ^ rule as usize;
        if self.places.is_empty() {
            self.places.resize(Self::PLACES, MemoPlace::default());
        }
        let Some(place) = self.places.get_mut(hash % Self::PLACES) else {
            return pattern.is_match(value);
        };
        if place.rule != rule || array.value(place.row as usize) != value {
            *place = MemoPlace {
                row: row as u32,
                rule,
                matches: pattern.is_match(value),
            };
        }
        place.matches
    }
}
