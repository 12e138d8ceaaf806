//! Rows in the order of actors, a run of one actor at a time.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::buffer::ScalarBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type};
use bytes::Bytes;
use parquet::arrow::arrow_reader::RowSelection;

use super::Column;
use super::ahead::{Ahead, Group, Slot};
use super::code::to_dictionary;
use super::parquet_file::{GroupReader, ParquetFile};
use super::plan::Plan;
use super::stage::{Stage, Staged};
use crate::{Error, Result};

/// Row groups of a file that others may read while one is merged; they bound the memory that this takes.
const GROUPS_AHEAD: usize = 2;

/// Adjacent rows of one actor.
#[derive(Debug, Clone, Copy)]
struct Run {
    start: u32,
    /// Place of the name.
    name: u32,
}

/// A batch in the order of actors.
#[derive(Debug, Clone)]
pub(super) struct Loaded {
    names: StringArray,
    runs: Vec<Run>,
    pub(super) times: ScalarBuffer<i64>,
    pub(super) columns: Vec<Column>,
}

impl Loaded {
    /// Takes rows whose actors are adjacent.
    pub(super) fn new(staged: Staged) -> Result<Self> {
        let lacking = || Error::internal("a batch lacks its actors or times");
        let actors = staged.actors.ok_or_else(lacking)?;
        let times = staged.times.ok_or_else(lacking)?;
        if matches!(actors.data_type(), DataType::Dictionary(..)) {
            let actors = to_dictionary(&actors)?;
            let encoded = actors.as_dictionary::<Int32Type>();
            let names = encoded.values().as_string::<i32>().clone();
            let keys = encoded.keys().values();
            let mut runs = Vec::with_capacity(1_024);
            let mut last = -1;
            for (row, &key) in keys.iter().enumerate() {
                if key != last {
                    last = key;
                    runs.push(Run {
                        start: row as u32,
                        name: key as u32,
                    });
                }
            }
            return Ok(Loaded {
                names,
                runs,
                times,
                columns: staged.columns,
            });
        }
        let names: ArrayRef = cast(&actors, &DataType::Utf8)?;
        Ok(Loaded::plain(
            names.as_string::<i32>().clone(),
            times,
            staged.columns,
        ))
    }

    /// Takes rows with the name of each.
    pub(super) fn plain(
        names: StringArray,
        times: ScalarBuffer<i64>,
        columns: Vec<Column>,
    ) -> Self {
        let mut runs: Vec<Run> = Vec::new();
        for row in 0..names.len() {
            if row == 0 || names.value(row) != names.value(row - 1) {
                runs.push(Run {
                    start: row as u32,
                    name: row as u32,
                });
            }
        }
        Loaded {
            names,
            runs,
            times,
            columns,
        }
    }

    fn name(&self, run: usize) -> &[u8] {
        match self.runs.get(run) {
            Some(run) => self.names.value(run.name as usize).as_bytes(),
            None => &[],
        }
    }

    fn start(&self, run: usize) -> usize {
        self.runs
            .get(run)
            .map_or(self.times.len(), |run| run.start as usize)
    }
}

/// The actors of a range by name; ends are left open.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    pub(super) from: Option<Bytes>,
    /// Exclusive.
    pub(super) to: Option<Bytes>,
}

/// Where the batches come from.
enum Feed<'a> {
    File(Box<FileFeed<'a>>),
    Memory(Option<Loaded>),
}

/// The row groups of a file.
struct FileFeed<'a> {
    plan: &'a Plan,
    file: &'a ParquetFile,
    groups: VecDeque<(usize, Option<RowSelection>)>,
    reader: Option<GroupReader>,
    stage: Stage<'a>,
    ahead: &'a Ahead<'a>,
    /// The row groups before `groups`, which others may be reading.
    asked: VecDeque<Arc<Slot<'a>>>,
    /// The rest of one that was read ahead.
    read: VecDeque<Loaded>,
}

impl FileFeed<'_> {
    /// Asks for row groups if there is somebody to read them.
    fn ask(&mut self) {
        while self.asked.len() < GROUPS_AHEAD
            && self.ahead.has_idle()
            && let Some((group, selection)) = self.groups.pop_front()
        {
            self.asked.push_back(self.ahead.ask(Group {
                plan: self.plan,
                file: self.file,
                group,
                selection,
            }));
        }
    }

    fn next(&mut self) -> Result<Option<Loaded>> {
        loop {
            if let Some(batch) = self.read.pop_front() {
                return Ok(Some(batch));
            }
            if let Some(open) = &mut self.reader {
                match open.next().transpose()? {
                    None => self.reader = None,
                    Some((columns, rows)) => {
                        if let Some(staged) = self.stage.stage(&columns, rows)? {
                            self.ask();
                            return Ok(Some(Loaded::new(staged)?));
                        }
                    }
                }
                continue;
            }
            if let Some(slot) = self.asked.pop_front() {
                self.ask();
                self.read = self.ahead.take(&slot)?;
                continue;
            }
            let Some((group, selection)) = self.groups.pop_front() else {
                return Ok(None);
            };
            let (plan, file) = (self.plan, self.file);
            let rows = plan.sizes.batch;
            self.reader = Some(file.read(group, &plan.read, plan.actor, selection, rows)?);
            self.ask();
        }
    }
}

impl Drop for FileFeed<'_> {
    fn drop(&mut self) {
        for slot in &self.asked {
            slot.forget();
        }
    }
}

/// Goes through rows run by run.
pub(super) struct Cursor<'a> {
    feed: Feed<'a>,
    range: &'a Names,
    batch: Option<Loaded>,
    /// Batches so far.
    pub(super) batches: u64,
    run: usize,
    /// Runs of the batch that are in the range.
    end: usize,
    /// The first bytes of the name, which settle most comparisons.
    prefix: u64,
    /// Whether rows of the same time are in the order of their ids.
    pub(super) ids_in_order: bool,
}

