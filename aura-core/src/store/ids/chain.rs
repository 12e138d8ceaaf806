//! Ids for rows that come without one: made from the content of the rows and of all rows before.
//!
//! The definition, which is the same in every store and must never change (the tests hold vectors
//! that an independent program made):
//!
//! * A value is the XXH3-128 of its bytes. Its seed is the XXH3-64 of the column's name, which
//!   itself is seeded with the number of the type: 1 text (UTF-8), 2 integer (i64), 3 number
//!   (f64; every NaN is 0x7ff8000000000000 and -0 is 0), 4 boolean (one byte), 5 time (i64
//!   microseconds), 6 date (i32 days). Numbers are little endian.
//! * A row is the sum of its values modulo 2¹²⁸, `event_id` left out. A null adds nothing, so that
//!   it is the same as no column, and the order of columns does not matter.
//! * The state begins as `START`. Each row makes it `s = (s ^ row) · M; s ^= s >> 64`.
//! * The id of a row is the state after it, times `M`, xor its upper half, times `M` again: of that
//!   the upper 96 bits, as 16 characters of base64url.
//!
//! So a file or batch sent twice gives the same ids, a file that has grown gives new ids for its
//! new rows only, and equal rows in one source get different ids. The chance that any two of `n`
//! rows with different histories get one id is about `n² / 2⁹⁷`: 6e-12 for a billion.

use arrow::array::{
    Array, ArrayRef, AsArray, GenericStringArray, OffsetSizeTrait, RecordBatch, StringArray,
};
use arrow::buffer::{Buffer, OffsetBuffer};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128_with_seed};

use crate::Error;
use crate::event::EVENT_ID;

/// The first 128 bits of the fraction of π.
const START: u128 = 0x243f_6a88_85a3_08d3_1319_8a2e_0370_7344;
/// The multiplier of the 128-bit generator of Steele and Vigna, and of PCG.
const M: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;
const ID_CHARS: usize = 16;

/// Makes the ids of the rows of one source (one append, or one ingest), in order.
#[derive(Debug, Clone)]
pub(crate) struct ChainHasher {
    state: u128,
}

impl ChainHasher {
    /// Begins a source.
    pub(crate) fn new() -> Self {
        ChainHasher { state: START }
    }

    /// Returns the ids of the next rows: 16 characters each, none null.
    ///
    /// # Errors
    /// As [`row_hashes`].
    pub(crate) fn ids(&mut self, batch: &RecordBatch) -> crate::Result<StringArray> {
        self.next_ids(&row_hashes(batch)?)
    }

    /// Returns the ids of the next rows, given their [`row_hashes`].
    ///
    /// # Errors
    /// `InvalidData` for more than 2³¹ / 16 rows at once.
    pub(crate) fn next_ids(&mut self, rows: &[u128]) -> crate::Result<StringArray> {
        let mut text = Vec::with_capacity(rows.len() * ID_CHARS);
        for &row in rows {
            self.state = (self.state ^ row).wrapping_mul(M);
            self.state ^= self.state >> 64;
            text.extend_from_slice(&render(self.state));
        }
        if i32::try_from(text.len()).is_err() {
            return Err(Error::invalid_data(format!(
                "ids: {} rows in one batch; at most {} fit",
                rows.len(),
                i32::MAX as usize / ID_CHARS,
            )));
        }
        let ends = OffsetBuffer::from_lengths(std::iter::repeat_n(ID_CHARS, rows.len()));
        Ok(StringArray::try_new(ends, Buffer::from_vec(text), None)?)
    }
}

#[inline]
fn render(state: u128) -> [u8; ID_CHARS] {
    let mut id = state.wrapping_mul(M);
    id ^= id >> 64;
    id = id.wrapping_mul(M);
    let mut text = [0; ID_CHARS];
    for (at, pair) in text.as_chunks_mut::<2>().0.iter_mut().enumerate() {
        *pair = PAIRS[(id >> (116 - 12 * at)) as usize & 0xfff];
    }
    text
}

/// The two characters of base64url for each 12 bits.
static PAIRS: [[u8; 2]; 4096] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut pairs = [[0; 2]; 4096];
    let mut at = 0;
    while at < pairs.len() {
        pairs[at] = [alphabet[at >> 6], alphabet[at & 63]];
        at += 1;
    }
    pairs
};

/// Hashes the rows of a batch. What comes out for a row depends on nothing but the row, so that
/// batches may be hashed in parallel and cut anywhere.
///
/// Text may be in any of Arrow's encodings, dictionaries included; integers, floats and times of
/// other widths count as the canonical 64-bit value.
///
/// # Errors
/// `InvalidData` when a column has a type that is not, and cannot be made, one of the canonical
/// schema, or an integer or time that does not fit in 64 bits.
pub(crate) fn row_hashes(batch: &RecordBatch) -> crate::Result<Vec<u128>> {
    let mut rows = vec![0; batch.num_rows()];
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if field.name() != EVENT_ID {
            add_column(field.name(), column, &mut rows)?;
        }
    }
    Ok(rows)
}

