//! The audit log: append-only records, each bound to the one before by a hash.
//!
//! The hash of a record is the SHA-256 of the hash of the record before it (64 hexadecimal digits; zeros before the first) followed by
//! the record as one line of JSON without its hash. Whoever has an export can check it with any SHA-256 program.

mod chain;
mod seal;

pub use chain::AuditReport;
pub(crate) use chain::{Chain, Verifier};
pub(crate) use seal::Sealed;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the log says of one action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditRecord {
    /// Its place: 1, 2, 3, … without gaps.
    pub seq: i64,
    /// When, in microseconds since 1970-01-01T00:00:00Z.
    pub at_us: i64,
    /// Who.
    pub actor: String,
    /// Did what, for example `job.enqueue`.
    pub action: String,
    /// To what, for example `job:12`.
    pub object: String,
    /// With what outcome; for a job the state that it came to.
    pub outcome: String,
    /// In which request.
    pub request_id: Option<String>,
    /// More to be known, for example the kind of an error.
    pub detail: Option<String>,
    /// The hash over the record and all before it: 64 hexadecimal digits.
    pub hash: String,
}

/// A record before it has its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Who.
    pub actor: String,
    /// Did what, for example `report.view`.
    pub action: String,
    /// To what.
    pub object: String,
    /// With what outcome.
    pub outcome: String,
    /// In which request.
    pub request_id: Option<String>,
    /// More to be known.
    pub detail: Option<String>,
}

/// A place in the log, and the hash there. Kept somewhere else (a ticket, a mail, another machine), it proves later that nothing up to
/// this place was changed, even by somebody who could write the database and compute all hashes anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditHead {
    /// The place of the last record; 0 when there is none.
    pub seq: i64,
    /// Its hash.
    pub hash: String,
}

impl AuditHead {
    /// The head of a log without records.
    pub(crate) fn start() -> Self {
        AuditHead {
            seq: 0,
            hash: "0".repeat(64),
        }
    }
}
