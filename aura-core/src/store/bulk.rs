//! Bulk ingest: a source goes straight to Parquet files, which enter the catalog in one commit.

mod commit;
mod rejects;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::AsArray;
use arrow::record_batch::RecordBatch;

use super::append::{partly_known, with_ids};
use super::caller::{Wanted, tell};
use super::encode_pool::EncodePool;
use super::files::Writeback;
use super::flush::Uncommitted;
use super::ids::{ChainHasher, Pending};
use super::parquet_out::{EventEncoder, EventWriter, Profile};
use super::partition::{Partition, split};
use super::writer::{WriterHandle, wait};
use super::{Shared, Store, rows};
use crate::event::PropertyType;
use crate::ingest::check::Checked;
use crate::ingest::open::{open, parse};
use crate::ingest::parallel::caught;
use crate::ingest::plan_of::plan;
use crate::ingest::{IngestOptions, IngestReport, Progress, Reject, Source, parallel};
use crate::{Error, Result};

/// Rows of a row group: enough for dictionaries to pay, few enough to hold several in memory.
const GROUP_ROWS: usize = 131_072;
/// Bytes of rows that wait for their row group; beyond it the largest group is written early.
const WAITING_BYTES: usize = 96 << 20;
/// Files that are open at once; a source in random order over many partitions closes and opens.
const OPEN_FILES: usize = 64;

impl Store {
    /// Reads a source into the store: a path, a glob, bytes, a stream, Arrow batches or (feature
    /// `git`) a repository.
    ///
    /// All of it becomes visible in one commit at the end, or nothing does. Rows that cannot be
    /// accepted go to the quarantine, and the report counts them. A source sent twice counts once:
    /// rows are known by their event id, or without one by the content of the source up to and
    /// including them. Memory is constant, however large the source.
    ///
    /// Dropping the future cancels the ingest as its [`CancelToken`](crate::ingest::CancelToken) does: it
    /// soon ends, and nothing of it is kept unless its commit had begun.
    ///
    /// # Errors
    /// `NotFound` when no file matches; `InvalidSpec` when a role has no column; `InvalidData` when
    /// the source is in no known format or is damaged; `Cancelled`; `ResourceExhausted` on a full
    /// disk or beyond a limit. `InvalidSpec`, too, when the callback for the progress panics.
    pub async fn ingest(&self, source: impl Into<Source>) -> Result<IngestReport> {
        self.ingest_with(source, &IngestOptions::default()).await
    }

    /// Reads a source with options.
    ///
    /// # Errors
    /// As [`ingest`](Self::ingest).
    pub async fn ingest_with(
        &self,
        source: impl Into<Source>,
        options: &IngestOptions,
    ) -> Result<IngestReport> {
        let (source, options) = (source.into(), options.clone());
        let (wanted, waiting) = Wanted::new(&options);
        let outcome = self
            .blocking(move |shared, writer, _| ingest(shared, writer, source, &options, &wanted))
            .await;
        drop(waiting);
        outcome
    }
}

