//! A first contract, written from data.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::record_batch::RecordBatch;
use hashbrown::{HashMap, HashSet};

use super::validate::{MAX_EVENT_NAME, MAX_PROPERTIES, property_name_fault};
use super::{Contract, EventContract, Literal, Pii, PropertyContract, pii};
use crate::event::{ACTOR, EVENT, EVENT_ID, EXTRA, PropertyType, TIME};
use crate::{Error, Result};

/// Most events declared, the most frequent first: more names are no vocabulary.
const MOST_EVENTS: usize = 1_000;
/// Most declarations of a property in an event, so that the contract can be read by people.
const MOST_DECLARATIONS: usize = 20_000;
/// Rows of an event from which "never null" counts as "required".
const REQUIRED_ROWS: u64 = 100;
/// Values from which few distinct ones count as an enumeration.
const ENUM_ROWS: u64 = 50;
const ENUM_VALUES: usize = 12;
const ENUM_CHARS: usize = 64;
/// How often a value must come on average.
const ENUM_REPEATS: u64 = 10;

impl Contract {
    /// Writes a first contract from batches in canonical form (columns `event_id`, `actor`, `event`,
    /// `time`, properties, `extra`; see [`canonical_schema`](crate::event::canonical_schema)).
    ///
    /// * Every event seen is declared, in the order of names; of more than 1,000, the most frequent.
    /// * An event declares a property when any of its rows has a value.
    /// * A property is `required` when an event of at least 100 rows always has it.
    /// * Text has an `enum` when an event has at least 50 values, at most 12 distinct ones, each ten
    ///   times on average, and none longer than 64 characters.
    /// * Text that always holds JSON objects or lists is `json`.
    /// * `pii` is guessed from names and from values.
    ///
    /// No ranges are written: the least and the greatest value of a sample are chance. The result
    /// does not depend on the order of rows, and the rows it was written from keep to it. A column whose
    /// name no property can have is left out. Text may be in any of Arrow's encodings, so that what a
    /// query over events returns can be given as it is.
    ///
    /// # Errors
    /// [`InvalidData`](crate::ErrorKind::InvalidData) when a batch has no text column `event`, a column
    /// has a type that no property has, or two batches disagree on a type;
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) when `name` cannot be the name of a contract.
    pub fn infer(name: &str, batches: &[RecordBatch]) -> Result<Contract> {
        let batches = batches
            .iter()
            .map(with_plain_text)
            .collect::<Result<Vec<_>>>()?;
        let events = batches
            .iter()
            .map(|b| {
                b.column_by_name(EVENT)
                    .and_then(|c| c.as_string_opt::<i32>())
                    .ok_or_else(|| Error::invalid_data("infer: no text column `event`"))
            })
            .collect::<Result<Vec<_>>>()?;
        let columns = columns(&batches)?;
        let names = frequent(&events, MOST_DECLARATIONS / columns.len().max(1));
        let number: HashMap<&str, usize> = names
            .iter()
            .enumerate()
            .map(|(i, (n, _))| (*n, i))
            .collect();

        let mut declared: Vec<EventContract> = vec![EventContract::default(); names.len()];
        for (column, ty) in &columns {
            let mut seen = Seen::new(names.len());
            for (batch, events) in batches.iter().zip(&events) {
                if let Some(values) = batch.column_by_name(column) {
                    seen.add(values, events, &number);
                }
            }
            let ty = if *ty == PropertyType::String && seen.is_json() {
                PropertyType::Json
            } else {
                *ty
            };
            let pii = seen.pii(column, ty);
            for ((event, (_, rows)), stats) in declared.iter_mut().zip(&names).zip(&seen.by_event) {
                if stats.values == 0 {
                    continue;
                }
                let mut property = PropertyContract::new(ty);
                property.required = *rows >= REQUIRED_ROWS && stats.values == *rows;
                property.pii = pii;
                if ty == PropertyType::String && pii.is_none() {
                    property.allowed = stats.allowed();
                }
                event.properties.insert(column.as_str(), property);
            }
        }
        let mut contract = Contract::new(name, 1);
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        contract.description = Some(format!("Inferred from {rows} events."));
        for ((name, _), event) in names.iter().zip(declared) {
            contract.events.insert(*name, event);
        }
        contract.validate()?;
        Ok(contract)
    }
}

