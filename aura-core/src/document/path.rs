//! Where in a document something is, and which name somebody may have meant.

use std::fmt;

/// A step from a value to a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

/// The way from the root of a document to a part of it, shown as `events.purchase.properties.amount`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Path(pub(crate) Vec<Step>);

impl Path {
    pub(crate) fn of(keys: &[&str]) -> Path {
        Path(keys.iter().map(|k| Step::Key((*k).to_owned())).collect())
    }

    pub(crate) fn key(&self, key: &str) -> Path {
        let mut path = self.clone();
        path.0.push(Step::Key(key.to_owned()));
        path
    }

    pub(crate) fn index(&self, index: usize) -> Path {
        let mut path = self.clone();
        path.0.push(Step::Index(index));
        path
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) => {
                    if i > 0 {
                        f.write_str(".")?;
                    }
                    let plain = !key.is_empty()
                        && key
                            .chars()
                            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$'));
                    if plain {
                        f.write_str(key)?;
                    } else {
                        write!(f, "{:?}", super::shortened(key))?;
                    }
                }
                Step::Index(at) => write!(f, "[{at}]")?,
            }
        }
        Ok(())
    }
}

/// Names that other formats use for what the formats here call differently.
const SYNONYMS: &[(&str, &str)] = &[
    ("int", "integer"),
    ("int64", "integer"),
    ("long", "integer"),
    ("bigint", "integer"),
    ("float", "number"),
    ("float64", "number"),
    ("double", "number"),
    ("decimal", "number"),
    ("bool", "boolean"),
    ("text", "string"),
    ("str", "string"),
    ("varchar", "string"),
    ("datetime", "timestamp"),
    ("date-time", "timestamp"),
    ("time", "timestamp"),
    ("object", "json"),
    ("array", "json"),
    ("list", "json"),
    ("map", "json"),
    ("reject", "quarantine"),
    ("discard", "drop"),
    ("ignore", "accept"),
    ("allow", "accept"),
    ("minimum", "min"),
    ("maximum", "max"),
    ("regex", "pattern"),
    ("values", "enum"),
    ("maxlength", "max_length"),
    ("title", "name"),
    ("props", "properties"),
    ("fields", "properties"),
    ("address", "location"),
];

/// Finds the candidate that `name` was most likely meant to be.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let synonym = SYNONYMS.iter().find(|(from, _)| *from == wanted);
    let length = wanted.chars().count();
    // A third of the letters may be wrong; of very long names nothing is guessed.
    let most = (length / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        if synonym.is_some_and(|(_, to)| *to == candidate) {
            return Some(candidate);
        }
        if length > 64 || candidate.chars().count().abs_diff(length) > most {
            continue;
        }
        let distance = distance(&wanted, &candidate.to_lowercase());
        if distance <= most && best.is_none_or(|(d, _)| distance < d) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Counts the letters to insert, delete, replace or swap with their neighbour (optimal string
/// alignment).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, ca) in a.chars().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, &cb) in b.iter().enumerate() {
            let replace = above[j] + usize::from(ca != cb);
            let mut least = replace.min(above[j + 1] + 1).min(row[j] + 1);
            if j > 0 && previous == Some(cb) && b[j - 1] == ca {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        previous = Some(ca);
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_nearest_name() {
        let keys = ["type", "required", "min", "max", "max_length", "pattern"];
        assert_eq!(nearest("requried", keys), Some("required"));
        assert_eq!(nearest("Type", keys), Some("type"));
        assert_eq!(nearest("maxLength", keys), Some("max_length"));
        assert_eq!(nearest("regex", keys), Some("pattern"));
        assert_eq!(nearest("colour", keys), None);
        assert_eq!(nearest("", keys), None);
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn paths_quote_odd_names() {
        let path = Path::of(&["events", "a b"]).key("enum").index(2);
        assert_eq!(path.to_string(), "events.\"a b\".enum[2]");
    }
}
