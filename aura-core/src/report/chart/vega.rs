//! Charts for those who draw with Vega-Lite.

use serde_json::{Map, Value, json};

use super::model::{
    BarChart, Chart, Distribution, FunnelChart, HeatMap, LineChart, MarkKind, Sparkline,
    StackedChart,
};
use super::scale::drawable;
use crate::metric::Format;
use crate::report::language::Language;
use crate::report::number::ValueFormat;

/// The version that the specifications are of.
const SCHEMA: &str = "https://vega.github.io/schema/vega-lite/v5.json";

impl Chart {
    /// Describes the chart as a specification of Vega-Lite 5 with its data in it.
    ///
    /// Periods are ordinal, in their order, so that calendars of any kind look right; nothing is left out. Values of the data are as
    /// they are: shares from 0 to 1, lengths of time in their unit.
    ///
    /// # Errors
    /// As [`to_svg`](Chart::to_svg).
    pub fn to_vega_lite(&self, language: Language) -> crate::Result<Value> {
        self.check()?;
        let mut spec = match self {
            Chart::Line(chart) => line(chart, language),
            Chart::Bar(chart) => bar(chart),
            Chart::Stacked(chart) => stacked(chart, language),
            Chart::Funnel(chart) => funnel(chart, language),
            Chart::Heat(chart) => heat(chart, language),
            Chart::Distribution(chart) => distribution(chart, language),
            Chart::Sparkline(chart) => sparkline(chart),
        };
        if let Value::Object(fields) = &mut spec {
            fields.insert("$schema".to_owned(), json!(SCHEMA));
            fields.insert("title".to_owned(), json!(self.title()));
            fields.insert("description".to_owned(), json!(self.describe(language)));
        }
        Ok(spec)
    }
}

/// A number as JSON; null for one that cannot be drawn.
fn number(value: Option<f64>) -> Value {
    drawable(value).map_or(Value::Null, |v| json!(v))
}

/// The axis of values.
fn axis(format: &ValueFormat, title: &str) -> Value {
    let mut axis = Map::new();
    axis.insert("title".to_owned(), json!(title));
    if format.style == Format::Percent {
        axis.insert("format".to_owned(), json!("~%"));
    }
    Value::Object(axis)
}

fn periods(labels: &[String], title: &str) -> Value {
    json!({"field": "period", "type": "ordinal", "sort": labels, "axis": {"title": title, "labelOverlap": true}})
}

fn line(chart: &LineChart, language: Language) -> Value {
    let words = language.words();
    let (mut rows, mut marks) = (Vec::new(), Vec::new());
    for line in &chart.series {
        for (at, period) in chart.periods.iter().enumerate() {
            let of = |values: &[Option<f64>]| number(values.get(at).copied().flatten());
            let complete = chart.incomplete_from.is_none_or(|from| at < from);
            let mut row = json!({"period": period, "series": line.name, "value": of(&line.values), "complete": complete});
            if let (Value::Object(row), false) = (&mut row, line.low.is_empty()) {
                row.insert("low".to_owned(), of(&line.low));
                row.insert("high".to_owned(), of(&line.high));
            }
            rows.push(row);
        }
        for mark in &line.marks {
            let kind = match mark.kind {
                MarkKind::Anomaly => "anomaly",
                MarkKind::Shift => "shift",
            };
            let value = number(line.values.get(mark.at).copied().flatten());
            marks.push(json!({"period": chart.periods.get(mark.at), "value": value, "kind": kind, "text": mark.text}));
        }
    }
    let x = periods(&chart.periods, words.period);
    let colour = json!({"field": "series", "type": "nominal", "title": null});
    let y = json!({"field": "value", "type": "quantitative", "axis": axis(&chart.format, ""), "scale": {"zero": false}});
    let mut layers = Vec::new();
    if chart.series.iter().any(|line| !line.low.is_empty()) {
        layers.push(json!({
            "mark": {"type": "area", "opacity": 0.2},
            "encoding": {"x": x, "y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}, "color": colour},
        }));
    }
    layers.push(json!({
        "mark": {"type": "line", "point": chart.series.len() == 1},
        "encoding": {"x": x, "y": y, "color": colour},
    }));
    if !marks.is_empty() {
        layers.push(json!({
            "data": {"values": marks},
            "mark": {"type": "point", "size": 120, "color": "#c2410c"},
            "encoding": {"x": x, "y": y, "shape": {"field": "kind", "type": "nominal", "title": null},
                         "tooltip": {"field": "text", "type": "nominal"}},
        }));
    }
    if let Some(target) = drawable(chart.target) {
        layers.push(json!({
            "mark": {"type": "rule", "strokeDash": [6, 4]},
            "encoding": {"y": {"datum": target}},
        }));
    }
    json!({"data": {"values": rows}, "width": 480, "layer": layers})
}

fn stacked(chart: &StackedChart, language: Language) -> Value {
    let mut rows = Vec::new();
    for part in &chart.series {
        for (period, value) in chart.periods.iter().zip(&part.values) {
            rows.push(json!({"period": period, "series": part.name, "value": number(*value)}));
        }
    }
    json!({
        "data": {"values": rows},
        "width": 480,
        "mark": "bar",
        "encoding": {
            "x": periods(&chart.periods, language.words().period),
            "y": {"field": "value", "type": "quantitative", "stack": "zero", "axis": axis(&chart.format, "")},
            "color": {"field": "series", "type": "nominal", "title": null,
                      "sort": chart.series.iter().map(|part| &part.name).collect::<Vec<_>>()},
        },
    })
}

fn bar(chart: &BarChart) -> Value {
    let rows: Vec<Value> = chart
        .bars
        .iter()
        .map(|bar| json!({"label": bar.label, "value": number(bar.value), "low": number(bar.low), "high": number(bar.high)}))
        .collect();
    let labels: Vec<&str> = chart.bars.iter().map(|bar| bar.label.as_str()).collect();
    let y = json!({"field": "label", "type": "nominal", "sort": labels, "axis": {"title": ""}});
    let mut layers = vec![json!({
        "mark": "bar",
        "encoding": {"y": y, "x": {"field": "value", "type": "quantitative", "axis": axis(&chart.format, "")}},
    })];
    if chart.bars.iter().any(|bar| bar.low.is_some()) {
        layers.push(json!({
            "mark": {"type": "rule"},
            "encoding": {"y": y, "x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"}},
        }));
    }
    json!({"data": {"values": rows}, "width": 480, "layer": layers})
}