/// Adds the values of a column to the hashes of their rows.
fn add_column(name: &str, column: &ArrayRef, rows: &mut [u128]) -> crate::Result<()> {
    if let Some(dictionary) = column.as_any_dictionary_opt() {
        let mut values = vec![0; dictionary.values().len()];
        add_column(name, dictionary.values(), &mut values)?;
        if !values.is_empty() {
            let keys = dictionary.normalized_keys();
            add(column, rows, |row| {
                keys.get(row).and_then(|&key| values.get(key)).copied()
            });
        }
        return Ok(());
    }
    match column.data_type() {
        DataType::Null => {}
        DataType::Utf8 => add_text(name, column.as_string::<i32>(), rows),
        DataType::LargeUtf8 => add_text(name, column.as_string::<i64>(), rows),
        DataType::Utf8View => {
            let (seed, text) = (seed(name, 1), column.as_string_view());
            add(column, rows, |row| {
                Some(xxh3_128_with_seed(text.value(row).as_bytes(), seed))
            });
        }
        DataType::Int64 => {
            add_fixed(
                name,
                2,
                column,
                rows,
                column.as_primitive::<Int64Type>().values(),
                |v| v.to_le_bytes(),
            );
        }
        DataType::Float64 => {
            add_fixed(
                name,
                3,
                column,
                rows,
                column.as_primitive::<Float64Type>().values(),
                |v| canonical(v).to_le_bytes(),
            );
        }
        DataType::Boolean => {
            let (seed, values) = (seed(name, 4), column.as_boolean().values());
            let hashes = [0u8, 1].map(|value| xxh3_128_with_seed(&[value], seed));
            add(column, rows, |row| {
                Some(hashes[usize::from(values.value(row))])
            });
        }
        DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, _) => {
            let values = column.as_primitive::<TimestampMicrosecondType>().values();
            add_fixed(name, 5, column, rows, values, |v| v.to_le_bytes());
        }
        DataType::Date32 => {
            add_fixed(
                name,
                6,
                column,
                rows,
                column.as_primitive::<Date32Type>().values(),
                |v| v.to_le_bytes(),
            );
        }
        other => {
            let to = match other {
                other if other.is_integer() => DataType::Int64,
                DataType::Float16 | DataType::Float32 => DataType::Float64,
                DataType::Timestamp(_, zone) => {
                    DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, zone.clone())
                }
                DataType::Date64 => DataType::Date32,
                other => {
                    return Err(Error::invalid_data(format!(
                        "ids: column `{name}` has the type {other}; expected text, an integer, a \
                         float, a boolean, a timestamp or a date: convert it, or give event ids"
                    )));
                }
            };
            let strict = CastOptions {
                safe: false,
                ..CastOptions::default()
            };
            add_column(name, &cast_with_options(column, &to, &strict)?, rows)?;
        }
    }
    Ok(())
}

fn seed(name: &str, kind: u64) -> u64 {
    xxh3_64_with_seed(name.as_bytes(), kind)
}

fn canonical(value: f64) -> f64 {
    if value.is_nan() {
        f64::from_bits(0x7ff8_0000_0000_0000)
    } else {
        // Makes -0 a 0 and nothing else different.
        value + 0.0
    }
}

/// Adds `hash` of each row that is not null in `column`; the closure may be asked for no other.
#[inline]
fn add(column: &ArrayRef, rows: &mut [u128], hash: impl Fn(usize) -> Option<u128>) {
    let nulls = column.nulls().filter(|nulls| nulls.null_count() > 0);
    for (at, row) in rows.iter_mut().enumerate() {
        if nulls.is_none_or(|nulls| nulls.is_valid(at)) {
            *row = row.wrapping_add(hash(at).unwrap_or(0));
        }
    }
}

fn add_text<O: OffsetSizeTrait>(name: &str, text: &GenericStringArray<O>, rows: &mut [u128]) {
    let seed = seed(name, 1);
    let nulls = text.nulls().filter(|nulls| nulls.null_count() > 0);
    let (ends, bytes) = (text.value_offsets(), text.value_data());
    for (at, (row, ends)) in rows.iter_mut().zip(ends.windows(2)).enumerate() {
        if nulls.is_none_or(|nulls| nulls.is_valid(at)) {
            let value = bytes.get(ends[0].as_usize()..ends[1].as_usize());
            *row = row.wrapping_add(xxh3_128_with_seed(value.unwrap_or(&[]), seed));
        }
    }
}

