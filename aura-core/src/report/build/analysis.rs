//! Answers of analyses of behaviour, as sections.

use super::metrics::spec_value;
use super::{MOST_CHARTS, Values, groups, table_block};
use crate::Result;
use crate::behavior::{Analysis, RetentionOutput, StickinessOutput};
use crate::engine::Table;
use crate::report::chart::{
    Bar, BarChart, COLOURS, Chart, FunnelChart, FunnelStep, HeatCell, HeatMap, HeatRow, Line,
    LineChart, Part, StackedChart,
};
use crate::report::language::Language;
use crate::report::model::{Block, Figure, Section};
use crate::report::number::ValueFormat;
use crate::report::rows::Rows;

impl Section {
    /// Makes a section of the answer of an analysis: funnels, retention, lifecycle, stickiness and sessions over time as charts, for
    /// the first four groups each, and everything as a table, with the notes of the answer.
    ///
    /// `table` is what [`Events::run`](crate::engine::Events::run) returned for `analysis`.
    ///
    /// # Errors
    /// [`InvalidData`](crate::ErrorKind::InvalidData) for columns of a table of another analysis.
    pub fn analysis(
        title: impl Into<String>,
        analysis: &Analysis,
        table: &Table,
        language: Language,
    ) -> Result<Section> {
        let title = title.into();
        let spec = spec_value(analysis)?;
        let mut section = Section::new(title.clone());
        if table.num_rows() > 0 {
            let rows = Rows::of(table)?;
            for chart in charts(analysis, &rows, &title, language)? {
                section = section.block(Block::Figure(Figure {
                    chart,
                    text: None,
                    notes: Vec::new(),
                    spec: spec.clone(),
                }));
            }
        }
        let words = language.words();
        Ok(section.block(table_block(
            &format!("{title}: {}", words.table),
            table,
            spec,
            language,
        )?))
    }
}

fn charts(analysis: &Analysis, rows: &Rows, title: &str, language: Language) -> Result<Vec<Chart>> {
    match analysis {
        Analysis::Funnel(funnel) => {
            let mut keys: Vec<&str> = funnel.by.iter().map(String::as_str).collect();
            if rows.has("segment") {
                keys.push("segment");
            }
            match rows.has("period") {
                true => funnel_over_time(rows, &keys, title, language),
                false => funnels(rows, &keys, title, language),
            }
        }
        Analysis::Retention(retention) => {
            let keys: Vec<&str> = retention.by.iter().map(String::as_str).collect();
            match retention.output {
                RetentionOutput::Matrix => heat_maps(rows, &keys, title, language),
                RetentionOutput::Curve => curve(rows, &keys, "share", title, language),
                RetentionOutput::Survival => curve(rows, &keys, "survival", title, language),
                RetentionOutput::Summary | RetentionOutput::Streaks => Ok(Vec::new()),
            }
        }
        Analysis::Lifecycle(lifecycle) => {
            let keys: Vec<&str> = lifecycle.by.iter().map(String::as_str).collect();
            lifecycles(rows, &keys, title, language)
        }
        Analysis::Sessions(sessions) if rows.has("period_label") && rows.has("sessions") => {
            let keys: Vec<&str> = sessions.by.iter().map(String::as_str).collect();
            let format = ValueFormat::number();
            over_time(
                rows,
                &keys,
                "period_label",
                "sessions",
                &format,
                title,
                language,
            )
        }
        Analysis::Stickiness(stickiness) if rows.has("interval_label") => {
            let keys: Vec<&str> = stickiness.by.iter().map(String::as_str).collect();
            match stickiness.output {
                StickinessOutput::Ratio => {
                    let format = ValueFormat::percent();
                    over_time(
                        rows,
                        &keys,
                        "interval_label",
                        "stickiness",
                        &format,
                        title,
                        language,
                    )
                }
                StickinessOutput::Distribution => Ok(Vec::new()),
            }
        }
        Analysis::Stickiness(stickiness) => {
            let keys: Vec<&str> = stickiness.by.iter().map(String::as_str).collect();
            match stickiness.output {
                StickinessOutput::Distribution => active_periods(rows, &keys, title, language),
                StickinessOutput::Ratio => Ok(Vec::new()),
            }
        }
        // Of others the table says it all.
        _ => Ok(Vec::new()),
    }
}

/// The rows of each group.
fn grouped(rows: &Rows, keys: &[&str], language: Language) -> Result<Vec<(String, Vec<usize>)>> {
    if keys.is_empty() {
        return Ok(vec![(String::new(), (0..rows.len()).collect())]);
    }
    let keys: Vec<Vec<Option<String>>> = keys
        .iter()
        .map(|name| rows.texts(name))
        .collect::<Result<_>>()?;
    Ok(groups(&keys, rows.len(), language.words().no_value))
}

