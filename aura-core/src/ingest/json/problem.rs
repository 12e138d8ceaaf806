//! What is wrong with a row that is not valid JSON, and how to say it.

use super::nest::Name;
use super::raw::unescape;
use crate::ingest::builder::Fault;
use crate::ingest::value::cut;
use crate::ingest::{Limits, RejectReason};

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
    pub(super) fn control(at: usize) -> Self {
        let what = What::Control;
        Problem { what, at }
    }

    #[cold]
    pub(super) fn escape(at: usize) -> Self {
        let what = What::Escape;
        Problem { what, at }
    }

    #[cold]
    pub(super) fn surrogate(at: usize) -> Self {
        let what = What::Surrogate;
        Problem { what, at }
    }

    #[cold]
    pub(super) fn too_deep(at: usize) -> Self {
        let what = What::TooDeep;
        Problem { what, at }
    }

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

    /// Says it in words; `text` is the row, which began at `start`.
    #[cold]
    pub(super) fn into_fault(self, text: &str, start: usize, limits: &Limits) -> Fault {
        let at = self.at.saturating_sub(start).min(text.len());
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
                let end = end.saturating_sub(start);
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
