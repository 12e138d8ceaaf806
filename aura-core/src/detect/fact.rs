//! What detectors say, and the trait behind which they sit.

use super::profile::Profile;

/// What kind of fact it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum FactKind {
    /// The level moved at once, and stayed or came back later.
    Shift,
    /// The level moves, or moved, over a while.
    Trend,
    /// A few periods are far off.
    Anomaly,
    /// There is nothing where there should be something.
    Missing,
}

/// One thing that is not chance.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fact {
    pub(crate) kind: FactKind,
    /// The first period.
    pub(crate) from: usize,
    /// The first period after it.
    pub(crate) to: usize,
    /// Whether it is over: the level came back before the series ended.
    pub(crate) over: bool,
    /// By how many periods its dates may be wrong.
    pub(crate) blur: f64,
    /// How often chance brings as much anywhere in the series.
    pub(crate) p_value: f64,
    /// The mean value of the window; of a slow change the value at its end.
    pub(crate) observed: f64,
    /// What it would have been without the change.
    pub(crate) expected: f64,
    /// What was expected in each period of the whole series, as values.
    pub(crate) curve: Vec<f64>,
}

impl Fact {
    /// Returns the difference per period.
    pub(crate) fn absolute(&self) -> f64 {
        self.observed - self.expected
    }

    /// Returns the difference as a part of what was expected.
    pub(crate) fn relative(&self) -> Option<f64> {
        (self.expected != 0.0).then(|| self.absolute() / self.expected.abs())
    }
}

/// Finds facts in series that were made ready. It holds settings only, so one serves for many series.
pub(crate) trait Detector: Send + Sync {
    /// Finds what is not chance, in the order of time. The p-values hold for the whole series: how many places were
    /// looked at is part of them.
    fn detect(&self, profile: &Profile) -> Vec<Fact>;
}

/// Returns the means of what was seen and expected over a window, each value with its weight.
pub(super) fn means(
    profile: &Profile,
    curve: &[f64],
    from: usize,
    to: usize,
) -> Option<(f64, f64)> {
    let (mut seen, mut due, mut weights) = (0.0, 0.0, 0.0);
    for at in from..to {
        let (Some(value), Some(expected)) = (profile.sample.value(at), curve.get(at)) else {
            continue;
        };
        let weight = profile.sample.weight(at);
        seen += weight * value;
        due += weight * expected;
        weights += weight;
    }
    (weights > 0.0).then(|| (seen / weights, due / weights))
}
