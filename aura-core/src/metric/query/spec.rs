//! The question as a value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calendar::{Calendar, FiscalYearLabel, Grain, Month, PeriodTable, Weekday};
use crate::metric::definition::Fill;

/// A question to a [`Registry`](crate::metric::Registry): which metrics, in which periods, cut by what.
///
/// Only `metrics` must be given. In JSON, unknown fields are refused.
///
/// # Examples
/// ```
/// use aura_core::metric::MetricQuery;
/// use aura_core::calendar::Grain;
///
/// let query = MetricQuery::of(["signups"]).grain(Grain::Week).by(["plan"]).from("2026-01-01");
/// let same: MetricQuery =
///     serde_json::from_str(r#"{"metrics": ["signups"], "grain": "week", "by": ["plan"], "from": "2026-01-01"}"#)?;
/// assert_eq!(query, same);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricQuery {
    /// Names of metrics, from 1 to 200, each once; their columns come in this order.
    pub metrics: Vec<String>,
    /// The length of the periods; by default the longest default grain of the metrics, that of [`Top`] included. Not
    /// shorter than the default grain of any of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grain: Option<Grain>,
    /// Dimensions: columns of the events, at most 8, each allowed by every metric.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
    /// Which events count: a condition over columns, in the language of metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The first moment asked for: a date (`2026-03-01`) or time in the zone of the query, or an instant with its
    /// offset (`2026-03-01T00:00:00Z`). By default the first event. The whole period that holds it is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The first moment no longer asked for, in the same forms. By default right after the last event. A period
    /// that begins before it is asked for as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The moment as of which periods are called complete: those that end at it or before. By default the time
    /// of the last event, so that the period in which it lies is incomplete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// See [`Calendar::time_zone`].
    #[serde(default = "utc", skip_serializing_if = "is_utc")]
    pub time_zone: String,
    /// See [`Calendar::week_start`].
    #[serde(default, skip_serializing_if = "is_default")]
    pub week_start: Weekday,
    /// See [`Calendar::fiscal_year_start`].
    #[serde(default, skip_serializing_if = "is_default")]
    pub fiscal_year_start: Month,
    /// See [`Calendar::fiscal_year_label`].
    #[serde(default, skip_serializing_if = "is_default")]
    pub fiscal_year_label: FiscalYearLabel,
    /// See [`Calendar::periods`].
    #[serde(default, skip_serializing_if = "PeriodTable::is_empty")]
    pub periods: PeriodTable,
    /// With which period each one is compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare_to: Option<Comparison>,
    /// What stands in periods without events, in place of what the definitions say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<Fill>,
    /// Keeps the values of a dimension with the greatest totals and puts all others together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top: Option<Top>,
    /// Adds to each period a row over all values of the dimensions, computed from the events and not from the rows.
    #[serde(default, skip_serializing_if = "is_default")]
    pub totals: bool,
    /// By which columns of the result its rows are ordered; rows that are equal in them, and all without it, come by
    /// period, then by dimensions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<OrderBy>,
    /// The most rows that are returned, after ordering.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// With which period each period of the result is compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Comparison {
    /// The one before it.
    PreviousPeriod,
    /// The one so many periods before it, from 1.
    Periods(u32),
    /// The same one a year before, see
    /// [`PreparedCalendar::same_period_previous_year`](crate::calendar::PreparedCalendar::same_period_previous_year).
    PreviousYear,
    /// The first with the period that holds this moment (in the forms of [`MetricQuery::from`]), the second with
    /// the one after it, and so on.
    From(String),
}

/// Which values of a dimension are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Top {
    /// How many, from 1 to 10,000.
    pub n: usize,
    /// Of which dimension; by default the first one of the query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimension: Option<String>,
    /// The metric that is compared; by default the first one of the query. Its values of all periods asked for are
    /// added up, nulls left out; of equal sums the value that sorts first is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// What all other values together are called.
    #[serde(default = "other", skip_serializing_if = "is_other")]
    pub other: String,
}

