//! A finding as people read it.

use minijinja::Value;
use serde::Serialize;

use super::view::{Context, FigureView, SpecView, TableView, drawing, signed_percent, tone};
use crate::Result;
use crate::insight::{Change, Driver, Effect, Finding, Part, Severity, Status};
use crate::metric::LocalText;
use crate::report::chart::{Chart, Grid, GridColumn, Line, LineChart, Mark, MarkKind};
use crate::report::language::Language;
use crate::report::number::{ABSENT, ValueFormat, whole};
use crate::report::period::readable;

#[derive(Debug, Serialize)]
pub(super) struct FindingView {
    id: String,
    finding: String,
    sentence: String,
    severity: &'static str,
    severity_name: &'static str,
    status: &'static str,
    status_name: &'static str,
    tone: &'static str,
    facts: Vec<Fact>,
    action: String,
    drivers: TableView,
    figure: FigureView,
    numbers: TableView,
    spec: SpecView,
}

/// A number with its name.
#[derive(Debug, Serialize)]
struct Fact {
    name: &'static str,
    value: String,
}

/// Picks the text in a language.
pub(crate) fn local(text: &LocalText, language: Language) -> &str {
    match language {
        Language::English => &text.en,
        Language::Russian => text.russian(),
    }
}

/// Writes a segment: `plan = pro, country = DE`.
pub(crate) fn segment_text(segment: &[Part], language: Language) -> String {
    let words = language.words();
    let parts = segment.iter().map(|part| {
        let value = part.value.as_deref().unwrap_or(words.no_value);
        format!("{} = {value}", part.dimension)
    });
    let parts: Vec<String> = parts.collect();
    parts.join(", ")
}

impl FindingView {
    pub(super) fn of(finding: &Finding, id: String, context: Context<'_>) -> Result<FindingView> {
        let language = context.language;
        let format = ValueFormat {
            style: finding.format,
            unit: finding.unit.clone(),
            decimals: None,
        };
        let spec = || SpecView::of(&finding.evidence.spec, context.form);
        let chart = Chart::Line(course(finding, &format, language));
        let description = chart.describe(language);
        let figure = FigureView::of_chart(
            chart.title().to_owned(),
            description,
            // A fact without a course has no picture.
            match finding.evidence.series.values.is_empty() {
                true => Value::from_safe_string(String::new()),
                false => drawing(&chart, &id, context)?,
            },
            TableView::of(chart.grid(language), true, context),
            spec()?,
            id.clone(),
        );
        Ok(FindingView {
            id,
            finding: finding.id.clone(),
            sentence: local(&finding.sentence, language).to_owned(),
            severity: match finding.severity {
                Severity::Low => "low",
                Severity::Medium => "medium",
                Severity::High => "high",
            },
            severity_name: severity_name(finding.severity, language),
            status: match finding.status {
                Status::New => "new",
                Status::Ongoing => "ongoing",
                Status::Resolved => "resolved",
            },
            status_name: status_name(finding.status, language),
            tone: tone(finding.good),
            facts: facts(finding, &format, language),
            action: local(&finding.action, language).to_owned(),
            drivers: TableView::of(drivers(&finding.drivers, &format, language), false, context),
            figure,
            numbers: TableView::of(numbers(finding, language), false, context),
            spec: spec()?,
        })
    }
}

/// The chart of the evidence: the values with what was usual, and marks where the finding is.
fn course(finding: &Finding, format: &ValueFormat, language: Language) -> LineChart {
    let series = &finding.evidence.series;
    let title = local(&finding.title, language);
    let segment = segment_text(&finding.segment, language);
    let words = language.words();
    let text = match finding.direction {
        Change::Up => words.above_expected,
        Change::Down => words.below_expected,
        Change::None => words.changed,
    };
    let count = series.periods.len();
    let marks = series
        .marks
        .iter()
        .filter_map(|at| usize::try_from(*at).ok());
    let marks: Vec<usize> = marks.filter(|at| *at < count).collect();
    // Of a long stretch its begin is marked; of single periods each.
    let run = marks
        .windows(2)
        .all(|pair| pair.get(1) == pair.first().map(|at| at + 1).as_ref());
    let mark = |at: usize, kind: MarkKind| Mark {
        at,
        kind,
        text: text.to_owned(),
    };
    let marks = match marks.first() {
        Some(first) if marks.len() > 3 && run => vec![mark(*first, MarkKind::Shift)],
        _ => marks
            .into_iter()
            .map(|at| mark(at, MarkKind::Anomaly))
            .collect(),
    };
    let fitted = |values: &[Option<f64>]| match values.len() == count {
        true => values.to_vec(),
        false => Vec::new(),
    };
    let mut values = series.values.clone();
    values.resize(count, None);
    let mut lines = vec![Line {
        name: title.to_owned(),
        values,
        low: fitted(&series.lower),
        high: fitted(&series.upper),
        marks,
    }];
    if !series.expected.is_empty() {
        let mut values = series.expected.clone();
        values.resize(count, None);
        lines.push(Line {
            name: words.expected.to_owned(),
            values,
            ..Line::default()
        });
    }
    LineChart {
        title: match segment.is_empty() {
            true => title.to_owned(),
            false => format!("{title}: {segment}"),
        },
        periods: series.periods.clone(),
        series: lines,
        format: format.clone(),
        incomplete_from: None,
        target: None,
    }
}

