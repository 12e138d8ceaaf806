//! From the members of a JSON object to the columns of a row.

use hashbrown::HashMap;
#[cfg(test)]
use hashbrown::HashSet;

use super::cell::{Cell, Target};
use super::link::Link;
use super::nest::{Name, Nest};
use super::problem::Problem;
use super::raw::{Kind, RawValue};
use super::scan::{Scanner, Stop, number_end, plain_end};
use crate::event;
use crate::ingest::block::Origin;
use crate::ingest::builder::{
    ACTOR, BatchBuilder, EVENT, EVENT_ID, FIRST_PROPERTY, Fault, json_text,
};
use crate::ingest::plan::ReadPlan;
use crate::ingest::value::cut;
use crate::ingest::{Limits, RejectReason};

/// Reads objects into a [`BatchBuilder`]. One reader serves one block.
///
/// It learns: for each key, which bytes stood between its value and the next one. The rows of a log are
/// written by one program, so that mostly the same bytes come again, and comparing them replaces
/// reading the key and looking it up.
#[derive(Debug)]
pub(crate) struct RowReader<'p> {
    plan: &'p ReadPlan,
    limits: &'p Limits,
    /// The keys known so far. The first one stands for the beginning of a row.
    keys: Vec<Key>,
    index: HashMap<Box<str>, u32>,
    /// Number of the current row, for `Key::seen`.
    row: u64,
    nest: Nest,
    unescaped: String,
    /// The first value of the row that is valid JSON, but not acceptable.
    objection: Option<Fault>,
}

#[derive(Debug)]
struct Key {
    /// What came after its value.
    link: Link,
    /// The last row that has this key.
    seen: u64,
    target: Target,
    /// Further columns that the same key fills.
    others: Vec<Target>,
    name: Box<str>,
    /// The name as JSON text.
    json: Box<str>,
}

impl Key {
    fn new(name: &str, target: Target) -> Self {
        Key {
            link: Link::new(),
            seen: 0,
            target,
            others: Vec::new(),
            name: name.into(),
            json: json_text(name).into(),
        }
    }
}

/// Why a row was refused, before it is known where it ends.
pub(super) enum Refusal {
    Invalid(Problem),
    /// The key at this position is there twice.
    Twice(usize),
    Unacceptable(Fault),
}

/// Most unplanned keys that a reader remembers; logs that use data as keys would fill the memory.
const MAX_LEARNED: usize = 4_096;

impl<'p> RowReader<'p> {
    pub(crate) fn new(plan: &'p ReadPlan, limits: &'p Limits) -> Self {
        let mut reader = RowReader {
            plan,
            limits,
            keys: vec![Key::new("", Target::Extra)],
            index: HashMap::new(),
            row: 0,
            nest: Nest::default(),
            unescaped: String::new(),
            objection: None,
        };
        let roles = [
            (plan.event_id.as_deref(), Target::Text { column: EVENT_ID }),
            (Some(plan.actor.as_str()), Target::Text { column: ACTOR }),
            (plan.event.as_deref(), Target::Text { column: EVENT }),
            (Some(plan.time.as_str()), Target::Time),
        ];
        for (key, target) in roles {
            if let Some(key) = key {
                reader.add_key(key, target);
            }
        }
        for (i, property) in plan.properties.iter().enumerate() {
            let column = FIRST_PROPERTY + i;
            let ty = property.ty;
            reader.add_key(&property.key, Target::Property { column, ty });
        }
        reader
    }

    fn add_key(&mut self, name: &str, target: Target) -> usize {
        if let Some(&known) = self.index.get(name) {
            let known = known as usize;
            if let Some(key) = self.keys.get_mut(known) {
                key.others.push(target);
            }
            return known;
        }
        let key = self.keys.len();
        self.index.insert(name.into(), key as u32);
        self.keys.push(Key::new(name, target));
        key
    }

    /// Finds a key, or learns it; `None` when no more are learned.
    fn find_key(&mut self, name: &str) -> Option<usize> {
        match self.index.get(name) {
            Some(&key) => Some(key as usize),
            None if self.keys.len() < self.plan.properties.len() + MAX_LEARNED => {
                Some(self.add_key(name, Target::Extra))
            }
            None => None,
        }
    }

    /// Appends the object that is the whole of `text`.
    ///
    /// # Errors
    /// Says why the row is to be rejected; the caller takes the half-appended row back.
    pub(crate) fn read(
        &mut self,
        text: &str,
        origin: Origin,
        builder: &mut BatchBuilder,
    ) -> Result<(), Fault> {
        let mut nest = std::mem::take(&mut self.nest);
        let scanner = Scanner::of_text(text, self.limits, &mut nest);
        let result = match self.members(scanner, builder) {
            Ok(_) => self.end_row(origin, builder),
            Err(refusal) => Err(self.explain(refusal, text, 0)),
        };
        self.nest = nest;
        result
    }

