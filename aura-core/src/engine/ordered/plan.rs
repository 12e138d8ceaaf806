//! A request, worked out for one source: what to read, and what becomes of it.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, PoisonError};

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::prelude::SessionContext;

use super::code::is_text;
use super::filter::Filter;
use super::shape::{Place, Shape};
use super::{Order, Request, Sizes, Texts};
use crate::Result;
use crate::event::{ACTOR, EVENT, EVENT_ID};

/// The place of a column among those read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Slot {
    Read(usize),
    Constant(String),
    Time,
}

/// A column that comes out.
#[derive(Debug, Clone)]
pub(super) struct Out {
    pub(super) slot: Slot,
    /// The type in the table `events`.
    pub(super) ty: DataType,
    /// `Some` for text.
    pub(super) texts: Option<Arc<Texts>>,
}

/// What a scan reads and gives.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) shape: Shape,
    /// Columns of the source to read.
    pub(super) read: Vec<String>,
    pub(super) actor: Option<usize>,
    pub(super) time: Option<usize>,
    /// The asked columns, then hidden ones.
    pub(super) out: Vec<Out>,
    /// How many of `out` were asked for.
    pub(super) asked: usize,
    /// Places in `out` that decide between rows of an actor at the same time, in this order.
    pub(super) ties: Vec<usize>,
    /// The place in `out` of the actors' names, where they are wanted and keys do not hold them.
    pub(super) names: Option<usize>,
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) filter: Arc<Filter>,
    pub(super) order: Order,
    pub(super) sizes: Sizes,
    /// Whether the event ids, which nobody asked for, are read to decide ties: the last of `out`.
    pub(super) hidden_id: bool,
    /// Set when rows are left out because they have no actor.
    pub(super) actorless: Arc<AtomicBool>,
    /// Whether they are the last of `read` and nothing else needs them.
    id_read: bool,
}

/// What a plan is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Plain rows.
    Rows,
    /// Actors from files in their order, with which their names come.
    Merge,
    /// Actors from anywhere.
    Scatter,
}

impl Plan {
    pub(super) fn new(
        request: &Request,
        purpose: Purpose,
        shape: &Shape,
        events: &SchemaRef,
        context: &SessionContext,
        text_bytes: usize,
    ) -> Result<Self> {
        let mut plan = Plan {
            shape: shape.clone(),
            read: Vec::new(),
            actor: None,
            time: None,
            out: Vec::new(),
            asked: request.columns.len(),
            ties: Vec::new(),
            names: None,
            from: request.from.unwrap_or(i64::MIN),
            to: request.to.unwrap_or(i64::MAX),
            filter: Arc::default(),
            order: request.order,
            sizes: Sizes::default(),
            hidden_id: false,
            actorless: Arc::default(),
            id_read: false,
        };
        let actors = purpose != Purpose::Rows;
        if actors {
            plan.actor = Some(plan.reading(shape.actor()));
        }
        if actors || request.times || request.from.is_some() || request.to.is_some() {
            plan.time = Some(plan.reading(shape.time()));
        }
        for name in &request.columns {
            plan.give(name, events, text_bytes, request)?;
        }
        if purpose == Purpose::Scatter && request.names {
            plan.names = Some(plan.give(shape.who(), events, text_bytes, request)?);
        }
        if let Some(filter) = &request.filter {
            let filter = Filter::new(filter, events, context, |name| {
                let (place, ty) = shape.place(events, name)?;
                Ok((plan.slot(place), ty))
            })?;
            plan.filter = Arc::new(filter);
        }
        if actors && request.order == Order::Time {
            plan.break_ties(request, events)?;
        }
        Ok(plan)
    }

    /// Returns the place of a source column among those read.
    fn reading(&mut self, column: &str) -> usize {
        match self.read.iter().position(|c| c == column) {
            Some(place) => place,
            None => {
                self.read.push(column.to_owned());
                self.read.len() - 1
            }
        }
    }

    fn slot(&mut self, place: Place) -> Slot {
        match place {
            Place::Column(column) => Slot::Read(self.reading(&column)),
            Place::Constant(text) => Slot::Constant(text),
            Place::Time => {
                let time = self.shape.time().to_owned();
                self.time = Some(self.reading(&time));
                Slot::Time
            }
        }
    }

    fn give(
        &mut self,
        name: &str,
        events: &SchemaRef,
        text_bytes: usize,
        request: &Request,
    ) -> Result<usize> {
        let (place, ty) = self.shape.clone().place(events, name)?;
        // Numbers as names of actors come as text, too.
        let text = is_text(&ty) || (name == self.shape.who());
        let slot = self.slot(place);
        self.out.push(Out {
            slot,
            ty,
            texts: text.then(|| texts_of(name, text_bytes, request)),
        });
        Ok(self.out.len() - 1)
    }

    fn break_ties(&mut self, request: &Request, events: &SchemaRef) -> Result<()> {
        let mut names: Vec<(usize, &str)> = request
            .columns
            .iter()
            .enumerate()
            .map(|(place, name)| (place, name.as_str()))
            .collect();
        names.sort_by_key(|(_, name)| (*name != EVENT, *name));
        let apart = |name: &&str| ![ACTOR, crate::event::TIME].contains(name);
        // Rows that differ in nothing that is asked for need no order.
        if names.iter().any(|(_, name)| apart(name)) && self.shape.event_id().is_some() {
            let asked = names.iter().find(|(_, name)| *name == EVENT_ID);
            let id = match asked {
                Some((place, _)) => *place,
                None => self.hidden_id(events)?,
            };
            self.ties.push(id);
        }
        for (place, _) in names {
            if !self.ties.contains(&place) {
                self.ties.push(place);
            }
        }
        Ok(())
    }

    /// The ids as they are: codes of texts that never repeat would cost more than they save.
    fn hidden_id(&mut self, events: &SchemaRef) -> Result<usize> {
        let (place, ty) = self.shape.clone().place(events, EVENT_ID)?;
        let before = self.read.len();
        let slot = self.slot(place);
        self.id_read = self.read.len() > before;
        self.hidden_id = true;
        self.out.push(Out {
            slot,
            ty,
            texts: None,
        });
        Ok(self.out.len() - 1)
    }

    /// Returns a plan that reads nothing but times.
    pub(super) fn times_only(&self) -> Plan {
        Plan {
            read: vec![self.shape.time().to_owned()],
            actor: None,
            time: Some(0),
            out: Vec::new(),
            filter: Arc::default(),
            ..self.clone()
        }
    }

    /// Returns the same plan without reading event ids that nobody asked for. Codes mean the same in
    /// both.
    pub(super) fn without_hidden_id(&self) -> Plan {
        let mut plan = self.clone();
        if plan.hidden_id {
            plan.out.pop();
            let places = plan.out.len();
            plan.ties.retain(|&tie| tie < places);
            if plan.id_read {
                plan.read.pop();
            }
            plan.hidden_id = false;
        }
        plan
    }
}

fn texts_of(name: &str, text_bytes: usize, request: &Request) -> Arc<Texts> {
    let new = || Arc::new(Texts::new(name, text_bytes));
    match &request.texts {
        None => new(),
        Some(shared) => {
            let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(shared.entry(name.to_owned()).or_insert_with(new))
        }
    }
}
