//! The kinds of rules that say what is wanted, or what is compared, rather than what has changed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calendar::Calendar;

/// A bound.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThresholdRule {
    /// Its name, unique among the rules.
    pub name: String,
    /// The metric.
    pub metric: String,
    /// Values above it are news. Exactly one of `above` and `below` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
    /// Values below it are news.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
    /// In how many periods in a row, the last complete one among them; from 1, and 1 unless given.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub periods: u32,
    /// Dimensions whose values are looked at besides the whole; none unless given. Of shares and means, segments whose mean
    /// denominator is less than [`Insights::least`](super::Insights::least) are not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
}

/// Round numbers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MilestoneRule {
    /// Its name, unique among the rules.
    pub name: String,
    /// The metric, a count; it is news when the greatest value so far passes 1, 2 or 5 times a power of ten, from 100 on, within
    /// the last seven periods.
    pub metric: String,
    /// Dimensions whose values are looked at besides the whole; none unless given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
}

/// A target by a date.
///
/// It is met when the mean of the last day (hours), week (days) or the value of the period itself (all others) up to
/// the date is at least, or at most, the target. A goal that was reached, that was missed in the last four such stretches, or
/// that will probably be missed is news; one on its way is not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GoalRule {
    /// Its name, unique among the rules.
    pub name: String,
    /// The metric.
    pub metric: String,
    /// The target, in the unit of the metric, where more is wanted. Exactly one of `at_least` and `at_most` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// The target where less is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    /// The last day (`2026-12-31`), or a moment in the period, at which it is judged.
    pub date: String,
    /// It is at risk when the forecast gives it a smaller chance than this, above 0 and below 1; 0.5 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<f64>,
    /// Dimensions whose values have the same goal besides the whole; none unless given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
}

/// A service level whose budget of errors is spent too fast.
///
/// **Source.** Beyer et al. (2018), *The Site Reliability Workbook*, chapter 5, alerts on several windows and burn rates.
/// **Deviations.** Windows are whole periods of the run, and what a service exactly at its objective shows by chance is not told.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BurnRateRule {
    /// Its name, unique among the rules.
    pub name: String,
    /// The metric: a share, of good or of bad events.
    pub metric: String,
    /// The share of good events that is promised, above 0 and below 1, such as 0.99.
    pub objective: f64,
    /// Whether the metric is the share of bad events; unless given, it is when its direction is `down`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bad: Option<bool>,
    /// The pairs of windows. Unless given, of hours 14.4 times in 1, 6 times in 6 (with the last 1) and 1 time in 72 (with the
    /// last 6); of days 3 times in 1 and 1 time in 3 (with the last 1); else 1 time in 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<BurnWindow>,
    /// Dimensions whose values have the same objective besides the whole; none unless given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
}

/// Two windows that end with the last complete period: the budget is spent too fast when both exceed the factor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BurnWindow {
    /// Periods of the long window, from 1.
    pub long: u32,
    /// Periods of the short window, from 1, at most `long`.
    pub short: u32,
    /// How many times as fast as the objective allows; above 0.
    pub factor: f64,
}

/// Segments that differ from all others together.
///
/// The shares and means of the run are compared, over the last complete periods, with those of all other events of the same periods.
/// The p-values of all comparisons of the run are corrected together after Benjamini and Hochberg, and the level is
/// [`Insights::false_discovery_rate`](super::Insights::false_discovery_rate); segments (or the rest) whose mean denominator is less
/// than [`Insights::least`](super::Insights::least) are suppressed. Of dimensions with two values the smaller one is told.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComparisonRule {
    /// Its name, unique among the rules.
    pub name: String,
    /// The metrics, which have denominators; all such of the run unless given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<String>,
    /// The dimensions; all of the run unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Vec<String>>,
    /// Over how many of the last complete periods, from 8; unless given 72 of hours, 28 of days, 12 of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub periods: Option<u32>,
    /// The least relative difference that is news, from 0, as in [`ChangeRule::min_change`](super::ChangeRule::min_change); 0.1
    /// unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_change: Option<f64>,
}

