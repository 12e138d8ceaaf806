use serde_json::json;

use super::*;
use crate::ErrorKind;
use crate::insight::{
    Change, Driver, Effect, Evidence, Finding, FindingKind, Named, Part, Series, Severity, Size,
    Status, Window,
};
use crate::metric::{Format, LocalText};
use crate::report::chart::{
    Bar, BarChart, Bin, Chart, Distribution, FunnelChart, FunnelStep, Grid, GridColumn, HeatCell,
    HeatMap, HeatRow, Line, LineChart, Mark, MarkKind, Sparkline, StackedChart, ValueMark,
};
use crate::report::{
    Block, Figure, Language, Report, Section, TableBlock, Theme, Tile, ValueFormat,
};

pub(crate) mod golden;
pub(crate) mod hostile;
pub(crate) mod outside;

fn both(en: &str, ru: &str) -> LocalText {
    LocalText {
        en: en.to_owned(),
        ru: Some(ru.to_owned()),
    }
}

/// Sixty days of a count with a week in it, a day that fell out and a level that moved.
fn days() -> (Vec<String>, Vec<Option<f64>>) {
    let labels = (0..60).map(|d| match d < 31 {
        true => format!("2026-01-{:02}", d + 1),
        false if d < 59 => format!("2026-02-{:02}", d - 30),
        false => "2026-03-01".to_owned(),
    });
    let values = (0..60).map(|d| match d {
        20 => None,
        40 => Some(3.0),
        d => Some(f64::from(
            40 + [9, 8, 7, 6, 5, -12, -14][d as usize % 7] + if d > 45 { 25 } else { 0 },
        )),
    });
    (labels.collect(), values.collect())
}

fn figure(chart: Chart) -> Block {
    Block::Figure(Figure {
        chart,
        text: None,
        notes: Vec::new(),
        spec: json!({"metrics": ["active_actors"], "grain": "day"}),
    })
}

fn finding() -> Finding {
    let (periods, values) = days();
    let expected: Vec<Option<f64>> = values.iter().map(|_| Some(38.0)).collect();
    Finding {
        id: "0123456789abcdef".to_owned(),
        rule: "anomaly".to_owned(),
        kind: FindingKind::Anomaly,
        metric: "active_actors".to_owned(),
        title: both("Active actors", "Активные участники"),
        format: Format::Number,
        unit: Some("actors".to_owned()),
        segment: vec![Part {
            dimension: "plan".to_owned(),
            value: Some("pro".to_owned()),
        }],
        window: Window {
            from: "2026-02-10T00:00:00Z".to_owned(),
            to: "2026-02-11T00:00:00Z".to_owned(),
            grain: crate::calendar::Grain::Day,
            first: "2026-02-10".to_owned(),
            last: "2026-02-10".to_owned(),
            periods: 1,
        },
        direction: Change::Down,
        good: Some(false),
        size: Size {
            absolute: -35.0,
            relative: Some(-0.92),
            actors: Some(1234.0),
        },
        confidence: 0.9999,
        severity: Severity::High,
        score: 1.0,
        evidence: Evidence {
            numbers: vec![
                Named {
                    name: "expected".to_owned(),
                    value: 38.0,
                },
                Named {
                    name: "p_value".to_owned(),
                    value: 0.000_000_12,
                },
            ],
            spec: json!({"metrics": ["active_actors"], "grain": "day", "filter": "plan = 'pro'"}),
            series: Series {
                lower: expected.iter().map(|e| e.map(|e| e - 15.0)).collect(),
                upper: expected.iter().map(|e| e.map(|e| e + 15.0)).collect(),
                periods,
                values,
                expected,
                marks: vec![40],
            },
        },
        drivers: vec![Driver {
            segment: vec![Part {
                dimension: "country".to_owned(),
                value: None,
            }],
            contribution: -30.0,
            share: 0.857,
            effect: Effect::Amount,
        }],
        action: both(
            "Look at what was released on 10 February.",
            "Посмотрите, что вышло 10 февраля.",
        ),
        sentence: both(
            "Active actors fell by 92% on 10 February in plan = pro.",
            "Активных участников 10 февраля стало на 92 % меньше (plan = pro).",
        ),
        status: Status::New,
        merged: Vec::new(),
    }
}

