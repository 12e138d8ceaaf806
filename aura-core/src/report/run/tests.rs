use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray};

use super::*;
use crate::ErrorKind;
use crate::behavior::Funnel;
use crate::event::Roles;
use crate::report::chart::Chart;
use crate::report::model::Figure;

/// 2026-01-01T00:00:00Z
const START: i64 = 1_767_225_600_000_000;

/// Events `(actor, event, day)`, with the plan of the actor and an amount that is always null.
fn events(rows: &[(&str, &str, i64)]) -> Events {
    let plans = rows
        .iter()
        .map(|(actor, ..)| if *actor < "b" { Some("free") } else { None });
    let times = rows.iter().map(|(_, _, day)| START + day * DAY_US);
    let columns: [(&str, ArrayRef); 5] = [
        (
            "actor",
            Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r.0))),
        ),
        (
            "event",
            Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r.1))),
        ),
        (
            "time",
            Arc::new(
                times
                    .map(Some)
                    .collect::<TimestampMicrosecondArray>()
                    .with_timezone("UTC"),
            ),
        ),
        ("plan", Arc::new(plans.collect::<StringArray>())),
        (
            "amount",
            Arc::new(Float64Array::from(vec![None; rows.len()])),
        ),
    ];
    let columns = columns.map(|(name, column)| (name, column, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    Events::from_batches(vec![batch], &Roles::new("actor", "event", "time")).unwrap()
}

fn made(events: &Events, registry: &Registry, spec: &ReportSpec) -> Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(events.report(registry, spec))
}

/// Makes a report of what fits, in both languages and forms, and returns the English Markdown.
fn fitting(events: &Events, registry: &Registry) -> String {
    for language in Language::ALL {
        let report = made(events, registry, &ReportSpec::new().language(language)).unwrap();
        report.to_html().unwrap();
        assert!(!report.to_markdown().unwrap().contains("NaN"));
    }
    made(events, registry, &ReportSpec::new())
        .unwrap()
        .to_markdown()
        .unwrap()
}

fn registry(text: &str) -> Registry {
    Registry::parse(text).unwrap()
}

#[test]
fn no_events_are_said() {
    let text = fitting(&events(&[]), &Registry::builtin().unwrap());
    assert!(text.contains("There are no events"), "{text}");
    let spec = ReportSpec::new()
        .section(Show::Metrics(MetricQuery::of(["active_actors"])))
        .section(Show::Analysis(Retention::default().into()));
    let report = made(&events(&[]), &Registry::builtin().unwrap(), &spec).unwrap();
    let text = report.to_markdown().unwrap();
    assert_eq!(text.matches("There are no rows.").count(), 2, "{text}");
}

#[test]
fn one_event_is_said() {
    let text = fitting(&events(&[("a", "view", 0)]), &Registry::builtin().unwrap());
    assert!(text.contains("There is one event"), "{text}");
}

#[test]
fn constant_series_and_metrics_without_values_are_said() {
    let rows: Vec<(&str, &str, i64)> = (0..30).map(|day| ("a", "view", day)).collect();
    let registry = registry(
        "{version: 1, metrics: [{name: views, kind: simple, expr: count(*)}, {name: revenue, kind: simple, expr: sum(amount), fill: \"null\"}]}",
    );
    let text = fitting(&events(&rows), &registry);
    assert!(
        text.contains("Without a value in these events: revenue."),
        "{text}"
    );
    assert!(text.contains("### views"), "{text}");
    let spec = ReportSpec::new().section(Show::Metrics(MetricQuery::of(["revenue"])));
    let text = made(&events(&rows), &registry, &spec)
        .unwrap()
        .to_html()
        .unwrap();
    assert!(text.contains("No values"), "{text}");
}

#[test]
fn a_metric_that_cannot_be_answered_takes_no_others_with_it() {
    let rows: Vec<(&str, &str, i64)> = (0..5).map(|day| ("a", "view", day)).collect();
    let registry = registry(
        "{version: 1, metrics: [{name: views, kind: simple, expr: count(*)}, {name: plans, kind: simple, expr: sum(plan)}]}",
    );
    let spec = ReportSpec::new();
    let text = made(&events(&rows), &registry, &spec)
        .unwrap()
        .to_markdown()
        .unwrap();
    assert!(
        text.contains("### views") && text.contains("plans: "),
        "{text}"
    );
}

#[test]
fn a_registry_without_metrics_is_said() {
    let rows = [("a", "view", 0), ("b", "view", 9)];
    for text in [
        "{version: 1, metrics: []}",
        "{version: 1, metrics: [{name: x, kind: simple, expr: sum(price)}]}",
    ] {
        let text = fitting(&events(&rows), &registry(text));
        assert!(text.contains("The registry has no metric"), "{text}");
    }
}

