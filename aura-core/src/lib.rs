//! AURA: embeddable analytics. Events in, answers out, in process.
//!
//! Everything has one form: Events plus a spec give a result, an Arrow table.
//! This crate holds all logic; the language bindings convert, call and convert back.

pub mod engine;
pub mod error;
pub mod event;
pub mod ingest;
pub mod store;
pub mod time;

pub use error::{Error, ErrorKind, Result};
