//! Binary sources as they should not be: cut off, garbled, and lying about themselves.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::Schema;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use aura_core::ErrorKind;
use aura_core::ingest::Source;
use aura_core::store::Store;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, ParquetMetaData, ParquetMetaDataReader,
    ParquetMetaDataWriter, RowGroupMetaData,
};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::{SchemaDescriptor, Type};

use super::bad_text::refused;
use crate::common::{assert_works, batch, counts, csv, peak_memory, run, sums};

const ROWS: usize = 1_000;

fn parquet(rows: &RecordBatch) -> Vec<u8> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(ROWS / 2))
        .build();
    let mut out = ArrowWriter::try_new(Vec::new(), rows.schema(), Some(properties)).unwrap();
    out.write(rows).unwrap();
    out.into_inner().unwrap()
}

fn ipc_file(rows: &RecordBatch, options: IpcWriteOptions) -> Vec<u8> {
    let mut out = FileWriter::try_new_with_options(Vec::new(), &rows.schema(), options).unwrap();
    out.write(&rows.slice(0, ROWS / 2)).unwrap();
    out.write(&rows.slice(ROWS / 2, ROWS / 2)).unwrap();
    out.finish().unwrap();
    out.into_inner().unwrap()
}

fn ipc_stream(rows: &RecordBatch, options: IpcWriteOptions) -> Vec<u8> {
    let mut out = StreamWriter::try_new_with_options(Vec::new(), &rows.schema(), options).unwrap();
    out.write(&rows.slice(0, ROWS / 2)).unwrap();
    out.write(&rows.slice(ROWS / 2, ROWS / 2)).unwrap();
    out.finish().unwrap();
    out.into_inner().unwrap()
}

