//! What changed between two versions of a registry, and for whom it matters.

use super::Registry;
use crate::document::{Path, shortened};
use crate::event::contract::{Change, Compatibility};
use crate::metric::definition::MetricDefinition;
use crate::metric::file::DefinitionFile;
use crate::{Error, ErrorKind, Result};

/// Keys that only people read.
const WORDS: [&str; 7] = [
    "title",
    "description",
    "owner",
    "tags",
    "direction",
    "format",
    "decimals",
];

impl Registry {
    /// Lists what changed from `old` to `new`, in the order of the new registry, then what is gone. The version
    /// and the order of definitions are no changes.
    ///
    /// A metric or dimension that was added is [`Compatible`](Compatibility::Compatible); so is another dimension of a
    /// metric. Titles, descriptions, owners, tags, direction, format and decimals are
    /// [`Documentation`](Compatibility::Documentation): no number changes. All else is
    /// [`Breaking`](Compatibility::Breaking): numbers before and after may not be compared, or a query that was
    /// right is refused. Text that means the same, such as `COUNT( * )` and `count(*)`, is no change.
    ///
    /// # Examples
    /// ```
    /// use aura_core::event::contract::Compatibility;
    /// use aura_core::metric::Registry;
    ///
    /// let old = Registry::parse("{version: 1, metrics: [{name: n, kind: simple, expr: count(*)}]}")?;
    /// let new = Registry::parse("{version: 2, metrics: [{name: n, kind: simple, expr: sum(n)}]}")?;
    /// let changes = Registry::compare(&old, &new);
    /// assert_eq!(changes[0].path, "metrics.n.expr");
    /// assert_eq!(changes[0].compatibility, Compatibility::Breaking);
    /// # Ok::<(), aura_core::Error>(())
    /// ```
    pub fn compare(old: &Registry, new: &Registry) -> Vec<Change> {
        let mut changes = Vec::new();
        let root = Path::of(&["metrics"]);
        for metric in &new.metrics {
            let path = root.key(&metric.name);
            match old.get(&metric.name) {
                Some(before) => definition(&path, before, metric, &mut changes),
                None => say(&mut changes, &path, Compatibility::Compatible, "added"),
            }
        }
        for metric in &old.metrics {
            if new.get(&metric.name).is_none() {
                let why = "removed; queries, rules and reports that name it are refused";
                say(
                    &mut changes,
                    &root.key(&metric.name),
                    Compatibility::Breaking,
                    why,
                );
            }
        }
        let root = Path::of(&["dimensions"]);
        for dimension in &new.dimensions {
            let path = root.key(&dimension.name);
            match old.dimension(&dimension.name) {
                None => say(&mut changes, &path, Compatibility::Compatible, "added"),
                Some(before) if before != dimension => {
                    let why = "its words changed; no number changes";
                    say(&mut changes, &path, Compatibility::Documentation, why);
                }
                Some(_) => {}
            }
        }
        for dimension in &old.dimensions {
            if new.dimension(&dimension.name).is_none() {
                let why = "removed; definitions may not name it any more";
                say(
                    &mut changes,
                    &root.key(&dimension.name),
                    Compatibility::Breaking,
                    why,
                );
            }
        }
        changes
    }

    /// Checks that `new` may follow `old`, and returns what changed.
    ///
    /// # Errors
    /// [`Conflict`](ErrorKind::Conflict) when anything changed and the version did not grow, or when the version
    /// went down. The message lists the changes (at most ten), breaking ones first.
    pub fn upgrade_check(old: &Registry, new: &Registry) -> Result<Vec<Change>> {
        const SHOWN: usize = 10;
        let changes = Registry::compare(old, new);
        let stays = changes.is_empty() && new.version == old.version;
        if new.version > old.version || stays {
            return Ok(changes);
        }
        let mut listed: Vec<&Change> = changes.iter().collect();
        listed.sort_by_key(|c| std::cmp::Reverse(c.compatibility as u8));
        let mut message = if new.version < old.version {
            format!(
                "registry: version {} is below version {}",
                new.version, old.version
            )
        } else {
            let count = changes.len();
            format!(
                "registry: version {} has changed ({count} changes)",
                new.version
            )
        };
        message.push_str(&format!(
            "; give it version {} or above",
            u64::from(old.version) + 1
        ));
        for change in listed.iter().take(SHOWN) {
            message.push_str(&format!("\n  {change}"));
        }
        if listed.len() > SHOWN {
            message.push_str(&format!("\n  and {} more", listed.len() - SHOWN));
        }
        Err(Error::new(ErrorKind::Conflict, message))
    }
}

fn say(
    changes: &mut Vec<Change>,
    path: &Path,
    compatibility: Compatibility,
    why: impl Into<String>,
) {
    changes.push(Change {
        path: path.to_string(),
        compatibility,
        why: why.into(),
    });
}

fn definition(
    path: &Path,
    old: &MetricDefinition,
    new: &MetricDefinition,
    changes: &mut Vec<Change>,
) {
    // As files: every key by its name, and expressions in one form.
    let (Some(before), Some(after)) = (keys(old), keys(new)) else {
        return;
    };
    for (key, value) in &after {
        if before.get(key) == Some(value) {
            continue;
        }
        let why = format!("{}; {}", verb(before.get(key), Some(value)), follows(key));
        say(changes, &path.key(key), compatibility(key, old, new), why);
    }
    for (key, value) in &before {
        if !after.contains_key(key) {
            let why = format!("{}; {}", verb(Some(value), None), follows(key));
            say(changes, &path.key(key), compatibility(key, old, new), why);
        }
    }
}

type Keys = serde_json::Map<String, serde_json::Value>;

fn keys(metric: &MetricDefinition) -> Option<Keys> {
    match serde_json::to_value(DefinitionFile::from(metric)) {
        Ok(serde_json::Value::Object(keys)) => Some(keys),
        _ => None,
    }
}

fn compatibility(key: &str, old: &MetricDefinition, new: &MetricDefinition) -> Compatibility {
    if WORDS.contains(&key) {
        return Compatibility::Documentation;
    }
    if key == "dimensions" {
        let wider = match (&old.dimensions, &new.dimensions) {
            (Some(_), None) => true,
            (Some(old), Some(new)) => old.iter().all(|d| new.contains(d)),
            _ => false,
        };
        if wider {
            return Compatibility::Compatible;
        }
    }
    Compatibility::Breaking
}

fn follows(key: &str) -> &'static str {
    match key {
        key if WORDS.contains(&key) => "no number changes",
        "unit" => "values before and after may not be summed or compared",
        "kind" => "it is computed in another way",
        "default_grain" => "queries without a grain give other periods, and finer ones are refused",
        "dimensions" => "queries may be cut by other columns",
        "fill" => "periods without events have another value",
        "filter" => "other rows count",
        _ => "other numbers come out",
    }
}

fn verb(old: Option<&serde_json::Value>, new: Option<&serde_json::Value>) -> String {
    let shown = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => shortened(text).into_owned(),
        other => shortened(&other.to_string()).into_owned(),
    };
    match (old, new) {
        (Some(old), Some(new)) => format!("`{}` became `{}`", shown(old), shown(new)),
        (None, Some(new)) => format!("`{}` added", shown(new)),
        (Some(old), None) => format!("`{}` removed", shown(old)),
        (None, None) => "unchanged".to_owned(),
    }
}
