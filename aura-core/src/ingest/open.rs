//! Opens inputs: finds the format, looks at the first rows, makes the plan.

use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow::record_batch::{RecordBatch, RecordBatchReader};
use bytes::Bytes;

use super::block::Block;
use super::check::Checked;
use super::csv::{self, CsvHeader, parse_csv};
use super::decode::Decoder;
#[cfg(feature = "git")]
use super::git::{GitChunk, GitReader, git_schema};
use super::infer::{infer_objects, infer_texts};
use super::json::parse_objects;
use super::plan::ReadPlan;
use super::plan_of::Available;
use super::preset::{Preset, PresetOptions};
use super::preset_rows;
use super::sniff::{BOM, sniff};
use super::source::{Input, TableContent, table_reader};
use super::split::{Layout, Splitter};
use super::tabular::{PIECE_ROWS, check_names, check_width, normalize, property_columns};
use super::{Format, IngestOptions, Limits};
use crate::event::contract::CompiledContract;
use crate::event::{ACTOR, EVENT, EVENT_ID, TIME};
use crate::{Error, ErrorKind, Result};

/// An input whose columns are known.
pub(crate) struct Opened {
    pub(crate) name: Arc<str>,
    pub(crate) available: Available,
    pub(crate) pieces: Pieces,
    pub(crate) preset: Option<(Preset, PresetOptions)>,
}

/// The rows of an input, piece by piece.
pub(crate) struct Pieces {
    inner: Inner,
    /// Looked at for the columns, and given first.
    first: Option<Piece>,
}

enum Inner {
    Text {
        splitter: Box<Splitter>,
        header: Option<Arc<CsvHeader>>,
    },
    Table {
        reader: Box<dyn RecordBatchReader + Send>,
        /// What is left of the batch that is being cut into pieces.
        rest: Option<RecordBatch>,
        next_row: u64,
    },
    #[cfg(feature = "git")]
    Git(Box<GitReader>),
}

/// Rows that are parsed together.
pub(crate) enum Piece {
    Csv(Block, Arc<CsvHeader>),
    Json(Block),
    Table {
        batch: RecordBatch,
        first_row: u64,
    },
    #[cfg(feature = "git")]
    Git(GitChunk),
}

/// Opens one input. `bytes_read` counts the bytes that are read from it.
///
/// # Errors
/// `NotFound`, `Denied` or `Unavailable` when a file cannot be opened; `InvalidData` when the content
/// is no format that is read here.
pub(crate) fn open(
    input: Input,
    options: &IngestOptions,
    bytes_read: &Arc<AtomicU64>,
) -> Result<Opened> {
    let mut opened = open_plain(input, options, bytes_read)?;
    let Some(preset) = options.preset else {
        return Ok(opened);
    };
    let mapping = PresetOptions {
        actor: options.roles.actor.clone(),
        time_zone: options.roles.zone()?,
        limits: options.limits.clone(),
    };
    let first = opened.pieces.next().transpose()?;
    if let Some(piece) = &first {
        let mapped = preset_rows::map(piece, preset, &mapping, &opened.name, &options.limits)?;
        let typed = infer_objects(&sample(&mapped.block, &options.limits), &options.limits);
        opened.available = Available {
            keys: typed.iter().map(|(k, _)| k.clone()).collect(),
            typed,
        };
    }
    // The roles have their canonical names now, whether a row of the sample has them or not.
    for role in [EVENT_ID, ACTOR, EVENT, TIME] {
        if first.is_some() && !opened.available.keys.iter().any(|k| k == role) {
            opened.available.keys.push(role.to_owned());
        }
    }
    opened.pieces.first = first;
    opened.preset = Some((preset, mapping));
    Ok(opened)
}

fn open_plain(
    input: Input,
    options: &IngestOptions,
    bytes_read: &Arc<AtomicU64>,
) -> Result<Opened> {
    let name = input.name();
    let limits = &options.limits;
    let file_error = |e| Error::io(format!("cannot read `{name}`"), e);
    match input {
        Input::Batches { reader, .. } => table(name, reader, options),
        #[cfg(feature = "git")]
        Input::Git { path, options: git } => {
            let reader = GitReader::open(&path, &git, limits, &options.cancel)?;
            let schema = git_schema();
            Ok(Opened {
                name,
                available: Available {
                    keys: schema.fields().iter().map(|f| f.name().clone()).collect(),
                    typed: property_columns(&schema, true),
                },
                pieces: Pieces {
                    inner: Inner::Git(Box::new(reader)),
                    first: None,
                },
                preset: None,
            })
        }
        Input::File {
            path, bytes: None, ..
        } => {
            let file = File::open(&path).map_err(file_error)?;
            text(name, Box::new(file), options, limits, bytes_read)
        }
        Input::File { path, .. } => {
            let mut file = File::open(&path).map_err(file_error)?;
            let mut head = [0u8; 8];
            let read = file.read(&mut head).map_err(file_error)?;
            file.rewind().map_err(file_error)?;
            if is_table(head.get(..read).unwrap_or_default()) {
                let format = sniff(&name, head.get(..read).unwrap_or_default())?;
                let reader = table_reader(&name, format, TableContent::File(file), limits)?;
                return table(name, reader, options);
            }
            text(name, Box::new(file), options, limits, bytes_read)
        }
        Input::Bytes { bytes, .. } => {
            if is_table(&bytes) {
                let format = sniff(&name, bytes.get(..8).unwrap_or(&bytes))?;
                let reader = table_reader(&name, format, TableContent::Bytes(bytes), limits)?;
                return table(name, reader, options);
            }
            text(
                name,
                Box::new(Cursor::new(bytes)),
                options,
                limits,
                bytes_read,
            )
        }
        Input::Reader { reader, .. } => text(name, reader, options, limits, bytes_read),
    }
}

