//! What kind of file a source is, by its first bytes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The format of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Format {
    /// Delimited text with a header row (RFC 4180; comma, semicolon, tab or vertical bar).
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// One JSON array of objects.
    JsonArray,
    /// Apache Parquet.
    Parquet,
    /// Apache Arrow IPC, as a file or as a stream.
    ArrowIpc,
}

impl Format {
    /// Returns the stable text code, for example `"ndjson"`.
    pub fn name(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Ndjson => "ndjson",
            Format::JsonArray => "json_array",
            Format::Parquet => "parquet",
            Format::ArrowIpc => "arrow_ipc",
        }
    }
}

/// Bytes in which a control character means that the source is not text.
const TEXT_BYTES: usize = 4 << 10;

/// The UTF-8 byte order mark.
pub(crate) const BOM: &[u8] = b"\xef\xbb\xbf";

/// Formats that users do hand over, and what to do about them.
const FOREIGN: &[(&[u8], &str)] = &[
    (
        b"PK\x03\x04",
        "a zip archive or an Excel workbook; unpack it, or save it as CSV",
    ),
    (
        b"\xfd7zXZ\0",
        "compressed with xz; decompress it, or use gzip or zstd",
    ),
    (
        b"BZh",
        "compressed with bzip2; decompress it, or use gzip or zstd",
    ),
    (
        b"\x04\x22\x4d\x18",
        "compressed with lz4; decompress it, or use gzip or zstd",
    ),
    (
        b"SQLite format 3\0",
        "a SQLite database; export the table as CSV",
    ),
    (b"Obj\x01", "an Avro file; convert it to Parquet"),
    (b"ORC", "an ORC file; convert it to Parquet"),
];

/// Recognises the format of `source` by the first bytes of its decoded content.
///
/// # Errors
/// `InvalidData` when there are none, or when they are neither a known format nor text.
pub(crate) fn sniff(source: &str, head: &[u8]) -> Result<Format> {
    if head.is_empty() {
        return Err(Error::invalid_data(format!(
            "{source}: the source is empty; expected CSV with a header, NDJSON, a JSON array, Parquet or Arrow IPC"
        )));
    }
    if head.starts_with(b"PAR1") {
        return Ok(Format::Parquet);
    }
    if head.starts_with(b"ARROW1") || head.starts_with(b"\xff\xff\xff\xff") {
        return Ok(Format::ArrowIpc);
    }
    let text = head.strip_prefix(BOM).unwrap_or(head);
    match text.iter().find(|b| !b.is_ascii_whitespace()) {
        None => {
            return Err(Error::invalid_data(format!(
                "{source}: the source holds nothing but white space; expected CSV with a header, NDJSON or a JSON array"
            )));
        }
        Some(b'[') => return Ok(Format::JsonArray),
        Some(b'{') => return Ok(Format::Ndjson),
        Some(_) => {}
    }
    // `ORC` and `BZh` may well begin a header row: those bytes count only when no text follows.
    let first = head.get(..TEXT_BYTES).unwrap_or(head);
    let control = first
        .iter()
        .enumerate()
        .find(|(_, b)| **b < 0x20 && !matches!(**b, b'\t' | b'\n' | b'\r'));
    let Some((offset, byte)) = control else {
        return Ok(Format::Csv);
    };
    let message = match FOREIGN.iter().find(|(magic, _)| head.starts_with(magic)) {
        Some((_, what)) => format!("{source}: this is {what}"),
        None => format!(
            "{source}: not text: byte 0x{byte:02x} at offset {offset}; expected CSV, NDJSON, a JSON array, Parquet or Arrow IPC, plain or compressed with gzip or zstd"
        ),
    };
    Err(Error::invalid_data(message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn formats_are_recognised_by_content() {
        for (head, format) in [
            (&b"PAR1\0\0"[..], Format::Parquet),
            (b"ARROW1\0\0", Format::ArrowIpc),
            (b"\xff\xff\xff\xff\x10\0", Format::ArrowIpc),
            (b"\xef\xbb\xbf \r\n\t[{", Format::JsonArray),
            (b" {\"a\":\"\\u0000\"}", Format::Ndjson),
            (b"\xef\xbb\xbfa,b\n", Format::Csv),
            (b"\"a\",b\r\n1,2", Format::Csv),
            (b"ORC,b\n1,2", Format::Csv),
            (b"caf\xe9,b\n", Format::Csv),
        ] {
            assert_eq!(sniff("s", head).unwrap(), format, "{head:?}");
            let json = serde_json::to_string(&format).unwrap();
            assert_eq!(json, format!("\"{}\"", format.name()));
        }
    }

    #[test]
    fn what_is_no_text_is_said_to_be_so() {
        for (head, message) in [
            (&b""[..], "s: the source is empty"),
            (b" \n\xef", "s: not text"),
            (b" \n ", "nothing but white space"),
            (b"a,b\n1,\x002", "not text: byte 0x00 at offset 6"),
            (b"a,b\n\x1b[0m", "not text: byte 0x1b at offset 4"),
            (b"PK\x03\x04\x14", "zip archive"),
            (b"\xfd7zXZ\0", "xz"),
        ] {
            match sniff("s", head) {
                Err(e) => {
                    assert_eq!(e.kind(), ErrorKind::InvalidData);
                    assert!(e.message().contains(message), "{head:?}: {e}");
                }
                // 0xef is no control character: a broken mark is left to the rows.
                Ok(format) => assert_eq!((head, format), (&b" \n\xef"[..], Format::Csv)),
            }
        }
    }
}
