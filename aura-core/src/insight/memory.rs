//! What is remembered between runs: earlier findings, and what people said about them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::{Finding, Findings, Status};
use crate::{Error, Result};

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

impl Feedback {
    /// Checks what the types do not say; `place` is where it stands in the list.
    pub(crate) fn check(&self, place: usize) -> Result<()> {
        match &self.until {
            Some(until) if instant(until).is_none() => Err(Error::invalid_spec(format!(
                "feedback[{place}].until is `{until}`; write a date as 2026-03-31 or a moment as 2026-03-31T12:00:00Z"
            ))),
            _ => Ok(()),
        }
    }
}

/// The instant of a moment in RFC 3339, or of the beginning of a date in UTC.
fn instant(text: &str) -> Option<jiff::Timestamp> {
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    // A civil date would be read from the front of a date and time without an offset as well.
    if text.len() != "2026-03-31".len() {
        return None;
    }
    let date: jiff::civil::Date = text.parse().ok()?;
    let zoned = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp())
}

/// Changes the scores by feedback; `as_of` is a moment in RFC 3339.
pub(crate) fn weigh(findings: &mut [Finding], feedback: &[Feedback], as_of: Option<&str>) {
    let now = as_of.and_then(instant);
    for finding in findings {
        for said in feedback {
            let this = said.id == finding.id || finding.merged.iter().any(|m| m.id == said.id);
            let metric = said.metric.as_ref() == Some(&finding.metric);
            let over = match (&said.until, now) {
                (Some(until), Some(now)) => instant(until).is_some_and(|until| now >= until),
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

#[cfg(test)]
mod tests {
    use super::{Feedback, Verdict, instant};

    #[test]
    fn until_is_an_instant() {
        let at = instant("2026-03-31T02:00:00+02:00");
        assert!(at.is_some());
        assert_eq!(at, instant("2026-03-31"));
        for wrong in ["", "tomorrow", "2026-02-30", "2026-03-31T12:00:00"] {
            let said = Feedback {
                id: "x".to_owned(),
                verdict: Verdict::Snoozed,
                until: Some(wrong.to_owned()),
                metric: None,
            };
            let error = said.check(3).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::InvalidSpec);
            let text = error.to_string();
            assert!(
                text.contains("feedback[3].until") && text.contains(wrong),
                "{text}"
            );
        }
    }
}
