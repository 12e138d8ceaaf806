//! What a chart shows, in words: for those who do not see it.

use super::frame::COLOURS;
use super::model::Chart;
use super::scale::drawable;
use crate::report::language::Language;
use crate::report::number::{ValueFormat, whole};
use crate::report::period::readable;

/// Lines and parts that are described one by one.
const MOST_DESCRIBED: usize = 3;

impl Chart {
    /// Says in words what the chart shows: what it is, how much there is, and what is least, greatest and last.
    pub fn describe(&self, language: Language) -> String {
        let words = language.words();
        let mut text = match self {
            Chart::Line(_) | Chart::Sparkline(_) => words.line_chart,
            Chart::Bar(_) => words.bar_chart,
            Chart::Stacked(_) => words.stacked_chart,
            Chart::Funnel(_) => words.funnel_chart,
            Chart::Heat(_) => words.heat_map,
            Chart::Distribution(_) => words.distribution,
        }
        .to_owned();
        text.push('.');
        match self {
            Chart::Line(chart) => {
                text += &range(&chart.periods, language);
                for line in chart.series.iter().take(MOST_DESCRIBED) {
                    text += &extremes(
                        &line.name,
                        &line.values,
                        &chart.periods,
                        &chart.format,
                        language,
                    );
                    if !line.low.is_empty() {
                        text += &format!(" {}", words.interval);
                    }
                    for mark in &line.marks {
                        let period = chart.periods.get(mark.at).map_or("", String::as_str);
                        text += &format!(
                            " {}: {}, {}.",
                            words.marks,
                            readable(period, language),
                            mark.text
                        );
                    }
                }
                let names = chart
                    .series
                    .iter()
                    .skip(COLOURS)
                    .map(|line| line.name.as_str());
                text += &left_out(&names.collect::<Vec<_>>(), language);
            }
            Chart::Stacked(chart) => {
                text += &range(&chart.periods, language);
                for part in chart.series.iter().take(MOST_DESCRIBED) {
                    text += &extremes(
                        &part.name,
                        &part.values,
                        &chart.periods,
                        &chart.format,
                        language,
                    );
                }
                let names = chart
                    .series
                    .iter()
                    .skip(COLOURS)
                    .map(|part| part.name.as_str());
                text += &left_out(&names.collect::<Vec<_>>(), language);
            }
            Chart::Bar(chart) => {
                for bar in chart.bars.iter().take(MOST_DESCRIBED) {
                    let value = chart.format.optional(bar.value, language);
                    text += &format!(" {}: {value}.", bar.label);
                }
            }
            Chart::Funnel(chart) => {
                for step in &chart.steps {
                    text += &format!(" {}: {}", step.name, whole(step.count, language));
                    if let Some(share) = step.share {
                        text += &format!(" ({})", ValueFormat::percent().text(share, language));
                    }
                    text.push('.');
                }
            }
            Chart::Heat(chart) => {
                let count = whole(chart.rows.len() as u64, language);
                text += &format!(" {}: {count}.", words.cohort);
                let (rows, columns) = chart.hidden();
                if rows + columns > 0 {
                    text += &format!(" {}: {rows} × {columns}.", words.left_out);
                }
            }
            Chart::Distribution(chart) => {
                for mark in &chart.marks {
                    let value = chart.format.text(mark.value, language);
                    text += &format!(" {}: {value}.", mark.label);
                }
            }
            Chart::Sparkline(chart) => {
                let last = chart.values.iter().rev().copied().find_map(drawable);
                if let Some(last) = last {
                    text += &format!(" {}: {}.", words.last, chart.format.text(last, language));
                }
            }
        }
        text
    }
}

fn range(periods: &[String], language: Language) -> String {
    match (periods.first(), periods.last()) {
        (Some(first), Some(last)) => format!(
            " {}: {}, {} – {}.",
            language.words().periods,
            whole(periods.len() as u64, language),
            readable(first, language),
            readable(last, language)
        ),
        _ => String::new(),
    }
}

fn extremes(
    name: &str,
    values: &[Option<f64>],
    periods: &[String],
    format: &ValueFormat,
    language: Language,
) -> String {
    let words = language.words();
    let present = || {
        values
            .iter()
            .enumerate()
            .filter_map(|(at, v)| Some((at, drawable(*v)?)))
    };
    let mut text = match name.is_empty() {
        true => " ".to_owned(),
        false => format!(" {name}. "),
    };
    let by_value = |a: &(usize, f64), b: &(usize, f64)| a.1.total_cmp(&b.1);
    // Of equal values the first one is named.
    let (low, high) = (present().min_by(by_value), present().rev().max_by(by_value));
    let (Some(low), Some(high), Some(last)) = (low, high, present().next_back()) else {
        return text + words.no_values + ".";
    };
    let at = |at: usize| readable(periods.get(at).map_or("", String::as_str), language);
    text += &format!(
        "{}: {} ({}). {}: {} ({}). {}: {} ({}).",
        words.lowest,
        format.text(low.1, language),
        at(low.0),
        words.highest,
        format.text(high.1, language),
        at(high.0),
        words.last,
        format.text(last.1, language),
        at(last.0)
    );
    text
}

fn left_out(names: &[&str], language: Language) -> String {
    match names {
        [] => String::new(),
        names => format!(" {}: {}.", language.words().left_out, names.join(", ")),
    }
}
