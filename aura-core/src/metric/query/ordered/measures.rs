//! Sums and extremes of the values of an argument, by group.

use std::fmt::Debug;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, UInt64Type};

use super::slots::Slots;
use crate::Result;
use crate::engine::ExactSum;
use crate::engine::ordered::{RowValue, Rows};

/// What is measured.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wanted {
    pub(super) sum: bool,
    pub(super) least: bool,
    pub(super) most: bool,
}

/// An argument of aggregates.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) value: RowValue,
    pub(super) slots: Slots,
    pub(super) wanted: Wanted,
}

/// The numbers of a lane in one of the forms that are measured.
enum Numbers {
    Signed(ArrayRef),
    Unsigned(ArrayRef),
    Floats(ArrayRef),
}

/// A number that is measured.
pub(super) trait Number: Copy + Default + Debug {
    type Sum: Default + Clone + Debug;

    /// Not less than any.
    const LAST: Self;
    /// Not greater than any.
    const FIRST: Self;

    fn add(sum: &mut Self::Sum, value: Self);

    fn merge(sum: &mut Self::Sum, other: &Self::Sum);

    fn remove(sum: &mut Self::Sum, other: &Self::Sum);

    fn is_less(self, other: Self) -> bool;
}

impl Number for i128 {
    type Sum = i128;

    const LAST: i128 = i128::MAX;
    const FIRST: i128 = i128::MIN;

    #[inline]
    fn add(sum: &mut i128, value: i128) {
        // 2⁶³ rows of 64 bits fit.
        *sum = sum.wrapping_add(value);
    }

    fn merge(sum: &mut i128, other: &i128) {
        *sum = sum.wrapping_add(*other);
    }

    fn remove(sum: &mut i128, other: &i128) {
        *sum = sum.wrapping_sub(*other);
    }

    #[inline]
    fn is_less(self, other: i128) -> bool {
        self < other
    }
}

impl Number for f64 {
    type Sum = ExactSum;

    const LAST: f64 = f64::NAN;
    const FIRST: f64 = f64::NEG_INFINITY;

    #[inline]
    fn add(sum: &mut ExactSum, value: f64) {
        sum.add(value);
    }

    fn merge(sum: &mut ExactSum, other: &ExactSum) {
        sum.merge(other);
    }

    fn remove(sum: &mut ExactSum, other: &ExactSum) {
        sum.remove(other);
    }

    /// NaN is greater than all numbers, whatever its bits, and −0 less than 0, so that the answer does not depend on
    /// the order.
    #[inline]
    fn is_less(self, other: f64) -> bool {
        match (self.is_nan(), other.is_nan()) {
            (false, false) => {
                self < other
                    || (self == other && self.is_sign_negative() && !other.is_sign_negative())
            }
            (own, other) => !own && other,
        }
    }
}

/// Measures of one form of numbers; the value of place p for slot s is at p × width + s.
#[derive(Debug, Default)]
pub(super) struct Measures<N: Number> {
    pub(super) counts: Vec<u64>,
    pub(super) sums: Vec<N::Sum>,
    pub(super) least: Vec<N>,
    pub(super) most: Vec<N>,
}

/// The measures of a lane.
#[derive(Debug)]
pub(super) enum LaneState {
    Integers(Measures<i128>),
    Floats(Measures<f64>),
}

/// Tells whether values of a type can be measured.
pub(super) fn measurable(data_type: &DataType, extremes: bool) -> bool {
    data_type.is_integer()
        || matches!(data_type, DataType::Float32 | DataType::Float64)
        || (extremes && matches!(data_type, DataType::Date32 | DataType::Timestamp(..)))
}

impl Lane {
    pub(super) fn state(&self) -> LaneState {
        match self.value.data_type() {
            DataType::Float32 | DataType::Float64 => LaneState::Floats(Measures::default()),
            _ => LaneState::Integers(Measures::default()),
        }
    }