/// Brings text of every encoding (view, large, dictionary) into the plain one.
fn with_plain_text(batch: &RecordBatch) -> Result<RecordBatch> {
    let columns = batch.columns().iter().map(|column| {
        let encoded = match column.data_type() {
            DataType::Dictionary(_, value) => value.is_string(),
            ty => ty.is_string() && *ty != DataType::Utf8,
        };
        Ok(match encoded {
            true => cast(column, &DataType::Utf8)?,
            false => Arc::clone(column),
        })
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let fields = batch.schema_ref().fields().iter().zip(&columns);
    let fields: Vec<Field> = fields
        .map(|(f, c)| Field::new(f.name(), c.data_type().clone(), true))
        .collect();
    Ok(RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        columns,
    )?)
}

/// Lists the columns that can be properties, in the order in which they stand.
fn columns(batches: &[RecordBatch]) -> Result<Vec<(String, PropertyType)>> {
    let mut columns: Vec<(String, PropertyType)> = Vec::new();
    let mut types: HashMap<&str, PropertyType> = HashMap::new();
    // Columns that differ only in case cannot both be declared; the values of the later are kept in
    // `extra` when it is not.
    let mut folded = HashSet::new();
    for batch in batches {
        for field in batch.schema_ref().fields() {
            let name = field.name().as_str();
            if [EVENT_ID, ACTOR, EVENT, TIME, EXTRA].contains(&name) {
                continue;
            }
            let ty = property_type(field.data_type()).ok_or_else(|| {
                Error::invalid_data(format!(
                    "infer: column `{name}` has type {}, which no property has",
                    field.data_type()
                ))
            })?;
            match types.insert(name, ty) {
                Some(before) if before != ty => {
                    return Err(Error::invalid_data(format!(
                        "infer: column `{name}` is {} in one batch and {} in another",
                        before.name(),
                        ty.name()
                    )));
                }
                Some(_) => {}
                None => {
                    if property_name_fault(name).is_none()
                        && columns.len() < MAX_PROPERTIES
                        && folded.insert(name.to_lowercase())
                    {
                        columns.push((name.to_owned(), ty));
                    }
                }
            }
        }
    }
    Ok(columns)
}

fn property_type(ty: &DataType) -> Option<PropertyType> {
    Some(match ty {
        DataType::Utf8 => PropertyType::String,
        DataType::Int64 => PropertyType::Integer,
        DataType::Float64 => PropertyType::Number,
        DataType::Boolean => PropertyType::Boolean,
        DataType::Timestamp(TimeUnit::Microsecond, _) => PropertyType::Timestamp,
        DataType::Date32 => PropertyType::Date,
        _ => return None,
    })
}

/// Counts the rows of each event and keeps the most frequent, in the order of names.
fn frequent<'a>(events: &[&'a StringArray], most: usize) -> Vec<(&'a str, u64)> {
    let mut counts: HashMap<&str, u64> = HashMap::new();
    for name in events.iter().flat_map(|e| e.iter()).flatten() {
        *counts.entry(name).or_insert(0) += 1;
    }
    let mut names: Vec<(&str, u64)> = counts
        .into_iter()
        .filter(|(name, _)| !name.is_empty() && name.len() <= MAX_EVENT_NAME)
        .collect();
    names.sort_unstable_by(|(a, rows_a), (b, rows_b)| rows_b.cmp(rows_a).then(a.cmp(b)));
    names.truncate(most.clamp(1, MOST_EVENTS));
    names.sort_unstable_by_key(|(name, _)| *name);
    names
}

/// What was seen of one column.
struct Seen {
    by_event: Vec<Stats>,
    /// Values of all events: their number, and how many look like JSON or personal data.
    texts: u64,
    json: u64,
    emails: u64,
    ips: u64,
    phones: u64,
}

/// What was seen of one column in one event.
#[derive(Clone)]
struct Stats {
    values: u64,
    /// The distinct values while they can be an enumeration.
    distinct: Option<BTreeSet<String>>,
}

impl Seen {
    fn new(events: usize) -> Seen {
        let stats = Stats {
            values: 0,
            distinct: Some(BTreeSet::new()),
        };
        Seen {
            by_event: vec![stats; events],
            texts: 0,
            json: 0,
            emails: 0,
            ips: 0,
            phones: 0,
        }
    }

    fn add(&mut self, values: &ArrayRef, events: &StringArray, number: &HashMap<&str, usize>) {
        let texts = values.as_string_opt::<i32>();
        for row in (0..values.len()).filter(|row| values.is_valid(*row)) {
            // The look of values is that of the column, whatever the event.
            let text = texts.map(|t| t.value(row));
            if let Some(text) = text {
                self.look(text);
            }
            let Some(stats) = number
                .get(events.value(row))
                .and_then(|n| self.by_event.get_mut(*n))
            else {
                continue;
            };
            stats.values += 1;
            if let (Some(text), Some(distinct)) = (text, &mut stats.distinct)
                && !distinct.contains(text)
            {
                if distinct.len() == ENUM_VALUES || text.chars().nth(ENUM_CHARS).is_some() {
                    stats.distinct = None;
                } else {
                    distinct.insert(text.to_owned());
                }
            }
        }
    }

    fn look(&mut self, text: &str) {
        self.texts += 1;
        if text.starts_with(['{', '[']) {
            let value = serde_json::from_str::<serde::de::IgnoredAny>(text);
            self.json += u64::from(value.is_ok());
            return;
        }
        match pii::by_value(text) {
            Some(Pii::Email) => self.emails += 1,
            Some(Pii::Ip) => self.ips += 1,
            Some(Pii::Phone) => self.phones += 1,
            _ => {}
        }
    }

    fn is_json(&self) -> bool {
        self.texts > 0 && self.json == self.texts
    }

    /// Guesses personal data: from the name, else from the values when at least a fifth of them
    /// look like it.
    fn pii(&self, column: &str, ty: PropertyType) -> Option<Pii> {
        if let Some(pii) = pii::by_name(column, ty) {
            return Some(pii);
        }
        // Versions of four parts look like IP addresses.
        let version = column.to_lowercase().contains("version");
        let often = |count: u64| count > 0 && count * 5 >= self.texts;
        if often(self.emails) {
            Some(Pii::Email)
        } else if often(self.ips) && !version {
            Some(Pii::Ip)
        } else if often(self.phones) {
            Some(Pii::Phone)
        } else {
            None
        }
    }
}

impl Stats {
    fn allowed(&self) -> Option<Vec<Literal>> {
        let distinct = self.distinct.as_ref()?;
        let repeats = self.values >= ENUM_REPEATS * distinct.len() as u64;
        (self.values >= ENUM_ROWS && repeats)
            .then(|| distinct.iter().map(|v| Literal::from(v.as_str())).collect())
    }
}
