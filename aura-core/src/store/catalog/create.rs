//! A new catalog, and whether an existing one can be used.

use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::VERSION;
use super::value::timestamp_text;
use crate::{Error, ErrorKind, Result};

/// The tables of DuckLake 1.0 as DuckDB 1.5.5 creates them in SQLite, and two indexes of AURA:
/// DuckLake has none, and erasure looks statistics up by file.
const TABLES: &str = r#"
CREATE TABLE ducklake_metadata("key" VARCHAR NOT NULL, "value" VARCHAR NOT NULL, "scope" VARCHAR, scope_id BIGINT);
CREATE TABLE ducklake_snapshot(snapshot_id BIGINT PRIMARY KEY, snapshot_time VARCHAR, schema_version BIGINT, next_catalog_id BIGINT, next_file_id BIGINT);
CREATE TABLE ducklake_snapshot_changes(snapshot_id BIGINT PRIMARY KEY, changes_made VARCHAR, author VARCHAR, commit_message VARCHAR, commit_extra_info VARCHAR);
CREATE TABLE ducklake_schema(schema_id BIGINT PRIMARY KEY, schema_uuid VARCHAR, begin_snapshot BIGINT, end_snapshot BIGINT, schema_name VARCHAR, path VARCHAR, path_is_relative BIGINT);
CREATE TABLE ducklake_table(table_id BIGINT, table_uuid VARCHAR, begin_snapshot BIGINT, end_snapshot BIGINT, schema_id BIGINT, table_name VARCHAR, path VARCHAR, path_is_relative BIGINT);
CREATE TABLE ducklake_view(view_id BIGINT, view_uuid VARCHAR, begin_snapshot BIGINT, end_snapshot BIGINT, schema_id BIGINT, view_name VARCHAR, dialect VARCHAR, "sql" VARCHAR, column_aliases VARCHAR);
CREATE TABLE ducklake_tag(object_id BIGINT, begin_snapshot BIGINT, end_snapshot BIGINT, "key" VARCHAR, "value" VARCHAR);
CREATE TABLE ducklake_column_tag(table_id BIGINT, column_id BIGINT, begin_snapshot BIGINT, end_snapshot BIGINT, "key" VARCHAR, "value" VARCHAR);
CREATE TABLE ducklake_data_file(data_file_id BIGINT PRIMARY KEY, table_id BIGINT, begin_snapshot BIGINT, end_snapshot BIGINT, file_order BIGINT, path VARCHAR, path_is_relative BIGINT, file_format VARCHAR, record_count BIGINT, file_size_bytes BIGINT, footer_size BIGINT, row_id_start BIGINT, partition_id BIGINT, encryption_key VARCHAR, mapping_id BIGINT, partial_max BIGINT);
CREATE TABLE ducklake_file_column_stats(data_file_id BIGINT, table_id BIGINT, column_id BIGINT, column_size_bytes BIGINT, value_count BIGINT, null_count BIGINT, min_value VARCHAR, max_value VARCHAR, contains_nan BIGINT, extra_stats VARCHAR);
CREATE TABLE ducklake_file_variant_stats(data_file_id BIGINT, table_id BIGINT, column_id BIGINT, variant_path VARCHAR, shredded_type VARCHAR, column_size_bytes BIGINT, value_count BIGINT, null_count BIGINT, min_value VARCHAR, max_value VARCHAR, contains_nan BIGINT, extra_stats VARCHAR);
CREATE TABLE ducklake_delete_file(delete_file_id BIGINT PRIMARY KEY, table_id BIGINT, begin_snapshot BIGINT, end_snapshot BIGINT, data_file_id BIGINT, path VARCHAR, path_is_relative BIGINT, format VARCHAR, delete_count BIGINT, file_size_bytes BIGINT, footer_size BIGINT, encryption_key VARCHAR, partial_max BIGINT);
CREATE TABLE ducklake_column(column_id BIGINT, begin_snapshot BIGINT, end_snapshot BIGINT, table_id BIGINT, column_order BIGINT, column_name VARCHAR, column_type VARCHAR, initial_default VARCHAR, default_value VARCHAR, nulls_allowed BIGINT, parent_column BIGINT, default_value_type VARCHAR, default_value_dialect VARCHAR);
CREATE TABLE ducklake_table_stats(table_id BIGINT, record_count BIGINT, next_row_id BIGINT, file_size_bytes BIGINT);
CREATE TABLE ducklake_table_column_stats(table_id BIGINT, column_id BIGINT, contains_null BIGINT, contains_nan BIGINT, min_value VARCHAR, max_value VARCHAR, extra_stats VARCHAR);
CREATE TABLE ducklake_partition_info(partition_id BIGINT, table_id BIGINT, begin_snapshot BIGINT, end_snapshot BIGINT);
CREATE TABLE ducklake_partition_column(partition_id BIGINT, table_id BIGINT, partition_key_index BIGINT, column_id BIGINT, "transform" VARCHAR);
CREATE TABLE ducklake_file_partition_value(data_file_id BIGINT, table_id BIGINT, partition_key_index BIGINT, partition_value VARCHAR);
CREATE TABLE ducklake_files_scheduled_for_deletion(data_file_id BIGINT, path VARCHAR, path_is_relative BIGINT, schedule_start VARCHAR);
CREATE TABLE ducklake_inlined_data_tables(table_id BIGINT, table_name VARCHAR, schema_version BIGINT);
CREATE TABLE ducklake_column_mapping(mapping_id BIGINT, table_id BIGINT, "type" VARCHAR);
CREATE TABLE ducklake_name_mapping(mapping_id BIGINT, column_id BIGINT, source_name VARCHAR, target_field_id BIGINT, parent_column BIGINT, is_partition BIGINT);
CREATE TABLE ducklake_schema_versions(begin_snapshot BIGINT, schema_version BIGINT, table_id BIGINT);
CREATE TABLE ducklake_macro(schema_id BIGINT, macro_id BIGINT, macro_name VARCHAR, begin_snapshot BIGINT, end_snapshot BIGINT);
CREATE TABLE ducklake_macro_impl(macro_id BIGINT, impl_id BIGINT, dialect VARCHAR, "sql" VARCHAR, "type" VARCHAR);
CREATE TABLE ducklake_macro_parameters(macro_id BIGINT, impl_id BIGINT, column_id BIGINT, parameter_name VARCHAR, parameter_type VARCHAR, default_value VARCHAR, default_value_type VARCHAR);
CREATE TABLE ducklake_sort_info(sort_id BIGINT, table_id BIGINT, begin_snapshot BIGINT, end_snapshot BIGINT);
CREATE TABLE ducklake_sort_expression(sort_id BIGINT, table_id BIGINT, sort_key_index BIGINT, expression VARCHAR, dialect VARCHAR, sort_direction VARCHAR, null_order VARCHAR);
CREATE INDEX aura_ducklake_file_column_stats ON ducklake_file_column_stats(data_file_id);
CREATE INDEX aura_ducklake_file_partition_value ON ducklake_file_partition_value(data_file_id);
"#;

