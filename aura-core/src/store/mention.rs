//! Whether a rejected row mentions an actor, whose erasure then takes the row too.

#[cfg(test)]
mod tests;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;

/// An actor to be looked for in the originals of rejected rows.
///
/// A rejected row could not be read, so nobody knows which part of it is the actor. The actor is
/// looked for as a whole word: `u1` is in `u1,view` and in `{"actor":"u1"}`, and not in `u10`,
/// `menu1`, `u1-2` or `u1@example.com`. Letters, digits and `_` make a word, and `-`, `.` and `@`
/// between two of them join. JSON's escapes and the doubled quotes of CSV are understood.
pub(crate) struct Mention {
    /// The actor as it is, and as CSV would quote it.
    forms: Vec<String>,
}

impl Mention {
    pub(crate) fn of(actor: &str) -> Self {
        let mut forms = vec![actor.to_owned()];
        if actor.contains('"') {
            forms.push(actor.replace('"', "\"\""));
        }
        Mention { forms }
    }

    /// Returns which rows of the quarantine mention the actor. The message, which may quote a value,
    /// is asked only where the original is not whole: it has words of our own, too.
    pub(crate) fn rows(&self, batch: &RecordBatch) -> Vec<bool> {
        let text = |name: &str| {
            batch
                .column_by_name(name)
                .and_then(|c| c.as_string_opt::<i32>())
        };
        let (originals, messages) = (text("original"), text("message"));
        let lengths = batch
            .column_by_name("original_len")
            .and_then(|c| c.as_primitive_opt::<Int64Type>());
        (0..batch.num_rows())
            .map(|row| {
                let original = originals.filter(|o| o.is_valid(row)).map(|o| o.value(row));
                let kept = original.map_or(0, kept_bytes);
                let whole = lengths.is_some_and(|l| l.is_valid(row) && l.value(row) <= kept);
                let message = messages
                    .filter(|m| !whole && m.is_valid(row))
                    .map(|m| m.value(row));
                original.is_some_and(|o| self.in_original(o))
                    || message.is_some_and(|m| self.in_text(m))
            })
            .collect()
    }

    fn in_original(&self, original: &str) -> bool {
        if self.in_text(original) {
            return true;
        }
        let Some(bytes) = original.strip_prefix("base16:").and_then(bytes_of) else {
            return false;
        };
        // As UTF-8 with faults, and as Latin-1; without zeros and the mark at the beginning that is
        // also the latter in UTF-16.
        let unmarked = [b"\xff\xfe", b"\xfe\xff"]
            .iter()
            .find_map(|mark| bytes.strip_prefix(*mark));
        let latin: String = unmarked
            .unwrap_or(&bytes)
            .iter()
            .filter(|b| **b != 0)
            .map(|b| char::from(*b))
            .collect();
        self.in_text(&String::from_utf8_lossy(&bytes)) || self.in_text(&latin)
    }

    fn in_text(&self, text: &str) -> bool {
        let has = |text: &str| self.forms.iter().any(|form| has_word(text, form));
        has(text) || (text.contains('\\') && has(&unescaped(text)))
    }
}

/// How many bytes of the row an original has.
fn kept_bytes(original: &str) -> i64 {
    let bytes = match original.strip_prefix("base16:") {
        Some(digits) if bytes_of(digits).is_some() => digits.len() / 2,
        _ => original.len(),
    };
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn bytes_of(digits: &str) -> Option<Vec<u8>> {
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether a word goes on with the characters that follow it (or, backwards, precede it).
fn goes_on(mut beyond: impl Iterator<Item = char>) -> bool {
    match beyond.next() {
        Some(c) if is_word(c) => true,
        Some('-' | '.' | '@') => beyond.next().is_some_and(is_word),
        _ => false,
    }
}

/// Returns whether `text` has `word` so that it does not go on on either side. Where `word` itself
/// ends with another character than those of a word, it ends there.
fn has_word(text: &str, word: &str) -> bool {
    let first = word.chars().next().is_some_and(is_word);
    let last = word.chars().next_back().is_some_and(is_word);
    let mut rest = text;
    let mut start = 0;
    while let Some(at) = rest.find(word) {
        let begin = start + at;
        let (before, after) = (text.get(..begin), text.get(begin + word.len()..));
        let joined = (first && goes_on(before.unwrap_or_default().chars().rev()))
            || (last && goes_on(after.unwrap_or_default().chars()));
        if !joined {
            return true;
        }
        // Occurrences may overlap.
        start = begin + word.chars().next().map_or(1, char::len_utf8);
        rest = text.get(start..).unwrap_or_default();
    }
    false
}

/// Resolves JSON's escapes wherever they stand: the text may be broken.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut high: Option<u32> = None;
    while let Some(at) = rest.find('\\') {
        let (plain, escape) = rest.split_at(at);
        if !plain.is_empty() {
            high = None;
        }
        out.push_str(plain);
        let code = escape
            .strip_prefix("\\u")
            .and_then(|e| u32::from_str_radix(e.get(..4)?, 16).ok());
        if let Some(code) = code {
            let pair = high
                .filter(|_| (0xdc00..0xe000).contains(&code))
                .and_then(|high| {
                    char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (code - 0xdc00))
                });
            high = (0xd800..0xdc00).contains(&code).then_some(code);
            if let Some(c) = pair.or(char::from_u32(code)) {
                out.push(c);
            }
            rest = escape.get(6..).unwrap_or_default();
            continue;
        }
        high = None;
        let mut chars = escape.chars().skip(1);
        match chars.next() {
            Some('n' | 'r' | 't' | 'b' | 'f') => out.push(' '),
            Some(c) => out.push(c),
            None => {}
        }
        rest = escape
            .get(1..)
            .map(|r| {
                r.get(r.chars().next().map_or(0, char::len_utf8)..)
                    .unwrap_or_default()
            })
            .unwrap_or_default();
    }
    out.push_str(rest);
    out
}
