//! The series of a run, from answers to questions about metrics.

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};

use crate::detect::Measure;
use crate::engine::{Events, Table};
use crate::metric::query::Top;
use crate::metric::{LocalText, MetricQuery, Registry, Unit};
use crate::{Error, ErrorKind, Result};

use super::cube::{Cube, MetricOf, PeriodOf, SeriesOf};
use super::cut::condition;
use super::finding::Part;
use super::notes::{Notes, note};
use super::plan::Plan;
use super::run::moment;
use super::spec::Insights;

/// What all values of a dimension but the greatest ones are called while they are read.
const OTHERS: &str = "\u{1}others";

/// Asks for the series of everything and by each dimension.
pub(crate) struct Collector<'a> {
    pub(crate) events: &'a Events,
    pub(crate) registry: &'a Registry,
    pub(crate) spec: &'a Insights,
    pub(crate) plan: &'a Plan,
}

impl Collector<'_> {
    /// Makes the question for metrics.
    pub(crate) fn query(
        &self,
        metrics: &[&str],
        by: Option<&str>,
        filter: Option<String>,
    ) -> MetricQuery {
        let plan = self.plan;
        let mut query = MetricQuery::of(metrics.iter().copied())
            .grain(plan.grain)
            .as_of(moment(plan.as_of))
            .time_zone(self.spec.time_zone.clone());
        query.week_start = self.spec.week_start;
        if let (Some(first), Some(last)) = (plan.periods.first(), plan.periods.last()) {
            query = query
                .from(moment(first.start_us()))
                .to(moment(last.end_us()));
        }
        query.filter = filter;
        if let Some(by) = by {
            query = query.by([by]);
        }
        query
    }

    /// Collects the series of everything and by each dimension.
    pub(crate) async fn cube(&self, notes: &mut Vec<LocalText>) -> Result<Cube> {
        let plan = self.plan;
        let filter = || condition(&[], &[], self.spec.filter.as_deref());
        let names: Vec<&str> = plan
            .metrics
            .iter()
            .map(|m| m.definition.name.as_str())
            .collect();
        let mut tables = Vec::new();
        match self
            .events
            .metrics(self.registry, &self.query(&names, None, filter()))
            .await
        {
            Ok(table) => tables.push((names.clone(), table)),
            Err(e) if is_passing(&e) => return Err(e),
            // One metric cannot be computed from these events: the others can.
            Err(_) => {
                for name in &names {
                    match self
                        .events
                        .metrics(self.registry, &self.query(&[name], None, filter()))
                        .await
                    {
                        Ok(table) => tables.push((vec![*name], table)),
                        Err(e) if is_passing(&e) => return Err(e),
                        Err(e) => note(
                            notes,
                            Notes::NotComputed {
                                metric: (*name).to_owned(),
                                why: e.message().to_owned(),
                            },
                        ),
                    }
                }
            }
        }
        let periods = plan
            .periods
            .iter()
            .map(|p| {
                Ok(PeriodOf {
                    label: plan.calendar.label(p)?,
                    start_us: p.start_us(),
                    end_us: p.end_us(),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let mut metrics = Vec::new();
        let mut series = Vec::new();
        let (mut empty, mut constant) = (Vec::new(), Vec::new());
        for (names, table) in &tables {
            for name in names {
                let Some(planned) = plan.metrics.iter().find(|m| m.definition.name == *name) else {
                    continue;
                };
                let read = read(table, &[*name], None, plan.periods.len())?;
                let Some(one) = read.into_iter().next() else {
                    continue;
                };
                let mut seen = one.values.iter().flatten();
                let first = seen.next();
                let same = first.is_some_and(|first| seen.all(|v| v == first));
                if first.is_none() || (same && first == Some(&0.0)) {
                    empty.push((*name).to_owned());
                    continue;
                }
                if same && one.values.len() > 1 {
                    constant.push((*name).to_owned());
                }
                let definition = &planned.definition;
                let measure = measure(table, name, definition.unit.as_ref())?;
                series.push(SeriesOf {
                    metric: metrics.len(),
                    segment: Vec::new(),
                    values: one.values,
                    below: one.below,
                    rest: false,
                });
                metrics.push(MetricOf {
                    name: definition.name.clone(),
                    title: definition.title.clone(),
                    direction: definition.direction,
                    format: definition.format,
                    decimals: definition.decimals,
                    unit: definition.unit.as_ref().map(Unit::to_string),
                    measure,
                    additive: planned.additive,
                    warm: planned.warm,
                    open: planned.open,
                });
            }
        }
        if !empty.is_empty() {
            note(notes, Notes::Empty { metrics: empty });
        }
        if !constant.is_empty() {
            note(notes, Notes::Constant { metrics: constant });
        }
        let mut cube = Cube::new(plan.grain, periods, metrics);
        for one in series {
            cube.push(one);
        }
        for dimension in &plan.dimensions {
            for one in self.by(&cube, dimension, &[]).await? {
                cube.push(one);
            }
        }
        Ok(cube)
    }

    /// Collects the series by a dimension within a segment.
    async fn by(&self, cube: &Cube, dimension: &str, within: &[Part]) -> Result<Vec<SeriesOf>> {
        let cut = |name: &str, dimension: &str| {
            let planned = self.plan.metrics.iter().find(|m| m.definition.name == name);
            planned.is_some_and(|m| m.by.iter().any(|d| d == dimension))
        };
        let mut names: Vec<&str> = cube
            .metrics
            .iter()
            .map(|m| m.name.as_str())
            .filter(|name| cut(name, dimension) && within.iter().all(|p| cut(name, &p.dimension)))
            .collect();
        // The values that are kept are those with the most events.
        let volume = cube
            .volume()
            .and_then(|v| cube.metrics.get(v))
            .map(|m| m.name.as_str());
        if let Some(place) = names.iter().position(|n| Some(*n) == volume) {
            names.swap(0, place);
        }
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let filter = condition(within, &[], self.spec.filter.as_deref());
        let mut top = Top::new(self.spec.values);
        OTHERS.clone_into(&mut top.other);
        let query = self.query(&names, Some(dimension), filter).top(top);
        let table = self.events.metrics(self.registry, &query).await?;
        let mut series = read(&table, &names, Some(dimension), self.plan.periods.len())?;
        for one in &mut series {
            let name = names.get(one.metric).copied().unwrap_or_default();
            one.metric = cube
                .metrics
                .iter()
                .position(|m| m.name == name)
                .unwrap_or(usize::MAX);
            one.segment.extend(within.iter().cloned());
            one.segment.sort();
        }
        series.retain(|s| s.metric != usize::MAX);
        Ok(series)
    }

    /// Collects the series of a segment of one part, by each other dimension.
    pub(crate) async fn crossings(&self, cube: &Cube, part: &Part) -> Result<Vec<SeriesOf>> {
        let mut all = Vec::new();
        for dimension in self
            .plan
            .dimensions
            .iter()
            .filter(|d| **d != part.dimension)
        {
            all.extend(self.by(cube, dimension, std::slice::from_ref(part)).await?);
        }
        Ok(all)
    }
}

/// Tells whether asking for less would not help.
fn is_passing(e: &Error) -> bool {
    !matches!(e.kind(), ErrorKind::InvalidSpec | ErrorKind::InvalidData)
}

/// Reads the series of a table: one for each metric (numbered as in `metrics`) and value of the dimension. Every combination has a
/// row in every period.
fn read(
    table: &Table,
    metrics: &[&str],
    by: Option<&str>,
    periods: usize,
) -> Result<Vec<SeriesOf>> {
    let batch = table.to_batch()?;
    let column = |name: &str| batch.column_by_name(name).cloned();
    let floats = |array: &ArrayRef| -> Result<Vec<Option<f64>>> {
        let cast = cast(array, &DataType::Float64)?;
        let values = cast.as_primitive::<Float64Type>().iter();
        Ok(values.map(|v| v.filter(|v| v.is_finite())).collect())
    };
    let rows = batch.num_rows();
    let keys: Vec<Option<String>> = match by.and_then(column) {
        Some(array) => {
            let array = cast(&array, &DataType::Utf8)?;
            array
                .as_string::<i32>()
                .iter()
                .map(|v| v.map(str::to_owned))
                .collect()
        }
        None => vec![None; rows],
    };
    // Rows come by period, then by value, so the values of the first period are all of them.
    let per_period = rows.checked_div(periods).unwrap_or(0);
    let mut series = Vec::new();
    for (number, metric) in metrics.iter().enumerate() {
        let Some(values) = column(metric) else {
            continue;
        };
        let values = floats(&values)?;
        let below = match column(&format!("{metric}_n")) {
            Some(below) => floats(&below)?,
            None => Vec::new(),
        };
        for place in 0..per_period {
            let at = |list: &[Option<f64>], period: usize| {
                list.get(period * per_period + place).copied().flatten()
            };
            let value = keys.get(place).cloned().flatten();
            let rest = value.as_deref() == Some(OTHERS);
            let segment = by.map(|dimension| Part {
                dimension: dimension.to_owned(),
                value,
            });
            let below: Vec<f64> = match below.is_empty() {
                true => Vec::new(),
                false => (0..periods).map(|p| at(&below, p).unwrap_or(0.0)).collect(),
            };
            series.push(SeriesOf {
                metric: number,
                segment: segment.into_iter().collect(),
                values: (0..periods).map(|p| at(&values, p)).collect(),
                below,
                rest,
            });
        }
    }
    Ok(series)
}

/// Tells how a metric varies: by its column and by whether it has a denominator.
fn measure(table: &Table, name: &str, unit: Option<&Unit>) -> Result<Measure> {
    let schema = table.schema();
    let has_denominator = schema.index_of(&format!("{name}_n")).is_ok();
    let field = schema.field_with_name(name)?;
    Ok(match (has_denominator, field.data_type()) {
        (true, _) if unit.is_some_and(Unit::is_share) => Measure::Share,
        (true, _) => Measure::Mean,
        (false, DataType::Int64) if unit.is_none_or(|u| !u.is_time()) => Measure::Count,
        _ => Measure::Level,
    })
}
