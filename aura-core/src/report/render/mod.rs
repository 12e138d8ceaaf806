//! From reports to Markdown, HTML and PDF, by templates that can be replaced.

mod finding;
#[cfg(feature = "pdf")]
mod pdf;
mod templates;
mod view;

#[cfg(test)]
pub(crate) mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::Report;
use super::theme::Theme;
use crate::{Error, ErrorKind, Result};
pub(crate) use finding::local;
use view::{Form, ReportView};

/// How reports are rendered: templates, a theme, and how large they may get. The default is AURA's own.
///
/// **Templates** are in the language of Jinja2, as `minijinja` reads it, and see one value: `title`, `language` (`en`, `ru`), `words` (fixed
/// words by name), `summary` (texts), `style` (CSS of the theme), and `sections`. A section has `id`, `title` and `blocks`; a block has
/// `kind` and the fields that `docs/report.md` lists. What they print is escaped for HTML or Markdown, but drawings, which
/// are SVG already. A name that is not there is an error. They read nothing else: no files, no other templates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RenderOptions {
    /// Colours and fonts of HTML.
    #[serde(skip_serializing_if = "is_default")]
    pub theme: Theme,
    /// The template of HTML; AURA's own unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html_template: Option<String>,
    /// The template of Markdown; AURA's own unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub markdown_template: Option<String>,
    /// The template of PDF, a program of Typst that reads the report as `json("report.json")`; AURA's own unless given.
    #[cfg(feature = "pdf")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pdf_template: Option<String>,
    /// Files of fonts (TrueType, OpenType) for PDF, the first first. Those that are built in, for what these have not, know
    /// Latin, Cyrillic and Greek; the fonts of the machine are not used, so that results do not depend on it.
    #[cfg(feature = "pdf")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pdf_fonts: Vec<std::path::PathBuf>,
    /// The most rows of a table; the others are cut and it is said how many there are. 60 unless given.
    pub max_rows: usize,
    /// The most bytes of HTML, 500,000 unless given. Where a report has more, its tables are cut further, first to 24 rows and then
    /// to 6.
    pub max_bytes: usize,
}

impl Default for RenderOptions {
    fn default() -> Self {
        RenderOptions {
            theme: Theme::default(),
            html_template: None,
            markdown_template: None,
            #[cfg(feature = "pdf")]
            pdf_template: None,
            #[cfg(feature = "pdf")]
            pdf_fonts: Vec::new(),
            max_rows: 60,
            max_bytes: 500_000,
        }
    }
}

fn is_default(theme: &Theme) -> bool {
    *theme == Theme::default()
}

impl Report {
    /// Renders the report as Markdown: CommonMark with the tables of GitHub, charts as tables.
    ///
    /// # Errors
    /// As [`to_markdown_with`](Report::to_markdown_with).
    pub fn to_markdown(&self) -> Result<String> {
        self.to_markdown_with(&RenderOptions::default())
    }

    /// Renders the report as Markdown with other templates or limits.
    ///
    /// # Errors
    /// [`InvalidSpec`](ErrorKind::InvalidSpec) for a template that cannot be read or names what is not there, with its line, and
    /// for a chart whose lists have different lengths.
    pub fn to_markdown_with(&self, options: &RenderOptions) -> Result<String> {
        let view = ReportView::of(self, options, Form::Markdown, options.max_rows)?;
        templates::markdown(&view, options.markdown_template.as_deref())
    }

    /// Renders the report as one file of HTML that needs nothing else: charts are SVG in it, there are no scripts, and nothing is
    /// fetched.
    ///
    /// It follows the light or dark of its surroundings, is readable on a phone, and prints on light ground with all details
    /// that are open. The same report is the same bytes.
    ///
    /// # Errors
    /// As [`to_html_with`](Report::to_html_with).
    pub fn to_html(&self) -> Result<String> {
        self.to_html_with(&RenderOptions::default())
    }

    /// Renders the report as HTML with another theme, other templates or limits.
    ///
    /// # Errors
    /// - [`InvalidSpec`](ErrorKind::InvalidSpec) for a template that cannot be read or names what is not there, with its line, for
    ///   a theme that is refused, and for a chart whose lists have different lengths;
    /// - [`ResourceExhausted`](ErrorKind::ResourceExhausted) when it has more than [`max_bytes`](RenderOptions::max_bytes) even
    ///   with short tables.
    pub fn to_html_with(&self, options: &RenderOptions) -> Result<String> {
        options.theme.check()?;
        let mut least = usize::MAX;
        for rows in [60, 24, 6] {
            let rows = match rows {
                60 => options.max_rows,
                rows if rows < options.max_rows => rows,
                _ => continue,
            };
            let view = ReportView::of(self, options, Form::Html, rows)?;
            let html = templates::html(&view, options.html_template.as_deref())?;
            if html.len() <= options.max_bytes {
                return Ok(html);
            }
            least = html.len();
        }
        Err(Error::new(
            ErrorKind::ResourceExhausted,
            format!(
                "the report \"{}\" has {least} bytes of HTML and {} are allowed; leave out sections, ask for fewer metrics and dimensions, or raise `max_bytes`",
                crate::document::shortened(&self.title),
                options.max_bytes
            ),
        ))
    }
}
