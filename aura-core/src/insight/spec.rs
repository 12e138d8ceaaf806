//! The question as a value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calendar::{Grain, Weekday};
use crate::{Error, Result};

use super::finding::Findings;
use super::memory::Feedback;
use super::rule::Rules;

/// What changed, whether it matters, why, and what to do: all fields have defaults, and without any of them all metrics of the
/// registry are looked at, by all dimensions they allow.
///
/// # Examples
/// ```
/// use aura_core::insight::Insights;
///
/// let spec = Insights::default().metrics(["signups"]).by(["plan"]).from("2026-01-01");
/// let same: Insights =
///     serde_json::from_str(r#"{"metrics": ["signups"], "by": ["plan"], "from": "2026-01-01"}"#)?;
/// assert_eq!(spec, same);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Insights {
    /// The metrics; all of the registry unless given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<String>,
    /// The dimensions, at most 16, none where it is an empty list. Unless given, those that the registry declares, and where it
    /// declares none, the columns of text or booleans that have from 2 to 50 different values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Vec<String>>,
    /// The length of the periods; unless given, the shortest one from days on that gives at most 400 periods, and is not shorter
    /// than the default grain of most metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grain: Option<Grain>,
    /// Which events are looked at: a condition over columns, in the language of metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The first moment, in the forms of [`MetricQuery::from`](crate::metric::MetricQuery::from). The first event unless
    /// given; the period that it begins in the middle of is not judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The first moment no longer looked at. Right after the last event unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The moment as of which periods are complete: only those are judged. The time of the last event unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// See [`Calendar::time_zone`](crate::calendar::Calendar::time_zone).
    #[serde(skip_serializing_if = "is_utc")]
    pub time_zone: String,
    /// See [`Calendar::week_start`](crate::calendar::Calendar::week_start).
    #[serde(skip_serializing_if = "is_default")]
    pub week_start: Weekday,
    /// The rules; [`Rules::builtin`] unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<Rules>,
    /// The greatest expected share of false findings, above 0 and at most 0.5; 0.01 unless given.
    pub false_discovery_rate: f64,
    /// How many values of a dimension are looked at, those with the most events, from 2 to 100; all others together count, and are
    /// no news. 12 unless given.
    pub values: usize,
    /// Series with a mean count of a period (or a mean denominator) below this are too small to be judged; from 1, 5 unless given.
    pub least: f64,
    /// The most findings; from 1, 20 unless given.
    pub limit: usize,
    /// Days (`2026-05-01`) that are not judged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<String>,
    /// Whether working days on which all segments are as on a weekend are taken for holidays, with a note. `true` unless given.
    pub find_holidays: bool,
    /// What the run before found: it says what is new, ongoing and resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Findings>,
    /// What people said about findings; it changes their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub feedback: Vec<Feedback>,
}

impl Default for Insights {
    fn default() -> Self {
        Insights {
            metrics: Vec::new(),
            by: None,
            grain: None,
            filter: None,
            from: None,
            to: None,
            as_of: None,
            time_zone: "UTC".to_owned(),
            week_start: Weekday::default(),
            rules: None,
            false_discovery_rate: 0.01,
            values: 12,
            least: 5.0,
            limit: 20,
            holidays: Vec::new(),
            find_holidays: true,
            previous: None,
            feedback: Vec::new(),
        }
    }
}

fn is_utc(zone: &str) -> bool {
    zone == "UTC"
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Insights {
    /// Sets the metrics.
    #[must_use]
    pub fn metrics<S: Into<String>>(mut self, metrics: impl IntoIterator<Item = S>) -> Self {
        self.metrics = metrics.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the dimensions.
    #[must_use]
    pub fn by<S: Into<String>>(mut self, dimensions: impl IntoIterator<Item = S>) -> Self {
        self.by = Some(dimensions.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the length of the periods.
    #[must_use]
    pub fn grain(mut self, grain: Grain) -> Self {
        self.grain = Some(grain);
        self
    }

    /// Sets which events are looked at.
    #[must_use]
    pub fn filter(mut self, condition: impl Into<String>) -> Self {
        self.filter = Some(condition.into());
        self
    }

    /// Sets the first moment.
    #[must_use]
    pub fn from(mut self, moment: impl Into<String>) -> Self {
        self.from = Some(moment.into());
        self
    }

    /// Sets the first moment no longer looked at.
    #[must_use]
    pub fn to(mut self, moment: impl Into<String>) -> Self {
        self.to = Some(moment.into());
        self
    }

    /// Sets the moment as of which periods are complete.
    #[must_use]
    pub fn as_of(mut self, moment: impl Into<String>) -> Self {
        self.as_of = Some(moment.into());
        self
    }

    /// Sets the rules.
    #[must_use]
    pub fn rules(mut self, rules: Rules) -> Self {
        self.rules = Some(rules);
        self
    }

    /// Sets what the run before found.
    #[must_use]
    pub fn previous(mut self, findings: Findings) -> Self {
        self.previous = Some(findings);
        self
    }

    /// Adds what somebody said about a finding.
    #[must_use]
    pub fn feedback(mut self, feedback: Feedback) -> Self {
        self.feedback.push(feedback);
        self
    }

    /// Checks what the types do not say.
    pub(crate) fn check(&self) -> Result<()> {
        let rate = self.false_discovery_rate;
        let wrong = |message: String| Err(Error::invalid_spec(message));
        if !(rate > 0.0 && rate <= 0.5) {
            return wrong(format!(
                "false_discovery_rate is {rate}; it is above 0 and at most 0.5"
            ));
        }
        if !(2..=100).contains(&self.values) {
            return wrong(format!("values is {}; it is from 2 to 100", self.values));
        }
        if self.least.is_nan() || self.least < 1.0 {
            return wrong(format!("least is {}; it is a number from 1", self.least));
        }
        if self.limit == 0 {
            return wrong("limit is 0; it is from 1".to_owned());
        }
        if let Some(by) = &self.by
            && by.len() > 16
        {
            return wrong(format!(
                "by: {} dimensions are named; at most 16 are looked at",
                by.len()
            ));
        }
        for (place, said) in self.feedback.iter().enumerate() {
            said.check(place)?;
        }
        match &self.rules {
            Some(rules) => rules.check(),
            None => Ok(()),
        }
    }
}
