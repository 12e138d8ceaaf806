//! What changed between two versions of a contract, and whom it breaks.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Contract, EventContract, Literal, OrderedMap, PropertyContract};
use crate::document::Path;
use crate::{Error, ErrorKind, Result};

/// Whether those who send or read events notice a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compatibility {
    /// Only words for people changed: a description or an owner.
    Documentation,
    /// An optional property was added.
    Compatible,
    /// Anything else.
    Breaking,
}

impl Compatibility {
    /// Returns the name used in JSON, for example `"breaking"`.
    pub fn name(self) -> &'static str {
        match self {
            Compatibility::Documentation => "documentation",
            Compatibility::Compatible => "compatible",
            Compatibility::Breaking => "breaking",
        }
    }
}

/// One change from an old to a new contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What changed, for example `events.purchase.properties.amount.max`.
    pub path: String,
    /// Whom it breaks.
    pub compatibility: Compatibility,
    /// What the change is and what follows from it, in one sentence.
    pub why: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}): {}",
            self.path,
            self.compatibility.name(),
            self.why
        )
    }
}

impl Contract {
    /// Lists what changed from `old` to `new`, in the order of the new contract, then what is gone.
    /// The version itself and the order of declarations are no changes.
    ///
    /// Adding an optional property is [`Compatible`](Compatibility::Compatible), a change of
    /// descriptions and owners is [`Documentation`](Compatibility::Documentation), and everything else is
    /// [`Breaking`](Compatibility::Breaking): for every other change, also for one that loosens a rule,
    /// there is somebody — a sender, a check downstream, a query — who relied on the old one.
    ///
    /// # Examples
    /// ```
    /// use aura_core::event::contract::{Compatibility, Contract};
    ///
    /// let old = Contract::parse("{name: shop, version: 1, events: {purchase: {}}}")?;
    /// let new = Contract::parse(
    ///     "{name: shop, version: 2, events: {purchase: {properties: {coupon: {type: string}}}}}",
    /// )?;
    /// let changes = Contract::compare(&old, &new);
    /// assert_eq!(changes[0].path, "events.purchase.properties.coupon");
    /// assert_eq!(changes[0].compatibility, Compatibility::Compatible);
    /// # Ok::<(), aura_core::Error>(())
    /// ```
    pub fn compare(old: &Contract, new: &Contract) -> Vec<Change> {
        let mut changes = Changes(Vec::new());
        changes.contract(old, new);
        changes.0
    }

    /// Checks that `new` may follow `old`, and returns what changed.
    ///
    /// # Errors
    /// [`Conflict`](ErrorKind::Conflict) when anything changed and the version did not grow, or when
    /// the version went down. The message lists the changes (at most ten), breaking ones first.
    pub fn upgrade_check(old: &Contract, new: &Contract) -> Result<Vec<Change>> {
        let changes = Contract::compare(old, new);
        let stays = changes.is_empty() && new.version == old.version;
        if new.version > old.version || stays {
            return Ok(changes);
        }
        const SHOWN: usize = 10;
        let mut listed: Vec<&Change> = changes.iter().collect();
        listed.sort_by_key(|c| std::cmp::Reverse(c.compatibility as u8));
        let breaking = listed
            .iter()
            .filter(|c| c.compatibility == Compatibility::Breaking)
            .count();
        let mut message = format!("contract `{}`: version {}", new.name, new.version);
        if new.version < old.version {
            message.push_str(&format!(" is below version {}", old.version));
        } else {
            message.push_str(&format!(
                " has changed ({} changes, {breaking} of them breaking)",
                changes.len()
            ));
        }
        message.push_str(&format!("; give it version {} or above", next(old.version)));
        for change in listed.iter().take(SHOWN) {
            message.push_str(&format!("\n  {change}"));
        }
        if listed.len() > SHOWN {
            message.push_str(&format!("\n  and {} more", listed.len() - SHOWN));
        }
        Err(Error::new(ErrorKind::Conflict, message))
    }
}

fn next(version: u32) -> u64 {
    u64::from(version) + 1
}

struct Changes(Vec<Change>);

impl Changes {
    fn say(&mut self, path: &Path, compatibility: Compatibility, why: impl Into<String>) {
        self.0.push(Change {
            path: path.to_string(),
            compatibility,
            why: why.into(),
        });
    }