fn is_table(head: &[u8]) -> bool {
    head.starts_with(b"PAR1")
        || head.starts_with(b"ARROW1")
        || head.starts_with(b"\xff\xff\xff\xff")
}

fn table(
    name: Arc<str>,
    reader: Box<dyn RecordBatchReader + Send>,
    options: &IngestOptions,
) -> Result<Opened> {
    let schema = reader.schema();
    check_width(&name, &schema, &options.limits)?;
    check_names(&name, &schema)?;
    Ok(Opened {
        name,
        available: Available {
            keys: schema.fields().iter().map(|f| f.name().clone()).collect(),
            typed: property_columns(&schema, options.roles.time_zone.is_some()),
        },
        pieces: Pieces {
            inner: Inner::Table {
                reader,
                rest: None,
                next_row: 1,
            },
            first: None,
        },
        preset: None,
    })
}

fn text(
    name: Arc<str>,
    input: Box<dyn Read + Send>,
    options: &IngestOptions,
    limits: &Limits,
    bytes_read: &Arc<AtomicU64>,
) -> Result<Opened> {
    let mut decoder = Decoder::new(Arc::clone(&name), input, limits, Arc::clone(bytes_read))?;
    if decoder.head().is_empty() {
        // Why there is nothing: a source that cannot be read is not an empty one.
        decoder.read(&mut [0])?;
    }
    let format = match options.format {
        Some(format) => format,
        None => sniff(&name, decoder.head())?,
    };
    match format {
        Format::Parquet | Format::ArrowIpc => {
            // A stream or a compressed file of these: they need random access.
            let mut all = Vec::new();
            let mut piece = vec![0u8; 1 << 20];
            loop {
                options.cancel.check()?;
                let read = decoder.read(&mut piece)?;
                if read == 0 {
                    break;
                }
                if (all.len() + read) as u64 > limits.max_held_bytes {
                    return Err(Error::new(
                        ErrorKind::ResourceExhausted,
                        format!(
                            "{name}: {} as a stream or compressed is held in memory, and this one has more than {} bytes; give a plain file, or raise the limit `max_held_bytes`",
                            format.name(),
                            limits.max_held_bytes
                        ),
                    ));
                }
                all.extend_from_slice(piece.get(..read).unwrap_or_default());
            }
            let reader =
                table_reader(&name, format, TableContent::Bytes(Bytes::from(all)), limits)?;
            table(name, reader, options)
        }
        Format::Csv => {
            let (header, mut splitter) = csv::open(decoder, limits)?;
            let header = Arc::new(header);
            let first = splitter.next_block()?;
            let typed = match &first {
                Some(block) => infer_texts(
                    &header.names,
                    csv::sample_rows(block, &header).take(limits.sample_rows),
                ),
                None => infer_texts(&header.names, std::iter::empty::<Vec<&str>>()),
            };
            Ok(Opened {
                name,
                available: Available {
                    keys: header.names.clone(),
                    typed,
                },
                pieces: Pieces {
                    first: first.map(|block| Piece::Csv(block, Arc::clone(&header))),
                    inner: Inner::Text {
                        splitter: Box::new(splitter),
                        header: Some(header),
                    },
                },
                preset: None,
            })
        }
        Format::Ndjson | Format::JsonArray => {
            let layout = if format == Format::Ndjson {
                refuse_document(&name, decoder.head())?;
                Layout::Lines
            } else {
                Layout::JsonArray
            };
            let mut splitter = Splitter::new(decoder, layout, limits);
            let first = splitter.next_block()?;
            let typed = match &first {
                Some(block) => infer_objects(&sample(block, limits), limits),
                None => Vec::new(),
            };
            let keys = typed.iter().map(|(key, _)| key.clone()).collect();
            Ok(Opened {
                name,
                available: Available { keys, typed },
                pieces: Pieces {
                    first: first.map(Piece::Json),
                    inner: Inner::Text {
                        splitter: Box::new(splitter),
                        header: None,
                    },
                },
                preset: None,
            })
        }
    }
}