    /// Appends the object that is the line of `text` from `start` on, and returns the end of the line.
    ///
    /// # Errors
    /// As [`read`](Self::read); [`explain`](Self::explain) puts it into words.
    #[inline]
    pub(super) fn read_line(
        &mut self,
        text: &str,
        start: usize,
        line: u64,
        builder: &mut BatchBuilder,
    ) -> Result<usize, Refusal> {
        let mut nest = std::mem::take(&mut self.nest);
        let scanner = Scanner::of_line(text, start, self.limits, &mut nest);
        let end = self.members(scanner, builder);
        self.nest = nest;
        let end = end?;
        let carriage_return = text.as_bytes().get(end.wrapping_sub(1)) == Some(&b'\r');
        let origin = Origin {
            row: line,
            start: start as u32,
            end: (end - usize::from(carriage_return)) as u32,
        };
        self.end_row(origin, builder)
            .map_err(Refusal::Unacceptable)?;
        Ok(end)
    }

    /// Appends an object given as keys and values: those of [`split_object`](super::split_object), or put
    /// together from them.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    #[cfg(test)]
    pub(crate) fn append<'a>(
        &mut self,
        members: impl IntoIterator<Item = (&'a str, RawValue<'a>)>,
        origin: Origin,
        builder: &mut BatchBuilder,
    ) -> Result<(), Fault> {
        self.begin_row();
        let mut unlearned = HashSet::new();
        for (name, value) in members {
            let first = match self.find_key(name) {
                Some(key) => self.place(key, value, builder),
                None => {
                    builder.push_extra(&json_text(name), value.text);
                    unlearned.insert(name)
                }
            };
            if !first {
                return Err(duplicate(name));
            }
        }
        self.end_row(origin, builder)
    }

    /// Appends an object of serde_json. Its numbers are what serde_json made of them.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    #[cfg(test)]
    pub(crate) fn append_object(
        &mut self,
        object: &serde_json::Map<String, serde_json::Value>,
        origin: Origin,
        builder: &mut BatchBuilder,
    ) -> Result<(), Fault> {
        let text = serde_json::to_string(object)
            .map_err(|e| Fault::new(RejectReason::Malformed, e.to_string()))?;
        self.read(&text, origin, builder)
    }

    fn begin_row(&mut self) {
        self.row += 1;
        self.objection = None;
    }

    /// Reads the members of the object and returns the end of the row.
    #[inline(always)]
    fn members(
        &mut self,
        mut scanner: Scanner<'_, '_>,
        builder: &mut BatchBuilder,
    ) -> Result<usize, Refusal> {
        self.begin_row();
        scanner.nest.restart();
        let text = scanner.text;
        let bytes = text.as_bytes();
        // The scanner's own position would be read from memory at every step; it is up to date only
        // where the scanner is called.
        let mut at = scanner.at;
        let mut previous = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let followed = self
                .keys
                .get(previous)
                .and_then(|k| Some((k.link.key, k.link.follow(rest)?)));
            let key = match followed {
                Some((key, len)) => {
                    at += len;
                    key as usize
                }
                None if previous > 0 && rest.first() == Some(&b'}') => {
                    scanner.at = at + 1;
                    break;
                }
                None => {
                    scanner.at = at;
                    let next = self.next_key(&mut scanner, previous, builder);
                    at = scanner.at;
                    match next {
                        Ok(Next::Key(key)) => key,
                        Ok(Next::Done) => {
                            previous = usize::MAX;
                            continue;
                        }
                        Ok(Next::End) => break,
                        Err(Stop) => return Err(Refusal::Invalid(scanner.into_problem())),
                    }
                }
            };
            let mut start = at;
            let simple = match bytes.get(at) {
                Some(b'"') => {
                    let end = plain_end(bytes, at + 1);
                    (bytes.get(end) == Some(&b'"')).then_some((Kind::Plain, end + 1))
                }
                Some(b'-' | b'0'..=b'9') => {
                    number_end(bytes, at).ok().map(|end| (Kind::Number, end))
                }
                Some(b'n') => bytes
                    .get(at..at + 4)
                    .filter(|word| *word == b"null")
                    .map(|_| (Kind::Null, at + 4)),
                _ => None,
            };
            let kind = match simple {
                Some((kind, end)) => {
                    at = end;
                    kind
                }
                None => {
                    scanner.at = at;
                    scanner.skip_space();
                    start = scanner.at;
                    let kind = scanner.value();
                    at = scanner.at;
                    match kind {
                        Ok(kind) => kind,
                        Err(Stop) => return Err(Refusal::Invalid(scanner.into_problem())),
                    }
                }
            };
            // Values begin and end with an ASCII character.
            let text = text.get(start..at).unwrap_or_default();
            if !self.place(key, RawValue { kind, text }, builder) {
                return Err(Refusal::Twice(key));
            }
            previous = key;
        }
        match scanner.close().and_then(|()| scanner.end_row()) {
            Ok(()) => Ok(scanner.at),
            Err(Stop) => Err(Refusal::Invalid(scanner.into_problem())),
        }
    }

    /// Reads in full what stands before the next value, and learns it.
    #[inline(never)]
    fn next_key(
        &mut self,
        scanner: &mut Scanner<'_, '_>,
        previous: usize,
        builder: &mut BatchBuilder,
    ) -> Result<Next, Stop> {
        let start = scanner.at;
        if previous == 0 {
            scanner.open_row()?;
        }
        if !scanner.next_member(previous == 0)? {
            return Ok(Next::End);
        }
        let name = scanner.name()?;
        let Some(key) = self.find_key(&name.decoded(scanner.text)) else {
            self.read_unlearned(scanner, name, builder)?;
            return Ok(Next::Done);
        };
        let between = scanner.text.as_bytes().get(start..scanner.at);
        if let (Some(previous), Some(between)) = (self.keys.get_mut(previous), between) {
            previous.link.learn(between, key as u32);
        }
        Ok(Next::Key(key))
    }

    #[cold]
    fn read_unlearned(
        &mut self,
        scanner: &mut Scanner<'_, '_>,
        name: Name,
        builder: &mut BatchBuilder,
    ) -> Result<(), Stop> {
        scanner.insert(name)?;
        let start = scanner.at;
        let kind = scanner.value()?;
        let value = scanner.raw(kind, start);
        builder.push_extra(&json_text(&name.decoded(scanner.text)), value.text);
        Ok(())
    }

    /// Puts a value where its key belongs; false if the row has the key already.
    #[inline(always)]
    fn place(&mut self, key: usize, value: RawValue<'_>, builder: &mut BatchBuilder) -> bool {
        let Some(key) = self.keys.get_mut(key) else {
            return true;
        };
        if std::mem::replace(&mut key.seen, self.row) == self.row {
            return false;
        }
        let mut cell = Cell {
            plan: self.plan,
            key: &key.name,
            value,
            unescaped: &mut self.unescaped,
            objection: &mut self.objection,
        };
        let mut kept = cell.fill(key.target, builder);
        for &target in &key.others {
            kept &= cell.fill(target, builder);
        }
        if !kept {
            builder.push_extra(&key.json, value.text);
        }
        true
    }

    fn end_row(&mut self, origin: Origin, builder: &mut BatchBuilder) -> Result<(), Fault> {
        if let Some(objection) = self.objection.take() {
            return Err(objection);
        }
        if let Some(name) = &self.plan.event_name {
            builder.append_text(EVENT, name);
        }
        builder
            .end_row(origin)
            .map_err(|fault| self.by_source_key(fault))
    }

    /// Puts a refusal into words; `text` is the row, and began at `start` of what was scanned.
    #[cold]
    pub(super) fn explain(&self, refusal: Refusal, text: &str, start: usize) -> Fault {
        match refusal {
            Refusal::Invalid(problem) => problem.into_fault(text, start, self.limits),
            Refusal::Twice(key) => duplicate(self.keys.get(key).map_or("", |k| &k.name)),
            Refusal::Unacceptable(fault) => fault,
        }
    }

    /// Names a missing role by the key of the source.
    #[cold]
    fn by_source_key(&self, fault: Fault) -> Fault {
        let key = match fault.field.as_deref() {
            Some(event::ACTOR) => &self.plan.actor,
            Some(event::EVENT) => match &self.plan.event {
                Some(key) => key,
                None => return fault,
            },
            Some(event::TIME) => &self.plan.time,
            _ => return fault,
        };
        let role = fault.field.as_deref().unwrap_or_default();
        Fault::new(
            RejectReason::MissingRole,
            format!("the row has no key `{key}`, which is its {role}"),
        )
        .with_field(key)
    }
}

enum Next {
    /// The value of this key follows.
    Key(usize),
    /// A member was read and kept, key and value.
    Done,
    /// The object ended.
    End,
}

#[cold]
fn duplicate(name: &str) -> Fault {
    Fault::new(
        RejectReason::DuplicateKey,
        format!("key `{}` is there twice in one object", cut(name)),
    )
    .with_field(name)
}
