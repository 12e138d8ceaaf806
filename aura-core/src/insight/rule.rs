//! Rules: what is looked for, as data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::detect::FactKind;
use crate::document::{Node, decode};
use crate::{Error, Result};

use super::rule_kinds::{
    BurnRateRule, ComparisonRule, DriftRule, GoalRule, MilestoneRule, ThresholdRule,
};
use super::scan::SeriesRule;

/// The rules of a run.
///
/// # Examples
/// ```
/// use aura_core::insight::Rules;
///
/// let rules = Rules::parse("
/// version: 1
/// rules:
///   - {name: drops, kind: anomaly, metrics: [signups], min_change: 0.5}
///   - {name: slow_erosion, kind: trend}
///   - {name: too_many_failures, kind: threshold, metric: sync_failure_rate, above: 0.05, periods: 3}
/// ")?;
/// assert_eq!(rules.rules.len(), 3);
/// # Ok::<(), aura_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// A whole number from 1.
    pub version: u32,
    /// The rules; their names are unique.
    pub rules: Vec<Rule>,
}

/// A rule of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Rule {
    /// The level moves at once, and stays or comes back after more than a season.
    Shift(ChangeRule),
    /// The value moves steadily over a while.
    Trend(ChangeRule),
    /// A few periods are far off.
    Anomaly(ChangeRule),
    /// There is nothing where there should be something.
    Missing(ChangeRule),
    /// The value is beyond a bound.
    Threshold(ThresholdRule),
    /// A round number is passed for the first time.
    Milestone(MilestoneRule),
    /// A target was reached, was missed, or is at risk.
    Goal(GoalRule),
    /// The budget of errors of a service level is spent too fast.
    BurnRate(BurnRateRule),
    /// Segments differ from all others together.
    Comparison(ComparisonRule),
    /// The mix of a count over the values of a dimension changed.
    Drift(DriftRule),
}

/// A rule about changes of series.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeRule {
    /// Its name, unique among the rules.
    pub name: String,
    /// The metrics that it looks at; all of the run unless given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<String>,
    /// The dimensions by which it looks; all of the run unless given, none where it is an empty list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Vec<String>>,
    /// The least relative change that is news, from 0: 0.1 is 10 %. Of shares it is taken against the smaller one of the share
    /// and its counterpart. 0.1 unless given, and 0.2 of anomalies and missing data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_change: Option<f64>,
}

const BUILTIN: &str = include_str!("builtin.yaml");

impl Rules {
    /// Returns the rules that come with AURA: shifts, trends, anomalies and missing data of all metrics.
    ///
    /// # Errors
    /// [`Internal`](crate::ErrorKind::Internal) never in practice: the tests read them.
    pub fn builtin() -> Result<Rules> {
        Rules::parse(BUILTIN)
    }

