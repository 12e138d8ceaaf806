//! What a question reads and how.

use std::fmt::Write as _;

use datafusion::physical_plan::displayable;

use crate::Result;
use crate::engine::{Events, ScanStats};
use crate::metric::kind::CumulativeRange;

use super::executor::ScanRequest;
use super::relational;

/// How a question was answered.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The periods, the aggregates of each scan, the metrics that follow actors, and the plans of the engine.
    pub text: String,
    /// The files and bytes that were read.
    pub scan: ScanStats,
}

/// Writes down one scan.
pub(crate) async fn scan(
    events: &Events,
    request: &ScanRequest<'_>,
    over: Option<CumulativeRange>,
) -> Result<String> {
    let mut text = String::new();
    let window = match over {
        None => "the period".to_owned(),
        Some(CumulativeRange::Window(span)) => format!("the {span} until the end of the period"),
        Some(CumulativeRange::ToDate(grain)) => format!("the {grain} until the end of the period"),
        Some(CumulativeRange::AllTime) => "all time until the end of the period".to_owned(),
    };
    // A String takes any text.
    _ = writeln!(
        text,
        "scan over {window}: {} aggregates",
        request.aggregates.len()
    );
    for aggregate in request.aggregates {
        _ = writeln!(text, "  {aggregate}");
    }
    if let Some(filter) = request.filter {
        _ = writeln!(text, "  where {filter}");
    }
    let plan = relational::plan(events, request)?
        .create_physical_plan()
        .await?;
    for line in displayable(&*plan).indent(false).to_string().lines() {
        _ = writeln!(text, "    {line}");
    }
    Ok(text)
}
