//! A strict scanner of JSON text (RFC 8259). It finds where values end and proves that they are valid,
//! and leaves decoding to whoever wants the value.
//!
//! It does not recurse: depth costs a few bytes of a vector, up to the limit.

use std::borrow::Cow;

use crate::ingest::builder::Fault;
use crate::ingest::value::cut;
use crate::ingest::{Limits, RejectReason};

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

/// What is wrong, and at which byte of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Problem {
    what: What,
    at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Expected(&'static str),
    Control,
    Escape,
    Surrogate,
    TooDeep,
    /// The key that is there twice, from `at` to here, without quotes.
    Duplicate {
        end: usize,
    },
}

impl Problem {
    #[cold]
    pub(super) fn expected(what: &'static str, at: usize) -> Self {
        Problem {
            what: What::Expected(what),
            at,
        }
    }

    #[cold]
    pub(super) fn duplicate(name: Name) -> Self {
        Problem {
            what: What::Duplicate {
                end: name.end as usize,
            },
            at: name.start as usize,
        }
    }

    /// Says it in words; `text` is the text that was scanned.
    #[cold]
    pub(super) fn into_fault(self, text: &str, limits: &Limits) -> Fault {
        let at = self.at;
        let found = match text.get(at..).and_then(|rest| rest.chars().next()) {
            Some(c) if c.is_control() => format!("the control character U+{:04X}", u32::from(c)),
            Some(c) => format!("`{c}`"),
            None => "the end".to_owned(),
        };
        let byte = at + 1;
        match self.what {
            What::Expected(what) => Fault::new(
                RejectReason::Malformed,
                format!("not valid JSON: expected {what}, found {found} at byte {byte} of the row"),
            ),
            What::Control => Fault::new(
                RejectReason::Malformed,
                format!(
                    "not valid JSON: {found} at byte {byte} of the row must be escaped in a string"
                ),
            ),
            What::Escape => Fault::new(
                RejectReason::Malformed,
                format!("not valid JSON: unknown escape in a string at byte {byte} of the row"),
            ),
            What::Surrogate => Fault::new(
                RejectReason::Malformed,
                format!(
                    "lone surrogate `{}` at byte {byte} of the row: half of a character is no text",
                    text.get(at..at + 6).unwrap_or_default()
                ),
            ),
            What::TooDeep => Fault::new(
                RejectReason::TooDeep,
                format!(
                    "nested deeper than {} at byte {byte} of the row; the limit is `max_json_depth`",
                    limits.max_json_depth
                ),
            ),
            What::Duplicate { end } => {
                let mut name = String::new();
                unescape(text.get(at..end).unwrap_or_default(), &mut name);
                Fault::new(
                    RejectReason::DuplicateKey,
                    format!("key `{}` is there twice in one object", cut(&name)),
                )
                .with_field(&name)
            }
        }
    }
}

/// The place of a key in the text, without quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) escaped: bool,
}

impl Name {
    pub(super) fn raw(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }

    pub(super) fn decoded(self, text: &str) -> Cow<'_, str> {
        let raw = self.raw(text);
        if !self.escaped {
            return Cow::Borrowed(raw);
        }
        let mut name = String::with_capacity(raw.len());
        unescape(raw, &mut name);
        Cow::Owned(name)
    }
}

/// The open arrays and objects, and the keys of the open objects; kept between rows for its memory.
#[derive(Debug, Default)]
pub(super) struct Nest {
    frames: Vec<Frame>,
    names: Vec<Name>,
}

#[derive(Debug)]
struct Frame {
    object: bool,
    /// Keys must be compared at the end, because they have escapes or are many.
    sort: bool,
    /// A bit for each key seen; two keys may share one, but equal keys always do.
    seen: u64,
    first_name: usize,
}

/// Objects with more keys are checked by sorting.
const FEW_NAMES: usize = 32;

