//! Level shifts: changes that come at once, whether they stay or go back.

use super::fact::{Detector, Fact, FactKind, means};
use super::profile::Profile;
use super::sample::Measure;
use super::special::{poisson_lower, poisson_upper};
use super::structure::{blur, episode_p_value, places, present, ramp_p_value};

/// Finds level shifts: steps, and episodes longer than a season.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ShiftDetector;

/// Finds spikes and dips: episodes of at most a season (three periods where there is none).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct AnomalyDetector;

/// The longest stretch that is called an anomaly and not a level.
fn longest_anomaly(profile: &Profile) -> usize {
    profile.sample.cycle.clamp(3, 7)
}

impl Detector for ShiftDetector {
    fn detect(&self, profile: &Profile) -> Vec<Fact> {
        let structure = &profile.structure;
        let end = profile.sample.len();
        let masked = structure.masked(&profile.weights);
        let mut facts = Vec::new();
        for (number, ramp) in structure.ramps.iter().enumerate() {
            if !ramp.is_step() {
                continue;
            }
            let from = profile.begin + ramp.from;
            // What was expected is the level before, without this and what came later.
            let curve: Vec<f64> = (0..end)
                .map(|at| profile.value_of(profile.level_at(at, |other| other >= number), at))
                .collect();
            let next = structure.ramps.get(number + 1);
            let to = next.map_or(end, |next| profile.begin + next.from);
            // A level of which more than half is taken back was an episode too long to be called one.
            let back = next.filter(|n| {
                n.is_step() && n.delta * ramp.delta < 0.0 && n.delta.abs() >= 0.5 * ramp.delta.abs()
            });
            let (window, over) = match back {
                Some(_) => (from..to, true),
                None => (from..end, false),
            };
            if let Some((observed, expected)) = means(profile, &curve, from, to.max(from + 1)) {
                facts.push(Fact {
                    kind: FactKind::Shift,
                    from,
                    to: window.end,
                    over,
                    blur: blur(ramp.delta, 1.0, structure.noise),
                    p_value: ramp_p_value(ramp, structure.noise, present(&masked)),
                    observed,
                    expected,
                    curve,
                });
            }
        }
        facts.extend(episodes(profile, FactKind::Shift, |length| {
            length > longest_anomaly(profile)
        }));
        facts.sort_by_key(|f| f.from);
        facts
    }
}

impl Detector for AnomalyDetector {
    fn detect(&self, profile: &Profile) -> Vec<Fact> {
        episodes(profile, FactKind::Anomaly, |length| {
            length <= longest_anomaly(profile)
        })
    }
}

fn episodes(profile: &Profile, kind: FactKind, wanted: impl Fn(usize) -> bool) -> Vec<Fact> {
    let structure = &profile.structure;
    let end = profile.sample.len();
    let n = present(&profile.weights);
    let mut facts = Vec::new();
    for episode in &structure.episodes {
        if !wanted(episode.to - episode.from) {
            continue;
        }
        let curve: Vec<f64> = (0..end)
            .map(|at| profile.value_of(profile.level_at(at, |_| false), at))
            .collect();
        let (from, to) = (profile.begin + episode.from, profile.begin + episode.to);
        let weights = profile.weights.get(episode.from..episode.to);
        let weight: f64 = weights.unwrap_or_default().iter().sum();
        if let Some((observed, expected)) = means(profile, &curve, from, to) {
            facts.push(Fact {
                kind,
                from,
                to,
                over: to < end,
                blur: blur(episode.delta, weight / (to - from) as f64, structure.noise),
                p_value: episode_p_value(episode, weight, structure.noise, n)
                    .max(places(n, to - from) * tail(profile, &curve, from, to))
                    .min(1.0),
                observed,
                expected,
                curve,
            });
        }
    }
    facts
}

/// Returns how often chance brings a count as far off, by Poisson's law: of few events the normal one is too sure. Counts that
/// vary more are divided by how much more first; of shares the rarer outcome is counted.
pub(super) fn tail(profile: &Profile, curve: &[f64], from: usize, to: usize) -> f64 {
    let sample = &profile.sample;
    let (mut seen, mut due) = (0.0, 0.0);
    for at in from..to {
        let (Some(value), Some(expected)) = (sample.value(at), curve.get(at)) else {
            continue;
        };
        match sample.measure {
            Measure::Count => {
                seen += value;
                due += expected;
            }
            Measure::Share => {
                let rare = *expected <= 0.5;
                let of = |share: f64| sample.weight(at) * if rare { share } else { 1.0 - share };
                seen += of(value);
                due += of(*expected);
            }
            Measure::Mean | Measure::Level => return 0.0,
        }
    }
    let noise = profile.noise();
    let over = match sample.measure {
        Measure::Count => 4.0 * noise.sd.powi(2),
        _ => 4.0 * noise.sd.powi(2) * profile.mean_weight,
    };
    let over = over.max(1.0);
    let (seen, due) = (seen / over, due / over);
    let one_sided = match seen >= due {
        true => poisson_upper(seen.floor(), due),
        false => poisson_lower(seen.ceil(), due),
    };
    2.0 * one_sided
}
