//! Reports: results and findings as Markdown, as one file of HTML, and as files for other tools.
//!
//! A [`Report`] is a plain value: sections of charts, tables, numbers and findings, each with the spec that it came from. It
//! is rendered by templates that can be replaced ([`RenderOptions`]), in English and Russian ([`Language`]). Charts stand alone as
//! well: as SVG, and as Vega-Lite for those who draw elsewhere ([`chart`]). The room computes no number of its own.
//! It is described for its users in `docs/report.md`.

mod build;
pub mod chart;
mod escape;
mod export;
mod language;
mod model;
mod number;
mod period;
mod render;
mod rows;
mod run;
mod spec;
mod theme;

pub use export::{CsvOptions, ExportFormat};
pub use language::Language;
pub use model::{Block, Figure, Report, Section, TableBlock, Tile};
pub use number::ValueFormat;
pub use render::RenderOptions;
pub use spec::{ReportSpec, SectionSpec, Show};
pub use theme::{Palette, Theme};
