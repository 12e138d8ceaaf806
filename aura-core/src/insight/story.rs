//! Stories: the facts that one event in the world has left in many series.

use crate::detect::{Fact, FactKind, Measure, q_values};
use crate::metric::Direction;

use super::cause::{Cause, Frame, cause};
use super::cube::{Cube, SeriesOf};
use super::finding::{Effect, Part};
use super::scan::{Candidate, Scan};

/// Facts that belong together.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    /// The place of the fact that tells it best.
    pub(crate) head: usize,
    /// The places of all others, the surest first.
    pub(crate) members: Vec<usize>,
    /// What explains the head.
    pub(crate) cause: Option<Cause>,
    /// The expected share of false stories among those at least as sure.
    pub(crate) q_value: f64,
}

/// What facts are recognised by when a later scan finds them again.
pub(crate) type Told = std::collections::BTreeSet<(usize, Vec<Part>, FactKind, usize, usize)>;

fn key(cube: &Cube, candidate: &Candidate) -> (usize, Vec<Part>, FactKind, usize, usize) {
    let fact = &candidate.fact;
    let series = cube.series().get(candidate.series);
    let (metric, segment) = series.map_or((0, Vec::new()), |s| (s.metric, s.segment.clone()));
    (metric, segment, fact.kind, fact.from, fact.to)
}

/// Remembers the facts of a story.
pub(crate) fn tell(cube: &Cube, scan: &Scan, story: &Story, told: &mut Told) {
    let all = story.members.iter().chain(std::iter::once(&story.head));
    told.extend(
        all.filter_map(|i| scan.candidates.get(*i))
            .map(|c| key(cube, c)),
    );
}

/// Puts facts together: the surest one begins a story, the segments that explain it are searched, and the facts of the same
/// time join it. Of these the one that tells it best becomes its head: of the segment from which the change comes, and of a
/// metric that says what is good.
pub(crate) fn stories(cube: &Cube, scan: &Scan, told: &Told, level: f64) -> Vec<Story> {
    let facts = &scan.candidates;
    let new = |i: &usize| facts.get(*i).is_some_and(|c| !told.contains(&key(cube, c)));
    let mut order: Vec<usize> = (0..facts.len()).filter(new).collect();
    let sure = |i: usize| {
        facts
            .get(i)
            .map_or((1.0, 0.0), |c| (c.fact.p_value, -c.change.abs()))
    };
    order.sort_by(|a, b| {
        let (a, b) = (sure(*a), sure(*b));
        a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
    });
    let mut stories: Vec<Story> = Vec::new();
    while let Some(seed_at) = order.first().copied() {
        let Some(seed) = facts.get(seed_at) else {
            break;
        };
        let Some(series) = cube.series().get(seed.series) else {
            break;
        };
        let joins = |i: &usize| {
            facts
                .get(*i)
                .is_some_and(|c| *i == seed_at || together(cube, seed, c))
        };
        let (group, rest): (Vec<usize>, Vec<usize>) = order.iter().copied().partition(joins);
        order = rest;
        let root = root(cube, scan, seed, series);
        let head = head(cube, facts, &group, &root).unwrap_or(seed_at);
        let cause = explain(cube, scan, head);
        stories.push(Story {
            head,
            members: group.into_iter().filter(|i| *i != head).collect(),
            cause,
            q_value: seed.fact.p_value,
        });
    }
    // One story has hundreds of facts: were they counted one by one, a few false ones could hide among them.
    let p_values: Vec<f64> = stories.iter().map(|s| s.q_value).collect();
    for (story, q) in stories.iter_mut().zip(q_values(&p_values, scan.tests)) {
        story.q_value = q;
    }
    stories.retain(|s| s.q_value <= level);
    stories
}

/// Finds the segment whose story is told first, because it lasts and so hides others: of the stories of more than two seasons
/// that come from one value of a dimension that is not turning over, the surest one. Returns its place and the segment.
pub(crate) fn hiding(cube: &Cube, scan: &Scan, stories: &[Story]) -> Option<(usize, Part)> {
    stories.iter().enumerate().find_map(|(place, story)| {
        let candidate = scan.candidates.get(story.head)?;
        let series = cube.series().get(candidate.series)?;
        let fact = &candidate.fact;
        if super::analyse::passes(cube, fact) {
            return None;
        }
        let segment = match (series.segment.as_slice(), &story.cause) {
            ([part], _) => part,
            ([], Some(cause)) => match (cause.root.as_slice(), cause.drivers.first()) {
                ([part], _) => part,
                (_, Some(first)) if cause.effect == Effect::Mix => first.segment.first()?,
                _ => return None,
            },
            _ => return None,
        };
        let told = cube.without.contains(segment) || cube.turning.contains(&segment.dimension);
        (!told).then(|| (place, segment.clone()))
    })
}

