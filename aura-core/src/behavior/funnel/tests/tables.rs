//! Funnels as tables: the frame around them.

use super::vectors::{cells, events, file};
use crate::ErrorKind;
use crate::behavior::{Analysis, EventFilter, Exclusion, Funnel, Span, Step};

fn specs() -> Vec<Analysis> {
    let vectors = file();
    let cases = vectors["cases"].as_array().unwrap().iter();
    let good = cases.filter(|case| case.get("error").is_none());
    good.map(|case| serde_json::from_value(case["spec"].clone()).unwrap())
        .collect()
}

#[tokio::test]
async fn one_pass_gives_what_many_do_whatever_the_parts() {
    let vectors = file();
    let specs = specs();
    let plain = events(&vectors, 1, false);
    let mut alone = Vec::new();
    for spec in &specs {
        let table = plain.run(spec).await.unwrap();
        alone.push((table.schema(), cells(&table), table.notes().to_vec()));
    }
    for (parts, reversed) in [(1, false), (1, true), (2, true), (3, false), (7, true)] {
        let events = events(&vectors, parts, reversed);
        let together = events.run_all(&specs).await.unwrap();
        for ((spec, table), alone) in specs.iter().zip(together).zip(&alone) {
            let found = (table.schema(), cells(&table), table.notes().to_vec());
            assert_eq!(found.2, alone.2, "{parts} {reversed} {spec:?}");
            assert_eq!(&found, alone, "{parts} {reversed} {spec:?}");
        }
    }
}

#[tokio::test]
async fn conditions_take_as_many_words_as_they_need() {
    let events = events(&file(), 2, false);
    // 90 funnels of different conditions: more than two words hold.
    let specs: Vec<Analysis> = (0..90)
        .map(|i| {
            let buy = EventFilter::event("buy").filter(format!("amount > {i}"));
            Funnel::steps([EventFilter::event("view"), buy]).into()
        })
        .collect();
    let together = events.run_all(&specs).await.unwrap();
    for (spec, table) in specs.iter().zip(together).step_by(17) {
        assert_eq!(cells(&events.run(spec).await.unwrap()), cells(&table));
    }
    let steps = (0..50).map(|i| EventFilter::event("view").filter(format!("amount > {i}")));
    let mut funnel = Funnel::steps(steps);
    for i in 0..14 {
        let buy = EventFilter::event("buy").filter(format!("amount > {i}"));
        funnel = funnel.exclude(Exclusion::new(buy).between(1, 50));
    }
    assert_eq!(events.run(&funnel).await.unwrap().num_rows(), 50);
    // The 65th condition.
    let error = events
        .run(funnel.compare(("a", "plan = 'a'"), ("b", "plan = 'b'")))
        .await
        .unwrap_err();
    assert!(
        error
            .message()
            .starts_with("compare[0].where: more than 64"),
        "{error}"
    );
    let many = vec![specs[0].clone(); 101];
    assert!(
        events
            .run_all(&many)
            .await
            .unwrap_err()
            .message()
            .starts_with("101 analyses")
    );
    assert!(events.run_all(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn errors_name_the_analysis() {
    let events = events(&file(), 1, false);
    let good = Funnel::steps(["view", "buy"]);
    let bad = good.clone().by("plann");
    let error = events
        .run_all(&[good.into(), bad.into()])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSpec);
    assert!(
        error
            .message()
            .starts_with("analyses[1]: by: the events have no column `plann`"),
        "{error}"
    );
}

#[test]
fn builders_say_what_json_says() {
    let funnel = Funnel::steps([
        Step::new("view"),
        Step::new(["add", "put"]).optional().named("in the cart"),
        Step::new(EventFilter::event("buy").filter("amount > 1")),
    ])
    .within(Span::days(7).unwrap())
    .same("cart")
    .by("plan")
    .from("2026-03-01")
    .actor("team");
    let json = serde_json::json!({"funnel": {
        "steps": [
            "view",
            {"events": ["add", "put"], "name": "in the cart", "optional": true},
            {"event": "buy", "where": "amount > 1"},
        ],
        "within": "7 days", "same": ["cart"], "by": ["plan"], "from": "2026-03-01", "actor": "team",
    }});
    assert_eq!(serde_json::to_value(Analysis::from(&funnel)).unwrap(), json);
    assert_eq!(
        serde_json::from_value::<Analysis>(json).unwrap(),
        Analysis::from(funnel)
    );
    let schema = serde_json::to_value(schemars::schema_for!(Analysis)).unwrap();
    assert!(schema.to_string().contains("attribution"));
}

#[test]
fn intervals_agree_with_published_ones() {
    use crate::behavior::shares::{difference, wilson};
    let close = |a: f64, b: f64| (a - b).abs() < 5e-5;
    // Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3, and 873-890, table II, method 10.
    let (low, high) = wilson(81, 263).unwrap();
    assert!(close(low, 0.2553) && close(high, 0.3662), "{low} {high}");
    let (low, high) = wilson(15, 148).unwrap();
    assert!(close(low, 0.0624) && close(high, 0.1605), "{low} {high}");
    let (low, high) = wilson(0, 20).unwrap();
    assert!(close(low, 0.0) && close(high, 0.1611), "{low} {high}");
    let (_, low, high) = difference((56, 70), (48, 80)).unwrap();
    assert!(close(low, 0.0524) && close(high, 0.3339), "{low} {high}");
    let (_, low, high) = difference((9, 10), (3, 10)).unwrap();
    assert!(close(low, 0.1705) && close(high, 0.8090), "{low} {high}");
    assert_eq!(wilson(0, 0), None);
}
