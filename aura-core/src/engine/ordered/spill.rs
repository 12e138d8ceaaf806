//! Parts of buckets in a scratch file.

use std::fs::OpenOptions;
use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Decimal128Array, Int64Array, RecordBatch, UInt32Array};
use arrow::datatypes::{Decimal128Type, Field, Int64Type, Schema, UInt32Type};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use datafusion::execution::disk_manager::DiskManager;

use super::Column;
use super::plan::Plan;
use super::scatter::Slice;
use crate::store::files::{Scratch, ScratchRange};
use crate::{Error, Result};

/// Makes a scratch file where the session keeps such files; it vanishes with what is returned.
pub(super) fn scratch(
    disk: &Arc<DiskManager>,
) -> Result<(Scratch, Arc<dyn datafusion::execution::SpillFile>)> {
    let file = disk.create_tmp_file("events by actor")?;
    let path = file
        .path()
        .ok_or_else(|| Error::invalid_spec("the session keeps its scratch files where they cannot be read at random; a local folder is needed"))?;
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map_err(|e| Error::io(format!("opening {}", path.display()), e))?;
    Ok((Scratch::in_file(opened), file))
}

/// Writes slices of one bucket.
pub(super) fn write(scratch: &Scratch, slices: &[Slice]) -> Result<Option<ScratchRange>> {
    let mut writer: Option<StreamWriter<Vec<u8>>> = None;
    for slice in slices.iter().filter(|s| !s.times.is_empty()) {
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(Decimal128Array::new(slice.keys.clone(), None)),
            Arc::new(Int64Array::new(slice.times.clone(), None)),
        ];
        arrays.extend(slice.columns.iter().map(|column| match column {
            Column::Codes { codes, .. } => Arc::new(UInt32Array::new(codes.clone(), None)) as _,
            Column::Values(values) => Arc::clone(values),
        }));
        let fields = arrays
            .iter()
            .map(|a| Field::new("", a.data_type().clone(), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
        let out = match &mut writer {
            Some(writer) => writer,
            None => writer.insert(StreamWriter::try_new(Vec::new(), &schema)?),
        };
        out.write(&batch)?;
    }
    match writer {
        Some(writer) => Ok(Some(scratch.append(writer.into_inner()?)?)),
        None => Ok(None),
    }
}

/// Reads slices back.
pub(super) fn read(
    scratch: &Scratch,
    range: ScratchRange,
    plan: &Plan,
    slices: &mut Vec<Slice>,
) -> Result<()> {
    let lost = || Error::internal("a scratch file does not hold what was written");
    for batch in StreamReader::try_new(Cursor::new(scratch.read(range)?), None)? {
        let batch = batch?;
        let mut arrays = batch.columns().iter();
        let keys = arrays.next().ok_or_else(lost)?;
        let keys = keys.as_primitive_opt::<Decimal128Type>().ok_or_else(lost)?;
        let times = arrays.next().ok_or_else(lost)?;
        let times = times.as_primitive_opt::<Int64Type>().ok_or_else(lost)?;
        let columns = plan.out.iter().zip(arrays).map(|(out, array)| {
            Ok(match &out.texts {
                Some(texts) => Column::Codes {
                    codes: array
                        .as_primitive_opt::<UInt32Type>()
                        .ok_or_else(lost)?
                        .values()
                        .clone(),
                    texts: Arc::clone(texts),
                },
                None => Column::Values(Arc::clone(array)),
            })
        });
        slices.push(Slice {
            columns: columns.collect::<Result<_>>()?,
            keys: keys.values().clone(),
            times: times.values().clone(),
        });
    }
    Ok(())
}
