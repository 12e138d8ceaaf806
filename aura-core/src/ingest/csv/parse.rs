//! From the fields of a row to the columns of the batch.

use super::CsvHeader;
use super::row::{Field, Problem, Row, Rows, Shape};
use super::unquote;
use crate::event::{self, PropertyType};
use crate::ingest::block::{Block, Origin, ParsedBlock};
use crate::ingest::builder::{
    ACTOR, BatchBuilder, EVENT, EVENT_ID, FIRST_PROPERTY, Fault, TIME, json_text,
};
use crate::ingest::json::scan_value;
use crate::ingest::plan::ReadPlan;
use crate::ingest::value::{
    TimeError, parse_boolean, parse_date, parse_integer, parse_integral, parse_number, parse_time,
};
use crate::ingest::{Limits, RejectReason};

/// Parses the rows of a block. A row that cannot be accepted becomes a reject and does not touch the others.
///
/// * An empty field is null, unless it is quoted and its column is a string. A role that is null or empty
///   rejects the row, except for the event id.
/// * Space around a value that is not text is ignored. A value that does not have the type of its column is
///   a misfit and goes to `extra` as a string.
/// * `extra` holds the columns that the plan does not read, as strings, in the order of the header.
///
/// # Errors
/// None that the data can cause.
pub(crate) fn parse_csv(
    block: &Block,
    plan: &ReadPlan,
    header: &CsvHeader,
    limits: &Limits,
) -> crate::Result<ParsedBlock> {
    let bytes = &block.bytes[..];
    let mut builder = BatchBuilder::new(plan, bytes.len() / 64 + 1);
    for reject in &block.rejects {
        builder.reject(reject.clone());
    }
    let columns = columns_of(plan, header);
    let mut cells = Cells {
        plan,
        limits,
        builder,
    };
    let mut rows = Rows::new(bytes, header.delimiter, block.first_line, columns.len());
    // Usually the whole block is valid UTF-8; only if not, each row is looked at.
    let whole = std::str::from_utf8(bytes).ok();
    while let Some(row) = rows.next_row() {
        let text = match whole {
            Some(text) => Ok((text, 0)),
            None => text_of(bytes, row).map(|text| (text, row.start)),
        };
        let result = match text {
            Ok((text, base)) if row.problem.is_none() && row.fields == columns.len() => {
                cells.read_row(&columns, rows.fields(row.fields), text, base, row)
            }
            Ok(_) => Err(unreadable(row, columns.len(), block.first_line, bytes)),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = result {
            let original = bytes.get(row.start..row.end).unwrap_or_default();
            let reject = fault.into_reject(&block.source, row.line, original, limits);
            cells.builder.reject(reject);
        }
    }
    cells.builder.finish()
}

/// Where the fields of one column of the source go.
#[derive(Debug)]
struct Column<'a> {
    key: &'a str,
    /// The key as JSON text.
    json: String,
    target: Target,
    /// Further places that the same column fills.
    others: Vec<Target>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// One of the roles that are text.
    Text {
        column: usize,
    },
    Time,
    Property {
        column: usize,
        ty: PropertyType,
    },
    Extra,
}

fn columns_of<'a>(plan: &ReadPlan, header: &'a CsvHeader) -> Vec<Column<'a>> {
    let roles = [
        (plan.event_id.as_deref(), Target::Text { column: EVENT_ID }),
        (Some(plan.actor.as_str()), Target::Text { column: ACTOR }),
        (plan.event.as_deref(), Target::Text { column: EVENT }),
        (Some(plan.time.as_str()), Target::Time),
    ];
    let roles = roles
        .into_iter()
        .filter_map(|(key, target)| Some((key?, target)));
    let properties = plan.properties.iter().enumerate().map(|(i, property)| {
        let column = FIRST_PROPERTY + i;
        let ty = property.ty;
        (property.key.as_str(), Target::Property { column, ty })
    });
    let mut targets = hashbrown::HashMap::<&str, Vec<Target>>::new();
    for (key, target) in roles.chain(properties) {
        targets.entry(key).or_default().push(target);
    }
    let column = |key: &'a String| {
        let mut targets = targets.get(key.as_str()).cloned().unwrap_or_default();
        let target = match targets.is_empty() {
            true => Target::Extra,
            false => targets.remove(0),
        };
        Column {
            key,
            json: json_text(key),
            target,
            others: targets,
        }
    };
    header.names.iter().map(column).collect()
}

