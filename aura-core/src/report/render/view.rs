//! What templates see: texts that are written already, and drawings.

use minijinja::Value;
use serde::Serialize;

use super::RenderOptions;
use super::finding::FindingView;
use crate::Result;
use crate::report::chart::{Chart, Grid, GridColumn};
use crate::report::language::{Language, Words};
use crate::report::model::{Block, Figure, Report, TableBlock, Tile};
use crate::report::number::{ValueFormat, whole};
use crate::report::period::readable;

/// What is being rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Html,
    Markdown,
    #[cfg(feature = "pdf")]
    Pdf,
}

#[derive(Debug, Serialize)]
pub(super) struct ReportView {
    language: &'static str,
    words: &'static Words,
    title: String,
    summary: Vec<String>,
    sections: Vec<SectionView>,
    style: Value,
}

#[derive(Debug, Serialize)]
struct SectionView {
    id: String,
    title: String,
    blocks: Vec<BlockView>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum BlockView {
    Text {
        text: String,
    },
    Notes {
        notes: Vec<String>,
    },
    Tiles {
        tiles: Vec<TileView>,
        specs: Vec<SpecView>,
    },
    Figure(FigureView),
    Table(FigureView),
    Finding(Box<FindingView>),
}

#[derive(Debug, Serialize)]
struct TileView {
    title: String,
    value: String,
    period: String,
    change: String,
    tone: &'static str,
    svg: Value,
}

/// A chart, a table, or both.
#[derive(Debug, Serialize)]
pub(super) struct FigureView {
    id: String,
    title: String,
    text: String,
    description: String,
    svg: Value,
    table: TableView,
    notes: Vec<String>,
    spec: SpecView,
}

#[derive(Debug, Serialize)]
pub(super) struct TableView {
    columns: Vec<GridColumn>,
    rows: Vec<Vec<String>>,
    /// Says that rows were cut; empty where none were.
    cut: String,
}

/// A spec as text, with a fence of backticks that is longer than any in it.
#[derive(Debug, Serialize)]
pub(super) struct SpecView {
    json: Value,
    fence: Value,
}

impl SpecView {
    pub(super) fn of(spec: &serde_json::Value, form: Form) -> Result<SpecView> {
        let text = serde_json::to_string_pretty(spec)
            .map_err(|e| crate::Error::internal("a spec cannot be written").with_source(e))?;
        let longest = text
            .split(|c| c != '`')
            .map(str::len)
            .max()
            .unwrap_or_default();
        let fence = "`".repeat(longest.max(2) + 1);
        Ok(SpecView {
            // Code in a fence is not Markdown; in HTML it is escaped as any text is.
            json: match form {
                Form::Markdown => Value::from_safe_string(text),
                _ => Value::from(text),
            },
            fence: Value::from_safe_string(fence),
        })
    }
}

/// What is the same for everything in a report.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) language: Language,
    pub(super) form: Form,
    pub(super) rows: usize,
    pub(super) options: &'a RenderOptions,
}

impl ReportView {
    pub(super) fn of(
        report: &Report,
        options: &RenderOptions,
        form: Form,
        rows: usize,
    ) -> Result<ReportView> {
        let context = Context {
            language: report.language,
            form,
            rows,
            options,
        };
        let mut sections = Vec::with_capacity(report.sections.len());
        for (number, section) in report.sections.iter().enumerate() {
            let mut blocks = Vec::with_capacity(section.blocks.len());
            for (place, block) in section.blocks.iter().enumerate() {
                let id = format!("s{}-{}", number + 1, place + 1);
                blocks.push(BlockView::of(block, id, context)?);
            }
            sections.push(SectionView {
                id: format!("s{}", number + 1),
                title: section.title.clone(),
                blocks,
            });
        }
        let style = match form {
            Form::Html => context.options.theme.page_style(),
            _ => String::new(),
        };
        Ok(ReportView {
            language: report.language.tag(),
            words: report.language.words(),
            title: report.title.clone(),
            summary: report.summary.clone(),
            sections,
            style: Value::from_safe_string(style),
        })
    }
}

