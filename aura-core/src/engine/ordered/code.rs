//! Text columns of batches to the codes of the scan.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use arrow::buffer::ScalarBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type};

use super::Texts;
use crate::store::Interner;
use crate::{Error, Result};

/// Different texts that a thread remembers before it asks anew.
const REMEMBERED: usize = 1 << 16;
const UNKNOWN: u32 = u32::MAX;

/// Gives the codes of one column to the batches of one thread.
pub(super) struct Coder {
    texts: Arc<Texts>,
    /// The last dictionary, the codes of its keys, and whether some are not known yet. The array is
    /// kept so that its address stays its own.
    known: Option<(ArrayRef, Vec<u32>, bool)>,
    /// Plain texts seen by this thread, and their codes.
    seen: Interner,
    codes_of_seen: Vec<u32>,
}

impl Coder {
    pub(super) fn new(texts: Arc<Texts>) -> Self {
        Coder {
            texts,
            known: None,
            seen: Interner::new(),
            codes_of_seen: Vec::new(),
        }
    }

    pub(super) fn texts(&self) -> &Arc<Texts> {
        &self.texts
    }

    /// Returns the codes of a text column of any kind.
    pub(super) fn codes(&mut self, column: &ArrayRef) -> Result<ScalarBuffer<u32>> {
        match column.data_type() {
            DataType::Dictionary(..) => self.dictionary(column),
            DataType::Utf8View => self.plain(column.as_string_view()),
            DataType::Null => Ok(vec![0; column.len()].into()),
            _ => self.plain(cast(column, &DataType::Utf8View)?.as_string_view()),
        }
    }

    /// Returns the codes of a column that has one text in every row.
    pub(super) fn constant(&mut self, text: &str, rows: usize) -> Result<ScalarBuffer<u32>> {
        let mut code = Vec::new();
        self.texts.intern(std::iter::once(text), &mut code)?;
        Ok(vec![code.first().copied().unwrap_or(0); rows].into())
    }

    fn dictionary(&mut self, column: &ArrayRef) -> Result<ScalarBuffer<u32>> {
        let column = to_dictionary(column)?;
        let encoded = column
            .as_dictionary_opt::<Int32Type>()
            .ok_or_else(|| Error::internal("a dictionary column changed its type"))?;
        let values = encoded.values();
        let text = values
            .as_string_opt::<i32>()
            .ok_or_else(|| Error::internal("the values of a dictionary are not text"))?;
        let same = self.known.as_ref().is_some_and(|(known, ..)| {
            known.as_string_opt::<i32>().is_some_and(|k| {
                k.len() == text.len()
                    && k.value_offsets().as_ptr() == text.value_offsets().as_ptr()
                    && k.value_data().as_ptr() == text.value_data().as_ptr()
            })
        });
        if !same {
            let partial = values.len() > column.len();
            self.known = Some((Arc::clone(values), vec![UNKNOWN; values.len()], partial));
        }
        let Some((_, map, partial)) = &mut self.known else {
            return Ok(ScalarBuffer::from(Vec::new()));
        };
        let keys = encoded.keys();
        // A dictionary may hold more than occurs, and repeat itself; a small one is taken whole.
        let mut new: Vec<usize> = Vec::new();
        let mut want = |key: usize| {
            if let Some(code) = map.get_mut(key)
                && *code == UNKNOWN
            {
                *code = UNKNOWN - 1;
                new.push(key);
            }
        };
        if *partial {
            valid_keys(keys).for_each(want);
        } else if !same {
            (0..values.len()).for_each(&mut want);
        }
        if !new.is_empty() {
            let mut codes = Vec::with_capacity(new.len());
            let texts = new.iter().filter(|&&k| text.is_valid(k));
            self.texts
                .intern(texts.map(|&k| text.value(k)), &mut codes)?;
            let mut codes = codes.into_iter();
            for key in new {
                map[key] = match text.is_valid(key) {
                    true => codes.next().unwrap_or(0),
                    false => 0,
                };
            }
        }
        let code = |key: i32| map.get(key as usize).copied().unwrap_or(0);
        let codes: Vec<u32> = match keys.nulls() {
            None => keys.values().iter().map(|&key| code(key)).collect(),
            Some(_) => keys.iter().map(|key| key.map_or(0, code)).collect(),
        };
        Ok(codes.into())
    }

    fn plain(&mut self, text: &StringViewArray) -> Result<ScalarBuffer<u32>> {
        if self.seen.len() > REMEMBERED {
            self.seen = Interner::new();
            self.codes_of_seen.clear();
        }
        let known = self.seen.len();
        let mut local = Vec::with_capacity(text.len());
        let mut last: Option<(&str, u32)> = None;
        for text in text {
            let Some(text) = text else {
                local.push(UNKNOWN);
                continue;
            };
            let code = match last {
                Some((same, code)) if same == text => code,
                _ => self.seen.intern(text),
            };
            last = Some((text, code));
            local.push(code);
        }
        let new = (known..self.seen.len()).map(|code| self.seen.value(code as u32));
        self.texts.intern(new, &mut self.codes_of_seen)?;
        for code in &mut local {
            *code = match *code {
                UNKNOWN => 0,
                code => self.codes_of_seen.get(code as usize).copied().unwrap_or(0),
            };
        }
        Ok(local.into())
    }
}

fn valid_keys(keys: &arrow::array::Int32Array) -> impl Iterator<Item = usize> + '_ {
    let nulls = keys.nulls();
    let values = keys.values().iter().enumerate();
    values
        .filter(move |(row, _)| nulls.is_none_or(|n| n.is_valid(*row)))
        .map(|(_, &key)| key as usize)
}

/// Brings a dictionary of text into the one form that is known here.
pub(super) fn to_dictionary(column: &ArrayRef) -> Result<ArrayRef> {
    let wanted = codes_type();
    if column.data_type() == &wanted {
        return Ok(Arc::clone(column));
    }
    Ok(cast(column, &wanted)?)
}

/// Dictionaries of text, as the Parquet reader makes them.
pub(super) fn codes_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// Says whether columns of a type come as codes.
pub(crate) fn is_text(ty: &DataType) -> bool {
    match ty {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}
