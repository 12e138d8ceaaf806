//! A sorted run of keys in a file, with its Bloom filter.
//!
//! The file is a row of pages of 4,096 bytes: an 8-byte checksum, then up to 408 keys of 10 bytes
//! (rest and tag, little endian), all pages full but the last. The partition of a key follows from
//! its place through a directory in memory. Keys are hashes, so their places are known beforehand
//! to within a few dozen: a lookup reads one page, rarely two.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::filter::{Filter, FilterWriter};
use super::key::{PARTITIONS, join, partition, rest, scale, tag};
use super::spill::{SpillWriter, damaged, read_exact_at};

const PAGE_BYTES: usize = 4096;
const SUM_BYTES: usize = 8;
const KEY_BYTES: usize = 10;
const PAGE_KEYS: u64 = ((PAGE_BYTES - SUM_BYTES) / KEY_BYTES) as u64;
/// Pages that a sequential reader fetches at once.
const READ_AHEAD: u64 = 64;

type Page = [u8; PAGE_BYTES];

fn checksum(page: &Page, number: u64) -> [u8; SUM_BYTES] {
    // The number tells a page that was read from, or written to, a wrong place.
    xxh3_64(&page[SUM_BYTES..])
        .wrapping_add(number)
        .to_le_bytes()
}

fn check(page: &Page, number: u64) -> crate::Result<()> {
    if page[..SUM_BYTES] == checksum(page, number) {
        Ok(())
    } else {
        Err(damaged())
    }
}

/// Returns the rest and the tag at place `at`, below [`PAGE_KEYS`], of a page.
#[inline]
fn entry(page: &Page, at: u64) -> (u64, u16) {
    let from = SUM_BYTES + at as usize * KEY_BYTES;
    let mut rest = [0; 8];
    let mut tag = [0; 2];
    rest.copy_from_slice(&page[from..from + 8]);
    tag.copy_from_slice(&page[from + 8..from + KEY_BYTES]);
    (u64::from_le_bytes(rest), u16::from_le_bytes(tag))
}

/// An immutable set of keys on disk.
pub(super) struct Run {
    file: File,
    len: u64,
    /// Partition `p` has the places `directory[p]..directory[p + 1]`.
    directory: Box<[u64]>,
    filter: Filter,
}

impl Run {
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.filter.memory_bytes() + size_of_val(&*self.directory)
    }

    #[cfg(test)]
    pub(super) fn disk_bytes(&self) -> u64 {
        self.len.div_ceil(PAGE_KEYS) * PAGE_BYTES as u64 + self.filter.disk_bytes()
    }

    /// Marks in `hit` the keys that are present; keys already marked are skipped.
    ///
    /// # Errors
    /// `Unavailable` when a file cannot be read, ends too early or was damaged.
    pub(super) fn probe(&self, keys: &[u128], hit: &mut [bool]) -> crate::Result<()> {
        let mut candidates = Vec::new();
        self.filter.candidates(keys, hit, &mut candidates)?;
        // In the order of the file, neighbours share a page. What the filter lets through of a
        // batch of new keys is too sparse for that.
        if candidates.len() as u64 > self.len / PAGE_KEYS / 16 {
            candidates.sort_unstable();
        }
        let mut page = LoadedPage::new();
        for (key, at) in candidates {
            if self.find(key, &mut page)?
                && let Some(hit) = hit.get_mut(at as usize)
            {
                *hit = true;
            }
        }
        Ok(())
    }

    fn find(&self, key: u128, page: &mut LoadedPage) -> crate::Result<bool> {
        let wanted = (rest(key), tag(key));
        let number = partition(key);
        let (start, end) = (self.directory[number], self.directory[number + 1]);
        let keys = (end - start) as usize;
        let (mut low, mut high) = (start, end);
        // Invariant: the key, if present, has a place in low..high.
        while low < high {
            let guess = (start + scale(wanted.0, keys) as u64).clamp(low, high - 1);
            let number = guess / PAGE_KEYS;
            let page = page.load(&self.file, number)?;
            let first = (number * PAGE_KEYS).max(low);
            let end = ((number + 1) * PAGE_KEYS).min(high);
            let base = number * PAGE_KEYS;
            if wanted < entry(page, first - base) {
                high = first;
            } else if wanted > entry(page, end - 1 - base) {
                low = end;
            } else {
                let (mut from, mut to) = (first - base, end - base);
                while from < to {
                    let middle = from + (to - from) / 2;
                    match entry(page, middle).cmp(&wanted) {
                        std::cmp::Ordering::Less => from = middle + 1,
                        std::cmp::Ordering::Equal => return Ok(true),
                        std::cmp::Ordering::Greater => to = middle,
                    }
                }
                return Ok(false);
            }
        }
        Ok(false)
    }
}

