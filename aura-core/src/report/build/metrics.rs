//! Answers to questions about metrics, as sections.

use serde_json::Value;

use super::{Values, groups};
use crate::engine::Table;
use crate::metric::{
    AggregateFunction, Direction, Expression, Format, MetricDefinition, MetricKind, MetricQuery,
    Registry, Term,
};
use crate::report::chart::{
    Bar, BarChart, COLOURS, Chart, Line, LineChart, Part, Sparkline, StackedChart,
};
use crate::report::language::Language;
use crate::report::model::{Block, Figure, Section, Tile};
use crate::report::number::ValueFormat;
use crate::report::rows::Rows;
use crate::{Error, Result};

/// The most bars of a chart.
const MOST_BARS: usize = 20;
/// The last periods that are a sparkline.
const SPARK: usize = 30;

impl ValueFormat {
    /// Returns how values of a metric are written.
    pub fn of(metric: &MetricDefinition) -> ValueFormat {
        ValueFormat {
            style: metric.format,
            unit: metric.unit.as_ref().map(ToString::to_string),
            decimals: metric.decimals,
        }
    }
}

impl Section {
    /// Makes a section of the answer to a question about metrics: with no dimension a number with its course and a line for each
    /// metric; with dimensions a chart for each metric, with a line or part for each combination of their values, the
    /// greatest eight of them; with one period bars. The notes of the answer are at its end.
    ///
    /// `table` is what [`Events::metrics`](crate::engine::Events::metrics) returned for `query`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for a metric that the registry has not, and
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) for a table of another question.
    pub fn metrics(
        title: impl Into<String>,
        registry: &Registry,
        query: &MetricQuery,
        table: &Table,
        language: Language,
    ) -> Result<Section> {
        let answer = Answer::of(registry, query, table, language)?;
        let mut section = Section::new(title);
        if table.num_rows() == 0 {
            section = section.block(Block::Text(language.words().no_rows.to_owned()));
        } else {
            if query.by.is_empty() {
                section = section.block(Block::Tiles(answer.tiles()?));
            }
            if !query.by.is_empty() || answer.periods.len() > 1 {
                for metric in &answer.metrics {
                    section = section.block(Block::Figure(answer.figure(metric)?));
                }
            }
        }
        if !table.notes().is_empty() {
            section = section.block(Block::Notes(table.notes().to_vec()));
        }
        Ok(section)
    }
}

/// The table of an answer, taken apart.
struct Answer<'a> {
    query: &'a MetricQuery,
    language: Language,
    metrics: Vec<&'a MetricDefinition>,
    rows: Rows,
    /// The labels of periods, each once.
    periods: Vec<String>,
    /// The period of each row.
    period_of: Vec<usize>,
    incomplete_from: Option<usize>,
    /// The rows of each combination of dimensions, without totals.
    groups: Vec<(String, Vec<usize>)>,
}

