//! What stands in periods without events where a definition does not say.

use crate::expr::{AggregateFunction, BinaryOperator, Expression, Formula};
use crate::metric::behaviour::{CollaborationMeasure, SessionMeasure};
use crate::metric::definition::Fill;
use crate::metric::kind::{Calculation, MetricKind};

/// Counts and sums are 0 without events; all else has no value.
pub(super) fn default_fill(kind: &MetricKind) -> Fill {
    let additive = |expr: &Formula| {
        let counts = expr.aggregates().iter().all(|a| {
            use AggregateFunction::{ApproxDistinct, Count, Sum};
            matches!(a.function, Count | Sum | ApproxDistinct)
        });
        counts && !divides(expr)
    };
    let zero = match kind {
        MetricKind::Simple { expr } | MetricKind::Cumulative { expr, .. } => additive(expr),
        MetricKind::Conversion(c) => c.calculation == Calculation::Conversions,
        MetricKind::Funnel(f) => f.calculation == Calculation::Conversions,
        MetricKind::Sessions(s) => s.measure == SessionMeasure::Count,
        MetricKind::Collaboration(c) => {
            matches!(
                c.measure,
                CollaborationMeasure::Count | CollaborationMeasure::Actors
            )
        }
        MetricKind::Lifecycle(_) => true,
        _ => false,
    };
    if zero { Fill::Zero } else { Fill::Null }
}

fn divides<L>(expr: &Expression<L>) -> bool {
    let mut open = vec![expr];
    while let Some(expr) = open.pop() {
        if let Expression::Binary {
            operator: BinaryOperator::Divide | BinaryOperator::Modulo,
            ..
        } = expr
        {
            return true;
        }
        expr.for_each_part(&mut |part| open.push(part));
    }
    false
}
