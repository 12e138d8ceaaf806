//! Dimensions as codes: small numbers, one for each value.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray, UInt32Array, UInt64Array};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Int64Type, UInt64Type};

use super::groups::Codes;
use crate::engine::ordered::{Column, Request, Rows, ScanSource, Texts};
use crate::event::{ACTOR, TIME};
use crate::metric::query::executor::{DimensionOf, Kept, MAX_CELLS, too_many};
use crate::{Error, Result};

/// A dimension of a scan. Codes mean the same on all threads; code 0 is null, or the other values where only some
/// are kept.
#[derive(Debug)]
pub(super) struct Dimension {
    from: Origin,
    /// The type in the result.
    data_type: DataType,
    keep: Option<Keep>,
    /// The values of a column that is not text.
    values: Mutex<Values>,
}

#[derive(Debug, Clone, Copy)]
enum Origin {
    Text(usize),
    Values(usize),
    Time,
}

#[derive(Debug)]
struct Keep {
    kept: Kept,
    codes: HashMap<Option<String>, u32>,
}

/// Values as integers, by their codes less 1.
#[derive(Debug, Default)]
struct Values {
    codes: HashMap<i64, u32>,
    list: Vec<i64>,
    /// The type of the column.
    data_type: Option<DataType>,
}

/// What a thread knows of a dimension.
#[derive(Debug, Default)]
pub(super) struct Known {
    texts: Option<Arc<Texts>>,
    codes: HashMap<i64, u32>,
    /// For kept values: the code of each code of the column.
    kept: Vec<u32>,
    buffer: Vec<u32>,
}

