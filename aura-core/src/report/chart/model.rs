//! What charts show, as values.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::number::ValueFormat;
use crate::{Error, Result};

/// A chart: what it shows, not how it looks.
///
/// It is drawn as SVG ([`to_svg`](Chart::to_svg)), described for [Vega-Lite](Chart::to_vega_lite), and always has the same
/// numbers as a [table](Chart::grid).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Chart {
    /// Values over time, with intervals and marks.
    Line(LineChart),
    /// Values of things beside each other.
    Bar(BarChart),
    /// Parts of a whole over time.
    Stacked(StackedChart),
    /// How many reach each step.
    Funnel(FunnelChart),
    /// Shares of cohorts by time since their start.
    Heat(HeatMap),
    /// How often values occur.
    Distribution(Distribution),
    /// A small line without axes, to stand beside a number.
    Sparkline(Sparkline),
}

/// Values over time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineChart {
    /// What is shown.
    pub title: String,
    /// The labels of the periods, in their order.
    pub periods: Vec<String>,
    /// The lines, each with a value for every period.
    pub series: Vec<Line>,
    /// How values are written.
    #[serde(default)]
    pub format: ValueFormat,
    /// The first period that was not over when the data ended: from there on lines are dashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incomplete_from: Option<usize>,
    /// A value to be reached or not to be passed, drawn as a horizontal line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
}

/// A line of a chart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// What it is called; may be empty where it is the only one.
    pub name: String,
    /// The value of each period; null leaves a gap.
    pub values: Vec<Option<f64>>,
    /// The lower ends of intervals: none, or one for each period.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub low: Vec<Option<f64>>,
    /// The upper ends of intervals: none, or one for each period.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub high: Vec<Option<f64>>,
    /// What stands out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
}

/// A period of a line that stands out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// The position of the period, from 0.
    pub at: usize,
    /// What kind of mark.
    pub kind: MarkKind,
    /// What it says.
    pub text: String,
}

/// What a mark stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    /// The value of one period is out of the ordinary: a ring around it.
    Anomaly,
    /// From here on the level is another one: an upright line.
    Shift,
}

/// Values of things beside each other, as horizontal bars in the order given.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BarChart {
    /// What is shown.
    pub title: String,
    /// The bars.
    pub bars: Vec<Bar>,
    /// How values are written.
    #[serde(default)]
    pub format: ValueFormat,
}

/// A bar.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bar {
    /// What it stands for.
    pub label: String,
    /// Its length.
    pub value: Option<f64>,
    /// The lower end of its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// The upper end of its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
}

/// Parts of a whole over time, as bars on top of each other. Parts below zero hang from the axis.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StackedChart {
    /// What is shown.
    pub title: String,
    /// The labels of the periods, in their order.
    pub periods: Vec<String>,
    /// The parts, the lowest first, each with a value for every period.
    pub series: Vec<Part>,
    /// How values are written.
    #[serde(default)]
    pub format: ValueFormat,
    /// The first period that was not over when the data ended: from there on bars are pale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incomplete_from: Option<usize>,
}

/// A part of a stacked chart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// What it is called.
    pub name: String,
    /// The value of each period; null is drawn as nothing.
    pub values: Vec<Option<f64>>,
}

/// How many reach each step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FunnelChart {
    /// What is shown.
    pub title: String,
    /// The steps from the first one on.
    pub steps: Vec<FunnelStep>,
}

/// A step of a funnel.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FunnelStep {
    /// What it is called.
    pub name: String,
    /// How many reached it.
    pub count: u64,
    /// Their share of those of the first step; null of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// The lower end of the interval of the share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// The upper end of the interval of the share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Their share of those of the step before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_previous: Option<f64>,
}

/// Shares of cohorts by time since their start.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeatMap {
    /// What is shown.
    pub title: String,
    /// What the columns are called.
    pub columns: Vec<String>,
    /// The cohorts.
    pub rows: Vec<HeatRow>,
    /// How values are written. Colours go from 0 to the greatest value, and to at least 1 for shares.
    #[serde(default = "ValueFormat::percent")]
    pub format: ValueFormat,
}

