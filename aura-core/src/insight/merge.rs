//! Drift and comparisons that say what a finding says already are shown by it.

use crate::Result;
use crate::detect::q_values;

use super::compare::{Compared, kept};
use super::drift::Drifting;
use super::finding::{Finding, FindingKind, Findings, Part, Related, Status};
use super::state::View;

/// Related findings that are named.
const MOST_RELATED: usize = 12;

/// Adds the drifts and comparisons that are beyond chance, each to the finding that tells the same where there is one.
///
/// A drift is told by a change in the same weeks that names a value of its dimension, or a segment of any, since what happens in one
/// segment moves the mix of all dimensions that go with it; and by the surest drift. A comparison is told by a change of the same metric
/// and segment in its window, and by the surest comparison of the segment.
pub(crate) fn merge(
    view: &View<'_>,
    findings: &mut Findings,
    mut drifting: Vec<Drifting>,
    compared: Vec<Compared>,
) -> Result<()> {
    let p_values: Vec<f64> = drifting.iter().map(|d| d.p_value).collect();
    let q_values = q_values(&p_values, drifting.len());
    for (one, q) in drifting.iter_mut().zip(&q_values) {
        one.state.confidence = 1.0 - q;
        one.state.numbers.push(("q_value", *q));
    }
    let mut sure: Vec<Drifting> = q_values
        .iter()
        .zip(drifting)
        .filter(|(q, one)| **q <= view.level && one.is_large)
        .map(|(_, one)| one)
        .collect();
    sure.sort_by(|a, b| {
        let order = a.p_value.total_cmp(&b.p_value);
        order.then(b.state.observed.total_cmp(&a.state.observed))
    });
    for one in sure {
        let finding = view.builder.state(view.cube, &one.state)?;
        let tells = |f: &Finding| match f.kind {
            FindingKind::Drift => overlaps(f, &finding),
            _ => is_change(f) && overlaps(f, &finding) && names(f, &one.dimension),
        };
        let at = findings.findings.iter().position(tells);
        join(&mut findings.findings, at, finding);
    }
    for state in kept(compared, view.level) {
        let finding = view.builder.state(view.cube, &state)?;
        let tells = |f: &Finding| match f.kind {
            FindingKind::Comparison => f.segment == finding.segment,
            _ => {
                is_change(f) && overlaps(f, &finding) && is_of(f, &finding.metric, &finding.segment)
            }
        };
        let at = findings.findings.iter().position(tells);
        join(&mut findings.findings, at, finding);
    }
    Ok(())
}

/// Shows a finding by another one, or by itself.
fn join(findings: &mut Vec<Finding>, at: Option<usize>, finding: Finding) {
    match at.and_then(|at| findings.get_mut(at)) {
        Some(head) if head.merged.len() < MOST_RELATED => head.merged.push(Related {
            id: finding.id,
            metric: finding.metric,
            segment: finding.segment,
        }),
        Some(_) => {}
        None => findings.push(finding),
    }
}

fn is_change(finding: &Finding) -> bool {
    let kind = matches!(
        finding.kind,
        FindingKind::Shift | FindingKind::Trend | FindingKind::Anomaly | FindingKind::Missing
    );
    kind && finding.status != Status::Resolved
}

/// RFC 3339 in UTC sorts by time.
fn overlaps(a: &Finding, b: &Finding) -> bool {
    a.window.from < b.window.to && b.window.from < a.window.to
}

/// Tells whether a change names a value of a dimension, or comes from some segment.
fn names(finding: &Finding, dimension: &str) -> bool {
    let of = |parts: &[Part]| parts.iter().any(|p| p.dimension == dimension);
    let driven = finding.drivers.iter().any(|d| of(&d.segment));
    let merged = finding.merged.iter().any(|m| of(&m.segment));
    !finding.segment.is_empty() || driven || merged
}

fn is_of(finding: &Finding, metric: &str, segment: &[Part]) -> bool {
    let head = finding.metric == metric && finding.segment == segment;
    let merged = |m: &Related| m.metric == metric && m.segment == segment;
    head || finding.merged.iter().any(merged)
}