struct Cells<'a> {
    plan: &'a ReadPlan,
    limits: &'a Limits,
    builder: BatchBuilder,
}

/// What became of a value.
enum Kept {
    Yes,
    /// It belongs into `extra`.
    No,
}

impl Cells<'_> {
    /// Appends a row whose fields are as many as the columns.
    #[inline(always)]
    fn read_row(
        &mut self,
        columns: &[Column<'_>],
        fields: &[Field],
        text: &str,
        base: usize,
        row: Row,
    ) -> Result<(), Fault> {
        for (column, field) in columns.iter().zip(fields) {
            let raw = field.raw(text, base);
            // Null wherever it goes, except for the roles.
            let nothing = raw.is_empty() && field.shape == Shape::Plain;
            if field.shape == Shape::Doubled || !column.others.is_empty() {
                let value = unquote(raw, field.shape);
                self.fill_all(column, &value, nothing)?;
            } else if let Kept::No = self.fill(column, column.target, raw, nothing)? {
                self.builder.push_extra(&column.json, &json_text(raw));
            }
        }
        if let Some(name) = &self.plan.event_name {
            self.builder.append_text(EVENT, name);
        }
        let origin = Origin {
            row: row.line,
            start: row.start as u32,
            end: row.end as u32,
        };
        self.builder
            .end_row(origin)
            .map_err(|fault| self.explain(fault))
    }

    #[inline(never)]
    fn fill_all(&mut self, column: &Column<'_>, value: &str, nothing: bool) -> Result<(), Fault> {
        let mut kept = true;
        for target in [column.target].iter().chain(&column.others) {
            kept &= matches!(self.fill(column, *target, value, nothing)?, Kept::Yes);
        }
        if !kept {
            self.builder.push_extra(&column.json, &json_text(value));
        }
        Ok(())
    }

    #[inline(always)]
    fn fill(
        &mut self,
        column: &Column<'_>,
        target: Target,
        value: &str,
        nothing: bool,
    ) -> Result<Kept, Fault> {
        match target {
            Target::Text { column: role } => {
                if !value.is_empty() {
                    self.builder.append_text(role, value);
                } else if role != EVENT_ID {
                    return Err(missing(column.key, role));
                }
            }
            Target::Time => match self.time(value) {
                Ok(micros) => self.builder.append_time(TIME, micros),
                Err(e) => return Err(bad_time(column.key, e)),
            },
            _ if nothing => {}
            Target::Property { column, ty } => return Ok(self.fill_property(column, ty, value)),
            Target::Extra => return Ok(Kept::No),
        }
        Ok(Kept::Yes)
    }

    #[inline(always)]
    fn fill_property(&mut self, column: usize, ty: PropertyType, value: &str) -> Kept {
        if ty == PropertyType::String {
            self.builder.append_text(column, value);
            return Kept::Yes;
        }
        if self.fill_typed(column, ty, value) {
            return Kept::Yes;
        }
        self.misfit(column, ty, value)
    }

    #[inline(always)]
    fn fill_typed(&mut self, column: usize, ty: PropertyType, value: &str) -> bool {
        let bytes = value.as_bytes();
        match ty {
            PropertyType::Integer => parse_integral(bytes)
                .map(|v| self.builder.append_integer(column, v))
                .is_some(),
            PropertyType::Number => parse_number(bytes)
                .map(|v| self.builder.append_number(column, v))
                .is_some(),
            PropertyType::Boolean => parse_boolean(bytes)
                .map(|v| self.builder.append_boolean(column, v))
                .is_some(),
            PropertyType::Timestamp => self
                .time(value)
                .map(|v| self.builder.append_time(column, v))
                .is_ok(),
            PropertyType::Date => parse_date(value)
                .map(|v| self.builder.append_date(column, v))
                .is_some(),
            PropertyType::Json => {
                let valid = scan_value(value, self.limits).is_ok();
                if valid {
                    self.builder.append_text(column, value);
                }
                valid
            }
            PropertyType::String => false,
        }
    }

    /// A value that is not written as its type usually is: quoted and empty, with space around it, or wrong.
    #[cold]
    fn misfit(&mut self, column: usize, ty: PropertyType, value: &str) -> Kept {
        let trimmed = value.trim_ascii();
        if value.is_empty() || (trimmed.len() < value.len() && self.fill_typed(column, ty, trimmed))
        {
            return Kept::Yes;
        }
        self.builder.push_misfit(column, value);
        Kept::No
    }

    #[inline(always)]
    fn time(&self, value: &str) -> Result<i64, TimeError> {
        let unit = self.plan.time_unit;
        // Numbers are as usual in CSV as ISO 8601, and `parse_time` comes to them last.
        if let Some(micros) = parse_integer(value.as_bytes()).and_then(|n| unit.to_micros(n)) {
            return Ok(micros);
        }
        parse_time(value, self.plan.time_zone.as_ref(), unit)
    }

    /// Names a role that no column of the source fills.
    #[cold]
    fn explain(&self, fault: Fault) -> Fault {
        let key = match fault.field.as_deref() {
            Some(event::ACTOR) => &self.plan.actor,
            Some(event::EVENT) => match &self.plan.event {
                Some(key) => key,
                None => return fault,
            },
            Some(event::TIME) => &self.plan.time,
            _ => return fault,
        };
        let role = fault.field.as_deref().unwrap_or_default();
        Fault::new(
            RejectReason::MissingRole,
            format!("the source has no column `{key}`, which is its {role}"),
        )
        .with_field(key)
    }
}

