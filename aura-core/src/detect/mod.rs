//! Detection: what in a series is not chance.
//!
//! A [`Sample`] is made ready once, as a [`Profile`]: its season is taken away, its values are put on a scale on which chance has
//! the same size everywhere, and it is taken apart into lasting changes, passing ones and chance. Each
//! [`Detector`] then says which of these are facts of its kind, with p-values that hold for the whole series. What
//! holds for many series together says [`q_values`].

mod bound;
mod burn;
mod contrast;
mod fact;
mod forecast;
mod gap;
mod level;
mod mann_kendall;
mod mix;
mod multiple;
mod noise;
mod order;
mod pelt;
mod profile;
mod ramp;
mod sample;
mod scale;
mod season;
mod slope;
mod special;
mod structure;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_states;

pub(crate) use bound::{beyond, mean, milestone};
pub(crate) use burn::{Burn, Pace, burn};
pub(crate) use contrast::{Contrast, LEAST_PAIRS, contrast};
pub(crate) use fact::{Detector, Fact, FactKind};
pub(crate) use forecast::{LEAST_LINE, Line};
pub(crate) use gap::GapDetector;
pub(crate) use level::{AnomalyDetector, ShiftDetector};
pub(crate) use mix::{Mix, mix};
pub(crate) use multiple::q_values;
pub(crate) use profile::{LEAST_PERIODS, Profile};
pub(crate) use sample::{Measure, Sample};
pub(crate) use slope::TrendDetector;
pub(crate) use special::chi2_upper;
