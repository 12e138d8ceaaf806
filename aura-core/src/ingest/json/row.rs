//! From the members of a JSON object to the columns of a row.

use hashbrown::HashMap;

use super::scan::{Kind, Name, Nest, Problem, RawValue, Scanner, inside, unescape};
use crate::event::{self, PropertyType};
use crate::ingest::block::Origin;
use crate::ingest::builder::{
    ACTOR, BatchBuilder, EVENT, EVENT_ID, FIRST_PROPERTY, Fault, TIME, json_text,
};
use crate::ingest::plan::ReadPlan;
use crate::ingest::value::{
    TimeError, cut, parse_date, parse_integral, parse_number, parse_numeric_time, parse_time,
};
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
    keys: Vec<Key>,
    index: HashMap<Box<str>, u32>,
    /// What came after the value of key `i` is at `i + 1`, what the row began with at 0.
    links: Vec<Link>,
    /// Number of the current row, for `Key::seen`.
    row: u64,
    nest: Nest,
    unescaped: String,
    /// The first value of the row that is valid JSON, but not acceptable.
    objection: Option<Fault>,
}

#[derive(Debug)]
struct Key {
    name: Box<str>,
    /// The name as JSON text.
    json: Box<str>,
    target: Target,
    /// Further columns that the same key fills.
    others: Vec<Target>,
    /// The last row that has this key.
    seen: u64,
}

#[derive(Debug, Default)]
struct Link {
    /// From the end of a value to the beginning of the next one.
    between: Vec<u8>,
    key: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// One of the roles that are text.
    Text {
        column: usize,
    },
    Time,
    Property {
        column: usize,
        ty: PropertyType,
    },
    Extra,
}

/// Most unplanned keys that a reader remembers; logs that use data as keys would fill the memory.
const MAX_LEARNED: usize = 4_096;
/// Longest separator worth remembering.
const MAX_BETWEEN: usize = 512;

