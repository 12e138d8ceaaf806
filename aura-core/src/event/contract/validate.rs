//! The rules that a contract itself must keep, each breach with its path.

use hashbrown::HashMap;
use regex::{Regex, RegexBuilder};

use super::literal::Typed;
use super::{Contract, Literal, OrderedMap, PropertyContract};
use crate::document::Path;
use crate::document::Place;
use crate::event::{ACTOR, EVENT, EVENT_ID, EXTRA, PropertyType, TIME};
use crate::{Error, Result};

/// Most events of a contract: the checker keeps a rule number for each event in each column.
pub(super) const MAX_EVENTS: usize = 5_000;
/// Most different property names, as many as a source may have columns.
pub(super) const MAX_PROPERTIES: usize = crate::event::MOST_PROPERTIES;
/// Longest name of a property in bytes: a column name in every reader of the store.
pub(super) const MAX_PROPERTY_NAME: usize = 255;
/// Longest name of an event in bytes.
pub(super) const MAX_EVENT_NAME: usize = 1_024;
/// Longest pattern in bytes.
const MAX_PATTERN: usize = 8 << 10;
/// Most bytes of a pattern when it is compiled. It bounds the time, too: about a second in a debug build.
const MAX_COMPILED: usize = 2 << 20;
/// Most memory of all compiled patterns together.
const PATTERNS_BUDGET: usize = 64 << 20;

/// One thing wrong in a contract.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Problem {
    pub(super) path: Path,
    /// Whether the name at the end of the path is at fault, and not its value.
    pub(super) on_key: bool,
    pub(super) message: String,
}

/// Makes one error of all problems, in the order in which they stand.
pub(super) fn error(
    problems: &[Problem],
    name: &str,
    locate: impl Fn(&Problem) -> Option<Place>,
) -> Error {
    const SHOWN: usize = 10;
    let mut placed: Vec<(Option<Place>, &Problem)> =
        problems.iter().map(|p| (locate(p), p)).collect();
    placed.sort_by_key(|(at, _)| at.map(|p| (p.line, p.column)));
    let mut lines: Vec<String> = placed
        .iter()
        .take(SHOWN)
        .map(|(at, problem)| {
            let at = at.map_or_else(String::new, |at| format!("{at}: "));
            format!("{name}: {at}{}: {}", problem.path, problem.message)
        })
        .collect();
    if problems.len() > SHOWN {
        lines.push(format!("{name}: and {} more", problems.len() - SHOWN));
    }
    Error::invalid_spec(lines.join("\n"))
}

impl Contract {
    /// Checks the contract itself. [`parse`](Contract::parse) and [`load`](Contract::load) have done
    /// so already.
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec), with the path of each fault (at most ten), for
    /// example `events.purchase.properties.amount.min`.
    pub fn validate(&self) -> Result<()> {
        let problems = self.problems();
        if problems.is_empty() {
            return Ok(());
        }
        let name = format!("contract `{}`", self.name);
        Err(error(&problems, &name, |_| None))
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut checker = Checker::default();
        checker.contract(self);
        checker.problems
    }
}

/// Compiles a pattern with the least of a few memory limits that suffices, and returns that limit:
/// the compiler tells no size.
fn compile(pattern: &str) -> Result<(Regex, usize), String> {
    if pattern.len() > MAX_PATTERN {
        return Err(format!(
            "the pattern has {} bytes, more than the {MAX_PATTERN} allowed",
            pattern.len()
        ));
    }
    for limit in [64 << 10, 512 << 10, MAX_COMPILED] {
        let built = RegexBuilder::new(pattern)
            .size_limit(limit)
            .dfa_size_limit(2 << 20)
            .nest_limit(64)
            .build();
        match built {
            Ok(regex) => return Ok((regex, limit)),
            Err(regex::Error::CompiledTooBig(_)) => {}
            Err(e) => {
                // The text has the pattern and a pointer over several lines, then the reason.
                let text = e.to_string();
                let reason = text.lines().last().unwrap_or(&text).trim();
                let reason = reason.strip_prefix("error: ").unwrap_or(reason);
                return Err(format!("{pattern:?} is not a regular expression: {reason}"));
            }
        }
    }
    Err(format!(
        "the pattern needs more than {} MiB when compiled; repeat less",
        MAX_COMPILED >> 20
    ))
}

/// The patterns of a contract, each compiled once, within one budget.
#[derive(Default)]
pub(super) struct Patterns {
    compiled: HashMap<String, Regex>,
    bytes: usize,
}

