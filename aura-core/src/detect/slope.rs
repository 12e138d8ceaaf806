//! Trends: changes that take a while.

use super::fact::{Detector, Fact, FactKind};
use super::mann_kendall::mann_kendall;
use super::profile::Profile;
use super::structure::{present, ramp_p_value};

/// Finds slow changes. Both have to hold: that least squares prefers a slow change to none and to a step, and that the
/// values in its window go one way by the test of Mann and Kendall with the correction of Hamed and Rao. The p-value is
/// the greater one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TrendDetector;

impl Detector for TrendDetector {
    fn detect(&self, profile: &Profile) -> Vec<Fact> {
        let structure = &profile.structure;
        let masked = structure.masked(&profile.weights);
        let end = profile.sample.len();
        let mut facts = Vec::new();
        for (number, ramp) in structure.ramps.iter().enumerate() {
            if ramp.is_step() {
                continue;
            }
            // One way, once the other lasting changes are taken away.
            let inside: Vec<f64> = (ramp.from..ramp.to)
                .filter(|at| masked.get(*at).is_some_and(|w| *w > 0.0))
                .filter_map(|at| {
                    let others = structure
                        .ramps
                        .iter()
                        .enumerate()
                        .filter(|(i, _)| *i != number);
                    let moved: f64 = others.map(|(_, r)| r.delta * r.part(at)).sum();
                    profile.levels.get(at).map(|v| v - moved)
                })
                .collect();
            let Some(test) = mann_kendall(&inside, inside.len() / 4) else {
                continue;
            };
            if test.slope * ramp.delta <= 0.0 {
                continue;
            }
            let curve: Vec<f64> = (0..end)
                .map(|at| profile.value_of(profile.level_at(at, |other| other >= number), at))
                .collect();
            let (from, to) = (profile.begin + ramp.from, profile.begin + ramp.to);
            let before = profile.level_at(from, |other| other >= number);
            // Without the season: the value of a usual period.
            let value = |level: f64| profile.scale.from(level);
            facts.push(Fact {
                kind: FactKind::Trend,
                from,
                to,
                over: to < end,
                blur: (ramp.to - ramp.from) as f64 / 4.0,
                p_value: ramp_p_value(ramp, structure.noise, present(&masked)).max(test.p_value),
                observed: value(before + ramp.delta),
                expected: value(before),
                curve,
            });
        }
        facts
    }
}
