//! Registries from files and to text.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::Registry;
use super::parameter::Bindings;
use super::read::{RegistryFile, read};
use super::source::{MAX_BYTES, Source};
use crate::event::contract::OrderedMap;
use crate::metric::file::DefinitionFile;
use crate::{Error, Result};

impl Registry {
    /// Reads a registry from a file, or from all files of a directory that end in `.yaml`, `.yml` or `.json`, in
    /// the order of their names; not from directories below it. Files of one registry may name one another's
    /// metrics, dimensions, templates and parameters, and have one version.
    ///
    /// # Errors
    /// As [`parse`](Registry::parse), with the path in the message; and the errors of reading files
    /// ([`NotFound`](crate::ErrorKind::NotFound), also for a directory without such a file,
    /// [`Denied`](crate::ErrorKind::Denied), [`Unavailable`](crate::ErrorKind::Unavailable)).
    pub fn load(path: impl AsRef<Path>) -> Result<Registry> {
        Registry::load_with(path, &Bindings::new())
    }

    /// Reads a registry from files, with values for its parameters. See [`load`](Registry::load).
    ///
    /// # Errors
    /// As [`load`](Registry::load) and [`parse_with`](Registry::parse_with).
    pub fn load_with(path: impl AsRef<Path>, bindings: &Bindings) -> Result<Registry> {
        let path = path.as_ref();
        let mut sources = Vec::new();
        if path.is_dir() {
            for file in files_of(path)? {
                sources.push(file_source(&file)?);
            }
        } else {
            sources.push(file_source(path)?);
        }
        read(&sources, bindings, None)
    }

    /// Writes the registry as YAML, with parameters bound and templates written out.
    /// [`parse`](Registry::parse) gives an equal registry back.
    ///
    /// # Errors
    /// [`Internal`](crate::ErrorKind::Internal) when it cannot be written, which no registry brings about.
    pub fn to_yaml(&self) -> Result<String> {
        let options = serde_saphyr::ser_options! {
            // Folded and literal blocks depend on indentation and blanks that editors change.
            prefer_block_scalars: false,
        };
        serde_saphyr::to_string_with_options(&self.file(), options)
            .map_err(|e| Error::internal(format!("a registry as YAML: {e}")))
    }

    /// Writes the registry as indented JSON. See [`to_yaml`](Registry::to_yaml).
    ///
    /// # Errors
    /// As [`to_yaml`](Registry::to_yaml).
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(&self.file())
            .map_err(|e| Error::internal(format!("a registry as JSON: {e}")))
    }

    /// Returns the JSON Schema of a registry's file.
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(RegistryFile).to_value()
    }

    fn file(&self) -> RegistryFile {
        RegistryFile {
            version: self.version,
            description: None,
            parameters: OrderedMap::new(),
            dimensions: self.dimensions.clone(),
            metrics: self.metrics.iter().map(DefinitionFile::from).collect(),
            templates: Vec::new(),
            instantiate: Vec::new(),
        }
    }
}

fn files_of(directory: &Path) -> Result<Vec<PathBuf>> {
    let what = || format!("registry `{}`", directory.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(|e| Error::io(what(), e))? {
        let path = entry.map_err(|e| Error::io(what(), e))?.path();
        let extension = path.extension().and_then(|e| e.to_str());
        if matches!(extension, Some("yaml" | "yml" | "json")) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Error::not_found(format!(
            "{}: the directory has no file that ends in .yaml, .yml or .json",
            what()
        )));
    }
    Ok(files)
}

fn file_source(path: &Path) -> Result<Source> {
    let name = format!("registry `{}`", path.display());
    let file = std::fs::File::open(path).map_err(|e| Error::io(&name, e))?;
    let mut bytes = Vec::new();
    // One byte more than allowed, so that a file of the very limit is not taken for a larger one.
    file.take(MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| Error::io(&name, e))?;
    let text = String::from_utf8(bytes).map_err(|e| {
        Error::invalid_spec(format!(
            "{name}: byte {} is not UTF-8; save the file as UTF-8",
            e.utf8_error().valid_up_to() + 1
        ))
    })?;
    Ok(Source { name, text })
}