/// The page read last.
struct LoadedPage {
    number: Option<u64>,
    bytes: Box<Page>,
}

impl LoadedPage {
    fn new() -> Self {
        LoadedPage {
            number: None,
            bytes: Box::new([0; PAGE_BYTES]),
        }
    }

    fn load(&mut self, file: &File, number: u64) -> crate::Result<&Page> {
        if self.number != Some(number) {
            self.number = None;
            read_exact_at(file, &mut self.bytes[..], number * PAGE_BYTES as u64)?;
            check(&self.bytes, number)?;
            self.number = Some(number);
        }
        Ok(&self.bytes)
    }
}

/// Writes a run from ascending keys; a key that comes twice is written once.
pub(super) struct RunWriter {
    out: SpillWriter,
    filter: FilterWriter,
    page: Box<Page>,
    page_keys: u64,
    len: u64,
    last: Option<u128>,
    directory: Vec<u64>,
}

impl RunWriter {
    /// Begins a run of at most `keys` keys in `dir`, with its filter in memory or in a file.
    pub(super) fn new(dir: &Path, keys: u64, resident_filter: bool) -> crate::Result<Self> {
        let filter_file = match resident_filter {
            true => None,
            false => Some(SpillWriter::create(dir)?),
        };
        Ok(RunWriter {
            out: SpillWriter::create(dir)?,
            filter: FilterWriter::new(keys, filter_file),
            page: Box::new([0; PAGE_BYTES]),
            page_keys: 0,
            len: 0,
            last: None,
            directory: Vec::with_capacity(PARTITIONS + 1),
        })
    }

    #[inline]
    pub(super) fn push(&mut self, key: u128) -> crate::Result<()> {
        if self.last == Some(key) {
            return Ok(());
        }
        self.last = Some(key);
        while self.directory.len() <= partition(key) {
            self.directory.push(self.len);
        }
        self.filter.push(key)?;
        let at = SUM_BYTES + self.page_keys as usize * KEY_BYTES;
        self.page[at..at + 8].copy_from_slice(&rest(key).to_le_bytes());
        self.page[at + 8..at + KEY_BYTES].copy_from_slice(&tag(key).to_le_bytes());
        self.page_keys += 1;
        self.len += 1;
        if self.page_keys == PAGE_KEYS {
            self.write_page()?;
        }
        Ok(())
    }

    fn write_page(&mut self) -> crate::Result<()> {
        let number = (self.len - 1) / PAGE_KEYS;
        let sum = checksum(&self.page, number);
        self.page[..SUM_BYTES].copy_from_slice(&sum);
        self.out.write(&self.page[..])?;
        self.page.fill(0);
        self.page_keys = 0;
        Ok(())
    }

    pub(super) fn finish(mut self) -> crate::Result<Run> {
        if self.page_keys > 0 {
            self.write_page()?;
        }
        self.directory.resize(PARTITIONS + 1, self.len);
        Ok(Run {
            filter: self.filter.finish()?,
            file: self.out.finish()?,
            len: self.len,
            directory: self.directory.into_boxed_slice(),
        })
    }
}

