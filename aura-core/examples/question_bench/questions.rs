//! The questions, by the names that `benches/questions.py` has for them.

use aura_core::behavior::Analysis;
use aura_core::calendar::Grain;
use aura_core::engine::{Events, Table};
use aura_core::metric::{MetricQuery, Registry};

use crate::Failure;

const METRICS: &str = r#"
version: 1
metrics:
  - {name: events, kind: simple, title: {en: Events, ru: События}, expr: count(*)}
  - {name: actors, kind: simple, title: {en: Actors, ru: Участники}, expr: count(distinct actor)}
  - {name: adopters, kind: simple, title: {en: Adopters, ru: Начавшие}, expr: count(distinct actor) filter (where event = 'feature_used')}
  - {name: buyers, kind: simple, title: {en: Buyers, ru: Покупатели}, expr: count(distinct actor) filter (where event = 'purchase')}
  - {name: searchers, kind: simple, title: {en: Searchers, ru: Искавшие}, expr: count(distinct actor) filter (where event = 'search')}
  - {name: ai_users, kind: simple, title: {en: AI users, ru: Пользователи ИИ}, expr: "count(distinct actor) filter (where event in ('ai_suggested', 'ai_accepted'))"}
  - {name: editors, kind: simple, title: {en: Editors, ru: Редакторы}, expr: "count(distinct actor) filter (where event like 'doc_%')"}
  - {name: adoption, kind: ratio, title: {en: Adoption, ru: Внедрение}, numerator: count(distinct actor) filter (where event = 'feature_used'), denominator: count(distinct actor)}
  - {name: ai_coverage, kind: ratio, title: {en: AI coverage, ru: Доля ИИ}, numerator: count(*) filter (where event = 'ai_accepted'), denominator: count(*) filter (where event = 'ai_suggested')}
  - {name: purchases, kind: simple, title: {en: Purchases, ru: Покупки}, expr: count(*) filter (where event = 'purchase')}
  - {name: revenue, kind: simple, title: {en: Revenue, ru: Выручка}, expr: sum(amount) filter (where event = 'purchase')}
  - {name: mean_amount, kind: simple, title: {en: Mean amount, ru: Средняя сумма}, expr: avg(amount)}
  - {name: largest_amount, kind: simple, title: {en: Largest amount, ru: Наибольшая сумма}, expr: max(amount)}
  - {name: errors, kind: simple, title: {en: Errors, ru: Ошибки}, expr: count(*) filter (where event = 'error_shown')}
  - {name: error_rate, kind: ratio, title: {en: Error rate, ru: Доля ошибок}, numerator: count(*) filter (where event = 'error_shown'), denominator: count(*)}
  - {name: events_per_actor, kind: ratio, title: {en: Events per actor, ru: Событий на участника}, numerator: count(*), denominator: count(distinct actor)}
  - {name: logins, kind: simple, title: {en: Logins, ru: Входы}, expr: count(*) filter (where event = 'login')}
  - {name: paid_events, kind: simple, title: {en: Paid events, ru: Платные события}, expr: "count(*) filter (where plan in ('pro', 'enterprise'))"}
  - {name: paid_actors, kind: simple, title: {en: Paying actors, ru: Платящие}, expr: "count(distinct actor) filter (where plan in ('pro', 'enterprise'))"}
  - {name: checkouts, kind: simple, title: {en: Checkouts, ru: Заказы}, expr: count(*) filter (where event = 'checkout')}
"#;

/// Questions to metrics: their metric, grain and dimensions.
const OF_METRICS: [(&str, &str, Grain, &[&str]); 4] = [
    ("dau_by_plan", "actors", Grain::Day, &["plan"]),
    (
        "events_by_week_team",
        "events",
        Grain::Week,
        &["team", "event"],
    ),
    ("ai_coverage", "ai_coverage", Grain::Week, &["team"]),
    ("adoption", "adoption", Grain::Week, &[]),
];

/// Questions about behaviour: their analysis, and the columns that the peers give as well.
const OF_BEHAVIOR: [(&str, &str, &[&str]); 4] = [
    (
        "funnel_4",
        r#"{"funnel": {"steps": ["product_view", "add_to_cart", "checkout", "purchase"], "within": "7 days"}}"#,
        &["step", "count"],
    ),
    (
        "retention_weekly",
        r#"{"retention": {"start": {}, "returning": {}, "period": "week"}}"#,
        &["cohort", "offset", "retained"],
    ),
    (
        "sessions_30m",
        r#"{"sessions": {"gap": "30m", "percentiles": []}}"#,
        &["sessions"],
    ),
    (
        "sequence",
        r#"{"sequence": {"pattern": "(?1)(?t<=86400)(?2)", "events": ["product_view", "purchase"]}}"#,
        &["matched"],
    ),
];

