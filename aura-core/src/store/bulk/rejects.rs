//! Rejects of an ingest on their way to the quarantine.

use std::sync::Arc;

use super::Bulk;
use crate::Result;
use crate::ingest::{IngestOptions, Reject};
use crate::store::parquet_out::{EventEncoder, EventWriter, Profile};
use crate::store::quarantine;
use crate::store::writer::wait;

/// Rejects that wait for their row group, and the bytes that these may take.
const WAITING_REJECTS: usize = 8_192;
const WAITING_REJECT_BYTES: usize = 32 << 20;

impl Bulk<'_> {
    pub(super) fn count(&mut self, rejects: Vec<Reject>, options: &IngestOptions) -> Result<()> {
        self.report
            .count_rejects(&rejects, options.limits.max_rejects_returned);
        self.reject_bytes += rejects.iter().map(Reject::held_bytes).sum::<usize>();
        self.rejects.extend(rejects);
        if self.rejects.len() >= WAITING_REJECTS || self.reject_bytes >= WAITING_REJECT_BYTES {
            self.write_rejects()?;
        }
        Ok(())
    }

    pub(super) fn write_rejects(&mut self) -> Result<()> {
        if self.rejects.is_empty() {
            return Ok(());
        }
        let now = self.shared.clock.now_us();
        let batch = quarantine::batch(&self.rejects, now, &self.shared.quarantine_schema)?;
        self.rejects.clear();
        self.reject_bytes = 0;
        let ids = match &mut self.reject_ids {
            Some(ids) => ids,
            none => {
                wait(self.writer.run(|w| w.sync_rejects())?)?;
                none.insert(self.shared.reject_ids.begin())
            }
        };
        let batch = quarantine::unknown(self.shared.hasher, ids, &batch)?;
        if batch.num_rows() == 0 {
            return Ok(());
        }
        if self.reject_writer.is_none() {
            let encoder = Arc::new(EventEncoder::like(
                &batch.schema(),
                Profile::Ingest,
                &batch,
            )?);
            let path = format!("{}.parquet", (self.shared.new_uuid)());
            let writer = EventWriter::create(
                &self.shared.quarantine,
                &path,
                Vec::new(),
                Arc::clone(&encoder),
            )?;
            self.reject_writer = Some((writer, encoder));
        }
        if let Some((writer, _)) = &mut self.reject_writer {
            writer.write(&batch)?;
        }
        Ok(())
    }
}
