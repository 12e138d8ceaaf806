//! What a run looks at: metrics that the events can answer, dimensions, periods.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Int64Type};

use crate::Result;
use crate::calendar::{Calendar, Grain, Period, PreparedCalendar};
use crate::engine::{Events, extent};
use crate::event::{ACTOR, EVENT, EVENT_ID, TIME};
use crate::expr::{AggregateFunction, Expression, Term};
use crate::metric::{Fill, KindName, MetricDefinition, MetricKind, Registry, Span, SpanUnit};

use super::finding::Findings;
use super::notes::{Notes, note};
use super::spec::Insights;

/// Most periods that are chosen by themselves.
const MOST_PERIODS: i64 = 400;
/// Values of a column that is taken for a dimension by itself.
const MOST_VALUES: i64 = 50;
const MOST_DIMENSIONS: usize = 16;
const DAY_US: i64 = 86_400_000_000;

/// A metric that is looked at.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) definition: MetricDefinition,
    /// The dimensions by which it is cut.
    pub(crate) by: Vec<String>,
    /// Whether its segments add up.
    pub(crate) additive: bool,
    pub(crate) warm: usize,
    pub(crate) open: usize,
}

/// What a run looks at.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) calendar: PreparedCalendar,
    pub(crate) grain: Grain,
    /// Periods that are over, in order.
    pub(crate) periods: Vec<Period>,
    pub(crate) as_of: i64,
    pub(crate) metrics: Vec<Planned>,
    pub(crate) dimensions: Vec<String>,
}

impl Plan {
    /// Plans a run; the notes say what is left out. `None`, with a note, when there is nothing to look at.
    pub(crate) async fn new(
        events: &Events,
        registry: &Registry,
        spec: &Insights,
        findings: &mut Findings,
    ) -> Result<Option<Plan>> {
        let notes = &mut findings.notes;
        for name in &spec.metrics {
            registry.metric(name)?;
        }
        let calendar = Calendar {
            time_zone: spec.time_zone.clone(),
            week_start: spec.week_start,
            ..Calendar::default()
        }
        .prepare()?;
        let instant =
            |text: &Option<String>| text.as_ref().map(|t| calendar.instant(t)).transpose();
        let (from, to, as_of) = (
            instant(&spec.from)?,
            instant(&spec.to)?,
            instant(&spec.as_of)?,
        );
        if registry.is_empty() {
            note(notes, Notes::NoMetrics);
            return Ok(None);
        }
        let (Some((first, last)), _) = extent(events).await? else {
            note(notes, Notes::NoEvents);
            return Ok(None);
        };
        let as_of = as_of.unwrap_or(last);
        let (begin, end) = (
            from.unwrap_or(first),
            to.unwrap_or(last + 1).min(as_of.max(first) + 1),
        );
        findings.as_of = Some(super::run::moment(as_of));
        if begin >= end {
            note(notes, Notes::NoEvents);
            return Ok(None);
        }
        let grain = spec.grain.unwrap_or_else(|| grain(end - begin));
        let mut periods = calendar.periods(grain, begin, end)?;
        periods.retain(|p| p.is_complete(as_of) && p.end_us() <= to.unwrap_or(i64::MAX));
        // The first event in the middle of a period says that the beginning of it is not known.
        let late = |p: &Period| begin - p.start_us() > p.length_us() / 20;
        if periods.first().is_some_and(late) {
            periods.remove(0);
        }
        if periods.is_empty() {
            note(notes, Notes::TooShort { periods: 0, grain });
            return Ok(None);
        }
        let dimensions = dimensions(events, registry, spec).await?;
        let metrics = metrics(events, registry, spec, grain, &periods, &dimensions, notes)?;
        if metrics.is_empty() {
            note(notes, Notes::NothingFits);
            return Ok(None);
        }
        Ok(Some(Plan {
            calendar,
            grain,
            periods,
            as_of,
            metrics,
            dimensions,
        }))
    }
}

fn grain(length_us: i64) -> Grain {
    match length_us / DAY_US {
        days if days <= MOST_PERIODS => Grain::Day,
        days if days <= 7 * MOST_PERIODS => Grain::Week,
        days if days <= 30 * MOST_PERIODS => Grain::Month,
        _ => Grain::Quarter,
    }
}