fn titled(title: &str, group: &str) -> String {
    match group.is_empty() {
        true => title.to_owned(),
        false => format!("{title}: {group}"),
    }
}

fn funnels(rows: &Rows, keys: &[&str], title: &str, language: Language) -> Result<Vec<Chart>> {
    let (names, counts) = (rows.texts("name")?, rows.counts("count")?);
    let share = rows.numbers("from_first")?;
    let (low, high) = (
        rows.numbers("from_first_low")?,
        rows.numbers("from_first_high")?,
    );
    let previous = rows.numbers("from_previous")?;
    let groups = grouped(rows, keys, language)?.into_iter().take(MOST_CHARTS);
    let chart = |(group, members): (String, Vec<usize>)| {
        let at = |column: &[Option<f64>], row: usize| column.get(row).copied().flatten();
        let step = |row: &usize| FunnelStep {
            name: names.get(*row).cloned().flatten().unwrap_or_default(),
            count: counts.get(*row).copied().unwrap_or(0),
            share: at(&share, *row),
            low: at(&low, *row),
            high: at(&high, *row),
            from_previous: at(&previous, *row),
        };
        Chart::Funnel(FunnelChart {
            title: titled(title, &group),
            steps: members.iter().map(step).collect(),
        })
    };
    Ok(groups.map(chart).collect())
}

/// The share that reaches the last step, period by period.
fn funnel_over_time(
    rows: &Rows,
    keys: &[&str],
    title: &str,
    language: Language,
) -> Result<Vec<Chart>> {
    let steps = rows.counts("step")?;
    let last = steps.iter().max().copied().unwrap_or(0);
    let share = rows.numbers("from_first")?;
    let starts = rows.texts("period")?;
    let day = |text: &Option<String>| {
        let text = text.clone().unwrap_or_default();
        text.strip_suffix("T00:00:00Z")
            .map_or(text.clone(), str::to_owned)
    };
    let labels: Vec<String> = starts.iter().map(day).collect();
    let mut groups = grouped(rows, keys, language)?;
    for (_, members) in &mut groups {
        members.retain(|row| steps.get(*row) == Some(&last));
    }
    let format = ValueFormat::percent();
    Ok(vec![lines(title, &labels, &groups, &share, None, &format)])
}

fn heat_maps(rows: &Rows, keys: &[&str], title: &str, language: Language) -> Result<Vec<Chart>> {
    let (labels, offsets) = (rows.texts("cohort_label")?, rows.counts("offset")?);
    let last = rows
        .has("offset_last")
        .then(|| rows.counts("offset_last"))
        .transpose()?;
    let (actors, share) = (rows.counts("actors")?, rows.numbers("share")?);
    let complete = rows.flags("complete", true);
    let mut charts = Vec::new();
    for (group, members) in grouped(rows, keys, language)?.into_iter().take(MOST_CHARTS) {
        let mut columns = std::collections::BTreeMap::new();
        for row in &members {
            let first = offsets.get(*row).copied().unwrap_or(0);
            let end = last.as_ref().and_then(|last| last.get(*row).copied());
            let name = match end {
                Some(end) if end != first => format!("{first}–{end}"),
                _ => first.to_string(),
            };
            columns.insert(first, name);
        }
        let mut lines: indexmap::IndexMap<String, HeatRow> = indexmap::IndexMap::new();
        for row in members {
            let label = labels.get(row).cloned().flatten().unwrap_or_default();
            let line = lines.entry(label.clone()).or_insert_with(|| HeatRow {
                label: crate::report::period::readable(&label, language),
                size: actors.get(row).copied(),
                cells: Vec::new(),
            });
            let offset = offsets.get(row).copied().unwrap_or(0);
            let place = columns.range(..offset).count();
            // Cells come in order; one that were left out would be empty.
            line.cells.resize(place, HeatCell::default());
            line.cells.push(HeatCell {
                value: share.get(row).copied().flatten(),
                incomplete: !complete.get(row).copied().unwrap_or(true),
            });
        }
        charts.push(Chart::Heat(HeatMap {
            title: titled(title, &group),
            columns: columns.into_values().collect(),
            rows: lines.into_values().collect(),
            format: ValueFormat::percent(),
        }));
    }
    Ok(charts)
}

fn curve(
    rows: &Rows,
    keys: &[&str],
    value: &str,
    title: &str,
    language: Language,
) -> Result<Vec<Chart>> {
    let labels = rows
        .texts("offset")?
        .into_iter()
        .map(Option::unwrap_or_default);
    let labels: Vec<String> = labels.collect();
    let ends = match rows.has("low") {
        true => Some((rows.numbers("low")?, rows.numbers("high")?)),
        false => None,
    };
    let groups = grouped(rows, keys, language)?;
    let values = rows.numbers(value)?;
    let format = ValueFormat::percent();
    Ok(vec![lines(title, &labels, &groups, &values, ends, &format)])
}

