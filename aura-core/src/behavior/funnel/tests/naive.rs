//! Chains straight from their definition: all there are, and the best of them.

use std::ops::Range;

/// An event: when, and which steps and exclusions it meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) time: i64,
    pub(crate) steps: Vec<bool>,
    pub(crate) excluded: Vec<bool>,
}

#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) steps: usize,
    pub(crate) window: Option<i64>,
    pub(crate) step_windows: Vec<Option<i64>>,
    pub(crate) optional: Vec<bool>,
    /// After which step and before which, from 0.
    pub(crate) exclusions: Vec<(usize, usize)>,
    pub(crate) strict: bool,
}

/// The positions of a chain's events by step.
pub(crate) type Chain = Vec<Option<usize>>;

/// The order of events of one actor.
pub(crate) fn in_order(events: &mut [Event]) {
    let number = |e: &Event| {
        let bits = e.steps.iter().enumerate().filter(|(_, met)| **met);
        let steps: u64 = bits.map(|(i, _)| 1_u64 << i).sum();
        let bits = e.excluded.iter().enumerate().filter(|(_, met)| **met);
        let excluded: u64 = bits.map(|(i, _)| 1_u64 << (50 + i)).sum();
        steps + excluded
    };
    let first = |e: &Event| e.steps.iter().position(|met| *met).unwrap_or(99);
    // Events that meet an exclusion only come before those that meet nothing.
    let nothing = |e: &Event| !e.steps.contains(&true) && !e.excluded.contains(&true);
    let excluded = |e: &Event| e.excluded.iter().position(|met| *met).unwrap_or(99);
    events.sort_by_key(|e| {
        let exclusion = if first(e) == 99 { excluded(e) } else { 0 };
        (e.time, first(e), nothing(e), exclusion, number(e))
    });
}

fn valid(events: &[Event], rules: &Rules, chain: &Chain) -> bool {
    let positions: Vec<(usize, usize)> = chain
        .iter()
        .enumerate()
        .filter_map(|(step, at)| Some((step, (*at)?)))
        .collect();
    let (_, first) = positions[0];
    let (_, last) = positions[positions.len() - 1];
    let time = |at: usize| events[at].time;
    if rules.window.is_some_and(|w| time(last) - time(first) > w) {
        return false;
    }
    for pair in positions.windows(2) {
        let ((_, a), (step, b)) = (pair[0], pair[1]);
        if rules.step_windows[step].is_some_and(|w| time(b) - time(a) > w) {
            return false;
        }
        if rules.strict && b != a + 1 {
            return false;
        }
    }
    for (x, (after, before)) in rules.exclusions.iter().enumerate() {
        // From the first event at or behind the one step to the first at or behind the other.
        let at_or_behind = |wanted: usize| positions.iter().find(|(step, _)| *step >= wanted);
        let Some((_, start)) = at_or_behind(*after) else {
            continue;
        };
        for (at, event) in events.iter().enumerate() {
            let inside = match at_or_behind(*before) {
                Some((_, end)) => at < *end,
                None => at <= last,
            };
            if event.excluded[x] && at > *start && inside {
                return false;
            }
        }
    }
    true
}

/// All chains that begin at one of `begins`.
pub(crate) fn chains(events: &[Event], rules: &Rules, begins: &[usize]) -> Vec<Chain> {
    let mut found = Vec::new();
    let mut open: Vec<Chain> = begins
        .iter()
        .filter(|at| events[**at].steps[0])
        .map(|at| vec![Some(*at)])
        .collect();
    while let Some(chain) = open.pop() {
        if !valid(events, rules, &chain) {
            // What an excluded event or a window has ended does not go on.
            continue;
        }
        let last = chain.iter().flatten().copied().last().unwrap();
        let mut step = chain.len();
        loop {
            if step >= rules.steps {
                break;
            }
            for (at, event) in events.iter().enumerate().skip(last + 1) {
                if event.steps[step] {
                    let mut longer = chain.clone();
                    longer.resize(step, None);
                    longer.push(Some(at));
                    open.push(longer);
                }
            }
            if !rules.optional[step] {
                break;
            }
            step += 1;
        }
        found.push(chain);
    }
    found
}

