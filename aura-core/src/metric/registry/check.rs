//! What definitions must keep together.

use hashbrown::HashSet;

use super::Registry;
use crate::calendar::Grain;
use crate::document::{Path, nearest, shortened};
use crate::expr::{Formula, MetricReference};
use crate::metric::behaviour::{CollaborationMeasure, SessionMeasure};
use crate::metric::build::Problem;
use crate::metric::definition::{Format, MetricDefinition};
use crate::metric::kind::{Calculation, MetricInput, MetricKind};
use crate::metric::unit::{Known, Unit, infer};

/// Longest chain of metrics that name one another: what a query unfolds stays small.
const MAX_CHAIN: usize = 16;

/// So many problems say what was meant: far more than are shown. To look for the nearest of ten thousand names takes time.
const HINTS: usize = 100;

/// Checks the definitions together, orders them, and fills in grains and units that follow from others. Gives
/// the number of the definition of each problem.
pub(super) fn check(registry: &mut Registry) -> Vec<(usize, Problem)> {
    let mut problems = Vec::new();
    let declared: HashSet<&str> = registry
        .dimensions
        .iter()
        .map(|d| d.name.as_str())
        .collect();
    for (number, metric) in registry.metrics.iter().enumerate() {
        dimensions(registry, &declared, metric, number, &mut problems);
    }
    let edges = references(registry, &mut problems);
    registry.order = order(registry, &edges, &mut problems);
    if !problems.is_empty() {
        return problems;
    }
    let mut depths = vec![0_usize; registry.metrics.len()];
    for number in registry.order.clone() {
        let inputs = edges.get(number).map(Vec::as_slice).unwrap_or_default();
        let depth = inputs
            .iter()
            .filter_map(|(i, _)| depths.get(*i))
            .max()
            .map_or(0, |d| d + 1);
        if let Some(slot) = depths.get_mut(number) {
            *slot = depth;
        }
        if depth > MAX_CHAIN {
            let message = format!(
                "it stands on a chain of {depth} metrics, more than the {MAX_CHAIN} allowed"
            );
            problems.push((number, Problem::new(main_path(registry, number), message)));
            break;
        }
        let found = grain(registry, inputs);
        let Some(metric) = registry.metrics.get(number) else {
            continue;
        };
        let mut own = Vec::new();
        let declared = metric.default_grain;
        if let Some((coarsest, name)) = &found
            && declared.is_some_and(|own| own < *coarsest)
        {
            let message = format!(
                "{} is finer than {coarsest}, the default grain of `{name}`, which the formula names",
                declared.map_or("", Grain::name)
            );
            own.push(Problem::new(Path::of(&["default_grain"]), message));
        }
        let resolved = declared
            .or(found.map(|(grain, _)| grain))
            .unwrap_or(Grain::Day);
        offsets(metric, resolved, &mut own);
        let unit = units(registry, metric, &mut own);
        problems.extend(own.into_iter().map(|problem| (number, problem)));
        if let Some(metric) = registry.metrics.get_mut(number) {
            metric.default_grain = Some(resolved);
            metric.unit = unit;
        }
    }
    problems
}

fn main_path(registry: &Registry, number: usize) -> Path {
    match registry.metrics.get(number).map(|m| &m.kind) {
        Some(MetricKind::Ratio { .. }) => Path::of(&["numerator"]),
        _ => Path::of(&["expr"]),
    }
}

fn dimensions(
    registry: &Registry,
    declared: &HashSet<&str>,
    metric: &MetricDefinition,
    number: usize,
    problems: &mut Vec<(usize, Problem)>,
) {
    for (i, name) in metric.dimensions.iter().flatten().enumerate() {
        let path = Path::of(&["dimensions"]).index(i);
        if !declared.contains(name.as_str()) {
            let known = registry.dimensions.iter().map(|d| d.name.as_str());
            let meant = if problems.len() < HINTS {
                nearest(name, known)
            } else {
                None
            };
            let hint = match meant {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "declare it under `dimensions` of the registry".to_owned(),
            };
            let message = format!("unknown dimension `{}`; {hint}", shortened(name));
            problems.push((number, Problem::new(path, message)));
            continue;
        }
        for input in metric.kind.inputs() {
            let narrow = registry
                .get(&input.name)
                .and_then(|m| m.dimensions.as_ref());
            if narrow.is_some_and(|allowed| !allowed.contains(name)) {
                let message = format!(
                    "`{}`, which the formula names, has no dimension `{}`",
                    input.name,
                    shortened(name)
                );
                problems.push((number, Problem::new(path.clone(), message)));
            }
        }
    }
}

/// What a definition names: numbers, with the way to where it says so.
type Edges = Vec<Vec<(usize, Path)>>;

