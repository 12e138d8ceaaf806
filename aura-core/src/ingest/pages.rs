//! Looks at the pages of a Parquet file before the decoder does.
//!
//! A page is made as large as its header says when it is decompressed, and a few bytes of a page can stand for any
//! number of values: a reference to a long text in the dictionary, or an element of a list. So the headers are
//! walked through here first. What they say is compared with the limits, and decides how many rows are read at once.
//!
//! **Source**: Apache Parquet, "File format" and `parquet.thrift` (`PageHeader`).

use std::sync::Arc;

use parquet::basic::Type;
use parquet::column::page::{Page, PageReader};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::reader::ChunkReader;
use parquet::file::serialized_reader::SerializedPageReader;

use super::Limits;
use super::footer::{byte, skip_value, varint};
use super::tabular::PIECE_ROWS;
use crate::{Error, ErrorKind, Result};

/// Bytes that the pages of a row group may become whatever they were.
const FREE_BYTES: u64 = 64 << 20;
/// Bytes that the texts of a batch should stay within.
const BATCH_BYTES: u64 = 32 << 20;
/// Elements of lists that a row group may have whatever its bytes.
const FREE_ELEMENTS: u64 = 1 << 20;
/// Bytes that are read for a header at first, and at most: it may hold the least and the greatest value.
const HEADER: u64 = 4 << 10;
const LONGEST_HEADER: u64 = 16 << 20;
/// A dictionary that is not larger than this cannot make a batch too large.
const SMALL_DICTIONARY: u64 = 2 << 10;

/// Refuses a file that would take more memory than the limits allow. Returns how many rows to read at once.
///
/// # Errors
/// `ResourceExhausted` for a page beyond `max_held_bytes`; for a row group whose pages become more than
/// `max_compression_ratio` times as large, beyond 64 MiB, or have as many more rows or elements than bytes;
/// `InvalidData` for a page without a header.
pub(crate) fn check_pages<R: ChunkReader + 'static>(
    name: &str,
    input: &Arc<R>,
    metadata: &ParquetMetaData,
    limits: &Limits,
) -> Result<usize> {
    let ratio = limits.max_compression_ratio;
    let exhausted = |what: String| {
        Err(Error::new(
            ErrorKind::ResourceExhausted,
            format!("`{name}`: {what}"),
        ))
    };
    let mut rows_at_once = PIECE_ROWS as u64;
    for (at, group) in metadata.row_groups().iter().enumerate() {
        let rows = u64::try_from(group.num_rows()).unwrap_or(0);
        let (mut compressed, mut expanded, mut row_bytes) = (0u64, 0u64, 0u64);
        for column in group.columns() {
            let found = pages(name, input, column, limits)?;
            let bytes = u64::try_from(column.compressed_size()).unwrap_or(0);
            compressed = compressed.saturating_add(bytes.min(input.len()));
            expanded = expanded.saturating_add(found.dictionary + found.page);
            let elements = match column.column_descr().max_rep_level() {
                0 => 1,
                _ => {
                    let most = ratio.saturating_mul(bytes.min(input.len()));
                    if found.values.saturating_sub(rows) > most.max(FREE_ELEMENTS) {
                        return exhausted(format!(
                            "row group {at} has {} elements in the column `{}` of {bytes} bytes, more than {ratio} a byte (limit `max_compression_ratio`)",
                            found.values,
                            column.column_path()
                        ));
                    }
                    found.values.div_ceil(rows.max(1))
                }
            };
            let value = match column.column_type() {
                Type::BYTE_ARRAY => longest(input, column, &found),
                Type::FIXED_LEN_BYTE_ARRAY => {
                    u64::try_from(column.column_descr().type_length()).unwrap_or(0)
                }
                _ => 8,
            };
            row_bytes = row_bytes.saturating_add(value.saturating_mul(elements));
        }
        if expanded > compressed.saturating_mul(ratio).max(FREE_BYTES) {
            return exhausted(format!(
                "the pages of row group {at} take {expanded} bytes in memory, more than {ratio} times their {compressed} bytes (limit `max_compression_ratio`)"
            ));
        }
        if rows > compressed.saturating_mul(ratio).max(PIECE_ROWS as u64) {
            return exhausted(format!(
                "row group {at} is said to have {rows} rows, more than {ratio} for each of its {compressed} bytes (limit `max_compression_ratio`)"
            ));
        }
        rows_at_once = rows_at_once.min(BATCH_BYTES / row_bytes.max(1));
    }
    Ok(usize::try_from(rows_at_once.max(1)).unwrap_or(PIECE_ROWS))
}

/// What the headers of the pages of a column say.
#[derive(Default)]
struct Pages {
    /// Bytes of the largest dictionary, and of the largest other page.
    dictionary: u64,
    page: u64,
    values: u64,
    /// The greatest mean of the bytes of a value in a page that is no dictionary.
    mean: u64,
}