fn zstd_buffers() -> IpcWriteOptions {
    IpcWriteOptions::default()
        .try_with_compression(Some(arrow::ipc::CompressionType::ZSTD))
        .unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// Ingests bytes that may be refused, or read in part: nothing else may come of it.
async fn survived(store: &Store, name: &str, bytes: Vec<u8>) -> bool {
    let before = counts(store).await;
    match store.ingest(Source::bytes(name, bytes)).await {
        Ok(report) => {
            let (_, accepted, ..) = sums(&report);
            let after = counts(store).await;
            assert_eq!(after.0, before.0 + accepted as i64, "{name}");
            assert_eq!(after.0, after.1, "{name}");
            true
        }
        Err(error) => {
            let kinds = [
                ErrorKind::InvalidData,
                ErrorKind::InvalidSpec,
                ErrorKind::ResourceExhausted,
            ];
            assert!(kinds.contains(&error.kind()), "{name}: {error:?}");
            assert_eq!(counts(store).await, before, "{name}");
            false
        }
    }
}

#[test]
fn truncated_parquet() {
    let whole = parquet(&batch("p", 0, ROWS));
    for cut in [4, 11, 12, whole.len() / 2, whole.len() - 5, whole.len() - 1] {
        refused(&whole[..cut], ErrorKind::InvalidData, "Parquet");
    }
}

#[test]
fn truncated_arrow_ipc() {
    let rows = batch("i", 0, ROWS);
    let file = ipc_file(&rows, IpcWriteOptions::default());
    for cut in [8, 100, file.len() / 2, file.len() - 7, file.len() - 1] {
        refused(&file[..cut], ErrorKind::InvalidData, "ArrowIpc");
    }
    let stream = ipc_stream(&rows, IpcWriteOptions::default());
    for cut in [6, 40, stream.len() / 3, stream.len() / 2] {
        refused(&stream[..cut], ErrorKind::InvalidData, "ArrowIpc");
    }
}

#[test]
fn truncated_gzip_and_zstd() {
    let text = csv("z", 0, 20_000);
    let zstd = zstd::encode_all(text.as_bytes(), 3).unwrap();
    for (whole, what) in [(gzip(text.as_bytes()), "gzip"), (zstd, "zstd")] {
        for cut in [whole.len() / 2, whole.len() - 1] {
            let words = format!("the {what} stream is cut off");
            refused(&whole[..cut], ErrorKind::InvalidData, &words);
        }
    }
}

#[test]
fn garbled_gzip_and_zstd() {
    let text = csv("z", 0, 20_000);
    let zstd = zstd::encode_all(text.as_bytes(), 3).unwrap();
    for (mut whole, what) in [(gzip(text.as_bytes()), "gzip"), (zstd, "zstd")] {
        let middle = whole.len() / 2;
        for byte in &mut whole[middle..middle + 64] {
            *byte = !*byte;
        }
        refused(whole, ErrorKind::InvalidData, what);
    }
    // What follows the end of the compressed data is none.
    let mut more = gzip(text.as_bytes());
    more.extend_from_slice(b"u,x,2026-01-01T00:00:00Z\n");
    refused(more, ErrorKind::InvalidData, "gzip");
}

/// Any byte of a binary file may be any other.
#[test]
fn garbled_bytes_of_every_binary_format() {
    let rows = batch("g", 0, ROWS);
    let inputs = [
        ("parquet", parquet(&rows)),
        ("ipc file", ipc_file(&rows, IpcWriteOptions::default())),
        ("ipc stream", ipc_stream(&rows, zstd_buffers())),
    ];
    run(async {
        let mut state = 1u64;
        let mut refusals = 0;
        for (what, whole) in inputs {
            let store = Store::in_memory().await.unwrap();
            for step in 0..60 {
                let mut bytes = whole.clone();
                for _ in 0..=step % 4 {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    // Half of the faults are at the ends, where the structure is.
                    let at = (state >> 33) as usize;
                    let at = match step % 4 {
                        0 => at % bytes.len(),
                        1 => 8 + at % 400,
                        _ => bytes.len() - 1 - at % 800,
                    };
                    bytes[at] = (state >> 20) as u8;
                }
                let read = survived(&store, &format!("{what} {step}"), bytes).await;
                refusals += usize::from(!read);
            }
            let report = store.ingest(Source::bytes(what, whole)).await.unwrap();
            assert_eq!(sums(&report).0, ROWS as u64);
        }
        assert!(refusals > 30, "only {refusals} were refused");
    });
}

/// A change of what a footer says.
type Lie = fn(Vec<RowGroupMetaData>) -> Vec<RowGroupMetaData>;

fn column(
    groups: &[RowGroupMetaData],
    f: impl Fn(ColumnChunkMetaData) -> ColumnChunkMetaData,
) -> Vec<RowGroupMetaData> {
    groups
        .iter()
        .map(|group| {
            let columns = group.columns().iter().cloned().map(&f).collect();
            group
                .clone()
                .into_builder()
                .set_column_metadata(columns)
                .build()
                .unwrap()
        })
        .collect()
}

fn rows_of(groups: Vec<RowGroupMetaData>, rows: i64) -> Vec<RowGroupMetaData> {
    groups
        .into_iter()
        .map(|g| g.into_builder().set_num_rows(rows).build().unwrap())
        .collect()
}

/// The file with another footer.
fn with_footer(whole: &[u8], change: impl Fn(&ParquetMetaData) -> ParquetMetaData) -> Vec<u8> {
    let bytes = bytes::Bytes::copy_from_slice(whole);
    let old = ParquetMetaDataReader::new()
        .parse_and_finish(&bytes)
        .unwrap();
    let length = u32::from_le_bytes(whole[whole.len() - 8..whole.len() - 4].try_into().unwrap());
    let mut out = whole[..whole.len() - 8 - length as usize].to_vec();
    let mut footer = Vec::new();
    ParquetMetaDataWriter::new(&mut footer, &change(&old))
        .finish()
        .unwrap();
    out.extend(footer);
    out
}

fn lying(whole: &[u8], lie: Lie) -> Vec<u8> {
    with_footer(whole, |old| {
        ParquetMetaData::new(old.file_metadata().clone(), lie(old.row_groups().to_vec()))
    })
}

#[test]
fn parquet_with_a_lying_footer() {
    let whole = parquet(&batch("f", 0, ROWS));
    let honest = lying(&whole, |groups| groups);
    run(async {
        let store = Store::in_memory().await.unwrap();
        let report = store.ingest(Source::bytes("honest", honest)).await.unwrap();
        assert_eq!(sums(&report), (1_000, 1_000, 0, 0));
    });
    let lies: [(&str, Lie); 13] = [
        ("more rows than there are", |g| rows_of(g, 1_000_000_000)),
        ("as many rows as can be said", |g| rows_of(g, i64::MAX / 2)),
        ("a negative number of rows", |g| rows_of(g, -1)),
        ("fewer rows than there are", |g| rows_of(g, 7)),
        ("data behind the end", |g| {
            column(&g, |c| {
                let builder = c.into_builder().set_dictionary_page_offset(None);
                builder.set_data_page_offset(1 << 40).build().unwrap()
            })
        }),
        ("data before the beginning", |g| {
            column(&g, |c| {
                let builder = c.into_builder().set_dictionary_page_offset(None);
                builder.set_data_page_offset(-5).build().unwrap()
            })
        }),
        ("a dictionary where there is none", |g| {
            column(&g, |c| {
                let builder = c.into_builder();
                builder
                    .set_dictionary_page_offset(Some(17))
                    .build()
                    .unwrap()
            })
        }),
        ("all columns at one place", |g| {
            column(&g, |c| {
                let builder = c.into_builder().set_dictionary_page_offset(Some(4));
                builder.set_data_page_offset(4).build().unwrap()
            })
        }),
        ("columns as large as can be said", |g| {
            column(&g, |c| {
                let builder = c.into_builder().set_total_compressed_size(i64::MAX / 16);
                builder.build().unwrap()
            })
        }),
        ("columns of a negative size", |g| {
            column(&g, |c| {
                let builder = c.into_builder().set_total_compressed_size(-1);
                builder.build().unwrap()
            })
        }),
        ("columns of one byte", |g| {
            column(&g, |c| {
                let builder = c.into_builder().set_total_compressed_size(1);
                builder.build().unwrap()
            })
        }),
        ("more values than there are", |g| {
            column(&g, |c| {
                let builder = c.into_builder().set_num_values(i64::MAX);
                builder.build().unwrap()
            })
        }),
        ("another compression", |g| {
            column(&g, |c| {
                let builder = c.into_builder().set_compression(Compression::LZ4_RAW);
                builder.build().unwrap()
            })
        }),
    ];
    // The decoder's panics, which are caught, would print traces, for which hundreds of megabytes of symbols are loaded.
    std::panic::set_hook(Box::new(|_| {}));
    let before = peak_memory();
    for (what, lie) in lies {
        let bytes = lying(&whole, lie);
        run(async {
            let store = Store::in_memory().await.unwrap();
            let read = survived(&store, what, bytes).await;
            // A lie may do no harm, but it may not make up rows, and none may be lost without a word.
            let found = counts(&store).await.0;
            assert_eq!(found, if read { ROWS as i64 } else { 0 }, "{what}");
            assert_works(&store, found).await;
        });
        let grown = peak_memory() - before;
        if grown >= 512 << 20 {
            let _ = std::panic::take_hook();
            panic!("{what}: {} MiB", grown >> 20);
        }
    }
    let _ = std::panic::take_hook();
}

#[test]
fn parquet_with_a_footer_of_other_columns() {
    let whole = parquet(&batch("f", 0, ROWS));
    for keep in [2, 4, 6] {
        let bytes = with_footer(&whole, |old| {
            let file = old.file_metadata();
            let mut fields = file.schema_descr().root_schema().get_fields().to_vec();
            let extra = Type::primitive_type_builder("more", parquet::basic::Type::INT64)
                .build()
                .unwrap();
            fields.push(Arc::new(extra));
            fields.truncate(keep);
            let root = Type::group_type_builder("schema")
                .with_fields(fields)
                .build()
                .unwrap();
            let file = FileMetaData::new(
                file.version(),
                file.num_rows(),
                None,
                None,
                Arc::new(SchemaDescriptor::new(Arc::new(root))),
                None,
            );
            ParquetMetaData::new(file, old.row_groups().to_vec())
        });
        run(async {
            let store = Store::in_memory().await.unwrap();
            let read = survived(&store, &format!("{keep} columns"), bytes).await;
            assert!(!read, "{keep} columns");
            assert_works(&store, 0).await;
        });
    }
}

/// The decoder makes room for a list before it reads it: what is said there must not end the process.
#[test]
fn parquet_with_a_footer_of_two_thousand_million_row_groups() {
    let mut footer = vec![0x15, 0x02]; // version
    footer.extend([0x19, 0x2c]); // schema: two elements
    footer.extend(b"\x48\x06schema\x15\x02\x00"); // the root, with one child
    footer.extend(b"\x15\x04\x25\x02\x18\x01a\x00"); // `a`, an optional INT64
    footer.extend([0x16, 0x02]); // rows
    footer.extend([0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07]); // row groups: 2³¹ - 1
    let mut bytes = b"PAR1".to_vec();
    bytes.extend(&footer);
    bytes.extend((footer.len() as u32).to_le_bytes());
    bytes.extend(b"PAR1");
    refused(
        bytes.clone(),
        ErrorKind::InvalidData,
        "a list is said to have 2147483647 elements, but only 0 bytes follow",
    );
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f.parquet");
    std::fs::write(&path, bytes).unwrap();
    run(async {
        let store = Store::in_memory().await.unwrap();
        let error = store.ingest(path.as_path()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
        assert_works(&store, 0).await;
    });
    let roles = aura_core::event::Roles::new("a", "a", "a");
    let settings = aura_core::engine::EngineSettings::default();
    let opened = run(aura_core::engine::Events::from_files(
        path.to_str().unwrap(),
        &roles,
        &settings,
    ));
    assert_eq!(opened.unwrap_err().kind(), ErrorKind::InvalidData);
}

/// Replaces every occurrence of a little-endian number at an 8-byte boundary, of which there must be some.
fn replaced(bytes: &[u8], old: i64, new: i64) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let mut found = 0;
    for at in (0..out.len() - 7).step_by(4) {
        if out[at..at + 8] == old.to_le_bytes() {
            out[at..at + 8].copy_from_slice(&new.to_le_bytes());
            found += 1;
        }
    }
    assert!(found > 0, "{old} is not there");
    out
}

/// The length of the body of the second message of a stream, which is the first batch.
fn body_length(stream: &[u8]) -> i64 {
    let length = |at: usize| u32::from_le_bytes(stream[at + 4..at + 8].try_into().unwrap());
    let second = 8 + length(0) as usize;
    let metadata = &stream[second + 8..second + 8 + length(second) as usize];
    arrow::ipc::root_as_message(metadata).unwrap().bodyLength()
}

#[test]
fn arrow_ipc_that_lies_about_its_lengths() {
    let rows = batch("l", 0, ROWS);
    let stream = ipc_stream(&rows, IpcWriteOptions::default());
    let file = ipc_file(&rows, IpcWriteOptions::default());
    let body = body_length(&stream);
    for length in [1 << 45, 1 << 33, i64::MAX, -1, i64::MIN] {
        for bytes in [&stream, &file] {
            let words = format!("is said to have {length} bytes");
            refused(
                replaced(bytes, body, length),
                ErrorKind::InvalidData,
                &words,
            );
        }
    }
    // The metadata of a message, and the footer of a file.
    let mut bytes = stream.clone();
    bytes[4..8].copy_from_slice(&i32::MAX.to_le_bytes());
    refused(bytes, ErrorKind::InvalidData, "the metadata of a message");
    let mut bytes = file.clone();
    let at = bytes.len() - 10;
    bytes[at..at + 4].copy_from_slice(&i32::MAX.to_le_bytes());
    refused(bytes, ErrorKind::InvalidData, "the footer");
    // More rows than its buffers hold.
    run(async {
        let store = Store::in_memory().await.unwrap();
        for length in [501, 1 << 40, i64::MAX, -1] {
            let bytes = replaced(&stream, 500, length);
            assert!(!survived(&store, &format!("{length} rows"), bytes).await);
        }
        assert_works(&store, 0).await;
    });
}

#[test]
fn arrow_ipc_whose_buffers_are_said_to_become_huge() {
    let rows = batch("l", 0, ROWS);
    for whole in [
        ipc_stream(&rows, zstd_buffers()),
        ipc_file(&rows, zstd_buffers()),
    ] {
        // The numbers of 500 rows, 8 bytes each.
        for length in [1 << 45, i64::MAX] {
            refused(
                replaced(&whole, 4_000, length),
                ErrorKind::ResourceExhausted,
                "`max_held_bytes`",
            );
        }
        run(async {
            let store = Store::in_memory().await.unwrap();
            for length in [1 << 27, 4_001, 3_999, -2] {
                let bytes = replaced(&whole, 4_000, length);
                assert!(!survived(&store, &format!("{length} bytes"), bytes).await);
            }
            assert_works(&store, 0).await;
        });
    }
}

#[test]
fn a_table_that_names_a_column_twice() {
    let rows = batch("t", 0, 10);
    let mut fields: Vec<_> = rows.schema().fields().iter().cloned().collect();
    fields.push(Arc::clone(&fields[4]));
    let mut columns = rows.columns().to_vec();
    columns.push(Arc::new(Int64Array::from_iter_values(100..110)));
    let twice = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
    let words = "the column `n` is there twice";
    let mut out = FileWriter::try_new(Vec::new(), &twice.schema()).unwrap();
    out.write(&twice).unwrap();
    let bytes = out.into_inner().unwrap();
    refused(bytes, ErrorKind::InvalidData, words);
    run(async {
        let store = Store::in_memory().await.unwrap();
        let error = store.append(twice).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
        assert!(error.message().contains(words), "{error}");
        assert_works(&store, 0).await;
    });
}
