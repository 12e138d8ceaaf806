//! One computation of all metrics of a question for given dimensions.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, Int64Array};

use crate::engine::{Events, ScanStats};
use crate::expr::{Aggregate, RowExpr};
use crate::metric::kind::CumulativeRange;
use crate::{Error, Result};

use super::evaluate::{Evaluation, Grid, PassColumns, Series, zeros};
use super::executor::{Combinations, DimensionOf, MAX_CELLS, ScanRequest, Sparse, too_many};
use super::graph::{Graph, is_count};
use super::ordered::{Ordered, Part, is_of_the_data};
use super::passes::{self, PassContext};
use super::spine::Spine;
use super::{blame, explain, relational};

/// What is computed, and over what.
pub(crate) struct Computation<'a> {
    pub(crate) events: &'a Events,
    pub(crate) graph: &'a Graph,
    pub(crate) spine: &'a Spine,
    pub(crate) filter: Option<&'a RowExpr>,
    pub(crate) zone: &'a str,
    pub(crate) extent: (i64, i64),
    /// The moment until which events are known.
    pub(crate) as_of: i64,
}

/// The values of all nodes.
pub(crate) struct Computed {
    /// The dimensions of each combination, in order.
    pub(crate) dimensions: Vec<ArrayRef>,
    pub(crate) grid: Grid,
    pub(crate) series: Vec<Series>,
    pub(crate) stats: ScanStats,
    /// The plans that were run, where they were asked for.
    pub(crate) plans: Vec<String>,
}