#[cold]
fn missing(key: &str, role: usize) -> Fault {
    let role = match role {
        ACTOR => "actor",
        EVENT => "event",
        _ => "time",
    };
    let message = format!("`{key}`, the {role} of the row, is empty");
    Fault::new(RejectReason::MissingRole, message).with_field(key)
}

#[cold]
fn bad_time(key: &str, error: TimeError) -> Fault {
    if error == TimeError::Empty {
        return missing(key, TIME);
    }
    let message = format!("`{key}`, the time of the row, cannot be read: {error}");
    Fault::new(RejectReason::InvalidTime, message).with_field(key)
}

fn text_of(bytes: &[u8], row: Row) -> Result<&str, Fault> {
    let row = bytes.get(row.start..row.end).unwrap_or_default();
    std::str::from_utf8(row).map_err(|e| {
        let at = e.valid_up_to();
        let found = row.get(at).copied().unwrap_or_default();
        Fault::new(
            RejectReason::Encoding,
            format!(
                "not valid UTF-8: byte 0x{found:02X} at byte {} of the row",
                at + 1
            ),
        )
    })
}

#[cold]
fn unreadable(row: Row, columns: usize, first_line: u64, bytes: &[u8]) -> Fault {
    let at = |position: usize| position - row.start + 1;
    let message = match row.problem {
        None => {
            let message = format!(
                "the row has {} fields; {columns} were expected, as in the header",
                row.fields
            );
            return Fault::new(RejectReason::ColumnCount, message);
        }
        Some(Problem::Nul(position)) => format!("byte 0x00 at byte {} of the row", at(position)),
        Some(Problem::AfterQuote(position)) => format!(
            "text follows the closing quote before byte {} of the row; a delimiter or the end of the row was expected, and a quote within a quoted field is written twice",
            at(position)
        ),
        Some(Problem::Unclosed(position)) => {
            let before = bytes.get(..position).unwrap_or_default();
            let line = first_line + memchr::memchr_iter(b'\n', before).count() as u64;
            format!("the quote opened at line {line} is never closed")
        }
    };
    Fault::new(RejectReason::Malformed, message)
}
