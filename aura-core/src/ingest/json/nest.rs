//! What is open while a row is scanned, and the keys that its objects have so far.

use std::borrow::Cow;

use super::problem::Problem;
use super::raw::unescape;

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
    pub(super) frames: Vec<Frame>,
    names: Vec<Name>,
}

#[derive(Debug)]
pub(super) struct Frame {
    pub(super) object: bool,
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
    pub(super) fn open(&mut self, object: bool) {
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
