//! Bars beside each other.

use super::frame::{Frame, WIDTH, clipped, nothing};
use super::model::BarChart;
use super::scale::{Scale, Zero, drawable};
use super::svg::{Svg, place};
use crate::report::language::Language;

const LINE: f64 = 26.0;
/// Room for names at the left and values at the right.
const NAMES: f64 = 150.0;
const VALUES: f64 = 84.0;
const NAME: usize = 20;

impl BarChart {
    pub(super) fn draw(&self, id: &str, description: &str, language: Language) -> String {
        let height = self.bars.len().max(2) as f64 * LINE;
        let frame = Frame {
            left: NAMES,
            top: 6.0,
            width: WIDTH - NAMES - VALUES,
            height,
        };
        let mut svg = Svg::new(
            (WIDTH, height + 12.0),
            id,
            "bar-chart",
            &self.title,
            description,
        );
        let ends = self
            .bars
            .iter()
            .flat_map(|bar| [bar.value, bar.low, bar.high]);
        let scale = Scale::of(ends, Zero::Always, &self.format, 4);
        let x = |value: f64| frame.left + scale.share(value) * frame.width;
        if self.bars.iter().all(|bar| drawable(bar.value).is_none()) {
            nothing(&mut svg, frame, language);
        }
        for (at, bar) in self.bars.iter().enumerate() {
            let middle = frame.top + (at as f64 + 0.5) * LINE;
            svg.text(
                (NAMES - 8.0, middle + 4.0),
                "end name",
                &clipped(&bar.label, NAME),
            );
            let Some(value) = drawable(bar.value) else {
                continue;
            };
            let (from, to) = (x(0.0).min(x(value)), x(0.0).max(x(value)));
            svg.rect(
                (from, middle - 8.0),
                ((to - from).max(1.0), 16.0),
                "fill s0",
            );
            let mut right = to;
            if let (Some(low), Some(high)) = (drawable(bar.low), drawable(bar.high)) {
                let (low, high) = (x(low), x(high));
                svg.line((low, middle), (high, middle), "whisker");
                for end in [low, high] {
                    svg.line((end, middle - 4.0), (end, middle + 4.0), "whisker");
                }
                right = right.max(high);
            }
            svg.text(
                (right + 6.0, middle + 4.0),
                "value",
                &self.format.text(value, language),
            );
        }
        let zero = place(x(0.0));
        let bottom = place(frame.bottom());
        svg.empty(
            "line",
            &[
                ("x1", &zero),
                ("y1", "6"),
                ("x2", &zero),
                ("y2", &bottom),
                ("class", "axis"),
            ],
        );
        svg.finish()
    }
}
