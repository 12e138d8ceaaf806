use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::Int64Type;
use proptest::prelude::*;

use super::{PartitionGrain, civil_of_days, split};

const DAY_US: i64 = 86_400_000_000;

fn batch(times: &[i64]) -> RecordBatch {
    let numbers = Int64Array::from_iter_values(0..times.len() as i64);
    let times = TimestampMicrosecondArray::from(times.to_vec()).with_timezone("UTC");
    RecordBatch::try_from_iter([
        ("n", Arc::new(numbers) as ArrayRef),
        ("time", Arc::new(times)),
    ])
    .unwrap()
}

fn numbers(batch: &RecordBatch) -> Vec<i64> {
    use arrow::array::AsArray;
    batch
        .column(0)
        .as_primitive::<Int64Type>()
        .values()
        .to_vec()
}

#[test]
fn values_and_directories_follow_ducklake() {
    let time = 1_769_903_999_999_999; // 2026-01-31T23:59:59.999999Z
    let month = PartitionGrain::Month.of(time);
    assert_eq!(month.values(), ["2026", "1"]);
    assert_eq!(month.directory(), "year=2026/month=1");
    assert_eq!(PartitionGrain::Month.of(time + 1).values(), ["2026", "2"]);
    let day = PartitionGrain::Day.of(time);
    assert_eq!(day.values(), ["2026", "1", "31"]);
    assert_eq!(day.named("a.parquet"), "year=2026/month=1/day=31/a.parquet");
    assert_eq!(PartitionGrain::Year.of(time).directory(), "year=2026");
    let none = PartitionGrain::None.of(time);
    assert!(none.values().is_empty());
    assert_eq!(none.named("a.parquet"), "a.parquet");
    for grain in [
        PartitionGrain::Day,
        PartitionGrain::Month,
        PartitionGrain::Year,
        PartitionGrain::None,
    ] {
        assert_eq!(grain.transforms().len(), grain.of(time).values().len());
    }
}

#[test]
fn one_partition_is_not_copied() {
    let whole = batch(&[3, 1, 2]);
    let parts = split(whole.clone(), 1, PartitionGrain::Day).unwrap();
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[0].1, whole);
    assert!(
        split(batch(&[]), 1, PartitionGrain::Day)
            .unwrap()
            .is_empty()
    );
    assert!(split(whole, 0, PartitionGrain::Day).is_err());
}

#[test]
fn rows_keep_their_order_in_each_partition() {
    let parts = split(
        batch(&[
            2 * DAY_US,
            -1,
            0,
            2 * DAY_US + 5,
            DAY_US - 1,
            i64::MIN,
            i64::MAX,
        ]),
        1,
        PartitionGrain::Day,
    )
    .unwrap();
    let rows: Vec<_> = parts.iter().map(|(_, b)| numbers(b)).collect();
    assert_eq!(rows, [vec![5], vec![1], vec![2, 4], vec![0, 3], vec![6]]);
}

proptest! {
    #[test]
    fn the_calendar_agrees_with_jiff(days in -4_000_000_i64..2_900_000) {
        let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(days));
        if let Ok(date) = date {
            let expected = (i64::from(date.year()), date.month() as u8, date.day() as u8);
            prop_assert_eq!(civil_of_days(days), expected);
        }
    }

    #[test]
    fn every_row_is_in_its_partition(
        times in prop::collection::vec(-400 * DAY_US..400 * DAY_US, 0..50),
    ) {
        for grain in [PartitionGrain::Day, PartitionGrain::Month, PartitionGrain::Year, PartitionGrain::None] {
            let parts = split(batch(&times), 1, grain).unwrap();
            prop_assert!(parts.windows(2).all(|w| w[0].0 < w[1].0));
            let mut seen = Vec::new();
            for (partition, part) in parts {
                let rows = numbers(&part);
                prop_assert!(rows.is_sorted());
                prop_assert!(rows.iter().all(|&r| grain.of(times[r as usize]) == partition));
                seen.extend(rows);
            }
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..times.len() as i64).collect::<Vec<_>>());
        }
    }
}