    /// Measures the rows of a block, given the place of each and which tests it passes.
    pub(super) fn rows(
        &self,
        state: &mut LaneState,
        rows: Rows<'_>,
        places: &[u32],
        masks: &[u64],
        groups: usize,
    ) -> Result<()> {
        let array = self.value.values(rows)?;
        let numbers = match array.data_type() {
            DataType::Float64 => Numbers::Floats(array),
            DataType::Float32 => Numbers::Floats(cast(&array, &DataType::Float64)?),
            DataType::UInt64 => Numbers::Unsigned(array),
            _ => Numbers::Signed(cast(&array, &DataType::Int64)?),
        };
        let given = Given {
            lane: self,
            places,
            masks,
        };
        match (state, &numbers) {
            (LaneState::Integers(state), Numbers::Signed(array)) => {
                state.fit(self, groups);
                let values = array.as_primitive::<Int64Type>().values();
                given.measure(state, array, |row| i128::from(values[row]));
            }
            (LaneState::Integers(state), Numbers::Unsigned(array)) => {
                state.fit(self, groups);
                let values = array.as_primitive::<UInt64Type>().values();
                given.measure(state, array, |row| i128::from(values[row]));
            }
            (LaneState::Floats(state), Numbers::Floats(array)) => {
                state.fit(self, groups);
                let values = array.as_primitive::<Float64Type>().values();
                given.measure(state, array, |row| values[row]);
            }
            _ => return Err(crate::Error::internal("an argument changed its type")),
        }
        Ok(())
    }
}

struct Given<'a> {
    lane: &'a Lane,
    places: &'a [u32],
    masks: &'a [u64],
}

impl Given<'_> {
    fn measure<N: Number>(
        &self,
        state: &mut Measures<N>,
        array: &ArrayRef,
        value: impl Fn(usize) -> N + Copy,
    ) {
        let Measures {
            counts,
            sums,
            least,
            most,
        } = state;
        self.each(array, |_, slot| counts[slot] += 1);
        let wanted = self.lane.wanted;
        if wanted.sum {
            self.each(array, |row, slot| N::add(&mut sums[slot], value(row)));
        }
        if wanted.least {
            self.each(array, |row, slot| {
                let value = value(row);
                if value.is_less(least[slot]) {
                    least[slot] = value;
                }
            });
        }
        if wanted.most {
            self.each(array, |row, slot| {
                let value = value(row);
                if most[slot].is_less(value) {
                    most[slot] = value;
                }
            });
        }
    }

    /// Passes over the slots that rows with a value count in.
    fn each(&self, array: &ArrayRef, work: impl FnMut(usize, usize)) {
        let (places, masks) = (self.places, self.masks);
        match array.nulls().filter(|n| n.null_count() > 0) {
            None => self.lane.slots.each(places, masks, |_| true, work),
            Some(nulls) => self
                .lane
                .slots
                .each(places, masks, |row| nulls.is_valid(row), work),
        }
    }
}

impl<N: Number> Measures<N> {
    /// Makes room for `groups` places.
    pub(super) fn fit(&mut self, lane: &Lane, groups: usize) {
        let size = groups * lane.slots.width();
        self.counts.resize(size, 0);
        if lane.wanted.sum {
            self.sums.resize(size, N::Sum::default());
        }
        if lane.wanted.least {
            self.least.resize(size, N::LAST);
        }
        if lane.wanted.most {
            self.most.resize(size, N::FIRST);
        }
    }

    /// Adds what another has at `from` to what is at `to`.
    pub(super) fn merge(&mut self, to: usize, other: &Self, from: usize) {
        self.shift(to, other, from, true);
        if let (Some(own), Some(other)) = (self.least.get_mut(to), other.least.get(from))
            && other.is_less(*own)
        {
            *own = *other;
        }
        if let (Some(own), Some(other)) = (self.most.get_mut(to), other.most.get(from))
            && own.is_less(*other)
        {
            *own = *other;
        }
    }

    /// Adds or takes off counts and sums; extremes cannot be taken off.
    pub(super) fn shift(&mut self, to: usize, other: &Self, from: usize, add: bool) {
        if let (Some(own), Some(other)) = (self.counts.get_mut(to), other.counts.get(from)) {
            match add {
                true => *own += other,
                false => *own -= other,
            }
        }
        if let (Some(own), Some(other)) = (self.sums.get_mut(to), other.sums.get(from)) {
            match add {
                true => N::merge(own, other),
                false => N::remove(own, other),
            }
        }
    }

    /// Returns the bytes of all measures; what sums hold beside themselves is not looked up.
    pub(super) fn bytes(&self) -> usize {
        self.counts.capacity() * 8
            + self.sums.capacity() * size_of::<N::Sum>()
            + (self.least.capacity() + self.most.capacity()) * size_of::<N>()
    }
}

impl LaneState {
    pub(super) fn bytes(&self) -> usize {
        match self {
            LaneState::Integers(measures) => measures.bytes(),
            LaneState::Floats(measures) => measures.bytes(),
        }
    }
}
