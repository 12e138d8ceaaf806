//! What the catalog is told about a Parquet file.

/// Column of a file that DuckDB merged from several snapshots: the one in which a row was inserted,
/// or, in a file of deletions, deleted.
pub(crate) const SNAPSHOT_COLUMN: &str = "_ducklake_internal_snapshot_id";
/// Field id of [`SNAPSHOT_COLUMN`] in data files. No column of a table has it.
pub(crate) const SNAPSHOT_COLUMN_ID: i64 = 2_147_483_539;

/// A Parquet file that is complete and durable, and not yet in the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrittenFile {
    /// Path relative to the data directory, with `/` between its parts.
    pub path: String,
    /// Rows in the file.
    pub record_count: u64,
    /// Length of the file.
    pub file_size_bytes: u64,
    /// Length of the Parquet footer (the Thrift metadata without its length and the magic).
    pub footer_size: u64,
    /// One for each column of the file, in its order.
    pub columns: Vec<ColumnStats>,
    /// Values of the partition keys, in the order of the keys; empty without partitioning.
    pub partition_values: Vec<String>,
}

/// Statistics of one column of one file, in the form of DuckLake's `ducklake_file_column_stats`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnStats {
    /// DuckLake column id (the Parquet field id).
    pub column_id: i64,
    /// Compressed bytes of the column.
    pub size_bytes: u64,
    /// Rows that are not null.
    pub value_count: u64,
    /// Rows that are null.
    pub null_count: u64,
    /// Smallest value as text; `None` without values or when it is not known exactly.
    pub min: Option<String>,
    /// Largest value as text; `None` without values or when it is not known exactly.
    pub max: Option<String>,
    /// Whether a NaN is among the values; `None` for columns that are not floats.
    pub contains_nan: Option<bool>,
}