fn named(kind: &MetricKind) -> Vec<(MetricInput, Path)> {
    let plain = |formula: &Formula, path: &Path| -> Vec<(MetricInput, Path)> {
        let references = formula.references().into_iter();
        references
            .map(|r| (MetricInput::from(r), path.clone()))
            .collect()
    };
    match kind {
        MetricKind::Ratio {
            numerator,
            denominator,
        } => {
            let mut all = plain(&numerator.expr, &Path::of(&["numerator"]));
            all.extend(plain(&denominator.expr, &Path::of(&["denominator"])));
            all
        }
        MetricKind::Derived(derived) => derived
            .expr
            .references()
            .into_iter()
            .map(|reference| {
                let at = derived
                    .inputs
                    .iter()
                    .position(|i| i.alias() == reference.name);
                let path = match at {
                    Some(i) => Path::of(&["inputs"]).index(i).key("name"),
                    None => Path::of(&["expr"]),
                };
                (derived.resolve(reference), path)
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn references(registry: &Registry, problems: &mut Vec<(usize, Problem)>) -> Edges {
    let mut edges = Vec::with_capacity(registry.metrics.len());
    for (number, metric) in registry.metrics.iter().enumerate() {
        let mut own: Vec<(usize, Path)> = Vec::new();
        for (input, path) in named(&metric.kind) {
            let Some(target) = registry.positions.get(&input.name) else {
                let hint = if problems.len() < HINTS {
                    let others = registry.names().filter(|n| *n != metric.name);
                    nearest(&input.name, others)
                } else {
                    None
                };
                let hint = match hint {
                    Some(meant) => format!("; did you mean {{{meant}}}?"),
                    None => String::new(),
                };
                let message = format!("there is no metric `{}`{hint}", shortened(&input.name));
                problems.push((number, Problem::new(path, message)));
                continue;
            };
            if !own.iter().any(|(other, _)| other == target) {
                own.push((*target, path));
            }
        }
        edges.push(own);
    }
    edges
}

/// Orders the definitions so that each follows what it names; says which go in a circle.
fn order(registry: &Registry, edges: &Edges, problems: &mut Vec<(usize, Problem)>) -> Vec<usize> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        Open,
        OnPath,
        Done,
    }
    let mut marks = vec![Mark::Open; edges.len()];
    let mut order = Vec::with_capacity(edges.len());
    for start in 0..edges.len() {
        // Each entry: a definition and how many of its references were followed.
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        if marks.get(start) != Some(&Mark::Open) {
            continue;
        }
        while let Some((number, followed)) = path.last_mut() {
            let number = *number;
            if let Some(mark) = marks.get_mut(number) {
                *mark = Mark::OnPath;
            }
            let next = edges.get(number).and_then(|e| e.get(*followed));
            *followed += 1;
            let Some((target, at)) = next else {
                if let Some(mark) = marks.get_mut(number) {
                    *mark = Mark::Done;
                }
                order.push(number);
                path.pop();
                continue;
            };
            match marks.get(*target) {
                Some(Mark::Open) => path.push((*target, 0)),
                Some(Mark::OnPath) => {
                    let from = path.iter().position(|(n, _)| n == target).unwrap_or(0);
                    let circle = path.iter().skip(from).map(|(n, _)| *n).chain([*target]);
                    let names: Vec<&str> = circle
                        .filter_map(|n| registry.metrics.get(n))
                        .map(|m| m.name.as_str())
                        .collect();
                    let message = format!("the metrics go in a circle: {}", names.join(" -> "));
                    problems.push((number, Problem::new(at.clone(), message)));
                }
                _ => {}
            }
        }
    }
    order
}

/// The coarsest default grain of what a definition names, and whose it is.
fn grain(registry: &Registry, inputs: &[(usize, Path)]) -> Option<(Grain, String)> {
    let mut found: Option<(Grain, String)> = None;
    for (input, _) in inputs {
        let Some(metric) = registry.metrics.get(*input) else {
            continue;
        };
        let grain = metric.default_grain.unwrap_or(Grain::Day);
        if found.as_ref().is_none_or(|(coarsest, _)| grain > *coarsest) {
            found = Some((grain, metric.name.clone()));
        }
    }
    found
}

fn offsets(metric: &MetricDefinition, grain: Grain, problems: &mut Vec<Problem>) {
    for (input, path) in named(&metric.kind) {
        if let Some(window) = input.offset_window
            && window.is_shorter_than(grain)
        {
            let message = format!("an offset of {window} is finer than the default grain, {grain}");
            problems.push(Problem::new(path.clone(), message));
        }
        if let Some(to) = input.offset_to_grain
            && to <= grain
        {
            let message =
                format!("`offset_to_grain`: {to} is not longer than the default grain, {grain}");
            problems.push(Problem::new(path, message));
        }
    }
}

/// Finds the unit of a definition, and says where units do not fit.
fn units(
    registry: &Registry,
    metric: &MetricDefinition,
    problems: &mut Vec<Problem>,
) -> Option<Unit> {
    let mut say =
        |path: &[&str], message: String| problems.push(Problem::new(Path::of(path), message));
    let unit_of = |name: &str| registry.get(name).and_then(|m| m.unit.clone());
    let plain = |reference: &MetricReference| unit_of(&reference.name);
    let mut known =
        |path: &str, formula: &Formula, metric: &dyn Fn(&MetricReference) -> Option<Unit>| {
            infer(formula, metric).unwrap_or_else(|message| {
                say(&[path], format!("units do not fit: {message}"));
                Known::Unknown
            })
        };
    // Whether counts of rows take part: these may be called as their author likes.
    let mut counts = false;
    let found = match &metric.kind {
        MetricKind::Simple { expr } | MetricKind::Cumulative { expr, .. } => {
            counts = true;
            known("expr", expr, &plain)
        }
        MetricKind::Ratio {
            numerator,
            denominator,
        } => {
            counts = !numerator.expr.aggregates().is_empty()
                || !denominator.expr.aggregates().is_empty();
            let above = known("numerator", &numerator.expr, &plain);
            let below = known("denominator", &denominator.expr, &plain);
            above.times(below, -1)
        }
        MetricKind::Derived(derived) => {
            let resolve = |reference: &MetricReference| unit_of(&derived.resolve(reference).name);
            known("expr", &derived.expr, &resolve)
        }
        kind => fixed(kind),
    };
    let found = found.unit();
    let declared = metric.unit.as_ref();
    if let (Some(declared), Some(found)) = (declared, &found) {
        let fits = if counts {
            !is_wrong_count(metric, declared, found)
        } else {
            declared == found
        };
        if !fits {
            let hint = if declared.is_percent() && found.is_share() {
                "; a share from 0 to 1 is shown as a percentage by `format: percent`"
            } else {
                ""
            };
            say(
                &["unit"],
                format!("`{declared}`, but the formula gives `{found}`{hint}"),
            );
        }
    }
    let unit = declared.cloned().or(found);
    if let Some(unit) = &unit {
        let wrong = match metric.format {
            Format::Percent if !unit.is_share() => Some("a share"),
            Format::Duration if !unit.is_time() => Some("a length of time, such as `seconds`"),
            _ => None,
        };
        if let Some(wanted) = wrong {
            let format = match metric.format {
                Format::Percent => "percent",
                _ => "duration",
            };
            say(
                &["format"],
                format!("`{format}` shows {wanted}, and the unit is `{unit}`"),
            );
        }
    }
    if metric.format == Format::Currency && unit.is_none() {
        say(
            &["format"],
            "`currency` needs the currency as `unit`, such as `USD`".to_owned(),
        );
    }
    unit
}

/// A count may have any name, but it is no time, no share and no percentage.
fn is_wrong_count(metric: &MetricDefinition, declared: &Unit, found: &Unit) -> bool {
    let is_count = matches!(
        metric.kind,
        MetricKind::Simple { .. } | MetricKind::Cumulative { .. }
    ) && !found.is_share();
    is_count && (declared.is_time() || declared.is_share() || declared.is_percent())
}

/// The unit of kinds whose unit does not depend on a formula.
fn fixed(kind: &MetricKind) -> Known {
    let per = |above: &str, below: &str| {
        Known::Unit(Unit::named(above)).times(Known::Unit(Unit::named(below)), -1)
    };
    let rate = |calculation: Calculation| match calculation {
        Calculation::ConversionRate => Known::Unit(Unit::share()),
        Calculation::Conversions => Known::Unit(Unit::named("actors")),
    };
    match kind {
        MetricKind::Conversion(c) => rate(c.calculation),
        MetricKind::Funnel(f) => rate(f.calculation),
        MetricKind::Retention(_) | MetricKind::Stickiness(_) | MetricKind::FirstAttempt(_) => {
            Known::Unit(Unit::share())
        }
        MetricKind::Sessions(s) => match s.measure {
            SessionMeasure::Count => Known::Unit(Unit::named("sessions")),
            SessionMeasure::PerActor => per("sessions", "actors"),
            SessionMeasure::MeanDuration | SessionMeasure::MedianDuration => {
                Known::Unit(Unit::named("seconds"))
            }
            SessionMeasure::EventsPerSession => per("events", "sessions"),
        },
        MetricKind::TimeToConvert(_) => Known::Unit(Unit::named("seconds")),
        MetricKind::Collaboration(c) => match c.measure {
            CollaborationMeasure::Count => Known::Unit(Unit::named("sessions")),
            CollaborationMeasure::MeanParticipants => per("actors", "sessions"),
            CollaborationMeasure::MeanDuration | CollaborationMeasure::MedianDuration => {
                Known::Unit(Unit::named("seconds"))
            }
            CollaborationMeasure::Actors => Known::Unit(Unit::named("actors")),
            CollaborationMeasure::ShareOfActors => Known::Unit(Unit::share()),
        },
        MetricKind::Lifecycle(_) => Known::Unit(Unit::named("actors")),
        MetricKind::Simple { .. }
        | MetricKind::Ratio { .. }
        | MetricKind::Derived(_)
        | MetricKind::Cumulative { .. } => Known::Unknown,
    }
}