/// Refuses JSON that is one document over several lines: read line by line, each of them would be a reject.
///
/// # Errors
/// `InvalidData` when the first object spans lines and no object that stands on one line follows it.
fn refuse_document(name: &str, head: &[u8]) -> Result<()> {
    let head = head.strip_prefix(BOM).unwrap_or(head).trim_ascii();
    let lines = |from: usize, to: usize| {
        let value = head.get(from..to).unwrap_or_default().trim_ascii();
        memchr::memchr_iter(b'\n', value).count() + 1
    };
    let mut values =
        serde_json::Deserializer::from_slice(head).into_iter::<serde::de::IgnoredAny>();
    let first_ends = match values.next() {
        Some(Ok(_)) => values.byte_offset(),
        Some(Err(e)) if e.is_eof() => head.len(),
        _ => return Ok(()),
    };
    let one_line = |value: Option<Result<serde::de::IgnoredAny, _>>, end: usize| {
        matches!(value, Some(Ok(_))) && lines(first_ends, end) == 1
    };
    let second = values.next();
    if lines(0, first_ends) == 1 || one_line(second, values.byte_offset()) {
        return Ok(());
    }
    Err(Error::invalid_data(format!(
        "{name}: this is JSON over several lines (the first object has {} or more); give one object a line, which `jq -c` makes, or an array of objects",
        lines(0, first_ends)
    )))
}

/// The first rows of a block, one a line.
fn sample(block: &Block, limits: &Limits) -> Vec<u8> {
    let mut out = Vec::new();
    for row in block.rows().take(limits.sample_rows) {
        let bytes = block
            .bytes
            .get(row.start as usize..row.end as usize)
            .unwrap_or_default();
        // A line end inside an element can only stand between tokens.
        out.extend(
            bytes
                .iter()
                .map(|&b| if b == b'\n' || b == b'\r' { b' ' } else { b }),
        );
        out.push(b'\n');
    }
    out
}

impl Iterator for Pieces {
    type Item = Result<Piece>;

    fn next(&mut self) -> Option<Result<Piece>> {
        if let Some(first) = self.first.take() {
            return Some(Ok(first));
        }
        match &mut self.inner {
            Inner::Text { splitter, header } => {
                let block = splitter.next_block().transpose()?;
                Some(block.map(|block| match header {
                    Some(header) => Piece::Csv(block, Arc::clone(header)),
                    None => Piece::Json(block),
                }))
            }
            Inner::Table {
                reader,
                rest,
                next_row,
            } => {
                let batch = match rest.take() {
                    Some(batch) => batch,
                    None => match reader.next()? {
                        Ok(batch) => batch,
                        Err(e) => return Some(Err(unwrapped(e))),
                    },
                };
                let rows = batch.num_rows().min(PIECE_ROWS);
                if rows < batch.num_rows() {
                    *rest = Some(batch.slice(rows, batch.num_rows() - rows));
                }
                let first_row = *next_row;
                *next_row += rows as u64;
                let batch = batch.slice(0, rows);
                Some(Ok(Piece::Table { batch, first_row }))
            }
            #[cfg(feature = "git")]
            Inner::Git(reader) => Some(reader.next()?.map(Piece::Git)),
        }
    }
}

/// An error of ours that crossed Arrow comes back as itself.
fn unwrapped(e: arrow::error::ArrowError) -> Error {
    match e {
        arrow::error::ArrowError::ExternalError(inner) => match inner.downcast::<Error>() {
            Ok(own) => *own,
            Err(other) => Error::invalid_data(other.to_string()).with_source(other),
        },
        other => Error::from(other),
    }
}

/// Parses a piece and applies the contract.
pub(crate) fn parse(
    piece: Piece,
    plan: &ReadPlan,
    contract: Option<&CompiledContract>,
    source: &Arc<str>,
    limits: &Limits,
    preset: Option<&(Preset, PresetOptions)>,
) -> Result<Checked> {
    if let Some((preset, mapping)) = preset {
        let mapped = preset_rows::map(&piece, *preset, mapping, source, limits)?;
        let parsed = parse_objects(&mapped.block, plan, limits)?;
        let mut checked = Checked::new(parsed, contract, source, limits, |origin| {
            mapped
                .block
                .bytes
                .get(origin.start as usize..origin.end as usize)
        })?;
        mapped.restore(&mut checked.rejects, limits);
        checked.rejects.sort_by_key(|r| r.row);
        return Ok(checked);
    }
    let (parsed, block) = match piece {
        Piece::Csv(block, header) => (parse_csv(&block, plan, &header, limits)?, Some(block)),
        Piece::Json(block) => (parse_objects(&block, plan, limits)?, Some(block)),
        Piece::Table { batch, first_row } => {
            (normalize(&batch, plan, limits, source, first_row)?, None)
        }
        #[cfg(feature = "git")]
        Piece::Git(chunk) => (chunk.into_parsed(plan, limits, source)?, None),
    };
    Checked::new(parsed, contract, source, limits, |origin| {
        let block = block.as_ref()?;
        block.bytes.get(origin.start as usize..origin.end as usize)
    })
}
