//! Missing data: nothing where there should be something.

use super::fact::{Detector, Fact, FactKind, means};
use super::level::tail;
use super::profile::Profile;
use super::sample::Measure;

/// Finds runs of empty periods in counts that chance does not bring.
///
/// The p-value of a run is the number of periods times the greater one of two chances: that of so few events by Poisson's law with
/// overdispersion, and, where there are other empty periods, *p₀ᵏ* with *p₀* = (empty + ½) / (all + 1) of the periods outside of the
/// run of *k*. Counts that are often 0 have long runs, and they are not news. Periods in which the season leaves
/// nearly nothing (empty weekends) neither begin nor lengthen a run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct GapDetector;

impl Detector for GapDetector {
    fn detect(&self, profile: &Profile) -> Vec<Fact> {
        if profile.sample.measure != Measure::Count {
            return Vec::new();
        }
        let end = profile.sample.len();
        // Empty, something, or not to be asked.
        let state = |at: usize| -> Option<bool> {
            let weight = profile.weights.get(at.checked_sub(profile.begin)?)?;
            (*weight > 0.0).then(|| profile.sample.value(at).unwrap_or(0.0) <= 0.0)
        };
        let asked = (profile.begin..end)
            .filter(|at| state(*at).is_some())
            .count();
        let empty = (profile.begin..end)
            .filter(|at| state(*at) == Some(true))
            .count();
        let curve: Vec<f64> = (0..end)
            .map(|at| profile.value_of(profile.level_at(at, |_| false), at))
            .collect();
        let mut facts = Vec::new();
        let mut at = profile.begin;
        while at < end {
            if state(at) != Some(true) {
                at += 1;
                continue;
            }
            let from = at;
            let (mut to, mut length) = (at, 0);
            while at < end && state(at) != Some(false) {
                if state(at) == Some(true) {
                    length += 1;
                    to = at + 1;
                }
                at += 1;
            }
            let outside = (asked - length) as f64;
            let usual = ((empty - length) as f64 + 0.5) / (outside + 1.0);
            let by_habit = match empty > length {
                true => usual.powi(length as i32),
                false => 0.0,
            };
            let by_chance = tail(profile, &curve, from, to).max(by_habit);
            let p_value = (asked as f64 * by_chance).min(1.0);
            // At the level that the values around it have.
            if let Some((observed, expected)) = means(profile, &curve, from, to)
                && p_value < 0.05
                && expected > 0.0
            {
                facts.push(Fact {
                    kind: FactKind::Missing,
                    from,
                    to,
                    over: to < end,
                    blur: 0.0,
                    p_value,
                    observed,
                    expected,
                    curve: curve.clone(),
                });
            }
        }
        facts
    }
}
