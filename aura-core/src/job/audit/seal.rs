//! Retention: the beginning of the log may go, and a seal stays in its place.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AuditEntry, AuditHead, AuditRecord};

/// What stands for the records that were removed: where they ended, and the hash there. The removal is itself a record, `audit.seal`, so
/// that a seal that somebody else put in is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sealed {
    /// The place of the last record that was removed.
    pub seq: i64,
    /// Its hash.
    pub hash: String,
}

impl Sealed {
    fn object(&self) -> String {
        format!("audit:1..{}", self.seq)
    }

    /// The record that says that the log was sealed.
    pub(crate) fn entry(&self, actor: &str, request_id: Option<&str>) -> AuditEntry {
        AuditEntry {
            actor: actor.to_owned(),
            action: "audit.seal".to_owned(),
            object: self.object(),
            outcome: "sealed".to_owned(),
            request_id: request_id.map(str::to_owned),
            detail: Some(self.hash.clone()),
        }
    }

    pub(crate) fn is_said_by(&self, record: &AuditRecord) -> bool {
        record.action == "audit.seal"
            && record.object == self.object()
            && record.detail.as_deref() == Some(&self.hash)
    }
}

impl From<&AuditRecord> for Sealed {
    fn from(record: &AuditRecord) -> Self {
        Sealed {
            seq: record.seq,
            hash: record.hash.clone(),
        }
    }
}

impl From<Sealed> for AuditHead {
    fn from(seal: Sealed) -> Self {
        AuditHead {
            seq: seal.seq,
            hash: seal.hash,
        }
    }
}
