//! The texts a registry is read from, and where in them things are.

use crate::document::{Node, Path, Place};
use crate::metric::build::Problem;
use crate::{Error, Result};

/// Largest file that is read.
pub(super) const MAX_BYTES: usize = 8 << 20;

/// A text with the name that messages call it by.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) text: String,
}

/// One thing wrong, and where.
#[derive(Debug)]
pub(super) struct Located {
    pub(super) source: usize,
    pub(super) at: Option<Place>,
    pub(super) message: String,
}

/// The tree of a text: JSON where it begins like that, else YAML.
pub(super) fn node(source: &Source) -> Result<Node> {
    let name = &source.name;
    if source.text.len() > MAX_BYTES {
        return Err(Error::invalid_spec(format!(
            "{name}: larger than {} MiB, the most that is read as a registry",
            MAX_BYTES >> 20
        )));
    }
    let text = source.text.strip_prefix('\u{feff}').unwrap_or(&source.text);
    if text.trim().is_empty() {
        return Err(Error::invalid_spec(format!(
            "{name}: the text is empty; a registry has at least `version` and `metrics`"
        )));
    }
    let parsed = if text.trim_start().starts_with('{') {
        // A flow mapping of YAML begins like JSON.
        Node::from_json(text).or_else(|fault| Node::from_yaml(text).map_err(|_| fault))
    } else {
        Node::from_yaml(text)
    };
    parsed.map_err(|fault| Error::invalid_spec(format!("{name}: {fault}")))
}

/// Where a definition stands: the tree it was read from, and the way to it from the root of its file.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) source: usize,
    pub(super) node: Node,
    pub(super) path: Path,
    /// What was instantiated, and where, if the definition is of a template.
    pub(super) note: Option<String>,
}

impl Origin {
    /// Finds the place of a problem.
    pub(super) fn locate(&self, problem: &Problem, sources: &[Source]) -> Located {
        let value = self.node.place(&problem.path, problem.on_key);
        let exact = problem.within.and_then(|within| {
            let text = &sources.get(self.source)?.text;
            let value_text = self.node.text_at(&problem.path)?;
            place_inside(text, value, value_text, within)
        });
        let mut path = self.path.clone();
        path.0.extend(problem.path.0.iter().cloned());
        // Where the exact place is not known, it is told from the start of the value.
        let inside = match (exact, problem.within) {
            (None, Some(within)) if within.line > 1 || within.column > 1 => {
                format!("at {within} of the text: ")
            }
            _ => String::new(),
        };
        let note = self.note.as_deref().unwrap_or_default();
        Located {
            source: self.source,
            at: Some(exact.unwrap_or(value)),
            message: format!("{path}: {inside}{}{note}", problem.message),
        }
    }
}

/// Makes one error of all problems, in the order in which they stand.
pub(super) fn error(mut problems: Vec<Located>, sources: &[Source]) -> Error {
    const SHOWN: usize = 10;
    problems.sort_by_key(|p| (p.source, p.at.map(|at| (at.line, at.column))));
    let name = |p: &Located| {
        sources
            .get(p.source)
            .map_or("registry", |s| s.name.as_str())
    };
    let mut lines: Vec<String> = problems
        .iter()
        .take(SHOWN)
        .map(|p| match p.at {
            Some(at) => format!("{}: {at}: {}", name(p), p.message),
            None => format!("{}: {}", name(p), p.message),
        })
        .collect();
    if let (Some(last), true) = (problems.last(), problems.len() > SHOWN) {
        lines.push(format!(
            "{}: and {} more",
            name(last),
            problems.len() - SHOWN
        ));
    }
    Error::invalid_spec(lines.join("\n"))
}

/// Finds a place inside of a value in the document, if the value stands there as it is, but for white space
/// (a folded block) and doubled quotes. `within` counts lines and columns of the value from 1.
fn place_inside(document: &str, value_at: Place, value: &str, within: Place) -> Option<Place> {
    let line_index = usize::try_from(value_at.line.checked_sub(1)?).ok()?;
    let mut rest = document.strip_prefix('\u{feff}').unwrap_or(document);
    for _ in 0..line_index {
        rest = rest.split_once('\n')?.1;
    }
    let column = usize::try_from(value_at.column.checked_sub(1)?).ok()?;
    let mut at = value_at;
    let mut chars = rest.chars().skip(column).peekable();
    let mut advance = |chars: &mut std::iter::Peekable<std::iter::Skip<std::str::Chars<'_>>>| {
        let c = chars.next()?;
        if c == '\n' {
            at = Place {
                line: at.line + 1,
                column: 1,
            };
        } else {
            at.column += 1;
        }
        Some((c, at))
    };
    let mut here = value_at;
    let quote = match chars.peek()? {
        '|' | '>' => {
            // The header of a block, to the end of its line.
            while let Some((c, place)) = advance(&mut chars) {
                here = place;
                if c == '\n' {
                    break;
                }
            }
            None
        }
        q @ ('"' | '\'') => {
            let q = *q;
            here = advance(&mut chars)?.1;
            Some(q)
        }
        _ => None,
    };
    let mut inner = Place { line: 1, column: 1 };
    let mut found = None;
    for wanted in value.chars() {
        if wanted.is_whitespace() {
            if inner == within {
                found = Some(here);
            }
        } else {
            while chars.peek().is_some_and(|c| c.is_whitespace()) {
                here = advance(&mut chars)?.1;
            }
            if inner == within {
                return Some(here);
            }
            let (c, place) = advance(&mut chars)?;
            here = place;
            if c != wanted || (c == '\\' && quote == Some('"')) {
                return None;
            }
            if c == '\'' && quote == Some('\'') {
                here = advance(&mut chars)?.1;
            }
        }
        if wanted == '\n' {
            inner = Place {
                line: inner.line + 1,
                column: 1,
            };
        } else {
            inner.column += 1;
        }
    }
    // The end of the value.
    found.or((inner == within).then_some(here))
}
