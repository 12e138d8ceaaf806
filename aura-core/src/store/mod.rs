//! The durable home of events.

pub(crate) mod catalog;
pub(crate) mod sql_error;
