//! Metrics taken apart: the aggregates that a question needs, each once, and the formulas over them.

use crate::calendar::Grain;
use crate::expr::{
    Aggregate, AggregateFunction, BinaryOperator, Constant, Expression, Formula, MetricReference,
    RowExpr,
};
use crate::metric::definition::{Fill, MetricDefinition};
use crate::metric::kind::{CumulativeRange, MetricInput, MetricKind, Operand};
use crate::metric::registry::Registry;
use crate::{Error, ErrorKind, Result};

use super::spine::Offset;

/// Most pairs of a metric and the offsets that lead to it.
const MAX_CHAINS: usize = 4_096;

/// An aggregate over the rows of a window.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Atom {
    /// The filters of metric, side and aggregate are one.
    pub(crate) aggregate: Aggregate,
    /// `None`: the rows of the period itself.
    pub(crate) over: Option<CumulativeRange>,
}

/// A metric that a node takes a value of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Input {
    /// What the formula calls it.
    pub(crate) reference: MetricReference,
    pub(crate) node: usize,
    pub(crate) offset: Option<Offset>,
}

/// A formula with what it is made over.
#[derive(Debug, Clone)]
pub(crate) struct Side {
    pub(crate) formula: Formula,
    /// In the formula, and as an atom.
    pub(crate) aggregates: Vec<(Aggregate, usize)>,
    pub(crate) inputs: Vec<Input>,
}

/// How a node is computed.
#[derive(Debug, Clone)]
pub(crate) enum How {
    Formula(Side),
    Ratio(Side, Side),
    /// By following actors or objects: the number of the pass.
    Pass(usize),
}

/// A metric of the question, or one that it stands on.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) how: How,
    pub(crate) fill: Fill,
    /// Counts of rows, one of them not 0 where the metric has events; empty when values tell by themselves.
    pub(crate) presence: Vec<usize>,
}

/// Everything that a question computes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Graph {
    /// Each after those that it takes values of.
    pub(crate) nodes: Vec<Node>,
    pub(crate) atoms: Vec<Atom>,
    pub(crate) passes: Vec<Pass>,
    /// The nodes of the metrics asked for, in their order.
    pub(crate) asked: Vec<usize>,
}

/// A metric that is computed by following actors or objects through time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pass {
    pub(crate) name: String,
    pub(crate) filter: Option<RowExpr>,
    pub(crate) kind: MetricKind,
}

impl Graph {
    /// Takes the metrics apart. `fill` is what the query says in place of the definitions of the metrics asked for.
    pub(crate) fn new(
        registry: &Registry,
        metrics: &[String],
        fill: Option<Fill>,
    ) -> Result<Graph> {
        let mut graph = Graph::default();
        for name in metrics {
            let definition = registry.metric(name)?;
            let node = graph.add(registry, definition, fill)?;
            graph.asked.push(node);
        }
        Ok(graph)
    }

    fn add(
        &mut self,
        registry: &Registry,
        definition: &MetricDefinition,
        fill: Option<Fill>,
    ) -> Result<usize> {
        let fill = fill.unwrap_or(definition.fill);
        let known = |n: &Node| n.name == definition.name && n.fill == fill;
        if let Some(found) = self.nodes.iter().position(known) {
            return Ok(found);
        }
        let filter = definition.filter.as_ref();
        let how = match &definition.kind {
            MetricKind::Simple { expr } => {
                How::Formula(self.side(registry, expr, &[filter], None, &plainly)?)
            }
            MetricKind::Cumulative { expr, over } => {
                How::Formula(self.side(registry, expr, &[filter], Some(*over), &plainly)?)
            }
            MetricKind::Ratio {
                numerator,
                denominator,
            } => {
                let mut side = |operand: &Operand| {
                    let filters = [filter, operand.filter.as_ref()];
                    self.side(registry, &operand.expr, &filters, None, &plainly)
                };
                How::Ratio(side(numerator)?, side(denominator)?)
            }
            MetricKind::Derived(derived) => {
                How::Formula(self.side(registry, &derived.expr, &[], None, &|reference| {
                    derived.resolve(reference)
                })?)
            }
            kind @ (MetricKind::Conversion(_)
            | MetricKind::Funnel(_)
            | MetricKind::Retention(_)
            | MetricKind::Sessions(_)
            | MetricKind::Stickiness(_)
            | MetricKind::TimeToConvert(_)
            | MetricKind::Collaboration(_)
            | MetricKind::Lifecycle(_)
            | MetricKind::FirstAttempt(_)) => {
                let pass = Pass {
                    name: definition.name.clone(),
                    filter: definition.filter.clone(),
                    kind: kind.clone(),
                };
                let same = |p: &Pass| p.name == pass.name;
                How::Pass(match self.passes.iter().position(same) {
                    Some(found) => found,
                    None => {
                        self.passes.push(pass);
                        self.passes.len() - 1
                    }
                })
            }
        };
        let presence = self.presence(&how, fill);
        self.nodes.push(Node {
            name: definition.name.clone(),
            how,
            fill,
            presence,
        });
        Ok(self.nodes.len() - 1)
    }

