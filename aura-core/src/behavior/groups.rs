//! The values that an analysis is broken down by, as numbers.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::buffer::ScalarBuffer;
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, SchemaRef};
use arrow::row::{OwnedRow, RowConverter, SortField};

use crate::engine::ordered::{ActorBlock, Column, Texts, is_text};
use crate::event::ACTOR;
use crate::{Error, ErrorKind, Result};

/// Most groups of one result.
pub(crate) const MAX_GROUPS: usize = 1 << 20;

/// The columns that an analysis is broken down by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Breakdown {
    columns: Vec<By>,
}

#[derive(Debug, Clone)]
struct By {
    name: String,
    place: usize,
    data_type: DataType,
    /// One for all threads: it reads only rows that it has made itself.
    converter: Arc<RowConverter>,
}

impl Breakdown {
    /// Takes columns of the table `events`: for each its name and its place in the request.
    pub(crate) fn new(columns: &[(String, usize)], events: &SchemaRef) -> Result<Breakdown> {
        let columns = columns.iter().map(|(name, place)| {
            let ty = match events.field_with_name(name) {
                // Actors come as text, whatever they are.
                Ok(field) if is_text(field.data_type()) || name == ACTOR => DataType::Utf8,
                Ok(field) => field.data_type().clone(),
                Err(_) => DataType::Null,
            };
            if ty.is_nested() {
                return Err(Error::invalid_spec(format!(
                    "the column `{name}` is of the nested type {ty}; a column with one value in each event is expected"
                )));
            }
            let options = SortOptions {
                descending: false,
                nulls_first: false,
            };
            let field = SortField::new_with_options(ty.clone(), options);
            Ok(By {
                name: name.clone(),
                place: *place,
                data_type: ty,
                converter: Arc::new(RowConverter::new(vec![field])?),
            })
        });
        Ok(Breakdown {
            columns: columns.collect::<Result<_>>()?,
        })
    }

    /// Returns the number of columns.
    pub(crate) fn len(&self) -> usize {
        self.columns.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Returns the fields of the columns in a result.
    pub(crate) fn fields(&self) -> impl Iterator<Item = Field> + '_ {
        self.columns
            .iter()
            .map(|by| Field::new(&by.name, by.data_type.clone(), true))
    }

    /// Returns the names of the columns.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|by| by.name.as_str())
    }

    /// Makes what a thread keeps.
    pub(crate) fn groups(&self) -> Groups {
        let parts = self.columns.iter().map(|by| Part {
            place: by.place,
            codes: Vec::new().into(),
            texts: None,
            converter: Arc::clone(&by.converter),
            known: HashMap::new(),
            rows: Vec::new(),
        });
        let parts: Vec<Part> = parts.collect();
        let mut groups = Groups {
            ids: HashMap::new(),
            keys: Vec::new(),
            dense: Vec::new(),
            key: vec![0; parts.len()],
            kept: Vec::new(),
            looks_back: false,
            parts,
        };
        if groups.parts.is_empty() {
            groups.keys.push(Box::default());
        }
        groups
    }
}

/// The values met so far by one thread; each combination of them has a number, its id. Without columns there is one
/// group, of id 0.
#[derive(Debug)]
pub(crate) struct Groups {
    parts: Vec<Part>,
    ids: HashMap<Box<[u32]>, u32>,
    /// The codes of each id.
    keys: Vec<Box<[u32]>>,
    /// With one column: one more than the id of each code; 0 is none so far.
    dense: Vec<u32>,
    key: Vec<u32>,
    /// The codes of rows that are kept beyond their block.
    kept: Vec<u32>,
    /// Whether rows are those kept, not those of the block.
    looks_back: bool,
}

/// One column. Code 0 is null.
#[derive(Debug)]
struct Part {
    place: usize,
    /// Of the rows of the block at hand.
    codes: ScalarBuffer<u32>,
    texts: Option<Arc<Texts>>,
    converter: Arc<RowConverter>,
    /// For columns that are not text: the code of each value, and the value of each code from 1 on.
    known: HashMap<OwnedRow, u32>,
    rows: Vec<OwnedRow>,
}

impl Part {
    fn learn(&mut self, block: &ActorBlock) -> Result<()> {
        match block.columns.get(self.place) {
            Some(Column::Codes { codes, texts }) => {
                self.codes = codes.clone();
                self.texts = Some(Arc::clone(texts));
            }
            Some(Column::Values(values)) => {
                let rows = self.converter.convert_columns(&[Arc::clone(values)])?;
                let mut codes = Vec::with_capacity(values.len());
                for (i, row) in rows.iter().enumerate() {
                    codes.push(match values.is_null(i) {
                        true => 0,
                        false => self.code_of(row.owned()),
                    });
                }
                self.codes = codes.into();
            }
            None => {
                return Err(Error::internal(
                    "a column to break down by is not in the scan",
                ));
            }
        }
        Ok(())
    }