fn ingest(
    shared: &Arc<Shared>,
    writer: &WriterHandle,
    source: Source,
    options: &IngestOptions,
    wanted: &Wanted,
) -> Result<IngestReport> {
    wanted.check()?;
    options.limits.check()?;
    let inputs = source.inner.resolve()?;
    wait(writer.run(|w| w.load_ids())?)?;
    let threads = shared.settings.threads();
    let total = inputs.iter().map(|i| i.size()).sum::<Option<u64>>();
    let bytes_read = Arc::new(AtomicU64::new(0));
    let (mut sink, ()) = std::thread::scope(|scope| -> Result<(Outcome, ())> {
        let pool = EncodePool::new(scope, threads);
        let mut bulk = Bulk::new(shared, writer, pool, Writeback::new(scope));
        for input in inputs {
            let size = input.size();
            let before = bytes_read.load(Ordering::Relaxed);
            let opened = open(input, options, &bytes_read)?;
            let existing = shared.read(|conn| Ok(rows::properties(&shared.columns(conn)?)))?;
            if opened.available.keys.is_empty() {
                // Nothing but rejects, or nothing at all.
                let name = Arc::clone(&opened.name);
                return_rejects_only(&mut bulk, opened, options, wanted, &name)?;
                bulk.report_progress(options, bytes_read.load(Ordering::Relaxed), total)?;
                continue;
            }
            let (plan, contract) = plan(options, &opened.available, &existing)
                .map_err(|e| Error::new(e.kind(), format!("{}: {}", opened.name, e.message())))?;
            let properties = plan
                .properties
                .iter()
                .map(|p| (p.name.clone(), p.ty))
                .collect();
            bulk.begin_input(properties);
            bulk.report.notes.extend(plan.note(&opened.name));
            let (name, preset) = (Arc::clone(&opened.name), opened.preset);
            parallel::ordered(
                threads,
                opened.pieces.map(|piece| {
                    wanted.check()?;
                    // What was read when the piece was cut off: later pieces are read while it is parsed.
                    Ok((piece?, bytes_read.load(Ordering::Relaxed)))
                }),
                |(piece, bytes)| {
                    let limits = &options.limits;
                    let preset = preset.as_ref();
                    let checked = parse(piece, &plan, contract.as_ref(), &name, limits, preset)?;
                    Ok((checked, bytes))
                },
                |(checked, bytes)| {
                    if bulk.input.rows == 0 {
                        checked.refuse_naive()?;
                    }
                    if bulk.report.read == 0
                        && let Some(total) = total.filter(|_| bytes > 0)
                    {
                        bulk.ids
                            .expect(checked.rows_read.saturating_mul(total) / bytes);
                    }
                    bulk.take(checked, options)?;
                    bulk.report_progress(options, bytes, total)
                },
            )?;
            bulk.end_input(&name);
            if let Some(size) = size.filter(|_| bytes_read.load(Ordering::Relaxed) == before) {
                bytes_read.fetch_add(size, Ordering::Relaxed);
            }
            bulk.report_progress(options, bytes_read.load(Ordering::Relaxed), total)?;
        }
        Ok((bulk.finish()?, ()))
    })?;
    wanted.check()?;
    sink.report.bytes = bytes_read.load(Ordering::Relaxed);
    commit::commit(shared, writer, sink, wanted)
}

/// Reads an input in whose first rows no key was found: all of its rows are rejects.
fn return_rejects_only(
    bulk: &mut Bulk<'_>,
    opened: crate::ingest::open::Opened,
    options: &IngestOptions,
    wanted: &Wanted,
    name: &Arc<str>,
) -> Result<()> {
    let available = crate::ingest::plan_of::Available {
        keys: ["actor", "event", "time"].map(str::to_owned).to_vec(),
        typed: Vec::new(),
    };
    let neutral = IngestOptions {
        limits: options.limits.clone(),
        ..IngestOptions::default()
    };
    let (plan, _) = plan(&neutral, &available, &[])?;
    for piece in opened.pieces {
        wanted.check()?;
        let checked = parse(
            piece?,
            &plan,
            None,
            name,
            &options.limits,
            opened.preset.as_ref(),
        )?;
        if checked.batch.num_rows() > 0 {
            return Err(Error::invalid_data(format!(
                "{name}: no row among the first ones has a key, but later ones have; name the columns with `roles`"
            )));
        }
        bulk.take(checked, options)?;
    }
    Ok(())
}

/// What is written and not yet committed.
struct Outcome {
    report: IngestReport,
    files: Uncommitted,
    rejects: Uncommitted,
    ids: Pending,
    reject_ids: Option<Pending>,
}

struct OpenFile {
    writer: EventWriter,
    encoder: Arc<EventEncoder>,
}

/// What is known of the input that is being read.
#[derive(Default)]
struct InputState {
    /// Columns that it needs and the store may lack. They are made with its first new row, so that a source
    /// that gives none leaves no trace.
    wanted: Option<Vec<(String, PropertyType)>>,
    rows: u64,
    /// Rows whose id was made from the content: those that were known already, and the others.
    known: u64,
    new: u64,
}

