//! Tables of the host, by Arrow's C interfaces.

use std::panic::{AssertUnwindSafe, catch_unwind};

use aura_core::arrow::array::StructArray;
use aura_core::arrow::compute::concat_batches;
use aura_core::arrow::datatypes::{DataType, SchemaRef};
use aura_core::arrow::error::ArrowError;
use aura_core::arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use aura_core::arrow::ffi_stream::{ArrowArrayStreamReader, FFI_ArrowArrayStream};
use aura_core::arrow::record_batch::{RecordBatch, RecordBatchReader};
use aura_core::{Error, Result};

/// A stream that was moved out of the caller's place, which is marked as released.
pub(super) struct Stream(FFI_ArrowArrayStream);

impl Stream {
    /// Takes a stream over.
    ///
    /// # Errors
    /// `InvalidSpec` for NULL.
    pub(super) fn take(pointer: *mut FFI_ArrowArrayStream) -> Result<Stream> {
        if pointer.is_null() {
            return Err(Error::invalid_spec(
                "the argument `stream` is NULL; expected a stream of Arrow",
            ));
        }
        // SAFETY: not NULL, so it points to an ArrowArrayStream, as the header demands. It is moved out.
        Ok(Stream(unsafe { FFI_ArrowArrayStream::from_raw(pointer) }))
    }

    /// Reads the schema.
    ///
    /// # Errors
    /// `InvalidData` for a stream that was released, or that gives no table.
    pub(super) fn reader(self) -> Result<Reader> {
        let Stream(mut stream) = self;
        // SAFETY: the stream is valid or marked as released, which the reader checks; it is moved into the reader.
        let reader = caught(|| unsafe { ArrowArrayStreamReader::from_raw(&raw mut stream) });
        Ok(Reader(reader?))
    }

    /// Reads all batches; there is at least one, which may be empty.
    ///
    /// # Errors
    /// As [`reader`](Stream::reader), and for what the producer says when it fails.
    pub(super) fn batches(self) -> Result<Vec<RecordBatch>> {
        let reader = self.reader()?;
        let schema = reader.schema();
        let mut batches = reader.collect::<Result<Vec<_>, _>>().map_err(unfit)?;
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(schema));
        }
        Ok(batches)
    }

    /// Reads all batches as one.
    ///
    /// # Errors
    /// As [`batches`](Stream::batches).
    pub(super) fn batch(self) -> Result<RecordBatch> {
        let mut batches = self.batches()?;
        match (batches.len(), batches.first().map(RecordBatch::schema)) {
            (1, _) | (_, None) => batches
                .pop()
                .ok_or_else(|| Error::internal("a stream has no batch")),
            (_, Some(schema)) => Ok(concat_batches(&schema, &batches)?),
        }
    }
}

fn unfit(error: ArrowError) -> Error {
    let message = format!("the stream gives no table of columns that can be read: {error}");
    Error::invalid_data(message).with_source(error)
}

/// Turns the panics over tables that their producer described wrongly into errors.
fn caught<T>(read: impl FnOnce() -> Result<T, ArrowError>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(undescribed()))
        .map_err(unfit)
}

fn undescribed() -> ArrowError {
    ArrowError::CDataInterface(
        "the producer failed without saying why, or a batch is not what its schema says".to_owned(),
    )
}

/// A reader of a stream whose panics are errors.
pub(super) struct Reader(ArrowArrayStreamReader);

impl Iterator for Reader {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        catch_unwind(AssertUnwindSafe(|| self.0.next()))
            .unwrap_or_else(|_| Some(Err(undescribed())))
    }
}

impl RecordBatchReader for Reader {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }
}

/// Takes over an array of structs with its schema; both places are marked as released, whatever comes of it.
///
/// # Errors
/// `InvalidSpec` for NULL; `InvalidData` for what was released, and for what is no table.
pub(super) fn array(
    array: *mut FFI_ArrowArray,
    schema: *mut FFI_ArrowSchema,
) -> Result<RecordBatch> {
    // SAFETY: where it is not NULL, it points to an ArrowArray, as the header demands. It is moved out.
    let array = (!array.is_null()).then(|| unsafe { FFI_ArrowArray::from_raw(array) });
    // SAFETY: where it is not NULL, it points to an ArrowSchema, as the header demands. It is moved out.
    let schema = (!schema.is_null()).then(|| unsafe { FFI_ArrowSchema::from_raw(schema) });
    let (Some(array), Some(schema)) = (array, schema) else {
        return Err(Error::invalid_spec(
            "the argument `array` or `schema` is NULL; expected an array of Arrow and its schema",
        ));
    };
    if array.is_released() || schema.release.is_none() {
        return Err(Error::invalid_data(
            "the array or its schema was released already",
        ));
    }
    // SAFETY: neither is released, and by the C data interface they describe each other.
    let data = caught(|| unsafe { from_ffi(array, &schema) })?;
    if !matches!(data.data_type(), DataType::Struct(_)) || data.null_count() > 0 {
        return Err(Error::invalid_data(format!(
            "the array has the type {} and {} nulls; a table is an array of structs without nulls",
            data.data_type(),
            data.null_count()
        )));
    }
    caught(|| Ok(RecordBatch::from(StructArray::from(data))))
}
