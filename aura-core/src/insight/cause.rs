//! Why something changed: the segments that explain it.

use crate::detect::{Measure, chi2_upper};

use super::cube::{Cube, SeriesOf};
use super::finding::{Driver, Effect, Part};

/// Which periods are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Where it was as usual.
    pub(crate) usual: std::ops::Range<usize>,
    /// Where it is not.
    pub(crate) changed: std::ops::Range<usize>,
}

impl Frame {
    /// Chooses the periods for a change in `from..to`: up to eight seasons right before it, else after it. Of a slow change,
    /// its beginning is compared with its end.
    pub(crate) fn new(
        range: std::ops::Range<usize>,
        from: usize,
        to: usize,
        cycle: usize,
        slow: bool,
    ) -> Frame {
        let season = cycle.max(4);
        let most = 8 * season;
        let whole = |length: usize| match length >= cycle {
            true => length - length % cycle.max(1),
            false => length,
        };
        if slow {
            let part = whole(((to - from) / 4).clamp(1, most)).max(1);
            let before = whole(from.saturating_sub(range.start).min(most));
            let usual = match before >= part.min(season) {
                true => from - before..from,
                false => from..from + part,
            };
            return Frame {
                usual,
                changed: to.saturating_sub(part).max(from)..to,
            };
        }
        let before = whole(from.saturating_sub(range.start).min(most));
        let after = whole(range.end.saturating_sub(to).min(most));
        let usual = match before >= season.min(7) || before >= after {
            true => from - before..from,
            false => to..to + after,
        };
        Frame {
            usual,
            changed: from..to,
        }
    }
}

/// The sums of a segment: what is and what would be.
#[derive(Debug, Clone)]
struct Cell {
    part: Part,
    /// Of counts the sum, of ratios the numerator.
    seen: f64,
    due: f64,
    /// The denominators, of ratios.
    seen_below: f64,
    due_below: f64,
}

/// Sums a series over the frame. What was due in a period is the mean of the usual periods at the same place in the season.
fn cell(cube: &Cube, series: &SeriesOf, frame: &Frame, ratio: bool, part: Part) -> Cell {
    let cycle = cube.cycle().max(1);
    let closed = |at: &usize| cube.closed.get(*at).copied().unwrap_or(false);
    let value = |at: usize| {
        let value = series.values.get(at).copied().flatten().unwrap_or(0.0);
        let below = series.below.get(at).copied().unwrap_or(0.0);
        match ratio {
            true => (value * below, below),
            false => (value, 0.0),
        }
    };
    let mut usual = vec![(0.0, 0.0, 0.0); cycle];
    let (mut all, mut all_below, mut count) = (0.0, 0.0, 0.0);
    for at in frame.usual.clone().filter(|at| !closed(at)) {
        let (above, below) = value(at);
        all += above;
        all_below += below;
        count += 1.0;
        if let Some(slot) = usual.get_mut(at % cycle) {
            slot.0 += above;
            slot.1 += below;
            slot.2 += 1.0;
        }
    }
    let mut cell = Cell {
        part,
        seen: 0.0,
        due: 0.0,
        seen_below: 0.0,
        due_below: 0.0,
    };
    for at in frame.changed.clone().filter(|at| !closed(at)) {
        let (above, below) = value(at);
        cell.seen += above;
        cell.seen_below += below;
        match usual.get(at % cycle) {
            Some((sum, sum_below, n)) if *n > 0.0 => {
                cell.due += sum / n;
                cell.due_below += sum_below / n;
            }
            _ if count > 0.0 => {
                cell.due += all / count;
                cell.due_below += all_below / count;
            }
            _ => {}
        }
    }
    cell
}

/// What explains a change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cause {
    /// The segments, the largest contribution first.
    pub(crate) drivers: Vec<Driver>,
    /// The one segment that the change comes from; empty where it is everywhere the same, or of several.
    pub(crate) root: Vec<Part>,
    pub(crate) effect: Effect,
    /// The change that the contributions add up to, per period in the unit of the metric.
    pub(crate) total: f64,
    /// How surely the values of the dimension differ, as the statistic of the test over its degrees of freedom.
    strength: f64,
}

/// Differences between the values of a dimension that chance brings less often are real.
const LEVEL: f64 = 1e-4;

/// A segment is the root when it has so much of all that went its way.
const ROOT_SHARE: f64 = 0.6;

