//! Looks at the footer of a Parquet file before the decoder does.
//!
//! The decoder makes room for as many row groups as the footer says there are before it reads the first one. A footer
//! that lies about it would end the process, since memory that cannot be had is no error that could be caught. So the
//! footer's structure is walked through here first, without making anything of it.
//!
//! **Source**: Apache Thrift, "Thrift compact protocol encoding"; Apache Parquet, "File format".

use parquet::file::reader::ChunkReader;

use crate::{Error, Result};

/// Length of the footer's length, and of the magic bytes after it.
const TAIL: u64 = 8;
/// Deepest nesting of structures; those of the format nest about six deep.
const DEPTH: u32 = 64;

/// Refuses a file whose footer says that it has more elements than its bytes can hold.
///
/// A footer that is not there, or has another fault, is left to the decoder, which names it.
///
/// # Errors
/// `InvalidData` for such a footer; what reading gives.
pub(crate) fn check_footer<R: ChunkReader>(name: &str, input: &R) -> Result<()> {
    let len = input.len();
    let Some(tail_at) = len.checked_sub(TAIL) else {
        return Ok(());
    };
    let read = |at: u64, bytes: u64| {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        input
            .get_bytes(at, bytes)
            .map_err(|e| Error::invalid_data(format!("`{name}` cannot be read as Parquet: {e}")))
    };
    let tail = read(tail_at, TAIL)?;
    let (Some(length), Some(b"PAR1")) = (tail.first_chunk::<4>(), tail.get(4..)) else {
        return Ok(());
    };
    let length = u64::from(u32::from_le_bytes(*length));
    let Some(at) = tail_at.checked_sub(length) else {
        return Ok(());
    };
    let footer = read(at, length)?;
    let mut rest = &footer[..];
    skip_struct(&mut rest, 0).map_err(|why| {
        Error::invalid_data(format!(
            "`{name}` cannot be read as Parquet: its footer is damaged: {why}"
        ))
    })
}

type Skip = Result<(), String>;

fn skip_struct(rest: &mut &[u8], depth: u32) -> Skip {
    if depth > DEPTH {
        return Err(format!("it nests deeper than {DEPTH}"));
    }
    loop {
        let header = byte(rest)?;
        if header == 0 {
            return Ok(());
        }
        if header >> 4 == 0 {
            varint(rest)?;
        }
        skip_value(rest, header & 0x0f, false, depth)?;
    }
}

/// Skips a value. A truth value of a field is a part of the field's type; one of a list has a byte.
pub(super) fn skip_value(rest: &mut &[u8], ty: u8, in_list: bool, depth: u32) -> Skip {
    match ty {
        1 | 2 if !in_list => Ok(()),
        1..=3 => skip(rest, 1),
        4..=6 => varint(rest).map(|_| ()),
        7 => skip(rest, 8),
        8 => {
            let len = varint(rest)?;
            skip(rest, len)
        }
        9 | 10 => {
            let header = byte(rest)?;
            let count = match header >> 4 {
                15 => varint(rest)?,
                short => u64::from(short),
            };
            elements(rest, count, &[header & 0x0f], depth)
        }
        11 => match varint(rest)? {
            0 => Ok(()),
            count => {
                let types = byte(rest)?;
                elements(rest, count, &[types >> 4, types & 0x0f], depth)
            }
        },
        12 => skip_struct(rest, depth + 1),
        13 => skip(rest, 16),
        other => Err(format!("{other} is no type of a value")),
    }
}

fn elements(rest: &mut &[u8], count: u64, types: &[u8], depth: u32) -> Skip {
    // Every element has at least one byte.
    if count > rest.len() as u64 {
        return Err(format!(
            "a list is said to have {count} elements, but only {} bytes follow",
            rest.len()
        ));
    }
    if depth > DEPTH {
        return Err(format!("it nests deeper than {DEPTH}"));
    }
    for _ in 0..count {
        for &ty in types {
            skip_value(rest, ty, true, depth + 1)?;
        }
    }
    Ok(())
}

fn skip(rest: &mut &[u8], bytes: u64) -> Skip {
    let after = usize::try_from(bytes).ok().and_then(|n| rest.get(n..));
    *rest = after.ok_or_else(|| {
        format!(
            "a value is said to have {bytes} bytes, but only {} follow",
            rest.len()
        )
    })?;
    Ok(())
}

pub(super) fn byte(rest: &mut &[u8]) -> Result<u8, String> {
    let (first, after) = rest.split_first().ok_or("it ends in the middle")?;
    *rest = after;
    Ok(*first)
}

pub(super) fn varint(rest: &mut &[u8]) -> Result<u64, String> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = byte(rest)?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err("a number has more than 64 bits".to_owned())
}
