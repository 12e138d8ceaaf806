//! The periods of a question: those asked for, and those that they reach back to.

use std::collections::BTreeMap;

use crate::calendar::{Grain, Period, PreparedCalendar};
use crate::metric::kind::CumulativeRange;
use crate::time::{Span, SpanUnit};
use crate::{Error, ErrorKind, Result};

use super::spec::Comparison;

/// Most periods that one question computes.
const MAX_PERIODS: usize = 1 << 20;

/// How a metric takes the value of another period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offset {
    pub(crate) window: Option<Span>,
    pub(crate) to_grain: Option<Grain>,
}

/// The periods that are computed, in the order of time; positions count from 0.
#[derive(Debug, Clone)]
pub(crate) struct Spine {
    calendar: PreparedCalendar,
    grain: Grain,
    periods: Vec<Period>,
    asked: Vec<Period>,
    compared: Option<Vec<Option<Period>>>,
}

impl Spine {
    /// Makes the spine of the periods that share a moment with `[from_us, to_us)`.
    pub(crate) fn new(
        calendar: PreparedCalendar,
        grain: Grain,
        from_us: i64,
        to_us: i64,
        comparison: Option<&Comparison>,
    ) -> Result<Spine> {
        let asked = calendar.periods(grain, from_us, to_us)?;
        let compared = match comparison {
            Some(comparison) => Some(compared(&calendar, &asked, comparison)?),
            None => None,
        };
        let mut spine = Spine {
            calendar,
            grain,
            periods: Vec::new(),
            asked,
            compared,
        };
        let others = spine.compared.iter().flatten().flatten().copied();
        let all: Vec<Period> = spine.asked.iter().copied().chain(others).collect();
        spine.add(all)?;
        Ok(spine)
    }

    fn add(&mut self, periods: impl IntoIterator<Item = Period>) -> Result<()> {
        self.periods.extend(periods);
        self.periods.sort_unstable();
        self.periods.dedup();
        if self.periods.len() > MAX_PERIODS {
            return Err(Error::new(
                ErrorKind::ResourceExhausted,
                format!(
                    "the query computes {} periods of one {}, more than the {MAX_PERIODS} allowed; take a longer \
                     grain or a shorter range",
                    self.periods.len(),
                    self.grain
                ),
            ));
        }
        Ok(())
    }

    /// Adds the periods that `offsets`, applied again and again up to `depth` times, reach back to.
    pub(crate) fn reach_back(&mut self, chains: &[Vec<Offset>]) -> Result<()> {
        let start: Vec<Period> = self.periods.clone();
        for chain in chains {
            let mut found = start.clone();
            for offset in chain {
                found = found
                    .iter()
                    .filter_map(|p| self.moved(p, *offset).transpose())
                    .collect::<Result<_>>()?;
                self.add(found.iter().copied())?;
            }
        }
        Ok(())
    }

    /// Adds all periods since `from_us`.
    pub(crate) fn reach_back_to(&mut self, from_us: i64) -> Result<()> {
        let Some(last) = self.periods.last().copied() else {
            return Ok(());
        };
        if from_us < last.end_us() {
            let all = self.calendar.periods(self.grain, from_us, last.end_us())?;
            self.add(all)?;
        }
        Ok(())
    }

    /// Returns the period whose value an offset takes; `None` where the calendar has none.
    fn moved(&self, period: &Period, offset: Offset) -> Result<Option<Period>> {
        let mut at = *period;
        if let Some(window) = offset.window {
            if window.is_shorter_than(self.grain) {
                return Err(Error::invalid_spec(format!(
                    "an offset of {window} is shorter than a {}, the grain of the query; take a shorter grain",
                    self.grain
                )));
            }
            if window.unit() == SpanUnit::from(self.grain) {
                match self.calendar.offset(&at, -i64::from(window.count())) {
                    Ok(moved) => at = moved,
                    Err(_) => return Ok(None),
                }
            } else {
                let us = self.calendar.shift(at.start_us(), window, true)?;
                match self.calendar.period_of(self.grain, us) {
                    Ok(moved) => at = moved,
                    Err(_) => return Ok(None),
                }
            }
        }
        if let Some(to) = offset.to_grain {
            if to <= self.grain {
                return Err(Error::invalid_spec(format!(
                    "`offset_to_grain: {to}` is not longer than a {}, the grain of the query; take a shorter grain",
                    self.grain
                )));
            }
            let Ok(long) = self.calendar.period_of(to, at.start_us()) else {
                return Ok(None);
            };
            match self.calendar.period_of(self.grain, long.start_us()) {
                Ok(first) => at = first,
                Err(_) => return Ok(None),
            }
        }
        Ok(Some(at))
    }

