//! What is remembered between runs: earlier findings, and what people said about them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::{Finding, Findings, Status};

/// What somebody said about a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Feedback {
    /// The id of the finding.
    pub id: String,
    /// What was said.
    pub verdict: Verdict,
    /// Until when it is snoozed (RFC 3339 or a date, UTC); for ever unless given. Only for snoozing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The metric of the finding: with it, findings of the same metric rank a little higher or lower as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
}

/// What was said about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was worth knowing: it and its metric rank higher.
    Useful,
    /// It was not: it and its metric rank lower.
    NotUseful,
    /// Not now: it comes last until it is over.
    Snoozed,
}

/// Changes the scores by feedback; `as_of` is a moment in RFC 3339.
pub(crate) fn weigh(findings: &mut [Finding], feedback: &[Feedback], as_of: Option<&str>) {
    for finding in findings {
        for said in feedback {
            let this = said.id == finding.id || finding.merged.iter().any(|m| m.id == said.id);
            let metric = said.metric.as_ref() == Some(&finding.metric);
            let over = match (&said.until, as_of) {
                // Both are ISO 8601 in UTC, whose text sorts by time.
                (Some(until), Some(now)) => now >= until.as_str(),
                _ => false,
            };
            finding.score *= match (said.verdict, this, metric) {
                (Verdict::Useful, true, _) => 1.5,
                (Verdict::Useful, false, true) => 1.1,
                (Verdict::NotUseful, true, _) => 0.3,
                (Verdict::NotUseful, false, true) => 0.8,
                (Verdict::Snoozed, true, _) if !over => 0.0,
                _ => 1.0,
            };
        }
    }
}

/// Compares with the run before: what it knew keeps its id, and what it knew and is not found any more comes back as resolved.
///
/// A finding is the same as an earlier one of the same kind, metric, segment and direction whose window overlaps: the date
/// of its beginning may be known better now. Of resolved ones, those that were so before are forgotten.
pub(crate) fn compare(findings: &mut Vec<Finding>, previous: &Findings) {
    let mut met = vec![false; previous.findings.len()];
    for finding in findings.iter_mut() {
        let same = |(_, old): &(usize, &Finding)| {
            old.status != Status::Resolved
                && (old.id == finding.id
                    || (old.kind == finding.kind
                        && old.metric == finding.metric
                        && old.segment == finding.segment
                        && old.direction == finding.direction
                        && old.window.from < finding.window.to
                        && finding.window.from < old.window.to))
        };
        if let Some((place, old)) = previous.findings.iter().enumerate().find(same) {
            finding.status = Status::Ongoing;
            finding.id.clone_from(&old.id);
            if let Some(slot) = met.get_mut(place) {
                *slot = true;
            }
        }
    }
    let told = |old: &Finding| {
        findings
            .iter()
            .any(|f| f.merged.iter().any(|m| m.id == old.id))
    };
    let gone: Vec<Finding> = previous
        .findings
        .iter()
        .zip(met)
        .filter(|(old, met)| !met && old.status != Status::Resolved && !told(old))
        .map(|(old, _)| Finding {
            status: Status::Resolved,
            score: 0.0,
            ..old.clone()
        })
        .collect();
    findings.extend(gone);
}
