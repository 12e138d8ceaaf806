//! A strict scanner of JSON text (RFC 8259). It finds where values end and proves that they are valid,
//! and leaves decoding to whoever wants the value.
//!
//! It does not recurse: depth costs a few bytes of a vector, up to the limit.

use super::nest::{Name, Nest};
use super::problem::Problem;
use super::raw::{Kind, RawValue, unicode_escape};
use crate::ingest::Limits;

/// The scanner stopped at a [`Problem`], which it holds: results that fit a register are fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stop;

/// Reads one text from `at` on.
pub(super) struct Scanner<'a, 'n> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    /// Whether a line end ends the row; else it is space.
    lines: bool,
    max_depth: usize,
    pub(super) nest: &'n mut Nest,
    problem: Option<Problem>,
}

impl<'a, 'n> Scanner<'a, 'n> {
    /// Makes a scanner of a text that is one row.
    pub(super) fn of_text(text: &'a str, limits: &Limits, nest: &'n mut Nest) -> Self {
        Scanner {
            text,
            at: 0,
            lines: false,
            max_depth: limits.max_json_depth,
            nest,
            problem: None,
        }
    }

    /// Makes a scanner of the line that begins at `at`.
    pub(super) fn of_line(text: &'a str, at: usize, limits: &Limits, nest: &'n mut Nest) -> Self {
        Scanner {
            at,
            lines: true,
            ..Scanner::of_text(text, limits, nest)
        }
    }

    /// Returns why the scanner stopped.
    #[cold]
    pub(super) fn into_problem(self) -> Problem {
        self.problem
            .unwrap_or_else(|| Problem::expected("an object", self.at))
    }

    #[cold]
    pub(super) fn stop<T>(&mut self, problem: Problem) -> Result<T, Stop> {
        self.problem = Some(problem);
        Err(Stop)
    }

    #[cold]
    pub(super) fn expected<T>(&mut self, what: &'static str) -> Result<T, Stop> {
        self.stop(Problem::expected(what, self.at))
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    pub(super) fn skip_space(&mut self) {
        while let Some(b) = self.peek()
            && (matches!(b, b' ' | b'\t' | b'\r') || (b == b'\n' && !self.lines))
        {
            self.at += 1;
        }
    }

    /// Reads a key, the colon and the space around it.
    #[inline]
    pub(super) fn name(&mut self) -> Result<Name, Stop> {
        if self.peek() != Some(b'"') {
            return self.expected("a key in quotes");
        }
        self.at += 1;
        let start = self.at as u32;
        let escaped = self.string()?;
        let end = (self.at - 1) as u32;
        self.skip_space();
        if self.peek() != Some(b':') {
            return self.expected("`:` after a key");
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
    pub(super) fn value(&mut self) -> Result<Kind, Stop> {
        match self.peek() {
            Some(b'{') => self.nested().map(|()| Kind::Object),
            Some(b'[') => self.nested().map(|()| Kind::Array),
            Some(b) => self.scalar(b),
            None => self.expected("a value"),
        }
    }

    /// Returns what was read since `start`, which was the beginning of a value.
    pub(super) fn raw(&self, kind: Kind, start: usize) -> RawValue<'a> {
        // Values begin and end with an ASCII character.
        let text = self.text.get(start..self.at).unwrap_or_default();
        RawValue { kind, text }
    }

    pub(super) fn insert(&mut self, name: Name) -> Result<(), Stop> {
        match self.nest.insert(name, self.text) {
            Ok(()) => Ok(()),
            Err(problem) => self.stop(problem),
        }
    }

    /// Closes the innermost array or object.
    pub(super) fn close(&mut self) -> Result<(), Stop> {
        match self.nest.close(self.text) {
            Ok(()) => Ok(()),
            Err(problem) => self.stop(problem),
        }
    }

    #[inline]
    fn scalar(&mut self, first: u8) -> Result<Kind, Stop> {
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
            _ => self.expected("a value"),
        }
    }

    #[inline]
    fn literal(&mut self, word: &'static str, kind: Kind) -> Result<Kind, Stop> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(kind)
        } else {
            self.expected("`null`, `true`, `false` or another value")
        }
    }

    #[inline]
    fn number(&mut self) -> Result<(), Stop> {
        match number_end(self.text.as_bytes(), self.at) {
            Ok(end) => {
                self.at = end;
                Ok(())
            }
            Err(at) => {
                self.at = at;
                self.expected("a digit, and no further one after a leading zero")
            }
        }
    }

