//! A report, as a value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::chart::{Chart, Grid, Sparkline};
use super::language::Language;
use super::number::ValueFormat;
use crate::insight::Finding;

/// A report: what was asked, what came out, and what it means, without how it looks.
///
/// It is a plain value, the same as JSON in every language. Everything in it that has numbers carries the spec that they came
/// from, so that whoever doubts one can ask again. [`Events::report`](crate::engine::Events::report) makes one of a
/// [`ReportSpec`](super::ReportSpec); a host may also put one together from [sections](Section) of its own. It becomes
/// [Markdown](Report::to_markdown) and [HTML](Report::to_html).
///
/// # Examples
/// ```
/// use aura_core::report::{Block, Language, Report, Section};
///
/// let report = Report::new("Неделя").language(Language::Russian).section(
///     Section::new("Итоги").block(Block::Text("Ничего не случилось.".to_owned())),
/// );
/// assert_eq!(report.to_markdown()?, "# Неделя\n\n## Итоги\n\nНичего не случилось.\n");
/// # Ok::<(), aura_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The title.
    pub title: String,
    /// The language of fixed words, numbers and dates.
    #[serde(default)]
    pub language: Language,
    /// What the report is about: paragraphs below the title.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub summary: Vec<String>,
    /// The sections in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<Section>,
}

/// A part of a report with a heading.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// What is in it, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<Block>,
}

/// What a section is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// A paragraph.
    Text(String),
    /// What a careful analyst would add.
    Notes(Vec<String>),
    /// Numbers side by side.
    Tiles(Vec<Tile>),
    /// A chart with its numbers.
    Figure(Figure),
    /// A table.
    Table(TableBlock),
    /// Something worth knowing.
    Finding(Box<Finding>),
}

/// A number with its course.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tile {
    /// What it is.
    pub title: String,
    /// The number; null where there is none.
    pub value: Option<f64>,
    /// How it is written.
    #[serde(default)]
    pub format: ValueFormat,
    /// The label of the period that it is of.
    pub period: String,
    /// How it changed from the period before, as a fraction: 0.25 is 25 % more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<f64>,
    /// Whether that is good; null where neither way is better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good: Option<bool>,
    /// Its course until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<Sparkline>,
    /// The spec that the numbers came from.
    pub spec: serde_json::Value,
}

/// A chart with its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// The chart; its title is the heading.
    pub chart: Chart,
    /// What it means, in a sentence or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What a careful analyst would add.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The spec that the numbers came from.
    pub spec: serde_json::Value,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableBlock {
    /// The heading.
    pub title: String,
    /// The texts.
    pub grid: Grid,
    /// What a careful analyst would add.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The spec that the numbers came from.
    pub spec: serde_json::Value,
}

impl Report {
    /// Makes a report without sections, in English.
    pub fn new(title: impl Into<String>) -> Report {
        Report {
            title: title.into(),
            ..Report::default()
        }
    }

    /// Sets the language.
    #[must_use]
    pub fn language(mut self, language: Language) -> Self {
        self.language = language;
        self
    }

    /// Adds a paragraph below the title.
    #[must_use]
    pub fn summary(mut self, text: impl Into<String>) -> Self {
        self.summary.push(text.into());
        self
    }

    /// Adds a section.
    #[must_use]
    pub fn section(mut self, section: Section) -> Self {
        self.sections.push(section);
        self
    }
}

impl Section {
    /// Makes a section with nothing in it.
    pub fn new(title: impl Into<String>) -> Section {
        Section {
            title: title.into(),
            blocks: Vec::new(),
        }
    }

    /// Adds a block.
    #[must_use]
    pub fn block(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }
}