/// Creates the tables and snapshot 0, which has one schema, `main`.
///
/// `data_path` is the directory that all other paths are below, absolute: DuckDB resolves a
/// relative one against its own working directory ([`super::maintain::fix_data_path`] sets it again
/// after a move). `schema_path` is the directory of `main` below it: `main/` in catalogs that
/// DuckDB makes, or empty.
///
/// # Errors
/// `Internal` if the database already has one of the tables.
pub(crate) fn create(
    tx: &Connection,
    now_us: i64,
    data_path: &str,
    schema_path: &str,
    new_uuid: &mut dyn FnMut() -> Uuid,
) -> Result<()> {
    tx.execute_batch(TABLES)?;
    tx.execute(
        "INSERT INTO ducklake_snapshot VALUES (0, ?1, 0, 1, 0)",
        [timestamp_text(now_us)],
    )?;
    tx.execute(
        r#"INSERT INTO ducklake_snapshot_changes VALUES (0, 'created_schema:"main"', NULL, NULL, NULL)"#,
        [],
    )?;
    tx.execute(
        "INSERT INTO ducklake_metadata VALUES ('version', ?1, NULL, NULL), \
         ('created_by', ?2, NULL, NULL), ('data_path', ?3, NULL, NULL), \
         ('encrypted', 'false', NULL, NULL)",
        params![
            VERSION,
            concat!("AURA ", env!("CARGO_PKG_VERSION")),
            super::maintain::directory(data_path)
        ],
    )?;
    tx.execute(
        "INSERT INTO ducklake_schema VALUES (0, ?1, 0, NULL, 'main', ?2, 1)",
        params![new_uuid().to_string(), schema_path],
    )?;
    Ok(())
}

/// Checks that the catalog is of the version and kind that this library reads and writes.
///
/// # Errors
/// `Conflict` for another version, or if its files are encrypted.
pub(crate) fn check_version(conn: &Connection) -> Result<()> {
    let found = metadata(conn, "version")?.unwrap_or_default();
    if found != VERSION {
        let what_to_do = if is_newer(&found) {
            "upgrade AURA"
        } else {
            "migrate it by attaching it once with DuckDB 1.5 and `AUTOMATIC_MIGRATION true`"
        };
        return Err(Error::new(
            ErrorKind::Conflict,
            format!(
                "the DuckLake catalog has version `{found}`, and this version of AURA works with \
                 `{VERSION}`: {what_to_do}"
            ),
        ));
    }
    if metadata(conn, "encrypted")?.as_deref() == Some("true") {
        return Err(Error::new(
            ErrorKind::Conflict,
            "the DuckLake catalog is encrypted, and AURA works with catalogs that are not: \
             copy the table to a catalog without `ENCRYPTED`",
        ));
    }
    Ok(())
}

/// A development version (`1.1-dev1`) counts as newer than the release before it.
fn is_newer(found: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        text.split(['.', '-'])
            .map_while(|n| n.parse().ok())
            .collect()
    };
    numbers(found) > numbers(VERSION)
}

/// Returns a global setting of the catalog.
pub(crate) fn metadata(conn: &Connection, key: &str) -> Result<Option<String>> {
    Ok(conn
        .query_row(
            "SELECT \"value\" FROM ducklake_metadata WHERE \"key\" = ?1 AND \"scope\" IS NULL",
            [key],
            |row| row.get(0),
        )
        .optional()?)
}
