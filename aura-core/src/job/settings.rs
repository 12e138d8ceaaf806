//! Settings of jobs: plain values with defaults.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spec::LONGEST_MS;
use crate::{Error, Result};

/// Settings of [`Jobs`](super::Jobs).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct JobSettings {
    /// Milliseconds that a worker holds a job without a sign of life, from 100 to 31 days (default 30,000). A job whose process died is
    /// taken back after this time at the latest, and tried again after its backoff.
    pub lease_ms: u64,
    /// Milliseconds between two looks for what other processes did in the same SQLite database, from 1 to 60,000 (default 10). PostgreSQL
    /// tells by itself.
    pub poll_ms: u64,
    /// Most bytes of a job's spec as JSON (default 1 MiB).
    pub max_spec_bytes: usize,
    /// Most bytes of a job's result as JSON (default 4 MiB), and of its progress.
    pub max_result_bytes: usize,
}

impl Default for JobSettings {
    fn default() -> Self {
        JobSettings {
            lease_ms: 30_000,
            poll_ms: 10,
            max_spec_bytes: 1 << 20,
            max_result_bytes: 4 << 20,
        }
    }
}

impl JobSettings {
    /// Checks the bounds.
    pub(crate) fn check(&self) -> Result<()> {
        for (name, value, least, most) in [
            ("lease_ms", self.lease_ms, 100, LONGEST_MS),
            ("poll_ms", self.poll_ms, 1, 60_000),
        ] {
            if !(least..=most).contains(&value) {
                return Err(Error::invalid_spec(format!(
                    "job settings: `{name}` is {value}; expected {least} to {most}"
                )));
            }
        }
        Ok(())
    }
}
