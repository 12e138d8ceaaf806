//! The table of a funnel.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Float64Array, Int32Array, Int64Array, ListArray, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Schema};

use super::Attribution;
use super::cells::{Cell, Times};
use super::kernel::{FunnelKernel, State};
use crate::behavior::sessions::durations::{Durations, Percentile};
use crate::behavior::shares::{difference, share, wilson};
use crate::behavior::window::Window;
use crate::engine::Table;
use crate::event::time_type;
use crate::{Error, Result};

/// A share of fewer than this many is called a share of few.
const FEW: u64 = 30;

/// A row of the result, with the cell of its first segment.
struct Line<'a> {
    group: u32,
    period: u32,
    segment: usize,
    cell: &'a Cell,
    /// The cell of the first segment, at the second one.
    other: Option<&'a Cell>,
}

pub(super) fn table(funnel: &FunnelKernel, state: &State) -> Result<Table> {
    let steps = funnel.names.len();
    let empty = Cell::new(steps, &funnel.kept);
    let lines = lines(funnel, state, &empty);
    let rows = lines.len() * steps;
    let each = || {
        lines
            .iter()
            .flat_map(|line| (0..steps).map(move |step| (line, step)))
    };
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    let mut put = |field: Field, column: ArrayRef| {
        fields.push(field);
        columns.push(column);
    };
    if !funnel.segments.is_empty() {
        let names = each().map(|(line, _)| Some(funnel.segments.get(line.segment)?.0.as_str()));
        let names: StringArray = names.collect();
        put(
            Field::new("segment", DataType::Utf8, false),
            Arc::new(names),
        );
    }
    let groups: Vec<u32> = each().map(|(line, _)| line.group).collect();
    for (field, column) in funnel.by.fields().zip(state.groups.columns(&groups)?) {
        // A column that no event had has the type that it was announced with.
        let column = match column.data_type() == field.data_type() {
            true => column,
            false => arrow::compute::cast(&column, field.data_type())?,
        };
        put(field, column);
    }
    if funnel.with_periods {
        let starts = each().map(|(line, _)| {
            let periods = funnel.periods.as_ref()?;
            Some(periods.period(line.period as usize)?.start_us())
        });
        let starts: TimestampMicrosecondArray = starts.collect();
        put(
            Field::new("period", time_type(), false),
            Arc::new(starts.with_timezone("UTC")),
        );
    }
    let numbers: Int32Array = each()
        .map(|(_, step)| step as i32 + 1)
        .collect::<Vec<_>>()
        .into();
    put(
        Field::new("step", DataType::Int32, false),
        Arc::new(numbers),
    );
    let names: StringArray = each().map(|(_, step)| funnel.names.get(step)).collect();
    put(Field::new("name", DataType::Utf8, false), Arc::new(names));
    let count = |cell: &Cell, step: usize| cell.counts.get(step).copied().unwrap_or(0);
    let counts: Vec<i64> = each()
        .map(|(line, step)| count(line.cell, step) as i64)
        .collect();
    put(
        Field::new("count", DataType::Int64, false),
        Arc::new(Int64Array::from(counts)),
    );
    let mut floats = |name: &str, values: Vec<Option<f64>>| {
        put(
            Field::new(name, DataType::Float64, true),
            Arc::new(Float64Array::from(values)),
        );
    };
    let first = |line: &Line<'_>| count(line.cell, 0);
    let shares = each().map(|(line, step)| share(count(line.cell, step), first(line)));
    floats("from_first", shares.collect());
    let bounds: Vec<Option<(f64, f64)>> = each()
        .map(|(line, step)| wilson(count(line.cell, step), first(line)))
        .collect();
    floats(
        "from_first_low",
        bounds.iter().map(|b| Some(b.as_ref()?.0)).collect(),
    );
    floats(
        "from_first_high",
        bounds.iter().map(|b| Some(b.as_ref()?.1)).collect(),
    );
    let previous = each().map(|(line, step)| {
        let before = (0..step)
            .rev()
            .find(|s| funnel.steps.optional & 1 << s == 0)?;
        share(count(line.cell, step), count(line.cell, before))
    });
    floats("from_previous", previous.collect());
    if funnel.kept.percentiles {
        let mut seconds: [Vec<Option<f64>>; 4] = std::array::from_fn(|_| Vec::with_capacity(rows));
        for (line, step) in each() {
            let times = line.cell.times(step).map(|times| &times.from_previous);
            let found = [percentiles(times), percentiles(line.cell.since_first(step))];
            let found = found.into_iter().flatten();
            for (values, value) in seconds.iter_mut().zip(found) {
                values.push(value);
            }
        }
        let names = [
            "median_seconds",
            "p95_seconds",
            "total_median_seconds",
            "total_p95_seconds",
        ];
        for (name, values) in names.into_iter().zip(seconds) {
            floats(name, values);
        }
    }
    if !funnel.kept.bounds.is_empty() {
        let column = histogram(each().map(|(line, step)| line.cell.times(step)))?;
        put(
            Field::new("histogram", column.data_type().clone(), true),
            Arc::new(column),
        );
    }
    if !funnel.segments.is_empty() {
        let found: Vec<Option<(f64, f64, f64)>> = each()
            .map(|(line, step)| {
                let other = line.other?;
                difference(
                    (count(line.cell, step), count(line.cell, 0)),
                    (count(other, step), count(other, 0)),
                )
            })
            .collect();
        let mut floats = |name: &str, values: Vec<Option<f64>>| {
            put(
                Field::new(name, DataType::Float64, true),
                Arc::new(Float64Array::from(values)),
            );
        };
        floats(
            "difference",
            found.iter().map(|d| Some(d.as_ref()?.0)).collect(),
        );
        floats(
            "difference_low",
            found.iter().map(|d| Some(d.as_ref()?.1)).collect(),
        );
        floats(
            "difference_high",
            found.iter().map(|d| Some(d.as_ref()?.2)).collect(),
        );
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
    let notes = notes(funnel, state, &lines);
    Ok(Table::new(schema, vec![batch]).with_notes(notes))
}

/// The rows of the result in their order, without steps.
fn lines<'a>(funnel: &FunnelKernel, state: &'a State, empty: &'a Cell) -> Vec<Line<'a>> {
    let segments = funnel.segments.len().max(1) as u32;
    let plain = funnel.by.is_empty() && !funnel.with_periods;
    let ranks = state.groups.in_order();
    let mut rank_of = vec![0_u32; ranks.len()];
    for (rank, id) in ranks.iter().enumerate() {
        if let Some(place) = rank_of.get_mut(*id as usize) {
            *place = rank as u32;
        }
    }
    let rank = |group: u32| rank_of.get(group as usize).copied().unwrap_or(0);
    // Every cell stands beside that of the other segment.
    let keys = state.found.cells.cells.iter();
    let mut keys: Vec<(u32, u32)> = keys.map(|((g, slot), _)| (*g, slot / segments)).collect();
    if plain {
        keys.push((0, 0));
    }
    keys.sort_unstable_by_key(|(group, period)| (rank(*group), *period));
    keys.dedup();
    let cell = |group: u32, period: u32, segment: u32| {
        let key = (group, period * segments + segment);
        state.found.cells.get(key).unwrap_or(empty)
    };
    let mut lines = Vec::with_capacity(keys.len() * segments as usize);
    for segment in 0..segments {
        lines.extend(keys.iter().map(|&(group, period)| Line {
            group,
            period,
            segment: segment as usize,
            cell: cell(group, period, segment),
            other: (segment > 0).then(|| cell(group, period, 0)),
        }));
    }
    lines
}

/// The median and the 95th percentile in seconds.
fn percentiles(times: Option<&Durations>) -> [Option<f64>; 2] {
    let Some(durations) = times else {
        return [None; 2];
    };
    let all = Percentile {
        zeros: 0,
        durations,
    };
    let found = all.seconds(&[50.0, 95.0]);
    std::array::from_fn(|i| found.get(i).copied().flatten())
}

/// Lists of counts; null at the first step.
fn histogram<'a>(rows: impl Iterator<Item = Option<&'a Times>>) -> Result<ListArray> {
    let mut values: Vec<i64> = Vec::new();
    let (mut lengths, mut valid) = (Vec::new(), Vec::new());
    for times in rows {
        let counts = times.map_or(&[][..], |times| &times.histogram);
        valid.push(times.is_some());
        lengths.push(counts.len());
        values.extend(counts.iter().map(|count| *count as i64));
    }
    ListArray::try_new(
        Arc::new(Field::new_list_field(DataType::Int64, false)),
        OffsetBuffer::from_lengths(lengths),
        Arc::new(Int64Array::from(values)),
        Some(valid.into()),
    )
    .map_err(Error::from)
}