    fn side(
        &mut self,
        registry: &Registry,
        formula: &Formula,
        filters: &[Option<&RowExpr>],
        over: Option<CumulativeRange>,
        resolve: &dyn Fn(&MetricReference) -> MetricInput,
    ) -> Result<Side> {
        let mut aggregates: Vec<(Aggregate, usize)> = Vec::new();
        for aggregate in formula.aggregates() {
            if aggregates.iter().any(|(known, _)| known == aggregate) {
                continue;
            }
            let filters = filters.iter().copied().chain([aggregate.filter.as_ref()]);
            let filter = all_of(filters.flatten());
            let atom = self.atom(Atom {
                aggregate: Aggregate {
                    filter,
                    ..aggregate.clone()
                },
                over,
            });
            aggregates.push((aggregate.clone(), atom));
        }
        let mut inputs: Vec<Input> = Vec::new();
        for reference in formula.references() {
            if inputs.iter().any(|i| i.reference == *reference) {
                continue;
            }
            let input = resolve(reference);
            let node = self.add(registry, registry.metric(&input.name)?, None)?;
            let offset = (input.offset_window.is_some() || input.offset_to_grain.is_some())
                .then_some(Offset {
                    window: input.offset_window,
                    to_grain: input.offset_to_grain,
                });
            inputs.push(Input {
                reference: reference.clone(),
                node,
                offset,
            });
        }
        Ok(Side {
            formula: formula.clone(),
            aggregates,
            inputs,
        })
    }

    fn atom(&mut self, atom: Atom) -> usize {
        match self.atoms.iter().position(|known| *known == atom) {
            Some(found) => found,
            None => {
                self.atoms.push(atom);
                self.atoms.len() - 1
            }
        }
    }

    /// Finds how it is known whether a metric has events: by counts of rows, unless its values tell.
    fn presence(&mut self, how: &How, fill: Fill) -> Vec<usize> {
        let sides: Vec<&Side> = match how {
            How::Formula(side) => vec![side],
            How::Ratio(numerator, denominator) => vec![numerator, denominator],
            How::Pass(_) => return Vec::new(),
        };
        let single = match sides.as_slice() {
            [side] => match &side.formula {
                Expression::Leaf(_) => side.aggregates.first().map(|(a, _)| is_count(a)),
                _ => None,
            },
            _ => None,
        };
        let told = match (single, fill) {
            // A count is 0 without rows, any other aggregate null.
            (Some(counts), Fill::Zero) => counts,
            (Some(counts), Fill::Null) => !counts,
            _ => false,
        };
        if told {
            return Vec::new();
        }
        let mut wanted = Vec::new();
        for side in sides {
            for (_, number) in &side.aggregates {
                if let Some(atom) = self.atoms.get(*number) {
                    wanted.push(Atom {
                        aggregate: counted(&atom.aggregate),
                        over: atom.over,
                    });
                }
            }
        }
        let mut found: Vec<usize> = wanted.into_iter().map(|atom| self.atom(atom)).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Tells whether an atom is asked for nothing but whether it is 0.
    pub(crate) fn is_presence_only(&self, atom: usize) -> bool {
        let mut sides = self.nodes.iter().flat_map(|node| match &node.how {
            How::Formula(side) => vec![side],
            How::Ratio(numerator, denominator) => vec![numerator, denominator],
            How::Pass(_) => Vec::new(),
        });
        !sides.any(|side| side.aggregates.iter().any(|(_, number)| *number == atom))
    }

    /// Returns the chains of offsets that lead from the metrics asked for to those that they stand on.
    ///
    /// # Errors
    /// `ResourceExhausted` for more than [`MAX_CHAINS`] ways: each level of formulas may multiply them.
    pub(crate) fn offset_chains(&self) -> Result<Vec<Vec<Offset>>> {
        let mut chains: Vec<Vec<Offset>> = Vec::new();
        let mut inputs = self.nodes.iter().flat_map(Node::inputs);
        if inputs.all(|input| input.offset.is_none()) {
            return Ok(chains);
        }
        let mut open: Vec<(usize, Vec<Offset>)> =
            self.asked.iter().map(|n| (*n, Vec::new())).collect();
        let mut seen: Vec<(usize, Vec<Offset>)> = Vec::new();
        let mut chained = 0;
        while let Some((number, chain)) = open.pop() {
            let entry = (number, chain);
            if seen.contains(&entry) {
                continue;
            }
            let (number, chain) = entry.clone();
            chained += usize::from(!chain.is_empty());
            seen.push(entry);
            if chained > MAX_CHAINS {
                return Err(Error::new(
                    ErrorKind::ResourceExhausted,
                    format!(
                        "the metrics take values of one another by more than {MAX_CHAINS} different chains of offsets; \
                         ask for fewer metrics, or take fewer offsets in the formulas below `{}`",
                        self.asked
                            .first()
                            .and_then(|n| self.nodes.get(*n))
                            .map_or("", |n| &n.name)
                    ),
                ));
            }
            let Some(node) = self.nodes.get(number) else {
                continue;
            };
            for input in node.inputs() {
                let mut next = chain.clone();
                if let Some(offset) = input.offset {
                    next.push(offset);
                    if !chains.contains(&next) {
                        chains.push(next.clone());
                    }
                }
                open.push((input.node, next));
            }
        }
        Ok(chains)
    }

    /// Tells whether some metric carries values on from the period before.
    pub(crate) fn carries_on(&self) -> bool {
        self.nodes.iter().any(|n| n.fill == Fill::Previous)
    }
}

impl Node {
    /// Returns the metrics that it takes values of.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &Input> {
        let (first, second) = match &self.how {
            How::Formula(side) => (Some(side), None),
            How::Ratio(numerator, denominator) => (Some(numerator), Some(denominator)),
            How::Pass(_) => (None, None),
        };
        let sides = [first, second].into_iter().flatten();
        sides.flat_map(|side| side.inputs.iter())
    }
}