/// The sink of an ingest: makes ids, drops duplicates, and writes row groups.
struct Bulk<'a> {
    shared: &'a Arc<Shared>,
    writer: &'a WriterHandle,
    input: InputState,
    pool: EncodePool<Partition>,
    writeback: Writeback<'a>,
    schema: arrow::datatypes::SchemaRef,
    chain: ChainHasher,
    ids: Pending,
    waiting: BTreeMap<Partition, (Vec<RecordBatch>, usize, usize)>,
    waiting_bytes: usize,
    open: BTreeMap<Partition, OpenFile>,
    files: Uncommitted,
    rejects: Vec<Reject>,
    reject_bytes: usize,
    reject_writer: Option<(EventWriter, Arc<EventEncoder>)>,
    reject_files: Uncommitted,
    /// `None` before the first reject.
    reject_ids: Option<Pending>,
    report: IngestReport,
}

impl<'a> Bulk<'a> {
    fn new(
        shared: &'a Arc<Shared>,
        writer: &'a WriterHandle,
        pool: EncodePool<Partition>,
        writeback: Writeback<'a>,
    ) -> Self {
        Bulk {
            writeback,
            shared,
            writer,
            input: InputState::default(),
            pool,
            schema: Arc::new(arrow::datatypes::Schema::empty()),
            chain: ChainHasher::new(),
            ids: shared.ids.begin(),
            waiting: BTreeMap::new(),
            waiting_bytes: 0,
            open: BTreeMap::new(),
            files: Uncommitted::new(&shared.events, Vec::new()),
            rejects: Vec::new(),
            reject_bytes: 0,
            reject_writer: None,
            reject_files: Uncommitted::new(&shared.quarantine, Vec::new()),
            reject_ids: None,
            report: IngestReport::default(),
        }
    }

    fn begin_input(&mut self, wanted: Vec<(String, PropertyType)>) {
        self.chain = ChainHasher::new();
        self.input = InputState {
            wanted: Some(wanted),
            ..InputState::default()
        };
    }

    fn end_input(&mut self, name: &str) {
        let InputState { known, new, .. } = self.input;
        self.report.notes.extend(partly_known(name, known, new));
    }

    fn report_progress(
        &self,
        options: &IngestOptions,
        bytes_read: u64,
        bytes_total: Option<u64>,
    ) -> Result<()> {
        let progress = Progress {
            bytes_read,
            bytes_total,
            rows_read: self.report.read,
            rejected: self.report.rejected,
        };
        tell(options, &progress)
    }

    /// Makes the columns that the input needs, if that was not done yet. Files that lack them are closed first.
    fn make_columns(&mut self) -> Result<()> {
        let Some(wanted) = self.input.wanted.take() else {
            return Ok(());
        };
        let added = wait(self.writer.transact(move |w| w.ensure_columns(&wanted))?)??;
        let columns = self.shared.read(|conn| self.shared.columns(conn))?;
        let schema = rows::storage_schema(&columns);
        if schema != self.schema {
            self.close_files()?;
            self.schema = schema;
        }
        self.report.columns_added.extend(added);
        Ok(())
    }

    fn take(&mut self, checked: Checked, options: &IngestOptions) -> Result<()> {
        self.report.read += checked.rows_read;
        self.input.rows += checked.rows_read;
        self.report.dropped += checked.dropped;
        self.count(checked.rejects, options)?;
        if checked.batch.num_rows() == 0 {
            return Ok(());
        }
        let no_id = arrow::compute::is_null(checked.batch.column(0))?;
        let batch = with_ids(checked.batch, &mut self.chain)?;
        let hashes = self
            .shared
            .hasher
            .hash_all(batch.column(0).as_string::<i32>());
        let mut duplicate = Vec::new();
        self.ids.insert_batch(&hashes, &mut duplicate)?;
        let doubles = duplicate.iter().filter(|d| **d).count();
        self.report.duplicate += doubles as u64;
        let made = no_id.true_count() as u64;
        let both = duplicate.iter().zip(no_id.values());
        let known = both.filter(|(known, made)| **known && *made).count() as u64;
        self.input.known += known;
        self.input.new += made - known;
        let batch = if doubles == 0 {
            batch
        } else {
            let keep = duplicate.iter().map(|d| Some(!d)).collect();
            arrow::compute::filter_record_batch(&batch, &keep)?
        };
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.report.accepted += batch.num_rows() as u64;
        self.make_columns()?;
        let batch = rows::conform(&batch, &self.schema)?;
        let time = batch.schema().index_of(crate::event::TIME)?;
        for (partition, part) in split(batch, time, self.shared.partition)? {
            let (rows, bytes) = (part.num_rows(), part.get_array_memory_size());
            let slot = self.waiting.entry(partition).or_default();
            slot.0.push(part);
            slot.1 += rows;
            slot.2 += bytes;
            self.waiting_bytes += bytes;
            if slot.1 >= GROUP_ROWS {
                self.encode(partition)?;
            }
        }
        while self.waiting_bytes > WAITING_BYTES {
            let largest = self
                .waiting
                .iter()
                .max_by_key(|(_, slot)| slot.2)
                .map(|(p, _)| *p);
            match largest {
                Some(partition) => self.encode(partition)?,
                None => break,
            }
        }
        Ok(())
    }