fn pages<R: ChunkReader>(
    name: &str,
    input: &Arc<R>,
    column: &ColumnChunkMetaData,
    limits: &Limits,
) -> Result<Pages> {
    let mut found = Pages::default();
    let (mut at, bytes) = column.byte_range();
    let end = at.saturating_add(bytes).min(input.len());
    let values = u64::try_from(column.num_values()).unwrap_or(0);
    while at < end {
        let (header, length) = match header(name, input, at, end)? {
            Ok(header) => header,
            // What follows the last page is nobody's business.
            Err(_) if found.values >= values => break,
            Err(why) => {
                return Err(Error::invalid_data(format!(
                    "`{name}` is damaged: the page at byte {at} has no header: {why}"
                )));
            }
        };
        if header.expanded > limits.max_held_bytes {
            return Err(Error::new(
                ErrorKind::ResourceExhausted,
                format!(
                    "`{name}`: a page of the column `{}` takes {} bytes in memory, more than {}; write smaller pages, or raise the limit `max_held_bytes`",
                    column.column_path(),
                    header.expanded,
                    limits.max_held_bytes
                ),
            ));
        }
        if header.is_dictionary {
            found.dictionary = found.dictionary.max(header.expanded);
        } else {
            found.page = found.page.max(header.expanded);
            found.values = found.values.saturating_add(header.values);
            let mean = header.expanded / header.values.max(1);
            found.mean = found.mean.max(mean);
        }
        at = at.saturating_add(length).saturating_add(header.compressed);
    }
    Ok(found)
}

/// The length of the longest text of a column, or of the mean one of a page, if that is more.
fn longest<R: ChunkReader + 'static>(
    input: &Arc<R>,
    column: &ColumnChunkMetaData,
    found: &Pages,
) -> u64 {
    if found.dictionary <= SMALL_DICTIONARY {
        return found.dictionary.max(found.mean);
    }
    // A fault is met by the decoder again, which names it.
    let first = SerializedPageReader::new(Arc::clone(input), column, 0, None)
        .and_then(|mut pages| pages.get_next_page());
    let Ok(Some(Page::DictionaryPage { buf, .. })) = first else {
        return found.dictionary;
    };
    let mut longest = 0;
    let mut rest = &buf[..];
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length);
        longest = longest.max(u64::from(length).min(after.len() as u64));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        rest = after.get(length..).unwrap_or_default();
    }
    longest.max(found.mean)
}

#[derive(Default)]
struct Header {
    is_dictionary: bool,
    expanded: u64,
    compressed: u64,
    values: u64,
}

/// Reads the header at `at`, and says how long it is; the inner error is that there is none.
fn header<R: ChunkReader>(
    name: &str,
    input: &Arc<R>,
    at: u64,
    end: u64,
) -> Result<Result<(Header, u64), String>> {
    let mut window = HEADER;
    loop {
        let bytes = window.min(end - at);
        let read = input
            .get_bytes(at, usize::try_from(bytes).unwrap_or(usize::MAX))
            .map_err(|e| Error::invalid_data(format!("`{name}` cannot be read as Parquet: {e}")))?;
        let mut rest = &read[..];
        match parse(&mut rest) {
            Ok(header) => return Ok(Ok((header, bytes - rest.len() as u64))),
            Err(why) if bytes < window || window >= LONGEST_HEADER => return Ok(Err(why)),
            Err(_) => window *= 8,
        }
    }
}

fn parse(rest: &mut &[u8]) -> Result<Header, String> {
    let mut header = Header::default();
    fields(rest, |id, ty, rest| {
        match (id, ty) {
            (2, 5) => header.expanded = size(rest)?,
            (3, 5) => header.compressed = size(rest)?,
            (5 | 7 | 8, 12) => {
                header.is_dictionary |= id == 7;
                fields(rest, |id, ty, rest| match (id, ty) {
                    (1, 5) => size(rest).map(|values| header.values = values),
                    _ => skip_value(rest, ty, false, 2),
                })?;
            }
            _ => skip_value(rest, ty, false, 1)?,
        }
        Ok(())
    })?;
    Ok(header)
}

/// Goes through the fields of a structure, each by its number and type.
fn fields(
    rest: &mut &[u8],
    mut field: impl FnMut(u64, u8, &mut &[u8]) -> Result<(), String>,
) -> Result<(), String> {
    let mut id = 0u64;
    loop {
        let head = byte(rest)?;
        if head == 0 {
            return Ok(());
        }
        id = match head >> 4 {
            0 => varint(rest)? >> 1,
            step => id.saturating_add(u64::from(step)),
        };
        field(id, head & 0x0f, rest)?;
    }
}

/// A number that is not negative.
fn size(rest: &mut &[u8]) -> Result<u64, String> {
    let zigzag = varint(rest)?;
    match zigzag & 1 {
        0 => Ok(zigzag >> 1),
        _ => Err("a size is negative".to_owned()),
    }
}