impl Nest {
    /// Forgets everything and opens the object that is the row.
    #[inline]
    pub(super) fn restart(&mut self) {
        self.frames.clear();
        self.names.clear();
        self.open(true);
    }

    #[inline]
    fn open(&mut self, object: bool) {
        self.frames.push(Frame {
            object,
            sort: false,
            seen: 0,
            first_name: self.names.len(),
        });
    }

    /// Notes a key of the innermost object.
    #[inline]
    pub(super) fn insert(&mut self, name: Name, text: &str) -> Result<(), Problem> {
        let Some(frame) = self.frames.last_mut() else {
            return Ok(());
        };
        let raw = name.raw(text).as_bytes();
        let (first, last) = (raw.first(), raw.last());
        let mix = raw.len() as u32 * 7
            + u32::from(first.copied().unwrap_or(0)) * 13
            + u32::from(last.copied().unwrap_or(0));
        let bit = 1_u64 << (mix % 64);
        frame.sort |= name.escaped;
        if frame.seen & bit != 0 && !frame.sort {
            let others = self.names.get(frame.first_name..).unwrap_or_default();
            if others.len() > FEW_NAMES {
                frame.sort = true;
            } else if others.iter().any(|o| o.raw(text).as_bytes() == raw) {
                return Err(Problem::duplicate(name));
            }
        }
        frame.seen |= bit;
        self.names.push(name);
        Ok(())
    }

    /// Closes the innermost array or object.
    #[inline]
    pub(super) fn close(&mut self, text: &str) -> Result<(), Problem> {
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        if frame.sort {
            self.check_all(frame.first_name, text)?;
        }
        self.names.truncate(frame.first_name);
        Ok(())
    }

    #[cold]
    fn check_all(&mut self, first: usize, text: &str) -> Result<(), Problem> {
        let names = self.names.get_mut(first..).unwrap_or_default();
        if names.iter().any(|n| n.escaped) {
            let mut decoded: Vec<_> = names.iter().map(|n| (n.decoded(text), *n)).collect();
            decoded.sort_unstable_by(|a, b| (&a.0, a.1.start).cmp(&(&b.0, b.1.start)));
            match decoded.array_windows().find(|[a, b]| a.0 == b.0) {
                Some([_, twice]) => Err(Problem::duplicate(twice.1)),
                None => Ok(()),
            }
        } else {
            names.sort_unstable_by_key(|n| (n.raw(text), n.start));
            match names
                .array_windows()
                .find(|[a, b]| a.raw(text) == b.raw(text))
            {
                Some([_, twice]) => Err(Problem::duplicate(*twice)),
                None => Ok(()),
            }
        }
    }
}

/// Reads one text from `at` on.
pub(super) struct Scanner<'a, 'n> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) max_depth: usize,
    pub(super) nest: &'n mut Nest,
}

impl<'a, 'n> Scanner<'a, 'n> {
    pub(super) fn new(text: &'a str, limits: &Limits, nest: &'n mut Nest) -> Self {
        Scanner {
            text,
            at: 0,
            max_depth: limits.max_json_depth,
            nest,
        }
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    pub(super) fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Reads a key, the colon and the space around it.
    #[inline]
    pub(super) fn name(&mut self) -> Result<Name, Problem> {
        if self.peek() != Some(b'"') {
            return Err(Problem::expected("a key in quotes", self.at));
        }
        self.at += 1;
        let start = self.at as u32;
        let escaped = self.string()?;
        let end = (self.at - 1) as u32;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(Problem::expected("`:` after a key", self.at));
        }
        self.at += 1;
        self.skip_space();
        Ok(Name {
            start,
            end,
            escaped,
        })
    }