/// Finds the segments that explain the change of a metric within a segment (everything where it is empty): of all dimensions
/// the one whose values differ most surely, and of its values the few that the change comes from. `phi` is how
/// much greater the variance of counts is than that of Poisson's law. `None` where no dimension has values that differ.
pub(crate) fn cause(
    cube: &Cube,
    metric: usize,
    within: &[Part],
    frame: &Frame,
    phi: f64,
) -> Option<Cause> {
    let about = cube.metrics.get(metric)?;
    let ratio = matches!(about.measure, Measure::Share | Measure::Mean);
    if !ratio && !about.additive {
        return None;
    }
    let mut best: Option<Cause> = None;
    for dimension in cube.dimensions() {
        let turns = cube.turning.iter().any(|t| t == dimension);
        if within.iter().any(|p| p.dimension == dimension) || (turns && !ratio) {
            continue;
        }
        let cells: Vec<Cell> = cube
            .cut(metric, within, dimension)
            .filter_map(|s| {
                let part = s.segment.iter().find(|p| p.dimension == dimension)?.clone();
                if cube.without.contains(&part) {
                    return None;
                }
                Some(cell(cube, s, frame, ratio, part))
            })
            .collect();
        if cells.len() < 2 {
            continue;
        }
        let periods = frame.changed.len().max(1) as f64;
        let rest = |part: &Part| {
            let of = cube.cut(metric, within, dimension);
            of.filter(|s| s.rest).any(|s| s.segment.contains(part))
        };
        let found = match ratio {
            true => of_ratio(&cells, phi, turns, &rest),
            false => of_amount(&cells, periods, phi, &rest),
        };
        let Some(mut found) = found else {
            continue;
        };
        for driver in &mut found.drivers {
            driver.segment = joined(within, &driver.segment);
        }
        if !found.root.is_empty() {
            found.root = joined(within, &found.root);
        }
        if best.as_ref().is_none_or(|b| found.strength > b.strength) {
            best = Some(found);
        }
    }
    best
}

fn joined(within: &[Part], more: &[Part]) -> Vec<Part> {
    let mut all: Vec<Part> = within.iter().chain(more).cloned().collect();
    all.sort();
    all
}

/// Counts and sums: each segment has a part of the sum, and the parts add up.
fn of_amount(
    cells: &[Cell],
    periods: f64,
    phi: f64,
    rest: &dyn Fn(&Part) -> bool,
) -> Option<Cause> {
    let seen: f64 = cells.iter().map(|c| c.seen).sum();
    let due: f64 = cells.iter().map(|c| c.due).sum();
    if due <= 0.0 && seen <= 0.0 {
        return None;
    }
    let scale = if due > 0.0 { seen / due } else { 1.0 };
    // Do all of them change alike?
    let (mut statistic, mut df) = (0.0, -1.0);
    for c in cells {
        let expected = scale * c.due;
        let variance = phi * (expected + c.due).max(1.0);
        statistic += (c.seen - expected).powi(2) / variance;
        df += 1.0;
    }
    if chi2_upper(statistic, df) > LEVEL {
        return None;
    }
    let total = (seen - due) / periods;
    let mut order: Vec<(&Cell, f64, f64)> = cells
        .iter()
        .map(|c| {
            let by = c.seen - c.due;
            (c, by, by.abs() / (phi * (c.seen + c.due).max(1.0)).sqrt())
        })
        .collect();
    order.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    let first = order.iter().find(|(c, _, _)| !rest(&c.part))?;
    let way = first.1.signum();
    let same: f64 = order
        .iter()
        .filter(|o| o.1 * way > 0.0)
        .map(|o| o.1.abs())
        .sum();
    // What the others do is at most half as much, relative to their size.
    let relative = |by: f64, due: f64| by.abs() / due.max(1.0);
    let (others, others_due) = (seen - due - first.1, due - first.0.due);
    let own = first.1.abs() >= ROOT_SHARE * same
        && relative(first.1, first.0.due) >= 2.0 * relative(others, others_due);
    let drivers = order
        .iter()
        .filter(|o| o.1 * way > 0.0 && o.1.abs() >= 0.1 * same && o.2 > 3.0 && !rest(&o.0.part))
        .take(if own { 1 } else { 3 })
        .map(|(c, by, _)| Driver {
            segment: vec![c.part.clone()],
            contribution: by / periods,
            share: if total != 0.0 {
                by / periods / total
            } else {
                0.0
            },
            effect: Effect::Amount,
        })
        .collect();
    Some(Cause {
        drivers,
        root: if own {
            vec![first.0.part.clone()]
        } else {
            Vec::new()
        },
        effect: Effect::Amount,
        total,
        strength: statistic - df,
    })
}