    fn breaking(&mut self, path: &Path, why: impl Into<String>) {
        self.say(path, Compatibility::Breaking, why);
    }

    /// Compares words for people.
    fn words(&mut self, path: Path, old: &Option<String>, new: &Option<String>) {
        if old != new {
            let why = format!("{}; nothing that is checked changes", verb(old, new));
            self.say(&path, Compatibility::Documentation, why);
        }
    }

    fn contract(&mut self, old: &Contract, new: &Contract) {
        let root = Path::default();
        if old.name != new.name {
            let why = format!(
                "`{}` became `{}`; under another name it is another contract",
                old.name, new.name
            );
            self.breaking(&root.key("name"), why);
        }
        self.words(root.key("description"), &old.description, &new.description);
        if old.on_violation != new.on_violation {
            let why = format!(
                "`{}` became `{}`; rows that break a rule end up elsewhere",
                old.on_violation.name(),
                new.on_violation.name()
            );
            self.breaking(&root.key("on_violation"), why);
        }
        if old.undeclared_events != new.undeclared_events {
            let why = format!(
                "`{}` became `{}`; events that are not declared end up elsewhere",
                old.undeclared_events.name(),
                new.undeclared_events.name()
            );
            self.breaking(&root.key("undeclared_events"), why);
        }
        let none = OrderedMap::new();
        self.properties(
            &root.key("properties"),
            &old.properties,
            &new.properties,
            [&none, &none],
        );
        let events = root.key("events");
        let common = [&old.properties, &new.properties];
        for (name, event) in new.events.iter() {
            let path = events.key(name);
            match old.events.get(name) {
                Some(before) => self.event(&path, before, event, common),
                None => self.breaking(
                    &path,
                    "added; events of this name were not declared before, and are now checked",
                ),
            }
        }
        for (name, _) in old.events.iter() {
            if !new.events.contains(name) {
                self.breaking(
                    &events.key(name),
                    "removed; events of this name are no longer declared, and their rules are gone",
                );
            }
        }
    }

    fn event(
        &mut self,
        path: &Path,
        old: &EventContract,
        new: &EventContract,
        common: [&OrderedMap<PropertyContract>; 2],
    ) {
        self.words(path.key("description"), &old.description, &new.description);
        self.words(path.key("owner"), &old.owner, &new.owner);
        self.properties(
            &path.key("properties"),
            &old.properties,
            &new.properties,
            common,
        );
    }

    /// Compares properties; `common` are those of every event, which an event replaces for itself.
    fn properties(
        &mut self,
        at: &Path,
        old: &OrderedMap<PropertyContract>,
        new: &OrderedMap<PropertyContract>,
        common: [&OrderedMap<PropertyContract>; 2],
    ) {
        for (name, property) in new.iter() {
            let path = at.key(name);
            if let Some(before) = old.get(name) {
                self.property(&path, before, property);
            } else if common[0].contains(name) {
                self.breaking(
                    &path,
                    "added; it replaces the rules of the common property of this name for this event",
                );
            } else if property.required {
                self.breaking(
                    &path,
                    "added as required; rows without it, which were right before, now break a rule",
                );
            } else {
                self.say(
                    &path,
                    Compatibility::Compatible,
                    "added as optional; rows without it stay right",
                );
            }
        }
        for (name, _) in old.iter() {
            if new.contains(name) {
                continue;
            }
            let why = if common[1].contains(name) {
                "removed; the rules of the common property of this name apply to this event instead"
            } else {
                "removed; its values lose their rules, and their column if no other event declares it"
            };
            self.breaking(&at.key(name), why);
        }
    }

