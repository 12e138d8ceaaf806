//! A time zone of the bundled IANA database: between UTC and the local clock, both as microseconds.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};

use super::names::{clip, nearest};
use crate::{Error, Result};

/// 0001-01-01T00:00:00Z: the first instant that calendars know.
pub(super) const MIN_US: i64 = -62_135_596_800_000_000;
/// 9998-01-01T00:00:00Z: the first instant that calendars no longer know.
pub(super) const MAX_US: i64 = 253_339_228_800_000_000;

/// A zone by name. The data are those that the library was built with, never the machine's: the same
/// spec gives the same periods on every host.
#[derive(Debug, Clone)]
pub(super) struct Zone {
    tz: TimeZone,
    name: String,
}

/// A stretch of time `[from_us, to_us)` in which the offset from UTC stays the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    pub(super) from_us: i64,
    pub(super) to_us: i64,
    pub(super) offset_us: i64,
}

impl Zone {
    pub(super) fn new(name: &str) -> Result<Zone> {
        let zones = TimeZoneDatabase::bundled();
        match zones.get(name) {
            Ok(tz) if !tz.is_unknown() => Ok(Zone {
                name: tz.iana_name().unwrap_or(name).to_owned(),
                tz,
            }),
            _ => {
                let hint = suggest(&zones, name)
                    .map_or(String::new(), |near| format!(" Did you mean `{near}`?"));
                Err(Error::invalid_spec(format!(
                    "time_zone: unknown time zone `{}`; expected a name of the IANA database, such \
                     as `Europe/Berlin` or `UTC`.{hint}",
                    clip(name)
                )))
            }
        }
    }

    /// Returns the name as the database spells it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn offset_us(&self, us: i64) -> Result<i64> {
        Ok(offset_us(self.tz.to_offset(timestamp(us)?)))
    }

    /// Returns what the local clock shows, as if it were UTC.
    pub(super) fn local_us(&self, us: i64) -> Result<i64> {
        Ok(us + self.offset_us(us)?)
    }

    /// Returns the first instant at which the local clock shows `local_us` or a later time: the
    /// earlier one of a repeated time, and the end of the gap for a time that is skipped.
    pub(super) fn first_at(&self, local_us: i64) -> Result<i64> {
        let moment = self.tz.to_ambiguous_timestamp(civil(local_us)?);
        match moment.offset() {
            AmbiguousOffset::Unambiguous { offset } => Ok(local_us - offset_us(offset)),
            AmbiguousOffset::Fold { before, .. } => Ok(local_us - offset_us(before)),
            AmbiguousOffset::Gap { after, .. } => {
                let before_gap = local_us - offset_us(after);
                self.tz
                    .following(timestamp(before_gap)?)
                    .find(|transition| transition.offset() == after)
                    .map(|transition| transition.timestamp().as_microsecond())
                    .ok_or_else(|| Error::internal(format!("{}: a gap without end", self.name)))
            }
        }
    }

    /// Returns the stretch of constant offset that holds `us`, cut at the ends of what is known.
    pub(super) fn segment(&self, us: i64) -> Result<Segment> {
        let at = timestamp(us)?;
        let offset = self.tz.to_offset(at);
        // `preceding` leaves out its own instant.
        let mut from_us = MIN_US;
        for transition in self.tz.preceding(timestamp(us + 1)?) {
            let start = transition.timestamp().as_microsecond();
            if start <= MIN_US {
                break;
            }
            if self.tz.to_offset(timestamp(start - 1)?) != offset {
                from_us = start;
                break;
            }
        }
        let to_us = self
            .tz
            .following(at)
            .find(|transition| transition.offset() != offset)
            .map_or(MAX_US, |transition| {
                transition.timestamp().as_microsecond().min(MAX_US)
            });
        Ok(Segment {
            from_us,
            to_us,
            offset_us: offset_us(offset),
        })
    }

    /// Returns the days, from 1970-01-01, that the local clock jumped over: zones that crossed the
    /// date line.
    pub(super) fn skipped_days(&self) -> Result<Vec<i64>> {
        /// 1800-01-01 and 2100-01-01: before there are no zones; after, rules that repeat every year.
        const FIRST_US: i64 = -5_364_662_400_000_000;
        const LAST_US: i64 = 4_102_444_800_000_000;
        let mut days = Vec::new();
        for transition in self.tz.following(timestamp(FIRST_US)?) {
            let at = transition.timestamp().as_microsecond();
            if at >= LAST_US {
                break;
            }
            let from = self.local_us(at - 1)? + 1;
            let to = at + offset_us(transition.offset());
            let first = from.div_euclid(super::civil::DAY_US)
                + i64::from(from.rem_euclid(super::civil::DAY_US) > 0);
            days.extend(first..to.div_euclid(super::civil::DAY_US));
        }
        Ok(days)
    }
}

fn offset_us(offset: Offset) -> i64 {
    i64::from(offset.seconds()) * 1_000_000
}

fn timestamp(us: i64) -> Result<Timestamp> {
    Timestamp::from_microsecond(us).map_err(|e| {
        Error::invalid_spec(format!("{us} µs is not a time of a calendar")).with_source(e)
    })
}

fn civil(local_us: i64) -> Result<DateTime> {
    Ok(Offset::UTC.to_datetime(timestamp(local_us)?))
}

/// Refuses instants outside `[MIN_US, MAX_US)`.
pub(super) fn check_instant(what: &str, us: i64) -> Result<()> {
    if (MIN_US..MAX_US).contains(&us) {
        return Ok(());
    }
    Err(Error::invalid_spec(format!(
        "{what}: {us} µs since 1970-01-01 is outside the years 1 to 9997 that calendars know; check \
         that the unit is the microsecond"
    )))
}

/// Finds the zone that was most likely meant: by its city, or by its letters.
fn suggest(zones: &TimeZoneDatabase, name: &str) -> Option<String> {
    let mut names: Vec<String> = zones.available().map(|n| n.as_str().to_owned()).collect();
    names.sort_unstable();
    let city = |name: &str| {
        let city = name.rsplit('/').next().unwrap_or(name);
        city.trim().replace([' ', '-'], "_").to_ascii_lowercase()
    };
    let wanted = city(name);
    let of_city = |wanted: &str| names.iter().find(|n| n.contains('/') && city(n) == wanted);
    of_city(&wanted)
        .cloned()
        .or_else(|| nearest(name, names.iter().map(String::as_str)).map(str::to_owned))
        .or_else(|| {
            let cities: Vec<String> = names.iter().map(|n| city(n)).collect();
            let near = nearest(&wanted, cities.iter().map(String::as_str))?;
            of_city(near).cloned()
        })
}