/// Every kind of chart.
fn charts() -> Vec<Chart> {
    let (periods, values) = days();
    let percent = ValueFormat::percent();
    let months: Vec<String> = (1..=12).map(|m| format!("2025-{m:02}")).collect();
    vec![
        Chart::Line(LineChart {
            title: "Active actors".to_owned(),
            periods: periods.clone(),
            series: vec![Line {
                name: String::new(),
                low: values.iter().map(|v| v.map(|v| v - 8.0)).collect(),
                high: values.iter().map(|v| v.map(|v| v + 8.0)).collect(),
                values,
                marks: vec![
                    Mark {
                        at: 40,
                        kind: MarkKind::Anomaly,
                        text: "below what was expected".to_owned(),
                    },
                    Mark {
                        at: 46,
                        kind: MarkKind::Shift,
                        text: "new level".to_owned(),
                    },
                ],
            }],
            format: ValueFormat::number(),
            incomplete_from: Some(58),
            target: Some(70.0),
        }),
        Chart::Line(LineChart {
            title: "AI coverage".to_owned(),
            periods: months.clone(),
            series: ["payments", "search", "infrastructure and tools"]
                .iter()
                .enumerate()
                .map(|(at, name)| Line {
                    name: (*name).to_owned(),
                    values: (0..12)
                        .map(|m| Some(0.05 * f64::from(m) / (at as f64 + 1.0) + 0.1))
                        .collect(),
                    ..Line::default()
                })
                .collect(),
            format: percent.clone(),
            ..LineChart::default()
        }),
        Chart::Stacked(StackedChart {
            title: "Lifecycle".to_owned(),
            periods: months,
            series: [
                ("new", 1200.0),
                ("returning", 5200.0),
                ("resurrected", 300.0),
                ("dormant", -900.0),
            ]
            .iter()
            .map(|(name, value)| crate::report::chart::Part {
                name: (*name).to_owned(),
                values: (0..12)
                    .map(|m| Some((value * (1.0 + f64::from(m) / 10.0)).round()))
                    .collect(),
            })
            .collect(),
            format: ValueFormat::number(),
            incomplete_from: Some(11),
        }),
        Chart::Bar(BarChart {
            title: "Events by team".to_owned(),
            bars: vec![
                Bar {
                    label: "payments".to_owned(),
                    value: Some(1234.0),
                    low: Some(1100.0),
                    high: Some(1350.0),
                },
                Bar {
                    label: "a team with quite a long name".to_owned(),
                    value: Some(800.0),
                    ..Bar::default()
                },
                Bar {
                    label: "nobody".to_owned(),
                    ..Bar::default()
                },
            ],
            format: ValueFormat::number(),
        }),
        Chart::Funnel(FunnelChart {
            title: "From view to purchase".to_owned(),
            steps: [
                ("product_view", 12_000_u64),
                ("add_to_cart", 3_100),
                ("purchase", 840),
            ]
            .iter()
            .map(|(name, count)| FunnelStep {
                name: (*name).to_owned(),
                count: *count,
                share: Some(*count as f64 / 12_000.0),
                low: Some(*count as f64 / 12_600.0),
                high: Some(*count as f64 / 11_500.0),
                from_previous: None,
            })
            .collect(),
        }),
        Chart::Heat(HeatMap {
            title: "Retention by week".to_owned(),
            columns: (0..8).map(|k| k.to_string()).collect(),
            rows: (0..8_u32)
                .map(|row| HeatRow {
                    label: format!("2026-W{:02}", row + 1),
                    size: Some(u64::from(1500 + row * 37)),
                    cells: (0..8 - row)
                        .map(|k| HeatCell {
                            value: Some(1.0 / f64::from(k + 1)),
                            incomplete: k == 7 - row,
                        })
                        .collect(),
                })
                .collect(),
            format: percent,
        }),
        Chart::Distribution(Distribution {
            title: "Length of sessions".to_owned(),
            bins: (0..20_u32)
                .map(|k| Bin {
                    from: f64::from(k) * 180.0,
                    to: f64::from(k + 1) * 180.0,
                    count: u64::from(4000 / (k + 1)),
                })
                .collect(),
            format: ValueFormat::duration(),
            marks: vec![
                ValueMark {
                    label: "median".to_owned(),
                    value: 400.0,
                },
                ValueMark {
                    label: "p95".to_owned(),
                    value: 2_700.0,
                },
            ],
        }),
    ]
}

