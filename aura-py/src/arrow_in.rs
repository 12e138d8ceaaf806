//! Tables of the host: any object that has the methods of Arrow's PyCapsule interface.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use aura_core::arrow::array::StructArray;
use aura_core::arrow::datatypes::SchemaRef;
use aura_core::arrow::error::ArrowError;
use aura_core::arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use aura_core::arrow::ffi_stream::{ArrowArrayStreamReader, FFI_ArrowArrayStream};
use aura_core::arrow::record_batch::{RecordBatch, RecordBatchIterator, RecordBatchReader};
use aura_core::{Error, Result};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};

use crate::error::{OrRaise, raised};

pub(crate) type Reader = Box<dyn RecordBatchReader + Send>;

/// Takes over the table that an object gives, without copying it.
///
/// # Errors
/// `TypeError` for an object without the methods; `InvalidDataError` for one that gives no table; what the methods
/// raise.
pub(crate) fn reader(value: &Bound<'_, PyAny>) -> PyResult<Reader> {
    if value.hasattr("__arrow_c_stream__")? {
        return stream(&value.call_method0("__arrow_c_stream__")?);
    }
    if value.hasattr("__arrow_c_array__")? {
        return array(&value.call_method0("__arrow_c_array__")?);
    }
    Err(PyTypeError::new_err(format!(
        "an object of the type `{}` is no table: it has neither __arrow_c_stream__ nor __arrow_c_array__",
        value.get_type().name()?
    )))
}

fn unfit(error: &ArrowError) -> Error {
    Error::invalid_data(format!(
        "the object gives no table of columns that can be read: {error}"
    ))
}

/// Reads a capsule with a stream. The stream is moved out of it.
fn stream(capsule: &Bound<'_, PyAny>) -> PyResult<Reader> {
    let pointer = capsule
        .cast::<PyCapsule>()?
        .pointer_checked(Some(c"arrow_array_stream"))?
        .cast::<FFI_ArrowArrayStream>();
    #[allow(unsafe_code, reason = "the C stream interface hands over a pointer")]
    // SAFETY: by the PyCapsule interface a capsule of this name holds a valid ArrowArrayStream. It is moved out, and what
    // stays behind is marked as released, so that the destructor of the capsule leaves it alone.
    let reader = unsafe { ArrowArrayStreamReader::from_raw(pointer.as_ptr()) };
    let reader = reader.map_err(|e| unfit(&e)).or_raise(capsule.py())?;
    Ok(Box::new(Guarded(reader)))
}

/// Reads a pair of capsules, with a schema and an array.
fn array(pair: &Bound<'_, PyAny>) -> PyResult<Reader> {
    let py = pair.py();
    let pair = pair.cast::<PyTuple>()?;
    let schema = pair.get_item(0)?;
    let schema = schema
        .cast::<PyCapsule>()?
        .pointer_checked(Some(c"arrow_schema"))?
        .cast::<FFI_ArrowSchema>();
    let array = pair.get_item(1)?;
    let array = array
        .cast::<PyCapsule>()?
        .pointer_checked(Some(c"arrow_array"))?
        .cast::<FFI_ArrowArray>();
    #[allow(unsafe_code, reason = "the C data interface hands over pointers")]
    // SAFETY: by the PyCapsule interface capsules of these names hold a valid ArrowSchema and ArrowArray that belong
    // together. The array is moved out, and what stays behind is marked as released.
    let data = unsafe {
        let array = FFI_ArrowArray::from_raw(array.as_ptr());
        from_ffi(array, schema.as_ref())
    };
    let data = data.map_err(|e| unfit(&e)).or_raise(py)?;
    if !matches!(
        data.data_type(),
        aura_core::arrow::datatypes::DataType::Struct(_)
    ) || data.null_count() > 0
    {
        let error = Error::invalid_data(format!(
            "the object gives an array of the type {} with {} nulls; a table is an array of structs without nulls",
            data.data_type(),
            data.null_count()
        ));
        return Err(raised(py, &error));
    }
    let batch = RecordBatch::from(StructArray::from(data));
    let schema = batch.schema();
    Ok(Box::new(RecordBatchIterator::new([Ok(batch)], schema)))
}

/// Turns the panics of a reader, over tables that its producer described wrongly, into errors.
struct Guarded(ArrowArrayStreamReader);

impl Iterator for Guarded {
    type Item = std::result::Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        catch_unwind(AssertUnwindSafe(|| self.0.next())).unwrap_or_else(|_| {
            Some(Err(ArrowError::CDataInterface(
                "the producer failed without saying why, or a batch is not what its schema says"
                    .to_owned(),
            )))
        })
    }
}

impl RecordBatchReader for Guarded {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }
}

/// Reads all batches; there is at least one, which may be empty. The producer may compute them now, so the GIL is free
/// meanwhile.
pub(crate) fn batches(value: &Bound<'_, PyAny>) -> PyResult<Vec<RecordBatch>> {
    let reader = reader(value)?;
    let py = value.py();
    let read = py.detach(move || -> PyResult<Result<Vec<RecordBatch>>> {
        let schema = reader.schema();
        let mut batches = Vec::new();
        let mut listened = Instant::now();
        for batch in reader {
            match batch {
                Ok(batch) => batches.push(batch),
                Err(e) => return Ok(Err(unfit(&e))),
            }
            if listened.elapsed() >= Duration::from_millis(50) {
                Python::attach(|py| py.check_signals())?;
                listened = Instant::now();
            }
        }
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(schema));
        }
        Ok(Ok(batches))
    });
    read?.or_raise(py)
}
