//! The pieces of a source that can be read independently.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use futures::{FutureExt, StreamExt};
use object_store::ObjectStoreExt;

use super::parquet_file::{Batch, ParquetFile};
use super::plan::Plan;
use super::stage::Stage;
use super::workers::share_out;
use crate::engine::ScanStats;
use crate::engine::files_table::{FilesTable, ScanFile};
use crate::ingest::CancelToken;
use crate::store::files::{FileStore, StoredFile};
use crate::{Error, Result};

/// Rows of a piece of a batch in memory.
const PIECE_ROWS: usize = 1 << 20;

/// A source, opened for one scan.
pub(super) struct Input {
    pub(super) files: Vec<ParquetFile>,
    pub(super) batches: Vec<RecordBatch>,
    /// Any other table.
    stream: Option<Stream>,
    files_total: u64,
    bytes: Arc<AtomicU64>,
}

struct Stream {
    table: Arc<dyn TableProvider>,
    context: SessionContext,
    runtime: tokio::runtime::Runtime,
}

/// Something to read.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    Group {
        file: usize,
        group: usize,
    },
    Batch {
        batch: usize,
        rows: Range<usize>,
    },
    /// All of another table.
    Stream,
}

impl Input {
    /// Opens what may hold rows from `from` until before `to`.
    pub(super) fn open(
        table: &Arc<dyn TableProvider>,
        context: &SessionContext,
        (from, to): (i64, i64),
        threads: usize,
        cancel: &CancelToken,
    ) -> Result<Self> {
        let mut input = Input {
            files: Vec::new(),
            batches: Vec::new(),
            stream: None,
            files_total: 0,
            bytes: Arc::default(),
        };
        if let Some(table) = table.downcast_ref::<FilesTable>() {
            let scans: Vec<&ScanFile> = table.in_time(from, to).collect();
            input.files_total = table.files().len() as u64;
            table.counters().add(input.files_total, scans.len() as u64);
            let open = |opened: &mut Vec<(usize, ParquetFile)>, at: usize| {
                let scan = scans[at];
                let file = open_file(table.store(), scan, context)?;
                opened.push((at, ParquetFile::open(file, scan, &input.bytes)?));
                Ok(())
            };
            let opened = share_out(threads, scans.len(), cancel, Vec::new, open)?;
            let mut opened: Vec<_> = opened.into_iter().flatten().collect();
            opened.sort_by_key(|(at, _)| *at);
            input.files = opened.into_iter().map(|(_, file)| file).collect();
            input.batches = table.batches().to_vec();
        } else if let Some(table) = table.downcast_ref::<MemTable>() {
            for partition in &table.batches {
                match partition.try_read() {
                    Ok(batches) => input.batches.extend(batches.iter().cloned()),
                    Err(_) => {
                        return Err(Error::new(
                            crate::ErrorKind::Unavailable,
                            "the table in memory is being written to; ask again",
                        ));
                    }
                }
            }
        } else {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(threads.max(1))
                .enable_all()
                .build()
                .map_err(|e| Error::io("cannot start a thread", e))?;
            input.stream = Some(Stream {
                table: Arc::clone(table),
                context: context.clone(),
                runtime,
            });
        }
        Ok(input)
    }

    /// Lists the pieces that may hold asked rows. The plan of another table is made here.
    pub(super) fn pieces(&self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for (file, opened) in self.files.iter().enumerate() {
            pieces.extend((0..opened.groups()).map(|group| Piece::Group { file, group }));
        }
        pieces.extend(self.batch_pieces());
        if self.stream.is_some() {
            pieces.push(Piece::Stream);
        }
        pieces
    }

    pub(super) fn batch_pieces(&self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for (batch, rows) in self.batches.iter().map(RecordBatch::num_rows).enumerate() {
            let starts = (0..rows).step_by(PIECE_ROWS);
            pieces.extend(starts.map(|start| Piece::Batch {
                batch,
                rows: start..(start + PIECE_ROWS).min(rows),
            }));
        }
        pieces
    }

    /// Returns the number of rows before any condition, if it is known.
    pub(super) fn rows(&self) -> Option<u64> {
        if self.stream.is_some() {
            return None;
        }
        let in_memory = self.batches.iter().map(|b| b.num_rows() as u64);
        Some(
            self.files
                .iter()
                .map(ParquetFile::rows)
                .chain(in_memory)
                .sum(),
        )
    }

