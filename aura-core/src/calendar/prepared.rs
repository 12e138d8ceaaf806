//! The calendar at work: from instants to periods.

use super::civil::{DAY_US, Starts};
use super::custom::{self, CustomGrain, CustomGrains};
use super::names::clip;
use super::zone::{MIN_US, Zone, check_instant};
use super::{Bucketer, Calendar, Grain, Period};
use crate::{Error, Result};

/// A checked [`Calendar`], ready for use.
#[derive(Debug, Clone)]
pub struct PreparedCalendar {
    pub(super) spec: Calendar,
    pub(super) zone: Zone,
    pub(super) starts: Starts,
    /// Days that the zone skipped, sorted.
    pub(super) skipped_days: Vec<i64>,
    custom: CustomGrains,
}

impl PreparedCalendar {
    pub(super) fn new(spec: &Calendar) -> Result<Self> {
        let zone = Zone::new(&spec.time_zone)?;
        Ok(PreparedCalendar {
            starts: Starts {
                week: spec.week_start as i64,
                year: spec.fiscal_year_start as i64,
            },
            skipped_days: zone.skipped_days()?,
            custom: custom::place(&spec.periods, &zone)?,
            spec: spec.clone(),
            zone,
        })
    }

    /// Returns the calendar that this was made from.
    pub fn spec(&self) -> &Calendar {
        &self.spec
    }

    /// Returns the name of the time zone as the IANA database spells it.
    pub fn time_zone(&self) -> &str {
        self.zone.name()
    }

    /// Returns the period that holds an instant.
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) for instants outside the years 1 to 9997 (UTC),
    /// and outside the rows of a grain with periods of its own.
    pub fn period_of(&self, grain: Grain, us: i64) -> Result<Period> {
        check_instant("time", us)?;
        if let Some(custom) = self.custom(grain) {
            let at = custom.position(grain, us)?;
            return custom
                .periods
                .get(at)
                .copied()
                .ok_or_else(|| custom.outside(grain));
        }
        match grain.clock_us() {
            Some(width) => self.clock_period(grain, width, us),
            None => {
                let index = self.index_of(grain, us)?;
                let (start, end) = (
                    self.start_of(grain, index)?,
                    self.start_of(grain, index + 1)?,
                );
                Ok(Period::new(grain, start, end))
            }
        }
    }

    /// Returns the period after `period`.
    ///
    /// # Errors
    /// As [`period_of`](Self::period_of), when the calendar ends before.
    pub fn next(&self, period: &Period) -> Result<Period> {
        self.period_of(period.grain(), period.end_us())
    }

    /// Returns the period before `period`.
    ///
    /// # Errors
    /// As [`period_of`](Self::period_of), when the calendar begins after.
    pub fn previous(&self, period: &Period) -> Result<Period> {
        self.period_of(period.grain(), period.start_us() - 1)
    }

    /// Returns the periods that share an instant with `[from_us, to_us)`, in order; the first and the
    /// last may reach beyond. An empty range gives none.
    ///
    /// # Errors
    /// - [`InvalidSpec`](crate::ErrorKind::InvalidSpec) when `from_us` is after `to_us`, and as
    ///   [`period_of`](Self::period_of);
    /// - [`ResourceExhausted`](crate::ErrorKind::ResourceExhausted) for more than
    ///   [`MAX_PERIODS`](super::MAX_PERIODS) periods.
    pub fn periods(&self, grain: Grain, from_us: i64, to_us: i64) -> Result<Vec<Period>> {
        let bounds = self.bounds(grain, from_us, to_us)?;
        let pairs = bounds.iter().zip(bounds.iter().skip(1));
        Ok(pairs
            .map(|(start, end)| Period::new(grain, *start, *end))
            .collect())
    }

    /// Prepares the fast way from instants of `[from_us, to_us)` to periods.
    ///
    /// # Errors
    /// As [`periods`](Self::periods).
    pub fn bucketer(&self, grain: Grain, from_us: i64, to_us: i64) -> Result<Bucketer> {
        let bounds = self.bounds(grain, from_us, to_us)?;
        Ok(Bucketer::new(grain, from_us, to_us, bounds))
    }

    /// Reads a time: a date or time of the local clock (`2026-03-08`, `2026-03-08T06:30`) or an instant
    /// with an offset (`2026-03-08T06:30:00Z`). A local time that occurs twice is the earlier one; one
    /// that is skipped is the end of the gap.
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) for any other text and for times outside the years
    /// 1 to 9997.
    pub fn instant(&self, text: &str) -> Result<i64> {
        let unreadable = || {
            Error::invalid_spec(format!(
                "`{}` is not a time; expected a date (2026-03-08), a time of the local clock \
                 (2026-03-08T06:30) or an instant with its offset (2026-03-08T06:30:00Z), of the years \
                 1 to 9997",
                clip(text)
            ))
        };
        let us = match custom::local_us(text) {
            Some(local) => self.zone.first_at(local).map_err(|_| unreadable())?,
            None => text
                .trim()
                .parse::<jiff::Timestamp>()
                .map_err(|e| unreadable().with_source(e))?
                .as_microsecond(),
        };
        check_instant(&clip(text), us).map_err(|_| unreadable())?;
        Ok(us)
    }

    /// Returns the rows of `grain`, if it has any of its own.
    pub(super) fn custom(&self, grain: Grain) -> Option<&CustomGrain> {
        self.custom.get(&grain)
    }

    /// Returns the number of the period of `grain` (day or longer) that holds `us`.
    pub(super) fn index_of(&self, grain: Grain, us: i64) -> Result<i64> {
        let day = self.zone.local_us(us)?.div_euclid(DAY_US);
        let mut index = self.starts.index_of_day(grain, day);
        // Where the clocks go back over midnight, the period began at the first one.
        while self.start_of(grain, index + 1)? <= us {
            index += 1;
        }
        while self.start_of(grain, index)? > us {
            index -= 1;
        }
        Ok(index)
    }

    /// Returns the first instant of period `index` of `grain` (day or longer).
    pub(super) fn start_of(&self, grain: Grain, index: i64) -> Result<i64> {
        self.zone
            .first_at(self.starts.first_day(grain, index) * DAY_US)
    }

    /// The period of a grain of the clock: whole multiples of `width_us` on the local clock, cut where
    /// the offset changes.
    fn clock_period(&self, grain: Grain, width_us: i64, us: i64) -> Result<Period> {
        let segment = self.zone.segment(us)?;
        let local = us + segment.offset_us;
        let start = us - local.rem_euclid(width_us);
        Ok(Period::new(
            grain,
            start.max(segment.from_us),
            (start + width_us).min(segment.to_us),
        ))
    }

    /// Refuses a period that another calendar made.
    pub(super) fn check_own(&self, period: &Period) -> Result<()> {
        // The first period may begin before the first instant.
        let instant = period.start_us().max(MIN_US);
        if self.period_of(period.grain(), instant)? == *period {
            return Ok(());
        }
        Err(Error::invalid_spec(format!(
            "the {} from {} to {} µs is not of this calendar; take periods from the calendar that is asked",
            period.grain(),
            period.start_us(),
            period.end_us()
        )))
    }
}

impl Grain {
    /// Returns the length of grains that follow the clock and not the calendar.
    pub(super) fn clock_us(self) -> Option<i64> {
        match self {
            Grain::Minute => Some(60_000_000),
            Grain::Hour => Some(3_600_000_000),
            Grain::Day | Grain::Week | Grain::Month | Grain::Quarter | Grain::Year => None,
        }
    }
}
