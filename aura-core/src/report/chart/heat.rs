//! Cohorts by time.

use super::frame::{Frame, WIDTH, clipped, nothing, width_of};
use super::model::HeatMap;
use super::scale::drawable;
use super::svg::{Svg, place};
use crate::metric::Format;
use crate::report::language::Language;
use crate::report::number::{ABSENT, ValueFormat, whole};

const LINE: f64 = 24.0;
const NAMES: f64 = 128.0;
const HEAD: f64 = 24.0;
const NAME: usize = 12;
/// How many shades there are, the palest first.
pub(crate) const SHADES: usize = 10;
/// More than this are cut: a drawing has only so much room, and the table has them all.
const MOST_ROWS: usize = 24;
const MOST_COLUMNS: usize = 13;

impl HeatMap {
    pub(super) fn draw(&self, id: &str, description: &str, language: Language) -> String {
        // The latest cohorts, which come last.
        let skipped = self.rows.len().saturating_sub(MOST_ROWS);
        let rows = self.rows.get(skipped..).unwrap_or_default();
        let columns = self
            .columns
            .get(..MOST_COLUMNS.min(self.columns.len()))
            .unwrap_or_default();
        let height = HEAD + rows.len().max(2) as f64 * LINE;
        let mut svg = Svg::new(
            (WIDTH, height + 6.0),
            id,
            "heat-map",
            &self.title,
            description,
        );
        let each = ((WIDTH - NAMES - 8.0) / columns.len().max(1) as f64).min(64.0);
        if rows.is_empty() || columns.is_empty() {
            let frame = Frame {
                left: 0.0,
                top: 0.0,
                width: WIDTH,
                height,
            };
            nothing(&mut svg, frame, language);
            return svg.finish();
        }
        for (at, name) in columns.iter().enumerate() {
            let x = NAMES + (at as f64 + 0.5) * each;
            let most = (each / 6.6).floor().max(2.0) as usize;
            svg.text((x, HEAD - 8.0), "mid", &clipped(name, most));
        }
        let values = self.rows.iter().flat_map(|row| &row.cells);
        let greatest = values
            .filter_map(|cell| drawable(cell.value))
            .fold(0.0, f64::max);
        let greatest = match self.format.style {
            Format::Percent => greatest.max(1.0),
            _ => greatest,
        };
        for (at, row) in rows.iter().enumerate() {
            let top = HEAD + at as f64 * LINE;
            svg.text((4.0, top + 16.0), "name", &clipped(&row.label, NAME));
            if let Some(size) = row.size {
                svg.text(
                    (NAMES - 8.0, top + 16.0),
                    "end wide",
                    &whole(size, language),
                );
            }
            for (column, cell) in row.cells.iter().take(columns.len()).enumerate() {
                let x = NAMES + column as f64 * each;
                let Some(value) = drawable(cell.value) else {
                    svg.text((x + each / 2.0, top + 16.0), "mid", ABSENT);
                    continue;
                };
                let share = if greatest > 0.0 {
                    (value / greatest).clamp(0.0, 1.0)
                } else {
                    0.0
                };
                let shade = ((share * SHADES as f64) as usize).min(SHADES - 1);
                let open = if cell.incomplete { " open" } else { "" };
                svg.rect(
                    (x + 1.0, top + 1.0),
                    (each - 2.0, LINE - 2.0),
                    &format!("h{shade}{open}"),
                );
                let text = self.short(value, language);
                if width_of(&text) <= each - 2.0 {
                    let (x, y) = (place(x + each / 2.0), place(top + 16.0));
                    let class = format!("mid t{shade}{open}");
                    svg.open("text", &[("x", &x), ("y", &y), ("class", &class)]);
                    svg.raw(&crate::report::escape::xml(&text));
                    svg.close("text");
                }
            }
        }
        svg.finish()
    }

    /// Writes a value for a cell, in which percentages need no sign.
    fn short(&self, value: f64, language: Language) -> String {
        match self.format.style {
            Format::Percent => {
                let plain = ValueFormat {
                    decimals: Some(0),
                    ..ValueFormat::number()
                };
                plain.text(value * 100.0, language)
            }
            _ => self.format.text(value, language),
        }
    }

    /// How many rows and columns are not drawn.
    pub(super) fn hidden(&self) -> (usize, usize) {
        (
            self.rows.len().saturating_sub(MOST_ROWS),
            self.columns.len().saturating_sub(MOST_COLUMNS),
        )
    }
}
