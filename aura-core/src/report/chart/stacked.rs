//! Parts of a whole over time.

use super::frame::{COLOURS, Frame, WIDTH, legend, nothing};
use super::model::StackedChart;
use super::scale::{Scale, Zero, drawable};
use super::svg::Svg;
use crate::report::language::Language;

impl StackedChart {
    pub(super) fn draw(&self, id: &str, description: &str, language: Language) -> String {
        let shown = self
            .series
            .get(..COLOURS.min(self.series.len()))
            .unwrap_or_default();
        let frame = Frame::below_legend(shown.len(), 190.0);
        let mut svg = Svg::new(
            (WIDTH, frame.outer_height()),
            id,
            "stacked-chart",
            &self.title,
            description,
        );
        let count = self.periods.len();
        let value = |part: usize, at: usize| {
            let part = shown.get(part)?;
            drawable(part.values.get(at).copied().flatten())
        };
        let ends = (0..count).flat_map(|at| {
            let values = (0..shown.len()).filter_map(move |part| value(part, at));
            let (mut above, mut below) = (0.0, 0.0);
            for value in values {
                match value > 0.0 {
                    true => above += value,
                    false => below += value,
                }
            }
            [Some(above), Some(below)]
        });
        let scale = Scale::of(ends, Zero::Always, &self.format, 4);
        frame.values(&mut svg, &scale, &self.format, language);
        frame.periods(&mut svg, &self.periods, language);
        legend(&mut svg, shown.iter().map(|part| part.name.as_str()), false);
        let any = (0..count).any(|at| (0..shown.len()).any(|part| value(part, at).is_some()));
        if !any {
            nothing(&mut svg, frame, language);
            return svg.finish();
        }
        let each = frame.width / count.max(1) as f64;
        let width = (each * 0.8).clamp(0.5, 48.0);
        let open = self.incomplete_from.unwrap_or(count);
        for at in 0..count {
            let (mut above, mut below) = (0.0, 0.0);
            for part in 0..shown.len() {
                let Some(value) = value(part, at).filter(|v| *v != 0.0) else {
                    continue;
                };
                let base = if value > 0.0 { &mut above } else { &mut below };
                let (from, to) = (frame.y(&scale, *base), frame.y(&scale, *base + value));
                *base += value;
                let class = match at >= open {
                    true => format!("fill s{part} open"),
                    false => format!("fill s{part}"),
                };
                let x = frame.x(at, count) - width / 2.0;
                svg.rect((x, from.min(to)), (width, (from - to).abs()), &class);
            }
        }
        svg.finish()
    }
}