/// A report with everything in it.
pub(crate) fn whole(language: Language) -> Report {
    let spec = json!({"metrics": ["active_actors"], "grain": "day"});
    let tile = |title: &str, value: f64, format: ValueFormat, change: f64, good: bool| Tile {
        title: title.to_owned(),
        value: Some(value),
        format: format.clone(),
        period: "2026-02-28".to_owned(),
        change: Some(change),
        good: Some(good),
        course: Some(Sparkline {
            title: title.to_owned(),
            values: days().1,
            format,
        }),
        spec: spec.clone(),
    };
    let mut section = Section::new(match language {
        Language::English => "Charts",
        Language::Russian => "Графики",
    });
    for chart in charts() {
        section = section.block(figure(chart));
    }
    let words = language.words();
    Report::new("Shop, January and February 2026")
        .language(language)
        .summary("12,345 events of 1,234 actors.")
        .section(
            Section::new(words.findings)
                .block(Block::Finding(Box::new(finding())))
                .block(Block::Finding(Box::new(Finding {
                    severity: Severity::Low,
                    status: Status::Ongoing,
                    good: Some(true),
                    direction: Change::Up,
                    ..finding()
                }))),
        )
        .section(
            Section::new(words.metrics)
                .block(Block::Tiles(vec![
                    tile("Active actors", 1234.0, ValueFormat::number(), 0.125, true),
                    tile("AI coverage", 0.42, ValueFormat::percent(), -0.031, false),
                    tile(
                        "Time to provision, median",
                        7500.0,
                        ValueFormat::duration(),
                        0.0,
                        true,
                    ),
                ]))
                .block(Block::Notes(vec![
                    "The last day is not complete.".to_owned(),
                ]))
                .block(Block::Table(TableBlock {
                    title: "Events by name".to_owned(),
                    grid: Grid {
                        columns: vec![GridColumn::text("event"), GridColumn::number("events")],
                        rows: vec![vec!["product_view".to_owned(), "12,000".to_owned()]],
                    },
                    notes: Vec::new(),
                    spec,
                })),
        )
        .section(section)
}

#[test]
fn the_same_report_is_the_same_bytes_and_small() {
    for language in Language::ALL {
        let html = whole(language).to_html().unwrap();
        assert_eq!(html, whole(language).to_html().unwrap());
        assert!(html.len() < 120_000, "{}", html.len());
        let again: Report =
            serde_json::from_value(serde_json::to_value(whole(language)).unwrap()).unwrap();
        assert_eq!(again, whole(language));
    }
}

#[test]
fn a_report_without_anything_says_so() {
    for (language, words) in [
        (Language::English, "There is nothing to report."),
        (Language::Russian, "Сообщать не о чем."),
    ] {
        let report = Report::new("x").language(language);
        assert!(report.to_html().unwrap().contains(words));
        assert!(report.to_markdown().unwrap().contains(words));
    }
}

#[test]
fn charts_without_values_say_so_and_odd_ones_are_drawn() {
    let lines = |periods: usize, value: Option<f64>| {
        Chart::Line(LineChart {
            title: "x".to_owned(),
            periods: (0..periods).map(|p| format!("P{p}")).collect(),
            series: vec![Line {
                values: vec![value; periods],
                ..Line::default()
            }],
            ..LineChart::default()
        })
    };
    for chart in [
        lines(0, None),
        lines(3, None),
        lines(2, Some(f64::NAN)),
        Chart::Bar(BarChart::default()),
        Chart::Stacked(StackedChart::default()),
        Chart::Funnel(FunnelChart::default()),
        Chart::Heat(HeatMap::default()),
        Chart::Distribution(Distribution::default()),
    ] {
        let svg = chart.to_svg(Language::English).unwrap();
        assert!(svg.contains("No values"), "{svg}");
        let html = Report::new("x")
            .section(Section::new("y").block(figure(chart)))
            .to_html();
        assert!(html.is_ok());
    }
    for value in [0.0, 5.0, -5.0, 1e300, 5e-324] {
        for periods in [1, 2, 1000] {
            let svg = lines(periods, Some(value))
                .to_svg(Language::Russian)
                .unwrap();
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            assert!(svg.contains("class=\"line s0\"") || svg.contains("class=\"dot s0\""));
        }
    }
}

