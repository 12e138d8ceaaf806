//! A small line beside a number.

use super::frame::Frame;
use super::model::Sparkline;
use super::scale::{Scale, Zero, drawable};
use super::svg::{Svg, path, place};

impl Sparkline {
    pub(super) fn draw(&self, id: &str, description: &str) -> String {
        let frame = Frame {
            left: 3.0,
            top: 4.0,
            width: 114.0,
            height: 24.0,
        };
        let mut svg = Svg::new((120.0, 32.0), id, "sparkline", &self.title, description);
        let scale = Scale::of(self.values.iter().copied(), Zero::Never, &self.format, 2);
        let count = self.values.len();
        let points: Vec<Option<(f64, f64)>> = self
            .values
            .iter()
            .enumerate()
            .map(|(at, value)| Some((frame.x(at, count), frame.y(&scale, drawable(*value)?))))
            .collect();
        let text = path(&points);
        if !text.is_empty() {
            svg.empty("path", &[("d", &text), ("class", "line s0")]);
        }
        if let Some((x, y)) = points.iter().rev().find_map(|point| *point) {
            let (x, y) = (place(x), place(y));
            svg.empty(
                "circle",
                &[("cx", &x), ("cy", &y), ("r", "2.6"), ("class", "dot s0")],
            );
        }
        svg.finish()
    }
}
