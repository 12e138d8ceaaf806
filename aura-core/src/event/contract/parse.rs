//! Contracts from and to text.

use std::io::Read;
use std::path::Path as FilePath;

use super::Contract;
use crate::document::{Fault, Node, decode};
use crate::{Error, Result};

/// Largest contract that is read.
pub(super) const MAX_BYTES: usize = 8 << 20;

impl Contract {
    /// Reads a contract from JSON or YAML and checks it.
    ///
    /// Text that begins with `{` is tried as JSON first. At most 8 MiB, 32 levels of nesting and
    /// a million values (200,000 of them through YAML aliases) are read.
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) when the text is not a contract. The message has
    /// a line for each fault (at most ten), with the line and the column (from 1, in characters), the
    /// path, the value found and what was expected; for an unknown key or value it names the nearest
    /// known one.
    ///
    /// # Examples
    /// ```
    /// use aura_core::event::contract::Contract;
    ///
    /// let error = Contract::parse("name: shop\nversion: 1\non_violation: quarantin\n").unwrap_err();
    /// assert_eq!(
    ///     error.message(),
    ///     "contract: line 3, column 15: on_violation: unknown value `quarantin`; did you mean `quarantine`?"
    /// );
    /// ```
    pub fn parse(text: &str) -> Result<Contract> {
        parse_named(text, "contract")
    }

    /// Reads a contract from a file. See [`parse`](Contract::parse).
    ///
    /// # Errors
    /// As [`parse`](Contract::parse), with the path in the message; and the errors of reading a file
    /// ([`NotFound`](crate::ErrorKind::NotFound), [`Denied`](crate::ErrorKind::Denied),
    /// [`Unavailable`](crate::ErrorKind::Unavailable)).
    pub fn load(path: impl AsRef<FilePath>) -> Result<Contract> {
        let path = path.as_ref();
        let name = format!("contract `{}`", path.display());
        let file = std::fs::File::open(path).map_err(|e| Error::io(&name, e))?;
        let mut bytes = Vec::new();
        // One byte more than allowed, so that a file of the very limit is not taken for a larger one.
        file.take(MAX_BYTES as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| Error::io(&name, e))?;
        check_size(bytes.len(), &name)?;
        let text = String::from_utf8(bytes).map_err(|e| {
            Error::invalid_spec(format!(
                "{name}: byte {} is not UTF-8; save the file as UTF-8",
                e.utf8_error().valid_up_to() + 1
            ))
        })?;
        parse_named(&text, &name)
    }

    /// Writes the contract as YAML. [`parse`](Contract::parse) gives the same value back.
    ///
    /// # Errors
    /// [`Internal`](crate::ErrorKind::Internal) when it cannot be written, which no contract that
    /// passes [`validate`](Contract::validate) brings about.
    pub fn to_yaml(&self) -> Result<String> {
        let options = serde_saphyr::ser_options! {
            // Folded and literal blocks depend on indentation and blanks that editors change.
            prefer_block_scalars: false,
        };
        serde_saphyr::to_string_with_options(self, options)
            .map_err(|e| Error::internal(format!("contract `{}` as YAML: {e}", self.name)))
    }

    /// Writes the contract as indented JSON. [`parse`](Contract::parse) gives the same value back.
    ///
    /// # Errors
    /// As [`to_yaml`](Contract::to_yaml).
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self)
            .map_err(|e| Error::internal(format!("contract `{}` as JSON: {e}", self.name)))
    }
}

fn check_size(bytes: usize, name: &str) -> Result<()> {
    if bytes <= MAX_BYTES {
        return Ok(());
    }
    Err(Error::invalid_spec(format!(
        "{name}: larger than {} MiB, the most that is read as a contract",
        MAX_BYTES >> 20
    )))
}

fn parse_named(text: &str, name: &str) -> Result<Contract> {
    check_size(text.len(), name)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(Error::invalid_spec(format!(
            "{name}: the text is empty; a contract has at least `name` and `version`"
        )));
    }
    let fail = |fault: Fault| Error::invalid_spec(format!("{name}: {fault}"));
    let node = if text.trim_start().starts_with('{') {
        // A flow mapping of YAML begins like JSON.
        Node::from_json(text)
            .or_else(|fault| Node::from_yaml(text).map_err(|_| fault))
            .map_err(fail)?
    } else {
        Node::from_yaml(text).map_err(fail)?
    };
    let contract: Contract = decode(&node).map_err(fail)?;
    let problems = contract.problems();
    if problems.is_empty() {
        return Ok(contract);
    }
    Err(super::validate::error(&problems, name, |problem| {
        Some(node.place(&problem.path, problem.on_key))
    }))
}