fn facts(finding: &Finding, format: &ValueFormat, language: Language) -> Vec<Fact> {
    let words = language.words();
    let (first, last) = (&finding.window.first, &finding.window.last);
    let mut facts = vec![Fact {
        name: words.when,
        value: match first == last {
            true => readable(first, language),
            false => format!(
                "{} – {}",
                readable(first, language),
                readable(last, language)
            ),
        },
    }];
    if !finding.segment.is_empty() {
        facts.push(Fact {
            name: words.segment,
            value: segment_text(&finding.segment, language),
        });
    }
    let absolute = signed(finding.size.absolute, format, language);
    facts.push(Fact {
        name: words.change,
        value: match finding.size.relative.filter(|r| r.is_finite()) {
            Some(relative) => format!("{absolute} ({})", signed_percent(relative, language)),
            None => absolute,
        },
    });
    if let Some(actors) = finding.size.actors.filter(|a| a.is_finite() && *a >= 0.0) {
        facts.push(Fact {
            name: words.actors,
            value: whole(actors.round() as u64, language),
        });
    }
    facts.push(Fact {
        name: words.confidence,
        value: confidence(finding.confidence, language),
    });
    facts
}

/// Writes a confidence: nothing is certain, so that a percentage never says that it is.
fn confidence(value: f64, language: Language) -> String {
    let percent = ValueFormat::percent();
    match value >= 0.999 {
        true => format!("> {}", percent.text(0.999, language)),
        false => percent.text(value, language),
    }
}

fn signed(value: f64, format: &ValueFormat, language: Language) -> String {
    let text = format.text(value, language);
    match value > 0.0 {
        true => format!("+{text}"),
        false => text,
    }
}

fn drivers(drivers: &[Driver], format: &ValueFormat, language: Language) -> Grid {
    let words = language.words();
    let rows = drivers.iter().map(|driver| {
        vec![
            segment_text(&driver.segment, language),
            match driver.effect {
                Effect::Amount => words.effect_amount,
                Effect::Rate => words.effect_rate,
                Effect::Mix => words.effect_mix,
            }
            .to_owned(),
            signed(driver.contribution, format, language),
            match driver.share.is_finite() {
                true => ValueFormat::percent().text(driver.share, language),
                false => ABSENT.to_owned(),
            },
        ]
    });
    Grid {
        rows: rows.collect(),
        columns: vec![
            GridColumn::text(words.segment),
            GridColumn::text(words.effect),
            GridColumn::number(words.contribution),
            GridColumn::number(words.share),
        ],
    }
}

fn numbers(finding: &Finding, language: Language) -> Grid {
    let words = language.words();
    let rows = finding.evidence.numbers.iter().map(|named| {
        let value = match named.value.fract() == 0.0 || named.value.abs() >= 0.001 {
            true => ValueFormat::number().text(named.value, language),
            // Probabilities may be very small.
            false => format!("{:.1e}", named.value),
        };
        vec![named.name.clone(), value]
    });
    Grid {
        rows: rows.collect(),
        columns: vec![
            GridColumn::text(words.evidence),
            GridColumn::number(words.value),
        ],
    }
}

fn severity_name(severity: Severity, language: Language) -> &'static str {
    let words = language.words();
    match severity {
        Severity::Low => words.severity_low,
        Severity::Medium => words.severity_medium,
        Severity::High => words.severity_high,
    }
}

fn status_name(status: Status, language: Language) -> &'static str {
    let words = language.words();
    match status {
        Status::New => words.status_new,
        Status::Ongoing => words.status_ongoing,
        Status::Resolved => words.status_resolved,
    }
}
