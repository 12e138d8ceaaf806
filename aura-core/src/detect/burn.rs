//! How fast the budget of errors of a service level is spent.

use super::special::poisson_upper;

/// A pair of windows with the rate that both have to exceed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pace {
    /// Periods of the long window, from 1.
    pub(crate) long: usize,
    /// Periods of the short window, from 1 and at most `long`: it says that the burning has not stopped.
    pub(crate) short: usize,
    /// How many times as fast as allowed; above 0.
    pub(crate) factor: f64,
}

/// A budget that is spent too fast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Burn {
    /// The place of the pair among those that were given.
    pub(crate) pace: usize,
    /// The first period of the long window of the first period, in a row up to the end, in which the alert held.
    pub(crate) from: usize,
    /// The rates of the two windows at the end: 1 spends exactly the budget.
    pub(crate) long: f64,
    pub(crate) short: f64,
    /// Bad events and all events of the long window.
    pub(crate) bad: f64,
    pub(crate) total: f64,
    /// How often a service that is exactly at its objective has as many bad events in such a window, by Poisson's law.
    pub(crate) p_value: f64,
}

/// Finds the pair with the greatest factor whose two windows, both ending with the last period, exceed its factor.
///
/// The rate of a window is the share of bad events over the share that the objective allows, 1 − `objective`. A window without
/// events has no rate and does not exceed.
///
/// **Source.** Beyer et al. (2018), *The Site Reliability Workbook*, chapter 5, "Multiwindow, multi-burn-rate alerts".
/// **Deviations.** Windows are whole periods, so short ones may be as long as long ones; and what chance explains at a
/// level of `level` at the objective is not told, which the workbook leaves to low-traffic remedies.
pub(crate) fn burn(
    bad: &[f64],
    total: &[f64],
    objective: f64,
    paces: &[Pace],
    level: f64,
) -> Option<Burn> {
    let allowed = 1.0 - objective;
    let end = bad.len().min(total.len());
    if !(allowed > 0.0 && allowed < 1.0) {
        return None;
    }
    let sums = |to: usize, length: usize| -> Option<(f64, f64)> {
        let from = to.checked_sub(length)?;
        let sum = |all: &[f64]| all.get(from..to).map(|some| some.iter().sum::<f64>());
        Some((sum(bad)?, sum(total)?))
    };
    let rate = |to: usize, length: usize| -> Option<f64> {
        let (bad, total) = sums(to, length)?;
        (total > 0.0).then(|| bad / total / allowed)
    };
    let mut best: Option<Burn> = None;
    for (number, pace) in paces.iter().enumerate() {
        let holds = |to: usize| {
            let over = |length| rate(to, length).is_some_and(|r| r > pace.factor);
            over(pace.long) && over(pace.short)
        };
        let greater = best
            .and_then(|b| paces.get(b.pace))
            .is_none_or(|b| pace.factor > b.factor);
        if !greater || !holds(end) {
            continue;
        }
        let (Some((bad, total)), Some(long), Some(short)) = (
            sums(end, pace.long),
            rate(end, pace.long),
            rate(end, pace.short),
        ) else {
            continue;
        };
        let p_value = poisson_upper(bad.round(), total * allowed);
        if p_value > level {
            continue;
        }
        let first = (1..=end).rev().take_while(|to| holds(*to)).last();
        best = Some(Burn {
            pace: number,
            from: first.unwrap_or(end).saturating_sub(pace.long),
            long,
            short,
            bad,
            total,
            p_value,
        });
    }
    best
}
