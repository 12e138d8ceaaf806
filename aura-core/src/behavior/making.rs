//! From specs to what a scan computes: conditions become bits of a word, columns places of a request.

use std::collections::BTreeSet;

use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr, lit};
use datafusion::prelude::ident;

use super::common::{Scope, condition};
use super::groups::Breakdown;
use super::{Analysis, EventFilter};
use crate::engine::ordered::{MOST_TESTS, Order, Request, ScanSource};
use crate::event::EVENT;
use crate::{Error, Result};

/// Most names of one [`EventFilter`].
const MAX_NAMES: usize = 1_000;

/// What an analysis is prepared with: it asks for columns, conditions and a range of time.
pub(crate) struct Making<'a> {
    pub(super) source: &'a ScanSource,
    pub(super) schema: &'a DFSchema,
    pub(super) request: &'a mut Request,
    pub(super) scope: Scope,
    /// Whether the scan applies the filter of the scope already.
    pub(super) filtered: bool,
    /// The conditions of the word.
    pub(super) word: Vec<Expr>,
    /// Whether a condition found no room in the word.
    pub(super) full: bool,
    pub(super) needs: Needs,
    /// The times of the first and the last event; `None` without events, and where the analysis did not say that it
    /// needs them.
    pub(super) extent: Option<(i64, i64)>,
}

/// Which rows an analysis reads.
#[derive(Debug, Clone)]
pub(super) struct Needs {
    pub(super) from: Option<i64>,
    pub(super) to: Option<i64>,
    pub(super) order: Order,
    /// Rows of other events are of no interest; `None`: all are.
    pub(super) events: Option<BTreeSet<String>>,
}

