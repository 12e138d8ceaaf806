//! From the events of one actor to its starts and the windows of its returns.

use super::spec::Cohort;

/// Where starts are looked for, and what the windows of return are.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The starts of the periods whose actors are cohorts, and the end of the last one.
    pub(crate) cohorts: Vec<i64>,
    pub(crate) windows: Windows,
    /// Later events are not seen (microseconds, inclusive).
    pub(crate) as_of: i64,
    pub(crate) cohort: Cohort,
    /// Whether only events later than the start are returns. Otherwise the start itself may be one.
    pub(crate) later: bool,
}

/// The windows of return.
#[derive(Debug, Clone)]
pub(crate) enum Windows {
    /// Periods, numbered from the one that holds the first moment of the first cohort.
    Calendar {
        /// How many of them are over.
        ended: i64,
        /// They are the periods of the cohorts as well.
        of_cohorts: bool,
    },
    /// Multiples of a length in microseconds, from each start on.
    Rolling { length: i64 },
}

/// An actor in a cohort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) cohort: usize,
    /// The row of the start.
    pub(crate) row: usize,
    /// Its time.
    pub(crate) start: i64,
    /// How many windows are over.
    pub(crate) ended: u32,
    /// The window in which the last moment seen lies.
    pub(crate) now: u32,
}

/// What a thread keeps from actor to actor.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// The windows with a return, ascending, each once.
    windows: Vec<u32>,
    /// Of recurring starts: the periods with a return and the last time in each, or the times of returns.
    periods: Vec<(i32, i64)>,
    times: Vec<i64>,
}

impl Plan {
    /// Passes over the cohorts of an actor: `work` gets each entry with the windows in which it returned.
    ///
    /// `times` ascend; `periods` are their numbers (−1 for those outside) if windows are those of a calendar, and
    /// are not looked at otherwise.
    #[inline]
    pub(crate) fn entries(
        &self,
        times: &[i64],
        periods: &[i32],
        is_start: impl Fn(usize) -> bool,
        is_return: impl Fn(usize) -> bool,
        scratch: &mut Scratch,
        mut work: impl FnMut(&Entry, &[u32]),
    ) {
        let seen = match times.last() {
            Some(last) if *last > self.as_of => times.partition_point(|t| *t <= self.as_of),
            _ => times.len(),
        };
        let times = times.get(..seen).unwrap_or_default();
        let (Some(&from), Some(&to)) = (self.cohorts.first(), self.cohorts.last()) else {
            return;
        };
        if self.cohort == Cohort::Recurring {
            return self.recurring(times, periods, is_start, is_return, scratch, work);
        }
        let earliest = match self.cohort {
            Cohort::FirstInRange => times.partition_point(|t| *t < from),
            Cohort::FirstEver | Cohort::Recurring => 0,
        };
        let Some(row) = (earliest..times.len()).find(|&row| is_start(row)) else {
            return;
        };
        let Some(&start) = times.get(row) else {
            return;
        };
        if start < from || start >= to {
            return;
        }
        let entry = self.entry(row, start, periods);
        let first = self.first_return(times, row, start);
        scratch.windows.clear();
        let windows = &mut scratch.windows;
        match &self.windows {
            Windows::Calendar { .. } => {
                let base = periods.get(row).copied().unwrap_or(0);
                let mut last = -1;
                let rows = periods.iter().enumerate().take(times.len()).skip(first);
                for (row, &period) in rows {
                    if period != last && is_return(row) {
                        last = period;
                        windows.push(period.wrapping_sub(base) as u32);
                    }
                }
            }
            Windows::Rolling { length } => {
                let mut end = i64::MIN;
                for (row, &time) in times.iter().enumerate().skip(first) {
                    if time >= end && is_return(row) {
                        let window = (time - start) / length;
                        end = start + (window + 1) * length;
                        windows.push(window as u32);
                    }
                }
            }
        }
        work(&entry, windows);
    }

