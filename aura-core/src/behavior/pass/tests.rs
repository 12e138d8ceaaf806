//! The laws of states: `combine` associates, commutes, and has an identity.

use proptest::prelude::*;
use proptest::sample::Index;

use super::{Pass, PassState, plans};
use crate::behavior::testing::{Row, events, rows};
use crate::behavior::{
    Analysis, Attribution, Cohort, Exclusion, Funnel, FunnelCount, Lifecycle, Retention,
    RetentionMode, RetentionOutput, Sequence, Sessions, SessionsOutput, Span, Step, Stickiness,
    StickinessOutput,
};
use crate::calendar::Grain;
use crate::engine::Table;
use crate::engine::ordered::{ActorBlock, Kernel};
use crate::{Error, Result};

/// Leaves the state of each block on its own.
struct Apart<'a>(&'a Pass);

impl Kernel for Apart<'_> {
    type State = Vec<PassState>;

    fn new_state(&self) -> Self::State {
        Vec::new()
    }

    fn block(&self, states: &mut Self::State, block: &ActorBlock) -> Result<()> {
        let mut state = self.0.new_state();
        self.0.block(&mut state, block)?;
        states.push(state);
        Ok(())
    }

    fn combine(&self, mut into: Self::State, from: Self::State) -> Result<Self::State> {
        into.extend(from);
        Ok(into)
    }
}

fn analyses() -> Vec<Analysis> {
    let span = |text: &str| text.parse::<Span>().unwrap();
    let funnel = Funnel::steps(["view", "buy", "sign"]).within(span("20 days"));
    let retention = Retention::new("sign", "view").period(Grain::Week);
    vec![
        funnel
            .clone()
            .by(["plan", "n"])
            .histogram([60, 86_400])
            .into(),
        funnel
            .clone()
            .grain(Grain::Week)
            .by("plan")
            .attribution(Attribution::Last)
            .into(),
        funnel
            .clone()
            .count(FunnelCount::Totals)
            .exclude(Exclusion::new("quit").between(1, 2))
            .compare(("few", "n = 1"), ("many", "n = 2"))
            .into(),
        Funnel::steps([
            Step::new("view"),
            Step::new("buy").optional(),
            Step::new("sign").within(span("9 days")),
        ])
        .count(FunnelCount::Sessions {
            gap: span("100 hours"),
        })
        .by("plan")
        .attribution(Attribution::AllSteps)
        .into(),
        funnel
            .order(crate::behavior::StepOrder::Any)
            .times(false)
            .into(),
        Sequence::new("(?1).*(?2)", ["view", "buy"]).by("n").into(),
        Sequence::new("(?1).*(?2)", ["view", "buy"]).into(),
        Funnel::steps(["sign", "view", "buy"])
            .within(span("3 days"))
            .into(),
        Funnel::steps(["view", "view", "buy"])
            .within(span("3 days"))
            .by("plan")
            .attribution(Attribution::Last)
            .from("2026-03-10")
            .to("2026-03-30")
            .into(),
        retention.clone().by("plan").value("amount").into(),
        retention
            .clone()
            .cohort(Cohort::Recurring)
            .mode(RetentionMode::OnOrAfter)
            .into(),
        retention
            .clone()
            .output(RetentionOutput::Curve)
            .by("n")
            .into(),
        retention.clone().output(RetentionOutput::Streaks).into(),
        retention.output(RetentionOutput::Survival).into(),
        Sessions::new()
            .gap(span("50 hours"))
            .period(Grain::Week)
            .by("plan")
            .into(),
        Sessions::new().output(SessionsOutput::Table).into(),
        Stickiness::new().by("plan").into(),
        Stickiness::new().output(StickinessOutput::Ratio).into(),
        Lifecycle::new().period(Grain::Week).by("n").into(),
    ]
}

/// The tables of all analyses, their states combined as `picks` say: each takes two of those that are left.
fn tables(rows: &[Row], batches: usize, threads: usize, picks: &[(Index, Index)]) -> Vec<String> {
    let events = events(rows, batches, threads);
    let times = rows.iter().map(|r| r.time);
    let extent = times.clone().min().zip(times.max());
    let mut found = Vec::new();
    for mut plan in plans(&events, &analyses(), extent).unwrap() {
        // An actor in each block.
        plan.source.sizes.block = 1;
        let scanned = plan
            .source
            .actors(&plan.request, &Apart(&plan.pass))
            .unwrap();
        let mut states = scanned.state;
        states.insert(states.len() / 2, plan.pass.new_state());
        states.push(plan.pass.new_state());
        let mut picks = picks.iter().cycle();
        while states.len() > 1 {
            let (a, b) = picks.next().unwrap();
            let one = states.swap_remove(a.index(states.len()));
            let other = states.swap_remove(b.index(states.len()));
            states.push(plan.pass.combine(one, other).unwrap());
        }
        let states = states.pop().unwrap().states().unwrap();
        for ((_, analysis), state) in plan.pass.analyses.iter().zip(states) {
            let table = analysis.finish(state).unwrap();
            found.push(format!("{table}\n{}", table.notes().join("\n")));
        }
    }
    found
}

/// The tables of all analyses, where the rows of an actor come in parts.
fn in_parts(rows: &[Row], block: usize, threads: usize) -> Vec<String> {
    let events = events(rows, 2, threads);
    let times = rows.iter().map(|r| r.time);
    let extent = times.clone().min().zip(times.max());
    let mut found = Vec::new();
    for mut plan in plans(&events, &analyses(), extent).unwrap() {
        assert!(Kernel::takes_parts(&plan.pass));
        plan.source.sizes.block = block;
        let scanned = plan.source.actors(&plan.request, &plan.pass).unwrap();
        let states = scanned.state.states().unwrap();
        for ((_, analysis), state) in plan.pass.analyses.iter().zip(states) {
            let table = analysis.finish(state).unwrap();
            found.push(format!("{table}\n{}", table.notes().join("\n")));
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn actors_come_in_parts(rows in rows(120), block in 1..20_usize, threads in 1..3_usize) {
        prop_assume!(!rows.is_empty());
        let found = |block| {
            let rows = &rows;
            std::thread::scope(|s| s.spawn(move || in_parts(rows, block, threads)).join().unwrap())
        };
        let (parts, whole) = (found(block), found(1_000));
        for ((parts, whole), analysis) in parts.iter().zip(&whole).zip(analyses()) {
            prop_assert_eq!(parts, whole, "{:?}", analysis);
        }
        prop_assert_eq!(parts.len(), whole.len());
    }

    #[test]
    fn states_are_combined_in_any_way(
        rows in rows(120),
        batches in 1..4_usize,
        threads in 1..3_usize,
        picks in prop::collection::vec(any::<(Index, Index)>(), 1..12),
    ) {
        prop_assume!(!rows.is_empty());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let plain = events(&rows, 1, 1);
        let expected: Result<Vec<Table>, Error> = runtime.block_on(plain.run_all(&analyses()));
        let expected = expected.unwrap().into_iter();
        let expected: Vec<String> = expected.map(|t| format!("{t}\n{}", t.notes().join("\n"))).collect();
        // Runs are made of threads of their own.
        let found = std::thread::scope(|s| s.spawn(|| tables(&rows, batches, threads, &picks)).join().unwrap());
        for ((found, expected), analysis) in found.iter().zip(&expected).zip(analyses()) {
            prop_assert_eq!(found, expected, "{:?}", analysis);
        }
        prop_assert_eq!(found.len(), expected.len());
    }
}