/// Counts the rows that an aggregate takes into account: those that pass its filter and in which its argument is not null.
fn counted(aggregate: &Aggregate) -> Aggregate {
    Aggregate {
        function: AggregateFunction::Count,
        distinct: false,
        ..aggregate.clone()
    }
}

/// Tells whether an aggregate is 0, and not null, without rows.
pub(crate) fn is_count(aggregate: &Aggregate) -> bool {
    matches!(
        aggregate.function,
        AggregateFunction::Count | AggregateFunction::ApproxDistinct
    )
}

/// Joins conditions with `and`.
pub(crate) fn all_of<'a>(conditions: impl IntoIterator<Item = &'a RowExpr>) -> Option<RowExpr> {
    join(conditions, BinaryOperator::And)
}

/// Joins conditions with `or`.
pub(crate) fn any_of<'a>(conditions: impl IntoIterator<Item = &'a RowExpr>) -> Option<RowExpr> {
    let all: Vec<&RowExpr> = conditions.into_iter().collect();
    if all
        .iter()
        .any(|c| **c == Expression::Constant(Constant::Boolean(true)))
    {
        return None;
    }
    join(all, BinaryOperator::Or)
}

fn join<'a>(
    conditions: impl IntoIterator<Item = &'a RowExpr>,
    operator: BinaryOperator,
) -> Option<RowExpr> {
    let mut joined: Option<RowExpr> = None;
    for condition in conditions {
        if *condition == Expression::Constant(Constant::Boolean(true)) {
            continue;
        }
        joined = Some(match joined {
            None => condition.clone(),
            Some(before) if before == *condition => before,
            Some(before) => Expression::Binary {
                left: Box::new(before),
                operator,
                right: Box::new(condition.clone()),
            },
        });
    }
    joined
}

/// Finds the grain of a query: the longest default grain of its metrics, or the one it asks for if that is not
/// shorter.
pub(crate) fn grain(
    registry: &Registry,
    metrics: &[String],
    wanted: Option<Grain>,
) -> Result<Grain> {
    let mut longest = Grain::Minute;
    let mut whose = "";
    for (i, name) in metrics.iter().enumerate() {
        let own = registry.metric(name)?.default_grain.unwrap_or(Grain::Day);
        if i == 0 || own > longest {
            (longest, whose) = (own, name);
        }
    }
    match wanted {
        Some(grain) if grain < longest => Err(Error::invalid_spec(format!(
            "grain: {grain} is finer than {longest}, the default grain of `{whose}`; ask for {longest} or longer"
        ))),
        Some(grain) => Ok(grain),
        None => Ok(longest),
    }
}

/// A metric as it is named in the formula of a ratio.
fn plainly(reference: &MetricReference) -> MetricInput {
    MetricInput::from(reference)
}
