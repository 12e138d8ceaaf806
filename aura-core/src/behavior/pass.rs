//! Many analyses in one pass over the events.

#[cfg(test)]
mod tests;
mod whole;

use std::any::Any;
use std::sync::Arc;

use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr, lit};
use datafusion::prelude::ident;

use super::Analysis;
use super::common::{Common, Scope};
use super::making::{Making, Needs, name_of};
use crate::calendar::Bucketer;
use crate::engine::ordered::{
    self, ActorBlock, Answers, CancelOnDrop, NO_MARK, Request, RowBlock, RowTests, ScanSource,
    apart,
};
use crate::engine::{Events, ScanStats, Table, extent};
use crate::event::EVENT;
use crate::ingest::CancelToken;
use crate::{Error, Result};
use whole::Whole;

/// Most analyses of one call.
pub(crate) const MAX_ANALYSES: usize = 100;

/// A kind of analysis: from its spec to a [`Kernel`].
pub(crate) trait Spec {
    /// Returns the fields that every spec has.
    fn common(&self) -> Common<'_>;

    /// Tells whether [`Making::extent`] is needed.
    fn needs_extent(&self) -> bool {
        false
    }

    /// Checks the spec and prepares it. May be called more than once; must do the same each time.
    ///
    /// # Errors
    /// `InvalidSpec` naming the field.
    fn prepare(&self, making: &mut Making<'_>) -> Result<Box<dyn Prepared>>;
}

/// The actors of a block and, for each row, which conditions of the analysis it meets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Marked<'a> {
    pub(crate) block: &'a ActorBlock,
    /// One word for each row of the block; [`Making::condition`] gave the bits. Other bits may be set as well.
    pub(crate) masks: &'a [u64],
}

/// The computation of one analysis. Each thread has a state of its own.
///
/// Rows may come that the analysis did not ask for: of other times, other events, and not passing its filter. Its bits
/// are set only where the filter holds; times it compares itself.
///
/// **Ties.** The order of rows at the same microsecond depends on what else is asked in the pass, unless the source
/// has event ids: a result must not depend on it. [`Groups::compare_rows`](super::groups::Groups::compare_rows) helps.
///
/// `combine` must be commutative and associative, to the last bit of what `finish` makes.
pub(crate) trait Kernel: Send + Sync + 'static {
    type State: Send + 'static;

    fn new_state(&self) -> Result<Self::State>;

    fn block(&self, state: &mut Self::State, marked: Marked<'_>) -> Result<()>;

    fn combine(&self, into: Self::State, from: Self::State) -> Result<Self::State>;

    /// Makes the table, with its notes.
    fn finish(&self, state: Self::State) -> Result<Table>;

    /// Says which rows of an actor are as good as one; `None` if each may count.
    fn distinct(&self) -> Option<Distinct<'_>> {
        None
    }

    /// Whether an actor with very many rows may come in several blocks, see [`ActorBlock`]. Others of the same pass may need it
    /// whole.
    fn takes_parts(&self) -> bool {
        false
    }
}

/// Of the rows of an actor that have this bit, one of each period is enough, and others are not needed.
pub(crate) struct Distinct<'a> {
    pub(crate) bit: u64,
    pub(crate) periods: &'a Bucketer,
    /// One of each pair of periods, if there are two kinds.
    pub(crate) within: Option<&'a Bucketer>,
}

/// A [`Kernel`] whose state has no type.
pub(crate) trait Prepared: Send + Sync {
    fn new_state(&self) -> Result<Box<dyn Any + Send>>;
    fn block(&self, state: &mut (dyn Any + Send), marked: Marked<'_>) -> Result<()>;
    fn combine(
        &self,
        into: Box<dyn Any + Send>,
        from: Box<dyn Any + Send>,
    ) -> Result<Box<dyn Any + Send>>;
    fn finish(&self, state: Box<dyn Any + Send>) -> Result<Table>;
    fn distinct(&self) -> Option<Distinct<'_>>;
    fn takes_parts(&self) -> bool;
}

fn other_state() -> Error {
    Error::internal("the state of another analysis was given")
}

impl<K: Kernel> Prepared for K {
    fn new_state(&self) -> Result<Box<dyn Any + Send>> {
        Ok(Box::new(Kernel::new_state(self)?))
    }

