//! AURA: embeddable analytics. Events in, answers out, in process.
//!
//! Everything has one form: Events plus a spec give a result, an Arrow table.
//! This crate holds all logic; the language bindings convert, call and convert back.

// Held by the library alone; tests, examples and benches may do all of this.
// Input must never bring the host down, so a panic needs a reason why input cannot reach it; nothing is
// printed; clock, randomness and environment come from the caller (see `clippy.toml`).
#![cfg_attr(
    not(test),
    warn(
        clippy::disallowed_methods,
        clippy::expect_used,
        clippy::panic,
        clippy::print_stderr,
        clippy::print_stdout,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_used,
    )
)]

pub mod behavior;
pub mod calendar;
#[cfg(test)]
mod conformance;
mod detect;
mod document;
pub mod engine;
pub mod error;
pub mod event;
pub mod expr;
pub mod ingest;
pub mod insight;
pub mod job;
pub mod json;
pub mod metric;
#[cfg(test)]
mod python;
pub mod report;
pub mod store;
pub mod time;

pub use error::{Error, ErrorKind, Result};

/// The crates whose types this interface takes and gives: use these, and the versions agree.
pub use {arrow, datafusion};

/// The examples of the README, compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

/// Entry points of the fuzz targets.
#[cfg(fuzzing)]
pub mod fuzzing {
    use crate::event::contract::Contract;
    use crate::ingest::{IngestOptions, Limits, Preset, Source};
    use crate::metric::{Formula, Registry, RowExpr};
    use crate::store::Store;

    /// Ingests `bytes`, taken for `format` (a name as in specs), into a store in memory; whatever comes out, nothing may
    /// panic.
    pub fn read(format: &str, bytes: &[u8]) {
        ingest(format, None, bytes);
    }

    /// Ingests `bytes`, taken for lines of JSON, by each preset in turn.
    pub fn preset(bytes: &[u8]) {
        for preset in [
            Preset::Segment,
            Preset::CloudEvents,
            Preset::PostHog,
            Preset::Mixpanel,
        ] {
            ingest("ndjson", Some(preset), bytes);
        }
    }

    fn ingest(format: &str, preset: Option<Preset>, bytes: &[u8]) {
        // Decoders of others panic over damaged bytes; the library catches that and says what is wrong. A panic in a line of
        // AURA is a finding, caught or not.
        std::panic::set_hook(Box::new(|info| {
            let of_others =
                |file: &str| file.contains("/registry/src/") || file.starts_with("/rustc/");
            if !info.location().is_some_and(|at| of_others(at.file())) {
                eprintln!("{info}");
                std::process::abort();
            }
        }));
        let limits = Limits {
            max_decompressed_bytes: 64 << 20,
            ..Limits::default()
        };
        let options = IngestOptions {
            limits,
            preset,
            format: serde_json::from_value(format.into()).ok(),
            ..IngestOptions::default()
        };
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else {
            return;
        };
        let _ = runtime.block_on(async {
            let store = Store::in_memory().await?;
            store
                .ingest_with(Source::bytes("fuzz", bytes.to_vec()), &options)
                .await
        });
    }

    /// Reads `text` as a data contract.
    pub fn contract(text: &str) {
        let _ = Contract::parse(text);
    }

    /// Reads `text` as a metric registry, as a formula and as a row expression. What is read is written and read
    /// again.
    pub fn metric(text: &str) {
        if let Ok(registry) = Registry::parse(text) {
            let again = registry.to_yaml().and_then(|yaml| Registry::parse(&yaml));
            assert!(again.is_ok_and(|again| again == registry));
        }
        if let Ok(formula) = text.parse::<Formula>() {
            let again = formula.to_string().parse::<Formula>();
            assert!(again.is_ok_and(|again| again == formula));
        }
        if let Ok(expr) = text.parse::<RowExpr>() {
            let again = expr.to_string().parse::<RowExpr>();
            assert!(again.is_ok_and(|again| again == expr));
        }
    }
}