    fn property(&mut self, path: &Path, old: &PropertyContract, new: &PropertyContract) {
        if old.ty != new.ty {
            let why = format!(
                "{} became {}; the column has another type",
                old.ty.name(),
                new.ty.name()
            );
            self.breaking(&path.key("type"), why);
        }
        match (old.required, new.required) {
            (false, true) => self.breaking(
                &path.key("required"),
                "became required; rows without it, which were right before, now break a rule",
            ),
            (true, false) => self.breaking(
                &path.key("required"),
                "became optional; readers that rely on a value may find none",
            ),
            _ => {}
        }
        let same = |a: &Literal, b: &Literal| same(a, old, b, new);
        self.allowed(&path.key("enum"), &old.allowed, &new.allowed, same);
        for (key, before, after) in [("min", &old.min, &new.min), ("max", &old.max, &new.max)] {
            match (before, after) {
                (Some(a), Some(b)) if same(a, b) => {}
                _ => self.rule(&path.key(key), before, after),
            }
        }
        self.rule(&path.key("pattern"), &old.pattern, &new.pattern);
        self.rule(&path.key("max_length"), &old.max_length, &new.max_length);
        if old.unit != new.unit {
            let why = format!(
                "{}; values before and after may not be summed or compared",
                verb(&old.unit, &new.unit)
            );
            self.breaking(&path.key("unit"), why);
        }
        if old.pii != new.pii {
            let (old, new) = (old.pii.map(|p| p.name()), new.pii.map(|p| p.name()));
            let why = format!(
                "{}; what is masked, and who may see it, changes",
                verb(&old, &new)
            );
            self.breaking(&path.key("pii"), why);
        }
        self.words(path.key("description"), &old.description, &new.description);
        if old.on_violation != new.on_violation {
            let old = old.on_violation.map(|a| a.name());
            let new = new.on_violation.map(|a| a.name());
            let why = format!(
                "{}; rows that break a rule end up elsewhere",
                verb(&old, &new)
            );
            self.breaking(&path.key("on_violation"), why);
        }
    }

    fn rule<T: PartialEq + fmt::Display>(&mut self, path: &Path, old: &Option<T>, new: &Option<T>) {
        if old == new {
            return;
        }
        let follows = match new {
            None => "values that were kept out before may come",
            Some(_) if old.is_none() => "values that were right before may now break it",
            Some(_) => "other values are right than before",
        };
        self.breaking(path, format!("{}; {follows}", verb(old, new)));
    }

    fn allowed(
        &mut self,
        path: &Path,
        old: &Option<Vec<Literal>>,
        new: &Option<Vec<Literal>>,
        same: impl Fn(&Literal, &Literal) -> bool,
    ) {
        const SHOWN: usize = 5;
        let (Some(before), Some(after)) = (old, new) else {
            let count =
                |v: &Option<Vec<Literal>>| v.as_ref().map(|v| format!("{} values", v.len()));
            return self.rule(path, &count(old), &count(new));
        };
        let missing = |from: &[Literal], of: &[Literal]| {
            // Told apart as text first: the lists may be long, and `5` against `5.0` is rare.
            let known: hashbrown::HashSet<String> = from.iter().map(Literal::full).collect();
            let all: Vec<String> = of
                .iter()
                .filter(|v| !known.contains(&v.full()) && !from.iter().any(|f| same(f, v)))
                .map(Literal::to_string)
                .collect();
            let mut text = all
                .iter()
                .take(SHOWN)
                .cloned()
                .collect::<Vec<_>>()
                .join(", ");
            if all.len() > SHOWN {
                text.push_str(&format!(" and {} more", all.len() - SHOWN));
            }
            text
        };
        let (gone, added) = (missing(after, before), missing(before, after));
        if !added.is_empty() {
            let why =
                format!("{added} added; readers that know the old values only may not expect it");
            self.breaking(path, why);
        }
        if !gone.is_empty() {
            let why =
                format!("{gone} removed; rows with it, which were right before, now break a rule");
            self.breaking(path, why);
        }
    }
}

/// Tells whether two literals mean one value: `5` and `5.0` of a number do.
fn same(a: &Literal, old: &PropertyContract, b: &Literal, new: &PropertyContract) -> bool {
    a == b || matches!((a.typed(old.ty), b.typed(new.ty)), (Ok(a), Ok(b)) if a == b)
}

fn verb<T: fmt::Display>(old: &Option<T>, new: &Option<T>) -> String {
    let shown = |v: &T| crate::document::shortened(&v.to_string()).into_owned();
    match (old, new) {
        (Some(old), Some(new)) => format!("`{}` became `{}`", shown(old), shown(new)),
        (None, Some(new)) => format!("`{}` added", shown(new)),
        (Some(old), None) => format!("`{}` removed", shown(old)),
        (None, None) => "unchanged".to_owned(),
    }
}