impl<'a> Answer<'a> {
    fn of(
        registry: &'a Registry,
        query: &'a MetricQuery,
        table: &Table,
        language: Language,
    ) -> Result<Answer<'a>> {
        let metrics = query.metrics.iter().map(|name| registry.metric(name));
        let metrics: Vec<&MetricDefinition> = metrics.collect::<Result<_>>()?;
        let rows = Rows::of(table)?;
        let needed = ["period_label"].into_iter();
        let needed = needed.chain(query.by.iter().chain(&query.metrics).map(String::as_str));
        for name in needed {
            if !rows.has(name) {
                return Err(Error::invalid_spec(format!(
                    "the table has no column `{name}`, so that it is not the answer to this question; give the table that `Events::metrics` returned for the query"
                )));
            }
        }
        let (mut periods, mut period_of) = (indexmap::IndexMap::<String, bool>::new(), Vec::new());
        let complete = rows.flags("complete", true);
        for (label, complete) in rows.texts("period_label")?.into_iter().zip(complete) {
            let entry = periods.entry(label.unwrap_or_default());
            period_of.push(entry.index());
            entry.or_insert(complete);
        }
        // Rows in another order, as a question may ask, still make a course of time.
        let mut order: Vec<usize> = (0..periods.len()).collect();
        order.sort_by_key(|at| periods.get_index(*at).map(|(label, _)| label.clone()));
        let in_order = query.order.is_empty();
        let mut place = vec![0; periods.len()];
        for (to, from) in order.iter().enumerate() {
            if let Some(place) = place.get_mut(*from) {
                *place = if in_order { *from } else { to };
            }
        }
        for at in &mut period_of {
            *at = place.get(*at).copied().unwrap_or(0);
        }
        let mut labels = vec![(String::new(), true); periods.len()];
        for (at, entry) in periods.into_iter().enumerate() {
            if let Some(label) = place.get(at).and_then(|to| labels.get_mut(*to)) {
                *label = entry;
            }
        }
        let incomplete_from = labels.iter().position(|(_, complete)| !complete);
        let keys = query.by.iter().map(|name| rows.texts(name));
        let mut keys: Vec<Vec<Option<String>>> = keys.collect::<Result<_>>()?;
        let totals = rows.flags("is_total", false);
        if keys.is_empty() {
            keys = vec![vec![Some(String::new()); rows.len()]];
        }
        let mut groups = groups(&keys, rows.len(), language.words().no_value);
        for (_, rows) in &mut groups {
            rows.retain(|row| !totals.get(*row).copied().unwrap_or(false));
        }
        groups.retain(|(_, rows)| !rows.is_empty());
        Ok(Answer {
            query,
            language,
            metrics,
            rows,
            periods: labels.into_iter().map(|(label, _)| label).collect(),
            period_of,
            incomplete_from,
            groups,
        })
    }

    /// The values of a metric in each period, of each group, the group with the greatest sum first.
    fn series(&self, metric: &MetricDefinition) -> Result<Vec<(&str, Values)>> {
        let column = self.rows.numbers(&metric.name)?;
        let mut series: Vec<(&str, Vec<Option<f64>>, f64)> = Vec::new();
        for (name, rows) in &self.groups {
            let mut values = vec![None; self.periods.len()];
            for row in rows {
                let place = self.period_of.get(*row).and_then(|at| values.get_mut(*at));
                if let (Some(place), Some(value)) = (place, column.get(*row)) {
                    *place = value.filter(|v| v.is_finite());
                }
            }
            let weight = values.iter().flatten().map(|v| v.abs()).sum();
            series.push((name, values, weight));
        }
        series.sort_by(|a, b| b.2.total_cmp(&a.2));
        Ok(series
            .into_iter()
            .map(|(name, values, _)| (name, values))
            .collect())
    }

    fn title(&self, metric: &MetricDefinition) -> String {
        let title = crate::report::render::local(&metric.title, self.language);
        match self.query.by.as_slice() {
            [] => title.to_owned(),
            by => format!("{title}, {}", by.join(" × ")),
        }
    }

    /// The question with this metric alone.
    fn spec(&self, metric: &MetricDefinition) -> Result<Value> {
        let mut query = self.query.clone();
        query.metrics = vec![metric.name.clone()];
        // Which values were kept was decided by the first metric of the whole question.
        if let (Some(top), Some(first)) = (&mut query.top, self.query.metrics.first())
            && top.metric.is_none()
        {
            top.metric = Some(first.clone());
            query.metrics = self.query.metrics.clone();
        }
        spec_value(&query)
    }

    fn tiles(&self) -> Result<Vec<Tile>> {
        let spec = spec_value(self.query)?;
        let tile = |metric: &&MetricDefinition| {
            let values = self.series(metric)?.into_iter().next();
            let values = values.map(|(_, values)| values).unwrap_or_default();
            let whole = match self.incomplete_from {
                Some(from) if from > 0 => values.get(..from).unwrap_or(&values),
                _ => &values,
            };
            let last = whole.len().checked_sub(1);
            let at = |at: Option<usize>| at.and_then(|at| *whole.get(at)?);
            let (value, before) = (at(last), at(last.and_then(|at| at.checked_sub(1))));
            let change = match (value, before) {
                (Some(value), Some(before)) if before != 0.0 => {
                    Some((value - before) / before.abs())
                }
                _ => None,
            };
            let good = change
                .filter(|c| *c != 0.0)
                .and_then(|change| match metric.direction {
                    Direction::Up => Some(change > 0.0),
                    Direction::Down => Some(change < 0.0),
                    Direction::Neither => None,
                });
            let title = self.title(metric);
            let from = whole.len().saturating_sub(SPARK);
            Ok(Tile {
                value,
                format: ValueFormat::of(metric),
                period: last
                    .and_then(|at| self.periods.get(at).cloned())
                    .unwrap_or_default(),
                change,
                good,
                course: (whole.len() > 1).then(|| Sparkline {
                    title: title.clone(),
                    values: whole.get(from..).unwrap_or_default().to_vec(),
                    format: ValueFormat::of(metric),
                }),
                title,
                spec: spec.clone(),
            })
        };
        self.metrics.iter().map(tile).collect()
    }

    fn figure(&self, metric: &MetricDefinition) -> Result<Figure> {
        let mut series = self.series(metric)?;
        let (title, format) = (self.title(metric), ValueFormat::of(metric));
        let left_out: Vec<&str> = series.iter().skip(COLOURS).map(|(name, _)| *name).collect();
        let mut notes = Vec::new();
        let bars = self.periods.len() == 1;
        if !left_out.is_empty() && !bars {
            const NAMED: usize = 10;
            let more = left_out.len().saturating_sub(NAMED);
            let mut names = left_out
                .get(..NAMED.min(left_out.len()))
                .unwrap_or_default()
                .join(", ");
            if more > 0 {
                names += &format!(", … (+{more})");
            }
            notes.push(format!("{}: {names}", self.language.words().left_out));
        }
        if !bars {
            series.truncate(COLOURS);
        }
        let counts = |values: &Vec<Option<f64>>| values.iter().flatten().all(|v| *v >= 0.0);
        let chart = if bars {
            series.truncate(MOST_BARS);
            let bar = |(name, values): (&str, Vec<Option<f64>>)| Bar {
                label: name.to_owned(),
                value: values.first().copied().flatten(),
                ..Bar::default()
            };
            Chart::Bar(BarChart {
                title,
                bars: series.into_iter().map(bar).collect(),
                format,
            })
        } else if series.len() > 1 && adds_up(metric) && series.iter().all(|(_, v)| counts(v)) {
            let part = |(name, values): (&str, Vec<Option<f64>>)| Part {
                name: name.to_owned(),
                values,
            };
            Chart::Stacked(StackedChart {
                title,
                periods: self.periods.clone(),
                series: series.into_iter().map(part).collect(),
                format,
                incomplete_from: self.incomplete_from,
            })
        } else {
            let line = |(name, values): (&str, Vec<Option<f64>>)| Line {
                name: name.to_owned(),
                values,
                ..Line::default()
            };
            Chart::Line(LineChart {
                title,
                periods: self.periods.clone(),
                series: series.into_iter().map(line).collect(),
                format,
                incomplete_from: self.incomplete_from,
                target: None,
            })
        };
        let text = metric.description.as_ref();
        Ok(Figure {
            chart,
            text: text.map(|text| crate::report::render::local(text, self.language).to_owned()),
            notes,
            spec: self.spec(metric)?,
        })
    }
}

/// Tells whether values of parts are a whole when they are added: counts of rows and sums are, different actors, means and
/// shares are not.
fn adds_up(metric: &MetricDefinition) -> bool {
    let MetricKind::Simple { expr } = &metric.kind else {
        return false;
    };
    let Expression::Leaf(Term::Aggregate(aggregate)) = expr else {
        return false;
    };
    metric.format != Format::Percent
        && !aggregate.distinct
        && matches!(
            aggregate.function,
            AggregateFunction::Count | AggregateFunction::Sum
        )
}

/// A spec as JSON.
pub(super) fn spec_value(spec: &impl serde::Serialize) -> Result<Value> {
    serde_json::to_value(spec)
        .map_err(|e| Error::internal("a spec cannot be written as JSON").with_source(e))
}