fn add_fixed<T: Copy, const N: usize>(
    name: &str,
    kind: u64,
    column: &ArrayRef,
    rows: &mut [u128],
    values: &[T],
    bytes: impl Fn(T) -> [u8; N],
) {
    let seed = seed(name, kind);
    add(column, rows, |row| {
        values
            .get(row)
            .map(|&value| xxh3_128_with_seed(&bytes(value), seed))
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        BooleanArray, Date32Array, DictionaryArray, Float32Array, Float64Array, Int16Array,
        Int64Array, NullArray, StringViewArray, TimestampMicrosecondArray, UInt64Array,
    };
    use arrow::datatypes::Int8Type;

    use super::*;

    const T: i64 = 1_700_000_000_123_456;

    fn columns() -> Vec<(&'static str, ArrayRef)> {
        let long = "x".repeat(300);
        let text = |values: [Option<&str>; 6]| -> ArrayRef {
            Arc::new(values.into_iter().collect::<StringArray>())
        };
        let times = vec![T, T, T + 1, 0, -1, 1 << 62];
        let counts = [Some(3), Some(3), None, Some(0), Some(-5), Some(i64::MAX)];
        let amounts = [1.5, 1.5, 7.0, 0.0, -0.0, -f64::NAN];
        let amounts = amounts.map(|v| (v != 7.0).then_some(v));
        let flags = [
            Some(true),
            Some(true),
            None,
            Some(false),
            Some(false),
            Some(true),
        ];
        let days = [
            Some(19_000),
            Some(19_000),
            None,
            Some(0),
            Some(-1),
            Some(i32::MAX),
        ];
        vec![
            (
                EVENT_ID,
                text([Some("ignored"), None, None, None, None, Some("")]),
            ),
            ("actor", text(["u1", "u1", "u2", "", "u3", "u4"].map(Some))),
            (
                "event",
                text(["signup", "signup", "Покупка", "", &long, "nan"].map(Some)),
            ),
            (
                "time",
                Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC")),
            ),
            (
                "plan",
                text([
                    Some("free"),
                    Some("free"),
                    None,
                    Some(""),
                    Some("team"),
                    Some("pro"),
                ]),
            ),
            (
                "count",
                Arc::new(counts.into_iter().collect::<Int64Array>()),
            ),
            (
                "amount",
                Arc::new(amounts.into_iter().collect::<Float64Array>()),
            ),
            ("ai", Arc::new(flags.into_iter().collect::<BooleanArray>())),
            ("day", Arc::new(days.into_iter().collect::<Date32Array>())),
            (
                "extra",
                text([None, None, Some(r#"{"a":1}"#), Some(""), None, None]),
            ),
        ]
    }

    fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        RecordBatch::try_from_iter(columns).expect("batch")
    }

    fn ids(batch: &RecordBatch) -> Vec<String> {
        let ids = ChainHasher::new().ids(batch).expect("ids");
        ids.iter()
            .map(|id| id.expect("no null").to_owned())
            .collect()
    }

    /// Made by a Python program from the definition at the head of this file, with the package
    /// `xxhash` 3. They must never change: ids that are stored were made so.
    const ROWS: [u128; 6] = [
        0xf006a6bf03ac4e185d4aca8f78af93da,
        0xf006a6bf03ac4e185d4aca8f78af93da,
        0xedf61fa10a8c57ddc9af577261bc729b,
        0x3ba674b2ef880a10a6360e4fddcf38ee,
        0x63dd95cf5095defe5a93528cb0d604e2,
        0x192b5f969d1c41504e66ac8626aff51f,
    ];
    const IDS: [&str; 6] = [
        "T5wKXwGK_NITl1z-",
        "Ub1uq_H460IeANGR",
        "NSN5Hp6czVsOb7Gl",
        "J-onanL-4HvVOmiu",
        "xWZd4OJUMtoI-x_L",
        "Oi8vvpMM0q-RPY-b",
    ];

    #[test]
    fn frozen_vectors() {
        let batch = batch(columns());
        assert_eq!(row_hashes(&batch).expect("rows"), ROWS);
        assert_eq!(ids(&batch), IDS);
    }

    #[test]
    fn cuts_between_batches_do_not_matter() {
        let batch = batch(columns());
        for cut in 0..=6 {
            let mut chain = ChainHasher::new();
            let head = chain.ids(&batch.slice(0, cut)).expect("ids");
            let tail = chain.ids(&batch.slice(cut, 6 - cut)).expect("ids");
            let both: Vec<_> = head.iter().chain(&tail).flatten().collect();
            assert_eq!(both, IDS);
        }
    }

    #[test]
    fn order_of_columns_and_columns_of_nulls_do_not_matter() {
        let mut columns = columns();
        columns.reverse();
        columns.push(("later", Arc::new(StringArray::new_null(6))));
        columns.insert(2, ("last", Arc::new(NullArray::new(6))));
        columns.retain(|(name, _)| *name != EVENT_ID);
        assert_eq!(ids(&batch(columns)), IDS);
    }

    #[test]
    fn encodings_do_not_matter() {
        let mut columns = columns();
        for (_, column) in &mut columns {
            let to = match column.data_type() {
                DataType::Utf8 => {
                    DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8))
                }
                DataType::Timestamp(unit, _) => DataType::Timestamp(*unit, Some("+02:00".into())),
                _ => continue,
            };
            *column = arrow::compute::cast(column, &to).expect("cast");
        }
        assert_eq!(ids(&batch(columns.clone())), IDS);
        for (_, column) in &mut columns {
            if let DataType::Dictionary(..) = column.data_type() {
                *column = arrow::compute::cast(column, &DataType::LargeUtf8).expect("cast");
            }
        }
        columns[1].1 = Arc::new(StringViewArray::from(vec![
            "u1", "u1", "u2", "", "u3", "u4",
        ]));
        assert_eq!(ids(&batch(columns)), IDS);
    }

    #[test]
    fn a_null_value_of_a_dictionary_is_a_null() {
        let values: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None]));
        let keys = arrow::array::Int8Array::from(vec![Some(0), Some(1), None]);
        let dictionary = DictionaryArray::<Int8Type>::try_new(keys, values).expect("dictionary");
        let plain = StringArray::from(vec![Some("a"), None, None]);
        assert_eq!(
            ids(&batch(vec![("p", Arc::new(dictionary))])),
            ids(&batch(vec![("p", Arc::new(plain))])),
        );
    }

    #[test]
    fn widths_do_not_matter_but_types_and_names_do() {
        let one = |name, column: ArrayRef| ids(&batch(vec![(name, column)]));
        let integer = one("p", Arc::new(Int64Array::from(vec![1])));
        assert_eq!(integer, one("p", Arc::new(Int16Array::from(vec![1]))));
        assert_eq!(integer, one("p", Arc::new(UInt64Array::from(vec![1]))));
        let number = one("p", Arc::new(Float64Array::from(vec![1.0])));
        assert_eq!(number, one("p", Arc::new(Float32Array::from(vec![1.0]))));
        let all = [
            integer,
            number,
            one("q", Arc::new(Int64Array::from(vec![1]))),
            one("p", Arc::new(BooleanArray::from(vec![true]))),
            one("p", Arc::new(Date32Array::from(vec![1]))),
            one("p", Arc::new(TimestampMicrosecondArray::from(vec![1]))),
            one("p", Arc::new(StringArray::from(vec!["1"]))),
            one("p", Arc::new(StringArray::from(vec![""]))),
            one("p", Arc::new(StringArray::new_null(1))),
        ];
        for (i, id) in all.iter().enumerate() {
            assert!(!all[..i].contains(id), "{i}");
        }
    }

    #[test]
    fn values_that_change_columns_or_rows_change_ids() {
        let pair = |a: [&str; 2], b: [&str; 2]| {
            let text = |v: [&str; 2]| Arc::new(StringArray::from(v.to_vec())) as ArrayRef;
            ids(&batch(vec![("a", text(a)), ("b", text(b))]))
        };
        let base = pair(["1", "2"], ["3", "4"]);
        for other in [
            pair(["3", "2"], ["1", "4"]),
            pair(["2", "1"], ["4", "3"]),
            pair(["13", "2"], ["", "4"]),
            pair(["1", "2"], ["4", "3"]),
        ] {
            assert_ne!(base[1], other[1]);
        }
    }

    #[test]
    fn equal_rows_and_empty_rows_get_different_ids() {
        let mut chain = ChainHasher::new();
        let ids = chain.next_ids(&[0; 10_000]).expect("ids");
        let distinct: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), 10_000);
        assert_eq!(chain.next_ids(&[]).expect("ids").len(), 0);
    }

    #[test]
    fn what_has_no_canonical_type_is_refused() {
        let wide = batch(vec![("p", Arc::new(UInt64Array::from(vec![u64::MAX])))]);
        let e = row_hashes(&wide).expect_err("error");
        assert_eq!(e.kind(), crate::ErrorKind::InvalidData);
        let bytes = arrow::array::BinaryArray::from(vec![&b"x"[..]]);
        let e = row_hashes(&batch(vec![("p", Arc::new(bytes))])).expect_err("error");
        assert_eq!(e.kind(), crate::ErrorKind::InvalidData);
        assert!(e.message().contains("`p`"), "{e}");
    }
}
