//! Statistics of a column over the row groups of a file, in the texts that DuckLake keeps.
//!
//! The texts are those that DuckDB 1.5 writes, since DuckDB reads them back.

use arrow::datatypes::DataType;
use parquet::data_type::ByteArray;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::{Statistics, ValueStatistics};

use crate::store::catalog::file::ColumnStats;
use crate::store::partition::civil_of_days;

/// What is known of a column so far.
pub(super) struct Gathered {
    values: Values,
    is_date: bool,
    is_time: bool,
    size_bytes: u64,
    rows: u64,
    nulls: u64,
    has_nan: Option<bool>,
}

enum Values {
    /// No row group with values yet.
    None,
    Integers(i64, i64),
    Floats(f64, f64),
    Booleans(bool, bool),
    Texts(Vec<u8>, Vec<u8>),
    /// Some row group did not tell its exact bounds.
    Unknown,
}

impl Gathered {
    pub(super) fn new(ty: &DataType) -> Self {
        Gathered {
            values: Values::None,
            is_date: ty == &DataType::Date32,
            is_time: matches!(ty, DataType::Timestamp(..)),
            size_bytes: 0,
            rows: 0,
            nulls: 0,
            has_nan: (ty == &DataType::Float64).then_some(false),
        }
    }

    /// Adds one row group.
    pub(super) fn add(&mut self, chunk: &ColumnChunkMetaData, nan: bool) {
        let rows = unsigned(chunk.num_values());
        let nulls = chunk
            .statistics()
            .and_then(Statistics::null_count_opt)
            .unwrap_or(0);
        self.size_bytes += unsigned(chunk.compressed_size());
        self.rows += rows;
        self.nulls += nulls;
        self.has_nan = self.has_nan.map(|before| before | nan);
        if rows == nulls {
            return;
        }
        let bounds = chunk.statistics().and_then(bounds);
        // A group of nothing but NaN has no bounds, and adds none.
        if bounds.is_none() && nan {
            return;
        }
        let before = std::mem::replace(&mut self.values, Values::Unknown);
        self.values = match (before, bounds) {
            (Values::None, Some(new)) => new,
            (Values::Integers(a, b), Some(Values::Integers(c, d))) => {
                Values::Integers(a.min(c), b.max(d))
            }
            (Values::Floats(a, b), Some(Values::Floats(c, d))) => {
                Values::Floats(a.min(c), b.max(d))
            }
            (Values::Booleans(a, b), Some(Values::Booleans(c, d))) => {
                Values::Booleans(a & c, b | d)
            }
            (Values::Texts(a, b), Some(Values::Texts(c, d))) => Values::Texts(a.min(c), b.max(d)),
            _ => Values::Unknown,
        };
    }

    pub(super) fn finish(self, column_id: i64) -> ColumnStats {
        let text = |bytes| String::from_utf8(bytes).ok();
        let (min, max) = match self.values {
            Values::None | Values::Unknown => (None, None),
            Values::Integers(a, b) if self.is_time => (Some(time(a)), Some(time(b))),
            Values::Integers(a, b) if self.is_date => (Some(date(a)), Some(date(b))),
            Values::Integers(a, b) => (Some(a.to_string()), Some(b.to_string())),
            Values::Floats(a, b) => (Some(float(a)), Some(float(b))),
            Values::Booleans(a, b) => {
                (Some(u8::from(a).to_string()), Some(u8::from(b).to_string()))
            }
            Values::Texts(a, b) => (text(a), text(b)),
        };
        ColumnStats {
            column_id,
            size_bytes: self.size_bytes,
            value_count: self.rows - self.nulls.min(self.rows),
            null_count: self.nulls,
            min,
            max,
            contains_nan: self.has_nan,
        }
    }
}

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