/// Ten analyses that are asked at once, as `ten`, and each by itself, as `ten_NUMBER`.
const TEN: [&str; 10] = [
    r#"{"funnel": {"steps": ["product_view", "add_to_cart", "checkout", "purchase"], "within": "7 days"}}"#,
    r#"{"funnel": {"steps": ["product_view", "add_to_cart", "checkout", "purchase"], "within": "1 day", "by": ["plan"]}}"#,
    r#"{"funnel": {"steps": ["signup", "login", "feature_used"], "within": "30 days"}}"#,
    r#"{"funnel": {"steps": ["ai_suggested", "ai_accepted"], "within": "1 hour", "by": ["team"]}}"#,
    r#"{"funnel": {"steps": ["search", "product_view", "purchase"], "within": "7 days", "exclude": ["error_shown"]}}"#,
    r#"{"funnel": {"steps": ["doc_opened", "doc_edited", "comment_added"], "within": "1 day", "order": "any"}}"#,
    r#"{"retention": {"start": {}, "returning": {}, "period": "week"}}"#,
    r#"{"retention": {"start": "signup", "returning": "login", "period": "week"}}"#,
    r#"{"retention": {"start": "purchase", "returning": "purchase", "period": "month", "by": ["plan"]}}"#,
    r#"{"retention": {"start": "login", "returning": {}, "period": "day", "horizon": 30, "output": "curve"}}"#,
];

/// What is asked.
pub(crate) enum Question {
    Metrics {
        registry: Registry,
        query: Box<MetricQuery>,
        columns: Vec<&'static str>,
    },
    Behavior {
        analyses: Vec<Analysis>,
        columns: &'static [&'static str],
    },
}

impl Question {
    /// Returns the question of this name. Those without rows to compare have no columns.
    pub(crate) fn named(name: &str) -> Result<Question, Failure> {
        let behavior = |texts: &[&str], columns| -> Result<Question, Failure> {
            let analyses = texts.iter().map(|text| serde_json::from_str(text));
            Ok(Question::Behavior {
                analyses: analyses.collect::<Result<_, _>>()?,
                columns,
            })
        };
        if let Some((_, text, columns)) = OF_BEHAVIOR.iter().find(|q| q.0 == name) {
            return behavior(&[text], columns);
        }
        if name == "ten" {
            return behavior(&TEN, &[]);
        }
        if let Some(number) = name.strip_prefix("ten_") {
            let text = TEN
                .get(number.parse::<usize>()?)
                .ok_or("no such analysis")?;
            return behavior(&[text], &[]);
        }
        let registry = Registry::parse(METRICS)?;
        if let Some((_, metric, grain, by)) = OF_METRICS.iter().find(|q| q.0 == name) {
            let query = MetricQuery::of([*metric])
                .grain(*grain)
                .by(by.iter().copied());
            let columns = [&["period"], *by, &[*metric]].concat();
            return Ok(Question::Metrics {
                registry,
                query: Box::new(query),
                columns,
            });
        }
        // `twenty` asks for all metrics, `only_NAME` for one, by day and plan.
        let metrics: Vec<&str> = match name.strip_prefix("only_") {
            Some(metric) => vec![metric],
            None if name == "twenty" => {
                registry.metrics().iter().map(|m| m.name.as_str()).collect()
            }
            None => return Err(format!("no question {name}").into()),
        };
        let query = MetricQuery::of(metrics).grain(Grain::Day).by(["plan"]);
        Ok(Question::Metrics {
            registry,
            query: Box::new(query),
            columns: Vec::new(),
        })
    }

    /// Asks it; of several analyses the first answer is returned.
    pub(crate) async fn ask(&self, events: &Events) -> aura_core::Result<Table> {
        match self {
            Question::Metrics {
                registry, query, ..
            } => events.metrics(registry, query).await,
            Question::Behavior { analyses, .. } => {
                Ok(events.run_all(analyses).await?.swap_remove(0))
            }
        }
    }

    /// The columns of the answer that are compared.
    pub(crate) fn columns(&self) -> &[&str] {
        match self {
            Question::Metrics { columns, .. } => columns,
            Question::Behavior { columns, .. } => columns,
        }
    }
}