impl<'p> RowReader<'p> {
    pub(crate) fn new(plan: &'p ReadPlan, limits: &'p Limits) -> Self {
        let mut reader = RowReader {
            plan,
            limits,
            keys: Vec::new(),
            index: HashMap::new(),
            links: vec![Link::default()],
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
        self.keys.push(Key {
            name: name.into(),
            json: json_text(name).into(),
            target,
            others: Vec::new(),
            seen: 0,
        });
        self.links.push(Link::default());
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
    #[inline]
    pub(crate) fn read(
        &mut self,
        text: &str,
        origin: Origin,
        builder: &mut BatchBuilder,
    ) -> Result<(), Fault> {
        self.begin_row();
        match self.members(text, builder) {
            Ok(None) => self.end_row(origin, builder),
            Ok(Some(twice)) => {
                let name = self.keys.get(twice).map_or("", |k| &k.name);
                Err(duplicate(name))
            }
            Err(problem) => Err(problem.into_fault(text, self.limits)),
        }
    }

    /// Appends an object given as keys and values, which are valid JSON: from [`split_object`](super::split_object),
    /// or put together.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(crate) fn append<'a>(
        &mut self,
        members: impl IntoIterator<Item = (&'a str, RawValue<'a>)>,
        origin: Origin,
        builder: &mut BatchBuilder,
    ) -> Result<(), Fault> {
        self.begin_row();
        let mut unlearned = hashbrown::HashSet::new();
        for (name, value) in members {
            let first = match self.find_key(name) {
                Some(key) => {
                    let first = self.note(key);
                    self.place(key, value, builder);
                    first
                }
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

    /// Notes that the row has the key; false if it had it before.
    #[inline]
    fn note(&mut self, key: usize) -> bool {
        match self.keys.get_mut(key) {
            Some(key) => std::mem::replace(&mut key.seen, self.row) != self.row,
            None => true,
        }
    }

    /// Reads the members of the object; returns the first key that is there twice.
    #[inline]
    fn members(
        &mut self,
        text: &str,
        builder: &mut BatchBuilder,
    ) -> Result<Option<usize>, Problem> {
        let bytes = text.as_bytes();
        let mut nest = std::mem::take(&mut self.nest);
        nest.restart();
        let mut scanner = Scanner {
            text,
            at: 0,
            max_depth: self.limits.max_json_depth,
            nest: &mut nest,
        };
        // Position of the link to follow; beyond the end there is none.
        let mut link = 0;
        loop {
            let rest = bytes.get(scanner.at..).unwrap_or_default();
            if link > 0 && rest.first() == Some(&b'}') {
                scanner.at += 1;
                break;
            }
            let key = match self.links.get(link) {
                Some(l) if !l.between.is_empty() && rest.starts_with(&l.between) => {
                    scanner.at += l.between.len();
                    scanner.skip_space();
                    l.key as usize
                }
                _ => match self.next_key(&mut scanner, link)? {
                    Next::End => break,
                    Next::Key(key) => key,
                    Next::Unlearned(name) => {
                        scanner.nest.insert(name, text)?;
                        let value = scanner.value()?;
                        builder.push_extra(&json_text(&name.decoded(text)), value.text);
                        link = usize::MAX;
                        continue;
                    }
                },
            };
            if !self.note(key) {
                return Ok(Some(key));
            }
            let value = scanner.value()?;
            self.place(key, value, builder);
            link = key + 1;
        }
        scanner.nest.close(text)?;
        scanner.end_row()?;
        self.nest = nest;
        Ok(None)
    }

    /// Reads in full what stands before the next value, and learns it for `link`.
    fn next_key(&mut self, scanner: &mut Scanner<'_, '_>, link: usize) -> Result<Next, Problem> {
        let start = scanner.at;
        if link == 0 {
            scanner.open_row()?;
        }
        if !scanner.next_member(link == 0)? {
            return Ok(Next::End);
        }
        let name = scanner.name()?;
        let Some(key) = self.find_key(&name.decoded(scanner.text)) else {
            return Ok(Next::Unlearned(name));
        };
        let between = scanner.text.as_bytes().get(start..scanner.at);
        if let (Some(link), Some(between)) = (self.links.get_mut(link), between)
            && between.len() <= MAX_BETWEEN
        {
            link.between.clear();
            link.between.extend_from_slice(between);
            link.key = key as u32;
        }
        Ok(Next::Key(key))
    }

    /// Puts a value where its key belongs.
    #[inline]
    fn place(&mut self, key: usize, value: RawValue<'_>, builder: &mut BatchBuilder) {
        let Some(key) = self.keys.get(key) else {
            return;
        };
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
    }

    fn end_row(&mut self, origin: Origin, builder: &mut BatchBuilder) -> Result<(), Fault> {
        if let Some(objection) = self.objection.take() {
            return Err(objection);
        }
        if let Some(name) = &self.plan.event_name {
            builder.append_text(EVENT, name);
        }
        builder.end_row(origin).map_err(|fault| self.explain(fault))
    }

    /// Names a missing role by the key of the source.
    #[cold]
    fn explain(&self, fault: Fault) -> Fault {
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
    End,
    Key(usize),
    /// A key beyond those that are learned.
    Unlearned(Name),
}

#[cold]
fn duplicate(name: &str) -> Fault {
    Fault::new(
        RejectReason::DuplicateKey,
        format!("key `{}` is there twice in one object", cut(name)),
    )
    .with_field(name)
}

/// A value on its way to a column.
struct Cell<'a> {
    plan: &'a ReadPlan,
    key: &'a str,
    value: RawValue<'a>,
    unescaped: &'a mut String,
    objection: &'a mut Option<Fault>,
}

impl Cell<'_> {
    /// Appends the value to a column; false if it belongs into `extra`.
    #[inline]
    fn fill(&mut self, target: Target, builder: &mut BatchBuilder) -> bool {
        match target {
            Target::Text { column } => self.fill_text_role(column, builder),
            Target::Time => self.fill_time(builder),
            Target::Property { column, ty } => {
                let fits = self.value.kind == Kind::Null || self.fill_property(column, ty, builder);
                if !fits {
                    builder.push_misfit(column, self.value.text);
                }
                return fits;
            }
            Target::Extra => return false,
        }
        true
    }

    /// Returns the value of a string.
    #[inline]
    fn string(&mut self) -> Option<&str> {
        match self.value.kind {
            Kind::Plain => Some(inside(self.value.text)),
            Kind::Escaped => {
                self.unescaped.clear();
                unescape(inside(self.value.text), self.unescaped);
                Some(self.unescaped)
            }
            _ => None,
        }
    }

    #[inline]
    fn fill_text_role(&mut self, column: usize, builder: &mut BatchBuilder) {
        let text = match self.value.kind {
            Kind::Plain | Kind::Escaped => self.string().unwrap_or_default(),
            Kind::Number | Kind::Boolean(_) => self.value.text,
            Kind::Null => "",
            Kind::Array | Kind::Object => {
                self.object(RejectReason::Malformed, column, |cell| {
                    let found = cell.value.kind.name();
                    format!("is {found}; expected a string, a number or a boolean")
                });
                return;
            }
        };
        if !text.is_empty() {
            builder.append_text(column, text);
        } else if column != EVENT_ID {
            self.object_missing(column);
        }
    }

    #[inline]
    fn fill_time(&mut self, builder: &mut BatchBuilder) {
        let (zone, unit) = (self.plan.time_zone.as_ref(), self.plan.time_unit);
        let time = match self.value.kind {
            Kind::Plain | Kind::Escaped => {
                parse_time(self.string().unwrap_or_default(), zone, unit)
            }
            Kind::Number => parse_numeric_time(self.value.text, unit),
            Kind::Null => Err(TimeError::Empty),
            Kind::Boolean(_) | Kind::Array | Kind::Object => {
                self.object(RejectReason::InvalidTime, TIME, |cell| {
                    let found = cell.value.kind.name();
                    format!("is {found}; expected a string or a number")
                });
                return;
            }
        };
        match time {
            Ok(micros) => builder.append_time(TIME, micros),
            Err(TimeError::Empty) => self.object_missing(TIME),
            Err(e) => self.object(RejectReason::InvalidTime, TIME, |_| {
                format!("cannot be read: {e}")
            }),
        }
    }

    /// Appends to the column of a property if the value has its type.
    #[inline]
    fn fill_property(
        &mut self,
        column: usize,
        ty: PropertyType,
        builder: &mut BatchBuilder,
    ) -> bool {
        let text = self.value.text;
        let kind = self.value.kind;
        match ty {
            PropertyType::String => match self.string() {
                Some(value) => builder.append_text(column, value),
                None => return false,
            },
            PropertyType::Integer if kind == Kind::Number => {
                match parse_integral(text.as_bytes()) {
                    Some(value) => builder.append_integer(column, value),
                    None => return false,
                }
            }
            PropertyType::Number if kind == Kind::Number => match parse_number(text.as_bytes()) {
                Some(value) => builder.append_number(column, value),
                None => return false,
            },
            PropertyType::Boolean => match kind {
                Kind::Boolean(value) => builder.append_boolean(column, value),
                _ => return false,
            },
            PropertyType::Timestamp => {
                let (zone, unit) = (self.plan.time_zone.as_ref(), self.plan.time_unit);
                let time = match self.string() {
                    Some(value) => parse_time(value, zone, unit).ok(),
                    None if kind == Kind::Number => parse_numeric_time(text, unit).ok(),
                    None => None,
                };
                match time {
                    Some(micros) => builder.append_time(column, micros),
                    None => return false,
                }
            }
            PropertyType::Date => match self.string().and_then(parse_date) {
                Some(days) => builder.append_date(column, days),
                None => return false,
            },
            PropertyType::Json => builder.append_text(column, text),
            PropertyType::Integer | PropertyType::Number => return false,
        }
        true
    }

    #[cold]
    fn object_missing(&mut self, column: usize) {
        self.object(RejectReason::MissingRole, column, |cell| {
            match cell.value.kind {
                Kind::Null => "is null",
                _ => "is empty",
            }
            .to_owned()
        });
    }

    /// Keeps the first objection of the row, until it is known that the row is valid JSON.
    #[cold]
    fn object(&mut self, reason: RejectReason, column: usize, what: impl FnOnce(&Self) -> String) {
        if self.objection.is_none() {
            let role = match column {
                EVENT_ID => "event id",
                ACTOR => "actor",
                EVENT => "event",
                _ => "time",
            };
            let message = format!("`{}`, the {role} of the row, {}", self.key, what(self));
            *self.objection = Some(Fault::new(reason, message).with_field(self.key));
        }
    }
}
