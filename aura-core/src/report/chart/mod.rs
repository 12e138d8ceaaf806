//! Charts: values, drawn as SVG, described for Vega-Lite, and as a table.

mod bar;
mod describe;
mod distribution;
mod frame;
mod funnel;
mod grid;
mod heat;
mod line;
mod model;
mod scale;
mod sparkline;
mod stacked;
mod svg;
mod vega;

pub use grid::{Grid, GridColumn};
pub use model::{
    Bar, BarChart, Bin, Chart, Distribution, FunnelChart, FunnelStep, HeatCell, HeatMap, HeatRow,
    Line, LineChart, Mark, MarkKind, Part, Sparkline, StackedChart, ValueMark,
};

pub(crate) use frame::COLOURS;
pub(crate) use heat::SHADES;

use super::language::Language;
use super::theme::Theme;
use crate::Result;

impl Chart {
    /// Draws the chart as a document of SVG that stands alone, with the colours of the default [`Theme`] for light and dark
    /// surroundings.
    ///
    /// The same chart is the same bytes. Text is escaped. `role="img"`, a title and a description are in it for those who do
    /// not see it; [`grid`](Chart::grid) has the numbers. More than eight lines or parts are not drawn, nor more than 24 rows
    /// and 13 columns of a heat map: the description says so.
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) for values of another number than periods, a mark at no period, a row with
    /// more cells than columns, and a range of a distribution that ends before it begins.
    ///
    /// # Examples
    /// ```
    /// use aura_core::report::Language;
    /// use aura_core::report::chart::{Chart, Line, LineChart};
    ///
    /// let chart = Chart::Line(LineChart {
    ///     title: "Sign-ups <week>".to_owned(),
    ///     periods: vec!["2026-01-05".to_owned(), "2026-01-12".to_owned()],
    ///     series: vec![Line { values: vec![Some(3.0), Some(5.0)], ..Line::default() }],
    ///     ..LineChart::default()
    /// });
    /// let svg = chart.to_svg(Language::English)?;
    /// assert!(svg.starts_with("<svg xmlns="));
    /// assert!(svg.contains("Sign-ups &lt;week&gt;"));
    /// # Ok::<(), aura_core::Error>(())
    /// ```
    pub fn to_svg(&self, language: Language) -> Result<String> {
        self.styled(&Theme::default().chart_style(), language)
    }

    /// Draws the chart as a document that has its style.
    pub(crate) fn styled(&self, style: &str, language: Language) -> Result<String> {
        let svg = self.drawn("chart", language)?;
        // The first `>` ends the opening tag: attributes are escaped.
        let at = svg.find('>').map_or(svg.len(), |at| at + 1);
        let (head, rest) = svg.split_at_checked(at).unwrap_or((&svg, ""));
        Ok(format!("{head}<style>{style}</style>{rest}"))
    }

    /// Draws the chart for a page that has its style; `id` is unique on the page.
    pub(crate) fn drawn(&self, id: &str, language: Language) -> Result<String> {
        self.check()?;
        let description = self.describe(language);
        Ok(match self {
            Chart::Line(chart) => chart.draw(id, &description, language),
            Chart::Bar(chart) => chart.draw(id, &description, language),
            Chart::Stacked(chart) => chart.draw(id, &description, language),
            Chart::Funnel(chart) => chart.draw(id, &description, language),
            Chart::Heat(chart) => chart.draw(id, &description, language),
            Chart::Distribution(chart) => chart.draw(id, &description, language),
            Chart::Sparkline(chart) => chart.draw(id, &description),
        })
    }
}
