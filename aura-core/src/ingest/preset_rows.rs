//! Rows of a producer's format as rows of canonical JSON.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use bytes::Bytes;

use super::block::{Block, RowSpan};
use super::csv::CsvHeader;
use super::open::Piece;
use super::preset::{Json, Object, Preset, PresetOptions, apply, canonical_json, missing_role};
use super::tabular::row_json;
use super::{Limits, Reject, RejectReason};

/// A block of canonical rows, and the original bytes of each row by its number.
pub(crate) struct Mapped {
    pub(crate) block: Block,
    originals: HashMap<u64, Bytes>,
}

impl Mapped {
    /// Puts the bytes of the source in the place of the canonical ones.
    pub(crate) fn restore(&self, rejects: &mut [Reject], limits: &Limits) {
        for reject in rejects {
            if let Some(original) = self.originals.get(&reject.row) {
                reject.original_len = original.len() as u64;
                reject.original =
                    original[..original.len().min(limits.max_original_bytes)].to_vec();
            }
        }
    }
}

/// Maps the rows of a piece.
pub(crate) fn map(
    piece: &Piece,
    preset: Preset,
    options: &PresetOptions,
    source: &Arc<str>,
    limits: &Limits,
) -> crate::Result<Mapped> {
    let mut out = Out {
        preset,
        options,
        source,
        limits,
        bytes: Vec::new(),
        spans: Vec::new(),
        rejects: Vec::new(),
        originals: HashMap::new(),
    };
    match piece {
        Piece::Json(block) => {
            out.rejects.extend(block.rejects.iter().cloned());
            for row in block.rows() {
                let range = row.start as usize..row.end as usize;
                out.json(row.line, &block.bytes.slice(range));
            }
        }
        Piece::Csv(block, header) => {
            out.rejects.extend(block.rejects.iter().cloned());
            csv_rows(block, header, limits, &mut out)?;
        }
        Piece::Table { batch, first_row } => table_rows(batch, *first_row, &mut out),
        #[cfg(feature = "git")]
        Piece::Git(_) => {
            return Err(crate::Error::invalid_spec(format!(
                "{source}: the preset `{}` maps rows of files; git history has its own columns, leave the preset out",
                preset.name()
            )));
        }
    }
    Ok(Mapped {
        block: Block {
            source: Arc::clone(source),
            bytes: Bytes::from(out.bytes),
            first_line: 1,
            rejects: out.rejects,
            spans: Some(out.spans),
        },
        originals: out.originals,
    })
}

struct Out<'a> {
    preset: Preset,
    options: &'a PresetOptions,
    source: &'a Arc<str>,
    limits: &'a Limits,
    bytes: Vec<u8>,
    spans: Vec<RowSpan>,
    rejects: Vec<Reject>,
    originals: HashMap<u64, Bytes>,
}

impl Out<'_> {
    fn json(&mut self, line: u64, original: &Bytes) {
        // By the reader's own rules: depth, keys that come twice, validity.
        let object = std::str::from_utf8(original)
            .ok()
            .and_then(|text| Object::parse(text, self.limits));
        match object {
            Some(object) => self.row(line, object, original),
            // Handed on as it is: the reader says what is wrong with it.
            None => self.push(line, original, original),
        }
    }

    fn row(&mut self, line: u64, object: Object<'_>, original: &Bytes) {
        let mapped = apply(self.preset, object, self.options).and_then(|flat| {
            match missing_role(&flat, self.preset, self.options) {
                None => Ok(flat),
                Some(e) => Err(e),
            }
        });
        match mapped {
            Ok(flat) => self.push(line, canonical_json(&flat).as_bytes(), original),
            Err(e) => self.reject(line, Some(e.field), e.reason, e.message, original),
        }
    }

    fn push(&mut self, line: u64, text: &[u8], original: &Bytes) {
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(text);
        self.spans.push(RowSpan {
            line,
            start,
            end: self.bytes.len() as u32,
        });
        self.bytes.push(b'\n');
        self.originals.insert(line, original.clone());
    }

    fn reject(
        &mut self,
        row: u64,
        field: Option<String>,
        reason: RejectReason,
        message: String,
        original: &[u8],
    ) {
        self.rejects.push(Reject {
            source: Arc::clone(self.source),
            row,
            field,
            reason,
            message,
            original: original[..original.len().min(self.limits.max_original_bytes)].to_vec(),
            original_len: original.len() as u64,
        });
    }
}

/// CSV fields are text; empty ones are absent.
fn csv_rows(
    block: &Block,
    header: &CsvHeader,
    limits: &Limits,
    out: &mut Out<'_>,
) -> crate::Result<()> {
    // A plan that reads no property puts every column into `extra`, as strings, and its rejects are
    // the rows that are not CSV.
    let name = header.names.first().cloned().unwrap_or_default();
    let plan = super::plan::ReadPlan {
        beyond: 0,
        event_id: None,
        actor: name.clone(),
        event: None,
        event_name: Some("row".to_owned()),
        time: name,
        time_zone: None,
        time_unit: crate::event::TimeUnit::Auto,
        properties: Vec::new(),
        schema: super::plan::ReadPlan::schema_of(&[]),
    };
    let parsed = super::csv::parse_csv(block, &plan, header, limits)?;
    let structural = parsed.rejects.into_iter().filter(|r| {
        matches!(
            r.reason,
            RejectReason::Malformed
                | RejectReason::Encoding
                | RejectReason::TooLong
                | RejectReason::ColumnCount
        )
    });
    out.rejects = structural.collect();
    for (row, fields) in super::csv::numbered_rows(block, header) {
        let mut object = Object::default();
        for (name, field) in header.names.iter().zip(&fields) {
            if !field.is_empty() {
                object.insert(name.as_str(), Json::string(field));
            }
        }
        let range = row.start as usize..row.end as usize;
        out.row(row.line, object, &block.bytes.slice(range));
    }
    Ok(())
}

fn table_rows(batch: &RecordBatch, first_row: u64, out: &mut Out<'_>) {
    for at in 0..batch.num_rows() {
        let original = Bytes::from(row_json(batch, at));
        out.json(first_row + at as u64, &original);
    }
}