    fn code_of(&mut self, row: OwnedRow) -> u32 {
        if let Some(code) = self.known.get(&row) {
            return *code;
        }
        self.rows.push(row.clone());
        let code = self.rows.len() as u32;
        self.known.insert(row, code);
        code
    }

    fn compare(&self, a: u32, b: u32) -> Ordering {
        if a == b {
            return Ordering::Equal;
        }
        // Null is last.
        if a == 0 || b == 0 {
            return b.cmp(&a);
        }
        match &self.texts {
            Some(texts) => {
                let both = texts.of([a, b].into_iter());
                both.value(0).cmp(both.value(1))
            }
            None => self.row(a).cmp(&self.row(b)),
        }
    }

    fn row(&self, code: u32) -> Option<&OwnedRow> {
        self.rows.get((code as usize).checked_sub(1)?)
    }
}

impl Groups {
    /// Looks at a block; what is asked next is about its rows.
    pub(crate) fn begin(&mut self, block: &ActorBlock) -> Result<()> {
        self.parts.iter_mut().try_for_each(|p| p.learn(block))
    }

    /// Returns the code of a row in column `column` of the breakdown; 0 is null, and codes are equal where values
    /// are.
    #[inline]
    pub(crate) fn code(&self, column: usize, row: usize) -> u32 {
        if self.looks_back {
            let place = row * self.parts.len() + column;
            return self.kept.get(place).copied().unwrap_or(0);
        }
        let part = self.parts.get(column);
        part.and_then(|p| p.codes.get(row)).copied().unwrap_or(0)
    }

    /// Returns the id of the values of a row.
    ///
    /// # Errors
    /// `ResourceExhausted` for more than [`MAX_GROUPS`].
    pub(crate) fn id(&mut self, row: usize) -> Result<u32> {
        let mut key = std::mem::take(&mut self.key);
        for (column, code) in key.iter_mut().enumerate() {
            *code = self.code(column, row);
        }
        let id = self.id_of(&key);
        self.key = key;
        id
    }

    /// Returns the id of a combination of codes, one for each column.
    ///
    /// # Errors
    /// As [`id`](Self::id).
    pub(crate) fn id_of(&mut self, codes: &[u32]) -> Result<u32> {
        match codes {
            [] => return Ok(0),
            [one] => {
                if let Some(id) = self.dense.get(*one as usize)
                    && *id > 0
                {
                    return Ok(*id - 1);
                }
            }
            several => {
                if let Some(id) = self.ids.get(several) {
                    return Ok(*id);
                }
            }
        }
        if self.keys.len() >= MAX_GROUPS {
            return Err(Error::new(
                ErrorKind::ResourceExhausted,
                format!(
                    "by: more than {MAX_GROUPS} combinations of values; take columns with fewer values, or a filter"
                ),
            ));
        }
        let id = self.keys.len() as u32;
        self.keys.push(codes.into());
        match codes {
            [one] => {
                let at = *one as usize;
                if self.dense.len() <= at {
                    self.dense.resize((at + 1).next_power_of_two(), 0);
                }
                if let Some(place) = self.dense.get_mut(at) {
                    *place = id + 1;
                }
            }
            several => {
                self.ids.insert(several.into(), id);
            }
        }
        Ok(id)
    }

    /// Keeps the values of a row of the block at hand; they are those of the row 0, 1, 2, … of [`look_back`](Self::look_back).
    pub(crate) fn keep(&mut self, row: usize) {
        for column in 0..self.parts.len() {
            let code = self.code(column, row);
            self.kept.push(code);
        }
    }

    /// Forgets the rows that were kept.
    pub(crate) fn forget(&mut self) {
        self.kept.clear();
    }

    /// Says whether rows are from now on those that were kept, or those of the block at hand.
    pub(crate) fn look_back(&mut self, back: bool) {
        self.looks_back = back;
    }

    /// Returns the number of ids.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Compares the values of two rows of the block, column by column, null last: for ties in time.
    pub(crate) fn compare_rows(&self, a: usize, b: usize) -> Ordering {
        let compared = self
            .parts
            .iter()
            .enumerate()
            .map(|(i, part)| part.compare(self.code(i, a), self.code(i, b)));
        compared.fold(Ordering::Equal, Ordering::then)
    }