#[test]
fn a_report_that_grows_too_large_loses_rows_and_then_is_refused() {
    let many = |figures: usize| {
        let chart = Chart::Line(LineChart {
            title: "x".to_owned(),
            periods: (0..500).map(|p| format!("period {p}")).collect(),
            series: (0..8)
                .map(|at| Line {
                    name: format!("series {at}"),
                    values: (0..500)
                        .map(|p| Some(f64::from(p) * 1.37 + f64::from(at)))
                        .collect(),
                    ..Line::default()
                })
                .collect(),
            ..LineChart::default()
        });
        let mut section = Section::new("y");
        for _ in 0..figures {
            section = section.block(figure(chart.clone()));
        }
        Report::new("x").section(section)
    };
    let small = many(1).to_html().unwrap();
    assert!(small.contains("The latest rows of 500."));
    assert_eq!(small.matches("<tr>").count(), 61);
    let html = many(10).to_html().unwrap();
    assert!(html.len() <= 500_000, "{}", html.len());
    assert_eq!(html.matches("<tr>").count(), 10 * 25);
    let error = many(40).to_html().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted);
    assert!(error.message().contains("max_bytes"), "{error}");
}

#[test]
fn templates_and_theme_can_be_replaced() {
    let mut options = RenderOptions {
        html_template: Some(
            "{{ title }}: {% for s in sections %}[{{ s.title }}]{% endfor %}".to_owned(),
        ),
        markdown_template: Some("{{ title }} {{ words.findings }}".to_owned()),
        ..RenderOptions::default()
    };
    let report = Report::new("a < b | c").section(Section::new("<i>"));
    assert_eq!(
        report.to_html_with(&options).unwrap(),
        "a &lt; b | c: [&lt;i&gt;]"
    );
    assert_eq!(
        report.to_markdown_with(&options).unwrap(),
        "a &lt; b \\| c Findings\n"
    );
    for (template, words) in [
        ("a\n{{ nothing }}", "line 2"),
        ("{% for", "line 1"),
        ("{% include 'x' %}", "template"),
        (
            "{% for a in range(9999) %}{% for b in range(9999) %}{{ a }}{% endfor %}{% endfor %}",
            "fuel",
        ),
    ] {
        options.html_template = Some(template.to_owned());
        let error = report.to_html_with(&options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSpec);
        assert!(error.message().contains(words), "{error}");
    }
    options.html_template = None;
    options.theme.css = ".mine{}".to_owned();
    options.theme.light.ink = "#010203".to_owned();
    let html = report.to_html_with(&options).unwrap();
    assert!(html.contains(".mine{}") && html.contains("--ink:#010203"));
    options.theme = Theme {
        font: "a;b".to_owned(),
        ..Theme::default()
    };
    assert!(report.to_html_with(&options).is_err());
}

#[test]
fn lists_of_different_lengths_are_refused() {
    let mut charts = charts();
    for chart in &mut charts {
        match chart {
            Chart::Line(chart) => chart.periods.truncate(2),
            Chart::Stacked(chart) => chart.periods.truncate(2),
            Chart::Heat(chart) => chart.columns.truncate(2),
            Chart::Distribution(chart) => chart.bins[0].to = chart.bins[0].from,
            Chart::Bar(_) | Chart::Funnel(_) | Chart::Sparkline(_) => continue,
        }
        for error in [
            chart.to_svg(Language::English).unwrap_err(),
            chart.to_vega_lite(Language::English).unwrap_err(),
            Report::new("x")
                .section(Section::new("y").block(figure(chart.clone())))
                .to_markdown()
                .unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::InvalidSpec);
        }
    }
}