    /// Every period with a start is a cohort of the actor.
    fn recurring(
        &self,
        times: &[i64],
        periods: &[i32],
        is_start: impl Fn(usize) -> bool,
        is_return: impl Fn(usize) -> bool,
        scratch: &mut Scratch,
        mut work: impl FnMut(&Entry, &[u32]),
    ) {
        let (Some(&from), Some(&to)) = (self.cohorts.first(), self.cohorts.last()) else {
            return;
        };
        let Scratch {
            windows,
            periods: met,
            times: returns,
        } = scratch;
        met.clear();
        returns.clear();
        // The returns, gathered once for all starts.
        for (row, &time) in times.iter().enumerate() {
            if time < from || !is_return(row) {
                continue;
            }
            match (&self.windows, periods.get(row)) {
                (Windows::Calendar { .. }, Some(&period)) => match met.last_mut() {
                    Some((last, at)) if *last == period => *at = time,
                    _ => met.push((period, time)),
                },
                (Windows::Calendar { .. }, None) => {}
                (Windows::Rolling { .. }, _) => returns.push(time),
            }
        }
        let earliest = times.partition_point(|t| *t < from);
        let (mut next, mut first) = (i64::MIN, 0);
        for (row, &start) in times.iter().enumerate().skip(earliest) {
            if start >= to {
                break;
            }
            if start < next || !is_start(row) {
                continue;
            }
            let entry = self.entry(row, start, periods);
            next = self.cohorts.get(entry.cohort + 1).copied().unwrap_or(to);
            let least = start.saturating_add(i64::from(self.later));
            windows.clear();
            match &self.windows {
                Windows::Calendar { .. } => {
                    let base = periods.get(row).copied().unwrap_or(0);
                    while met.get(first).is_some_and(|(period, _)| *period < base) {
                        first += 1;
                    }
                    let here = met
                        .get(first)
                        .is_some_and(|(p, last)| *p == base && *last < least);
                    let rest = met.get(first + usize::from(here)..).unwrap_or_default();
                    windows.extend(
                        rest.iter()
                            .map(|(period, _)| period.wrapping_sub(base) as u32),
                    );
                }
                Windows::Rolling { length } => {
                    first += leap(returns.get(first..).unwrap_or_default(), least);
                    let mut at = first;
                    while let Some(&time) = returns.get(at) {
                        let window = (time - start) / length;
                        windows.push(window as u32);
                        let end = start + (window + 1) * length;
                        at += leap(returns.get(at..).unwrap_or_default(), end);
                    }
                }
            }
            work(&entry, windows);
        }
    }

    /// Passes over the values of an entry that is no recurring one: `add` gets each with its window.
    pub(crate) fn values(
        &self,
        times: &[i64],
        periods: &[i32],
        entry: &Entry,
        is_return: impl Fn(usize) -> bool,
        value: impl Fn(usize) -> Option<f64>,
        mut add: impl FnMut(u32, f64),
    ) {
        let base = periods.get(entry.row).copied().unwrap_or(0);
        let first = self.first_return(times, entry.row, entry.start);
        for (row, &time) in times.iter().enumerate().skip(first) {
            if time > self.as_of {
                break;
            }
            if !is_return(row) {
                continue;
            }
            let Some(value) = value(row) else {
                continue;
            };
            let window = match &self.windows {
                Windows::Calendar { .. } => {
                    i64::from(periods.get(row).copied().unwrap_or(-1)) - i64::from(base)
                }
                Windows::Rolling { length } => (time - entry.start) / length,
            };
            if let Ok(window) = u32::try_from(window) {
                add(window, value);
            }
        }
    }

    /// Returns the first row that may be a return: what lies at the time of the start counts, in whichever order.
    fn first_return(&self, times: &[i64], row: usize, start: i64) -> usize {
        if self.later {
            let after = times.get(row..).unwrap_or_default();
            return row + after.iter().take_while(|t| **t == start).count();
        }
        let before = times.get(..row).unwrap_or_default();
        row - before.iter().rev().take_while(|t| **t == start).count()
    }

    #[inline]
    fn entry(&self, row: usize, start: i64, periods: &[i32]) -> Entry {
        let period = || periods.get(row).copied().unwrap_or(0);
        let (cohort, ended, now) = match &self.windows {
            Windows::Calendar { ended, of_cohorts } => {
                let period = period();
                let cohort = of_cohorts.then_some(period as usize);
                let left = (ended - i64::from(period)).max(0);
                // The last moment seen lies in the first period that is not over.
                (cohort, left, left)
            }
            Windows::Rolling { length } => {
                let over = (self.as_of - start).max(0) / length;
                (None, over, over)
            }
        };
        let cohort = cohort.unwrap_or_else(|| {
            let begun = self.cohorts.partition_point(|bound| *bound <= start);
            begun.saturating_sub(1)
        });
        Entry {
            cohort,
            row,
            start,
            ended: ended as u32,
            now: now as u32,
        }
    }
}

/// Returns how many of ascending `times` lie before `least`; takes a time that grows with the logarithm of that.
fn leap(times: &[i64], least: i64) -> usize {
    let mut step = 1;
    while times.get(step - 1).is_some_and(|t| *t < least) {
        step *= 2;
    }
    // All before `step / 2` lie before `least`.
    let from = step / 2;
    let rest = times.get(from..step.min(times.len())).unwrap_or_default();
    from + rest.partition_point(|t| *t < least)
}
