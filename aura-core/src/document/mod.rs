//! Files that people write: a YAML or JSON text as a tree whose values know their line and column, serde
//! values out of that tree, and the nearest name when one is not known.

mod decode;
mod node;
mod path;

use std::borrow::Cow;

use serde::de::DeserializeOwned;

pub(crate) use decode::{decode, decode_inside};
pub(crate) use node::{Fault, Key, Kind, Node, Place};
pub(crate) use path::{Path, nearest};

use crate::{Error, Result};

/// Reads a spec in JSON.
///
/// # Errors
/// `InvalidSpec` with the place in the text and the path of the field.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    let read = Node::from_json(text).and_then(|node| decode(&node));
    read.map_err(|fault| Error::invalid_spec(fault.to_string()))
}

/// Cuts text to the 100 characters that a message shows.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    const SHOWN: usize = 100;
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => Cow::Owned(format!("{}…", text.get(..at).unwrap_or_default())),
        None => Cow::Borrowed(text),
    }
}
