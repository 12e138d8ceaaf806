//! The question as JSON.

use serde_json::json;

use crate::calendar::{Grain, Weekday};
use crate::metric::query::{Comparison, OrderBy, Top};
use crate::metric::{Fill, MetricQuery};

#[test]
fn json_and_builder_say_the_same() {
    let text = json!({
        "metrics": ["a", "b"],
        "grain": "week",
        "by": ["team"],
        "filter": "x > 1",
        "from": "2026-01-01",
        "to": "2026-02-01",
        "as_of": "2026-01-15",
        "time_zone": "Europe/Berlin",
        "week_start": "sunday",
        "compare_to": {"periods": 4},
        "fill": "zero",
        "top": {"n": 3},
        "totals": true,
        "order": [{"column": "a", "descending": true}],
        "limit": 10,
    });
    let mut built = MetricQuery::of(["a", "b"])
        .grain(Grain::Week)
        .by(["team"])
        .filter("x > 1")
        .from("2026-01-01")
        .to("2026-02-01")
        .as_of("2026-01-15")
        .time_zone("Europe/Berlin")
        .compare_to(Comparison::Periods(4))
        .fill(Fill::Zero)
        .top(Top::new(3))
        .totals()
        .order_by("a", true)
        .limit(10);
    built.week_start = Weekday::Sunday;
    assert_eq!(serde_json::to_value(&built).unwrap(), text);
    assert_eq!(serde_json::from_value::<MetricQuery>(text).unwrap(), built);
    assert_eq!(
        serde_json::to_value(MetricQuery::of(["a"])).unwrap(),
        json!({"metrics": ["a"]})
    );
    let forms = [
        (Comparison::PreviousPeriod, json!("previous_period")),
        (Comparison::PreviousYear, json!("previous_year")),
        (
            Comparison::From("2025-01-01".to_owned()),
            json!({"from": "2025-01-01"}),
        ),
    ];
    for (comparison, text) in forms {
        assert_eq!(serde_json::to_value(&comparison).unwrap(), text);
    }
    assert_eq!(
        built.order,
        [OrderBy {
            column: "a".to_owned(),
            descending: true
        }]
    );
}

#[test]
fn unknown_fields_are_refused() {
    let error = serde_json::from_value::<MetricQuery>(json!({"metrics": ["a"], "garin": "day"}))
        .unwrap_err();
    assert!(
        error.to_string().starts_with("unknown field `garin`"),
        "{error}"
    );
    let error = serde_json::from_value::<MetricQuery>(json!({"metrics": ["a"], "grain": "dya"}))
        .unwrap_err();
    assert!(
        error.to_string().ends_with("Did you mean `day`?"),
        "{error}"
    );
}

#[test]
fn the_schema_names_every_field() {
    let schema = serde_json::to_value(schemars::schema_for!(MetricQuery)).unwrap();
    assert_eq!(schema["required"], json!(["metrics"]));
    assert_eq!(schema["additionalProperties"], json!(false));
    assert_eq!(schema["properties"].as_object().unwrap().len(), 18);
}