    /// Reads a value and stops behind it.
    #[inline]
    pub(super) fn value(&mut self) -> Result<RawValue<'a>, Problem> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => {
                self.nested()?;
                Kind::Object
            }
            Some(b'[') => {
                self.nested()?;
                Kind::Array
            }
            Some(b) => self.scalar(b)?,
            None => return Err(Problem::expected("a value", self.at)),
        };
        // Values begin and end with an ASCII character.
        let text = self.text.get(start..self.at).unwrap_or_default();
        Ok(RawValue { kind, text })
    }

    #[inline]
    fn scalar(&mut self, first: u8) -> Result<Kind, Problem> {
        match first {
            b'"' => {
                self.at += 1;
                match self.string()? {
                    true => Ok(Kind::Escaped),
                    false => Ok(Kind::Plain),
                }
            }
            b'-' | b'0'..=b'9' => {
                self.number()?;
                Ok(Kind::Number)
            }
            b'n' => self.literal("null", Kind::Null),
            b't' => self.literal("true", Kind::Boolean(true)),
            b'f' => self.literal("false", Kind::Boolean(false)),
            _ => Err(Problem::expected("a value", self.at)),
        }
    }

    #[inline]
    fn literal(&mut self, word: &'static str, kind: Kind) -> Result<Kind, Problem> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(kind)
        } else {
            Err(Problem::expected(
                "`null`, `true`, `false` or another value",
                self.at,
            ))
        }
    }

    #[inline]
    fn number(&mut self) -> Result<(), Problem> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => {
                self.at += 1;
                if let Some(b'0'..=b'9') = self.peek() {
                    return Err(Problem::expected("no digit after a leading zero", self.at));
                }
            }
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    #[inline]
    fn digits(&mut self) -> Result<(), Problem> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start {
            return Err(Problem::expected("a digit", self.at));
        }
        Ok(())
    }

    /// Reads the rest of a string, up to and with the closing quote; returns whether it has escapes.
    #[inline]
    fn string(&mut self) -> Result<bool, Problem> {
        let bytes = self.text.as_bytes();
        let mut escaped = false;
        loop {
            self.at = plain_end(bytes, self.at);
            match bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => {
                    return Err(Problem {
                        what: What::Control,
                        at: self.at,
                    });
                }
                None => {
                    return Err(Problem::expected("the closing `\"` of a string", self.at));
                }
            }
        }
    }

    /// Reads one escape, or the two of a character beyond the basic plane.
    fn escape(&mut self) -> Result<(), Problem> {
        let at = self.at;
        let rest = self.text.as_bytes().get(at..).unwrap_or_default();
        let problem = |what| Err(Problem { what, at });
        match rest.get(1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                Ok(())
            }
            Some(b'u') => match unicode_escape(rest) {
                None => problem(What::Escape),
                Some(0xD800..=0xDBFF) => match rest.get(6..).and_then(unicode_escape) {
                    Some(0xDC00..=0xDFFF) => {
                        self.at += 12;
                        Ok(())
                    }
                    _ => problem(What::Surrogate),
                },
                Some(0xDC00..=0xDFFF) => problem(What::Surrogate),
                Some(_) => {
                    self.at += 6;
                    Ok(())
                }
            },
            _ => problem(What::Escape),
        }
    }

    /// Reads an array or object with all that is in it.
    fn nested(&mut self) -> Result<(), Problem> {
        let outside = self.nest.frames.len();
        'value: loop {
            match self.peek() {
                Some(open @ (b'{' | b'[')) => {
                    if self.nest.frames.len() >= self.max_depth {
                        return Err(Problem {
                            what: What::TooDeep,
                            at: self.at,
                        });
                    }
                    self.at += 1;
                    self.nest.open(open == b'{');
                    self.skip_space();
                    match (open, self.peek()) {
                        // Closed below.
                        (b'{', Some(b'}')) | (b'[', Some(b']')) => {}
                        (b'{', _) => {
                            let name = self.name()?;
                            self.nest.insert(name, self.text)?;
                            continue 'value;
                        }
                        _ => continue 'value,
                    }
                }
                Some(first) => {
                    self.scalar(first)?;
                }
                None => return Err(Problem::expected("a value", self.at)),
            }
            // Behind a value: close what ends here.
            loop {
                let Some(object) = self.nest.frames.last().map(|f| f.object) else {
                    return Ok(());
                };
                self.skip_space();
                match (self.peek(), object) {
                    (Some(b'}'), true) | (Some(b']'), false) => {
                        self.at += 1;
                        self.nest.close(self.text)?;
                        if self.nest.frames.len() == outside {
                            return Ok(());
                        }
                    }
                    (Some(b','), true) => {
                        self.at += 1;
                        self.skip_space();
                        let name = self.name()?;
                        self.nest.insert(name, self.text)?;
                        continue 'value;
                    }
                    (Some(b','), false) => {
                        self.at += 1;
                        self.skip_space();
                        continue 'value;
                    }
                    (_, true) => {
                        return Err(Problem::expected("`,` or `}` after a value", self.at));
                    }
                    (_, false) => {
                        return Err(Problem::expected("`,` or `]` after a value", self.at));
                    }
                }
            }
        }
    }

    /// Reads an object to the end of the text and hands over its members.
    pub(super) fn object(
        &mut self,
        mut member: impl FnMut(Name, RawValue<'a>),
    ) -> Result<(), Problem> {
        self.nest.restart();
        self.open_row()?;
        let mut first = true;
        while self.next_member(first)? {
            first = false;
            let name = self.name()?;
            self.nest.insert(name, self.text)?;
            let value = self.value()?;
            member(name, value);
        }
        self.nest.close(self.text)?;
        self.end_row()
    }

    /// Reads the one value that is the whole text.
    pub(super) fn only_value(&mut self) -> Result<RawValue<'a>, Problem> {
        self.skip_space();
        let value = self.value()?;
        self.end_row()?;
        Ok(value)
    }

    /// Reads the opening brace of the row.
    pub(super) fn open_row(&mut self) -> Result<(), Problem> {
        self.skip_space();
        if self.peek() != Some(b'{') {
            return Err(Problem::expected("an object", self.at));
        }
        self.at += 1;
        Ok(())
    }

    /// Reads what stands between members; false at the end of the object, behind its brace.
    pub(super) fn next_member(&mut self, first: bool) -> Result<bool, Problem> {
        self.skip_space();
        match self.peek() {
            Some(b'}') => {
                self.at += 1;
                Ok(false)
            }
            Some(b'"') if first => Ok(true),
            Some(b',') if !first => {
                self.at += 1;
                self.skip_space();
                Ok(true)
            }
            _ if first => Err(Problem::expected("a key in quotes or `}`", self.at)),
            _ => Err(Problem::expected("`,` or `}` after a value", self.at)),
        }
    }

    /// Makes sure that nothing follows.
    #[inline]
    pub(super) fn end_row(&mut self) -> Result<(), Problem> {
        self.skip_space();
        if self.at < self.text.len() {
            return Err(Problem::expected("nothing more", self.at));
        }
        Ok(())
    }
}

/// Returns the position of the next quote, backslash or control character, from `at` on.
#[inline]
fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // A byte that is zero, or below 32, borrows into its high bit. Borrows run upwards only, so the
    // lowest high bit is always right.
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let quote = word ^ (ONES * 0x22);
        let slash = word ^ (ONES * 0x5C);
        let found = ((quote.wrapping_sub(ONES) & !quote)
            | (slash.wrapping_sub(ONES) & !slash)
            | (word.wrapping_sub(ONES * 0x20) & !word))
            & HIGH;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(byte) = bytes.get(at) {
        if matches!(byte, b'"' | b'\\' | 0..=0x1F) {
            break;
        }
        at += 1;
    }
    at
}

/// Reads `\uXXXX` at the beginning of `bytes`.
fn unicode_escape(bytes: &[u8]) -> Option<u32> {
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