fn notes(funnel: &FunnelKernel, state: &State, lines: &[Line<'_>]) -> Vec<String> {
    let mut notes = Vec::new();
    let begun = |line: &Line<'_>| line.cell.counts.first().copied().unwrap_or(0);
    if lines.iter().all(|line| begun(line) == 0) {
        notes.push("no chain begins: no event meets the first step".to_owned());
    }
    let few = lines
        .iter()
        .filter(|l| (1..FEW).contains(&begun(l)))
        .count();
    if few > 0 {
        notes.push(format!(
            "fewer than {FEW} begin in {few} of {} funnels; such shares vary by chance",
            lines.len()
        ));
    }
    if let (Some(open), Some(last)) = (state.found.last_open, state.found.last_event)
        && !matches!(funnel.steps.window, Window::Endless)
        && funnel.steps.window.holds(open, last)
    {
        let within = funnel.within.map_or_else(String::new, |w| w.to_string());
        notes.push(format!(
            "the last event comes less than {within} after the last beginning: more may still convert"
        ));
    }
    if let (Attribution::Step(step), left_out @ 1..) = (funnel.attribution, state.found.left_out) {
        notes.push(format!(
            "{left_out} chains do not hold step {step}, which gives the values of `by`, and are left out"
        ));
    }
    let nulls = state.groups.with_null();
    for (column, name) in funnel.by.names().enumerate() {
        let unknown = lines.iter().any(|line| {
            let null = nulls.get(line.group as usize).and_then(|n| n.get(column));
            null.copied().unwrap_or(false)
        });
        if unknown {
            notes.push(format!(
                "some chains have no value of `{name}`; they stand in the rows in which it is null"
            ));
        }
    }
    notes
}
