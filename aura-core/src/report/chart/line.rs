//! Lines over time.

use super::frame::{COLOURS, Frame, legend, nothing};
use super::model::{Line, LineChart, MarkKind};
use super::scale::{Scale, Zero, drawable};
use super::svg::{Svg, path, place};
use crate::report::language::Language;
use crate::report::period::readable;

/// More points than this are drawn as the least and greatest of neighbours: a line is some 480 units wide.
const MOST_POINTS: usize = 480;
/// Single values are shown as dots up to this many.
const MOST_DOTS: usize = 40;

impl LineChart {
    pub(super) fn draw(&self, id: &str, description: &str, language: Language) -> String {
        let shown = self
            .series
            .get(..COLOURS.min(self.series.len()))
            .unwrap_or_default();
        let frame = Frame::below_legend(shown.len(), 190.0);
        let size = (super::frame::WIDTH, frame.outer_height());
        let mut svg = Svg::new(size, id, "line-chart", &self.title, description);
        let values = shown.iter().flat_map(|line| {
            let all = line.values.iter().chain(&line.low).chain(&line.high);
            all.copied()
        });
        let scale = Scale::of(values.chain([self.target]), Zero::WhenNear, &self.format, 4);
        frame.values(&mut svg, &scale, &self.format, language);
        frame.periods(&mut svg, &self.periods, language);
        legend(&mut svg, shown.iter().map(|line| line.name.as_str()), true);
        if shown
            .iter()
            .all(|line| line.values.iter().all(|v| drawable(*v).is_none()))
        {
            nothing(&mut svg, frame, language);
            return svg.finish();
        }
        if let Some(target) = drawable(self.target) {
            let y = frame.y(&scale, target);
            svg.line((frame.left, y), (frame.right(), y), "target");
        }
        for (number, line) in shown.iter().enumerate() {
            self.band(&mut svg, frame, &scale, number, line);
        }
        for (number, line) in shown.iter().enumerate() {
            self.curve(&mut svg, frame, &scale, number, line, language);
        }
        for line in shown {
            self.marks(&mut svg, frame, &scale, line, language);
        }
        svg.finish()
    }

    fn band(&self, svg: &mut Svg, frame: Frame, scale: &Scale, number: usize, line: &Line) {
        let count = self.periods.len();
        let point = |at: usize, value: Option<f64>| {
            Some((frame.x(at, count), frame.y(scale, drawable(value)?)))
        };
        let ends = line.low.iter().zip(&line.high).enumerate();
        let ends: Vec<Option<_>> = ends
            .map(|(at, (low, high))| Some((point(at, *low)?, point(at, *high)?)))
            .collect();
        let mut text = String::new();
        for run in ends.split(Option::is_none).filter(|run| !run.is_empty()) {
            let upper = run.iter().flatten().map(|(_, high)| Some(*high));
            let lower = run.iter().rev().flatten().map(|(low, _)| Some(*low));
            text += &path(&upper.chain(lower).collect::<Vec<_>>());
            text.push('Z');
        }
        if !text.is_empty() {
            svg.empty(
                "path",
                &[("d", &text), ("class", &format!("band s{number}"))],
            );
        }
    }

    fn curve(
        &self,
        svg: &mut Svg,
        frame: Frame,
        scale: &Scale,
        number: usize,
        line: &Line,
        language: Language,
    ) {
        let count = self.periods.len();
        let points: Vec<Option<(f64, f64)>> = line
            .values
            .iter()
            .enumerate()
            .map(|(at, value)| Some((frame.x(at, count), frame.y(scale, drawable(*value)?))))
            .collect();
        // The stretch that is not over yet begins at the last period that is.
        let open = self.incomplete_from.unwrap_or(count).min(count);
        let whole = points.get(..open).unwrap_or_default();
        let rest = points.get(open.saturating_sub(1)..).unwrap_or_default();
        let class = format!("line s{number}");
        let text = path(&thinned(whole, MOST_POINTS));
        if !text.is_empty() {
            svg.empty("path", &[("d", &text), ("class", &class)]);
        }
        if open < count {
            let text = path(&thinned(rest, MOST_POINTS));
            svg.empty("path", &[("d", &text), ("class", &format!("{class} open"))]);
        }
        // A value between two gaps has no line.
        let few = self.series.len() == 1 && count <= MOST_DOTS;
        for (at, point) in points.iter().enumerate() {
            let Some((x, y)) = point else { continue };
            let missing = |at: Option<usize>| at.and_then(|at| *points.get(at)?).is_none();
            let alone = missing(at.checked_sub(1)) && missing(Some(at + 1));
            if !few && !alone {
                continue;
            }
            let radius = if alone { "3" } else { "2.2" };
            let (x, y, class) = (place(*x), place(*y), format!("dot s{number}"));
            let attributes = [("cx", &*x), ("cy", &*y), ("r", radius), ("class", &*class)];
            let period = self.periods.get(at).map_or("", String::as_str);
            let value = line.values.get(at).copied().flatten();
            let hint = format!(
                "{}: {}",
                readable(period, language),
                self.format.optional(value, language)
            );
            svg.with_hint("circle", &attributes, &hint);
        }
    }

    fn marks(&self, svg: &mut Svg, frame: Frame, scale: &Scale, line: &Line, language: Language) {
        let count = self.periods.len();
        for mark in &line.marks {
            let x = frame.x(mark.at, count);
            let period = self.periods.get(mark.at).map_or("", String::as_str);
            let hint = format!("{}: {}", readable(period, language), mark.text);
            match mark.kind {
                MarkKind::Shift => {
                    let x = place(x - frame.width / count.max(1) as f64 / 2.0);
                    let (y1, y2) = (place(frame.top), place(frame.bottom()));
                    svg.with_hint(
                        "line",
                        &[
                            ("x1", &x),
                            ("y1", &y1),
                            ("x2", &x),
                            ("y2", &y2),
                            ("class", "shift"),
                        ],
                        &hint,
                    );
                }
                MarkKind::Anomaly => {
                    let value = line.values.get(mark.at).copied().flatten();
                    // What is missing is marked on the axis.
                    let y = drawable(value).map_or(frame.bottom(), |v| frame.y(scale, v));
                    let (x, y) = (place(x), place(y));
                    svg.with_hint(
                        "circle",
                        &[("cx", &x), ("cy", &y), ("r", "6"), ("class", "anomaly")],
                        &hint,
                    );
                }
            }
        }
    }
}

/// Keeps the least and greatest of each stretch of neighbours, so that peaks stay.
fn thinned(points: &[Option<(f64, f64)>], most: usize) -> Vec<Option<(f64, f64)>> {
    if points.len() <= most {
        return points.to_vec();
    }
    let stretch = points.len().div_ceil(most / 2);
    let mut kept = Vec::with_capacity(most);
    for neighbours in points.chunks(stretch) {
        let present = || {
            neighbours
                .iter()
                .enumerate()
                .filter_map(|(at, p)| Some((at, (*p)?)))
        };
        let by_height = |a: &(usize, (f64, f64)), b: &(usize, (f64, f64))| a.1.1.total_cmp(&b.1.1);
        match (present().min_by(by_height), present().max_by(by_height)) {
            (Some(low), Some(high)) if low.0 == high.0 => kept.push(Some(low.1)),
            (Some(low), Some(high)) if low.0 < high.0 => kept.extend([Some(low.1), Some(high.1)]),
            (Some(low), Some(high)) => kept.extend([Some(high.1), Some(low.1)]),
            _ => kept.push(None),
        }
    }
    kept
}