/// Ratios: each segment works by its own ratio, and by how much of the whole it is.
///
/// With r the ratios, w the parts of the denominator, 0 before and 1 now: Δr = Σ (w₀ + w₁)/2 · (r₁ − r₀) + Σ (w₁ − w₀) · ((r₀ + r₁)/2 −
/// R), exactly, for any constant R; R is the mean of the whole before and now (Marshall 1920s' standardisation, as in
/// Kitagawa 1955).
fn of_ratio(cells: &[Cell], phi: f64, turns: bool, rest: &dyn Fn(&Part) -> bool) -> Option<Cause> {
    let sum = |of: &dyn Fn(&Cell) -> f64| cells.iter().map(of).sum::<f64>();
    let (n0, n1) = (sum(&|c| c.due_below), sum(&|c| c.seen_below));
    if n0 <= 0.0 || n1 <= 0.0 {
        return None;
    }
    let (all0, all1) = (sum(&|c| c.due) / n0, sum(&|c| c.seen) / n1);
    let middle = 0.5 * (all0 + all1);
    struct One<'a> {
        cell: &'a Cell,
        rate: f64,
        mix: f64,
        /// The change of the ratio and its variance.
        change: f64,
        variance: f64,
    }
    let ones: Vec<One<'_>> = cells
        .iter()
        .map(|c| {
            let ratio = |above: f64, below: f64, other: f64| match below > 0.0 {
                true => above / below,
                false => other,
            };
            let fallback = ratio(c.due, c.due_below, middle);
            let r1 = ratio(c.seen, c.seen_below, fallback);
            let r0 = ratio(c.due, c.due_below, r1);
            let (w0, w1) = (c.due_below / n0, c.seen_below / n1);
            let both = (c.seen + c.due) / (c.seen_below + c.due_below).max(1e-12);
            // Of shares that of a binomial, of means that of a Poisson count.
            let own = (both * (1.0 - both)).abs().max(0.1 * both.abs()).max(1e-9);
            let ends = 1.0 / c.seen_below.max(0.5) + 1.0 / c.due_below.max(0.5);
            One {
                cell: c,
                rate: 0.5 * (w0 + w1) * (r1 - r0),
                mix: (w1 - w0) * (0.5 * (r0 + r1) - middle),
                change: r1 - r0,
                variance: phi * own * ends,
            }
        })
        .collect();
    let total = all1 - all0;
    let rates: f64 = ones.iter().map(|o| o.rate).sum();
    let mixes: f64 = ones.iter().map(|o| o.mix).sum();
    // Do all ratios change alike, and does the mix change at all?
    let weights: f64 = ones.iter().map(|o| 1.0 / o.variance).sum();
    let mean = ones.iter().map(|o| o.change / o.variance).sum::<f64>() / weights;
    let apart: f64 = ones
        .iter()
        .map(|o| (o.change - mean).powi(2) / o.variance)
        .sum();
    let moved: f64 = ones
        .iter()
        .map(|o| {
            let expected = o.cell.due_below * n1 / n0;
            (o.cell.seen_below - expected).powi(2) / (phi * (expected + o.cell.due_below).max(1.0))
        })
        .sum();
    let df = ones.len() as f64 - 1.0;
    let by_mix = !turns
        && mixes * total > 0.0
        && mixes.abs() >= ROOT_SHARE * total.abs()
        && chi2_upper(moved, df) < LEVEL;
    let (effect, strength) = match by_mix {
        true => (Effect::Mix, moved - df),
        false if chi2_upper(apart, df) < LEVEL => (Effect::Rate, apart - df),
        false => return None,
    };
    let part = |o: &One<'_>| match effect {
        Effect::Mix => o.mix,
        _ => o.rate,
    };
    let mut order: Vec<&One<'_>> = ones.iter().collect();
    // The mix moves because the volume of some segment does: that one is named first.
    let volume = |o: &One<'_>| (o.cell.seen_below - o.cell.due_below).abs();
    match effect {
        Effect::Mix => order.sort_by(|a, b| volume(b).total_cmp(&volume(a))),
        _ => order.sort_by(|a, b| part(b).abs().total_cmp(&part(a).abs())),
    }
    let first = order.iter().find(|o| !rest(&o.cell.part))?;
    let whole = if effect == Effect::Mix { mixes } else { rates };
    let way = if effect == Effect::Mix {
        whole.signum()
    } else {
        part(first).signum()
    };
    let same: f64 = ones
        .iter()
        .map(part)
        .filter(|p| p * way > 0.0)
        .map(f64::abs)
        .sum();
    let own = match effect {
        Effect::Mix => true,
        _ => {
            let others = ones.iter().filter(|o| !std::ptr::eq(*o, *first));
            let (mut sum, mut weight) = (0.0, 0.0);
            for o in others {
                sum += o.change / o.variance;
                weight += 1.0 / o.variance;
            }
            let other = if weight > 0.0 { sum / weight } else { 0.0 };
            part(first).abs() >= ROOT_SHARE * same && first.change.abs() >= 2.0 * other.abs()
        }
    };
    let drivers = order
        .iter()
        .enumerate()
        .filter(|(i, o)| {
            (effect == Effect::Mix && *i == 0)
                || (part(o) * way > 0.0 && part(o).abs() >= 0.1 * same)
        })
        .take(if own && effect != Effect::Mix { 1 } else { 3 })
        .map(|(_, o)| Driver {
            segment: vec![o.cell.part.clone()],
            contribution: part(o),
            share: if total != 0.0 { part(o) / total } else { 0.0 },
            effect,
        })
        .collect();
    Some(Cause {
        drivers,
        root: if own {
            vec![first.cell.part.clone()]
        } else {
            Vec::new()
        },
        effect,
        total,
        strength,
    })
}