/// A count whose mix over the values of a dimension is another one than before.
///
/// The last periods are compared with those before by χ² with overdispersion, corrected for all that were compared after Benjamini and
/// Hochberg, and by the population stability index. Dimensions whose values come and go are looked at only where `by` names them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DriftRule {
    /// Its name, unique among the rules.
    pub name: String,
    /// The metrics: counts whose segments add up. Unless given, the one with the greatest values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<String>,
    /// The dimensions; all of the run unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Vec<String>>,
    /// The last complete periods: two seasons (of hours a day, of days a week, of others one period) or more, and cut to whole ones.
    /// Unless given 48 of hours, 14 of days, 4 of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub periods: Option<u32>,
    /// The periods before them that they are compared with, in the same way. Unless given 192 of hours, 56 of days, 16 of others, or
    /// as many as there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u32>,
    /// The least population stability index that is news, from 0; 0.1 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_psi: Option<f64>,
}

fn one() -> u32 {
    1
}

fn is_one(value: &u32) -> bool {
    *value == 1
}

/// What is wrong with a rule; `Ok` where nothing is.
pub(super) type Checked = std::result::Result<(), String>;

/// Checks that exactly one finite number is given.
fn one_of(names: [&str; 2], values: [Option<f64>; 2]) -> Checked {
    let given: Vec<f64> = values.into_iter().flatten().collect();
    match given.as_slice() {
        [value] if value.is_finite() => Ok(()),
        _ => Err(format!(
            "give one number as `{}` or as `{}`",
            names[0], names[1]
        )),
    }
}

fn from_zero(name: &str, value: Option<f64>) -> Checked {
    match value {
        Some(v) if !v.is_finite() || v < 0.0 => {
            Err(format!("{name} is {v}; it is a number from 0"))
        }
        _ => Ok(()),
    }
}

fn from(name: &str, least: u32, value: Option<u32>) -> Checked {
    match value {
        Some(v) if v < least => Err(format!("{name} is {v}; it is a whole number from {least}")),
        _ => Ok(()),
    }
}

impl ThresholdRule {
    pub(super) fn check(&self) -> Checked {
        one_of(["above", "below"], [self.above, self.below])?;
        match self.periods {
            0 => Err("periods is 0; it is from 1".to_owned()),
            _ => Ok(()),
        }
    }
}

impl GoalRule {
    pub(super) fn check(&self) -> Checked {
        one_of(["at_least", "at_most"], [self.at_least, self.at_most])?;
        if let Some(risk) = self.risk
            && !(risk > 0.0 && risk < 1.0)
        {
            return Err(format!("risk is {risk}; it is above 0 and below 1"));
        }
        let calendar = Calendar::default().prepare();
        let read = calendar.and_then(|c| c.instant(&self.date));
        read.map(|_| ())
            .map_err(|e| format!("date: {}", e.message()))
    }
}

impl BurnRateRule {
    pub(super) fn check(&self) -> Checked {
        let objective = self.objective;
        if !(objective > 0.0 && objective < 1.0) {
            return Err(format!(
                "objective is {objective}; it is above 0 and below 1, such as 0.99"
            ));
        }
        for window in &self.windows {
            let BurnWindow {
                long,
                short,
                factor,
            } = *window;
            if short == 0 || short > long {
                return Err(format!(
                    "windows: long is {long} and short {short}; both are from 1, and short is at most long"
                ));
            }
            if !(factor > 0.0 && factor.is_finite()) {
                return Err(format!(
                    "windows: factor is {factor}; it is a number above 0"
                ));
            }
        }
        Ok(())
    }
}

impl ComparisonRule {
    pub(super) fn check(&self) -> Checked {
        from("periods", 8, self.periods)?;
        from_zero("min_change", self.min_change)
    }
}

impl DriftRule {
    pub(super) fn check(&self) -> Checked {
        from("periods", 2, self.periods)?;
        from("reference", 2, self.reference)?;
        from_zero("min_psi", self.min_psi)
    }
}
