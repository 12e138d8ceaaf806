//! The one form of lasting change: from one level to another, at once or over a while.

/// A change of level that begins with the period `from` and is over with `to - 1`; a step has one period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ramp {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// The level after less the level before, on the scale.
    pub(crate) delta: f64,
    /// By how much the fit lessens the weighted sum of squares.
    pub(crate) gain: f64,
}

impl Ramp {
    /// Returns how much of the change a period has, from 0 to 1.
    pub(crate) fn part(&self, at: usize) -> f64 {
        match at {
            at if at < self.from => 0.0,
            at if at + 1 >= self.to => 1.0,
            at => (at + 1 - self.from) as f64 / (self.to - self.from) as f64,
        }
    }

    pub(crate) fn is_step(&self) -> bool {
        self.to <= self.from + 1
    }
}

/// Sums over the first periods, from which the fit of any ramp follows.
pub(crate) struct RampFit {
    w: Vec<f64>,
    wt: Vec<f64>,
    wtt: Vec<f64>,
    wy: Vec<f64>,
    wty: Vec<f64>,
}

impl RampFit {
    pub(crate) fn new(values: &[f64], weights: &[f64]) -> RampFit {
        let total: f64 = weights.iter().sum();
        let sum: f64 = values.iter().zip(weights).map(|(v, w)| v * w).sum();
        let middle = if total > 0.0 { sum / total } else { 0.0 };
        let mut fit = RampFit {
            w: vec![0.0],
            wt: vec![0.0],
            wtt: vec![0.0],
            wy: vec![0.0],
            wty: vec![0.0],
        };
        let (mut w, mut wt, mut wtt, mut wy, mut wty) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (at, (value, weight)) in values.iter().zip(weights).enumerate() {
            let (t, y) = (at as f64, value - middle);
            w += weight;
            wt += weight * t;
            wtt += weight * t * t;
            wy += weight * y;
            wty += weight * t * y;
            fit.w.push(w);
            fit.wt.push(wt);
            fit.wtt.push(wtt);
            fit.wy.push(wy);
            fit.wty.push(wty);
        }
        fit
    }

    /// Fits the ramp of given periods by least squares.
    pub(crate) fn fit(&self, from: usize, to: usize) -> Ramp {
        let n = self.w.len() - 1;
        let at = |sums: &[f64], i: usize| sums.get(i).copied().unwrap_or(0.0);
        let inside = |sums: &[f64]| at(sums, to) - at(sums, from);
        let after = |sums: &[f64]| at(sums, n) - at(sums, to);
        let (length, start) = ((to - from) as f64, from as f64 - 1.0);
        let (w, wt, wtt) = (inside(&self.w), inside(&self.wt), inside(&self.wtt));
        let r = (wt - start * w) / length + after(&self.w);
        let rr = (wtt - 2.0 * start * wt + start * start * w) / (length * length) + after(&self.w);
        let ry = (inside(&self.wty) - start * inside(&self.wy)) / length + after(&self.wy);
        let (all, all_y) = (at(&self.w, n), at(&self.wy, n));
        let (mut delta, mut gain) = (0.0, 0.0);
        if all > 0.0 {
            let spread = rr - r * r / all;
            let cross = ry - r * all_y / all;
            if spread > 1e-9 * all {
                delta = cross / spread;
                gain = cross * cross / spread;
            }
        }
        Ramp {
            from,
            to,
            delta,
            gain,
        }
    }

    /// Finds the best step with at least `side` periods of weight on each side.
    pub(crate) fn best_step(&self, side: usize) -> Option<Ramp> {
        let n = self.w.len() - 1;
        let ramps =
            (side.max(1)..(n + 1).saturating_sub(side)).map(|from| self.fit(from, from + 1));
        best(ramps, |r| r.gain)
    }

    /// Finds the best ramp of at least `length` periods: on a grid first, then around the best of it. A date inside of the
    /// series costs `per_date` of the gain; beginning or ending with the series costs nothing.
    pub(crate) fn best_ramp(&self, length: usize, per_date: f64) -> Option<Ramp> {
        let n = self.w.len() - 1;
        let worth = |r: &Ramp| {
            let dates = usize::from(r.from > 0) + usize::from(r.to < n);
            r.gain - per_date * dates as f64
        };
        let length = length.max(2);
        if n < length {
            return None;
        }
        let step = (n / 48).max(1);
        let coarse = (0..=n - length).step_by(step).flat_map(|from| {
            let ends = (from + length..n).step_by(step);
            ends.chain(std::iter::once(n)).map(move |to| (from, to))
        });
        let mut found = best(coarse.map(|(from, to)| self.fit(from, to)), worth)?;
        let (from, to) = (found.from, found.to);
        for a in from.saturating_sub(step)..=(from + step).min(n) {
            for b in to.saturating_sub(step)..=(to + step).min(n) {
                if b >= a + length {
                    let ramp = self.fit(a, b);
                    if worth(&ramp) > worth(&found) {
                        found = ramp;
                    }
                }
            }
        }
        Some(found)
    }
}

fn best(ramps: impl Iterator<Item = Ramp>, worth: impl Fn(&Ramp) -> f64) -> Option<Ramp> {
    ramps.fold(None, |best: Option<Ramp>, ramp| match best {
        Some(best) if worth(&best) >= worth(&ramp) => Some(best),
        _ => Some(ramp),
    })
}
