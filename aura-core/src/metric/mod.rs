//! Metrics: the calendar by which they are cut into periods.

pub mod calendar;
