//! The durable home of events.
