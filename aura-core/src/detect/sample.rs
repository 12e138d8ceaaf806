//! One series, as detectors take it.

/// What the values of a series are, which says how they vary by chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Counts of events or actors, from 0: they vary in proportion to the root of their size, and seasons multiply.
    Count,
    /// Shares from 0 to 1 with their denominators.
    Share,
    /// Means with the number of what they are means of.
    Mean,
    /// Anything else: sums of money, lengths of time, indices.
    Level,
}

/// A series of values over periods without gaps between the periods.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// One value for each period; `None` where there is none.
    pub(crate) values: Vec<Option<f64>>,
    /// The denominators of shares and means; empty for other measures.
    pub(crate) weights: Vec<f64>,
    pub(crate) measure: Measure,
    /// How many periods make a season: 7 of days, 12 of months, 1 where there is none.
    pub(crate) cycle: usize,
}

impl Sample {
    /// Returns the number of periods.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// Returns a value if there is one.
    pub(crate) fn value(&self, at: usize) -> Option<f64> {
        self.values.get(at).copied().flatten()
    }

    /// Returns how much a value weighs: its denominator, or 1.
    pub(crate) fn weight(&self, at: usize) -> f64 {
        match self.measure {
            Measure::Share | Measure::Mean => self.weights.get(at).copied().unwrap_or(0.0).max(0.0),
            Measure::Count | Measure::Level => 1.0,
        }
    }
}