    /// Reads a piece in batches of about `batch_rows`, with an array for each of [`Plan::read`].
    pub(super) fn read(
        &self,
        piece: &Piece,
        plan: &Plan,
        batch_rows: usize,
        sink: &mut dyn FnMut(Batch) -> Result<()>,
    ) -> Result<()> {
        match piece {
            Piece::Group { file, group } => {
                let Some(file) = self.files.get(*file) else {
                    return Ok(());
                };
                let time = plan.shape.time();
                let Some(selection) = file.in_time(*group, time, plan.from, plan.to) else {
                    return Ok(());
                };
                for batch in file.read(*group, &plan.read, plan.actor, selection, batch_rows)? {
                    sink(batch?)?;
                }
                Ok(())
            }
            Piece::Batch { batch, rows } => {
                let Some(batch) = self.batches.get(*batch) else {
                    return Ok(());
                };
                for start in rows.clone().step_by(batch_rows) {
                    let length = batch_rows.min(rows.end - start);
                    sink(columns_of(&batch.slice(start, length), plan))?;
                }
                Ok(())
            }
            Piece::Stream => match &self.stream {
                Some(stream) => stream.read(plan, batch_rows, sink),
                None => Ok(()),
            },
        }
    }

    /// Says whether the first times are whole milliseconds, so that rows of one actor at the same time
    /// are to be expected. True where a look would cost a query.
    pub(super) fn times_are_coarse(&self, pieces: &[Piece], plan: &Plan) -> bool {
        const LOOKED_AT: usize = 1_024;
        let (Some(piece), None) = (pieces.first(), &self.stream) else {
            return true;
        };
        let probe = plan.times_only();
        let mut stage = Stage::new(&probe);
        let mut coarse = None;
        // The first batch is enough: an error ends the reading, and what it says shows again later.
        let _ = self.read(piece, &probe, LOOKED_AT, &mut |(columns, rows)| {
            let staged = stage.stage(&columns, rows)?;
            let times = staged.and_then(|s| s.times).unwrap_or_default();
            coarse = Some(times.iter().all(|t| t % 1_000 == 0));
            Err(Error::internal("one batch was asked for"))
        });
        coarse.unwrap_or(true)
    }

    /// Returns what was read so far.
    pub(super) fn stats(&self) -> ScanStats {
        ScanStats {
            files_total: self.files_total,
            files_read: self.files.len() as u64,
            bytes_read: self.bytes.load(Ordering::Relaxed),
        }
    }
}

fn columns_of(batch: &RecordBatch, plan: &Plan) -> Batch {
    let column = |name: &String| batch.column_by_name(name).cloned();
    (plan.read.iter().map(column).collect(), batch.num_rows())
}

impl Stream {
    fn read(
        &self,
        plan: &Plan,
        batch_rows: usize,
        sink: &mut dyn FnMut(Batch) -> Result<()>,
    ) -> Result<()> {
        let schema = self.table.schema();
        let projection: Vec<usize> = plan
            .read
            .iter()
            .filter_map(|name| schema.index_of(name).ok())
            .collect();
        self.runtime.block_on(async {
            let state = self.context.state();
            let physical: Arc<dyn ExecutionPlan> = self
                .table
                .scan(&state, Some(&projection), &[], None)
                .await?;
            let task = self.context.task_ctx();
            let mut rows = datafusion::physical_plan::execute_stream(physical, task)?;
            while let Some(batch) = rows.next().await {
                let batch = batch?;
                for start in (0..batch.num_rows()).step_by(batch_rows) {
                    let length = batch_rows.min(batch.num_rows() - start);
                    sink(columns_of(&batch.slice(start, length), plan))?;
                }
            }
            Ok(())
        })
    }
}

/// Opens a data file of a table for reading by several threads.
fn open_file(
    url: &ObjectStoreUrl,
    scan: &ScanFile,
    context: &SessionContext,
) -> Result<StoredFile> {
    if *url == ObjectStoreUrl::local_filesystem() {
        let path = object_store::local::LocalFileSystem::new()
            .path_to_filesystem(&scan.path)
            .map_err(|e| {
                Error::invalid_data(format!("the path `{}` cannot be used: {e}", scan.path))
            })?;
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Error::invalid_data(format!(
                "`{}` is no file",
                path.display()
            )));
        };
        return FileStore::local(folder).open(&name.to_string_lossy());
    }
    let store = context.runtime_env().object_store(url)?;
    let waited =
        || Error::internal("a store of files that is not at hand cannot be scanned by actor");
    let got = async { store.get(&scan.path).await?.bytes().await };
    let bytes = got.now_or_never().ok_or_else(waited)?;
    let bytes = bytes.map_err(|e| Error::from(datafusion::error::DataFusionError::from(e)))?;
    Ok(StoredFile::in_memory(scan.path.as_ref(), bytes))
}
