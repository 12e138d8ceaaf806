//! Words: numbers, dates and sentences in English and Russian.
//!
//! Formats follow the Unicode CLDR (release 48) for `en` and `ru`: plural categories, separators of numbers, names of
//! months. Why they are written out here says `docs/decisions/0009-words.md`.

mod date;
mod number;
mod plural;
mod sentence;
mod state;

#[cfg(test)]
mod tests;

pub(crate) use sentence::{Said, action, sentence};
pub(crate) use state::{Outcome, Words, state_action, state_sentence};

/// A language of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    En,
    Ru,
}
