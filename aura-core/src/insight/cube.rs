//! The series that a scan looks at: metrics by period, of everything and by segment.

use std::collections::BTreeMap;

use crate::calendar::Grain;
use crate::detect::{Measure, Sample};
use crate::metric::{Direction, Format, LocalText};

use super::finding::Part;

/// A period that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PeriodOf {
    pub(crate) label: String,
    pub(crate) start_us: i64,
    pub(crate) end_us: i64,
}

/// What is known of a metric.
#[derive(Debug, Clone)]
pub(crate) struct MetricOf {
    pub(crate) name: String,
    pub(crate) title: LocalText,
    pub(crate) direction: Direction,
    pub(crate) format: Format,
    pub(crate) decimals: Option<u8>,
    pub(crate) unit: Option<String>,
    pub(crate) measure: Measure,
    /// Whether segments add up to the whole (different actors do nearly).
    pub(crate) additive: bool,
    /// Periods at the beginning that say little: those of a window that is not known as a whole.
    pub(crate) warm: usize,
    /// Periods at the end whose values still change.
    pub(crate) open: usize,
}

/// One series.
#[derive(Debug, Clone)]
pub(crate) struct SeriesOf {
    pub(crate) metric: usize,
    pub(crate) segment: Vec<Part>,
    pub(crate) values: Vec<Option<f64>>,
    /// Denominators; empty where the metric has none.
    pub(crate) below: Vec<f64>,
    /// All other values of a dimension together: part of sums, and never news.
    pub(crate) rest: bool,
}

/// All series of a run.
#[derive(Debug, Clone)]
pub(crate) struct Cube {
    pub(crate) grain: Grain,
    pub(crate) periods: Vec<PeriodOf>,
    pub(crate) metrics: Vec<MetricOf>,
    /// Periods that are not looked at: holidays.
    pub(crate) closed: Vec<bool>,
    /// Dimensions whose values come and go, such as versions: the change of a count by them says what was released, and not what
    /// changed.
    pub(crate) turning: Vec<String>,
    /// Segments whose events are left out of all series but their own, since what happened there is told already.
    pub(crate) without: Vec<Part>,
    series: Vec<SeriesOf>,
    places: BTreeMap<(usize, Vec<Part>), usize>,
}

impl Cube {
    pub(crate) fn new(grain: Grain, periods: Vec<PeriodOf>, metrics: Vec<MetricOf>) -> Cube {
        Cube {
            grain,
            closed: vec![false; periods.len()],
            periods,
            metrics,
            turning: Vec::new(),
            without: Vec::new(),
            series: Vec::new(),
            places: BTreeMap::new(),
        }
    }

    /// Returns how many periods make a season.
    pub(crate) fn cycle(&self) -> usize {
        match self.grain {
            Grain::Hour => 24,
            Grain::Day => 7,
            Grain::Month => 12,
            Grain::Quarter => 4,
            Grain::Minute | Grain::Week | Grain::Year => 1,
        }
    }

    /// Adds a series unless there is one of this metric and segment.
    pub(crate) fn push(&mut self, series: SeriesOf) {
        let key = (series.metric, series.segment.clone());
        if !self.places.contains_key(&key) {
            self.places.insert(key, self.series.len());
            self.series.push(series);
        }
    }

    pub(crate) fn series(&self) -> &[SeriesOf] {
        &self.series
    }

    pub(crate) fn find(&self, metric: usize, segment: &[Part]) -> Option<&SeriesOf> {
        let place = self.places.get(&(metric, segment.to_vec()))?;
        self.series.get(*place)
    }

