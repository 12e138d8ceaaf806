//! Appending to the chain, and looking whether it is whole.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{AuditEntry, AuditHead, AuditRecord, Sealed};
use crate::{Error, Result};

/// The record as it is hashed. The order of the fields is part of the format.
#[derive(Serialize)]
struct Hashed<'a> {
    seq: i64,
    at_us: i64,
    actor: &'a str,
    action: &'a str,
    object: &'a str,
    outcome: &'a str,
    request_id: Option<&'a str>,
    detail: Option<&'a str>,
}

fn hash_of(before: &str, record: &Hashed<'_>) -> Result<String> {
    let line = serde_json::to_vec(record).map_err(|e| {
        Error::internal("a record of the audit log cannot be written").with_source(e)
    })?;
    let mut hasher = Sha256::new();
    hasher.update(before.as_bytes());
    hasher.update(&line);
    let mut text = String::with_capacity(64);
    for byte in hasher.finalize() {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(match digit {
                0..=9 => b'0' + digit,
                _ => b'a' + digit - 10,
            }));
        }
    }
    Ok(text)
}

/// The end of the chain, to which records are added.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    pub(crate) head: AuditHead,
}

impl Chain {
    /// Gives an entry its place and its hash.
    pub(crate) fn add(&mut self, at_us: i64, entry: AuditEntry) -> Result<AuditRecord> {
        let seq = self.head.seq + 1;
        let hash = hash_of(
            &self.head.hash,
            &Hashed {
                seq,
                at_us,
                actor: &entry.actor,
                action: &entry.action,
                object: &entry.object,
                outcome: &entry.outcome,
                request_id: entry.request_id.as_deref(),
                detail: entry.detail.as_deref(),
            },
        )?;
        self.head = AuditHead {
            seq,
            hash: hash.clone(),
        };
        Ok(AuditRecord {
            seq,
            at_us,
            actor: entry.actor,
            action: entry.action,
            object: entry.object,
            outcome: entry.outcome,
            request_id: entry.request_id,
            detail: entry.detail,
            hash,
        })
    }
}

/// What a look at the whole log found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditReport {
    /// Whether the log is whole.
    pub whole: bool,
    /// Records that were looked at.
    pub records: u64,
    /// The place up to which the log was sealed and its records removed; 0 when it never was.
    pub sealed_to: i64,
    /// The end of the log.
    pub head: AuditHead,
    /// The first fault, in words; `None` when it is whole.
    pub fault: Option<String>,
}

/// Looks at the records in their order, and remembers the first fault.
#[derive(Debug)]
pub(crate) struct Verifier {
    seal: Option<Sealed>,
    expected_head: AuditHead,
    anchors: Vec<AuditHead>,
    at: AuditHead,
    records: u64,
    seal_recorded: bool,
    fault: Option<String>,
}

impl Verifier {
    /// Begins. `expected_head` is where the store says that the log ends; `anchors` are heads that were kept elsewhere.
    pub(crate) fn new(
        seal: Option<Sealed>,
        expected_head: AuditHead,
        anchors: Vec<AuditHead>,
    ) -> Self {
        let at = match &seal {
            Some(seal) => AuditHead {
                seq: seal.seq,
                hash: seal.hash.clone(),
            },
            None => AuditHead::start(),
        };
        let mut verifier = Verifier {
            seal_recorded: seal.is_none(),
            seal,
            expected_head,
            anchors,
            at,
            records: 0,
            fault: None,
        };
        verifier.compare_anchors();
        verifier
    }

    /// Where the next page of records begins.
    pub(crate) fn after(&self) -> i64 {
        self.at.seq
    }

    pub(crate) fn faulty(&self) -> bool {
        self.fault.is_some()
    }

    fn say(&mut self, fault: String) {
        self.fault.get_or_insert(fault);
    }

    fn compare_anchors(&mut self) {
        let wrong = self
            .anchors
            .iter()
            .find(|a| a.seq == self.at.seq && a.hash != self.at.hash)
            .map(|a| a.hash.clone());
        if let Some(kept) = wrong {
            self.say(format!(
                "record {} has the hash {}; the one kept elsewhere is {kept}: the log up to there was written anew",
                self.at.seq, self.at.hash
            ));
        }
    }

    /// Looks at the next record.
    pub(crate) fn look(&mut self, record: &AuditRecord) -> Result<()> {
        if self.faulty() {
            return Ok(());
        }
        let expected = self.at.seq + 1;
        if record.seq != expected {
            self.say(format!(
                "record {expected} is missing; the next one is {}",
                record.seq
            ));
            return Ok(());
        }
        let hash = hash_of(
            &self.at.hash,
            &Hashed {
                seq: record.seq,
                at_us: record.at_us,
                actor: &record.actor,
                action: &record.action,
                object: &record.object,
                outcome: &record.outcome,
                request_id: record.request_id.as_deref(),
                detail: record.detail.as_deref(),
            },
        )?;
        if hash != record.hash {
            self.say(format!(
                "record {} does not have the hash of its contents and of the records before it: one of them was edited, moved or replaced",
                record.seq
            ));
            return Ok(());
        }
        if let Some(seal) = &self.seal
            && seal.is_said_by(record)
        {
            self.seal_recorded = true;
        }
        self.records += 1;
        self.at = AuditHead {
            seq: record.seq,
            hash,
        };
        self.compare_anchors();
        Ok(())
    }

    /// Ends.
    pub(crate) fn finish(mut self) -> AuditReport {
        if !self.faulty() && self.at != self.expected_head {
            self.say(format!(
                "the log ends at record {}; it should end at {}: its end was cut off or changed",
                self.at.seq, self.expected_head.seq
            ));
        }
        if !self.seal_recorded {
            self.say(
                "the log says nowhere that its beginning was sealed: the seal was not made by AURA"
                    .to_owned(),
            );
        }
        let beyond = self.anchors.iter().map(|a| a.seq).max().unwrap_or(0);
        if beyond > self.at.seq {
            self.say(format!(
                "the log ends at record {}; the place kept elsewhere is {beyond}: its end was cut off",
                self.at.seq
            ));
        }
        let sealed_to = self.seal.as_ref().map_or(0, |s| s.seq);
        AuditReport {
            whole: self.fault.is_none(),
            records: self.records,
            sealed_to,
            head: self.at,
            fault: self.fault,
        }
    }
}