/// A row of a heat map.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeatRow {
    /// What it is called.
    pub label: String,
    /// How many are in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Its cells, at most as many as there are columns.
    pub cells: Vec<HeatCell>,
}

/// A cell of a heat map.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeatCell {
    /// Its value.
    pub value: Option<f64>,
    /// Whether the value can still change: drawn in italics with a dashed edge.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
}

/// How often values occur.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Distribution {
    /// What is shown.
    pub title: String,
    /// Ranges of values, ascending and without overlap.
    pub bins: Vec<Bin>,
    /// How values are written.
    #[serde(default)]
    pub format: ValueFormat,
    /// Values that are pointed out: the median, a percentile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<ValueMark>,
}

/// A range of values and how many lie in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bin {
    /// The least value of it.
    pub from: f64,
    /// The first value above it, greater than `from`.
    pub to: f64,
    /// How many lie in it.
    pub count: u64,
}

/// A value that is pointed out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueMark {
    /// What it is.
    pub label: String,
    /// Where it lies.
    pub value: f64,
}

/// A small line without axes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sparkline {
    /// What is shown.
    pub title: String,
    /// The values in their order; null leaves a gap.
    pub values: Vec<Option<f64>>,
    /// How values are written.
    #[serde(default)]
    pub format: ValueFormat,
}

impl Chart {
    /// Returns what is shown.
    pub fn title(&self) -> &str {
        match self {
            Chart::Line(chart) => &chart.title,
            Chart::Bar(chart) => &chart.title,
            Chart::Stacked(chart) => &chart.title,
            Chart::Funnel(chart) => &chart.title,
            Chart::Heat(chart) => &chart.title,
            Chart::Distribution(chart) => &chart.title,
            Chart::Sparkline(chart) => &chart.title,
        }
    }

    /// Checks that lists of one chart have one length.
    pub(crate) fn check(&self) -> Result<()> {
        let wrong = |what: &str, found: usize, expected: usize| {
            Error::invalid_spec(format!(
                "chart \"{}\": {what} has {found} values and there are {expected} periods; give one for each",
                self.title()
            ))
        };
        match self {
            Chart::Line(chart) => {
                let periods = chart.periods.len();
                for line in &chart.series {
                    let name = |part: &str| format!("the {part} of \"{}\"", line.name);
                    if line.values.len() != periods {
                        return Err(wrong(&name("line"), line.values.len(), periods));
                    }
                    for (part, ends) in [("lower end", &line.low), ("upper end", &line.high)] {
                        if !ends.is_empty() && ends.len() != periods {
                            return Err(wrong(&name(part), ends.len(), periods));
                        }
                    }
                    if let Some(mark) = line.marks.iter().find(|m| m.at >= periods) {
                        return Err(Error::invalid_spec(format!(
                            "chart \"{}\": a mark is at {} and there are {periods} periods, counted from 0",
                            chart.title, mark.at
                        )));
                    }
                }
            }
            Chart::Stacked(chart) => {
                let periods = chart.periods.len();
                if let Some(part) = chart.series.iter().find(|p| p.values.len() != periods) {
                    return Err(wrong(
                        &format!("the part \"{}\"", part.name),
                        part.values.len(),
                        periods,
                    ));
                }
            }
            Chart::Heat(chart) => {
                let columns = chart.columns.len();
                if let Some(row) = chart.rows.iter().find(|r| r.cells.len() > columns) {
                    return Err(Error::invalid_spec(format!(
                        "chart \"{}\": the row \"{}\" has {} cells and there are {columns} columns",
                        chart.title,
                        row.label,
                        row.cells.len()
                    )));
                }
            }
            Chart::Distribution(chart) => {
                let sound =
                    |bin: &&Bin| bin.from.is_finite() && bin.to.is_finite() && bin.from < bin.to;
                if let Some(bin) = chart.bins.iter().find(|b| !sound(b)) {
                    return Err(Error::invalid_spec(format!(
                        "chart \"{}\": a range goes from {} to {}; its end must be greater",
                        chart.title, bin.from, bin.to
                    )));
                }
            }
            Chart::Bar(_) | Chart::Funnel(_) | Chart::Sparkline(_) => {}
        }
        Ok(())
    }
}