/// Chooses the metrics that the events can answer at the grain.
fn metrics(
    events: &Events,
    registry: &Registry,
    spec: &Insights,
    grain: Grain,
    periods: &[Period],
    dimensions: &[String],
    notes: &mut Vec<crate::metric::LocalText>,
) -> Result<Vec<Planned>> {
    let schema = events.schema();
    let mut planned = Vec::new();
    for definition in registry.metrics() {
        if !spec.metrics.is_empty() && !spec.metrics.contains(&definition.name) {
            continue;
        }
        let all = with_inputs(registry, definition)?;
        let mut columns: Vec<String> = all.iter().flat_map(|d| d.columns()).collect();
        columns.sort();
        columns.dedup();
        if let Some(column) = columns.iter().find(|c| schema.index_of(c).is_err()) {
            note(
                notes,
                Notes::NoColumn {
                    metric: definition.name.clone(),
                    column: column.clone(),
                },
            );
            continue;
        }
        if definition.default_grain.is_some_and(|g| g > grain) {
            note(
                notes,
                Notes::CoarseMetric {
                    metric: definition.name.clone(),
                    grain,
                },
            );
            continue;
        }
        // Windows that overlap repeat each event in many periods, and say later what the plain metrics say.
        let rolling = |d: &&MetricDefinition| {
            matches!(d.kind.name(), KindName::Cumulative | KindName::Stickiness)
        };
        if all.iter().any(rolling) || definition.fill == Fill::Previous {
            note(
                notes,
                Notes::Rolling {
                    metric: definition.name.clone(),
                },
            );
            continue;
        }
        // A dimension that the metric is made of says only how it is made.
        let own = |dimension: &&String| {
            let allowed = |d: &&MetricDefinition| match &d.dimensions {
                Some(allowed) => allowed.contains(*dimension),
                None => true,
            };
            !columns.contains(*dimension) && all.iter().all(allowed)
        };
        let plain = all.iter().all(|d| !d.kind.name().is_behavioural());
        let named = spec.metrics.contains(&definition.name);
        let by = match plain || named {
            true => dimensions.iter().filter(own).cloned().collect(),
            false => Vec::new(),
        };
        let length = periods.first().map_or(DAY_US, Period::length_us).max(1);
        let windows = all.iter().map(|d| open_us(&d.kind)).max().unwrap_or(0);
        let warm = match definition.kind.name() {
            KindName::Lifecycle => (periods.len() / 3).min(60),
            _ => 0,
        };
        planned.push(Planned {
            additive: is_additive(definition),
            by,
            warm,
            open: usize::try_from((windows + length - 1) / length).unwrap_or(0),
            definition: definition.clone(),
        });
    }
    Ok(planned)
}

/// Returns a definition and all that it stands on.
fn with_inputs<'a>(
    registry: &'a Registry,
    definition: &'a MetricDefinition,
) -> Result<Vec<&'a MetricDefinition>> {
    let mut all = vec![definition];
    let mut next = 0;
    while let Some(one) = all.get(next).copied() {
        for input in one.kind.inputs() {
            let input = registry.metric(&input.name)?;
            if !all.iter().any(|d| d.name == input.name) {
                all.push(input);
            }
        }
        next += 1;
    }
    Ok(all)
}

/// Returns for how long after its beginning a value may still change.
fn open_us(kind: &MetricKind) -> i64 {
    let length = |span: Span| {
        let of_unit = match span.unit() {
            SpanUnit::Week => 7 * DAY_US,
            SpanUnit::Month => 31 * DAY_US,
            SpanUnit::Quarter => 92 * DAY_US,
            SpanUnit::Year => 366 * DAY_US,
            _ => DAY_US,
        };
        span.clock_us()
            .unwrap_or(i64::from(span.count()).saturating_mul(of_unit))
    };
    match kind {
        MetricKind::Conversion(c) => c.window.map_or(0, length),
        MetricKind::Funnel(f) => length(f.window),
        MetricKind::TimeToConvert(t) => length(t.window),
        MetricKind::Retention(r) => (i64::from(r.day) + 1) * DAY_US,
        _ => 0,
    }
}

fn is_additive(definition: &MetricDefinition) -> bool {
    let MetricKind::Simple { expr } = &definition.kind else {
        return false;
    };
    let Expression::Leaf(Term::Aggregate(aggregate)) = expr else {
        return false;
    };
    matches!(
        aggregate.function,
        AggregateFunction::Count | AggregateFunction::Sum
    )
}

/// Chooses the dimensions.
async fn dimensions(events: &Events, registry: &Registry, spec: &Insights) -> Result<Vec<String>> {
    let schema = events.schema();
    if let Some(by) = &spec.by {
        for name in by {
            if schema.index_of(name).is_err() {
                let hint = match crate::document::nearest(
                    name,
                    schema.fields().iter().map(|f| f.name().as_str()),
                ) {
                    Some(meant) => format!("; did you mean `{meant}`?"),
                    None => String::new(),
                };
                return Err(crate::Error::invalid_spec(format!(
                    "by: the events have no column `{}`{hint}",
                    crate::document::shortened(name)
                )));
            }
        }
        return Ok(by.clone());
    }
    let declared: Vec<String> = registry
        .dimensions()
        .iter()
        .map(|d| d.name.clone())
        .filter(|name| schema.index_of(name).is_ok())
        .take(MOST_DIMENSIONS)
        .collect();
    if !declared.is_empty() {
        return Ok(declared);
    }
    let fits = |ty: &DataType| {
        let text = |ty: &DataType| {
            matches!(
                ty,
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
            )
        };
        match ty {
            DataType::Dictionary(_, value) => text(value),
            DataType::Boolean => true,
            other => text(other),
        }
    };
    let roles = [ACTOR, EVENT, EVENT_ID, TIME, "extra"];
    let names: Vec<&String> = schema
        .fields()
        .iter()
        .filter(|f| fits(f.data_type()) && !roles.contains(&f.name().as_str()))
        .map(|f| f.name())
        .take(60)
        .collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let columns: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(i, name)| {
            format!(
                "cast(approx_distinct({}) as bigint) as c{i}",
                super::cut::quoted(name)
            )
        })
        .collect();
    let table = events
        .sql(&format!("select {} from events", columns.join(", ")))
        .await?;
    let batch = table.to_batch()?;
    let counts = batch.columns().iter().map(|c| {
        let value = c.as_primitive_opt::<Int64Type>();
        value.filter(|v| !v.is_empty()).map_or(0, |v| v.value(0))
    });
    Ok(names
        .into_iter()
        .zip(counts)
        .filter(|(_, n)| (2..=MOST_VALUES).contains(n))
        .map(|(name, _)| name.clone())
        .take(MOST_DIMENSIONS)
        .collect())
}
