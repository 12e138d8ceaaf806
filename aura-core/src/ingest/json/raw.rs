//! JSON values as they stand in the source, and the values of strings.

use std::borrow::Cow;

/// A JSON value as it stands in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawValue<'a> {
    pub(crate) kind: Kind,
    /// The exact text, with the quotes of a string.
    pub(crate) text: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Boolean(bool),
    Number,
    /// A string whose text is its value.
    Plain,
    /// A string with escapes.
    Escaped,
    Array,
    Object,
}

impl Kind {
    /// Returns the kind in words, for messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Boolean(_) => "a boolean",
            Kind::Number => "a number",
            Kind::Plain | Kind::Escaped => "a string",
            Kind::Array => "an array",
            Kind::Object => "an object",
        }
    }
}

impl<'a> RawValue<'a> {
    /// Takes a text that is valid JSON, without space around it, for what it is.
    #[cfg(test)]
    pub(crate) fn of_valid(text: &'a str) -> Self {
        let kind = match text.as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') if memchr::memchr(b'\\', text.as_bytes()).is_some() => Kind::Escaped,
            Some(b'"') => Kind::Plain,
            Some(b't') => Kind::Boolean(true),
            Some(b'f') => Kind::Boolean(false),
            Some(b'n') | None => Kind::Null,
            Some(_) => Kind::Number,
        };
        RawValue { kind, text }
    }

    /// Returns the value of a string; of another value, its text.
    pub(crate) fn decoded(self) -> Cow<'a, str> {
        match self.kind {
            Kind::Plain => Cow::Borrowed(inside(self.text)),
            Kind::Escaped => {
                let mut value = String::with_capacity(self.text.len());
                unescape(inside(self.text), &mut value);
                Cow::Owned(value)
            }
            _ => Cow::Borrowed(self.text),
        }
    }
}

/// Returns a string's text without its quotes.
#[inline]
pub(super) fn inside(text: &str) -> &str {
    text.get(1..text.len().saturating_sub(1))
        .unwrap_or_default()
}

/// Reads `\uXXXX` at the beginning of `bytes`.
pub(super) fn unicode_escape(bytes: &[u8]) -> Option<u32> {
    let [b'\\', b'u', hex @ ..] = bytes.first_chunk::<6>()? else {
        return None;
    };
    hex.iter().try_fold(0, |code, &digit| {
        Some(code * 16 + char::from(digit).to_digit(16)?)
    })
}

/// Appends the value of a string that the scanner accepted, given without quotes.
pub(super) fn unescape(text: &str, value: &mut String) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        let (plain, escape) = rest.split_at(at);
        value.push_str(plain);
        let bytes = escape.as_bytes();
        let (decoded, len) = match bytes.get(1) {
            Some(b'b') => ('\u{8}', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(b'n') => ('\n', 2),
            Some(b'r') => ('\r', 2),
            Some(b't') => ('\t', 2),
            Some(b'u') => match (
                unicode_escape(bytes),
                bytes.get(6..).and_then(unicode_escape),
            ) {
                (Some(high @ 0xD800..=0xDBFF), Some(low @ 0xDC00..=0xDFFF)) => {
                    let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                    (char::from_u32(code).unwrap_or('\u{FFFD}'), 12)
                }
                (code, _) => (code.and_then(char::from_u32).unwrap_or('\u{FFFD}'), 6),
            },
            Some(&other) => (char::from(other), 2),
            None => ('\u{FFFD}', 1),
        };
        value.push(decoded);
        rest = escape.get(len..).unwrap_or_default();
    }
    value.push_str(rest);
}
