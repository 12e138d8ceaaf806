//! Encodes row groups on several threads and gives them back in the order in which they were asked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::Scope;

use arrow::record_batch::RecordBatch;
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::parquet_out::{EncodedRowGroup, EventEncoder};
use crate::ingest::parallel::caught;
use crate::{Error, Result};

struct Job<K> {
    at: u64,
    key: K,
    encoder: Arc<EventEncoder>,
    batches: Vec<RecordBatch>,
}

/// Threads that encode; they end when the pool is dropped.
pub(crate) struct EncodePool<K> {
    jobs: Sender<Job<K>>,
    done: Receiver<(u64, K, Result<EncodedRowGroup>)>,
    waiting: BTreeMap<u64, (K, Result<EncodedRowGroup>)>,
    asked: u64,
    given: u64,
    most: u64,
}

impl<K: Send> EncodePool<K> {
    /// Starts `threads` threads in `scope`.
    pub(crate) fn new<'s>(scope: &'s Scope<'s, '_>, threads: usize) -> Self
    where
        K: 's,
    {
        let (jobs, work) = bounded::<Job<K>>(threads);
        let (out, done) = unbounded();
        for _ in 0..threads {
            let (work, out) = (work.clone(), out.clone());
            scope.spawn(move || {
                for job in work {
                    let encoded = caught(|| job.encoder.encode(&job.batches));
                    drop(job.batches);
                    if out.send((job.at, job.key, encoded)).is_err() {
                        return;
                    }
                }
            });
        }
        EncodePool {
            jobs,
            done,
            waiting: BTreeMap::new(),
            asked: 0,
            given: 0,
            most: threads as u64 + 1,
        }
    }

    /// Asks for a row group. Call [`next`](Self::next) while it says [`full`](Self::full).
    pub(crate) fn ask(
        &mut self,
        key: K,
        encoder: Arc<EventEncoder>,
        batches: Vec<RecordBatch>,
    ) -> Result<()> {
        let job = Job {
            at: self.asked,
            key,
            encoder,
            batches,
        };
        self.asked += 1;
        self.jobs
            .send(job)
            .map_err(|_| Error::internal("the encoding threads are gone"))
    }

    /// Says whether as many row groups are on their way as memory allows.
    pub(crate) fn full(&self) -> bool {
        self.asked - self.given >= self.most
    }

    /// Waits for the next row group, in the order of asking; `None` when none is on its way.
    pub(crate) fn next(&mut self) -> Option<Result<(K, EncodedRowGroup)>> {
        if self.given == self.asked {
            return None;
        }
        loop {
            if let Some((key, encoded)) = self.waiting.remove(&self.given) {
                self.given += 1;
                return Some(encoded.map(|encoded| (key, encoded)));
            }
            match self.done.recv() {
                Ok((at, key, encoded)) => {
                    self.waiting.insert(at, (key, encoded));
                }
                Err(_) => return Some(Err(Error::internal("the encoding threads are gone"))),
            }
        }
    }
}
