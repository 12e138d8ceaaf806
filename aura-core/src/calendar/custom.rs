//! Checked periods of one's own, as local times and, within a zone, as instants.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::names::clip;
use super::period_table::{PeriodRow, PeriodTable, fault};
use super::zone::{MAX_US, MIN_US, Zone};
use super::{Grain, Period};
use crate::{Error, Result};

/// The periods of one grain, in the order of time, without gaps.
#[derive(Debug, Clone)]
pub(super) struct CustomGrain {
    pub(super) periods: Vec<Period>,
    pub(super) labels: Vec<String>,
}

pub(super) type CustomGrains = BTreeMap<Grain, CustomGrain>;

impl CustomGrain {
    /// Returns the place of the period that holds `us`.
    pub(super) fn position(&self, grain: Grain, us: i64) -> Result<usize> {
        let after = self.periods.partition_point(|p| p.start_us() <= us);
        match after.checked_sub(1) {
            Some(at) if self.periods.get(at).is_some_and(|p| us < p.end_us()) => Ok(at),
            _ => Err(self.outside(grain)),
        }
    }

    /// The error for a time or a period that the rows do not reach.
    pub(super) fn outside(&self, grain: Grain) -> Error {
        let name = |label: Option<&String>| clip(label.map_or("", String::as_str));
        fault(format!(
            "the rows of the grain {grain} reach from `{}` to the end of `{}`, which is not far enough \
             for this query; add rows or ask for less",
            name(self.labels.first()),
            name(self.labels.last())
        ))
    }
}

/// A row with its place and its times.
struct Checked<'a> {
    row: usize,
    period: &'a PeriodRow,
    start: i64,
    end: i64,
}

impl Checked<'_> {
    fn fault(&self, message: impl std::fmt::Display) -> Error {
        let PeriodRow { grain, label, .. } = self.period;
        fault(format!(
            "row {} ({grain} `{}`): {message}",
            self.row,
            clip(label)
        ))
    }
}

/// Checks everything that does not need the zone.
pub(super) fn check(table: &PeriodTable) -> Result<()> {
    by_grain(table).map(drop)
}

fn by_grain(table: &PeriodTable) -> Result<BTreeMap<Grain, Vec<Checked<'_>>>> {
    let mut grains: BTreeMap<Grain, Vec<Checked<'_>>> = BTreeMap::new();
    let mut labels = BTreeSet::new();
    for (at, period) in table.rows.iter().enumerate() {
        let mut next = Checked {
            row: at + 1,
            period,
            start: 0,
            end: 0,
        };
        if period.grain < Grain::Week {
            return Err(next.fault("only weeks, months, quarters and years can have rows"));
        }
        if period.label.trim().is_empty() {
            return Err(next.fault("the label is empty"));
        }
        if !labels.insert((period.grain, period.label.as_str())) {
            return Err(next.fault("the label occurs twice; give each period its own"));
        }
        let time = |name: &str, text: &str| {
            local_us(text)
                .filter(|us| (MIN_US..MAX_US).contains(us))
                .ok_or_else(|| {
                    next.fault(format!(
                    "{name} `{}` is not a local date such as 2026-02-01, or a local time such as \
                     2026-02-01T06:00, of the years 1 to 9997",
                    clip(text)
                ))
                })
        };
        let (start, end) = (time("start", &period.start)?, time("end", &period.end)?);
        (next.start, next.end) = (start, end);
        if next.end <= next.start {
            return Err(next.fault(format!(
                "ends at {}, which is not after its start at {}; the end is the day after the last",
                period.end, period.start
            )));
        }
        let rows = grains.entry(period.grain).or_default();
        if let Some(last) = rows.last() {
            let found = |what: &str, advice: &str| {
                next.fault(format!(
                    "starts at {}, {what} row {} ended at {}; {advice}",
                    period.start, last.row, last.period.end
                ))
            };
            if next.start > last.end {
                return Err(found("after", "close the gap"));
            }
            if next.start < last.start {
                return Err(found("before", "sort the rows of each grain by start"));
            }
            if next.start < last.end {
                return Err(found("before", "periods must not overlap"));
            }
        }
        rows.push(next);
    }
    Ok(grains)
}

/// Checks the rows and places them in `zone`.
pub(super) fn place(table: &PeriodTable, zone: &Zone) -> Result<CustomGrains> {
    let mut grains = CustomGrains::new();
    for (grain, rows) in by_grain(table)? {
        let mut placed = CustomGrain {
            periods: Vec::with_capacity(rows.len()),
            labels: Vec::with_capacity(rows.len()),
        };
        for row in rows {
            let (start_us, end_us) = (zone.first_at(row.start)?, zone.first_at(row.end)?);
            if start_us == end_us {
                return Err(row.fault(format!(
                    "lasts no time in {}, whose clocks skip from {} to {}",
                    zone.name(),
                    row.period.start,
                    row.period.end
                )));
            }
            placed.periods.push(Period::new(grain, start_us, end_us));
            placed.labels.push(row.period.label.clone());
        }
        grains.insert(grain, placed);
    }
    Ok(grains)
}

/// Reads a date or a time of the local clock, without a zone or an offset.
pub(super) fn local_us(text: &str) -> Option<i64> {
    let text = text.trim();
    // The parser passes over an offset, which would silently change what is meant.
    let plain = |b: u8| b.is_ascii_digit() || b"-:T .".contains(&b);
    if !text.bytes().all(plain) || text.bytes().skip(10).any(|b| b == b'-') {
        return None;
    }
    let moment: DateTime = text.parse().ok()?;
    Some(Offset::UTC.to_timestamp(moment).ok()?.as_microsecond())
}
