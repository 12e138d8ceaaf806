//! A commit object as git stores it, read leniently: history holds dates and names that git itself would
//! not write today, and one odd line must not hide the rest.

use gix::ObjectId;

/// The parts of a commit object that events need.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Commit<'a> {
    pub(super) tree: Option<ObjectId>,
    pub(super) parents: Vec<ObjectId>,
    pub(super) author: Option<Identity<'a>>,
    pub(super) committer: Option<Identity<'a>>,
    pub(super) message: &'a [u8],
}

/// An `author` or `committer` line.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity<'a> {
    pub(super) name: &'a [u8],
    pub(super) email: &'a [u8],
    /// The text after the address.
    pub(super) date: &'a [u8],
}

/// The date of an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) time_us: i64,
    /// East of UTC; `None` when the zone is missing or not a zone.
    pub(super) offset_minutes: Option<i64>,
}

/// Reads a commit object. Nothing is an error here: what cannot be read is absent.
pub(super) fn parse(data: &[u8]) -> Commit<'_> {
    let mut commit = Commit::default();
    let mut rest = data;
    loop {
        let (line, after) = match memchr::memchr(b'\n', rest) {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => (rest, &rest[rest.len()..]),
        };
        if line.is_empty() {
            commit.message = after;
            return commit;
        }
        if let Some(hex) = line.strip_prefix(b"tree ") {
            commit.tree = commit.tree.or_else(|| ObjectId::from_hex(hex).ok());
        } else if let Some(hex) = line.strip_prefix(b"parent ") {
            commit.parents.extend(ObjectId::from_hex(hex).ok());
        } else if let Some(text) = line.strip_prefix(b"author ") {
            commit.author.get_or_insert_with(|| identity(text));
        } else if let Some(text) = line.strip_prefix(b"committer ") {
            commit.committer.get_or_insert_with(|| identity(text));
        }
        rest = after;
    }
}

/// Splits `name <address> date`. As in git, the address is between the first `<` and the `>` after it, and the
/// date is what follows the last `>`.
fn identity(text: &[u8]) -> Identity<'_> {
    let Some(open) = memchr::memchr(b'<', text) else {
        return Identity {
            name: text.trim_ascii(),
            ..Identity::default()
        };
    };
    let after = &text[open + 1..];
    let close = memchr::memchr(b'>', after).unwrap_or(after.len());
    let date = memchr::memrchr(b'>', text).map_or(&text[text.len()..], |at| &text[at + 1..]);
    Identity {
        name: text[..open].trim_ascii(),
        email: after[..close].trim_ascii(),
        date: date.trim_ascii(),
    }
}

impl Identity<'_> {
    /// Reads `seconds ±hhmm`. `None` when the seconds are no number or outside the years -9999 to 9999.
    pub(super) fn moment(&self) -> Option<Moment> {
        let text = std::str::from_utf8(self.date).ok()?;
        let mut parts = text.split_ascii_whitespace();
        let seconds: i64 = parts.next()?.parse().ok()?;
        let time_us = jiff::Timestamp::from_second(seconds).ok()?.as_microsecond();
        Some(Moment {
            time_us,
            offset_minutes: parts.next().and_then(offset_minutes),
        })
    }

    /// Returns the seconds by which git orders: 0 where the date cannot be read.
    pub(super) fn order_us(&self) -> i64 {
        self.moment().map_or(0, |m| m.time_us)
    }
}

/// Reads `+0530` as 330. 26 hours or more are no zone.
fn offset_minutes(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes() {
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    if digits.len() != 4 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits.iter().fold(0, |n, d| n * 10 + i64::from(d - b'0'));
    let minutes = number / 100 * 60 + number % 100;
    (number % 100 < 60 && minutes < 26 * 60).then_some(sign * minutes)
}
