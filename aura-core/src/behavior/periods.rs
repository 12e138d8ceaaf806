//! The range of an analysis by periods.

use std::sync::Arc;

use datafusion::execution::memory_pool::MemoryPool;

use super::making::Making;
use crate::calendar::{Bucketer, Grain, PreparedCalendar};
use crate::{Error, Result};

/// Which moments are asked for, and in which periods.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) calendar: PreparedCalendar,
    /// `[from, to)`; empty where nothing is asked for.
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// Later events are not seen; `None` without events.
    pub(crate) as_of: Option<i64>,
    /// The periods of the range, which are whole; `None`: the range is one.
    pub(crate) periods: Option<Bucketer>,
}

impl Asked {
    /// Finds the range; with a grain, the analysis has asked for the extent.
    pub(crate) fn new(
        making: &Making<'_>,
        grain: Option<Grain>,
        as_of: Option<&str>,
    ) -> Result<Asked> {
        let scope = making.scope();
        let calendar = scope.calendar.clone();
        let (first, last) = making.extent().unzip();
        let given = match as_of {
            Some(text) => Some(moment(&calendar, "as_of", text)?),
            None => None,
        };
        let mut asked = Asked {
            from: scope.from.unwrap_or(i64::MIN),
            to: scope.to.unwrap_or(i64::MAX),
            as_of: given,
            periods: None,
            calendar,
        };
        let Some(grain) = grain else {
            return Ok(asked);
        };
        asked.as_of = given.or(last);
        let end = asked.as_of.map(|us| us.saturating_add(1));
        // What has not begun is left out.
        let to = scope.to.zip(end).map(|(to, end)| to.min(end)).or(end);
        let range = scope.from.or(first).zip(to);
        let periods = match range.filter(|(from, to)| from < to) {
            Some((from, to)) => asked.calendar.periods(grain, from, to)?,
            None => Vec::new(),
        };
        (asked.from, asked.to) = match (periods.first(), periods.last()) {
            (Some(first), Some(last)) => (first.start_us(), last.end_us()),
            _ => (0, 0),
        };
        asked.periods = Some(asked.calendar.bucketer(grain, asked.from, asked.to)?);
        Ok(asked)
    }

    /// Returns the number of periods.
    pub(crate) fn count(&self) -> usize {
        self.periods.as_ref().map_or(1, Bucketer::len)
    }

    /// Returns the first moment that is not seen.
    pub(crate) fn reads_to(&self) -> Option<i64> {
        self.as_of.map(|us| us.saturating_add(1))
    }

    /// Returns the first moment that is not looked at: the end of the range, or where events end.
    pub(crate) fn seen_to(&self) -> i64 {
        self.reads_to().map_or(self.to, |end| end.min(self.to))
    }

    /// Tells of each period whether it is over.
    pub(crate) fn complete(&self) -> Vec<bool> {
        let over = |end: i64| self.as_of.is_some_and(|us| us >= end);
        match &self.periods {
            Some(periods) => periods.periods().map(|p| over(p.end_us())).collect(),
            None => vec![true],
        }
    }

    /// Returns the start and the label of each period.
    pub(crate) fn labels(&self) -> Result<Vec<(i64, String)>> {
        let Some(periods) = &self.periods else {
            return Ok(Vec::new());
        };
        let labels = periods.periods();
        labels
            .map(|p| Ok((p.start_us(), self.calendar.label(&p)?)))
            .collect()
    }
}

/// Reads a moment of a spec.
pub(crate) fn moment(calendar: &PreparedCalendar, field: &str, text: &str) -> Result<i64> {
    let moment = calendar.instant(text);
    moment.map_err(|e| Error::invalid_spec(format!("{field}: {}", e.message())))
}

/// Says how many periods of a result are not over.
pub(crate) fn incomplete(complete: &[bool]) -> Option<String> {
    let open = complete.iter().filter(|c| !**c).count();
    (open > 0).then(|| {
        format!(
            "{open} of {} periods are not complete: their values will still change",
            complete.len()
        )
    })
}

impl Making<'_> {
    /// Returns what states charge their memory to.
    pub(crate) fn memory_pool(&self) -> Arc<dyn MemoryPool> {
        Arc::clone(&self.source.context.runtime_env().memory_pool)
    }
}