fn over_time(
    rows: &Rows,
    keys: &[&str],
    label: &str,
    value: &str,
    format: &ValueFormat,
    title: &str,
    language: Language,
) -> Result<Vec<Chart>> {
    let labels = rows
        .texts(label)?
        .into_iter()
        .map(Option::unwrap_or_default);
    let labels: Vec<String> = labels.collect();
    let groups = grouped(rows, keys, language)?;
    let mut chart = lines(title, &labels, &groups, &rows.numbers(value)?, None, format);
    if let Chart::Line(chart) = &mut chart {
        let complete = rows.flags("complete", true);
        let open = labels.iter().zip(complete).find(|(_, complete)| !complete);
        chart.incomplete_from =
            open.and_then(|(label, _)| chart.periods.iter().position(|period| period == label));
    }
    Ok(vec![chart])
}

/// A line for each group, over the labels of all of them in the order in which they come.
fn lines(
    title: &str,
    labels: &[String],
    groups: &[(String, Vec<usize>)],
    values: &[Option<f64>],
    ends: Option<(Values, Values)>,
    format: &ValueFormat,
) -> Chart {
    let mut periods = indexmap::IndexSet::new();
    for label in labels {
        periods.insert(label.clone());
    }
    let line = |(name, rows): &(String, Vec<usize>)| {
        let spread = |column: &[Option<f64>]| {
            let mut values = vec![None; periods.len()];
            for row in rows {
                let place = labels
                    .get(*row)
                    .and_then(|label| periods.get_index_of(label));
                if let Some(place) = place.and_then(|at| values.get_mut(at)) {
                    *place = column.get(*row).copied().flatten();
                }
            }
            values
        };
        Line {
            name: name.clone(),
            values: spread(values),
            low: ends.as_ref().map_or_else(Vec::new, |(low, _)| spread(low)),
            high: ends
                .as_ref()
                .map_or_else(Vec::new, |(_, high)| spread(high)),
            marks: Vec::new(),
        }
    };
    Chart::Line(LineChart {
        title: title.to_owned(),
        series: groups.iter().take(COLOURS).map(line).collect(),
        periods: periods.into_iter().collect(),
        format: format.clone(),
        incomplete_from: None,
        target: None,
    })
}

fn lifecycles(rows: &Rows, keys: &[&str], title: &str, language: Language) -> Result<Vec<Chart>> {
    let words = language.words();
    let states = [
        ("new", words.state_new),
        ("returning", words.state_returning),
        ("resurrected", words.state_resurrected),
        ("dormant", words.state_dormant),
    ];
    let labels = rows.texts("period_label")?;
    let complete = rows.flags("complete", true);
    let mut columns = Vec::new();
    for (name, _) in states {
        let sign = if name == "dormant" { -1.0 } else { 1.0 };
        let values = rows.numbers(name)?.into_iter();
        columns.push(
            values
                .map(|value| value.map(|v| v * sign))
                .collect::<Vec<_>>(),
        );
    }
    let groups = grouped(rows, keys, language)?.into_iter().take(MOST_CHARTS);
    let chart = |(group, members): (String, Vec<usize>)| {
        let open = |row: &usize| !complete.get(*row).copied().unwrap_or(true);
        let part = |((_, name), column): (&(&str, &str), &Vec<Option<f64>>)| Part {
            name: (*name).to_owned(),
            values: members
                .iter()
                .map(|row| column.get(*row).copied().flatten())
                .collect(),
        };
        let label = |row: &usize| labels.get(*row).cloned().flatten().unwrap_or_default();
        Chart::Stacked(StackedChart {
            title: titled(title, &group),
            periods: members.iter().map(label).collect(),
            series: states.iter().zip(&columns).map(part).collect(),
            format: ValueFormat::number(),
            incomplete_from: members.iter().position(open),
        })
    };
    Ok(groups.map(chart).collect())
}

/// How many are active in how many periods.
fn active_periods(
    rows: &Rows,
    keys: &[&str],
    title: &str,
    language: Language,
) -> Result<Vec<Chart>> {
    const MOST: usize = 31;
    let (periods, shares) = (rows.texts("active_periods")?, rows.numbers("share")?);
    let groups = grouped(rows, keys, language)?.into_iter().take(MOST_CHARTS);
    let chart = |(group, members): (String, Vec<usize>)| {
        let bar = |row: &usize| Bar {
            label: periods.get(*row).cloned().flatten().unwrap_or_default(),
            value: shares.get(*row).copied().flatten(),
            ..Bar::default()
        };
        Chart::Bar(BarChart {
            title: titled(title, &group),
            bars: members.iter().take(MOST).map(bar).collect(),
            format: ValueFormat::percent(),
        })
    };
    Ok(groups.map(chart).collect())
}
