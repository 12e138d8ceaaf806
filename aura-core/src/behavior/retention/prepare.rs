//! From the spec to a kernel, with all checks.

use crate::behavior::common::Common;
use crate::behavior::making::Making;
use crate::behavior::pass::{Prepared, Spec};
use crate::behavior::periods::moment;
use crate::calendar::{Grain, Period, PreparedCalendar};
use crate::{Error, ErrorKind, Result};

use super::cells::Cells;
use super::kernel::RetentionKernel;
use super::spec::{Cohort, Retention, RetentionMode, RetentionOutput, RetentionWindow};
use super::walk::{Plan, Windows};

/// Most cells of cohort and window, of all groups together.
pub(super) const MAX_CELLS: usize = 1 << 22;
/// The greatest window that may be named.
const MAX_WINDOW: u32 = 100_000;
const MAX_BRACKETS: usize = 1_000;

impl Spec for Retention {
    fn common(&self) -> Common<'_> {
        Common {
            by: &self.by,
            filter: self.filter.as_deref(),
            from: self.from.as_deref(),
            to: self.to.as_deref(),
            actor: self.actor.as_deref(),
            calendar: self.calendar(),
        }
    }

    fn needs_extent(&self) -> bool {
        self.from.is_none() || self.as_of.is_none()
    }

    fn prepare(&self, making: &mut Making<'_>) -> Result<Box<dyn Prepared>> {
        self.check()?;
        let start = making.condition("start", &self.start)?;
        let returning = match &self.returning {
            Some(returning) => making.condition("returning", returning)?,
            None => start,
        };
        let value = match &self.value {
            Some(column) => Some(making.number("value", column)?),
            None => None,
        };
        let by = making.by()?;
        let scope = making.scope().clone();
        let (first, last) = making.extent().unzip();
        let as_of = match &self.as_of {
            Some(text) => Some(moment(&scope.calendar, "as_of", text)?),
            None => last,
        };
        let from = scope.from.or(first);
        let (periods, plan, ended) = match from.zip(as_of) {
            Some((from, as_of)) => self.plan(&scope.calendar, from, scope.to, as_of)?,
            None => nothing(),
        };
        let reads_from = match self.cohort {
            Cohort::FirstEver => None,
            Cohort::FirstInRange | Cohort::Recurring => plan.cohorts.first().copied(),
        };
        making.reads(reads_from, Some(plan.as_of.saturating_add(1)));
        let cells = self.cells(&plan, periods.1.as_ref());
        let width = cells.len() + 1;
        if plan.cohorts.len().saturating_mul(width) > MAX_CELLS {
            return Err(too_many_cells());
        }
        Ok(Box::new(RetentionKernel {
            spec: self.clone(),
            start,
            returning,
            value,
            by,
            cohorts: periods.0,
            bucketer: periods.1,
            calendar: scope.calendar,
            ended,
            cells,
            plan,
        }))
    }
}

type Periods = (Vec<Period>, Option<crate::calendar::Bucketer>);

/// What is asked of no events.
fn nothing() -> (Periods, Plan, i64) {
    let plan = Plan {
        cohorts: Vec::new(),
        windows: Windows::Rolling { length: 1 },
        as_of: i64::MIN,
        cohort: Cohort::FirstEver,
        later: false,
    };
    ((Vec::new(), None), plan, 0)
}

pub(super) fn too_many_cells() -> Error {
    Error::new(
        ErrorKind::ResourceExhausted,
        format!(
            "the result has more than {MAX_CELLS} cells of group, cohort and window; take a longer period, a shorter range, a `horizon`, or fewer columns in `by`"
        ),
    )
}

fn wrong<T>(message: impl Into<String>) -> Result<T> {
    Err(Error::invalid_spec(message))
}

