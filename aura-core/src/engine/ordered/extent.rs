//! The times of the first and the last event.

use std::sync::Arc;

use datafusion::catalog::TableProvider;

use super::input::{Input, Piece};
use super::plan::Purpose;
use super::run::Scanned;
use super::{Request, RowBlock, RowKernel, ScanSource, rows};
use crate::Result;
use crate::engine::ScanStats;
use crate::engine::files_table::{FilesTable, ScanFile};
use crate::ingest::CancelToken;

/// First and last time.
type Range = Option<(i64, i64)>;

fn joined(a: Range, b: Range) -> Range {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (a, b) => a.or(b),
    }
}

/// Finds the first and the last time of rows.
struct FirstAndLast;

impl RowKernel for FirstAndLast {
    type State = Range;

    fn new_state(&self) -> Range {
        None
    }

    fn rows(&self, state: &mut Range, block: &RowBlock) -> Result<()> {
        let times = block.times.as_deref().unwrap_or_default();
        let range = times.iter().min().copied().zip(times.iter().max().copied());
        *state = joined(*state, range);
        Ok(())
    }

    fn combine(&self, into: Range, from: Range) -> Result<Range> {
        Ok(joined(into, from))
    }
}

impl ScanSource {
    /// Finds the times of the first and the last event, in UTC microseconds, inclusive; `None` without events.
    ///
    /// What statistics tell is not read: those of the store's catalog, else those of Parquet footers. Of all else, and
    /// of files in which rows are deleted, the times are read. Blocks as [`actors`](Self::actors) does.
    ///
    /// # Errors
    /// As [`actors`](Self::actors).
    pub(crate) fn extent(&self, cancel: &CancelToken) -> Result<Scanned<Range>> {
        let mut known = None;
        let mut rest = self.clone();
        let mut total = 0;
        if let Some(table) = self.table.downcast_ref::<FilesTable>() {
            let told = |file: &&ScanFile| file.time_range.is_some() && file.deleted.is_empty();
            for file in table.files().iter().filter(told) {
                known = joined(known, file.time_range);
            }
            let files: Vec<ScanFile> = table.files().iter().filter(|f| !told(f)).cloned().collect();
            total = (table.files().len() - files.len()) as u64;
            let only = FilesTable::new(
                table.schema(),
                self.shape.time(),
                table.store().clone(),
                files,
                table.batches().to_vec(),
            );
            rest.table = Arc::new(only);
        }
        let request = Request {
            times: true,
            cancel: cancel.clone(),
            ..Request::default()
        };
        let threads = rest.threads();
        let all = (i64::MIN, i64::MAX);
        let input = Input::open(&rest.table, &rest.context, all, threads, cancel)?;
        let mut pieces = input.pieces();
        pieces.retain(|piece| {
            let Piece::Group { file, group } = piece else {
                return true;
            };
            let file = input.files.get(*file);
            let bounds = file.and_then(|f| f.time_bounds(*group, self.shape.time()));
            known = joined(known, bounds);
            bounds.is_none()
        });
        let kernel = FirstAndLast;
        let plan = rest.plan(&request, Purpose::Rows)?;
        let states = rows::pass(&input, &pieces, &plan, &request, threads, &kernel)?;
        let state = states.into_iter().fold(known, joined);
        let stats = input.stats();
        if let Some(on_scan) = &self.on_scan {
            on_scan(stats.files_read, stats.bytes_read);
        }
        Ok(Scanned {
            state,
            stats: ScanStats {
                files_total: stats.files_total + total,
                ..stats
            },
            actorless: false,
        })
    }
}