impl Patterns {
    pub(super) fn get(&mut self, pattern: &str) -> Result<Regex, String> {
        if let Some(regex) = self.compiled.get(pattern) {
            return Ok(regex.clone());
        }
        // The budget bounds time as well: beyond it nothing is compiled any more.
        if self.bytes <= PATTERNS_BUDGET {
            let (regex, bytes) = compile(pattern).inspect_err(|_| {
                // To find out that a pattern is too large takes as long as to compile a large one.
                self.bytes += MAX_COMPILED;
            })?;
            self.bytes += bytes;
            if self.bytes <= PATTERNS_BUDGET {
                self.compiled.insert(pattern.to_owned(), regex.clone());
                return Ok(regex);
            }
        }
        Err(format!(
            "the patterns of the contract need more than {} MiB when compiled; use fewer or simpler ones",
            PATTERNS_BUDGET >> 20
        ))
    }
}

#[derive(Default)]
struct Checker {
    problems: Vec<Problem>,
    patterns: Patterns,
    /// By the name in lower case: the name as first written, its type and its place.
    declared: HashMap<String, (String, PropertyType, Path)>,
}

impl Checker {
    fn say(&mut self, path: Path, message: String) {
        self.problems.push(Problem {
            path,
            on_key: false,
            message,
        });
    }

    fn say_key(&mut self, path: Path, message: String) {
        self.problems.push(Problem {
            path,
            on_key: true,
            message,
        });
    }

    fn contract(&mut self, contract: &Contract) {
        if contract.name.trim().is_empty() {
            self.say(Path::of(&["name"]), "the name is empty".to_owned());
        } else if contract.name.len() > 255 || contract.name.contains(char::is_control) {
            let message = "a name has at most 255 bytes and no control characters".to_owned();
            self.say(Path::of(&["name"]), message);
        }
        if contract.version == 0 {
            let message = "0 is not a version; the first is 1".to_owned();
            self.say(Path::of(&["version"]), message);
        }
        let events = Path::of(&["events"]);
        if contract.events.len() > MAX_EVENTS {
            let message = format!(
                "{} events, more than the {MAX_EVENTS} that a contract may declare",
                contract.events.len()
            );
            return self.say(events, message);
        }
        self.properties(&contract.properties, &Path::of(&["properties"]));
        for (name, event) in contract.events.iter() {
            let path = events.key(name);
            if name.is_empty() {
                self.say_key(path.clone(), "the name of the event is empty".to_owned());
            } else if name.len() > MAX_EVENT_NAME {
                let message = format!("the name of the event has more than {MAX_EVENT_NAME} bytes");
                self.say_key(path.clone(), message);
            }
            self.properties(&event.properties, &path.key("properties"));
        }
        if self.declared.len() > MAX_PROPERTIES {
            let message = format!(
                "{} different properties, more than the {MAX_PROPERTIES} columns that a contract may declare",
                self.declared.len()
            );
            self.say(Path::default().key("events"), message);
        }
    }

    fn properties(&mut self, properties: &OrderedMap<PropertyContract>, at: &Path) {
        for (name, property) in properties.iter() {
            let path = at.key(name);
            self.name(name, property, &path);
            self.rules(property, &path);
        }
    }

    fn name(&mut self, name: &str, property: &PropertyContract, path: &Path) {
        if let Some(fault) = property_name_fault(name) {
            return self.say_key(path.clone(), fault);
        }
        let folded = name.to_lowercase();
        let Some((first, ty, place)) = self.declared.get(&folded) else {
            let entry = (name.to_owned(), property.ty, path.clone());
            self.declared.insert(folded, entry);
            return;
        };
        if first != name {
            let message = format!(
                "`{name}` and `{first}` ({place}) differ only in case; column names do not tell them apart"
            );
            self.say_key(path.clone(), message);
        } else if *ty != property.ty {
            let message = format!(
                "`{}`, but `{}` in {place}.type; a property is one column and has one type",
                property.ty.name(),
                ty.name(),
            );
            self.say(path.key("type"), message);
        }
    }

