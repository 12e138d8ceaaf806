//! Calendars: grains, time zones, fiscal years, and periods of one's own.
//!
//! A [`Calendar`] is the spec, a plain value; [`Calendar::prepare`] makes a [`PreparedCalendar`] of it,
//! which answers in which [`Period`] an instant lies and what comes before and after; a [`Bucketer`]
//! answers the first for millions of instants. All instants are microseconds since 1970-01-01T00:00:00Z,
//! all periods are half-open, and the years 1 to 9997 are known.
//!
//! # Rules
//! The time zones are those of the IANA database bundled with the library, so that results do not depend
//! on the host. Where zones change their clocks:
//!
//! - **Days, weeks, months, quarters and years** begin at the first instant at which the local clock shows
//!   their first midnight or a later time. So periods follow one another without gap or overlap; days have 23 or
//!   25 hours when the clocks change; a day whose midnight is skipped begins when the gap ends (America/Sao_Paulo,
//!   2018-11-04T01:00); a day that is skipped as a whole does not exist (Pacific/Apia, 2011-12-30), and
//!   stepping over it is one step.
//!   When the clocks go back over midnight (America/St_Johns until 2011, from 00:01 to 23:01), the new day has
//!   begun, and the repeated minutes belong to it.
//! - **Hours and minutes** are those of the local clock, within a stretch of constant offset. The hour that is
//!   repeated when the clocks go back is two hours, whose labels carry their offsets. In zones that change by
//!   less than an hour (Australia/Lord_Howe, 30 minutes) the hours beside the change are shorter.
//!
//! DuckDB's `date_trunc` in a zone differs: it puts both hours of a repeated one at the start of the second, joins
//! the part of an hour to the whole one where clocks change by less, and begins a day whose midnight occurs twice
//! at the second midnight, so that some instants lie before the start of their period.
//!
//! **Weeks** begin on [`Calendar::week_start`], and belong to the year that holds at least four of their days;
//! from Monday that is ISO 8601. **Quarters and years** follow [`Calendar::fiscal_year_start`].
//!
//! # Speed
//! See [`Bucketer`].

mod bucketer;
mod civil;
mod custom;
mod label;
mod names;
mod period;
mod period_table;
mod prepared;
mod previous_year;
mod shift;
mod spec;
mod step;
mod walk;
mod zone;

#[cfg(test)]
mod tests;

pub use bucketer::Bucketer;
pub use names::{FiscalYearLabel, Grain, Month, Weekday};
pub use period::Period;
pub use period_table::{PeriodRow, PeriodTable};
pub use prepared::PreparedCalendar;
pub use spec::Calendar;
pub use walk::MAX_PERIODS;