    /// Returns the dimensions by which there are series of one part, in the order of the alphabet.
    pub(crate) fn dimensions(&self) -> Vec<&str> {
        let one = self
            .series
            .iter()
            .filter_map(|s| match s.segment.as_slice() {
                [part] => Some(part.dimension.as_str()),
                _ => None,
            });
        let mut names: Vec<&str> = one.collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Returns the series of a metric by one more dimension than `within` has.
    pub(crate) fn cut<'a>(
        &'a self,
        metric: usize,
        within: &'a [Part],
        dimension: &'a str,
    ) -> impl Iterator<Item = &'a SeriesOf> {
        self.series.iter().filter(move |s| {
            s.metric == metric
                && s.segment.len() == within.len() + 1
                && s.segment.iter().any(|p| p.dimension == dimension)
                && within.iter().all(|p| s.segment.contains(p))
        })
    }

    /// Takes the events of a segment of one part out of all series but those of its own dimension: counts and both sides of
    /// ratios are subtracted. Series whose crossing with the segment is not known stay as they are when nothing of them can lie
    /// in it; metrics that cannot be subtracted go.
    ///
    /// `base` has all events. Of those that were left out before, the segment has the same part in every crossing: exact
    /// crossings of three dimensions are not known.
    pub(crate) fn leave_out(&self, base: &Cube, part: &Part) -> Cube {
        let mut cube = Cube::new(self.grain, self.periods.clone(), self.metrics.clone());
        cube.closed.clone_from(&self.closed);
        cube.turning.clone_from(&self.turning);
        cube.without.clone_from(&self.without);
        cube.without.push(part.clone());
        for series in &self.series {
            let own = series.segment.iter().any(|p| p.dimension == part.dimension);
            let crossed = series.segment.len() > 1;
            if own || crossed {
                cube.push(series.clone());
                continue;
            }
            let mut crossing = series.segment.clone();
            crossing.push(part.clone());
            crossing.sort();
            let metric = self.metrics.get(series.metric);
            let ratio = metric.is_some_and(|m| matches!(m.measure, Measure::Share | Measure::Mean));
            let additive = metric.is_some_and(|m| m.additive);
            if !ratio && !additive {
                continue;
            }
            let one = std::slice::from_ref(part);
            let (before, now) = (base.find(series.metric, one), self.find(series.metric, one));
            match (base.find(series.metric, &crossing), before, now) {
                (Some(inside), Some(before), Some(now)) => {
                    cube.push(subtract(series, inside, before, now, ratio));
                }
                _ => cube.push(series.clone()),
            }
        }
        cube
    }

    /// Returns the additive metric with the greatest values, by which volumes are compared.
    pub(crate) fn volume(&self) -> Option<usize> {
        let size = |metric: usize| -> f64 {
            let all = self.find(metric, &[]);
            all.map_or(0.0, |s| s.values.iter().flatten().sum())
        };
        let metrics = self.metrics.iter().enumerate();
        metrics
            .filter(|(_, m)| m.additive && m.measure == Measure::Count)
            .map(|(i, _)| i)
            .filter(|i| size(*i) > 0.0)
            .max_by(|a, b| size(*a).total_cmp(&size(*b)).then(b.cmp(a)))
    }

    /// Returns the periods of a metric that can be judged.
    pub(crate) fn judged(&self, metric: usize) -> std::ops::Range<usize> {
        let (warm, open) = self
            .metrics
            .get(metric)
            .map_or((0, 0), |m| (m.warm, m.open));
        let end = self.periods.len().saturating_sub(open);
        warm.min(end)..end
    }

    /// Returns a series as detectors take it, with the period in which it begins.
    pub(crate) fn sample(&self, series: &SeriesOf) -> Option<(Sample, usize)> {
        let metric = self.metrics.get(series.metric)?;
        let range = self.judged(series.metric);
        // Seasons are counted from the first period of all.
        let cycle = self.cycle();
        let begin = range.start.next_multiple_of(cycle.max(1)).min(range.end);
        let below = match metric.measure {
            Measure::Share | Measure::Mean => series.below.get(begin..range.end)?.to_vec(),
            Measure::Count | Measure::Level => Vec::new(),
        };
        let values = (begin..range.end)
            .map(|at| match self.closed.get(at) {
                Some(true) => None,
                _ => series.values.get(at).copied().flatten(),
            })
            .collect();
        let sample = Sample {
            values,
            weights: below,
            measure: metric.measure,
            cycle,
        };
        Some((sample, begin))
    }
}

/// Takes from a series what lies inside of a segment, less the part of the segment that is gone already.
fn subtract(
    whole: &SeriesOf,
    inside: &SeriesOf,
    before: &SeriesOf,
    now: &SeriesOf,
    ratio: bool,
) -> SeriesOf {
    // Numerator and denominator; of counts the value and 0.
    let at = |series: &SeriesOf, at: usize| {
        let value = series.values.get(at).copied().flatten().unwrap_or(0.0);
        let below = series.below.get(at).copied().unwrap_or(0.0);
        match ratio {
            true => (value * below, below),
            false => (value, 0.0),
        }
    };
    let left_of = |now: f64, before: f64| match before > 0.0 {
        true => (now / before).clamp(0.0, 1.0),
        false => 0.0,
    };
    let mut left = SeriesOf {
        values: Vec::with_capacity(whole.values.len()),
        below: Vec::new(),
        ..whole.clone()
    };
    for (place, value) in whole.values.iter().enumerate() {
        let (all, part) = (at(whole, place), at(inside, place));
        let (before, now) = (at(before, place), at(now, place));
        let above = (all.0 - part.0 * left_of(now.0, before.0)).max(0.0);
        if ratio {
            let below = (all.1 - part.1 * left_of(now.1, before.1)).max(0.0);
            left.values.push((below > 0.0).then(|| above / below));
            left.below.push(below);
        } else {
            left.values.push(value.map(|_| above));
        }
    }
    left
}
