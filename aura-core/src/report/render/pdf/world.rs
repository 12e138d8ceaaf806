//! All that a template can reach: itself, and the report.

use std::path::PathBuf;

use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World, WorldExt};

use super::fonts::Fonts;
use crate::{Error, Result};

/// AURA's own template.
pub(super) const TEMPLATE: &str = include_str!("../../templates/report.typ");
const MAIN: &str = "report.typ";
/// The name under which a template reads the report.
const DATA: &str = "report.json";

pub(super) struct ReportWorld {
    library: LazyHash<Library>,
    fonts: Fonts,
    template: Source,
    data: FileId,
    report: Bytes,
}

impl ReportWorld {
    pub(super) fn new(template: &str, report: String, fonts: Fonts) -> Result<ReportWorld> {
        Ok(ReportWorld {
            library: LazyHash::new(Library::default()),
            fonts,
            template: Source::new(file(MAIN)?, template.to_owned()),
            data: file(DATA)?,
            report: Bytes::from_string(report),
        })
    }

    /// Says what is wrong with a template, and where.
    pub(super) fn wrong(&self, errors: &[SourceDiagnostic]) -> Error {
        let Some(first) = errors.first() else {
            return Error::internal("Typst failed and did not say why");
        };
        // An error in what a function of the template calls is where it was called.
        let spans = first.trace.iter().map(|point| point.span.into());
        let place = std::iter::once(first.span)
            .chain(spans)
            .filter(|span| span.id() == Some(self.template.id()))
            .find_map(|span| self.range(span))
            .and_then(|range| self.template.lines().byte_to_line(range.start))
            .map_or_else(
                || "template".to_owned(),
                |line| format!("template `{MAIN}`, line {}", line + 1),
            );
        let hints: String = first
            .hints
            .iter()
            .map(|hint| format!("; {}", hint.v))
            .collect();
        Error::invalid_spec(format!("{place}: {}{hints}", first.message))
    }
}

fn file(name: &str) -> Result<FileId> {
    let path = VirtualPath::new(name)
        .map_err(|e| Error::internal(format!("`{name}` is no path of Typst: {e:?}")))?;
    Ok(RootedPath::new(VirtualRoot::Project, path).intern())
}

impl World for ReportWorld {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        self.fonts.book()
    }

    fn main(&self) -> FileId {
        self.template.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        match id == self.template.id() {
            true => Ok(self.template.clone()),
            false => Err(absent(id)),
        }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        match id == self.data {
            true => Ok(self.report.clone()),
            false => Err(absent(id)),
        }
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.font(index)
    }

    /// None: a report has no clock.
    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}

fn absent(id: FileId) -> FileError {
    FileError::NotFound(PathBuf::from(id.get().vpath().get_without_slash()))
}
