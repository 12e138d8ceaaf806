//! What a question reads and how.

use std::fmt::Write as _;

use datafusion::physical_plan::displayable;

use crate::Result;
use crate::engine::{Events, ScanStats};
use crate::expr::Aggregate;
use crate::metric::kind::CumulativeRange;

use super::executor::ScanRequest;
use super::ordered::Ordered;
use super::relational;

/// How a question was answered.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The periods, the aggregates of each scan, the metrics that follow actors, and the plans of the engine.
    pub text: String,
    /// The files and bytes that were read.
    pub scan: ScanStats,
}

/// Writes down what a pass over the events computes of a request; `None` if nothing.
pub(crate) fn pass(
    ordered: &Ordered,
    number: usize,
    request: &ScanRequest<'_>,
    over: Option<CumulativeRange>,
) -> Option<String> {
    let taken: Vec<&Aggregate> = request
        .aggregates
        .iter()
        .enumerate()
        .filter(|(aggregate, _)| ordered.takes(number, *aggregate))
        .map(|(_, aggregate)| aggregate)
        .collect();
    if taken.is_empty() {
        return None;
    }
    let mut text = head(&taken, request, over);
    // A String takes any text.
    _ = writeln!(text, "    {}", ordered.way());
    Some(text)
}

/// Writes down what a pass has read.
pub(crate) fn read(stats: ScanStats) -> String {
    format!(
        "the pass read {} of {} files, {} bytes",
        stats.files_read, stats.files_total, stats.bytes_read
    )
}

/// Writes down one scan by a plan of the engine.
pub(crate) async fn scan(
    events: &Events,
    request: &ScanRequest<'_>,
    over: Option<CumulativeRange>,
) -> Result<String> {
    let aggregates: Vec<&Aggregate> = request.aggregates.iter().collect();
    let mut text = head(&aggregates, request, over);
    let plan = relational::plan(events, request)?
        .create_physical_plan()
        .await?;
    for line in displayable(&*plan).indent(false).to_string().lines() {
        _ = writeln!(text, "    {line}");
    }
    Ok(text)
}

fn head(
    aggregates: &[&Aggregate],
    request: &ScanRequest<'_>,
    over: Option<CumulativeRange>,
) -> String {
    let mut text = String::new();
    let window = match over {
        None => "the period".to_owned(),
        Some(CumulativeRange::Window(span)) => format!("the {span} until the end of the period"),
        Some(CumulativeRange::ToDate(grain)) => format!("the {grain} until the end of the period"),
        Some(CumulativeRange::AllTime) => "all time until the end of the period".to_owned(),
    };
    _ = writeln!(text, "scan over {window}: {} aggregates", aggregates.len());
    for aggregate in aggregates {
        _ = writeln!(text, "  {aggregate}");
    }
    if let Some(filter) = request.filter {
        _ = writeln!(text, "  where {filter}");
    }
    text
}
