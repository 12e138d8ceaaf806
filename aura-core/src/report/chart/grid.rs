//! The numbers of a chart as a table for people.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::{Chart, LineChart};
use crate::report::language::{Language, Words};
use crate::report::number::{ABSENT, ValueFormat, whole};
use crate::report::period::readable;

/// A table for people: every value is text, written as the language does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// The columns.
    pub columns: Vec<GridColumn>,
    /// The rows, each with a text for every column.
    pub rows: Vec<Vec<String>>,
}

/// A column of a [`Grid`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GridColumn {
    /// What it is called.
    pub name: String,
    /// Whether it has numbers, which stand at the right.
    #[serde(default)]
    pub number: bool,
}

impl GridColumn {
    /// Makes a column of texts.
    pub fn text(name: impl Into<String>) -> GridColumn {
        GridColumn {
            name: name.into(),
            number: false,
        }
    }

    /// Makes a column of numbers.
    pub fn number(name: impl Into<String>) -> GridColumn {
        GridColumn {
            name: name.into(),
            number: true,
        }
    }
}

impl Chart {
    /// Returns the numbers of the chart as a table, in its order; nothing is left out.
    pub fn grid(&self, language: Language) -> Grid {
        let words = language.words();
        match self {
            Chart::Line(chart) => chart.grid(words, language),
            Chart::Stacked(chart) => {
                let names = chart
                    .series
                    .iter()
                    .map(|p| GridColumn::number(named(&p.name, words)));
                let columns = std::iter::once(GridColumn::text(words.period)).chain(names);
                let row = |(at, period): (usize, &String)| {
                    let values = chart.series.iter().map(|part| {
                        let value = part.values.get(at).copied().flatten();
                        chart.format.optional(value, language)
                    });
                    let period = open(readable(period, language), at, chart.incomplete_from, words);
                    std::iter::once(period).chain(values).collect()
                };
                Grid {
                    columns: columns.collect(),
                    rows: chart.periods.iter().enumerate().map(row).collect(),
                }
            }
            Chart::Bar(chart) => {
                let ends = chart
                    .bars
                    .iter()
                    .any(|bar| bar.low.is_some() || bar.high.is_some());
                let mut columns = vec![GridColumn::text(""), GridColumn::number(words.value)];
                if ends {
                    columns.extend([words.low, words.high].map(GridColumn::number));
                }
                let write = |value| chart.format.optional(value, language);
                let rows = chart.bars.iter().map(|bar| {
                    let mut row = vec![bar.label.clone(), write(bar.value)];
                    if ends {
                        row.extend([write(bar.low), write(bar.high)]);
                    }
                    row
                });
                Grid {
                    columns,
                    rows: rows.collect(),
                }
            }
            Chart::Funnel(chart) => {
                let percent = |value| ValueFormat::percent().optional(value, language);
                let rows = chart.steps.iter().map(|step| {
                    let ends = match (step.low, step.high) {
                        (Some(_), Some(_)) => {
                            format!("{} – {}", percent(step.low), percent(step.high))
                        }
                        _ => ABSENT.to_owned(),
                    };
                    vec![
                        step.name.clone(),
                        whole(step.count, language),
                        percent(step.share),
                        ends,
                        percent(step.from_previous),
                    ]
                });
                let interval = format!("{} – {}", words.low, words.high);
                let numbers = [words.count, words.of_first, &interval, words.of_previous];
                let numbers = numbers.map(GridColumn::number);
                Grid {
                    columns: std::iter::once(GridColumn::text(words.step))
                        .chain(numbers)
                        .collect(),
                    rows: rows.collect(),
                }
            }
            Chart::Heat(chart) => {
                let head = [
                    GridColumn::text(words.cohort),
                    GridColumn::number(words.size),
                ];
                let names = chart
                    .columns
                    .iter()
                    .map(|name| GridColumn::number(name.as_str()));
                let rows = chart.rows.iter().map(|row| {
                    let size = row
                        .size
                        .map_or_else(|| ABSENT.to_owned(), |s| whole(s, language));
                    let cells = (0..chart.columns.len()).map(|at| match row.cells.get(at) {
                        None => String::new(),
                        Some(cell) => {
                            let text = chart.format.optional(cell.value, language);
                            match cell.incomplete {
                                true => format!("{text} *"),
                                false => text,
                            }
                        }
                    });
                    [row.label.clone(), size].into_iter().chain(cells).collect()
                });
                Grid {
                    columns: head.into_iter().chain(names).collect(),
                    rows: rows.collect(),
                }
            }
            Chart::Distribution(chart) => {
                let columns = [words.from, words.to, words.count].map(GridColumn::number);
                let rows = chart.bins.iter().map(|bin| {
                    vec![
                        chart.format.text(bin.from, language),
                        chart.format.text(bin.to, language),
                        whole(bin.count, language),
                    ]
                });
                Grid {
                    columns: columns.to_vec(),
                    rows: rows.collect(),
                }
            }
            Chart::Sparkline(chart) => Grid {
                columns: vec![GridColumn::number(words.value)],
                rows: chart
                    .values
                    .iter()
                    .map(|v| vec![chart.format.optional(*v, language)])
                    .collect(),
            },
        }
    }
}

impl LineChart {
    fn grid(&self, words: &Words, language: Language) -> Grid {
        let mut columns = vec![GridColumn::text(words.period)];
        for line in &self.series {
            let name = named(&line.name, words);
            columns.push(GridColumn::number(&*name));
            if !line.low.is_empty() {
                columns.push(GridColumn::number(format!("{name}, {}", words.low)));
            }
            if !line.high.is_empty() {
                columns.push(GridColumn::number(format!("{name}, {}", words.high)));
            }
        }
        let marks: Vec<_> = self.series.iter().flat_map(|line| &line.marks).collect();
        if !marks.is_empty() {
            columns.push(GridColumn::text(words.mark));
        }
        let row = |(at, period): (usize, &String)| {
            let mut row = vec![open(
                readable(period, language),
                at,
                self.incomplete_from,
                words,
            )];
            let write = |values: &[Option<f64>]| {
                self.format
                    .optional(values.get(at).copied().flatten(), language)
            };
            for line in &self.series {
                row.push(write(&line.values));
                for ends in [&line.low, &line.high] {
                    if !ends.is_empty() {
                        row.push(write(ends));
                    }
                }
            }
            if !marks.is_empty() {
                let here = marks.iter().filter(|mark| mark.at == at);
                let here: Vec<&str> = here.map(|mark| mark.text.as_str()).collect();
                row.push(here.join("; "));
            }
            row
        };
        Grid {
            columns,
            rows: self.periods.iter().enumerate().map(row).collect(),
        }
    }
}

/// Names a series that has no name.
fn named(name: &str, words: &Words) -> String {
    match name.is_empty() {
        true => words.value.to_owned(),
        false => name.to_owned(),
    }
}

/// Says of a period that it was not over.
fn open(period: String, at: usize, incomplete_from: Option<usize>, words: &Words) -> String {
    match incomplete_from.is_some_and(|from| at >= from) {
        true => format!("{period} ({})", words.incomplete),
        false => period,
    }
}