/// Finds what explains a fact, of the whole when the fact is of the whole.
pub(crate) fn explain(cube: &Cube, scan: &Scan, place: usize) -> Option<Cause> {
    let candidate = scan.candidates.get(place)?;
    let series = cube.series().get(candidate.series)?;
    let frame = frame(cube, series.metric, &candidate.fact);
    let phi = scan.phi.get(series.metric).copied().unwrap_or(1.0);
    cause(cube, series.metric, &series.segment, &frame, phi)
}

fn frame(cube: &Cube, metric: usize, fact: &Fact) -> Frame {
    let slow = fact.kind == FactKind::Trend;
    Frame::new(cube.judged(metric), fact.from, fact.to, cube.cycle(), slow)
}

/// From where the change comes: a segment, or everything.
struct Root {
    segment: Vec<Part>,
    /// The whole moves only because its mix does.
    mix: bool,
}

fn root(cube: &Cube, scan: &Scan, seed: &Candidate, series: &SeriesOf) -> Root {
    let frame = frame(cube, series.metric, &seed.fact);
    let phi = scan.phi.get(series.metric).copied().unwrap_or(1.0);
    match cause(cube, series.metric, &[], &frame, phi) {
        Some(cause) if cause.effect == Effect::Mix && series.segment.is_empty() => Root {
            segment: Vec::new(),
            mix: true,
        },
        Some(cause) if !cause.root.is_empty() => Root {
            segment: cause.root,
            mix: false,
        },
        // Several segments, or all: the whole tells it.
        _ => Root {
            segment: Vec::new(),
            mix: false,
        },
    }
}

/// Chooses the fact that tells a story best.
fn head(cube: &Cube, facts: &[Candidate], group: &[usize], root: &Root) -> Option<usize> {
    let rank = |i: usize| -> Option<(u8, u8, f64)> {
        let candidate = facts.get(i)?;
        let series = cube.series().get(candidate.series)?;
        let metric = cube.metrics.get(series.metric)?;
        let place = match (series.segment == root.segment, series.segment.is_empty()) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 2,
        };
        let ratio = matches!(metric.measure, Measure::Share | Measure::Mean);
        let kind = match (root.mix, ratio) {
            (true, false) => 1,
            _ => 0,
        };
        // A metric that says what is good, and a large change, tell more than a small p-value.
        let says = if metric.direction == Direction::Neither {
            0.6
        } else {
            1.0
        };
        let sure = -candidate.fact.p_value.max(1e-30).log10();
        let worth = says * sure.min(30.0) * candidate.change.abs().min(3.0).sqrt();
        Some((place, kind, -worth))
    };
    let key = |i: &usize| rank(*i).unwrap_or((u8::MAX, u8::MAX, 0.0));
    group.iter().copied().min_by(|a, b| {
        let (a, b) = (key(a), key(b));
        (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2))
    })
}

/// Tells whether two facts can be of one story.
fn together(cube: &Cube, seed: &Candidate, other: &Candidate) -> bool {
    let (a, b) = (&seed.fact, &other.fact);
    let (Some(of_a), Some(of_b)) = (
        cube.series().get(seed.series),
        cube.series().get(other.series),
    ) else {
        return false;
    };
    let length = |f: &Fact| (f.to - f.from) as f64;
    let blur = |f: &Fact| f.blur.min(length(f) / 2.0).min(10.0);
    let near = 1.0 + blur(a).max(blur(b)).ceil();
    let apart = |x: usize, y: usize| x.abs_diff(y) as f64;
    let overlap = a.to.min(b.to).saturating_sub(a.from.max(b.from)) as f64;
    let (longer, shorter) = (length(a).max(length(b)), length(a).min(length(b)));
    let starts = apart(a.from, b.from) <= near;
    let ends = apart(a.to, b.to) <= near;
    let way = |c: &Candidate| c.change.signum();
    let one_way = way(seed) == way(other);
    let counts = |s: &SeriesOf| {
        cube.metrics
            .get(s.metric)
            .is_some_and(|m| m.measure == Measure::Count)
    };
    // Volumes that move against each other are of two stories; the level that follows a passing change is its end.
    let both_counts = counts(of_a) && counts(of_b);
    let family = both_counts || of_a.metric == of_b.metric;
    if family && !one_way {
        return a.over
            && b.kind == FactKind::Shift
            && apart(b.from, a.to) <= 2.0
            && other.change.abs() <= seed.change.abs();
    }
    if (starts && ends) || ((starts || ends) && overlap >= 0.4 * longer) {
        return true;
    }
    let slow = a.kind == FactKind::Trend || b.kind == FactKind::Trend;
    let related =
        of_a.segment == of_b.segment || of_a.segment.is_empty() || of_b.segment.is_empty();
    if slow && shorter >= 5.0 && overlap >= 0.5 * shorter && one_way && (related || family) {
        return true;
    }
    a.over
        && b.kind == FactKind::Shift
        && apart(b.from, a.to) <= 2.0
        && other.change.abs() <= seed.change.abs()
}
