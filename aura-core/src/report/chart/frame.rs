//! What charts have in common: the size, axes and the legend.

use super::scale::Scale;
use super::svg::{Svg, place};
use crate::report::language::Language;
use crate::report::number::ValueFormat;
use crate::report::period;

/// The width of every chart in its own units; the page stretches it.
pub(super) const WIDTH: f64 = 560.0;
/// Room for the names of values, which may be written larger on a phone.
pub(super) const LEFT: f64 = 66.0;
pub(super) const RIGHT: f64 = 16.0;
const BOTTOM: f64 = 30.0;
/// The most parts of a chart that have a colour of their own.
pub(crate) const COLOURS: usize = 8;
/// The most names of periods on an axis.
const MOST_NAMES: usize = 6;
/// The height of a line of the legend.
const LEGEND_LINE: f64 = 20.0;
const LEGEND_COLUMNS: usize = 3;
const LEGEND_NAME: usize = 18;

/// The rectangle in which values are drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Frame {
    /// Makes a frame below a legend of so many names.
    pub(super) fn below_legend(names: usize, height: f64) -> Frame {
        let lines = if names > 1 {
            names.div_ceil(LEGEND_COLUMNS)
        } else {
            0
        };
        Frame {
            left: LEFT,
            top: 12.0 + lines as f64 * LEGEND_LINE,
            width: WIDTH - LEFT - RIGHT,
            height,
        }
    }

    /// The height of a drawing with this frame and names below it.
    pub(super) fn outer_height(&self) -> f64 {
        self.bottom() + BOTTOM
    }

    pub(super) fn bottom(&self) -> f64 {
        self.top + self.height
    }

    pub(super) fn right(&self) -> f64 {
        self.left + self.width
    }

    /// The height at which a value lies.
    pub(super) fn y(&self, scale: &Scale, value: f64) -> f64 {
        self.bottom() - scale.share(value) * self.height
    }

    /// Where the middle of a place lies, of `count` beside each other.
    pub(super) fn x(&self, at: usize, count: usize) -> f64 {
        self.left + (at as f64 + 0.5) * self.width / count.max(1) as f64
    }

    /// Draws the values of the upright axis.
    pub(super) fn values(
        &self,
        svg: &mut Svg,
        scale: &Scale,
        format: &ValueFormat,
        language: Language,
    ) {
        for tick in &scale.ticks {
            let y = self.y(scale, *tick);
            let class = if *tick == 0.0 { "axis" } else { "grid" };
            svg.line((self.left, y), (self.right(), y), class);
            let text = format.tick(*tick, scale.step, scale.greatest(), language);
            svg.text((self.left - 6.0, y + 4.0), "end", &text);
        }
    }

    /// Draws the names of periods.
    pub(super) fn periods(&self, svg: &mut Svg, labels: &[String], language: Language) {
        let ticks = period::ticks(labels, MOST_NAMES, language);
        let mut free_from = f64::NEG_INFINITY;
        for (order, (at, text)) in ticks.iter().enumerate() {
            let x = self.x(*at, labels.len());
            svg.line((x, self.bottom()), (x, self.bottom() + 4.0), "axis");
            let half = width_of(text) / 2.0;
            // A name at the end stays inside of the drawing, and none lies on the one before.
            let (x, class) = match x + half > WIDTH - 2.0 {
                true => (WIDTH - 2.0, "end"),
                false => (x.max(half + 2.0), "mid"),
            };
            let begin = if class == "end" {
                x - 2.0 * half
            } else {
                x - half
            };
            if begin < free_from {
                continue;
            }
            free_from = begin + 2.0 * half + 6.0;
            // On a phone, where text is larger, every second name is hidden.
            let class = match order % 2 {
                0 => class.to_owned(),
                _ => format!("{class} wide"),
            };
            svg.text((x, self.bottom() + 18.0), &class, text);
        }
    }
}

/// About how wide a text is.
pub(super) fn width_of(text: &str) -> f64 {
    text.chars().count() as f64 * 6.6
}

/// Cuts a text to so many characters, the last of which tells that it was cut.
pub(super) fn clipped(text: &str, most: usize) -> String {
    match text.chars().count() > most {
        true => text
            .chars()
            .take(most.saturating_sub(1))
            .chain(['…'])
            .collect(),
        false => text.to_owned(),
    }
}

/// Draws what the colours mean, unless there is one alone.
pub(super) fn legend<'a>(
    svg: &mut Svg,
    names: impl ExactSizeIterator<Item = &'a str>,
    lines: bool,
) {
    if names.len() < 2 {
        return;
    }
    let column = (WIDTH - 24.0) / LEGEND_COLUMNS as f64;
    for (at, name) in names.enumerate() {
        let x = 12.0 + (at % LEGEND_COLUMNS) as f64 * column;
        let y = 14.0 + (at / LEGEND_COLUMNS) as f64 * LEGEND_LINE;
        match lines {
            true => svg.line((x, y - 4.0), (x + 18.0, y - 4.0), &format!("line s{at}")),
            false => svg.rect((x + 2.0, y - 10.0), (12.0, 12.0), &format!("fill s{at}")),
        }
        svg.open(
            "text",
            &[("x", &place(x + 24.0)), ("y", &place(y)), ("class", "name")],
        );
        let short = clipped(name, LEGEND_NAME);
        svg.raw(&crate::report::escape::xml(&short));
        if short != name {
            svg.raw(&format!(
                "<title>{}</title>",
                crate::report::escape::xml(name)
            ));
        }
        svg.close("text");
    }
}

/// Says in the middle of a frame that there is nothing to draw.
pub(super) fn nothing(svg: &mut Svg, frame: Frame, language: Language) {
    svg.text(
        (
            frame.left + frame.width / 2.0,
            frame.top + frame.height / 2.0,
        ),
        "mid empty",
        language.words().no_values,
    );
}
