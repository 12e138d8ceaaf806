//! Functions of SQL over what one actor did, in order: aggregates of the rows of a group, and `sessionize`.
//!
//! All of them take the rows in the order of time, whatever order they come in; rows at the same time come in an order
//! that their conditions define, so that no result depends on the order of rows. They are described for their users in
//! `docs/behavior.md`.

mod arguments;
mod events;
mod funnel;
mod groups;
mod matching;
mod next_node;
mod pattern;
mod retention;
mod sequence;
mod sessionize;
mod window_funnel;

#[cfg(test)]
mod tests;

pub(crate) use arguments::MAX_CONDITIONS;
pub(crate) use events::Event;
pub(crate) use matching::Matcher;
pub(crate) use pattern::{Item, parse};

use datafusion::prelude::SessionContext;

/// Makes the functions known to a session.
pub(super) fn register(context: &SessionContext) {
    for function in window_funnel::functions()
        .into_iter()
        .chain(sequence::functions())
        .chain([retention::function(), next_node::function()])
    {
        context.register_udaf(function);
    }
    context.register_udwf(sessionize::function());
}