    fn rules(&mut self, property: &PropertyContract, path: &Path) {
        let ty = property.ty;
        let mut range = [None, None];
        for (slot, (key, bound)) in range
            .iter_mut()
            .zip([("min", &property.min), ("max", &property.max)])
        {
            let Some(bound) = bound else { continue };
            match ty {
                PropertyType::Integer
                | PropertyType::Number
                | PropertyType::Timestamp
                | PropertyType::Date => match bound.typed(ty) {
                    Ok(value) => *slot = Some(value),
                    Err(fault) => self.say(path.key(key), fault),
                },
                PropertyType::String => self.say(
                    path.key(key),
                    format!("text has no `{key}`; limit its characters with `max_length`"),
                ),
                PropertyType::Boolean | PropertyType::Json => {
                    self.say(path.key(key), format!("a {} has no `{key}`", ty.name()));
                }
            }
        }
        let [min, max] = range;
        if let (Some(low), Some(high)) = (&min, &max)
            && below(high, low)
            && let (Some(low), Some(high)) = (&property.min, &property.max)
        {
            self.say(path.key("min"), format!("{low} is above `max`, {high}"));
        }
        if property.max_length.is_some() && ty != PropertyType::String {
            let message = format!("`max_length` is for string, not for {}", ty.name());
            self.say(path.key("max_length"), message);
        }
        let mut regex = None;
        if let Some(pattern) = &property.pattern {
            if ty == PropertyType::String {
                match self.patterns.get(pattern) {
                    Ok(compiled) => regex = Some(compiled),
                    Err(fault) => self.say(path.key("pattern"), fault),
                }
            } else {
                let message = format!("`pattern` is for string, not for {}", ty.name());
                self.say(path.key("pattern"), message);
            }
        }
        let Some(allowed) = &property.allowed else {
            return;
        };
        let path = path.key("enum");
        if ty == PropertyType::Json {
            return self.say(path, "a json has no `enum`".to_owned());
        }
        if allowed.is_empty() {
            let message = "the list is empty, so that no value would be allowed".to_owned();
            return self.say(path, message);
        }
        let mut seen = hashbrown::HashSet::with_capacity(allowed.len());
        for (i, literal) in allowed.iter().enumerate() {
            let fault = match literal.typed(ty) {
                Err(fault) => Some(fault),
                Ok(value) => {
                    if !seen.insert(identity(&value)) {
                        Some(format!("{literal} is given twice"))
                    } else {
                        contradiction(literal, &value, &min, &max, property, regex.as_ref())
                    }
                }
            };
            if let Some(fault) = fault {
                self.say(path.index(i), fault);
            }
        }
    }
}

/// Says why `name` cannot be the name of a property, if it cannot.
pub(super) fn property_name_fault(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("the name of the property is empty".to_owned());
    }
    if name.len() > MAX_PROPERTY_NAME || name.contains(char::is_control) {
        return Some(format!(
            "the name of a property has at most {MAX_PROPERTY_NAME} bytes and no control characters"
        ));
    }
    let reserved = [EVENT_ID, ACTOR, EVENT, TIME, EXTRA];
    let taken = reserved.iter().find(|r| r.eq_ignore_ascii_case(name))?;
    Some(format!(
        "`{name}` is the name of a column that every event has (`{taken}`); a property needs another name"
    ))
}

fn below(a: &Typed, b: &Typed) -> bool {
    match (a, b) {
        (Typed::Integer(a), Typed::Integer(b)) => a < b,
        (Typed::Number(a), Typed::Number(b)) => a < b,
        _ => false,
    }
}

/// A key under which equal values are equal.
fn identity(value: &Typed) -> String {
    match value {
        Typed::Boolean(v) => v.to_string(),
        Typed::Integer(v) => v.to_string(),
        // 0 and -0 are one value.
        Typed::Number(v) => (v + 0.0).to_bits().to_string(),
        Typed::Text(v) => v.clone(),
    }
}

/// Says which other rule forbids a value that `enum` allows.
fn contradiction(
    literal: &Literal,
    value: &Typed,
    min: &Option<Typed>,
    max: &Option<Typed>,
    property: &PropertyContract,
    regex: Option<&Regex>,
) -> Option<String> {
    if min.as_ref().is_some_and(|min| below(value, min)) {
        return Some(format!("{literal} is below `min`"));
    }
    if max.as_ref().is_some_and(|max| below(max, value)) {
        return Some(format!("{literal} is above `max`"));
    }
    let Typed::Text(text) = value else {
        return None;
    };
    if let Some(most) = property.max_length
        && text.chars().count() > most as usize
    {
        return Some(format!("{literal} is longer than `max_length`, {most}"));
    }
    if regex.is_some_and(|r| !r.is_match(text)) {
        return Some(format!("{literal} does not match `pattern`"));
    }
    None
}
