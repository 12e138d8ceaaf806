//! Any result as a table for people.

use arrow::datatypes::DataType;

use crate::Result;
use crate::engine::Table;
use crate::metric::Format;
use crate::report::chart::{Grid, GridColumn};
use crate::report::language::Language;
use crate::report::model::{Block, TableBlock};
use crate::report::number::{ABSENT, ValueFormat};
use crate::report::period::readable;
use crate::report::rows::{Rows, numbers, texts};

/// Makes a table of all columns but moments that a label stands for. Shares are percentages and seconds lengths of time, as the
/// names of columns of analyses say.
pub(crate) fn table_block(
    title: &str,
    table: &Table,
    spec: serde_json::Value,
    language: Language,
) -> Result<Block> {
    let rows = Rows::of(table)?;
    let mut grid = Grid {
        columns: Vec::new(),
        rows: vec![Vec::new(); rows.len()],
    };
    for (name, column) in rows.columns() {
        let label = format!("{name}_label");
        if matches!(column.data_type(), DataType::Timestamp(..)) && rows.has(&label) {
            continue;
        }
        let number = column.data_type().is_numeric();
        let written: Vec<String> = match column.data_type() {
            _ if number => {
                let format = format_of(name);
                let values = numbers(column)?;
                values
                    .into_iter()
                    .map(|value| format.optional(value, language))
                    .collect()
            }
            DataType::Boolean => {
                let words = language.words();
                let flags = texts(column)?;
                let word = |text: String| if text == "true" { words.yes } else { words.no };
                flags
                    .into_iter()
                    .map(|f| f.map_or(ABSENT, word).to_owned())
                    .collect()
            }
            _ => {
                let values = texts(column)?.into_iter();
                match name.ends_with("_label") {
                    true => values
                        .map(|v| readable(&v.unwrap_or_default(), language))
                        .collect(),
                    false => values
                        .map(|v| v.unwrap_or_else(|| ABSENT.to_owned()))
                        .collect(),
                }
            }
        };
        let name = name.strip_suffix("_label").unwrap_or(name);
        grid.columns.push(match number {
            true => GridColumn::number(name),
            false => GridColumn::text(name),
        });
        for (row, text) in grid.rows.iter_mut().zip(written) {
            row.push(text);
        }
    }
    Ok(Block::Table(TableBlock {
        title: title.to_owned(),
        grid,
        notes: table.notes().to_vec(),
        spec,
    }))
}

/// How the values of a column of an analysis are written.
fn format_of(name: &str) -> ValueFormat {
    let stem = name
        .strip_suffix("_low")
        .or(name.strip_suffix("_high"))
        .unwrap_or(name);
    let share = matches!(
        stem,
        "from_first" | "from_previous" | "difference" | "survival" | "low" | "high" | "stickiness"
    ) || stem == "share"
        || stem.ends_with("_share");
    let style = match share {
        true => Format::Percent,
        false if stem.ends_with("_seconds") || stem.starts_with("duration_") => Format::Duration,
        false => Format::Number,
    };
    ValueFormat {
        style,
        ..ValueFormat::default()
    }
}
