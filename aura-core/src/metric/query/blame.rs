//! Errors that come from the engine while it computes, with the metric that they are of.

use crate::metric::kind::CumulativeRange;
use crate::{Error, ErrorKind};

use super::compute::Computation;
use super::graph::{How, Side};

/// Words that tell where in the engine an error arose.
const OF_THE_ENGINE: [&str; 9] = [
    "Arrow error: ",
    "Cast error: ",
    "Parser error: ",
    "Compute error: ",
    "Invalid argument error: ",
    "Arithmetic overflow: ",
    "Execution error: ",
    "Error during planning: ",
    "This feature is not implemented: ",
];

/// Names whose an error is, if it is of the question or of the data.
pub(crate) fn blamed(error: Error, whose: &str) -> Error {
    if !matches!(
        error.kind(),
        ErrorKind::InvalidData | ErrorKind::InvalidSpec
    ) {
        return error;
    }
    let mut message = error.message();
    while let Some(rest) = OF_THE_ENGINE.iter().find_map(|w| message.strip_prefix(w)) {
        message = rest;
    }
    let hint = match message.starts_with("Cannot cast") || message.starts_with("Error parsing") {
        true => "; `try_cast` gives null for what cannot be cast",
        false => "",
    };
    let message = format!("{whose}: {message}{hint}");
    Error::new(error.kind(), message).with_source(error)
}

impl Computation<'_> {
    /// Names whose aggregates of a request may have met an error.
    pub(crate) fn blamed(
        &self,
        error: Error,
        over: Option<CumulativeRange>,
        numbers: &[usize],
    ) -> Error {
        const SHOWN: usize = 5;
        let atoms = self.graph.atoms.iter().enumerate();
        let of_window: Vec<usize> = atoms
            .filter(|(_, a)| a.over == over)
            .map(|(atom, _)| atom)
            .collect();
        let mut names: Vec<&str> = Vec::new();
        for atom in numbers.iter().filter_map(|n| of_window.get(*n)) {
            let found = self.users(*atom);
            names.extend(
                found
                    .into_iter()
                    .filter(|n| !names.contains(n))
                    .collect::<Vec<_>>(),
            );
        }
        let listed: Vec<String> = names.iter().take(SHOWN).map(|n| format!("`{n}`")).collect();
        let mut whose = match names.len() {
            0 | 1 => format!("the metric {}", listed.concat()),
            2..=SHOWN => format!("one of the metrics {}", listed.join(", ")),
            more => format!(
                "one of the metrics {} and {} more",
                listed.join(", "),
                more - SHOWN
            ),
        };
        if self.filter.is_some() {
            whose = format!("the filter of the query, or {whose}");
        }
        blamed(error, &whose)
    }

    /// Returns the metrics that use an atom.
    fn users(&self, atom: usize) -> Vec<&str> {
        let uses = |side: &Side| side.aggregates.iter().any(|(_, a)| *a == atom);
        let nodes = self.graph.nodes.iter().filter(|n| {
            n.presence.contains(&atom)
                || match &n.how {
                    How::Formula(side) => uses(side),
                    How::Ratio(above, below) => uses(above) || uses(below),
                    How::Pass(_) => false,
                }
        });
        nodes.map(|n| n.name.as_str()).collect()
    }
}
