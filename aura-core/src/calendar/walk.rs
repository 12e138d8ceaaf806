//! The bounds of all periods of a range.

use super::zone::check_instant;
use super::{Grain, PreparedCalendar};
use crate::{Error, ErrorKind, Result};

/// The most periods that a range may have: eight years of minutes.
pub const MAX_PERIODS: usize = 1 << 22;

impl PreparedCalendar {
    /// Returns the starts of the periods that share an instant with `[from_us, to_us)` and the end of
    /// the last one; nothing for an empty range.
    pub(super) fn bounds(&self, grain: Grain, from_us: i64, to_us: i64) -> Result<Vec<i64>> {
        check_instant("from", from_us)?;
        // The end is not part of the range.
        check_instant("to", to_us.saturating_sub(1).max(from_us))?;
        if from_us > to_us {
            return Err(Error::invalid_spec(format!(
                "the range begins at {from_us} µs, after its end at {to_us} µs; exchange `from` and `to`"
            )));
        }
        if from_us == to_us {
            return Ok(Vec::new());
        }
        let first = self.period_of(grain, from_us)?;
        let mut bounds = vec![first.start_us()];
        if let Some(custom) = self.custom(grain) {
            let from = custom.position(grain, from_us)?;
            let to = custom.position(grain, to_us - 1)?;
            bounds.extend(
                custom
                    .periods
                    .iter()
                    .take(to + 1)
                    .skip(from)
                    .map(|p| p.end_us()),
            );
            return Ok(bounds);
        }
        // No period is longer than this, so that hopeless ranges are refused before they are walked.
        if to_us.abs_diff(from_us) / grain.longest_us() > MAX_PERIODS as u64 {
            return Err(too_many(grain));
        }
        match grain.clock_us() {
            Some(width) => self.clock_bounds(grain, width, to_us, &mut bounds)?,
            None => {
                let mut index = self.index_of(grain, from_us)?;
                let mut start = first.start_us();
                while start < to_us {
                    index += 1;
                    let next = self.start_of(grain, index)?;
                    // A day that is skipped as a whole begins and ends with the next.
                    if next > start {
                        push(&mut bounds, next, grain)?;
                        start = next;
                    }
                }
            }
        }
        Ok(bounds)
    }

    fn clock_bounds(
        &self,
        grain: Grain,
        width_us: i64,
        to_us: i64,
        bounds: &mut Vec<i64>,
    ) -> Result<()> {
        let mut at = bounds.last().copied().unwrap_or(to_us);
        while at < to_us {
            let segment = self.zone.segment(at)?;
            at -= (at + segment.offset_us).rem_euclid(width_us);
            while at < to_us && at < segment.to_us {
                at = (at + width_us).min(segment.to_us);
                push(bounds, at, grain)?;
            }
        }
        Ok(())
    }
}

fn push(bounds: &mut Vec<i64>, bound: i64, grain: Grain) -> Result<()> {
    // One bound more than periods.
    if bounds.len() > MAX_PERIODS {
        return Err(too_many(grain));
    }
    bounds.push(bound);
    Ok(())
}

fn too_many(grain: Grain) -> Error {
    Error::new(
        ErrorKind::ResourceExhausted,
        format!(
            "the range has more than {MAX_PERIODS} periods of one {grain}; take a longer grain or a \
             shorter range"
        ),
    )
}

impl Grain {
    /// Returns a length that no period exceeds, clock changes included.
    fn longest_us(self) -> u64 {
        let hours = match self {
            Grain::Minute => return 60_000_000,
            Grain::Hour => 1,
            Grain::Day => 2 * 24,
            Grain::Week => 8 * 24,
            Grain::Month => 32 * 24,
            Grain::Quarter => 93 * 24,
            Grain::Year => 367 * 24,
        };
        hours * 3_600_000_000
    }
}
