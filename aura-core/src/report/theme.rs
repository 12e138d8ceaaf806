//! Colours and fonts of reports.

use std::fmt::Write;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::chart::{COLOURS, SHADES};
use crate::{Error, Result};

#[cfg(test)]
mod tests;

/// How reports look: colours for light and dark surroundings, a font, and CSS of one's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Theme {
    /// The colours on a light ground, and of print.
    pub light: Palette,
    /// The colours on a dark ground.
    pub dark: Palette,
    /// The names of fonts as in CSS; letters, digits, spaces, commas, hyphens and quotation marks.
    pub font: String,
    /// CSS that comes after that of AURA; at most 64 KiB.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub css: String,
}

/// The colours for one ground, each as `#rrggbb`.
///
/// Text is readable (WCAG 2.2, AA) when `ink` and `soft` have a contrast of at least 4.5 to `ground` and `panel`, and
/// `series` one of at least 3 to `ground`; the default palettes do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Palette {
    /// Behind everything.
    pub ground: String,
    /// Behind what is set apart.
    pub panel: String,
    /// Text.
    pub ink: String,
    /// Text that matters less.
    pub soft: String,
    /// Lines that divide.
    pub rule: String,
    /// Links.
    pub link: String,
    /// What went well.
    pub good: String,
    /// What did not, and what stands out in charts.
    pub bad: String,
    /// The lines and parts of charts, eight of them.
    pub series: [String; COLOURS],
}

impl Palette {
    fn of(plain: [&str; 8], series: [&str; COLOURS]) -> Palette {
        let [ground, panel, ink, soft, rule, link, good, bad] = plain.map(str::to_owned);
        Palette {
            ground,
            panel,
            ink,
            soft,
            rule,
            link,
            good,
            bad,
            series: series.map(str::to_owned),
        }
    }

    fn colours(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let plain = [
            ("ground", &self.ground),
            ("panel", &self.panel),
            ("ink", &self.ink),
            ("soft", &self.soft),
            ("rule", &self.rule),
            ("link", &self.link),
            ("good", &self.good),
            ("bad", &self.bad),
        ];
        let series = self.series.iter().map(|colour| ("series", colour));
        plain
            .into_iter()
            .chain(series)
            .map(|(name, c)| (name, c.as_str()))
    }
}

impl Default for Theme {
    fn default() -> Self {
        Theme {
            light: Palette::of(
                [
                    "#ffffff", "#f4f6f8", "#1b1f24", "#545d68", "#d5dbe1", "#1a5fb4", "#1a7037", "#b42318",
                ],
                [
                    "#2463a9", "#b25400", "#0f766e", "#9d2467", "#6b3fc0", "#4d7414", "#a32a2a", "#596579",
                ],
            ),
            dark: Palette::of(
                [
                    "#14171c", "#1d2229", "#e8ebef", "#a4adb8", "#343b45", "#7fb2f5", "#6fce8b", "#ff8f80",
                ],
                [
                    "#6aa6f0", "#f0a050", "#45c2b4", "#ee86b7", "#b39af5", "#9ccc55", "#f58585", "#a7b4c6",
                ],
            ),
            font: "system-ui, -apple-system, \"Segoe UI\", Roboto, \"Noto Sans\", \"DejaVu Sans\", sans-serif".to_owned(),
            css: String::new(),
        }
    }
}

/// The style of charts.
const CHART_CSS: &str = include_str!("templates/chart.css");