fn funnel(chart: &FunnelChart, language: Language) -> Value {
    let rows: Vec<Value> = chart
        .steps
        .iter()
        .enumerate()
        .map(|(at, step)| {
            json!({"step": format!("{}. {}", at + 1, step.name), "count": step.count, "share": number(step.share),
                   "low": number(step.low), "high": number(step.high)})
        })
        .collect();
    json!({
        "data": {"values": rows},
        "width": 480,
        "mark": "bar",
        "encoding": {
            "y": {"field": "step", "type": "ordinal", "sort": null, "axis": {"title": ""}},
            "x": {"field": "count", "type": "quantitative", "axis": {"title": language.words().count}},
            "tooltip": [
                {"field": "step", "type": "nominal"},
                {"field": "count", "type": "quantitative"},
                {"field": "share", "type": "quantitative", "format": ".1%"},
            ],
        },
    })
}

fn heat(chart: &HeatMap, language: Language) -> Value {
    let mut rows = Vec::new();
    for row in &chart.rows {
        for (column, cell) in chart.columns.iter().zip(&row.cells) {
            rows.push(json!({"row": row.label, "column": column, "value": number(cell.value), "complete": !cell.incomplete}));
        }
    }
    let labels: Vec<&str> = chart.rows.iter().map(|row| row.label.as_str()).collect();
    let mut colour = json!({"field": "value", "type": "quantitative", "title": null});
    if let (Value::Object(colour), Format::Percent) = (&mut colour, chart.format.style) {
        colour.insert("legend".to_owned(), json!({"format": "~%"}));
    }
    json!({
        "data": {"values": rows},
        "width": 480,
        "mark": "rect",
        "encoding": {
            "x": {"field": "column", "type": "ordinal", "sort": chart.columns, "axis": {"title": "", "orient": "top"}},
            "y": {"field": "row", "type": "ordinal", "sort": labels, "axis": {"title": language.words().cohort}},
            "color": colour,
        },
    })
}

fn distribution(chart: &Distribution, language: Language) -> Value {
    let rows: Vec<Value> = chart
        .bins
        .iter()
        .map(|bin| json!({"from": bin.from, "to": bin.to, "count": bin.count}))
        .collect();
    let mut layers = vec![json!({
        "mark": "bar",
        "encoding": {
            "x": {"field": "from", "type": "quantitative", "bin": {"binned": true}, "axis": axis(&chart.format, "")},
            "x2": {"field": "to"},
            "y": {"field": "count", "type": "quantitative", "axis": {"title": language.words().count}},
        },
    })];
    if !chart.marks.is_empty() {
        let marks: Vec<Value> = chart
            .marks
            .iter()
            .map(|mark| json!({"label": mark.label, "value": number(Some(mark.value))}))
            .collect();
        layers.push(json!({
            "data": {"values": marks},
            "mark": {"type": "rule", "strokeDash": [6, 4]},
            "encoding": {
                "x": {"field": "value", "type": "quantitative"},
                "tooltip": {"field": "label", "type": "nominal"},
            },
        }));
    }
    json!({"data": {"values": rows}, "width": 480, "layer": layers})
}

fn sparkline(chart: &Sparkline) -> Value {
    let rows: Vec<Value> = chart
        .values
        .iter()
        .enumerate()
        .map(|(at, value)| json!({"at": at, "value": number(*value)}))
        .collect();
    json!({
        "data": {"values": rows},
        "width": 120,
        "height": 32,
        "mark": "line",
        "encoding": {
            "x": {"field": "at", "type": "quantitative", "axis": null},
            "y": {"field": "value", "type": "quantitative", "axis": null, "scale": {"zero": false}},
        },
    })
}
