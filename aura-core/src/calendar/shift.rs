//! Moments a length of time away from others.

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};

use super::PreparedCalendar;
use super::zone::{MAX_US, MIN_US};
use crate::Result;
use crate::time::{Span, SpanUnit};

impl PreparedCalendar {
    /// Returns the moment one `span` after `us`, or before it with `back`.
    ///
    /// Seconds, minutes and hours are elapsed time. Days and longer units are steps on the local clock: the same
    /// local time on the other day, the last day of the month where a month is too short; a local time that
    /// occurs twice is the earlier one, one that is skipped the end of the gap. Moments beyond the years that
    /// calendars know are the first or the last of them.
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) when `us` lies outside the years 1 to 9997.
    pub fn shift(&self, us: i64, span: Span, back: bool) -> Result<i64> {
        let bound = if back { MIN_US } else { MAX_US - 1 };
        if let Some(length) = span.clock_us() {
            let length = if back { -length } else { length };
            return Ok(us.saturating_add(length).clamp(MIN_US, MAX_US - 1));
        }
        let local = self.zone.local_us(us)?;
        let count = i64::from(span.count());
        let step = match span.unit() {
            SpanUnit::Day => jiff::Span::new().try_days(count),
            SpanUnit::Week => jiff::Span::new().try_weeks(count),
            SpanUnit::Month => jiff::Span::new().try_months(count),
            SpanUnit::Quarter => jiff::Span::new().try_months(3 * count),
            SpanUnit::Year => jiff::Span::new().try_years(count),
            SpanUnit::Second | SpanUnit::Minute | SpanUnit::Hour => Ok(0.days()),
        };
        let moved = |step: jiff::Span| -> Option<DateTime> {
            let at = Offset::UTC.to_datetime(Timestamp::from_microsecond(local).ok()?);
            if back {
                at.checked_sub(step).ok()
            } else {
                at.checked_add(step).ok()
            }
        };
        let Some(target) = step.ok().and_then(moved) else {
            return Ok(bound);
        };
        let local = match Offset::UTC.to_timestamp(target) {
            Ok(timestamp) => timestamp.as_microsecond(),
            Err(_) => return Ok(bound),
        };
        if !(MIN_US..MAX_US).contains(&local) {
            return Ok(bound);
        }
        Ok(self.zone.first_at(local)?.clamp(MIN_US, MAX_US - 1))
    }
}
