//! Codes for repeated text.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, Int32Type};
use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

use crate::store::parquet_out::DICTIONARY_BYTES;
use crate::{Error, Result};

/// The code of a null.
pub(super) const NULL: u32 = u32::MAX;

/// Gives each different text a code, from 0 in the order of arrival.
#[derive(Debug)]
pub(crate) struct Interner {
    table: HashTable<u32>,
    bytes: String,
    /// The text of code c is `bytes[ends[c]..ends[c + 1]]`.
    ends: Vec<usize>,
}

impl Interner {
    pub(crate) fn new() -> Self {
        Interner {
            table: HashTable::new(),
            bytes: String::new(),
            ends: vec![0],
        }
    }

    /// Returns the number of different texts.
    pub(crate) fn len(&self) -> usize {
        self.ends.len() - 1
    }

    /// Returns the bytes that a dictionary page of the texts takes.
    pub(crate) fn page_bytes(&self) -> usize {
        self.bytes.len() + 4 * self.len()
    }

    pub(crate) fn value(&self, code: u32) -> &str {
        value(&self.bytes, &self.ends, code)
    }

    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        let hash = xxh3_64(text.as_bytes());
        let found = self.table.find(hash, |&code| self.value(code) == text);
        found.copied()
    }

    pub(crate) fn intern(&mut self, text: &str) -> u32 {
        let hash = xxh3_64(text.as_bytes());
        let Interner { table, bytes, ends } = self;
        if let Some(&code) = table.find(hash, |&code| value(bytes, ends, code) == text) {
            return code;
        }
        let code = (ends.len() - 1) as u32;
        bytes.push_str(text);
        ends.push(bytes.len());
        table.insert_unique(hash, code, |&code| {
            xxh3_64(value(bytes, ends, code).as_bytes())
        });
        code
    }

    /// Returns the codes in the byte order of their texts.
    pub(crate) fn in_order(&self) -> Vec<u32> {
        // Eight bytes settle most comparisons without a look at the text.
        let mut keyed: Vec<(u64, u32)> = (0..self.len() as u32)
            .map(|code| {
                let mut prefix = [0; 8];
                for (to, from) in prefix.iter_mut().zip(self.value(code).bytes()) {
                    *to = from;
                }
                (u64::from_be_bytes(prefix), code)
            })
            .collect();
        keyed.sort_unstable_by(|a, b| {
            a.0.cmp(&b.0)
                .then_with(|| self.value(a.1).cmp(self.value(b.1)))
        });
        keyed.into_iter().map(|(_, code)| code).collect()
    }

    pub(crate) fn into_array(self) -> StringArray {
        (0..self.len() as u32)
            .map(|code| Some(self.value(code)))
            .collect()
    }
}

fn value<'a>(bytes: &'a str, ends: &[usize], code: u32) -> &'a str {
    bytes
        .get(ends[code as usize]..ends[code as usize + 1])
        .unwrap_or_default()
}

/// A text column in codes.
pub(super) struct Interned {
    /// For each chunk, the code of each row, or [`NULL`].
    pub(super) codes: Vec<Vec<u32>>,
    pub(super) values: Arc<StringArray>,
}

/// Gives codes to the text of one column, a chunk at a time.
pub(super) struct Coder {
    interner: Interner,
    /// For each dictionary that came, its values by their keys in codes. A reader gives all batches
    /// of a row group the same one: its texts are looked up once. The array is kept so that its
    /// address stays its own.
    known: HashMap<(usize, usize, usize), (ArrayRef, Vec<u32>)>,
}

impl Coder {
    pub(super) fn new() -> Self {
        Coder {
            interner: Interner::new(),
            known: HashMap::new(),
        }
    }

    /// Returns whether a dictionary is worth it for a column of `rows` rows so far as it is known.
    /// Depends on the values alone, not on how they come encoded; once false, it stays so.
    pub(super) fn pays(&self, rows: usize) -> bool {
        self.interner.len() <= (rows / 8).max(16) && self.interner.page_bytes() <= DICTIONARY_BYTES
    }

    pub(super) fn codes(&mut self, column: &ArrayRef) -> Result<Vec<u32>> {
        let Coder { interner, known } = self;
        let mut codes = Vec::with_capacity(column.len());
        if let Some(text) = column.as_string_opt::<i32>() {
            let mut last: Option<(&str, u32)> = None;
            for text in text {
                let Some(text) = text else {
                    codes.push(NULL);
                    continue;
                };
                let code = match last {
                    Some((same, code)) if same == text => code,
                    _ => interner.intern(text),
                };
                last = Some((text, code));
                codes.push(code);
            }
        } else if let Some(encoded) = column.as_dictionary_opt::<Int32Type>() {
            let values = encoded.values();
            let text = values.as_string_opt::<i32>().ok_or_else(not_text)?;
            let identity = (
                text.value_offsets().as_ptr().addr(),
                text.value_data().as_ptr().addr(),
                text.len(),
            );
            let (_, map) = known
                .entry(identity)
                .or_insert_with(|| (Arc::clone(values), vec![NULL; values.len()]));
            for key in encoded.keys() {
                // Only values that occur get a code: a dictionary may hold more.
                codes.push(match key.and_then(|key| usize::try_from(key).ok()) {
                    None => NULL,
                    Some(key) if map[key] != NULL => map[key],
                    Some(key) => {
                        map[key] = interner.intern(text.value(key));
                        map[key]
                    }
                });
            }
        } else if column.data_type() == &DataType::Null {
            codes.resize(column.len(), NULL);
        } else {
            return Err(not_text());
        }
        Ok(codes)
    }

    pub(super) fn into_values(self) -> Arc<StringArray> {
        Arc::new(self.interner.into_array())
    }
}

/// Gives codes to a text column. Unless `always`, returns `None` when too many of its values differ
/// for a dictionary.
pub(super) fn intern(columns: &[ArrayRef], always: bool) -> Result<Option<Interned>> {
    let rows = columns.iter().map(|c| c.len()).sum();
    let mut coder = Coder::new();
    let mut codes = Vec::with_capacity(columns.len());
    for column in columns {
        codes.push(coder.codes(column)?);
        if !always && !coder.pays(rows) {
            return Ok(None);
        }
    }
    Ok(Some(Interned {
        codes,
        values: coder.into_values(),
    }))
}

fn not_text() -> Error {
    Error::internal("a text column of a chunk is neither text nor codes of text")
}