impl BlockView {
    fn of(block: &Block, id: String, context: Context<'_>) -> Result<BlockView> {
        Ok(match block {
            Block::Text(text) => BlockView::Text { text: text.clone() },
            Block::Notes(notes) => BlockView::Notes {
                notes: notes.clone(),
            },
            Block::Tiles(tiles) => {
                let view = |(at, tile)| TileView::of(tile, format!("{id}-{}", at + 1), context);
                // Most come from one question, which is shown once.
                let mut specs: Vec<&serde_json::Value> = Vec::new();
                for tile in tiles.iter().filter(|tile| !tile.spec.is_null()) {
                    if !specs.contains(&&tile.spec) {
                        specs.push(&tile.spec);
                    }
                }
                let specs = specs
                    .into_iter()
                    .map(|spec| SpecView::of(spec, context.form));
                BlockView::Tiles {
                    specs: specs.collect::<Result<_>>()?,
                    tiles: tiles.iter().enumerate().map(view).collect::<Result<_>>()?,
                }
            }
            Block::Figure(figure) => BlockView::Figure(FigureView::of(figure, id, context)?),
            Block::Table(table) => BlockView::Table(FigureView::of_table(table, id, context)?),
            Block::Finding(finding) => {
                BlockView::Finding(Box::new(FindingView::of(finding, id, context)?))
            }
        })
    }
}

/// Draws a chart where drawings are shown.
pub(super) fn drawing(chart: &Chart, id: &str, context: Context<'_>) -> Result<Value> {
    Ok(Value::from_safe_string(match context.form {
        Form::Html => chart.drawn(id, context.language)?,
        // A picture of its own, in one set of colours.
        #[cfg(feature = "pdf")]
        Form::Pdf => chart.styled(&context.options.theme.print_style(), context.language)?,
        Form::Markdown => {
            chart.check()?;
            String::new()
        }
    }))
}

/// Writes a change as a percentage with its sign.
pub(super) fn signed_percent(value: f64, language: Language) -> String {
    let text = ValueFormat::percent().text(value, language);
    match value > 0.0 {
        true => format!("+{text}"),
        false => text,
    }
}

/// What a change is called in a style sheet.
pub(super) fn tone(good: Option<bool>) -> &'static str {
    match good {
        Some(true) => "good",
        Some(false) => "bad",
        None => "plain",
    }
}

impl TileView {
    fn of(tile: &Tile, id: String, context: Context<'_>) -> Result<TileView> {
        let language = context.language;
        let svg = match &tile.course {
            Some(course) => drawing(&Chart::Sparkline(course.clone()), &id, context)?,
            None => Value::from_safe_string(String::new()),
        };
        let change = tile.change.filter(|c| c.is_finite());
        Ok(TileView {
            title: tile.title.clone(),
            value: tile.format.optional(tile.value, language),
            period: readable(&tile.period, language),
            change: change.map_or_else(String::new, |c| signed_percent(c, language)),
            tone: tone(tile.good),
            svg,
        })
    }
}

impl FigureView {
    pub(super) fn of(figure: &Figure, id: String, context: Context<'_>) -> Result<FigureView> {
        let latest = matches!(
            figure.chart,
            Chart::Line(_) | Chart::Stacked(_) | Chart::Heat(_) | Chart::Sparkline(_)
        );
        Ok(FigureView {
            title: figure.chart.title().to_owned(),
            text: figure.text.clone().unwrap_or_default(),
            description: figure.chart.describe(context.language),
            svg: drawing(&figure.chart, &id, context)?,
            table: TableView::of(figure.chart.grid(context.language), latest, context),
            notes: figure.notes.clone(),
            spec: SpecView::of(&figure.spec, context.form)?,
            id,
        })
    }

    /// Puts together what was drawn and written already.
    pub(super) fn of_chart(
        title: String,
        description: String,
        svg: Value,
        table: TableView,
        spec: SpecView,
        id: String,
    ) -> FigureView {
        FigureView {
            id,
            title,
            text: String::new(),
            description,
            svg,
            table,
            notes: Vec::new(),
            spec,
        }
    }

    fn of_table(block: &TableBlock, id: String, context: Context<'_>) -> Result<FigureView> {
        Ok(FigureView {
            id,
            title: block.title.clone(),
            text: String::new(),
            description: String::new(),
            svg: Value::from_safe_string(String::new()),
            table: TableView::of(block.grid.clone(), false, context),
            notes: block.notes.clone(),
            spec: SpecView::of(&block.spec, context.form)?,
        })
    }
}

impl TableView {
    /// Keeps as many rows as may be shown: the last ones of a course of time, else the first ones.
    pub(super) fn of(mut grid: Grid, latest: bool, context: Context<'_>) -> TableView {
        let all = grid.rows.len();
        let mut cut = String::new();
        if all > context.rows {
            let words = context.language.words();
            let say = match latest {
                true => {
                    grid.rows.drain(..all - context.rows);
                    words.latest_rows
                }
                false => {
                    grid.rows.truncate(context.rows);
                    words.first_rows
                }
            };
            cut = format!("{say} {}.", whole(all as u64, context.language));
        }
        TableView {
            columns: grid.columns,
            rows: grid.rows,
            cut,
        }
    }
}
