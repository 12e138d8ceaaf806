//! What is computed during a scan.

use super::{ActorBlock, RowBlock};
use crate::Result;

/// The mark of rows that a kernel need not be given.
pub(crate) const NO_MARK: u64 = u64::MAX;

/// A computation over actors. Each thread has a state of its own.
///
/// Which blocks a state sees, and in which order states are combined, differs from run to run:
/// `combine` must be commutative and associative, to the last bit.
pub(crate) trait Kernel: Sync {
    type State: Send;

    fn new_state(&self) -> Self::State;

    fn block(&self, state: &mut Self::State, block: &ActorBlock) -> Result<()>;

    fn combine(&self, into: Self::State, from: Self::State) -> Result<Self::State>;

    /// Whether an actor may come in several blocks, see [`ActorBlock`]; it always does where it has very many rows and they
    /// need no sorting.
    fn takes_parts(&self) -> bool {
        false
    }

    /// Whether [`marks`](Self::marks) says which rows repeat others, so that a scan may leave them out early.
    fn has_marks(&self) -> bool {
        false
    }

    /// Gives each row a mark: of the rows of one actor with the same mark, one is enough, and rows with [`NO_MARK`] are
    /// not needed. Marks mean the same for one state only, which is given no blocks.
    fn marks(
        &self,
        _state: &mut Self::State,
        _rows: &RowBlock,
        _marks: &mut Vec<u64>,
    ) -> Result<()> {
        Ok(())
    }
}

/// A computation over rows in any order; as [`Kernel`] otherwise.
pub(crate) trait RowKernel: Sync {
    type State: Send;

    fn new_state(&self) -> Self::State;

    fn rows(&self, state: &mut Self::State, block: &RowBlock) -> Result<()>;

    fn combine(&self, into: Self::State, from: Self::State) -> Result<Self::State>;
}

impl<K: Kernel + ?Sized> Kernel for &K {
    type State = K::State;

    fn new_state(&self) -> Self::State {
        (**self).new_state()
    }

    fn block(&self, state: &mut Self::State, block: &ActorBlock) -> Result<()> {
        (**self).block(state, block)
    }

    fn combine(&self, into: Self::State, from: Self::State) -> Result<Self::State> {
        (**self).combine(into, from)
    }

    fn takes_parts(&self) -> bool {
        (**self).takes_parts()
    }

    fn has_marks(&self) -> bool {
        (**self).has_marks()
    }

    fn marks(&self, state: &mut Self::State, rows: &RowBlock, marks: &mut Vec<u64>) -> Result<()> {
        (**self).marks(state, rows, marks)
    }
}

/// Several kernels of one kind in one pass.
impl<K: Kernel> Kernel for [K] {
    type State = Vec<K::State>;

    fn new_state(&self) -> Self::State {
        self.iter().map(K::new_state).collect()
    }

    fn block(&self, state: &mut Self::State, block: &ActorBlock) -> Result<()> {
        let mut pairs = self.iter().zip(state);
        pairs.try_for_each(|(kernel, state)| kernel.block(state, block))
    }

    fn combine(&self, into: Self::State, from: Self::State) -> Result<Self::State> {
        let states = into.into_iter().zip(from);
        self.iter()
            .zip(states)
            .map(|(kernel, (into, from))| kernel.combine(into, from))
            .collect()
    }

    fn takes_parts(&self) -> bool {
        self.iter().all(K::takes_parts)
    }

    fn has_marks(&self) -> bool {
        matches!(self, [only] if only.has_marks())
    }

    fn marks(&self, state: &mut Self::State, rows: &RowBlock, marks: &mut Vec<u64>) -> Result<()> {
        let mut pairs = self.iter().zip(state);
        pairs.try_for_each(|(kernel, state)| kernel.marks(state, rows, marks))
    }
}

/// Two kernels of different kinds in one pass; pairs nest.
impl<A: Kernel, B: Kernel> Kernel for (A, B) {
    type State = (A::State, B::State);

    fn new_state(&self) -> Self::State {
        (self.0.new_state(), self.1.new_state())
    }

    fn block(&self, state: &mut Self::State, block: &ActorBlock) -> Result<()> {
        self.0.block(&mut state.0, block)?;
        self.1.block(&mut state.1, block)
    }

    fn combine(&self, into: Self::State, from: Self::State) -> Result<Self::State> {
        Ok((
            self.0.combine(into.0, from.0)?,
            self.1.combine(into.1, from.1)?,
        ))
    }

    fn takes_parts(&self) -> bool {
        self.0.takes_parts() && self.1.takes_parts()
    }
}

impl<K: RowKernel> RowKernel for [K] {
    type State = Vec<K::State>;

    fn new_state(&self) -> Self::State {
        self.iter().map(K::new_state).collect()
    }

    fn rows(&self, state: &mut Self::State, block: &RowBlock) -> Result<()> {
        let mut pairs = self.iter().zip(state);
        pairs.try_for_each(|(kernel, state)| kernel.rows(state, block))
    }

    fn combine(&self, into: Self::State, from: Self::State) -> Result<Self::State> {
        let states = into.into_iter().zip(from);
        self.iter()
            .zip(states)
            .map(|(kernel, (into, from))| kernel.combine(into, from))
            .collect()
    }
}
