//! The texts of one column of a scan, by their codes.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use arrow::array::StringArray;

use crate::store::Interner;
use crate::{Error, ErrorKind, Result};

/// The texts of a column. A code means the same text in all blocks of one scan; which code a text
/// has differs from run to run. Code 0 is null.
#[derive(Debug)]
pub(crate) struct Texts {
    column: String,
    inner: RwLock<Interner>,
    /// The rank of each code in the order of the texts, as of the last time it was asked for.
    ranks: Mutex<Arc<Vec<u32>>>,
    most_bytes: usize,
}

impl Texts {
    pub(super) fn new(column: &str, most_bytes: usize) -> Self {
        Texts {
            column: column.to_owned(),
            inner: RwLock::new(Interner::new()),
            ranks: Mutex::default(),
            most_bytes,
        }
    }

    /// Returns one more than the highest code so far.
    pub(crate) fn len(&self) -> usize {
        self.inner
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
            + 1
    }

    /// Passes over the codes from `from` (at least 1) on with their texts; returns
    /// [`len`](Self::len). So a kernel that keeps something for each code learns the new ones.
    pub(crate) fn each_from(&self, from: usize, mut work: impl FnMut(u32, &str)) -> usize {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        for code in from.max(1)..=inner.len() {
            work(code as u32, inner.value(code as u32 - 1));
        }
        inner.len() + 1
    }

    /// Returns the text of each code, null for code 0.
    pub(crate) fn to_array(&self) -> StringArray {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        std::iter::once(None)
            .chain((0..inner.len()).map(|code| Some(inner.value(code as u32))))
            .collect()
    }

    /// Returns the texts of some codes.
    pub(crate) fn of(&self, codes: impl Iterator<Item = u32>) -> StringArray {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        codes
            .map(|code| code.checked_sub(1).map(|code| inner.value(code)))
            .collect()
    }

    /// Returns the rank of each code in the byte order of the texts; null is first.
    pub(super) fn ranks(&self) -> Arc<Vec<u32>> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let mut ranks = self.ranks.lock().unwrap_or_else(PoisonError::into_inner);
        if ranks.len() != inner.len() + 1 {
            let mut made = vec![0; inner.len() + 1];
            for (rank, code) in inner.in_order().into_iter().enumerate() {
                made[code as usize + 1] = rank as u32 + 1;
            }
            *ranks = Arc::new(made);
        }
        Arc::clone(&ranks)
    }

    /// Gives codes to texts.
    pub(super) fn intern<'a>(
        &self,
        texts: impl Iterator<Item = &'a str>,
        codes: &mut Vec<u32>,
    ) -> Result<()> {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        codes.extend(texts.map(|text| inner.intern(text) + 1));
        // Text, its place and its slot in the table.
        let bytes = inner.page_bytes() + 16 * inner.len();
        if bytes > self.most_bytes {
            return Err(Error::new(
                ErrorKind::ResourceExhausted,
                format!(
                    "the different texts of column `{}` take more than {} bytes; raise the memory limit, or ask for less of the column (a filter, a shorter time)",
                    self.column, self.most_bytes
                ),
            ));
        }
        Ok(())
    }
}