    /// Returns for each position the position whose value an offset takes.
    pub(crate) fn offset_positions(&self, offset: Offset) -> Result<Vec<Option<usize>>> {
        self.periods
            .iter()
            .map(|p| Ok(self.moved(p, offset)?.and_then(|m| self.position(&m))))
            .collect()
    }

    /// Returns the position of a period, if it is computed.
    pub(crate) fn position(&self, period: &Period) -> Option<usize> {
        self.periods.binary_search(period).ok()
    }

    pub(crate) fn calendar(&self) -> &PreparedCalendar {
        &self.calendar
    }

    pub(crate) fn grain(&self) -> Grain {
        self.grain
    }

    /// Returns all periods that are computed.
    pub(crate) fn periods(&self) -> &[Period] {
        &self.periods
    }

    /// Returns the periods that were asked for.
    pub(crate) fn asked(&self) -> &[Period] {
        &self.asked
    }

    /// Returns for each period asked for the one it is compared with.
    pub(crate) fn compared(&self) -> Option<&[Option<Period>]> {
        self.compared.as_deref()
    }

    /// Returns for each position the rows that count in it.
    pub(crate) fn windows(&self, over: Option<CumulativeRange>) -> Result<Windows> {
        let mut starts = Vec::with_capacity(self.periods.len());
        for period in &self.periods {
            starts.push(match over {
                None => period.start_us(),
                Some(CumulativeRange::Window(span)) => {
                    self.calendar.shift(period.end_us(), span, true)?
                }
                Some(CumulativeRange::ToDate(grain)) => self
                    .calendar
                    .period_of(grain, period.end_us() - 1)?
                    .start_us(),
                Some(CumulativeRange::AllTime) => i64::MIN,
            });
        }
        // A shift by months is not strictly monotonic around short months; a window never begins before the one
        // of an earlier period.
        for at in 1..starts.len() {
            let before = starts.get(at - 1).copied().unwrap_or(i64::MIN);
            if let Some(start) = starts.get_mut(at)
                && *start < before
            {
                *start = before;
            }
        }
        Ok(Windows {
            ends: self.periods.iter().map(Period::end_us).collect(),
            starts,
        })
    }
}

fn compared(
    calendar: &PreparedCalendar,
    asked: &[Period],
    comparison: &Comparison,
) -> Result<Vec<Option<Period>>> {
    let back = |n: u32| {
        asked
            .iter()
            .map(|p| calendar.offset(p, -i64::from(n)).ok())
            .collect()
    };
    Ok(match comparison {
        Comparison::PreviousPeriod => back(1),
        Comparison::Periods(0) => {
            return Err(Error::invalid_spec(
                "compare_to: 0 periods back is the period itself; take at least 1",
            ));
        }
        Comparison::Periods(n) => back(*n),
        Comparison::PreviousYear => asked
            .iter()
            .map(|p| calendar.same_period_previous_year(p).ok().flatten())
            .collect(),
        Comparison::From(text) => {
            let us = calendar
                .instant(text)
                .map_err(|e| Error::invalid_spec(format!("compare_to: {}", e.message())))?;
            let Some(first) = asked.first() else {
                return Ok(Vec::new());
            };
            let mut next = Some(calendar.period_of(first.grain(), us)?);
            let mut found = Vec::with_capacity(asked.len());
            for _ in asked {
                found.push(next);
                next = next.and_then(|p| calendar.next(&p).ok());
            }
            found
        }
    })
}

/// For each position the half-open range of time whose rows count in it. Neither starts nor ends ever go back, so the
/// positions in which a moment counts follow one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Windows {
    pub(crate) starts: Vec<i64>,
    pub(crate) ends: Vec<i64>,
}

impl Windows {
    /// Returns the positions in which a moment counts.
    pub(crate) fn positions(&self, us: i64) -> std::ops::Range<usize> {
        let from = self.ends.partition_point(|end| *end <= us);
        let to = self.starts.partition_point(|start| *start <= us);
        from..to.max(from)
    }

    /// Returns the ranges of time in which some position has its rows, merged.
    pub(crate) fn ranges(&self) -> Vec<(i64, i64)> {
        let mut merged: Vec<(i64, i64)> = Vec::new();
        for (start, end) in self.starts.iter().zip(&self.ends) {
            match merged.last_mut() {
                Some((_, last)) if *start <= *last => *last = (*last).max(*end),
                _ => merged.push((*start, *end)),
            }
        }
        merged
    }

    /// Returns the first moment of all.
    pub(crate) fn first_us(&self) -> i64 {
        self.starts.first().copied().unwrap_or(0)
    }

    /// Returns the first moment after all.
    pub(crate) fn end_us(&self) -> i64 {
        self.ends.last().copied().unwrap_or(0)
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }
}

/// Counts names, to find those that occur twice.
pub(crate) fn twice<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in names {
        let count = counts.entry(name).or_default();
        *count += 1;
        if *count > 1 {
            return Some(name);
        }
    }
    None
}