    /// Takes in what another thread has met; returns for each of its ids the id here.
    ///
    /// # Errors
    /// As [`id`](Self::id).
    pub(crate) fn absorb(&mut self, from: &Groups) -> Result<Vec<u32>> {
        let mut codes: Vec<Vec<u32>> = Vec::with_capacity(self.parts.len());
        for (part, other) in self.parts.iter_mut().zip(&from.parts) {
            if part.texts.is_none() {
                part.texts = other.texts.clone();
            }
            let mut map = vec![0];
            for row in &other.rows {
                map.push(part.code_of(row.clone()));
            }
            codes.push(map);
        }
        let mut ids = Vec::with_capacity(from.keys.len());
        for key in &from.keys {
            let mut own = key.to_vec();
            for ((code, map), part) in own.iter_mut().zip(&codes).zip(&self.parts) {
                // Codes of text mean the same everywhere in the scan.
                if part.texts.is_none() {
                    *code = map.get(*code as usize).copied().unwrap_or(0);
                }
            }
            ids.push(self.id_of(&own)?);
        }
        Ok(ids)
    }

    /// Returns all ids in the order of their values, nulls last.
    pub(crate) fn in_order(&self) -> Vec<u32> {
        // The place of each code among the values of its column.
        let ranks: Vec<Vec<u32>> = self.parts.iter().map(Part::ranks).collect();
        let rank = |id: u32| -> Vec<u32> {
            let key = self.keys.get(id as usize).map_or(&[][..], |k| k);
            let codes = key.iter().zip(&ranks);
            codes
                .map(|(code, ranks)| ranks.get(*code as usize).copied().unwrap_or(u32::MAX))
                .collect()
        };
        let mut ids: Vec<u32> = (0..self.keys.len() as u32).collect();
        ids.sort_by_cached_key(|id| rank(*id));
        ids
    }

    /// Tells for each id which of its values are null.
    pub(crate) fn with_null(&self) -> Vec<Vec<bool>> {
        let nulls = self
            .keys
            .iter()
            .map(|key| key.iter().map(|code| *code == 0));
        nulls.map(Iterator::collect).collect()
    }

    /// Returns the values of some ids as columns, with the types of [`Breakdown::fields`].
    pub(crate) fn columns(&self, ids: &[u32]) -> Result<Vec<ArrayRef>> {
        let mut columns = Vec::with_capacity(self.parts.len());
        for (i, part) in self.parts.iter().enumerate() {
            let codes = ids.iter().map(|id| {
                let key = self.keys.get(*id as usize);
                key.and_then(|k| k.get(i)).copied().unwrap_or(0)
            });
            columns.push(part.values(codes)?);
        }
        Ok(columns)
    }
}

impl Part {
    fn ranks(&self) -> Vec<u32> {
        let codes = match &self.texts {
            Some(texts) => texts.len(),
            None => self.rows.len() + 1,
        };
        let mut order: Vec<u32> = (1..codes as u32).collect();
        match &self.texts {
            Some(texts) => {
                let texts = texts.to_array();
                order.sort_unstable_by(|a, b| {
                    texts.value(*a as usize).cmp(texts.value(*b as usize))
                });
            }
            None => order.sort_unstable_by(|a, b| self.row(*a).cmp(&self.row(*b))),
        }
        let mut ranks = vec![u32::MAX; codes];
        for (rank, code) in order.into_iter().enumerate() {
            if let Some(place) = ranks.get_mut(code as usize) {
                *place = rank as u32;
            }
        }
        ranks
    }

    fn values(&self, codes: impl Iterator<Item = u32>) -> Result<ArrayRef> {
        if let Some(texts) = &self.texts {
            let values: StringArray = texts.of(codes);
            return Ok(Arc::new(values));
        }
        // A row that stands for null, which none of the values is.
        let field = self.converter.convert_rows(std::iter::empty())?;
        let null = match field.first() {
            Some(empty) => arrow::array::new_null_array(empty.data_type(), 1),
            None => return Err(Error::internal("a converter of rows gives no column")),
        };
        let values: Vec<&OwnedRow> = self.rows.iter().collect();
        let converted = self
            .converter
            .convert_rows(values.iter().map(|r| r.row()))?;
        let mut arrays: Vec<&dyn Array> = vec![null.as_ref()];
        arrays.extend(converted.iter().map(|a| a.as_ref()));
        let all = arrow::compute::concat(&arrays)?;
        let codes: arrow::array::UInt32Array = codes.collect::<Vec<_>>().into();
        Ok(arrow::compute::take(&all, &codes, None)?)
    }
}