#[test]
fn sections_have_charts_that_fit_what_was_asked() {
    let rows: Vec<(&str, &str, i64)> = (0..40)
        .flat_map(|day| {
            [
                ("a", "view", day),
                ("b", "view", day),
                (if day % 3 == 0 { "a" } else { "c" }, "buy", day),
            ]
        })
        .collect();
    let events = events(&rows);
    let builtin = Registry::builtin().unwrap();
    let figures = |show: Show| -> Vec<Figure> {
        let report = made(&events, &builtin, &ReportSpec::new().section(show.clone())).unwrap();
        report.to_html().unwrap();
        let blocks = report
            .sections
            .into_iter()
            .flat_map(|section| section.blocks);
        blocks
            .filter_map(|block| match block {
                Block::Figure(figure) => Some(figure),
                _ => None,
            })
            .collect()
    };
    let of = |query: MetricQuery| figures(Show::Metrics(query.grain(Grain::Week)));
    // Counts add up to a whole, different actors do not.
    let [events_by_plan, actors_by_plan] =
        &of(MetricQuery::of(["events", "active_actors"]).by(["plan"]))[..]
    else {
        panic!("two figures");
    };
    let Chart::Stacked(stacked) = &events_by_plan.chart else {
        panic!("{events_by_plan:?}")
    };
    let names: Vec<&str> = stacked
        .series
        .iter()
        .map(|part| part.name.as_str())
        .collect();
    assert_eq!(names, ["no value", "free"]);
    assert!(matches!(&actors_by_plan.chart, Chart::Line(line) if line.series.len() == 2));
    // The spec is that of the figure alone, and gives its numbers again.
    let spec: MetricQuery = serde_json::from_value(actors_by_plan.spec.clone()).unwrap();
    assert_eq!(spec.metrics, ["active_actors"]);
    assert_eq!(of(spec)[0].chart, actors_by_plan.chart);
    let one = of(MetricQuery::of(["events"])
        .by(["event"])
        .from("2026-01-05")
        .to("2026-01-12"));
    let Chart::Bar(bars) = &one[0].chart else {
        panic!("{one:?}")
    };
    let bars: Vec<_> = bars
        .bars
        .iter()
        .map(|bar| (bar.label.as_str(), bar.value))
        .collect();
    assert_eq!(bars, [("view", Some(14.0)), ("buy", Some(7.0))]);

    let funnel = figures(Show::Analysis(Funnel::steps(["view", "buy"]).into()));
    let Chart::Funnel(funnel) = &funnel[0].chart else {
        panic!("{funnel:?}")
    };
    assert_eq!(
        funnel
            .steps
            .iter()
            .map(|step| step.count)
            .collect::<Vec<_>>(),
        [2, 1]
    );
    let heat = figures(Show::Analysis(
        Retention::default().period(Grain::Week).into(),
    ));
    let Chart::Heat(heat) = &heat[0].chart else {
        panic!("{heat:?}")
    };
    assert_eq!(heat.rows[0].size, Some(3));
    assert_eq!(heat.rows[0].cells[0].value, Some(1.0));
    let life = figures(Show::Analysis(Lifecycle::new().period(Grain::Week).into()));
    assert!(matches!(&life[0].chart, Chart::Stacked(chart) if chart.series.len() == 4));
}

#[test]
fn the_order_of_rows_does_not_change_a_course() {
    let rows: Vec<(&str, &str, i64)> = (0..20).map(|day| ("a", "view", day * day)).collect();
    let events = events(&rows);
    let builtin = Registry::builtin().unwrap();
    let query = MetricQuery::of(["events"]).grain(Grain::Month);
    let figure = |query: MetricQuery| {
        let report = made(
            &events,
            &builtin,
            &ReportSpec::new().section(Show::Metrics(query)),
        )
        .unwrap();
        let blocks = report
            .sections
            .into_iter()
            .flat_map(|section| section.blocks);
        let charts = blocks.filter_map(|block| match block {
            Block::Figure(figure) => Some(figure.chart),
            _ => None,
        });
        charts.collect::<Vec<_>>()
    };
    assert_eq!(
        figure(query.clone()),
        figure(query.order_by("events", true))
    );
}

#[test]
fn a_report_of_too_many_sections_and_a_table_of_another_question_are_refused() {
    let events = events(&[("a", "view", 0)]);
    let builtin = Registry::builtin().unwrap();
    let mut spec = ReportSpec::new();
    for _ in 0..=MOST_SECTIONS {
        spec = spec.section(Show::Metrics(MetricQuery::of(["events"])));
    }
    let error = made(&events, &builtin, &spec).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSpec);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let table = runtime.block_on(events.sql("select 1 as one")).unwrap();
    let query = MetricQuery::of(["events"]);
    let error = Section::metrics("x", &builtin, &query, &table, Language::English).unwrap_err();
    assert!(error.message().contains("`period_label`"), "{error}");
}
