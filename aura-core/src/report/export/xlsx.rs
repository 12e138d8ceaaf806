//! A workbook of Excel.

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use crate::engine::Table;
use crate::report::rows::{numbers, texts};
use crate::{Error, ErrorKind, Result};

/// What a sheet holds at most, with its head.
const MOST_ROWS: usize = 1_048_576;
const MOST_COLUMNS: usize = 16_384;
/// What a cell holds at most.
const MOST_CHARACTERS: usize = 32_767;
/// Whole numbers beyond this are no longer told apart by Excel, which has floating-point numbers alone.
const GREATEST_WHOLE: f64 = 9_007_199_254_740_991.0;
/// The moments that Excel has dates for: from 1900-03-01, before which its calendar is wrong, to the end of 9999, in seconds of Unix.
const FIRST: i64 = -2_203_891_200;
const LAST: i64 = 253_402_300_799;

/// Writes the table as a workbook with one sheet: a bold head that stays in view, numbers as numbers, moments as dates in UTC. Text is
/// text, also where it looks like a formula. What Excel cannot hold exactly is text as well.
pub(super) fn workbook(table: &Table) -> Result<Vec<u8>> {
    let schema = table.schema();
    let (rows, columns) = (table.num_rows() + 1, schema.fields().len());
    if rows > MOST_ROWS || columns > MOST_COLUMNS {
        return Err(Error::new(
            ErrorKind::ResourceExhausted,
            format!(
                "the table has {rows} rows with its head and {columns} columns; a sheet of Excel holds {MOST_ROWS} and {MOST_COLUMNS}: limit the question, or export Parquet or CSV"
            ),
        ));
    }
    let mut workbook = Workbook::new();
    // The library would ask the clock.
    let epoch = ExcelDateTime::from_ymd(2000, 1, 1).map_err(wrong)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&epoch));
    let bold = Format::new().set_bold();
    let sheet = workbook.add_worksheet();
    for (at, field) in schema.fields().iter().enumerate() {
        sheet
            .write_string_with_format(0, at as u16, cut(field.name()), &bold)
            .map_err(wrong)?;
    }
    sheet.set_freeze_panes(1, 0).map_err(wrong)?;
    let mut first = 1;
    for batch in table.batches() {
        for (at, column) in batch.columns().iter().enumerate() {
            write(sheet, first, at as u16, column)?;
        }
        first += batch.num_rows() as u32;
    }
    workbook.save_to_buffer().map_err(wrong)
}

fn write(
    sheet: &mut Worksheet,
    first: u32,
    at: u16,
    column: &arrow::array::ArrayRef,
) -> Result<()> {
    let written = texts(column)?;
    let rows = (first..).zip(written);
    match column.data_type() {
        DataType::Boolean => {
            for (row, text) in rows {
                if let Some(text) = text {
                    sheet
                        .write_boolean(row, at, text == "true")
                        .map_err(wrong)?;
                }
            }
        }
        DataType::Timestamp(..) => {
            let date = Format::new().set_num_format("yyyy-mm-dd hh:mm:ss");
            let seconds = DataType::Timestamp(TimeUnit::Second, None);
            let seconds = arrow::compute::cast(column, &seconds)?;
            let seconds = arrow::compute::cast(&seconds, &DataType::Int64)?;
            let seconds = seconds.as_primitive::<Int64Type>();
            for ((row, text), second) in rows.zip(seconds.iter()) {
                match (text, second) {
                    (_, Some(second)) if (FIRST..=LAST).contains(&second) => {
                        let moment = ExcelDateTime::from_timestamp(second).map_err(wrong)?;
                        sheet
                            .write_datetime_with_format(row, at, &moment, &date)
                            .map_err(wrong)?;
                    }
                    (Some(text), _) => {
                        sheet.write_string(row, at, text).map_err(wrong)?;
                    }
                    _ => {}
                }
            }
        }
        data_type if data_type.is_numeric() => {
            let exact = !data_type.is_integer();
            for ((row, text), number) in rows.zip(numbers(column)?) {
                match (text, number) {
                    (_, Some(number))
                        if number.is_finite() && (exact || number.abs() <= GREATEST_WHOLE) =>
                    {
                        sheet.write_number(row, at, number).map_err(wrong)?;
                    }
                    (Some(text), _) => {
                        sheet.write_string(row, at, text).map_err(wrong)?;
                    }
                    _ => {}
                }
            }
        }
        _ => {
            for (row, text) in rows {
                if let Some(text) = text {
                    sheet.write_string(row, at, cut(&text)).map_err(wrong)?;
                }
            }
        }
    }
    Ok(())
}

/// Cuts what a cell cannot hold. Excel counts units of UTF-16.
fn cut(text: &str) -> String {
    if text.encode_utf16().count() <= MOST_CHARACTERS {
        return text.to_owned();
    }
    let mut units = 0;
    let fits = |c: &char| {
        units += c.len_utf16();
        units < MOST_CHARACTERS
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

fn wrong(error: XlsxError) -> Error {
    Error::internal(format!("the workbook cannot be written: {error}")).with_source(error)
}
