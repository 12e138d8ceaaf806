//! The executor over the scan that hands out events actor by actor.
//!
//! It computes counts of rows, of values and of distinct actors, and sums, means and extremes of numbers, by columns
//! of text, integers, days, moments and truth values. All requests of a question are one pass over the events:
//! by actors if distinct actors are counted, else over the rows as they come. Everything else is left to the
//! executor over plans.
//!
//! **Numbers.** Sums of integers are exact, and wrap beyond 64 bits as those of plans do. Sums and means of floating-point
//! numbers are rounded once, from the exact sum; a plan rounds with every addition, so that the last digits may
//! differ. In `min` and `max` NaN is greater than all numbers.

mod cells;
mod dimension;
mod groups;
mod measures;
mod plan;
mod sliding;
mod slots;
mod table;
mod tally;

#[cfg(test)]
mod tests;

use datafusion::prelude::col;

use crate::engine::ScanStats;
use crate::engine::ordered::{CancelOnDrop, Request, ScanSource, apart};
use crate::event::ACTOR;
use crate::{ErrorKind, Result};

use super::executor::{Combinations, Sparse};
use super::passes;
use tally::{State, Tally};

/// What is computed in one pass, of some requests.
pub(crate) struct Ordered {
    source: ScanSource,
    request: Request,
    tallies: Vec<Tally>,
    /// For each tally: the number of its request, and of the aggregates in it.
    of: Vec<(usize, Vec<usize>)>,
    by_actor: bool,
    /// What is done instead where rows without an actor are found; `None` if it is the same.
    otherwise: Option<Box<Ordered>>,
}

/// The values of some aggregates of a request.
#[derive(Debug)]
pub(crate) struct Part {
    /// The number of the request.
    pub(crate) request: usize,
    /// The number of the aggregate of each column.
    pub(crate) aggregates: Vec<usize>,
    pub(crate) sparse: Sparse,
}

impl Ordered {
    /// Tells whether an aggregate of a request is computed.
    pub(crate) fn takes(&self, request: usize, aggregate: usize) -> bool {
        self.of
            .iter()
            .any(|(r, aggregates)| *r == request && aggregates.contains(&aggregate))
    }

    /// Returns how the events are read.
    pub(crate) fn way(&self) -> &'static str {
        match self.by_actor {
            true => "in one pass over the events, actor by actor",
            false => "in one pass over the rows",
        }
    }

    /// Computes. An error of the data ([`is_of_the_data`]) may come from values that a plan would not have looked at.
    ///
    /// # Errors
    /// `ResourceExhausted` for too many groups and at the memory limit, and the errors of the scan.
    pub(crate) async fn run(
        self,
        combinations: &mut Combinations,
    ) -> Result<(Vec<Part>, ScanStats)> {
        let _cancel = CancelOnDrop(self.request.cancel.clone());
        let (this, states, stats) = apart(move || self.states()).await?;
        let mut parts = Vec::with_capacity(this.of.len());
        let tallied = this.tallies.iter().zip(&states).zip(this.of);
        for ((tally, state), (request, aggregates)) in tallied {
            parts.push(Part {
                request,
                aggregates,
                sparse: tally.table(state, combinations)?,
            });
        }
        Ok((parts, stats))
    }

    fn states(mut self) -> Result<(Ordered, Vec<State>, ScanStats)> {
        let tallies = &self.tallies[..];
        if !self.by_actor {
            let scanned = self.source.rows(&self.request, tallies)?;
            return Ok((self, scanned.state, scanned.stats));
        }
        let scanned = self.source.actors(&self.request, tallies)?;
        if !scanned.actorless {
            return Ok((self, scanned.state, scanned.stats));
        }
        if let Some(otherwise) = self.otherwise.take() {
            let (ordered, states, stats) = otherwise.states()?;
            return Ok((ordered, states, passes::sum(scanned.stats, stats)));
        }
        // Rows without an actor are no actor's, and are counted all the same.
        let mut request = self.request.clone();
        let actorless = col(ACTOR).is_null();
        request.filter = Some(match request.filter.take() {
            Some(filter) => actorless.and(filter),
            None => actorless,
        });
        let others = self.source.rows(&request, tallies)?;
        let states = scanned.state.into_iter().zip(others.state);
        let states = tallies.iter().zip(states);
        let states = states.map(|(tally, (a, b))| tally.absorb(a, b));
        let states = states.collect::<Result<_>>()?;
        let stats = passes::sum(scanned.stats, others.stats);
        Ok((self, states, stats))
    }
}

/// Tells whether an error may come from a value that another order of evaluation does not meet: a text that cannot be cast
/// is asked about although no row that passes the filters holds it.
pub(crate) fn is_of_the_data(error: &crate::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::InvalidData | ErrorKind::InvalidSpec
    )
}
