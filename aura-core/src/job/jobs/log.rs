//! The audit log, which is also the stream of changes.

use std::io::Write;
use std::time::Duration;

use super::Jobs;
use crate::job::audit::{Sealed, Verifier};
use crate::job::op::Op;
use crate::job::text::cleaned;
use crate::job::{AuditEntry, AuditHead, AuditRecord, AuditReport};
use crate::{Error, ErrorKind, Result};

/// Records read at a time.
const PAGE: u32 = 5_000;

impl Jobs {
    /// Appends a record to the audit log: what the host did itself. It is durable when this returns.
    ///
    /// # Errors
    /// `ResourceExhausted` on a full disk; `Unavailable` when the store cannot be used now.
    pub async fn audit(&self, entry: AuditEntry) -> Result<()> {
        let text = |text: String| cleaned(text, 16 << 10);
        let entry = AuditEntry {
            actor: text(entry.actor),
            action: text(entry.action),
            object: text(entry.object),
            outcome: text(entry.outcome),
            request_id: entry.request_id.map(text),
            detail: entry.detail.map(text),
        };
        self.run(Op::Audit(entry)).await.map(|_| ())
    }

    /// Returns where the audit log ends. Kept somewhere else, it lets [`audit_verify`](Self::audit_verify) prove that nothing before
    /// it was changed.
    ///
    /// # Errors
    /// `Unavailable` when the store cannot be used now.
    pub async fn audit_head(&self) -> Result<AuditHead> {
        Ok(self.store().audit_ends().await?.1)
    }

    /// Looks at the whole audit log, whether any record was edited, removed or moved. `anchors` are heads that were kept elsewhere; without
    /// one, only somebody who knows how the log is made, and computes all hashes anew, goes unnoticed.
    ///
    /// Records that are added meanwhile are left out.
    ///
    /// # Errors
    /// `Unavailable` when the store cannot be used now. A fault of the log is no error: it is in the report.
    pub async fn audit_verify(&self, anchors: &[AuditHead]) -> Result<AuditReport> {
        loop {
            let ends = self.store().audit_ends().await?;
            let seal = ends.0.clone();
            let report = self.look_through(ends, anchors).await?;
            // A log that was sealed meanwhile lacks records for a good reason.
            if report.whole || self.store().audit_ends().await?.0 == seal {
                return Ok(report);
            }
        }
    }

    async fn look_through(
        &self,
        (seal, head): (Option<Sealed>, AuditHead),
        anchors: &[AuditHead],
    ) -> Result<AuditReport> {
        let last = head.seq;
        let mut verifier = Verifier::new(seal, head, anchors.to_vec());
        loop {
            let page = self.store().audit_page(verifier.after(), PAGE).await?;
            let whole_page = page.len() == PAGE as usize;
            let mut beyond = false;
            for record in &page {
                // What is beyond the head was added after it was read; what was put there by another hand breaks the chain of the next look.
                if record.seq > last {
                    beyond = true;
                    break;
                }
                verifier.look(record)?;
            }
            if beyond || !whole_page || verifier.faulty() {
                return Ok(verifier.finish());
            }
        }
    }

    /// Writes the audit log as NDJSON, one record a line, and returns how many.
    ///
    /// # Errors
    /// That of the output; `Unavailable` when the store cannot be used now.
    pub async fn audit_export(&self, mut out: impl Write) -> Result<u64> {
        let failed = |e| Error::io("cannot write the audit log", e);
        let (_, head) = self.store().audit_ends().await?;
        let (mut after, mut written) = (0, 0);
        loop {
            let page = self.store().audit_page(after, PAGE).await?;
            for record in &page {
                if record.seq > head.seq {
                    break;
                }
                let line = serde_json::to_string(record).map_err(|e| {
                    Error::internal("a record of the audit log cannot be written").with_source(e)
                })?;
                writeln!(out, "{line}").map_err(failed)?;
                written += 1;
            }
            match page.last() {
                Some(record) if record.seq < head.seq => after = record.seq,
                _ => break,
            }
        }
        out.flush().map_err(failed)?;
        Ok(written)
    }

    /// Removes the records of the audit log up to the place `up_to`, and leaves a seal in their place. The log is looked at first. Returns how
    /// many records went. Export them before, if they shall be kept.
    ///
    /// # Errors
    /// `InvalidData` when the log is not whole: nothing is removed; `Unavailable` when the store cannot be used now.
    pub async fn audit_seal(&self, up_to: i64) -> Result<u64> {
        let report = self.audit_verify(&[]).await?;
        if let Some(fault) = report.fault {
            return Err(Error::new(
                ErrorKind::InvalidData,
                format!("the audit log is not whole and is left as it is: {fault}"),
            ));
        }
        self.count(Op::Seal { up_to }).await
    }

    /// Returns the records after the place `after`, at most `limit` (1 to 5,000) of them; when there are none, it waits up to `wait` for the
    /// next. The audit log is the stream of all changes: a reader keeps the place of the last record that it has seen.
    ///
    /// # Errors
    /// `InvalidSpec` for a limit out of its bounds; `NotFound` when records after `after` were sealed away; `Unavailable` when the store
    /// cannot be used now.
    pub async fn changes(
        &self,
        after: i64,
        limit: u32,
        wait: Duration,
    ) -> Result<Vec<AuditRecord>> {
        if !(1..=PAGE).contains(&limit) {
            return Err(Error::invalid_spec(format!(
                "changes: `limit` is {limit}; expected 1 to {PAGE}"
            )));
        }
        let signals = self.store().signals();
        let _interest = signals.interest();
        let mut changed = signals.changed();
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            changed.mark_unchanged();
            let page = self.store().audit_page(after, limit).await?;
            if let Some(first) = page.first() {
                if first.seq != after + 1 {
                    return Err(Error::not_found(format!(
                        "the records of the audit log between {after} and {} were sealed away; begin at {}",
                        first.seq,
                        first.seq - 1
                    )));
                }
                return Ok(page);
            }
            let now = tokio::time::Instant::now();
            if now >= deadline {
                return Ok(page);
            }
            let look = deadline.min(now + super::LOOK);
            let _ = tokio::time::timeout_at(look, changed.changed()).await;
        }
    }
}