impl Theme {
    /// Checks that colours are colours, and that nothing ends the style sheet.
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) naming the part that is not what it should be.
    pub fn check(&self) -> Result<()> {
        for (ground, palette) in [("light", &self.light), ("dark", &self.dark)] {
            for (name, colour) in palette.colours() {
                if rgb(colour).is_none() {
                    return Err(Error::invalid_spec(format!(
                        "theme: {ground}.{name} is \"{}\"; write a colour as #rrggbb",
                        crate::document::shortened(colour)
                    )));
                }
            }
        }
        let plain = |c: char| c.is_alphanumeric() || " ,-_\"'".contains(c);
        if self.font.is_empty() || !self.font.chars().all(plain) {
            return Err(Error::invalid_spec(format!(
                "theme: font is \"{}\"; write names of fonts with letters, digits, spaces, commas, hyphens and quotation marks",
                crate::document::shortened(&self.font)
            )));
        }
        if self.css.len() > 64 << 10 {
            return Err(Error::invalid_spec(format!(
                "theme: css has {} bytes; at most 65536 are taken",
                self.css.len()
            )));
        }
        if self.css.to_ascii_lowercase().contains("</style") || self.css.contains("<!--") {
            return Err(Error::invalid_spec(
                "theme: css has `</style` or `<!--`, with which a style sheet would end; leave it out",
            ));
        }
        Ok(())
    }

    /// The colours as variables, and the style of charts.
    pub(crate) fn chart_style(&self) -> String {
        let light = variables(&self.light);
        let dark = variables(&self.dark);
        format!(
            ":root{{color-scheme:light dark;--font:{};{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}{CHART_CSS}",
            self.font
        )
    }
}

#[cfg(feature = "pdf")]
impl Theme {
    /// The light colours by name.
    pub(crate) fn light_colours(&self) -> serde_json::Map<String, serde_json::Value> {
        let colours = self.light.colours().filter(|(name, _)| *name != "series");
        colours
            .map(|(name, colour)| (name.to_owned(), colour.into()))
            .collect()
    }

    /// The style of charts in their light colours, for readers of SVG that know no variables, no queries and no `:not`.
    pub(crate) fn print_style(&self) -> String {
        let mut style: String = CHART_CSS
            .lines()
            .filter(|line| !line.starts_with('@'))
            .map(|line| line.replace("rect.open:not(.fill)", "rect.open"))
            .collect();
        for variable in variables(&self.light).split(';') {
            if let Some((name, value)) = variable.split_once(':') {
                style = style.replace(&format!("var({name})"), value);
            }
        }
        style.replace("font-family:var(--font);", "")
    }
}

/// The style of pages.
const PAGE_CSS: &str = include_str!("templates/page.css");

impl Theme {
    /// The style of a page with charts.
    pub(crate) fn page_style(&self) -> String {
        format!("{}{PAGE_CSS}{}", self.chart_style(), self.css)
    }
}

/// Writes the colours of a palette as variables of CSS.
fn variables(palette: &Palette) -> String {
    let mut text = String::new();
    let mut put = |name: &str, value: &str| {
        // Writing into a string does not fail.
        let _ = write!(text, "--{name}:{value};");
    };
    for (name, colour) in palette.colours().filter(|(name, _)| *name != "series") {
        put(name, colour);
    }
    for (at, colour) in palette.series.iter().enumerate() {
        put(&format!("s{at}"), colour);
    }
    let of = |colour: &str| rgb(colour).unwrap_or_default();
    let (ground, full) = (of(&palette.ground), of(&palette.series[0]));
    for at in 0..SHADES {
        let shade = mixed(ground, full, 0.06 + 0.94 * at as f64 / (SHADES - 1) as f64);
        put(&format!("h{at}"), &hex(shade));
        // Whichever of black and white can be read on it.
        let text = if contrast(shade, [0; 3]) >= contrast(shade, [255; 3]) {
            "#000000"
        } else {
            "#ffffff"
        };
        put(&format!("t{at}"), text);
    }
    text
}

/// Reads `#rrggbb`.
fn rgb(colour: &str) -> Option<[u8; 3]> {
    let digits = colour.strip_prefix('#')?;
    if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let number = u32::from_str_radix(digits, 16).ok()?;
    let [_, red, green, blue] = number.to_be_bytes();
    Some([red, green, blue])
}

fn hex(colour: [u8; 3]) -> String {
    let [red, green, blue] = colour;
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn mixed(from: [u8; 3], to: [u8; 3], share: f64) -> [u8; 3] {
    let mut out = [0; 3];
    for (place, (a, b)) in out.iter_mut().zip(from.iter().zip(to)) {
        *place = (f64::from(*a) + (f64::from(b) - f64::from(*a)) * share).round() as u8;
    }
    out
}

/// The contrast of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio").
fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
    let luminance = |colour: [u8; 3]| {
        let linear = colour.map(|channel| {
            let c = f64::from(channel) / 255.0;
            match c <= 0.04045 {
                true => c / 12.92,
                false => ((c + 0.055) / 1.055).powf(2.4),
            }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}