impl Computation<'_> {
    /// Computes all nodes for each combination of `dimensions`.
    pub(crate) async fn run(
        &self,
        dimensions: &[DimensionOf],
        with_plans: bool,
    ) -> Result<Computed> {
        let mut combinations = Combinations::new(dimensions)?;
        let (parts, mut stats, plans) = self
            .scans(dimensions, with_plans, &mut combinations)
            .await?;
        let mut found = Vec::new();
        for pass in &self.graph.passes {
            let cx = PassContext {
                events: self.events,
                spine: self.spine,
                dimensions,
                filter: self.filter,
                zone: self.zone,
                extent: self.extent,
                as_of: self.as_of,
            };
            let one = passes::run(&cx, pass, &mut combinations)
                .await
                .map_err(|e| blame::blamed(e, &format!("the metric `{}`", pass.name)))?;
            stats = passes::sum(stats, one.stats);
            found.push(one.sparse);
        }
        // Passes meet more combinations than those in which they find something.
        let mut used = vec![false; combinations.len()];
        for sparse in parts.iter().map(|p| &p.sparse).chain(&found) {
            for id in &sparse.ids {
                if let Some(slot) = used.get_mut(*id as usize) {
                    *slot = true;
                }
            }
        }
        let order = combinations.order(&used);
        let mut rank = vec![0; used.len()];
        for (place, id) in order.iter().enumerate() {
            if let Some(slot) = rank.get_mut(*id as usize) {
                *slot = place;
            }
        }
        let grid = Grid {
            combinations: order.len(),
            positions: self.spine.periods().len(),
        };
        if grid.combinations.saturating_mul(grid.positions) > MAX_CELLS {
            return Err(too_many(grid.combinations * grid.positions));
        }
        let atoms = self.atoms(grid, &rank, &parts)?;
        let passes = self.spread_passes(grid, &rank, &found)?;
        let evaluation = Evaluation {
            graph: self.graph,
            spine: self.spine,
            grid,
            zone: self.zone,
            atoms,
            passes,
        };
        Ok(Computed {
            series: evaluation.run()?,
            dimensions: combinations.columns(&order)?,
            grid,
            stats,
            plans,
        })
    }

    /// Computes all atoms: as many as possible in one pass, the others by plans of the engine.
    async fn scans(
        &self,
        dimensions: &[DimensionOf],
        with_plans: bool,
        combinations: &mut Combinations,
    ) -> Result<(Vec<Part>, ScanStats, Vec<String>)> {
        let overs = self.overs();
        let aggregates: Vec<Vec<Aggregate>> =
            overs.iter().map(|over| self.aggregates(*over)).collect();
        let requests = overs
            .iter()
            .zip(&aggregates)
            .map(|(over, aggregates)| self.request(*over, aggregates, dimensions))
            .collect::<Result<Vec<_>>>()?;
        let mut stats = ScanStats::default();
        let mut texts = Vec::new();
        let mut parts = Vec::new();
        let mut taken: Vec<(usize, usize)> = Vec::new();
        if let Some(ordered) = Ordered::plan(self.events, &requests)? {
            if with_plans {
                for (number, (over, request)) in overs.iter().zip(&requests).enumerate() {
                    texts.extend(explain::pass(&ordered, number, request, *over));
                }
            }
            match ordered.run(combinations).await {
                Ok((found, more)) => {
                    if with_plans {
                        texts.push(explain::read(more));
                    }
                    for part in &found {
                        taken.extend(part.aggregates.iter().map(|a| (part.request, *a)));
                    }
                    stats = passes::sum(stats, more);
                    parts = found;
                }
                Err(e) if is_of_the_data(&e) => texts.clear(),
                Err(e) => return Err(e),
            }
        }
        for (number, (over, request)) in overs.iter().zip(&requests).enumerate() {
            let numbers = 0..request.aggregates.len();
            let numbers: Vec<usize> = numbers.filter(|a| !taken.contains(&(number, *a))).collect();
            if numbers.is_empty() {
                continue;
            }
            let left: Vec<Aggregate> = numbers
                .iter()
                .filter_map(|a| request.aggregates.get(*a).cloned())
                .collect();
            let request = ScanRequest {
                aggregates: &left,
                presence: Vec::new(),
                ..request.clone()
            };
            if with_plans {
                texts.push(explain::scan(self.events, &request, *over).await?);
            }
            let table = relational::scan(self.events, &request)
                .await
                .map_err(|e| self.blamed(e, *over, &numbers))?;
            stats = passes::sum(stats, table.scan());
            parts.push(Part {
                request: number,
                aggregates: numbers,
                sparse: Sparse::read(&table, dimensions.len(), combinations)?,
            });
        }
        Ok((parts, stats, texts))
    }

    /// Returns the kinds of windows that atoms have: one request for each.
    pub(crate) fn overs(&self) -> Vec<Option<CumulativeRange>> {
        let mut overs = Vec::new();
        for atom in &self.graph.atoms {
            if !overs.contains(&atom.over) {
                overs.push(atom.over);
            }
        }
        overs
    }

    fn aggregates(&self, over: Option<CumulativeRange>) -> Vec<Aggregate> {
        let of_window = self.graph.atoms.iter().filter(|a| a.over == over);
        of_window.map(|a| a.aggregate.clone()).collect()
    }

    fn request<'r>(
        &'r self,
        over: Option<CumulativeRange>,
        aggregates: &'r [Aggregate],
        dimensions: &'r [DimensionOf],
    ) -> Result<ScanRequest<'r>> {
        let windows = self.spine.windows(over)?;
        let bucketer = match (over, windows.ranges().as_slice()) {
            (None, [(from, to)]) => Some(self.spine.calendar().bucketer(
                self.spine.grain(),
                *from,
                *to,
            )?),
            _ => None,
        };
        let of_window = self.graph.atoms.iter().enumerate();
        let of_window = of_window.filter(|(_, atom)| atom.over == over);
        let presence = of_window
            .enumerate()
            .filter_map(|(number, (atom, _))| self.graph.is_presence_only(atom).then_some(number));
        Ok(ScanRequest {
            aggregates,
            presence: presence.collect(),
            windows,
            disjoint: over.is_none(),
            bucketer,
            dimensions,
            filter: self.filter,
            zone: self.zone,
        })
    }

    fn atoms(&self, grid: Grid, rank: &[usize], parts: &[Part]) -> Result<Vec<ArrayRef>> {
        let rows: Vec<_> = parts
            .iter()
            .map(|p| grid.rows_of(&p.sparse, rank))
            .collect();
        let overs = self.overs();
        let mut used = vec![0; overs.len()];
        let mut atoms = Vec::with_capacity(self.graph.atoms.len());
        for atom in &self.graph.atoms {
            let Some(at) = overs.iter().position(|over| *over == atom.over) else {
                continue;
            };
            let number = used.get_mut(at).map_or(0, |n: &mut usize| {
                *n += 1;
                *n - 1
            });
            let found = parts.iter().zip(&rows).find_map(|(part, rows)| {
                let column = part.aggregates.iter().position(|a| *a == number)?;
                (part.request == at).then_some(())?;
                Some((part.sparse.columns.get(column)?, rows))
            });
            let Some((column, rows)) = found else {
                return Err(Error::internal("an aggregate was not computed"));
            };
            let dense = grid.spread(column, rows)?;
            atoms.push(match is_count(&atom.aggregate) {
                true => zeros(&dense)?,
                false => dense,
            });
        }
        Ok(atoms)
    }

    fn spread_passes(
        &self,
        grid: Grid,
        rank: &[usize],
        found: &[Sparse],
    ) -> Result<Vec<PassColumns>> {
        let mut spread = Vec::with_capacity(found.len());
        for (pass, sparse) in self.graph.passes.iter().zip(found) {
            let counts = passes::counts(&pass.kind);
            let rows = grid.rows_of(sparse, rank);
            let empty: ArrayRef = match counts {
                true => Arc::new(Int64Array::from(Vec::<i64>::new())),
                false => Arc::new(Float64Array::from(Vec::<f64>::new())),
            };
            let value = grid.spread(sparse.columns.first().unwrap_or(&empty), &rows)?;
            let value = match counts {
                true => zeros(&value)?,
                false => value,
            };
            let below = match passes::has_denominator(&pass.kind) {
                true => {
                    let none: ArrayRef = Arc::new(Int64Array::from(Vec::<i64>::new()));
                    let column = grid.spread(sparse.columns.get(1).unwrap_or(&none), &rows)?;
                    Some(zeros(&column)?)
                }
                false => None,
            };
            let present = (0..grid.len()).map(|cell| rows.is_valid(cell)).collect();
            spread.push((value, below, present));
        }
        Ok(spread)
    }
}