/// Reads a run from its first key to its last.
pub(super) struct RunReader {
    run: Arc<Run>,
    /// Whole pages, which hold the places `buffer_start..buffer_end`.
    buffer: Vec<u8>,
    buffer_start: u64,
    buffer_end: u64,
    place: u64,
    partition: usize,
}

impl RunReader {
    pub(super) fn new(run: Arc<Run>) -> Self {
        RunReader {
            run,
            buffer: Vec::new(),
            buffer_start: 0,
            buffer_end: 0,
            place: 0,
            partition: 0,
        }
    }

    #[inline]
    pub(super) fn next(&mut self) -> crate::Result<Option<u128>> {
        if self.place == self.run.len {
            return Ok(None);
        }
        if self.place == self.buffer_end {
            self.fill()?;
        }
        while self.run.directory[self.partition + 1] <= self.place {
            self.partition += 1;
        }
        let offset = self.place - self.buffer_start;
        let pages = self.buffer.as_chunks::<PAGE_BYTES>().0;
        let (rest, tag) = entry(&pages[(offset / PAGE_KEYS) as usize], offset % PAGE_KEYS);
        self.place += 1;
        Ok(Some(join(self.partition, rest, tag)))
    }

    fn fill(&mut self) -> crate::Result<()> {
        let first = self.place / PAGE_KEYS;
        let pages = (self.run.len.div_ceil(PAGE_KEYS) - first).min(READ_AHEAD);
        self.buffer.resize(pages as usize * PAGE_BYTES, 0);
        read_exact_at(&self.run.file, &mut self.buffer, first * PAGE_BYTES as u64)?;
        for (number, page) in (first..).zip(self.buffer.as_chunks::<PAGE_BYTES>().0) {
            check(page, number)?;
        }
        self.buffer_start = first * PAGE_KEYS;
        self.buffer_end = (self.buffer_start + pages * PAGE_KEYS).min(self.run.len);
        Ok(())
    }
}

/// Merges runs into one run in `dir`; `None` when `stop` said so.
pub(super) fn merge(
    runs: &[Arc<Run>],
    dir: &Path,
    resident_filter: bool,
    stop: impl Fn() -> bool,
) -> crate::Result<Option<Run>> {
    const STOP_CHECK: u64 = 1 << 16;
    let keys = runs.iter().map(|run| run.len()).sum();
    let mut writer = RunWriter::new(dir, keys, resident_filter)?;
    let mut heads = Vec::with_capacity(runs.len());
    for run in runs {
        let mut reader = RunReader::new(Arc::clone(run));
        if let Some(key) = reader.next()? {
            heads.push((key, reader));
        }
    }
    let mut done = 0;
    // A merge has few inputs, so that looking at every head beats a heap.
    while let Some(least) = (0..heads.len()).min_by_key(|&i| heads[i].0) {
        let (key, reader) = &mut heads[least];
        writer.push(*key)?;
        match reader.next()? {
            Some(next) => *key = next,
            None => drop(heads.swap_remove(least)),
        }
        done += 1;
        if done % STOP_CHECK == 0 && stop() {
            return Ok(None);
        }
    }
    writer.finish().map(Some)
}

#[cfg(test)]
impl Run {
    /// Breaks the file: cuts it to `bytes`, or flips a bit of every page.
    pub(super) fn damage(&self, cut_to: Option<u64>) {
        if let Some(bytes) = cut_to {
            self.file.set_len(bytes).expect("set_len");
            return;
        }
        use std::os::unix::fs::FileExt;
        for page in 0..self.len.div_ceil(PAGE_KEYS) {
            let at = page * PAGE_BYTES as u64 + 100;
            let mut byte = [0];
            self.file.read_exact_at(&mut byte, at).expect("read");
            self.file.write_all_at(&[byte[0] ^ 4], at).expect("write");
        }
    }
}
