//! Patterns of events: `(?1).*(?2)(?t<=3600)(?3)`.

use crate::{Error, Result};

/// Most events of a pattern.
const MAX_ITEMS: usize = 256;

/// What may lie between an event of a pattern and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gap {
    /// Whether other events may lie between.
    pub(crate) any: bool,
    /// Least and greatest time from the event before, in microseconds, both included.
    pub(crate) least_us: i64,
    pub(crate) most_us: i64,
}

impl Gap {
    pub(crate) const NEXT: Gap = Gap {
        any: false,
        least_us: 0,
        most_us: i64::MAX,
    };
}

/// One event of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Item {
    /// The condition from 0 that it meets; `None` is any event.
    pub(crate) condition: Option<usize>,
    /// From the event before; of no meaning at the first.
    pub(crate) gap: Gap,
}

struct Reader<'a> {
    function: &'a str,
    text: &'a str,
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn take(&mut self, start: &str) -> bool {
        match self.rest.strip_prefix(start) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn position(&self) -> usize {
        let read = self.text.len() - self.rest.len();
        self.text.get(..read).map_or(0, |t| t.chars().count()) + 1
    }

    fn wrong(&self, why: &str) -> Error {
        Error::invalid_spec(format!(
            "{}: the pattern, character {}: {why}",
            self.function,
            self.position()
        ))
    }

    fn number(&mut self) -> Result<u64> {
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self
            .rest
            .split_at_checked(digits)
            .unwrap_or(("", self.rest));
        if digits.is_empty() {
            return Err(self.wrong("a whole number is expected"));
        }
        let number = digits
            .parse()
            .map_err(|_| self.wrong("the number is too large"))?;
        self.rest = rest;
        Ok(number)
    }

    fn close(&mut self) -> Result<()> {
        match self.take(")") {
            true => Ok(()),
            false => Err(self.wrong("`)` is expected")),
        }
    }
}

/// Reads a pattern over `conditions` conditions.
///
/// # Errors
/// `InvalidSpec` with the position, in characters from 1.
pub(crate) fn parse(function: &str, text: &str, conditions: usize) -> Result<Vec<Item>> {
    let mut reader = Reader {
        function,
        text,
        rest: text,
    };
    let mut items: Vec<Item> = Vec::new();
    let mut gap = Gap::NEXT;
    while !reader.rest.is_empty() {
        let before = reader.position();
        if reader.take("(?t") {
            if items.is_empty() {
                return Err(reader.wrong(
                    "a condition on time stands between two events; there is none before it",
                ));
            }
            let (least, most) = time(&mut reader)?;
            reader.close()?;
            gap = Gap {
                any: true,
                least_us: gap.least_us.max(least),
                most_us: gap.most_us.min(most),
            };
            continue;
        }
        let condition = if reader.take("(?") {
            let number = reader.number()?;
            if number == 0 || number > conditions as u64 {
                return Err(reader.wrong(&format!(
                    "there is no condition {number}; there are {conditions}, from 1"
                )));
            }
            reader.close()?;
            Some(number as usize - 1)
        } else if reader.take(".*") {
            gap.any = true;
            continue;
        } else if reader.take(".") {
            None
        } else {
            let found: String = reader.rest.chars().take(1).collect();
            return Err(reader.wrong(&format!(
                "found `{found}`; (?1), (?t<=60), `.` or `.*` is expected"
            )));
        };
        if items.len() == MAX_ITEMS {
            return Err(Error::invalid_spec(format!(
                "{function}: the pattern, character {before}: more than {MAX_ITEMS} events"
            )));
        }
        items.push(Item { condition, gap });
        gap = Gap::NEXT;
    }
    if items.is_empty() {
        return Err(reader.wrong("the pattern names no event"));
    }
    if gap.least_us > 0 || gap.most_us < i64::MAX {
        return Err(
            reader.wrong("a condition on time stands between two events; there is none after it")
        );
    }
    Ok(items)
}

/// Reads an operator and whole seconds; returns the least and the greatest time in microseconds.
fn time(reader: &mut Reader<'_>) -> Result<(i64, i64)> {
    let operators = ["<=", "<", ">=", ">", "=="];
    let Some(operator) = operators.into_iter().find(|o| reader.take(o)) else {
        return Err(reader.wrong("one of <=, <, >=, >, == is expected"));
    };
    let seconds = reader.number()?;
    let us = i64::try_from(seconds)
        .ok()
        .and_then(|s| s.checked_mul(1_000_000))
        .ok_or_else(|| reader.wrong("the time is too long"))?;
    Ok(match operator {
        "<=" => (0, us),
        "<" => (0, us - 1),
        ">=" => (us, i64::MAX),
        ">" => (us.saturating_add(1), i64::MAX),
        _ => (us, us),
    })
}
