//! Finds the columns and types of a source that states none, from its first rows.

use hashbrown::HashMap;

use super::Limits;
use super::json::{Kind, RawValue, split_object};
use super::value::{parse_boolean, parse_date, parse_integer, parse_number, parse_rfc3339};
use crate::event::PropertyType;

/// Lists the keys of the objects in `sample` (whole rows of NDJSON), in the order of their first appearance, with
/// the narrowest type that fits every value but null.
///
/// Integers with other numbers are numbers; strings are timestamps if all are RFC 3339 with a zone, and dates
/// if all are calendar days; what mixes kinds or nests is json. A number that 64 bits cannot hold does not
/// change the type of a column in which at least as many numbers fit (it goes to `extra`); else the column is json. Keys
/// that are only ever null are left out, and so are those beyond `Limits::max_columns`: they go to `extra`.
/// Rows that are not valid are passed over.
pub(crate) fn infer_objects(sample: &[u8], limits: &Limits) -> Vec<(String, PropertyType)> {
    let mut columns = Columns::default();
    let rows = sample
        .split(|&b| b == b'\n')
        .filter(|row| !row.trim_ascii().is_empty());
    for (i, row) in rows.take(limits.sample_rows).enumerate() {
        let row = match row.strip_prefix(b"\xEF\xBB\xBF") {
            Some(rest) if i == 0 => rest,
            _ => row,
        };
        if let Ok(text) = std::str::from_utf8(row)
            && let Ok(members) = split_object(text, limits)
        {
            for (key, value) in members {
                columns.add(&key, shape_of(value), limits.max_columns);
            }
        }
    }
    columns.types()
}

/// Lists the columns of `header` with the narrowest type that fits every field of `rows` that is not
/// empty. A column without any value is a string.
///
/// Integers with a leading zero or `+` are text, because a number would not give them back, and so is a column in
/// which more numbers exceed 64 bits than fit; `true` and `false` are booleans. Fields beyond the header are passed over.
pub(crate) fn infer_texts<R, F>(
    header: &[String],
    rows: impl IntoIterator<Item = R>,
) -> Vec<(String, PropertyType)>
where
    R: IntoIterator<Item = F>,
    F: AsRef<str>,
{
    let mut shapes = vec![Shapes::default(); header.len()];
    for row in rows {
        for (shapes, field) in shapes.iter_mut().zip(row) {
            let field = field.as_ref();
            if !field.is_empty() {
                shapes.add(shape_of_text(field));
            }
        }
    }
    header
        .iter()
        .zip(shapes)
        .map(|(name, shapes)| (name.clone(), shapes.text_type()))
        .collect()
}

/// The narrowest kind of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Null = 0,
    Boolean = 1,
    Integer = 2,
    Number = 4,
    Timestamp = 8,
    Date = 16,
    Text = 32,
    Json = 64,
    /// A number that neither an integer nor a float of 64 bits holds.
    Huge = 128,
}

/// The shapes seen in a column.
#[derive(Debug, Clone, Copy, Default)]
struct Shapes {
    /// One bit for each shape.
    seen: u8,
    /// How many numbers fit 64 bits, and how many do not.
    fitting: u32,
    huge: u32,
}

impl Shapes {
    fn add(&mut self, shape: Shape) {
        self.seen |= shape as u8;
        match shape {
            Shape::Integer | Shape::Number => self.fitting = self.fitting.saturating_add(1),
            Shape::Huge => self.huge = self.huge.saturating_add(1),
            _ => {}
        }
    }

    /// Whether all values are of `shapes`, but for huge numbers where they are the exception.
    fn within(self, shapes: &[Shape]) -> bool {
        let exception = match self.fitting > 0 && self.huge <= self.fitting {
            true => Shape::Huge as u8,
            false => 0,
        };
        self.seen & !shapes.iter().fold(exception, |all, &s| all | s as u8) == 0
    }

    /// Returns the type that fits all values, if they are of kinds that have one in common.
    fn common_type(self) -> Option<PropertyType> {
        use Shape::*;
        Some(if self.within(&[Boolean]) {
            PropertyType::Boolean
        } else if self.within(&[Integer]) {
            PropertyType::Integer
        } else if self.within(&[Integer, Number]) {
            PropertyType::Number
        } else if self.within(&[Timestamp]) {
            PropertyType::Timestamp
        } else if self.within(&[Date]) {
            PropertyType::Date
        } else if self.within(&[Timestamp, Date, Text]) {
            PropertyType::String
        } else {
            return None;
        })
    }

    fn text_type(self) -> PropertyType {
        match self.seen {
            0 => PropertyType::String,
            _ => self.common_type().unwrap_or(PropertyType::String),
        }
    }
}

fn shape_of(value: RawValue<'_>) -> Shape {
    match value.kind {
        Kind::Null => Shape::Null,
        Kind::Boolean(_) => Shape::Boolean,
        Kind::Number => shape_of_number(value.text).unwrap_or(Shape::Huge),
        Kind::Plain | Kind::Escaped => shape_of_string(&value.decoded()),
        Kind::Array | Kind::Object => Shape::Json,
    }
}

fn shape_of_number(text: &str) -> Option<Shape> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if parse_integer(text.as_bytes()).is_some() {
        Some(Shape::Integer)
    } else if digits.len() > 18
        && digits.bytes().all(|b| b.is_ascii_digit())
        && !digits.starts_with('0')
    {
        Some(Shape::Huge)
    } else {
        parse_number(text.as_bytes()).map(|_| Shape::Number)
    }
}

fn shape_of_string(text: &str) -> Shape {
    if parse_rfc3339(text.as_bytes()).is_some() {
        Shape::Timestamp
    } else if parse_date(text).is_some() {
        Shape::Date
    } else {
        Shape::Text
    }
}

fn shape_of_text(text: &str) -> Shape {
    if let Some(number) = shape_of_number(text) {
        number
    } else if parse_boolean(text.as_bytes()).is_some() {
        Shape::Boolean
    } else {
        shape_of_string(text)
    }
}

/// Columns in the order of their first value.
#[derive(Debug, Default)]
struct Columns {
    index: HashMap<String, usize>,
    columns: Vec<(String, Shapes)>,
}

impl Columns {
    fn add(&mut self, name: &str, shape: Shape, max_columns: usize) {
        if let Some(&i) = self.index.get(name) {
            if let Some((_, shapes)) = self.columns.get_mut(i) {
                shapes.add(shape);
            }
        } else if self.columns.len() < max_columns {
            let mut shapes = Shapes::default();
            shapes.add(shape);
            self.index.insert(name.to_owned(), self.columns.len());
            self.columns.push((name.to_owned(), shapes));
        }
    }

    fn types(self) -> Vec<(String, PropertyType)> {
        self.columns
            .into_iter()
            .filter(|(_, shapes)| shapes.seen != 0)
            .map(|(name, shapes)| (name, shapes.common_type().unwrap_or(PropertyType::Json)))
            .collect()
    }
}

#[cfg(test)]
mod tests;