impl Dimension {
    /// Prepares a dimension; `None` for types that are no small numbers.
    pub(super) fn new(
        dimension: &DimensionOf,
        source: &ScanSource,
        request: &mut Request,
    ) -> Option<Self> {
        let name = dimension.column.as_str();
        let field = source.events.field_with_name(name).ok()?;
        let data_type = match field.data_type() {
            DataType::Dictionary(_, values) => values,
            other => other,
        };
        let from = match data_type {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                Origin::Text(request.want(name))
            }
            _ if name == ACTOR => return None,
            DataType::Timestamp(..) if name == TIME => Origin::Time,
            DataType::Boolean
            | DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32
            | DataType::UInt64
            | DataType::Date32
            | DataType::Timestamp(..) => Origin::Values(request.want(name)),
            _ => return None,
        };
        let keep = dimension.keep.clone().map(|kept| {
            let codes = (1..).zip(&kept.values);
            Keep {
                codes: codes.map(|(code, value)| (value.clone(), code)).collect(),
                kept,
            }
        });
        Some(Dimension {
            from,
            data_type: dimension.data_type.clone(),
            keep,
            values: Mutex::new(Values {
                data_type: Some(data_type.clone()),
                ..Values::default()
            }),
        })
    }

    /// Returns the code of each row.
    ///
    /// # Errors
    /// `ResourceExhausted` for more values than there may be combinations.
    pub(super) fn codes<'a>(&self, known: &'a mut Known, rows: Rows<'a>) -> Result<Codes<'a>> {
        let (codes, most): Codes<'a> = match self.from {
            Origin::Text(place) => {
                let (codes, texts) = rows
                    .column(place)
                    .and_then(Column::codes)
                    .ok_or_else(|| Error::internal("a text column is none in the scan"))?;
                let most = texts.len();
                if self.keep.is_some() {
                    self.learn_texts(texts, &mut known.kept);
                } else if known.texts.is_none() {
                    known.texts = Some(Arc::clone(texts));
                }
                (codes, most)
            }
            Origin::Values(place) => {
                let values = rows
                    .column(place)
                    .and_then(Column::values)
                    .ok_or_else(|| Error::internal("a column of values is text in the scan"))?;
                self.number(values, known)?
            }
            Origin::Time => {
                let times = rows
                    .times()
                    .ok_or_else(|| Error::internal("a scan by time has no times"))?;
                let times: ArrayRef = Arc::new(Int64Array::from(times.to_vec()));
                self.number(&times, known)?
            }
        };
        let Some(keep) = &self.keep else {
            // The buffer holds the codes of values; text has its own.
            return Ok(match self.from {
                Origin::Text(_) => (codes, most),
                Origin::Values(_) | Origin::Time => (&known.buffer, most),
            });
        };
        match self.from {
            Origin::Text(_) => {
                known.buffer.clear();
                let codes = codes.iter().map(|&code| known.kept[code as usize]);
                known.buffer.extend(codes);
            }
            Origin::Values(_) | Origin::Time => {
                self.learn_values(&mut known.kept)?;
                for code in &mut known.buffer {
                    *code = known.kept[*code as usize];
                }
            }
        }
        Ok((&known.buffer, keep.kept.values.len() + 1))
    }

    /// Writes the codes of values to the buffer.
    fn number(&self, values: &ArrayRef, known: &mut Known) -> Result<Codes<'static>> {
        let nulls = values.logical_nulls();
        let values = match values.data_type() {
            DataType::UInt64 => Arc::clone(values),
            _ => cast(values, &DataType::Int64)?,
        };
        let numbers: &[i64] = match values.as_primitive_opt::<Int64Type>() {
            Some(values) => values.values(),
            None => {
                let values: &UInt64Array = values.as_primitive::<UInt64Type>();
                values.values().inner().typed_data()
            }
        };
        known.buffer.clear();
        let mut last = None;
        for (row, &number) in numbers.iter().enumerate() {
            if nulls.as_ref().is_some_and(|n| n.is_null(row)) {
                known.buffer.push(0);
                continue;
            }
            let code = match last {
                Some((same, code)) if same == number => code,
                _ => match known.codes.get(&number) {
                    Some(code) => *code,
                    None => {
                        let code = self.code_of(number)?;
                        known.codes.insert(number, code);
                        code
                    }
                },
            };
            last = Some((number, code));
            known.buffer.push(code);
        }
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((&[], values.list.len() + 1))
    }

    fn code_of(&self, number: i64) -> Result<u32> {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(code) = values.codes.get(&number) {
            return Ok(*code);
        }
        if values.list.len() >= MAX_CELLS {
            return Err(too_many(values.list.len()));
        }
        values.list.push(number);
        let code = values.list.len() as u32;
        values.codes.insert(number, code);
        Ok(code)
    }

    fn kept_code(&self, value: Option<String>) -> u32 {
        let keep = self.keep.as_ref();
        keep.and_then(|k| k.codes.get(&value)).copied().unwrap_or(0)
    }

    fn learn_texts(&self, texts: &Texts, kept: &mut Vec<u32>) {
        if kept.is_empty() {
            kept.push(self.kept_code(None));
        }
        texts.each_from(kept.len(), |_, text| {
            kept.push(self.kept_code(Some(text.to_owned())));
        });
    }

    fn learn_values(&self, kept: &mut Vec<u32>) -> Result<()> {
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_empty() {
            kept.push(self.kept_code(None));
        }
        let Some(new) = values.list.get(kept.len() - 1..).filter(|n| !n.is_empty()) else {
            return Ok(());
        };
        let new = cast(&values.array(new.to_vec())?, &DataType::Utf8)?;
        let new = new.as_string::<i32>().iter();
        kept.extend(new.map(|text| self.kept_code(text.map(str::to_owned))));
        Ok(())
    }

    /// Returns the values of some codes, in the type of the result.
    pub(super) fn array(&self, known: &Known, codes: Vec<u32>) -> Result<ArrayRef> {
        if let Some(keep) = &self.keep {
            let text = |code: u32| match code.checked_sub(1) {
                Some(at) => keep.kept.values.get(at as usize).cloned().flatten(),
                None => Some(keep.kept.other.clone()),
            };
            return Ok(Arc::new(
                codes.into_iter().map(text).collect::<StringArray>(),
            ));
        }
        let all: ArrayRef = match (self.from, &known.texts) {
            (Origin::Text(_), Some(texts)) => Arc::new(texts.to_array()),
            (Origin::Text(_), None) => Arc::new(StringArray::from(vec![None::<&str>])),
            (Origin::Values(_) | Origin::Time, _) => {
                let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
                let codes = codes.iter().map(|code| code.checked_sub(1));
                let codes: UInt32Array = codes.collect();
                let all = values.array(values.list.clone())?;
                return Ok(cast(&take(&all, &codes, None)?, &self.data_type)?);
            }
        };
        let values = take(&all, &UInt32Array::from(codes), None)?;
        Ok(cast(&values, &self.data_type)?)
    }

    /// Joins what two threads know.
    pub(super) fn join(&self, mut into: Known, from: Known) -> Known {
        into.texts = into.texts.or(from.texts);
        into
    }
}

impl Values {
    /// Makes an array of the type of the column.
    fn array(&self, numbers: Vec<i64>) -> Result<ArrayRef> {
        let data_type = self.data_type.clone().unwrap_or(DataType::Int64);
        let numbers: ArrayRef = match data_type {
            DataType::UInt64 => {
                let numbers = numbers.into_iter().map(|n| n as u64);
                Arc::new(numbers.collect::<UInt64Array>())
            }
            _ => Arc::new(Int64Array::from(numbers)),
        };
        let numbers = match data_type {
            DataType::Date32 => cast(&numbers, &DataType::Int32)?,
            _ => numbers,
        };
        Ok(cast(&numbers, &data_type)?)
    }
}
