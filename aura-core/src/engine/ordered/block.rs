//! What kernels see.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray, UInt32Array};
use arrow::buffer::ScalarBuffer;
use arrow::compute::{concat, take};

use super::Texts;
use crate::Result;

/// The values of one column of a block.
#[derive(Debug, Clone)]
pub(crate) enum Column {
    /// Text: codes of `texts`; 0 is null.
    Codes {
        codes: ScalarBuffer<u32>,
        texts: Arc<Texts>,
    },
    /// Anything else, with the type it has in the table `events`.
    Values(ArrayRef),
}

impl Column {
    /// Returns the codes of a text column.
    pub(crate) fn codes(&self) -> Option<(&[u32], &Arc<Texts>)> {
        match self {
            Column::Codes { codes, texts } => Some((codes, texts)),
            Column::Values(_) => None,
        }
    }

    /// Returns the values of a column that is not text.
    pub(crate) fn values(&self) -> Option<&ArrayRef> {
        match self {
            Column::Codes { .. } => None,
            Column::Values(values) => Some(values),
        }
    }

    /// Puts parts of one column together.
    pub(crate) fn concat<'a>(parts: impl Iterator<Item = &'a Column>) -> Result<Column> {
        let mut all = Vec::new();
        let mut arrays: Vec<&dyn Array> = Vec::new();
        let mut shared = None;
        for part in parts {
            match part {
                Column::Codes { codes, texts } => {
                    all.extend_from_slice(codes);
                    shared = Some(texts);
                }
                Column::Values(values) => arrays.push(values.as_ref()),
            }
        }
        Ok(match shared {
            Some(texts) => Column::Codes {
                codes: all.into(),
                texts: Arc::clone(texts),
            },
            None => Column::Values(concat(&arrays)?),
        })
    }

    /// Returns the rows `order` of the column.
    pub(super) fn reorder(&self, order: &[u32]) -> Result<Column> {
        Ok(match self {
            Column::Codes { codes, texts } => {
                let codes = &codes[..];
                let reordered = order.iter().map(|&row| codes[row as usize]);
                Column::Codes {
                    codes: reordered.collect::<Vec<_>>().into(),
                    texts: Arc::clone(texts),
                }
            }
            Column::Values(values) => {
                let order = UInt32Array::new(order.to_vec().into(), None);
                Column::Values(take(values, &order, None)?)
            }
        })
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        match self {
            Column::Codes { codes, .. } => codes.len(),
            Column::Values(values) => values.len(),
        }
    }

    pub(super) fn slice(&self, rows: &Range<usize>) -> Column {
        match self {
            Column::Codes { codes, texts } => Column::Codes {
                codes: codes.slice(rows.start, rows.len()),
                texts: Arc::clone(texts),
            },
            Column::Values(values) => Column::Values(values.slice(rows.start, rows.len())),
        }
    }
}

/// Whole actors with all their rows in the scan, in no particular order of actors.
///
/// A kernel that takes parts gets an actor with very many rows in several blocks, one right after the other and into the same
/// state.
#[derive(Debug, Clone)]
pub(crate) struct ActorBlock {
    /// UTC microseconds.
    pub(crate) times: ScalarBuffer<i64>,
    /// Asked columns, at the places that [`Request::want`](super::Request::want) gave.
    pub(crate) columns: Vec<Column>,
    /// The rows of actor i are `starts[i]..starts[i + 1]`, never none.
    pub(crate) starts: Vec<u32>,
    /// The actors, if asked for; numbers as decimal text.
    pub(crate) names: Option<StringArray>,
    /// Whether the first actor goes on from the block before.
    pub(crate) begun: bool,
    /// Whether the last actor goes on in the next block.
    pub(crate) open: bool,
}

/// The rows of an actor in a block.
#[derive(Debug, Clone)]
pub(crate) struct ActorRows {
    pub(crate) rows: Range<usize>,
    /// Whether there were rows of it in the block before.
    pub(crate) begun: bool,
    /// Whether there are more in the next block.
    pub(crate) open: bool,
}

impl ActorBlock {
    /// Returns the number of actors.
    pub(crate) fn actors(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Returns a block of some of the actors, all rows of which it has.
    pub(crate) fn actors_of(&self, actors: Range<usize>) -> ActorBlock {
        let starts = self.starts.get(actors.start..=actors.end);
        let starts = starts.unwrap_or_default();
        let ends = starts.first().zip(starts.last());
        let (start, end) = ends.map_or((0, 0), |(&start, &end)| (start, end));
        let rows = start as usize..end as usize;
        ActorBlock {
            times: self.times.slice(rows.start, rows.len()),
            columns: self.columns.iter().map(|c| c.slice(&rows)).collect(),
            starts: starts.iter().map(|s| s - start).collect(),
            names: self
                .names
                .as_ref()
                .map(|n| n.slice(actors.start, actors.len())),
            begun: false,
            open: false,
        }
    }

    /// Returns each actor in turn, for kernels that take parts.
    pub(crate) fn parts(&self) -> impl Iterator<Item = ActorRows> + '_ {
        let last = self.actors().saturating_sub(1);
        self.rows().enumerate().map(move |(at, rows)| ActorRows {
            rows,
            begun: self.begun && at == 0,
            open: self.open && at == last,
        })
    }

    /// Returns the rows of each actor in turn.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.starts.windows(2).map(|w| match w {
            [a, b] => *a as usize..*b as usize,
            _ => 0..0,
        })
    }
}

/// Some rows in no particular order.
#[derive(Debug, Clone)]
pub(crate) struct RowBlock {
    pub(crate) rows: usize,
    /// UTC microseconds, if asked for.
    pub(crate) times: Option<ScalarBuffer<i64>>,
    /// Asked columns, at the places that [`Request::want`](super::Request::want) gave.
    pub(crate) columns: Vec<Column>,
}