    /// Reads rules from JSON or YAML and checks them.
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) when the text is no such rules; the message has line and column.
    pub fn parse(text: &str) -> Result<Rules> {
        let node = match text.trim_start().starts_with('{') {
            true => Node::from_json(text).or_else(|fault| Node::from_yaml(text).map_err(|_| fault)),
            false => Node::from_yaml(text),
        };
        let wrong = |fault: crate::document::Fault| Error::invalid_spec(format!("rules: {fault}"));
        let rules: Rules = decode(&node.map_err(wrong)?).map_err(wrong)?;
        rules.check()?;
        Ok(rules)
    }

    /// Checks what the types do not say.
    pub(crate) fn check(&self) -> Result<()> {
        if self.version == 0 {
            return Err(Error::invalid_spec(
                "rules: version is 0; it is a whole number from 1",
            ));
        }
        let mut names = std::collections::BTreeSet::new();
        for rule in &self.rules {
            let name = rule.name();
            let fault = |what: String| Err(Error::invalid_spec(format!("rules: `{name}`: {what}")));
            if name.is_empty() || !names.insert(name) {
                return fault("the name is empty or given twice; each rule has its own".to_owned());
            }
            let checked = match rule {
                Rule::Threshold(rule) => rule.check(),
                Rule::Goal(rule) => rule.check(),
                Rule::BurnRate(rule) => rule.check(),
                Rule::Comparison(rule) => rule.check(),
                Rule::Drift(rule) => rule.check(),
                Rule::Milestone(_) => Ok(()),
                Rule::Shift(r) | Rule::Trend(r) | Rule::Anomaly(r) | Rule::Missing(r) => {
                    match r.min_change {
                        Some(change) if !change.is_finite() || change < 0.0 => {
                            Err(format!("min_change is {change}; it is a number from 0"))
                        }
                        _ => Ok(()),
                    }
                }
            };
            if let Err(what) = checked {
                return fault(what);
            }
        }
        Ok(())
    }

    /// Returns the rules that look at single series.
    pub(crate) fn of_series(&self) -> Vec<SeriesRule> {
        let rules = self.rules.iter().enumerate();
        rules
            .filter_map(|(number, rule)| {
                let (kind, rule, usual) = match rule {
                    Rule::Shift(rule) => (FactKind::Shift, rule, 0.1),
                    Rule::Trend(rule) => (FactKind::Trend, rule, 0.1),
                    Rule::Anomaly(rule) => (FactKind::Anomaly, rule, 0.2),
                    Rule::Missing(rule) => (FactKind::Missing, rule, 0.2),
                    Rule::Threshold(_)
                    | Rule::Milestone(_)
                    | Rule::Goal(_)
                    | Rule::BurnRate(_)
                    | Rule::Comparison(_)
                    | Rule::Drift(_) => return None,
                };
                Some(SeriesRule {
                    number,
                    kind,
                    min_change: rule.min_change.unwrap_or(usual),
                    metrics: rule.metrics.clone(),
                    by: rule.by.clone(),
                })
            })
            .collect()
    }
}

impl Rule {
    /// Returns its name.
    pub fn name(&self) -> &str {
        match self {
            Rule::Shift(r) | Rule::Trend(r) | Rule::Anomaly(r) | Rule::Missing(r) => &r.name,
            Rule::Threshold(r) => &r.name,
            Rule::Milestone(r) => &r.name,
            Rule::Goal(r) => &r.name,
            Rule::BurnRate(r) => &r.name,
            Rule::Comparison(r) => &r.name,
            Rule::Drift(r) => &r.name,
        }
    }

    /// Returns the metrics that it names.
    pub(crate) fn metrics(&self) -> Vec<&str> {
        match self {
            Rule::Shift(r) | Rule::Trend(r) | Rule::Anomaly(r) | Rule::Missing(r) => {
                r.metrics.iter().map(String::as_str).collect()
            }
            Rule::Comparison(r) => r.metrics.iter().map(String::as_str).collect(),
            Rule::Drift(r) => r.metrics.iter().map(String::as_str).collect(),
            Rule::Threshold(r) => vec![&r.metric],
            Rule::Milestone(r) => vec![&r.metric],
            Rule::Goal(r) => vec![&r.metric],
            Rule::BurnRate(r) => vec![&r.metric],
        }
    }

    /// Returns the dimensions that it names.
    pub(crate) fn by(&self) -> &[String] {
        match self {
            Rule::Shift(r) | Rule::Trend(r) | Rule::Anomaly(r) | Rule::Missing(r) => {
                r.by.as_deref().unwrap_or_default()
            }
            Rule::Comparison(r) => r.by.as_deref().unwrap_or_default(),
            Rule::Drift(r) => r.by.as_deref().unwrap_or_default(),
            Rule::Threshold(r) => &r.by,
            Rule::Milestone(r) => &r.by,
            Rule::Goal(r) => &r.by,
            Rule::BurnRate(r) => &r.by,
        }
    }
}
