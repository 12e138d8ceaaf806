//! Batches of a source to what kernels and buckets take: filtered, times converted, text coded.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray, new_null_array};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow::compute::{cast, filter};
use arrow::datatypes::{DataType, TimestampMicrosecondType};

use super::Column;
use super::code::Coder;
use super::filter::Known;
use super::plan::{Plan, Slot};
use crate::event::time_type;
use crate::ingest::times::to_micros;
use crate::{Error, Result};

/// Rows that passed.
#[derive(Debug)]
pub(super) struct Staged {
    pub(super) rows: usize,
    /// As the source has them, without nulls.
    pub(super) actors: Option<ArrayRef>,
    pub(super) times: Option<ScalarBuffer<i64>>,
    /// The columns of [`Plan::out`].
    pub(super) columns: Vec<Column>,
}

/// Prepares the batches of one thread.
pub(super) struct Stage<'a> {
    plan: &'a Plan,
    /// One for each of [`Plan::out`] that is text.
    coders: Vec<Option<Coder>>,
    known: Known,
}

impl<'a> Stage<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        let coder = |texts| Coder::new(Arc::clone(texts));
        Stage {
            plan,
            coders: plan
                .out
                .iter()
                .map(|o| o.texts.as_ref().map(coder))
                .collect(),
            known: Known::default(),
        }
    }

    /// Prepares one batch, given an array for each of [`Plan::read`], or none where the source lacks
    /// the column. Returns `None` if no row passes.
    pub(super) fn stage(
        &mut self,
        read: &[Option<ArrayRef>],
        rows: usize,
    ) -> Result<Option<Staged>> {
        let plan = self.plan;
        let time = match plan.time {
            Some(place) => Some(self.times(read.get(place).and_then(Option::as_ref), rows)?),
            None => None,
        };
        let mut keep = self.present(read, time.as_ref(), rows);
        let conditions = plan.filter.passing(rows, &mut self.known, |slot| {
            Ok(match slot {
                Slot::Read(place) => match read.get(*place).and_then(Option::as_ref) {
                    Some(array) => Arc::clone(array),
                    None => new_null_array(&DataType::Null, rows),
                },
                Slot::Constant(text) => Arc::new(StringArray::from(vec![text.as_str(); rows])),
                Slot::Time => match &time {
                    Some(time) => Arc::clone(time),
                    None => new_null_array(&time_type(), rows),
                },
            })
        })?;
        if let Some(conditions) = conditions {
            let conditions = conditions.values();
            keep = Some(keep.map_or_else(|| conditions.clone(), |keep| &keep & conditions));
        }
        let keep = keep
            .filter(|keep| keep.count_set_bits() < rows)
            .map(BooleanArray::from);
        let kept = keep.as_ref().map_or(rows, BooleanArray::true_count);
        if kept == 0 {
            return Ok(None);
        }
        let cut = |array: &ArrayRef| -> Result<ArrayRef> {
            Ok(match &keep {
                Some(keep) => filter(array, keep)?,
                None => Arc::clone(array),
            })
        };
        let time = time.as_ref().map(&cut).transpose()?;
        let mut columns = Vec::with_capacity(plan.out.len());
        for (out, coder) in plan.out.iter().zip(&mut self.coders) {
            let array = match &out.slot {
                Slot::Constant(text) => {
                    let coder = coder
                        .as_mut()
                        .ok_or_else(|| Error::internal("a constant column is not text"))?;
                    columns.push(Column::Codes {
                        codes: coder.constant(text, kept)?,
                        texts: Arc::clone(coder.texts()),
                    });
                    continue;
                }
                Slot::Time => time.clone(),
                Slot::Read(place) => match read.get(*place).and_then(Option::as_ref) {
                    Some(array) => Some(cut(array)?),
                    None => None,
                },
            };
            columns.push(match (coder, array) {
                (Some(coder), Some(array)) => Column::Codes {
                    codes: coder.codes(&array)?,
                    texts: Arc::clone(coder.texts()),
                },
                (Some(coder), None) => Column::Codes {
                    codes: vec![0; kept].into(),
                    texts: Arc::clone(coder.texts()),
                },
                (None, Some(array)) if array.data_type() == &out.ty => Column::Values(array),
                (None, Some(array)) => Column::Values(cast(&array, &out.ty)?),
                (None, None) => Column::Values(new_null_array(&out.ty, kept)),
            });
        }
        let actors = match plan.actor.and_then(|place| read.get(place)?.as_ref()) {
            Some(actors) => Some(cut(actors)?),
            None => None,
        };
        let times = time.map(|time| values_of(&time)).transpose()?;
        Ok(Some(Staged {
            rows: kept,
            actors,
            times,
            columns,
        }))
    }

    fn times(&self, array: Option<&ArrayRef>, rows: usize) -> Result<ArrayRef> {
        let Some(array) = array else {
            return Ok(new_null_array(&time_type(), rows));
        };
        let shape = &self.plan.shape;
        let times = to_micros(shape.time(), array, shape.zone.as_ref(), shape.unit)?;
        if let Some((_, message)) = times.bad.first() {
            return Err(Error::invalid_data(format!(
                "time column `{}`: {message}",
                shape.time()
            )));
        }
        Ok(Arc::new(times.values))
    }

    /// Returns which rows have what every row needs and lie in the asked time, or `None` if all do.
    fn present(
        &self,
        read: &[Option<ArrayRef>],
        time: Option<&ArrayRef>,
        rows: usize,
    ) -> Option<BooleanBuffer> {
        let plan = self.plan;
        let mut keep: Option<BooleanBuffer> = None;
        let mut narrow = |more: &BooleanBuffer| {
            keep = Some(match keep.take() {
                Some(keep) => &keep & more,
                None => more.clone(),
            });
        };
        if let Some(place) = plan.actor {
            match read.get(place).and_then(Option::as_ref) {
                Some(actors) => {
                    if let Some(nulls) = actors.logical_nulls().filter(|n| n.null_count() > 0) {
                        plan.actorless.store(true, Ordering::Relaxed);
                        narrow(nulls.inner());
                    }
                }
                None => {
                    plan.actorless.store(true, Ordering::Relaxed);
                    narrow(&BooleanBuffer::new_unset(rows));
                }
            }
        }
        if let Some(time) = time {
            if let Some(nulls) = time.nulls().filter(|n: &&NullBuffer| n.null_count() > 0) {
                narrow(nulls.inner());
            }
            if (plan.from > i64::MIN || plan.to < i64::MAX)
                && let Some(times) = time.as_primitive_opt::<TimestampMicrosecondType>()
            {
                let times = times.values();
                // Statistics left only what lies within, more often than not.
                if !times.iter().all(|&t| t >= plan.from && t < plan.to) {
                    narrow(&BooleanBuffer::collect_bool(rows, |row| {
                        times
                            .get(row)
                            .is_some_and(|&t| t >= plan.from && t < plan.to)
                    }));
                }
            }
        }
        keep
    }
}

fn values_of(times: &ArrayRef) -> Result<ScalarBuffer<i64>> {
    times
        .as_primitive_opt::<TimestampMicrosecondType>()
        .map(|t| t.values().clone())
        .ok_or_else(|| Error::internal("the times of a batch are not in microseconds"))
}
