//! AURA for Node: what the package `aura-analytics` is made on. It converts, calls the core and converts back; signatures,
//! types and documentation are in the TypeScript sources, and every rule is in the core.
//!
//! Specs, options and reports cross as JSON, tables as Arrow IPC.

#![cfg_attr(
    test,
    allow(dead_code, reason = "nothing is registered with Node in a test build")
)]
#![allow(
    missing_docs,
    unreachable_pub,
    reason = "the interface is the npm package, which documents it"
)]

mod cells;
mod contract;
mod error;
mod events;
mod progress;
mod registry;
mod report;
mod schemas;
mod source;
mod store;
mod table;
mod wait;

use napi_derive::napi;

#[napi]
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Whether the addon was compiled without optimisation.
#[napi]
pub const DEBUG: bool = cfg!(debug_assertions);
