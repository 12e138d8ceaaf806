//! From reports to PDF, by Typst.
//!
//! The template is a program of Typst, and the report is data that it reads (`report.json`): no text of the report is ever read as
//! markup, so that there is nothing to escape. It reaches no file, no package and no clock.

mod fonts;
mod world;

#[cfg(test)]
mod tests;

use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards};

use super::RenderOptions;
use super::view::{Form, ReportView};
use crate::report::escape;
use crate::report::model::Report;
use crate::{Error, Result};
use fonts::Fonts;
use world::{ReportWorld, TEMPLATE};

/// The stack that Typst may take: it calls itself for what is nested, and a worker of Tokio has 2 MiB.
const STACK: usize = 64 << 20;

impl Report {
    /// Renders the report as PDF, on A4: tagged, with an outline, alternatives of charts in words and numbers, and the specs that
    /// its numbers came from at the end. It holds to PDF/UA-1 (ISO 14289-1).
    ///
    /// The same report is the same bytes: the file has no time of its making.
    ///
    /// # Errors
    /// As [`to_pdf_with`](Report::to_pdf_with).
    pub fn to_pdf(&self) -> Result<Vec<u8>> {
        self.to_pdf_with(&RenderOptions::default())
    }

    /// Renders the report as PDF with another theme (its light colours), another template, or more fonts.
    ///
    /// With a template of one's own the file is tagged, but whether it holds to PDF/UA-1 is not checked.
    ///
    /// # Errors
    /// - [`InvalidSpec`](crate::ErrorKind::InvalidSpec) for a template that cannot be read or fails, with its line, for a theme that is refused, for
    ///   a file of fonts that has none, and for a chart whose lists have different lengths;
    /// - [`NotFound`](crate::ErrorKind::NotFound), [`Denied`](crate::ErrorKind::Denied) and
    ///   [`Unavailable`](crate::ErrorKind::Unavailable) for a file of fonts that cannot be read.
    pub fn to_pdf_with(&self, options: &RenderOptions) -> Result<Vec<u8>> {
        options.theme.check()?;
        let fonts = Fonts::with(&options.pdf_fonts)?;
        let view = ReportView::of(self, options, Form::Pdf, options.max_rows)?;
        let mut data = serde_json::to_value(&view)
            .map_err(|e| Error::internal("a report cannot be written as data").with_source(e))?;
        readable(&mut data);
        if let Some(fields) = data.as_object_mut() {
            fields.insert("fonts".to_owned(), fonts.families().into());
            fields.insert("colours".to_owned(), options.theme.light_colours().into());
        }
        let own = options.pdf_template.as_deref();
        let world = ReportWorld::new(own.unwrap_or(TEMPLATE), data.to_string(), fonts)?;
        let pdf = stacker::grow(STACK, || compiled(&world, own.is_none()));
        // Typst remembers what it has computed, for editors that compile a document again and again.
        comemo::evict(0);
        pdf
    }
}

fn compiled(world: &ReportWorld, accessible: bool) -> Result<Vec<u8>> {
    let document = typst::compile::<PagedDocument>(world)
        .output
        .map_err(|errors| world.wrong(&errors))?;
    let standards = match accessible {
        true => PdfStandards::new(&[PdfStandard::Ua_1])
            .map_err(|e| Error::internal(format!("PDF/UA-1 is not known: {e:?}")))?,
        false => PdfStandards::default(),
    };
    let options = PdfOptions {
        standards,
        ..PdfOptions::default()
    };
    typst_pdf::pdf(&document, &options).map_err(|errors| world.wrong(&errors))
}

/// Replaces what is no text in all texts but drawings, where that was done.
fn readable(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => *text = escape::plain(text),
        serde_json::Value::Array(items) => items.iter_mut().for_each(readable),
        serde_json::Value::Object(fields) => {
            for (name, field) in fields {
                if name != "svg" {
                    readable(field);
                }
            }
        }
        _ => {}
    }
}