impl Retention {
    /// Checks what needs neither columns nor events.
    fn check(&self) -> Result<()> {
        let has_cells = matches!(
            self.output,
            RetentionOutput::Matrix | RetentionOutput::Curve
        );
        let only = |field: &str| {
            wrong(format!(
                "{field}: only the outputs `matrix` and `curve` have cells; leave it out"
            ))
        };
        if !has_cells {
            if self.mode != RetentionMode::On {
                return only("mode");
            }
            if self.horizon.is_some() {
                return only("horizon");
            }
            if !self.brackets.is_empty() {
                return only("brackets");
            }
            if self.value.is_some() {
                return only("value");
            }
        }
        if let Some(inactive) = self.inactive {
            if self.output != RetentionOutput::Survival {
                return wrong(
                    "inactive: only the output `survival` asks who has left; leave it out",
                );
            }
            if !(1..=MAX_WINDOW).contains(&inactive) {
                return wrong(format!(
                    "inactive: {inactive} windows; it is from 1 to {MAX_WINDOW}"
                ));
            }
        }
        if let Some(horizon) = self.horizon {
            if !self.brackets.is_empty() {
                return wrong(
                    "horizon: the brackets say already which is the last window; leave one out",
                );
            }
            if horizon > MAX_WINDOW {
                return wrong(format!(
                    "horizon: {horizon} is beyond {MAX_WINDOW}, the greatest window"
                ));
            }
        }
        self.check_brackets()?;
        if self.window == RetentionWindow::Rolling && rolling_us(self.period).is_none() {
            return wrong(format!(
                "period: one {} is not always equally long; rolling windows take minute, hour, day or week",
                self.period
            ));
        }
        if self.value.is_some() && self.cohort == Cohort::Recurring {
            return wrong(
                "value: of recurring starts a return would count in several cohorts; take the cohort `first_ever` or `first_in_range`",
            );
        }
        Ok(())
    }

    fn check_brackets(&self) -> Result<()> {
        let bounds = &self.brackets;
        if bounds.is_empty() {
            return Ok(());
        }
        if bounds.len() < 2 || bounds.len() > MAX_BRACKETS {
            return wrong(format!(
                "brackets: {} bounds; from 2 to {MAX_BRACKETS} are possible, each the first window of a bracket, the last the end of the last one",
                bounds.len()
            ));
        }
        for (i, pair) in bounds.windows(2).enumerate() {
            if let [a, b] = pair
                && a >= b
            {
                return wrong(format!(
                    "brackets[{}]: {b} does not come after {a}; bounds ascend",
                    i + 1
                ));
            }
        }
        match bounds.last() {
            Some(last) if *last > MAX_WINDOW + 1 => wrong(format!(
                "brackets: {last} is beyond {MAX_WINDOW}, the greatest window"
            )),
            _ => Ok(()),
        }
    }

    /// Lays out cohorts and windows; the last number is how many windows of the calendar are over.
    fn plan(
        &self,
        calendar: &PreparedCalendar,
        from: i64,
        to: Option<i64>,
        as_of: i64,
    ) -> Result<(Periods, Plan, i64)> {
        let end = as_of.saturating_add(1);
        let to = to.unwrap_or(end).min(end);
        if from >= to {
            return Ok(nothing());
        }
        let grain = self.cohort_period.unwrap_or(self.period);
        let cohorts = calendar.periods(grain, from, to)?;
        let mut bounds: Vec<i64> = cohorts.iter().map(Period::start_us).collect();
        bounds.extend(cohorts.last().map(Period::end_us));
        let start = bounds.first().copied().unwrap_or(from);
        let (bucketer, windows, ended) = match (self.window, rolling_us(self.period)) {
            (RetentionWindow::Rolling, Some(length)) => (None, Windows::Rolling { length }, 0),
            _ => {
                let bucketer = calendar.bucketer(self.period, start, end)?;
                let over = bucketer.periods().filter(|p| p.is_complete(as_of));
                let ended = over.count() as i64;
                let of_cohorts = grain == self.period;
                let windows = Windows::Calendar { ended, of_cohorts };
                (Some(bucketer), windows, ended)
            }
        };
        let plan = Plan {
            cohorts: bounds,
            windows,
            as_of,
            cohort: self.cohort,
            later: self.mode == RetentionMode::OnOrBefore,
        };
        Ok(((cohorts, bucketer), plan, ended))
    }

    fn cells(&self, plan: &Plan, bucketer: Option<&crate::calendar::Bucketer>) -> Cells {
        if !self.brackets.is_empty() {
            return Cells::Brackets(self.brackets.clone());
        }
        if let Some(horizon) = self.horizon {
            return Cells::Each(horizon as usize + 1);
        }
        let Some(start) = plan.cohorts.first() else {
            return Cells::Each(1);
        };
        match (&plan.windows, bucketer) {
            (Windows::Calendar { .. }, Some(bucketer)) => Cells::Each(bucketer.len()),
            (Windows::Rolling { length }, _) => {
                let reached = (plan.as_of - start) / length + 1;
                Cells::Each(usize::try_from(reached).unwrap_or(MAX_CELLS).min(MAX_CELLS))
            }
            _ => Cells::Each(1),
        }
    }
}

/// Returns the length of a rolling window in microseconds.
fn rolling_us(period: Grain) -> Option<i64> {
    match period {
        Grain::Minute => Some(60_000_000),
        Grain::Hour => Some(3_600_000_000),
        Grain::Day => Some(86_400_000_000),
        Grain::Week => Some(7 * 86_400_000_000),
        Grain::Month | Grain::Quarter | Grain::Year => None,
    }
}