    fn block(&self, state: &mut (dyn Any + Send), marked: Marked<'_>) -> Result<()> {
        let state = state.downcast_mut().ok_or_else(other_state)?;
        Kernel::block(self, state, marked)
    }

    fn combine(
        &self,
        into: Box<dyn Any + Send>,
        from: Box<dyn Any + Send>,
    ) -> Result<Box<dyn Any + Send>> {
        let into = into.downcast().map_err(|_| other_state())?;
        let from = from.downcast().map_err(|_| other_state())?;
        Ok(Box::new(Kernel::combine(self, *into, *from)?))
    }

    fn finish(&self, state: Box<dyn Any + Send>) -> Result<Table> {
        let state = state.downcast().map_err(|_| other_state())?;
        Kernel::finish(self, *state)
    }

    fn distinct(&self) -> Option<Distinct<'_>> {
        Kernel::distinct(self)
    }

    fn takes_parts(&self) -> bool {
        Kernel::takes_parts(self)
    }
}

/// All analyses of a pass as one kernel of the scan.
struct Pass {
    words: Vec<RowTests>,
    /// Each analysis with its word.
    analyses: Vec<(usize, Box<dyn Prepared>)>,
}

struct PassState {
    answers: Vec<Answers>,
    masks: Vec<Vec<u64>>,
    periods: Vec<i32>,
    whole: Whole,
    /// The states of the analyses, or why there are none.
    states: Result<Vec<Box<dyn Any + Send>>>,
}

impl PassState {
    fn states(self) -> Result<Vec<Box<dyn Any + Send>>> {
        self.states
    }
}

impl ordered::Kernel for Pass {
    type State = PassState;

    fn new_state(&self) -> PassState {
        PassState {
            answers: self.words.iter().map(RowTests::new_answers).collect(),
            masks: vec![Vec::new(); self.words.len()],
            periods: Vec::new(),
            whole: Whole::default(),
            states: self.analyses.iter().map(|(_, a)| a.new_state()).collect(),
        }
    }

    fn block(&self, state: &mut PassState, block: &ActorBlock) -> Result<()> {
        let words = self.words.iter().zip(&mut state.answers);
        for ((tests, answers), masks) in words.zip(&mut state.masks) {
            tests.masks(answers, block, masks)?;
        }
        let state_masks = &state.masks;
        let Ok(states) = &mut state.states else {
            return Err(Error::internal("an analysis could not be started"));
        };
        let in_parts = block.begun || block.open;
        let mut lacking = false;
        for ((word, analysis), state) in self.analyses.iter().zip(&mut *states) {
            if in_parts && !analysis.takes_parts() {
                lacking = true;
                continue;
            }
            let masks = state_masks.get(*word).map_or(&[][..], |m| m);
            analysis.block(state.as_mut(), Marked { block, masks })?;
        }
        if !lacking {
            return Ok(());
        }
        state.whole.take(block, state_masks, |block, masks| {
            let analyses = self.analyses.iter().zip(&mut *states);
            for ((word, analysis), state) in analyses.filter(|((_, a), _)| !a.takes_parts()) {
                let masks = masks.get(*word).copied().unwrap_or_default();
                analysis.block(state.as_mut(), Marked { block, masks })?;
            }
            Ok(())
        })
    }

    fn combine(&self, into: PassState, from: PassState) -> Result<PassState> {
        let pairs = into.states()?.into_iter().zip(from.states()?);
        let states = self.analyses.iter().zip(pairs);
        Ok(PassState {
            answers: Vec::new(),
            masks: Vec::new(),
            periods: Vec::new(),
            whole: Whole::default(),
            states: states
                .map(|((_, analysis), (into, from))| analysis.combine(into, from))
                .collect(),
        })
    }