    /// Reads the rest of a string, up to and with the closing quote; returns whether it has escapes.
    #[inline]
    fn string(&mut self) -> Result<bool, Stop> {
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
                Some(_) if !self.at_line_end() => return self.stop(Problem::control(self.at)),
                _ => return self.expected("the closing `\"` of a string"),
            }
        }
    }

    fn at_line_end(&self) -> bool {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        self.lines && matches!(rest, [b'\n', ..] | [b'\r', b'\n', ..] | [b'\r'])
    }

    /// Reads one escape, or the two of a character beyond the basic plane.
    fn escape(&mut self) -> Result<(), Stop> {
        let at = self.at;
        let rest = self.text.as_bytes().get(at..).unwrap_or_default();
        match rest.get(1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                Ok(())
            }
            Some(b'u') => match unicode_escape(rest) {
                None => self.stop(Problem::escape(at)),
                Some(0xD800..=0xDBFF) => match rest.get(6..).and_then(unicode_escape) {
                    Some(0xDC00..=0xDFFF) => {
                        self.at += 12;
                        Ok(())
                    }
                    _ => self.stop(Problem::surrogate(at)),
                },
                Some(0xDC00..=0xDFFF) => self.stop(Problem::surrogate(at)),
                Some(_) => {
                    self.at += 6;
                    Ok(())
                }
            },
            _ => self.stop(Problem::escape(at)),
        }
    }

    /// Reads an array or object with all that is in it.
    fn nested(&mut self) -> Result<(), Stop> {
        let outside = self.nest.frames.len();
        'value: loop {
            match self.peek() {
                Some(open @ (b'{' | b'[')) => {
                    if self.nest.frames.len() >= self.max_depth {
                        return self.stop(Problem::too_deep(self.at));
                    }
                    self.at += 1;
                    self.nest.open(open == b'{');
                    self.skip_space();
                    match (open, self.peek()) {
                        // Closed below.
                        (b'{', Some(b'}')) | (b'[', Some(b']')) => {}
                        (b'{', _) => {
                            let name = self.name()?;
                            self.insert(name)?;
                            continue 'value;
                        }
                        _ => continue 'value,
                    }
                }
                Some(first) => {
                    self.scalar(first)?;
                }
                None => return self.expected("a value"),
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
                        self.close()?;
                        if self.nest.frames.len() == outside {
                            return Ok(());
                        }
                    }
                    (Some(b','), true) => {
                        self.at += 1;
                        self.skip_space();
                        let name = self.name()?;
                        self.insert(name)?;
                        continue 'value;
                    }
                    (Some(b','), false) => {
                        self.at += 1;
                        self.skip_space();
                        continue 'value;
                    }
                    (_, true) => {
                        return self.expected("`,` or `}` after a value");
                    }
                    (_, false) => {
                        return self.expected("`,` or `]` after a value");
                    }
                }
            }
        }
    }

    /// Reads an object to the end of the text and hands over its members.
    pub(super) fn object(
        &mut self,
        mut member: impl FnMut(Name, RawValue<'a>),
    ) -> Result<(), Stop> {
        self.nest.restart();
        self.open_row()?;
        let mut first = true;
        while self.next_member(first)? {
            first = false;
            let name = self.name()?;
            self.insert(name)?;
            let start = self.at;
            let kind = self.value()?;
            member(name, self.raw(kind, start));
        }
        self.close()?;
        self.end_row()
    }

    /// Reads the one value that is the whole text.
    pub(super) fn only_value(&mut self) -> Result<RawValue<'a>, Stop> {
        self.skip_space();
        let start = self.at;
        let kind = self.value()?;
        let value = self.raw(kind, start);
        self.end_row()?;
        Ok(value)
    }

    /// Reads the opening brace of the row.
    pub(super) fn open_row(&mut self) -> Result<(), Stop> {
        self.skip_space();
        if self.peek() != Some(b'{') {
            return self.expected("an object");
        }
        self.at += 1;
        Ok(())
    }

    /// Reads what stands between members; false at the end of the object, behind its brace.
    pub(super) fn next_member(&mut self, first: bool) -> Result<bool, Stop> {
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
            _ if first => self.expected("a key in quotes or `}`"),
            _ => self.expected("`,` or `}` after a value"),
        }
    }

    /// Makes sure that nothing follows, and stops at the end of the row.
    #[inline]
    pub(super) fn end_row(&mut self) -> Result<(), Stop> {
        self.skip_space();
        match self.peek() {
            None => Ok(()),
            // Only a line end is left over.
            Some(b'\n') if self.lines => Ok(()),
            Some(_) => self.expected("nothing more"),
        }
    }
}

/// Returns the position of the next quote, backslash or control character, from `at` on.
#[inline(always)]
pub(super) fn plain_end(bytes: &[u8], mut at: usize) -> usize {
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

/// Returns the end of the number that begins at `at`, or where it breaks the grammar.
#[inline(always)]
pub(super) fn number_end(bytes: &[u8], mut at: usize) -> Result<usize, usize> {
    let digits = |mut at: usize| {
        while let Some(b'0'..=b'9') = bytes.get(at) {
            at += 1;
        }
        at
    };
    at += usize::from(bytes.get(at) == Some(&b'-'));
    let whole = digits(at);
    if whole == at {
        return Err(whole);
    }
    if bytes.get(at) == Some(&b'0') && whole > at + 1 {
        return Err(at + 1);
    }
    at = whole;
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == at + 1 {
            return Err(fraction);
        }
        at = fraction;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at);
        if exponent == at {
            return Err(exponent);
        }
        at = exponent;
    }
    Ok(at)
}