impl Making<'_> {
    /// Returns the common fields, checked.
    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Returns the times of the first and the last event of the source, where [`Analysis::needs_extent`] says so and
    /// there are events.
    pub(crate) fn extent(&self) -> Option<(i64, i64)> {
        self.extent
    }

    /// Asks for a condition; `field` is where it stands in the spec. Returns its bit in the words that
    /// [`Kernel::block`](super::pass::Kernel::block) gets: set in rows that meet it, and the filter of the scope.
    ///
    /// # Errors
    /// `InvalidSpec` naming the field for a condition that cannot be read or does not fit the columns, and for more
    /// than 64 different conditions in one analysis.
    pub(crate) fn condition(&mut self, field: &str, filter: &EventFilter) -> Result<u64> {
        if filter.events.len() > MAX_NAMES {
            return Err(Error::invalid_spec(format!(
                "{field}: {} names; at most {MAX_NAMES} are possible",
                filter.events.len()
            )));
        }
        let mut names = filter.events.clone();
        names.sort_unstable();
        names.dedup();
        let mut all: Option<Expr> = match names.as_slice() {
            [] => None,
            [one] => Some(ident(EVENT).eq(lit(one.as_str()))),
            several => {
                let several = several.iter().map(|n| lit(n.as_str())).collect();
                Some(ident(EVENT).in_list(several, false))
            }
        };
        let mut and = |more: Expr| {
            all = Some(match all.take() {
                Some(all) => all.and(more),
                None => more,
            });
        };
        if let Some(text) = &filter.condition {
            let zone = self.scope.calendar.time_zone();
            and(condition(field, text, self.schema, zone)?);
        }
        if let (Some(filter), false) = (&self.scope.filter, self.filtered) {
            and(filter.clone());
        }
        match (names.is_empty(), &mut self.needs.events) {
            (true, needed) => *needed = None,
            (false, Some(needed)) => needed.extend(names),
            (false, None) => {}
        }
        self.bit(field, all.unwrap_or_else(|| lit(true)))
    }

    fn bit(&mut self, field: &str, condition: Expr) -> Result<u64> {
        let at = match self.word.iter().position(|known| *known == condition) {
            Some(at) => at,
            None if self.word.len() < MOST_TESTS => {
                self.word.push(condition);
                self.word.len() - 1
            }
            None => {
                self.full = true;
                return Err(Error::invalid_spec(format!(
                    "{field}: more than {MOST_TESTS} different conditions in one analysis; join some, or ask in parts"
                )));
            }
        };
        Ok(1 << at)
    }

    /// Tells whether all conditions so far are of named events.
    pub(crate) fn needs_events(&self) -> bool {
        self.needs.events.is_some()
    }

    /// Asks for the rows of all events that pass the filter of the scope; returns their bit.
    ///
    /// # Errors
    /// As [`condition`](Self::condition).
    pub(crate) fn any(&mut self) -> Result<u64> {
        self.condition("filter", &EventFilter::any())
    }

    /// Asks for a column; returns its place in [`ActorBlock::columns`](crate::engine::ordered::ActorBlock).
    ///
    /// # Errors
    /// `InvalidSpec` naming the field for a column that is not there.
    pub(crate) fn column(&mut self, field: &str, name: &str) -> Result<usize> {
        self.source
            .shape
            .check(&self.source.events, name)
            .map_err(|e| Error::invalid_spec(format!("{field}: {}", e.message())))?;
        if name == crate::event::TIME {
            return Err(Error::invalid_spec(format!(
                "{field}: `{name}` is the time of events; a column of properties is expected"
            )));
        }
        Ok(self.request.want(name))
    }

    /// Asks for columns to break down by; `field` is where they stand in the spec.
    ///
    /// # Errors
    /// As [`column`](Self::column), and for columns of nested types.
    pub(crate) fn breakdown(&mut self, field: &str, names: &[String]) -> Result<Breakdown> {
        let places = names
            .iter()
            .map(|name| Ok((name.clone(), self.column(field, name)?)))
            .collect::<Result<Vec<_>>>()?;
        Breakdown::new(&places, &self.source.events)
            .map_err(|e| Error::invalid_spec(format!("{field}: {}", e.message())))
    }

    /// Asks for the columns of the field `by`.
    ///
    /// # Errors
    /// As [`breakdown`](Self::breakdown).
    pub(crate) fn by(&mut self) -> Result<Breakdown> {
        let names = self.scope.by.clone();
        self.breakdown("by", &names)
    }

    /// Asks for the names of actors in [`ActorBlock::names`](crate::engine::ordered::ActorBlock).
    pub(crate) fn names(&mut self) {
        self.request.names = true;
    }

    /// Says which rows are read, instead of those in the range of the scope; `None` is without bound. The kernel may
    /// see others.
    pub(crate) fn reads(&mut self, from: Option<i64>, to: Option<i64>) {
        (self.needs.from, self.needs.to) = (from, to);
    }

    /// Says that the order of an actor's rows does not matter; the kernel may see any.
    pub(crate) fn any_order(&mut self) {
        self.needs.order = Order::Any;
    }
}

impl Needs {
    pub(super) fn new(scope: &Scope) -> Needs {
        Needs {
            from: scope.from,
            to: scope.to,
            order: Order::Time,
            events: Some(BTreeSet::new()),
        }
    }

    /// Takes in the rows that another analysis reads.
    pub(super) fn join(&mut self, other: Needs) {
        let pair = |a: Option<i64>, b: Option<i64>| a.zip(b);
        self.from = pair(self.from, other.from).map(|(a, b)| a.min(b));
        self.to = pair(self.to, other.to).map(|(a, b)| a.max(b));
        if other.order == Order::Time {
            self.order = Order::Time;
        }
        self.events = match (self.events.take(), other.events) {
            (Some(mut own), Some(other)) => {
                own.extend(other);
                Some(own)
            }
            _ => None,
        };
    }
}

/// Names an analysis among several.
pub(super) fn name_of(at: usize, analyses: &[Analysis], error: Error) -> Error {
    match analyses.len() {
        1 => error,
        _ => Error::new(error.kind(), format!("analyses[{at}]: {}", error.message()))
            .with_source(error),
    }
}