    fn takes_parts(&self) -> bool {
        self.analyses.iter().any(|(_, a)| a.takes_parts())
    }

    fn has_marks(&self) -> bool {
        self.distinct().is_some()
    }

    fn marks(&self, state: &mut PassState, rows: &RowBlock, marks: &mut Vec<u64>) -> Result<()> {
        let lacking = || Error::internal("rows without times cannot be told apart");
        let distinct = self.distinct().ok_or_else(lacking)?;
        let times = rows.times.as_ref().ok_or_else(lacking)?;
        let words = self.words.iter().zip(&mut state.answers);
        for ((tests, answers), masks) in words.zip(&mut state.masks) {
            tests.masks(answers, rows, masks)?;
        }
        let periods = &mut state.periods;
        marks.clear();
        marks.resize(times.len(), 0);
        for bucketer in [Some(distinct.periods), distinct.within]
            .into_iter()
            .flatten()
        {
            periods.clear();
            periods.resize(times.len(), -1);
            bucketer.index_into(times, periods)?;
            for (mark, &period) in marks.iter_mut().zip(&*periods) {
                // Outside of all periods is −1, of which 31 bits leave room for [`NO_MARK`].
                *mark = *mark << 31 | u64::from(period as u32 & (u32::MAX >> 1));
            }
        }
        let masks = state.masks.first().map_or(&[][..], |masks| masks);
        for (mark, mask) in marks.iter_mut().zip(masks) {
            if mask & distinct.bit == 0 {
                *mark = NO_MARK;
            }
        }
        Ok(())
    }
}

impl Pass {
    /// Says which rows are as good as one for the whole pass.
    fn distinct(&self) -> Option<Distinct<'_>> {
        match self.analyses.as_slice() {
            [(0, only)] => only.distinct(),
            _ => None,
        }
    }
}

/// One pass: which analyses (by their place in the call), and what it reads.
struct Plan {
    source: ScanSource,
    request: Request,
    pass: Pass,
    places: Vec<usize>,
}

/// Runs analyses; returns their tables in their order.
pub(crate) async fn run(events: &Events, analyses: &[Analysis]) -> Result<Vec<Table>> {
    if analyses.len() > MAX_ANALYSES {
        return Err(Error::invalid_spec(format!(
            "{} analyses; at most {MAX_ANALYSES} can be run together",
            analyses.len()
        )));
    }
    let cancel = CancelToken::default();
    let _stop = CancelOnDrop(cancel.clone());
    let (extent, before) = match analyses.iter().any(|a| a.spec().needs_extent()) {
        true => extent(events).await?,
        false => (None, ScanStats::default()),
    };
    let mut tables: Vec<Option<Table>> = vec![None; analyses.len()];
    for mut plan in plans(events, analyses, extent)? {
        plan.request.cancel = cancel.clone();
        let places = plan.places.clone();
        let found = apart(move || {
            let scanned = plan.source.actors(&plan.request, &plan.pass)?;
            let states = plan.pass.analyses.iter().zip(scanned.state.states()?);
            let tables = states.map(|((_, analysis), state)| analysis.finish(state));
            Ok((tables.collect::<Result<Vec<_>>>()?, scanned.stats))
        });
        let (found, stats) = found.await?;
        for (place, table) in places.into_iter().zip(found) {
            if let Some(slot) = tables.get_mut(place) {
                *slot = Some(table.with_scan(sum(before, stats)));
            }
        }
    }
    let tables = tables.into_iter();
    tables
        .map(|table| table.ok_or_else(|| Error::internal("an analysis was not run")))
        .collect()
}

fn sum(a: ScanStats, b: ScanStats) -> ScanStats {
    ScanStats {
        files_total: a.files_total + b.files_total,
        files_read: a.files_read + b.files_read,
        bytes_read: a.bytes_read + b.bytes_read,
    }
}