impl<'a> Cursor<'a> {
    /// Goes through row groups of a file.
    pub(super) fn file(
        plan: &'a Plan,
        file: &'a ParquetFile,
        groups: &[(usize, Option<RowSelection>)],
        range: &'a Names,
        ahead: &'a Ahead<'a>,
    ) -> Result<Self> {
        let feed = FileFeed {
            plan,
            file,
            groups: groups.iter().cloned().collect(),
            reader: None,
            stage: Stage::new(plan),
            ahead,
            asked: VecDeque::new(),
            read: VecDeque::new(),
        };
        Cursor::start(Feed::File(Box::new(feed)), range, true)
    }

    /// Goes through rows in memory.
    pub(super) fn memory(rows: Loaded, range: &'a Names) -> Result<Self> {
        Cursor::start(Feed::Memory(Some(rows)), range, false)
    }

    fn start(feed: Feed<'a>, range: &'a Names, ids: bool) -> Result<Self> {
        let mut cursor = Cursor {
            feed,
            range,
            batch: None,
            batches: 0,
            run: 0,
            end: 0,
            prefix: 0,
            ids_in_order: ids,
        };
        cursor.load()?;
        Ok(cursor)
    }

    /// Returns the batch of the current run, or `None` at the end.
    pub(super) fn batch(&self) -> Option<&Loaded> {
        self.batch.as_ref()
    }

    pub(super) fn name(&self) -> &[u8] {
        self.batch.as_ref().map_or(&[], |b| b.name(self.run))
    }

    pub(super) fn prefix(&self) -> u64 {
        self.prefix
    }

    /// Returns the rows of the current run in its batch.
    pub(super) fn rows(&self) -> std::ops::Range<usize> {
        match &self.batch {
            Some(batch) => batch.start(self.run)..batch.start(self.run + 1),
            None => 0..0,
        }
    }

    /// Returns the starts of the runs of the batch from the current one on, all but the last, which
    /// may go on in the next batch; the last element is where that begins. `None` if there is none.
    pub(super) fn whole_runs(&self) -> Option<(Vec<u32>, Vec<&str>)> {
        let batch = self.batch.as_ref()?;
        let runs = batch.runs.get(self.run..self.end)?;
        if runs.len() < 2 {
            return None;
        }
        let starts = runs.iter().map(|run| run.start).collect();
        let names = runs.iter().take(runs.len() - 1);
        Some((
            starts,
            names
                .map(|run| batch.names.value(run.name as usize))
                .collect(),
        ))
    }

    /// Goes on to the last run of the batch.
    pub(super) fn skip_whole_runs(&mut self) {
        self.run = self.end.saturating_sub(1).max(self.run);
        self.prefix = prefix(self.name());
    }

    /// Goes on to the next run, which may be of the same actor if it begins a batch.
    pub(super) fn advance(&mut self) -> Result<()> {
        if self.run + 1 >= self.end {
            return self.load();
        }
        let Some(batch) = &self.batch else {
            return Ok(());
        };
        let (old, new) = (batch.name(self.run), batch.name(self.run + 1));
        let next = prefix(new);
        if compare(next, new, self.prefix, old).is_le() {
            return Err(self.disorder());
        }
        self.run += 1;
        self.prefix = next;
        Ok(())
    }

    fn disorder(&self) -> Error {
        let path = match &self.feed {
            Feed::File(feed) => feed.file.path(),
            Feed::Memory(_) => "rows in memory",
        };
        Error::invalid_data(format!(
            "`{path}` says that its rows are sorted by actor, but they are not; write the file anew"
        ))
    }

    /// Loads the next batch that has rows in the range.
    fn load(&mut self) -> Result<()> {
        let last = self.batch.take().map(|batch| batch.name(self.run).to_vec());
        while let Some(batch) = self.next_batch()? {
            self.batches += 1;
            let runs = &batch.runs;
            let name = |run: &Run| batch.names.value(run.name as usize).as_bytes();
            let from = match &self.range.from {
                Some(from) => runs.partition_point(|run| name(run) < from.as_ref()),
                None => 0,
            };
            let to = match &self.range.to {
                Some(to) => runs.partition_point(|run| name(run) < to.as_ref()),
                None => runs.len(),
            };
            if from >= to {
                if to < runs.len() {
                    return Ok(()); // beyond the range
                }
                continue;
            }
            self.run = from;
            self.end = to;
            self.batch = Some(batch);
            if last.as_deref().is_some_and(|last| self.name() < last) {
                return Err(self.disorder());
            }
            self.prefix = prefix(self.name());
            return Ok(());
        }
        Ok(())
    }

    fn next_batch(&mut self) -> Result<Option<Loaded>> {
        match &mut self.feed {
            Feed::Memory(rows) => Ok(rows.take()),
            Feed::File(feed) => feed.next(),
        }
    }
}

/// Compares names, given their prefixes.
pub(super) fn compare(a_prefix: u64, a: &[u8], b_prefix: u64, b: &[u8]) -> Ordering {
    a_prefix.cmp(&b_prefix).then_with(|| a.cmp(b))
}

/// Returns the first eight bytes as a number that orders as they do.
pub(super) fn prefix(name: &[u8]) -> u64 {
    match name.first_chunk::<8>() {
        Some(bytes) => u64::from_be_bytes(*bytes),
        None => {
            let mut bytes = [0; 8];
            for (to, from) in bytes.iter_mut().zip(name) {
                *to = *from;
            }
            u64::from_be_bytes(bytes)
        }
    }
}