    /// Sends the waiting rows of a partition to be encoded.
    fn encode(&mut self, partition: Partition) -> Result<()> {
        let Some((batches, _, bytes)) = self.waiting.remove(&partition) else {
            return Ok(());
        };
        self.waiting_bytes -= bytes;
        let Some(first) = batches.first() else {
            return Ok(());
        };
        if !self.open.contains_key(&partition) {
            if self.open.len() >= OPEN_FILES {
                self.drain()?;
                if let Some((_, oldest)) = self.open.pop_first() {
                    self.files.files.push(oldest.writer.finish()?);
                }
            }
            let encoder = Arc::new(EventEncoder::like(&self.schema, Profile::Ingest, first)?);
            let path = partition.file_path((self.shared.new_uuid)());
            let writer = EventWriter::create(
                &self.shared.events,
                &path,
                partition.values(),
                Arc::clone(&encoder),
            )?;
            self.open.insert(partition, OpenFile { writer, encoder });
        }
        let encoder = self.open.get(&partition).map(|f| Arc::clone(&f.encoder));
        if let Some(encoder) = encoder {
            self.pool.ask(partition, encoder, batches)?;
        }
        while self.pool.full() {
            self.append_next()?;
        }
        Ok(())
    }

    /// Appends the next encoded row group to its file. Returns whether there was one.
    fn append_next(&mut self) -> Result<bool> {
        let Some(encoded) = self.pool.next() else {
            return Ok(false);
        };
        let (partition, group) = encoded?;
        let file = self
            .open
            .get_mut(&partition)
            .ok_or_else(|| Error::internal("a row group has no open file"))?;
        file.writer.append(group)?;
        if let Some(file) = file.writer.handle() {
            self.writeback.nudge(file);
        }
        Ok(true)
    }

    fn drain(&mut self) -> Result<()> {
        while self.append_next()? {}
        Ok(())
    }

    fn close_files(&mut self) -> Result<()> {
        let waiting: Vec<Partition> = self.waiting.keys().copied().collect();
        for partition in waiting {
            self.encode(partition)?;
        }
        self.drain()?;
        let open = std::mem::take(&mut self.open);
        let writers: Vec<EventWriter> = open.into_values().map(|f| f.writer).collect();
        // Each waits for the disk, which takes them together.
        let finished = std::thread::scope(|scope| {
            let begin = |writer: EventWriter| scope.spawn(|| caught(|| writer.finish()));
            let threads: Vec<_> = writers.into_iter().map(begin).collect();
            let lost = |_| Err(Error::internal("a thread that finishes a file ended early"));
            let wait = threads.into_iter().map(|t| t.join().unwrap_or_else(lost));
            wait.collect::<Result<Vec<_>>>()
        })?;
        self.files.files.extend(finished);
        Ok(())
    }

    fn finish(mut self) -> Result<Outcome> {
        self.close_files()?;
        self.write_rejects()?;
        if let Some((writer, _)) = self.reject_writer.take() {
            self.reject_files.files.push(writer.finish()?);
        }
        self.writeback.finish()?;
        Ok(Outcome {
            report: self.report,
            files: self.files,
            rejects: self.reject_files,
            ids: self.ids,
            reject_ids: self.reject_ids,
        })
    }
}
