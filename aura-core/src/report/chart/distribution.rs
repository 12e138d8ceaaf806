//! How often values occur.

use super::frame::{Frame, WIDTH, clipped, nothing, width_of};
use super::model::Distribution;
use super::scale::{Scale, Zero};
use super::svg::{Svg, place};
use crate::report::language::Language;
use crate::report::number::{ValueFormat, whole};

/// The most characters of the name of a value.
const NAME: usize = 24;

impl Distribution {
    pub(super) fn draw(&self, id: &str, description: &str, language: Language) -> String {
        let frame = Frame::below_legend(0, 180.0);
        let frame = Frame {
            top: if self.marks.is_empty() {
                frame.top
            } else {
                40.0
            },
            ..frame
        };
        let size = (WIDTH, frame.outer_height());
        let mut svg = Svg::new(size, id, "distribution-chart", &self.title, description);
        let counts = ValueFormat::number();
        let heights = self.bins.iter().map(|bin| Some(bin.count as f64));
        let upright = Scale::of(heights, Zero::Always, &counts, 4);
        frame.values(&mut svg, &upright, &counts, language);
        if self.bins.is_empty() {
            nothing(&mut svg, frame, language);
            return svg.finish();
        }
        let ends = self
            .bins
            .iter()
            .flat_map(|bin| [Some(bin.from), Some(bin.to)]);
        let along = Scale::of(ends, Zero::Never, &self.format, 5);
        let x = |value: f64| frame.left + along.share(value) * frame.width;
        for (order, tick) in along.ticks.iter().enumerate() {
            let text = self
                .format
                .tick(*tick, along.step, along.greatest(), language);
            let class = if order % 2 == 0 { "mid" } else { "mid wide" };
            let half = width_of(&text) / 2.0;
            let at = x(*tick);
            svg.line((at, frame.bottom()), (at, frame.bottom() + 4.0), "axis");
            svg.text(
                (at.min(WIDTH - half - 2.0), frame.bottom() + 18.0),
                class,
                &text,
            );
        }
        for bin in &self.bins {
            let (from, to) = (x(bin.from), x(bin.to));
            let top = frame.y(&upright, bin.count as f64);
            let [left, y, width, height] = [
                from + 0.5,
                top,
                (to - from - 1.0).max(0.5),
                frame.bottom() - top,
            ]
            .map(place);
            let hint = format!(
                "{}–{}: {}",
                self.format.text(bin.from, language),
                self.format.text(bin.to, language),
                whole(bin.count, language)
            );
            svg.with_hint(
                "rect",
                &[
                    ("x", &left),
                    ("y", &y),
                    ("width", &width),
                    ("height", &height),
                    ("class", "fill s0"),
                ],
                &hint,
            );
        }
        for (order, mark) in self.marks.iter().enumerate() {
            let at = x(mark.value);
            svg.line((at, frame.top - 4.0), (at, frame.bottom()), "shift");
            let value = self.format.text(mark.value, language);
            let text = format!("{} {value}", clipped(&mark.label, NAME));
            // The beginning of a text without end stays in the drawing.
            let half = width_of(&text) / 2.0;
            let middle = at.min(WIDTH - half - 2.0).max(half + 2.0);
            // Neighbours stand on two lines.
            svg.text((middle, 12.0 + (order % 2) as f64 * 16.0), "mid", &text);
        }
        svg.finish()
    }
}
