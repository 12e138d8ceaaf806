//! Which calendar partition an event belongs to, and the splitting of batches by it.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use arrow::array::{AsArray, RecordBatch, UInt32Array};
use arrow::compute::{max, min, take_record_batch};
use arrow::datatypes::TimestampMicrosecondType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Error, Result};

const DAY_US: i64 = 86_400_000_000;

/// How finely stored events are divided by the calendar (UTC).
///
/// A question over a span of time reads only the partitions that the span touches; expiry drops
/// whole ones. Finer partitions mean more and smaller files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartitionGrain {
    /// One partition a day: for millions of events a day.
    Day,
    /// One partition a month.
    #[default]
    Month,
    /// One partition a year: for small stores.
    Year,
    /// No division.
    None,
}

/// One partition: the first day of its span, under a grain. Ordered by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Partition {
    year: i64,
    /// 1 to 12, or 0 where the grain has no month.
    month: u8,
    /// 1 to 31, or 0 where the grain has no day.
    day: u8,
    divided: bool,
}

impl PartitionGrain {
    /// Returns the DuckLake transforms of the time column that make this division, in order.
    pub(crate) fn transforms(self) -> &'static [&'static str] {
        match self {
            PartitionGrain::Day => &["year", "month", "day"],
            PartitionGrain::Month => &["year", "month"],
            PartitionGrain::Year => &["year"],
            PartitionGrain::None => &[],
        }
    }

    /// Returns the partition of a moment (microseconds since 1970, UTC).
    pub(crate) fn of(self, time_us: i64) -> Partition {
        let (year, month, day) = civil_of_days(time_us.div_euclid(DAY_US));
        let (year, month, day, divided) = match self {
            PartitionGrain::Day => (year, month, day, true),
            PartitionGrain::Month => (year, month, 0, true),
            PartitionGrain::Year => (year, 0, 0, true),
            PartitionGrain::None => (0, 0, 0, false),
        };
        Partition {
            year,
            month,
            day,
            divided,
        }
    }
}

impl Partition {
    /// Returns the values of the partition keys as DuckLake keeps them, for example `["2026", "1"]`.
    pub(crate) fn values(&self) -> Vec<String> {
        let mut values = Vec::new();
        if self.divided {
            values.push(self.year.to_string());
        }
        for part in [self.month, self.day] {
            if part != 0 {
                values.push(part.to_string());
            }
        }
        values
    }

    /// Returns the directory relative to the data directory, for example `year=2026/month=1`;
    /// empty without division.
    pub(crate) fn directory(&self) -> String {
        let mut path = String::new();
        for (name, value) in ["year", "month", "day"].iter().zip(self.values()) {
            if !path.is_empty() {
                path.push('/');
            }
            let _ = write!(path, "{name}={value}");
        }
        path
    }

    /// Returns the path of a file in this partition, relative to the data directory.
    pub(crate) fn file_path(&self, name: Uuid) -> String {
        self.named(&format!("{name}.parquet"))
    }

    /// Returns `name` below the partition's directory.
    pub(crate) fn named(&self, name: &str) -> String {
        match self.directory() {
            dir if dir.is_empty() => name.to_owned(),
            dir => format!("{dir}/{name}"),
        }
    }
}

/// Divides `batch` by the partition of column `time`, in the order of the partitions; within each
/// the rows keep their order.
///
/// # Errors
/// `Internal` if column number `time` is not a timestamp in microseconds.
pub(crate) fn split(
    batch: RecordBatch,
    time: usize,
    grain: PartitionGrain,
) -> Result<Vec<(Partition, RecordBatch)>> {
    let Some(times) = batch
        .columns()
        .get(time)
        .and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>())
    else {
        return Err(Error::internal(format!(
            "column {time} of {} is not the time in microseconds",
            batch.schema()
        )));
    };
    let (Some(first), Some(last)) = (min(times), max(times)) else {
        return Ok(Vec::new());
    };
    // Most batches lie in one partition: two scans settle it.
    if grain.of(first) == grain.of(last) {
        return Ok(vec![(grain.of(first), batch)]);
    }

    let mut rows: BTreeMap<Partition, Vec<u32>> = BTreeMap::new();
    let mut rest = times.values().as_ref();
    let mut start = 0;
    while let Some(&time) = rest.first() {
        // The calendar is asked once for each run of rows of one day.
        let begin = time.saturating_sub(time.rem_euclid(DAY_US));
        let day = begin..=begin.saturating_add(DAY_US - 1);
        let run = rest.iter().take_while(|t| day.contains(t)).count();
        rows.entry(grain.of(time))
            .or_default()
            .extend(start..start + run as u32);
        start += run as u32;
        rest = rest.get(run..).unwrap_or_default();
    }
    rows.into_iter()
        .map(|(partition, rows)| {
            let contiguous = match (rows.first(), rows.last()) {
                (Some(&a), Some(&b)) => (b - a) as usize + 1 == rows.len(),
                _ => false,
            };
            let part = if contiguous {
                batch.slice(rows.first().map_or(0, |&r| r as usize), rows.len())
            } else {
                take_record_batch(&batch, &UInt32Array::from(rows))?
            };
            Ok((partition, part))
        })
        .collect()
}

/// Returns year, month and day (proleptic Gregorian) of a day counted from 1970-01-01.
///
/// The method is Howard Hinnant's `civil_from_days`
/// (<https://howardhinnant.github.io/date_algorithms.html>); any day of a 64-bit microsecond fits.
pub(crate) fn civil_of_days(days: i64) -> (i64, u8, u8) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month as u8, day as u8)
}
