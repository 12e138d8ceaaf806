//! Writing SVG: the same drawing is the same bytes.

use std::fmt::Write;

use crate::report::escape::xml;

/// An SVG document being written.
#[derive(Debug, Default)]
pub(super) struct Svg {
    out: String,
}

/// A length or place, with one digit after the point and no trailing zero.
pub(super) fn place(value: f64) -> String {
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    match text {
        "-0" => "0".to_owned(),
        _ => text.to_owned(),
    }
}

/// An attribute: a name, and a value that is escaped.
pub(super) type Attribute<'a> = (&'a str, &'a str);

impl Svg {
    /// Begins a drawing with its name and description for those who do not see it.
    pub(super) fn new(
        size: (f64, f64),
        id: &str,
        class: &str,
        title: &str,
        description: &str,
    ) -> Svg {
        let mut svg = Svg::default();
        let (width, height) = (place(size.0), place(size.1));
        // Writing into a string does not fail.
        let _ = write!(
            svg.out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"aura-chart {class}\" viewBox=\"0 0 {width} {height}\" \
             role=\"img\" aria-labelledby=\"{id}-t {id}-d\"><title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>",
            xml(title),
            xml(description)
        );
        svg
    }

    /// Adds text that is SVG already.
    pub(super) fn raw(&mut self, text: &str) {
        self.out.push_str(text);
    }

    pub(super) fn open(&mut self, tag: &str, attributes: &[Attribute<'_>]) {
        self.start(tag, attributes);
        self.out.push('>');
    }

    pub(super) fn close(&mut self, tag: &str) {
        let _ = write!(self.out, "</{tag}>");
    }

    /// Adds an element without content.
    pub(super) fn empty(&mut self, tag: &str, attributes: &[Attribute<'_>]) {
        self.start(tag, attributes);
        self.out.push_str("/>");
    }

    /// Adds an element that says what it is when pointed at.
    pub(super) fn with_hint(&mut self, tag: &str, attributes: &[Attribute<'_>], hint: &str) {
        self.open(tag, attributes);
        let _ = write!(self.out, "<title>{}</title>", xml(hint));
        self.close(tag);
    }

    pub(super) fn text(&mut self, at: (f64, f64), class: &str, text: &str) {
        let (x, y) = (place(at.0), place(at.1));
        self.open("text", &[("x", &x), ("y", &y), ("class", class)]);
        self.out.push_str(&xml(text));
        self.close("text");
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(place);
        self.empty(
            "line",
            &[
                ("x1", &x1),
                ("y1", &y1),
                ("x2", &x2),
                ("y2", &y2),
                ("class", class),
            ],
        );
    }

    pub(super) fn rect(&mut self, at: (f64, f64), size: (f64, f64), class: &str) {
        let [x, y, width, height] = [at.0, at.1, size.0.max(0.0), size.1.max(0.0)].map(place);
        self.empty(
            "rect",
            &[
                ("x", &x),
                ("y", &y),
                ("width", &width),
                ("height", &height),
                ("class", class),
            ],
        );
    }

    pub(super) fn finish(mut self) -> String {
        self.out.push_str("</svg>");
        self.out
    }

    fn start(&mut self, tag: &str, attributes: &[Attribute<'_>]) {
        let _ = write!(self.out, "<{tag}");
        for (name, value) in attributes {
            let _ = write!(self.out, " {name}=\"{}\"", xml(value));
        }
    }
}

/// A path through points, which breaks where one is missing.
pub(super) fn path(points: &[Option<(f64, f64)>]) -> String {
    let mut text = String::new();
    let mut down = false;
    for point in points {
        match point {
            Some((x, y)) => {
                let command = if down { "L" } else { "M" };
                let _ = write!(text, "{command}{} {}", place(*x), place(*y));
                down = true;
            }
            None => down = false,
        }
    }
    text
}