/// Returns the bounds where both are exact.
fn bounds(statistics: &Statistics) -> Option<Values> {
    if !statistics.min_is_exact() || !statistics.max_is_exact() {
        return None;
    }
    Some(match statistics {
        Statistics::Boolean(s) => Values::Booleans(*s.min_opt()?, *s.max_opt()?),
        Statistics::Int32(s) => {
            Values::Integers(i64::from(*s.min_opt()?), i64::from(*s.max_opt()?))
        }
        Statistics::Int64(s) => Values::Integers(*s.min_opt()?, *s.max_opt()?),
        Statistics::Double(s) => Values::Floats(*s.min_opt()?, *s.max_opt()?),
        Statistics::ByteArray(s) => texts(s)?,
        _ => return None,
    })
}

fn texts(s: &ValueStatistics<ByteArray>) -> Option<Values> {
    let (min, max) = (s.min_opt()?.data(), s.max_opt()?.data());
    // A bound that could not be shortened comes whole, however long it is.
    (min.len().max(max.len()) <= super::STATISTICS_BYTES)
        .then(|| Values::Texts(min.to_vec(), max.to_vec()))
}

/// Writes a date as `2026-01-31`; years before 1 as `0044-03-15 (BC)`.
fn date(days: i64) -> String {
    let (year, month, day) = civil_of_days(days);
    if year > 0 {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{:04}-{month:02}-{day:02} (BC)", 1 - year)
    }
}

/// Writes a moment as `2026-01-31 23:00:00.5+00`: the fraction without trailing zeros.
fn time(us: i64) -> String {
    const DAY_US: i64 = 86_400_000_000;
    let of_day = us.rem_euclid(DAY_US);
    let (seconds, fraction) = (of_day / 1_000_000, of_day % 1_000_000);
    let mut text = format!(
        "{} {:02}:{:02}:{:02}",
        date(us.div_euclid(DAY_US)),
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    );
    if fraction != 0 {
        text.push_str(format!(".{fraction:06}").trim_end_matches('0'));
    }
    text.push_str("+00");
    text
}

/// Writes a float as `1114.5`, `0.0`, `1e-07`, `1e+16`, `inf`.
fn float(x: f64) -> String {
    if x == 0.0 {
        // Parquet makes the lower bound −0 to cover both zeros.
        return "0.0".to_owned();
    }
    if x.is_infinite() || (1e-4..1e16).contains(&x.abs()) {
        return format!("{x:?}");
    }
    let text = format!("{x:e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let (sign, digits) = match exponent.strip_prefix('-') {
                Some(digits) => ('-', digits),
                None => ('+', exponent),
            };
            format!("{mantissa}e{sign}{digits:0>2}")
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::{date, float, time};

    /// The texts that DuckDB 1.5.5 writes to `ducklake_file_column_stats` for the same values.
    #[test]
    fn texts_are_those_of_duckdb() {
        assert_eq!(time(1_769_900_400_000_000), "2026-01-31 23:00:00+00");
        assert_eq!(time(1_767_225_600_500_000), "2026-01-01 00:00:00.5+00");
        assert_eq!(time(-1), "1969-12-31 23:59:59.999999+00");
        assert_eq!(time(-1_000), "1969-12-31 23:59:59.999+00");
        assert_eq!(time(-63_517_820_277_000_000), "0044-03-15 (BC) 01:02:03+00");
        assert_eq!(
            time(327_403_479_845_000_001),
            "12345-01-02 03:04:05.000001+00"
        );
        assert_eq!(date(20_454), "2026-01-01");
        assert_eq!(date(-735_160), "0044-03-15 (BC)");
        assert_eq!(date(-354_650), "0999-01-01");
        assert_eq!(date(3_789_391), "12345-01-01");
        assert_eq!(float(0.0), "0.0");
        assert_eq!(float(-0.0), "0.0");
        assert_eq!(float(1114.5), "1114.5");
        assert_eq!(float(1e-7), "1e-07");
        assert_eq!(float(1e16), "1e+16");
        assert_eq!(float(1e300), "1e+300");
        assert_eq!(float(f64::INFINITY), "inf");
    }
}
