//! Which windows of return are told apart.

/// The cells of a row of a matrix: single windows, or brackets of neighbouring ones. Windows count from 0, the one
/// of the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cells {
    /// So many, one window each.
    Each(usize),
    /// Cell k holds the windows `bounds[k]..bounds[k + 1]`; the bounds ascend.
    Brackets(Vec<u32>),
}

impl Cells {
    pub(crate) fn len(&self) -> usize {
        match self {
            Cells::Each(count) => *count,
            Cells::Brackets(bounds) => bounds.len().saturating_sub(1),
        }
    }

    /// Returns the first window of cell `k`.
    pub(crate) fn first(&self, k: usize) -> u32 {
        match self {
            Cells::Each(_) => k as u32,
            Cells::Brackets(bounds) => bounds.get(k).copied().unwrap_or(u32::MAX),
        }
    }

    /// Returns the last window of cell `k`.
    pub(crate) fn last(&self, k: usize) -> u32 {
        match self {
            Cells::Each(_) => k as u32,
            Cells::Brackets(bounds) => bounds.get(k + 1).map_or(u32::MAX, |b| b - 1),
        }
    }

    /// Returns the number of windows up to the end of the last cell.
    pub(crate) fn windows(&self) -> u32 {
        match self {
            Cells::Each(count) => *count as u32,
            Cells::Brackets(bounds) => bounds.last().copied().unwrap_or(0),
        }
    }

    /// Returns the number of cells that begin with `window` or before it.
    #[inline]
    pub(crate) fn begun(&self, window: u32) -> usize {
        match self {
            Cells::Each(count) => (window as usize).saturating_add(1).min(*count),
            Cells::Brackets(bounds) => {
                let begun = bounds.partition_point(|b| *b <= window);
                begun.min(self.len())
            }
        }
    }

    /// Returns the number of cells that are over when the first `windows` windows are.
    #[inline]
    pub(crate) fn ended(&self, windows: u32) -> usize {
        match self {
            Cells::Each(count) => (windows as usize).min(*count),
            Cells::Brackets(bounds) => {
                let ends = bounds.get(1..).unwrap_or_default();
                ends.partition_point(|b| *b <= windows)
            }
        }
    }

    /// Returns the cell that holds `window`.
    #[inline]
    pub(crate) fn of(&self, window: u32) -> Option<usize> {
        match self {
            Cells::Each(count) => (window as usize).lt(count).then_some(window as usize),
            Cells::Brackets(_) if window >= self.windows() => None,
            Cells::Brackets(_) => self.begun(window).checked_sub(1),
        }
    }
}
