//! Steps of a funnel.

use super::frame::{Frame, WIDTH, clipped, nothing};
use super::model::FunnelChart;
use super::scale::drawable;
use super::svg::Svg;
use crate::report::language::Language;
use crate::report::number::{ValueFormat, whole};

const LINE: f64 = 46.0;
const NAME: usize = 34;

impl FunnelChart {
    pub(super) fn draw(&self, id: &str, description: &str, language: Language) -> String {
        let height = self.steps.len().max(1) as f64 * LINE;
        let frame = Frame {
            left: 12.0,
            top: 4.0,
            width: WIDTH - 24.0,
            height,
        };
        let mut svg = Svg::new(
            (WIDTH, height + 8.0),
            id,
            "funnel-chart",
            &self.title,
            description,
        );
        let first = self.steps.iter().map(|step| step.count).max().unwrap_or(0);
        if self.steps.is_empty() {
            nothing(&mut svg, frame, language);
        }
        for (at, step) in self.steps.iter().enumerate() {
            let top = frame.top + at as f64 * LINE;
            let name = format!("{}. {}", at + 1, clipped(&step.name, NAME));
            svg.text((frame.left, top + 14.0), "name", &name);
            let mut text = whole(step.count, language);
            if let Some(share) = drawable(step.share) {
                text += &format!(" · {}", ValueFormat::percent().text(share, language));
            }
            svg.text((frame.left + frame.width, top + 14.0), "end value", &text);
            let width = match first {
                0 => 0.0,
                first => frame.width * (step.count as f64 / first as f64),
            };
            svg.rect((frame.left, top + 20.0), (frame.width, 16.0), "trough");
            svg.rect((frame.left, top + 20.0), (width, 16.0), "fill s0");
            // Shares are of the first step, and its bar has the whole width unless later steps have more.
            let of_first = self.steps.first().map_or(0, |step| step.count);
            if let (Some(low), Some(high)) = (drawable(step.low), drawable(step.high))
                && at > 0
                && first > 0
            {
                let x = |share: f64| {
                    let of_all = share * of_first as f64 / first as f64;
                    frame.left + frame.width * of_all.clamp(0.0, 1.0)
                };
                svg.line((x(low), top + 28.0), (x(high), top + 28.0), "whisker");
                for end in [x(low), x(high)] {
                    svg.line((end, top + 24.0), (end, top + 32.0), "whisker");
                }
            }
        }
        svg.finish()
    }
}
