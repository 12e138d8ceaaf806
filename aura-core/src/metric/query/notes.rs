//! What a careful analyst would add to an answer.

use arrow::array::{Array, AsArray};

use crate::Result;
use crate::metric::kind::MetricKind;

use super::answer::{Answer, floats};
use super::prepare::Prepared;

/// A share of fewer than this many is called a share of few.
const FEW: f64 = 30.0;

pub(crate) fn notes(prepared: &Prepared<'_>, answer: &Answer) -> Result<Vec<String>> {
    let mut notes = Vec::new();
    let spine = &prepared.spine;
    let (Some(first), Some(last)) = (spine.asked().first(), spine.asked().last()) else {
        let why = match prepared.has_events() {
            true => "no event lies in the range",
            false => "there are no events",
        };
        notes.push(format!(
            "{why}, so there are no periods; give `from` and `to` for empty ones"
        ));
        return Ok(notes);
    };
    let given = |text: &Option<String>| text.is_some();
    let (from, to) = prepared.range;
    if (given(&prepared.query.from) && first.start_us() < from)
        || (given(&prepared.query.to) && last.end_us() > to)
    {
        notes.push(format!(
            "the range was widened to whole periods: {} to {}",
            spine.calendar().label(first)?,
            spine.calendar().label(last)?
        ));
    }
    let incomplete: Vec<_> = spine
        .asked()
        .iter()
        .filter(|p| !prepared.as_of.is_some_and(|us| p.is_complete(us)))
        .collect();
    match incomplete.as_slice() {
        [] => {}
        [one] => notes.push(format!(
            "the period {} is not complete: its values will still change",
            spine.calendar().label(one)?
        )),
        [one, ..] => notes.push(format!(
            "{} periods from {} on are not complete: their values will still change",
            incomplete.len(),
            spine.calendar().label(one)?
        )),
    }
    if let Some(compared) = spine.compared() {
        let without = compared.iter().filter(|p| p.is_none()).count();
        if without > 0 {
            notes.push(format!(
                "{without} periods have no counterpart to compare with"
            ));
        }
    }
    for dimension in &prepared.dimensions {
        let totals = answer.column("is_total").map(|c| c.as_boolean().clone());
        let unknown = answer.column(&dimension.column).map_or(0, |c| {
            let is_total = |row: usize| totals.as_ref().is_some_and(|t| t.value(row));
            // A column of the type null says so by its type alone.
            let nulls = c.logical_nulls();
            (0..c.len())
                .filter(|row| nulls.as_ref().is_some_and(|n| n.is_null(*row)) && !is_total(*row))
                .count()
        });
        if unknown > 0 {
            notes.push(format!(
                "some events have no value of `{}`; they stand in the rows in which it is null",
                dimension.column
            ));
        }
    }
    for name in &prepared.query.metrics {
        if let Some(below) = answer.column(&format!("{name}_n")) {
            let below = floats(below)?;
            let zero = below.iter().filter(|n| n.is_none_or(|n| n == 0.0)).count();
            if zero > 0 {
                notes.push(format!(
                    "`{name}`: the denominator is 0 in {zero} of {} rows",
                    below.len()
                ));
            }
            let few = below
                .iter()
                .flatten()
                .filter(|n| **n > 0.0 && **n < FEW)
                .count();
            if few > 0 {
                notes.push(format!(
                    "`{name}`: the denominator is less than {FEW} in {few} of {} rows; such shares vary by chance",
                    below.len()
                ));
            }
        }
        let window = match prepared.registry.get(name).map(|metric| &metric.kind) {
            Some(MetricKind::Conversion(conversion)) => Some(conversion.window),
            Some(MetricKind::Funnel(funnel)) => Some(Some(funnel.window)),
            _ => None,
        };
        if let Some(window) = window {
            let open = match window {
                Some(window) => {
                    let end = spine.calendar().shift(last.end_us(), window, false)?;
                    prepared.as_of.is_none_or(|us| us < end)
                }
                None => true,
            };
            if open {
                notes.push(format!(
                    "`{name}`: the windows of the last periods have not all ended, so that more may still convert"
                ));
            }
        }
    }
    Ok(notes)
}