/// A column to order by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderBy {
    /// The name of a column of the result.
    pub column: String,
    /// Greatest first. Nulls come last either way.
    #[serde(default, skip_serializing_if = "is_default")]
    pub descending: bool,
}

fn utc() -> String {
    "UTC".to_owned()
}

fn is_utc(zone: &str) -> bool {
    zone == "UTC"
}

fn other() -> String {
    "other".to_owned()
}

fn is_other(text: &str) -> bool {
    text == "other"
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Top {
    /// Keeps the `n` greatest values of the first dimension by the first metric; the others are `other`.
    pub fn new(n: usize) -> Top {
        Top {
            n,
            dimension: None,
            metric: None,
            other: other(),
        }
    }
}

impl MetricQuery {
    /// Asks for metrics, with the defaults of everything else.
    pub fn of<S: Into<String>>(metrics: impl IntoIterator<Item = S>) -> MetricQuery {
        MetricQuery {
            metrics: metrics.into_iter().map(Into::into).collect(),
            grain: None,
            by: Vec::new(),
            filter: None,
            from: None,
            to: None,
            as_of: None,
            time_zone: utc(),
            week_start: Weekday::default(),
            fiscal_year_start: Month::default(),
            fiscal_year_label: FiscalYearLabel::default(),
            periods: PeriodTable::default(),
            compare_to: None,
            fill: None,
            top: None,
            totals: false,
            order: Vec::new(),
            limit: None,
        }
    }

    /// Sets the length of the periods.
    #[must_use]
    pub fn grain(mut self, grain: Grain) -> Self {
        self.grain = Some(grain);
        self
    }

    /// Sets the dimensions.
    #[must_use]
    pub fn by<S: Into<String>>(mut self, dimensions: impl IntoIterator<Item = S>) -> Self {
        self.by = dimensions.into_iter().map(Into::into).collect();
        self
    }

    /// Sets which events count.
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

    /// Sets the first moment no longer asked for.
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

    /// Sets the time zone.
    #[must_use]
    pub fn time_zone(mut self, zone: impl Into<String>) -> Self {
        self.time_zone = zone.into();
        self
    }

    /// Takes zone, weeks, fiscal years and periods from a calendar.
    #[must_use]
    pub fn with_calendar(mut self, calendar: Calendar) -> Self {
        self.time_zone = calendar.time_zone;
        self.week_start = calendar.week_start;
        self.fiscal_year_start = calendar.fiscal_year_start;
        self.fiscal_year_label = calendar.fiscal_year_label;
        self.periods = calendar.periods;
        self
    }

    /// Sets with which period each one is compared.
    #[must_use]
    pub fn compare_to(mut self, comparison: Comparison) -> Self {
        self.compare_to = Some(comparison);
        self
    }

    /// Sets what stands in periods without events.
    #[must_use]
    pub fn fill(mut self, fill: Fill) -> Self {
        self.fill = Some(fill);
        self
    }

    /// Keeps the greatest values of a dimension.
    #[must_use]
    pub fn top(mut self, top: Top) -> Self {
        self.top = Some(top);
        self
    }

    /// Adds rows over all values of the dimensions.
    #[must_use]
    pub fn totals(mut self) -> Self {
        self.totals = true;
        self
    }

    /// Adds a column to order by.
    #[must_use]
    pub fn order_by(mut self, column: impl Into<String>, descending: bool) -> Self {
        self.order.push(OrderBy {
            column: column.into(),
            descending,
        });
        self
    }

    /// Sets the most rows that are returned.
    #[must_use]
    pub fn limit(mut self, rows: usize) -> Self {
        self.limit = Some(rows);
        self
    }

    /// Returns the calendar of the query.
    pub fn calendar(&self) -> Calendar {
        Calendar {
            time_zone: self.time_zone.clone(),
            week_start: self.week_start,
            fiscal_year_start: self.fiscal_year_start,
            fiscal_year_label: self.fiscal_year_label,
            periods: self.periods.clone(),
        }
    }
}
