//! Actors that come in parts, put together for the analyses that need them whole.

use std::ops::Range;

use crate::Result;
use crate::engine::ordered::{ActorBlock, Column};

/// The parts so far of an actor that goes on.
#[derive(Debug, Default)]
pub(super) struct Whole {
    parts: Vec<ActorBlock>,
    /// For each word of conditions those of the rows of `parts`.
    masks: Vec<Vec<u64>>,
}

impl Whole {
    /// Takes a block, and gives away what is whole now; `masks` has for each word one for each row.
    pub(super) fn take(
        &mut self,
        block: &ActorBlock,
        masks: &[Vec<u64>],
        mut give: impl FnMut(&ActorBlock, &[&[u64]]) -> Result<()>,
    ) -> Result<()> {
        let (mut first, mut end) = (0, block.actors());
        if block.begun {
            self.add(block, masks, 0..1);
            if block.open && end == 1 {
                return Ok(());
            }
            self.give(&mut give)?;
            first = 1;
        }
        if block.open {
            end -= 1;
        }
        if first < end {
            let masks: Vec<&[u64]> = masks
                .iter()
                .map(|m| rows_of(block, m, first..end))
                .collect();
            give(&block.actors_of(first..end), &masks)?;
        }
        if block.open {
            self.add(block, masks, end..end + 1);
        }
        Ok(())
    }

    fn add(&mut self, block: &ActorBlock, masks: &[Vec<u64>], actors: Range<usize>) {
        self.masks.resize_with(masks.len(), Vec::new);
        for (kept, masks) in self.masks.iter_mut().zip(masks) {
            kept.extend_from_slice(rows_of(block, masks, actors.clone()));
        }
        self.parts.push(block.actors_of(actors));
    }

    fn give(&mut self, give: &mut impl FnMut(&ActorBlock, &[&[u64]]) -> Result<()>) -> Result<()> {
        let parts = std::mem::take(&mut self.parts);
        let columns = (0..parts.first().map_or(0, |part| part.columns.len()))
            .map(|place| Column::concat(parts.iter().filter_map(|part| part.columns.get(place))));
        let columns = columns.collect::<Result<_>>()?;
        let times: Vec<i64> = parts
            .iter()
            .flat_map(|part| part.times.iter().copied())
            .collect();
        let whole = ActorBlock {
            starts: vec![0, times.len() as u32],
            times: times.into(),
            columns,
            names: parts.into_iter().next().and_then(|part| part.names),
            begun: false,
            open: false,
        };
        let masks: Vec<&[u64]> = self.masks.iter().map(Vec::as_slice).collect();
        let given = give(&whole, &masks);
        self.masks.iter_mut().for_each(Vec::clear);
        given
    }
}

/// The words of the rows of some actors.
fn rows_of<'a>(block: &ActorBlock, masks: &'a [u64], actors: Range<usize>) -> &'a [u64] {
    let ends = block
        .starts
        .get(actors.start)
        .zip(block.starts.get(actors.end));
    let rows = ends.map_or(0..0, |(start, end)| *start as usize..*end as usize);
    masks.get(rows).unwrap_or_default()
}
