//! Actors as numbers of 128 bits, equal if and only if the actors are.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::ScalarBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, Int64Type, UInt64Type};
use xxhash_rust::xxh3::xxh3_128;

use super::code::to_dictionary;
use crate::{Error, Result};

/// Text of up to this many bytes is its own key.
const SHORT: usize = 12;

/// Makes the keys for the batches of one thread.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// The last dictionary and the keys of its values.
    known: Option<(ArrayRef, Vec<i128>)>,
}

impl Keys {
    /// Returns the key of each row. Short text is its own key, as are integers; longer text has its
    /// XXH3-128, of which no two equal ones are known nor likely (10⁻¹⁹ for a billion actors).
    pub(super) fn of(&mut self, actors: &ArrayRef) -> Result<ScalarBuffer<i128>> {
        let keys: Vec<i128> = match actors.data_type() {
            DataType::Dictionary(..) => return self.of_dictionary(actors),
            DataType::Utf8View => {
                let text = actors.as_string_view();
                let views = text.views().iter().enumerate();
                views
                    .map(|(row, &view)| {
                        let length = view as u32 as usize;
                        if length <= SHORT {
                            // The bytes after the text are not promised to be zero.
                            (view & (u128::MAX >> (96 - 8 * length))) as i128
                        } else {
                            key(text.value(row).as_bytes())
                        }
                    })
                    .collect()
            }
            DataType::Utf8 => {
                let text = actors.as_string::<i32>();
                (0..text.len())
                    .map(|row| key(text.value(row).as_bytes()))
                    .collect()
            }
            DataType::LargeUtf8 => {
                let text = actors.as_string::<i64>();
                (0..text.len())
                    .map(|row| key(text.value(row).as_bytes()))
                    .collect()
            }
            DataType::UInt64 => {
                let numbers = actors.as_primitive::<UInt64Type>().values();
                numbers.iter().map(|&n| i128::from(n)).collect()
            }
            ty if ty.is_integer() => {
                let numbers = cast(actors, &DataType::Int64)?;
                let numbers = numbers.as_primitive::<Int64Type>().values();
                numbers.iter().map(|&n| i128::from(n)).collect()
            }
            DataType::Null => Vec::new(),
            _ => {
                let text = cast(actors, &DataType::Utf8)?;
                if text.null_count() > 0 {
                    return Err(Error::invalid_data(format!(
                        "an actor of the type {} cannot be written as text",
                        actors.data_type()
                    )));
                }
                return self.of(&text);
            }
        };
        Ok(keys.into())
    }

    fn of_dictionary(&mut self, actors: &ArrayRef) -> Result<ScalarBuffer<i128>> {
        let wants_plain = match actors.data_type() {
            DataType::Dictionary(_, values) => !super::code::is_text(values),
            _ => false,
        };
        if wants_plain {
            let DataType::Dictionary(_, values) = actors.data_type() else {
                return Err(Error::internal("a dictionary column changed its type"));
            };
            return self.of(&cast(actors, values)?);
        }
        let column = to_dictionary(actors)?;
        let encoded = column
            .as_dictionary_opt::<Int32Type>()
            .ok_or_else(|| Error::internal("a dictionary column changed its type"))?;
        let values = encoded.values();
        let same = self
            .known
            .as_ref()
            .is_some_and(|(k, _)| k.to_data().ptr_eq(&values.to_data()));
        if !same {
            let text = values
                .as_string_opt::<i32>()
                .ok_or_else(|| Error::internal("the values of a dictionary are not text"))?;
            let keys = (0..text.len()).map(|i| key(text.value(i).as_bytes()));
            self.known = Some((std::sync::Arc::clone(values), keys.collect()));
        }
        let keys = self.known.as_ref().map_or(&[][..], |(_, keys)| keys);
        let codes = encoded.keys().values().iter();
        let of = |&code: &i32| keys.get(code as usize).copied().unwrap_or(0);
        Ok(codes.map(of).collect::<Vec<i128>>().into())
    }
}

/// Short text lies in its key as in an Arrow view: the length, then the bytes.
fn key(text: &[u8]) -> i128 {
    if text.len() > SHORT {
        return xxh3_128(text) as i128;
    }
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip((text.len() as u32).to_le_bytes()) {
        *to = from;
    }
    for (to, from) in bytes.iter_mut().skip(4).zip(text) {
        *to = *from;
    }
    i128::from_le_bytes(bytes)
}

/// Mixes a key into 64 bits, of which all depend on all of the key.
pub(super) fn mix(key: i128) -> u64 {
    let (low, high) = (key as u64, (key >> 64) as u64);
    let product =
        u128::from(low ^ 0x9E37_79B9_7F4A_7C15) * u128::from(high ^ 0xC2B2_AE3D_27D4_EB4F);
    (product as u64 ^ (product >> 64) as u64).wrapping_mul(0x9FB2_1C65_1E98_DF25)
}