/// A column that is the actor, and the analyses by it with their places.
type OfActor<'a> = (Option<&'a str>, Vec<(usize, Scope)>);

/// Divides analyses into passes: one for each column that is the actor.
fn plans(events: &Events, analyses: &[Analysis], extent: Option<(i64, i64)>) -> Result<Vec<Plan>> {
    let source = events.scan_source();
    let schema = DFSchema::try_from(Arc::clone(&source.events))?;
    let mut actors: Vec<OfActor<'_>> = Vec::new();
    for (at, analysis) in analyses.iter().enumerate() {
        let common = analysis.spec().common();
        let scope = common
            .check(&schema)
            .map_err(|e| name_of(at, analyses, e))?;
        match actors.iter_mut().find(|(actor, _)| *actor == common.actor) {
            Some((_, places)) => places.push((at, scope)),
            None => actors.push((common.actor, vec![(at, scope)])),
        }
    }
    let plan = |(actor, scopes): OfActor<'_>| {
        let first = scopes.first().map_or(0, |(at, _)| *at);
        let source = match actor {
            Some(column) => source
                .with_actor(column)
                .map_err(|e| name_of(first, analyses, e))?,
            None => source.clone(),
        };
        plan(source, &schema, analyses, scopes, extent)
    };
    actors.into_iter().map(plan).collect()
}

/// Prepares the analyses of one pass.
fn plan(
    source: ScanSource,
    schema: &DFSchema,
    analyses: &[Analysis],
    scopes: Vec<(usize, Scope)>,
    extent: Option<(i64, i64)>,
) -> Result<Plan> {
    let mut request = Request::default();
    let shared: Option<Expr> = scopes.first().and_then(|(_, s)| s.filter.clone());
    let filtered = scopes.iter().all(|(_, s)| s.filter == shared);
    let mut words: Vec<Vec<Expr>> = Vec::new();
    let mut prepared = Vec::with_capacity(scopes.len());
    let mut places = Vec::with_capacity(scopes.len());
    let mut needs: Option<Needs> = None;
    for (at, scope) in scopes {
        let Some(analysis) = analyses.get(at) else {
            continue;
        };
        // Into the first word that has room for all conditions of the analysis.
        let mut word = 0;
        loop {
            let mut making = Making {
                source: &source,
                schema,
                request: &mut request,
                needs: Needs::new(&scope),
                scope: scope.clone(),
                filtered,
                word: words.get(word).cloned().unwrap_or_default(),
                full: false,
                extent,
            };
            let made = analysis.spec().prepare(&mut making);
            let fresh = word >= words.len();
            match made {
                Ok(made) => {
                    let (conditions, own) = (making.word, making.needs);
                    match words.get_mut(word) {
                        Some(known) => *known = conditions,
                        None => words.push(conditions),
                    }
                    match &mut needs {
                        Some(needs) => needs.join(own),
                        None => needs = Some(own),
                    }
                    prepared.push((word, made));
                    places.push(at);
                    break;
                }
                Err(_) if making.full && !fresh => word += 1,
                Err(e) => return Err(name_of(at, analyses, e)),
            }
        }
    }
    let mut filter = shared.filter(|_| filtered);
    if let Some(needs) = needs {
        (request.from, request.to, request.order) = (needs.from, needs.to, needs.order);
        if let Some(events) = needs.events.filter(|e| !e.is_empty()) {
            let names = events.iter().map(|name| lit(name.as_str())).collect();
            let of_interest = ident(EVENT).in_list(names, false);
            filter = Some(match filter {
                Some(filter) => filter.and(of_interest),
                None => of_interest,
            });
        }
    }
    request.filter = filter;
    let words = words
        .iter()
        .map(|word| RowTests::new(word, &source, &mut request))
        .collect::<Result<Vec<_>>>()?;
    Ok(Plan {
        source,
        request,
        pass: Pass {
            words,
            analyses: prepared,
        },
        places,
    })
}
