//! How long after one moment another may be.

use std::sync::Arc;

use crate::calendar::PreparedCalendar;
use crate::time::{Span, SpanUnit};

const DAY_US: i64 = 86_400_000_000;
/// More than the clocks of a zone ever moved, both ways.
const MARGIN_US: i64 = 2 * DAY_US;

/// A length of time from a moment on, both ends included: of the clock, or by a calendar.
#[derive(Debug, Clone)]
pub(crate) enum Window {
    /// Without end.
    Endless,
    /// Microseconds.
    Clock(i64),
    /// Steps of the calendar, which are never shorter than `least` nor longer than `most` microseconds.
    Calendar {
        span: Span,
        calendar: Arc<PreparedCalendar>,
        least: i64,
        most: i64,
    },
}

impl Window {
    pub(crate) fn new(span: Option<Span>, calendar: &Arc<PreparedCalendar>) -> Window {
        let Some(span) = span else {
            return Window::Endless;
        };
        if let Some(us) = span.clock_us() {
            return Window::Clock(us);
        }
        let (least, most) = match span.unit() {
            SpanUnit::Second | SpanUnit::Minute | SpanUnit::Hour => (0, 0),
            SpanUnit::Day => (1, 1),
            SpanUnit::Week => (7, 7),
            SpanUnit::Month => (28, 31),
            SpanUnit::Quarter => (89, 92),
            SpanUnit::Year => (365, 366),
        };
        let days = |n: i64| n * i64::from(span.count()) * DAY_US;
        // Every day of UTC is as long.
        if least == most && calendar.time_zone() == "UTC" {
            return Window::Clock(days(least));
        }
        Window::Calendar {
            span,
            calendar: Arc::clone(calendar),
            least: days(least) - MARGIN_US,
            most: days(most) + MARGIN_US,
        }
    }

    /// Tells whether `time`, which is not before `start`, lies in the window that begins at `start`.
    #[inline]
    pub(crate) fn holds(&self, start: i64, time: i64) -> bool {
        match self {
            Window::Endless => true,
            Window::Clock(us) => time.saturating_sub(start) <= *us,
            Window::Calendar { least, most, .. } => {
                let past = time.saturating_sub(start);
                past <= *least || (past <= *most && time <= self.end(start).unwrap_or(i64::MAX))
            }
        }
    }

    /// Returns the last moment of the window that begins at `start`; `None` without end.
    pub(crate) fn end(&self, start: i64) -> Option<i64> {
        match self {
            Window::Endless => None,
            Window::Clock(us) => Some(start.saturating_add(*us)),
            // Beyond the years that calendars know, nothing ends.
            Window::Calendar { span, calendar, .. } => calendar.shift(start, *span, false).ok(),
        }
    }
}
