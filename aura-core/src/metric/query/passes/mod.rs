//! Metrics that follow each actor, or each object, through time.
//!
//! Rows come from the engine sorted, so that one actor or object is in memory at a time; ties in time are ordered by
//! the values of the other columns that are read, so that no result depends on the order of the source.

mod collaboration;
mod conversion;
mod first_attempt;
mod follow;
mod funnel;
mod lifecycle;
mod retention;
mod sessions;
mod statistic;
mod stickiness;
mod time_to_convert;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array};

use crate::engine::{Events, ScanStats};
use crate::expr::RowExpr;
use crate::metric::behaviour::{CollaborationMeasure, SessionMeasure};
use crate::metric::kind::{Calculation, MetricKind};
use crate::{Error, Result};

use super::executor::{Combinations, DimensionOf, MAX_CELLS, Sparse, too_many};
use super::graph::Pass;
use super::spine::Spine;

/// What a pass works with.
pub(crate) struct PassContext<'a> {
    pub(crate) events: &'a Events,
    pub(crate) spine: &'a Spine,
    pub(crate) dimensions: &'a [DimensionOf],
    /// The filter of the query.
    pub(crate) filter: Option<&'a RowExpr>,
    pub(crate) zone: &'a str,
    /// The times of the first and the last event.
    pub(crate) extent: (i64, i64),
    /// The moment until which events are known.
    pub(crate) as_of: i64,
}

/// What a pass finds: the column of values and, for shares, that of their denominators.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) sparse: Sparse,
    pub(crate) stats: ScanStats,
}

/// Tells whether the values of a pass are shares, which have denominators.
pub(crate) fn has_denominator(kind: &MetricKind) -> bool {
    match kind {
        MetricKind::Conversion(c) => c.calculation == Calculation::ConversionRate,
        MetricKind::Funnel(f) => f.calculation == Calculation::ConversionRate,
        MetricKind::Retention(_) | MetricKind::Stickiness(_) | MetricKind::FirstAttempt(_) => true,
        MetricKind::Collaboration(c) => c.measure == CollaborationMeasure::ShareOfActors,
        _ => false,
    }
}

/// Tells whether the values of a pass are counts, which are 0 where there is nothing.
pub(crate) fn counts(kind: &MetricKind) -> bool {
    match kind {
        MetricKind::Conversion(c) => c.calculation == Calculation::Conversions,
        MetricKind::Funnel(f) => f.calculation == Calculation::Conversions,
        MetricKind::Collaboration(c) => matches!(
            c.measure,
            CollaborationMeasure::Count | CollaborationMeasure::Actors
        ),
        MetricKind::Sessions(s) => s.measure == SessionMeasure::Count,
        MetricKind::Lifecycle(_) => true,
        _ => false,
    }
}

/// Runs a pass.
pub(crate) async fn run(
    cx: &PassContext<'_>,
    pass: &Pass,
    combinations: &mut Combinations,
) -> Result<Found> {
    match &pass.kind {
        MetricKind::Conversion(c) => conversion::run(cx, pass, c, combinations).await,
        MetricKind::Funnel(f) => funnel::run(cx, pass, f, combinations).await,
        MetricKind::Stickiness(s) => stickiness::run(cx, pass, s, combinations).await,
        MetricKind::Retention(r) => retention::run(cx, pass, r, combinations).await,
        MetricKind::Sessions(s) => sessions::run(cx, pass, s, combinations).await,
        MetricKind::TimeToConvert(t) => time_to_convert::run(cx, pass, t, combinations).await,
        MetricKind::Collaboration(c) => collaboration::run(cx, pass, c, combinations).await,
        MetricKind::Lifecycle(l) => lifecycle::run(cx, pass, l, combinations).await,
        MetricKind::FirstAttempt(a) => first_attempt::run(cx, pass, a, combinations).await,
        other => Err(Error::internal(format!(
            "a {} is not computed by following actors",
            other.name().name()
        ))),
    }
}

/// What is gathered for each position and combination.
#[derive(Debug)]
pub(super) struct Cells<T>(BTreeMap<(u32, u32), T>);

impl<T: Default> Cells<T> {
    pub(super) fn new() -> Self {
        Cells(BTreeMap::new())
    }

    pub(super) fn at(&mut self, position: usize, id: u32) -> Result<&mut T> {
        if self.0.len() >= MAX_CELLS {
            return Err(too_many(self.0.len()));
        }
        Ok(self.0.entry((position as u32, id)).or_default())
    }

    pub(super) fn find(&self, position: usize, id: u32) -> Option<&T> {
        self.0.get(&(position as u32, id))
    }

    /// Makes columns of shares `above / below` and of their denominators.
    pub(super) fn shares(self, share: impl Fn(&T) -> (f64, i64)) -> Sparse {
        let (mut values, mut below) = (Vec::new(), Vec::new());
        let keys: Vec<(u32, u32)> = self.0.keys().copied().collect();
        for cell in self.0.values() {
            let (above, n) = share(cell);
            values.push((n > 0).then(|| above / n as f64));
            below.push(n);
        }
        sparse(
            keys,
            vec![
                Arc::new(Float64Array::from(values)),
                Arc::new(Int64Array::from(below)),
            ],
        )
    }

    /// Makes a column of counts.
    pub(super) fn counts(self, count: impl Fn(&T) -> i64) -> Sparse {
        let keys: Vec<(u32, u32)> = self.0.keys().copied().collect();
        let values: Vec<i64> = self.0.values().map(count).collect();
        sparse(keys, vec![Arc::new(Int64Array::from(values))])
    }

    /// Makes a column of numbers.
    pub(super) fn numbers(mut self, number: impl Fn(&mut T) -> Option<f64>) -> Sparse {
        let keys: Vec<(u32, u32)> = self.0.keys().copied().collect();
        let values: Vec<Option<f64>> = self.0.values_mut().map(number).collect();
        sparse(keys, vec![Arc::new(Float64Array::from(values))])
    }
}

fn sparse(keys: Vec<(u32, u32)>, columns: Vec<ArrayRef>) -> Sparse {
    let (positions, ids) = keys.into_iter().unzip();
    Sparse {
        ids,
        positions,
        columns,
    }
}

/// Adds up what was read.
pub(crate) fn sum(a: ScanStats, b: ScanStats) -> ScanStats {
    ScanStats {
        files_total: a.files_total + b.files_total,
        files_read: a.files_read + b.files_read,
        bytes_read: a.bytes_read + b.bytes_read,
    }
}