/// The chain that counts: it gets furthest, gets there first, began last, and each event from the last backwards is the
/// latest possible.
pub(crate) fn best<'a>(events: &[Event], chains: &'a [Chain]) -> Option<&'a Chain> {
    chains.iter().max_by_key(|chain| {
        let backwards: Vec<usize> = chain.iter().rev().flatten().copied().collect();
        let begun = events[backwards[backwards.len() - 1]].time;
        // Of the same events, those that stand for later steps.
        let steps = chain.iter().rev().map(Option::is_some);
        (
            chain.len(),
            std::cmp::Reverse(backwards[0]),
            begun,
            backwards,
            steps.collect::<Vec<bool>>(),
        )
    })
}

/// Which events may begin a chain.
pub(crate) fn begins(events: &[Event], range: &Range<i64>) -> Vec<usize> {
    let inside = |at: &usize| range.contains(&events[*at].time);
    (0..events.len()).filter(inside).collect()
}

/// In any order: how many steps, and the positions of the last and of the first event.
pub(crate) fn best_any(
    events: &[Event],
    rules: &Rules,
    range: &Range<i64>,
) -> Option<(usize, usize, usize)> {
    let mut found: Option<(usize, usize, usize)> = None;
    for begin in begins(events, range) {
        for last in begin..events.len() {
            let between = &events[begin..=last];
            let long = events[last].time - events[begin].time;
            if rules.window.is_some_and(|w| long > w) {
                continue;
            }
            let met = |step: &usize| between.iter().any(|e| e.steps[*step]);
            let steps = (0..rules.steps).filter(met).count();
            let excluded = |at: usize| events[at].excluded.contains(&true);
            if (begin + 1..last).any(excluded)
                || (last > begin && excluded(last) && steps < rules.steps)
            {
                continue;
            }
            // Both ends are events of the chain.
            if !events[begin].steps.contains(&true) || !events[last].steps.contains(&true) {
                continue;
            }
            let better = match found {
                None => true,
                Some((n, l, b)) => {
                    (steps, std::cmp::Reverse(last), begin) > (n, std::cmp::Reverse(l), b)
                }
            };
            if better {
                found = Some((steps, last, begin));
            }
        }
    }
    found
}

/// The attempts one after the other: the chain of each, and its number of steps.
pub(crate) fn attempts(events: &[Event], rules: &Rules, range: &Range<i64>) -> Vec<Chain> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(begin) =
        (from..events.len()).find(|at| events[*at].steps[0] && range.contains(&events[*at].time))
    {
        let all = chains(events, rules, &[begin]);
        let chain = best(events, &all).unwrap().clone();
        let over = (begin..events.len())
            .find(|at| {
                rules
                    .window
                    .is_some_and(|w| events[*at].time - events[begin].time > w)
            })
            .unwrap_or(events.len());
        let complete = chain.len() == rules.steps;
        from = match complete {
            true => chain.last().unwrap().unwrap() + 1,
            false => (begin + 1..over)
                .find(|p| !all.iter().any(|c| lives(events, rules, c, *p)))
                .unwrap_or(over),
        };
        found.push(chain);
    }
    found
}

/// Whether a chain can still go on after the event at `p`.
fn lives(events: &[Event], rules: &Rules, chain: &Chain, p: usize) -> bool {
    let last = chain.iter().flatten().copied().last().unwrap();
    if last > p || (rules.strict && last != p) {
        return false;
    }
    for (x, (after, before)) in rules.exclusions.iter().enumerate() {
        let behind = chain.iter().skip(*after).flatten().next();
        let Some(start) = behind else {
            continue;
        };
        let hit = (start + 1..=p).any(|q| events[q].excluded[x]);
        if hit && chain.len() <= *before {
            return false;
        }
    }
    true
}
