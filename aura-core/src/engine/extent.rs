//! The time that events cover.

use datafusion::functions_aggregate::expr_fn::{max, min};
use datafusion::prelude::ident;
use datafusion::scalar::ScalarValue;

use super::{Events, ScanStats};
use crate::event::TIME;
use crate::{Error, Result};

/// Finds the times of the first and the last event; `None` without events.
pub(crate) async fn extent(events: &Events) -> Result<(Option<(i64, i64)>, ScanStats)> {
    let time = ident(TIME);
    let frame = events.frame()?.aggregate(
        Vec::new(),
        vec![min(time.clone()).alias("first"), max(time).alias("last")],
    )?;
    let table = events.collect(frame).await?;
    let batch = table.to_batch()?;
    let value = |i: usize| -> Result<Option<i64>> {
        match ScalarValue::try_from_array(batch.column(i), 0)? {
            ScalarValue::TimestampMicrosecond(us, _) => Ok(us),
            other => Err(Error::internal(format!(
                "a time of the type {}",
                other.data_type()
            ))),
        }
    };
    Ok((value(0)?.zip(value(1)?), table.scan()))
}
