//! The time that events cover.

use super::ordered::{CancelOnDrop, apart};
use super::{Events, ScanStats};
use crate::Result;
use crate::ingest::CancelToken;

/// Finds the times of the first and the last event; `None` without events.
///
/// # Errors
/// Those of a scan.
pub(crate) async fn extent(events: &Events) -> Result<(Option<(i64, i64)>, ScanStats)> {
    let source = events.scan_source();
    let token = CancelToken::new();
    let _cancel = CancelOnDrop(token.clone());
    let scanned = apart(move || source.extent(&token)).await?;
    Ok((scanned.state, scanned.stats))
}
