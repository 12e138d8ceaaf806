//! A DataFusion table over a list of Parquet files and batches in memory.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, BooleanArray, TimestampMicrosecondArray, UInt64Array};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{Column, DFSchema, Result as DfResult, ScalarValue, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};

/// One Parquet file of a [`FilesTable`].
#[derive(Debug, Clone)]
pub(crate) struct ScanFile {
    /// Path in the object store.
    pub(crate) path: object_store::path::Path,
    pub(crate) size_bytes: u64,
    pub(crate) rows: u64,
    /// Smallest and largest value of the column `time`, where known.
    pub(crate) time_range: Option<(i64, i64)>,
    /// Positions of deleted rows, ascending and without repetition.
    pub(crate) deleted: Vec<u64>,
}

/// Counts over all scans of one store.
#[derive(Debug, Default)]
pub(crate) struct ScanCounters {
    files_total: AtomicU64,
    files_read: AtomicU64,
}

impl ScanCounters {
    pub(crate) fn add(&self, total: u64, read: u64) {
        self.files_total.fetch_add(total, Ordering::Relaxed);
        self.files_read.fetch_add(read, Ordering::Relaxed);
    }

    pub(crate) fn files(&self) -> (u64, u64) {
        (
            self.files_total.load(Ordering::Relaxed),
            self.files_read.load(Ordering::Relaxed),
        )
    }
}

/// Rows of Parquet files and of batches, with one schema. Columns are matched by name; a column
/// that a file lacks is null there.
#[derive(Debug)]
pub(crate) struct FilesTable {
    schema: SchemaRef,
    time: String,
    store: ObjectStoreUrl,
    files: Vec<ScanFile>,
    batches: Vec<RecordBatch>,
    counters: Arc<ScanCounters>,
}

impl FilesTable {
    /// Makes a table of files (all in `store`) and of batches, which have `schema`. `time` names the
    /// column that `ScanFile::time_range` speaks of.
    pub(crate) fn new(
        schema: SchemaRef,
        time: impl Into<String>,
        store: ObjectStoreUrl,
        files: Vec<ScanFile>,
        batches: Vec<RecordBatch>,
    ) -> Self {
        FilesTable {
            schema,
            time: time.into(),
            store,
            files,
            batches,
            counters: Arc::default(),
        }
    }

    pub(crate) fn counters(&self) -> Arc<ScanCounters> {
        Arc::clone(&self.counters)
    }

    pub(crate) fn store(&self) -> &ObjectStoreUrl {
        &self.store
    }

    pub(crate) fn files(&self) -> &[ScanFile] {
        &self.files
    }

    /// Returns the files that may have rows from `from` until before `to`.
    pub(crate) fn in_time(&self, from: i64, to: i64) -> impl Iterator<Item = &ScanFile> {
        self.files.iter().filter(move |file| {
            file.time_range
                .is_none_or(|(min, max)| max >= from && min < to)
        })
    }

    pub(crate) fn batches(&self) -> &[RecordBatch] {
        &self.batches
    }

    /// Leaves out the files whose statistics show that no row passes the filters.
    fn selected(&self, state: &dyn Session, filters: &[Expr]) -> DfResult<Vec<&ScanFile>> {
        let all = || self.files.iter().collect();
        let Some(filter) = conjunction(filters.iter().cloned()) else {
            return Ok(all());
        };
        let schema = DFSchema::try_from(Arc::clone(&self.schema))?;
        let filter = state.create_physical_expr(filter, &schema)?;
        let Ok(pruning) = PruningPredicateBuilder::new()
            .with_file_schema(Arc::clone(&self.schema))
            .try_build(filter)
        else {
            return Ok(all()); // a filter that statistics say nothing about
        };
        let keep = pruning.prune(&TimeStatistics {
            time: &self.time,
            files: &self.files,
        })?;
        Ok(self
            .files
            .iter()
            .zip(keep)
            .filter(|(_, keep)| *keep)
            .map(|(f, _)| f)
            .collect())
    }

    fn partitioned(&self, file: &ScanFile) -> PartitionedFile {
        let mut part = PartitionedFile::new(file.path.to_string(), file.size_bytes);
        // `new` would encode the path a second time.
        part.object_meta.location = file.path.clone();
        if file.deleted.is_empty() {
            let mut statistics = Statistics::new_unknown(&self.schema);
            statistics.num_rows = Precision::Exact(file.rows as usize);
            part.with_statistics(Arc::new(statistics))
        } else {
            let selection =
                datafusion::datasource::physical_plan::parquet::ParquetRowSelection::from(without(
                    &file.deleted,
                    file.rows,
                ));
            part.with_extension(selection)
        }
    }
}

/// Selects the rows of a file that are not deleted.
pub(super) fn without(deleted: &[u64], rows: u64) -> RowSelection {
    let mut selectors = Vec::with_capacity(deleted.len() * 2 + 1);
    let mut next = 0;
    for &row in deleted.iter().filter(|r| **r < rows) {
        if row > next {
            selectors.push(RowSelector::select((row - next) as usize));
        }
        selectors.push(RowSelector::skip(1));
        next = row + 1;
    }
    if next < rows {
        selectors.push(RowSelector::select((rows - next) as usize));
    }
    RowSelection::from(selectors)
}

#[async_trait]
impl TableProvider for FilesTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> DfResult<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let files = self.selected(state, filters)?;
        self.counters
            .add(self.files.len() as u64, files.len() as u64);

        let mut plans: Vec<Arc<dyn ExecutionPlan>> = Vec::new();
        if !files.is_empty() {
            let mut source = ParquetSource::new(Arc::clone(&self.schema))
                .with_table_parquet_options(datafusion::common::config::TableParquetOptions {
                    global: state.config_options().execution.parquet.clone(),
                    ..Default::default()
                });
            if let Some(filter) = conjunction(filters.iter().cloned()) {
                let schema = DFSchema::try_from(Arc::clone(&self.schema))?;
                source = source.with_predicate(state.create_physical_expr(filter, &schema)?);
            }
            // Deal the files out by size, so that every partition has about as much to read.
            let width = state.config().target_partitions().max(1).min(files.len());
            let mut groups: Vec<(u64, Vec<PartitionedFile>)> = vec![(0, Vec::new()); width];
            for file in files {
                if let Some(lightest) = groups.iter_mut().min_by_key(|g| g.0) {
                    lightest.0 += file.size_bytes;
                    lightest.1.push(self.partitioned(file));
                }
            }
            let config = FileScanConfigBuilder::new(self.store.clone(), Arc::new(source))
                .with_file_groups(
                    groups
                        .into_iter()
                        .map(|(_, files)| FileGroup::new(files))
                        .collect(),
                )
                .with_projection_indices(projection.cloned())?
                .with_limit(limit)
                .build();
            plans.push(DataSourceExec::from_data_source(config));
        }
        if !self.batches.is_empty() {
            let width = state
                .config()
                .target_partitions()
                .max(1)
                .min(self.batches.len());
            let mut parts = vec![Vec::new(); width];
            for (at, batch) in self.batches.iter().enumerate() {
                parts[at % width].push(batch.clone());
            }
            plans.push(MemorySourceConfig::try_new_exec(
                &parts,
                self.schema(),
                projection.cloned(),
            )?);
        }
        match plans.len() {
            0 => {
                let schema = match projection {
                    Some(columns) => Arc::new(self.schema.project(columns)?),
                    None => self.schema(),
                };
                Ok(Arc::new(EmptyExec::new(schema)))
            }
            1 => Ok(plans.remove(0)),
            _ => UnionExec::try_new(plans),
        }
    }
}

/// The time ranges of the files, in the form that pruning asks for.
struct TimeStatistics<'a> {
    time: &'a str,
    files: &'a [ScanFile],
}

impl TimeStatistics<'_> {
    fn bound(&self, column: &Column, pick: impl Fn((i64, i64)) -> i64) -> Option<ArrayRef> {
        (column.name == self.time).then(|| {
            let values: TimestampMicrosecondArray =
                self.files.iter().map(|f| f.time_range.map(&pick)).collect();
            Arc::new(values.with_timezone("UTC")) as ArrayRef
        })
    }
}

impl PruningStatistics for TimeStatistics<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bound(column, |(min, _)| min)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bound(column, |(_, max)| max)
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, _: &Column) -> Option<ArrayRef> {
        None
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        Some(Arc::new(
            self.files
                .iter()
                .map(|f| Some(f.rows))
                .collect::<UInt64Array>(),
        ))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

/// The schema that queries see: text columns as views, which the engine compares fastest, and all
/// columns nullable, since another program may have written nulls.
pub(crate) fn query_schema(schema: &arrow::datatypes::Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|f| {
        let ty = match f.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
            other => other.clone(),
        };
        arrow::datatypes::Field::new(f.name(), ty, true)
    });
    Arc::new(arrow::datatypes::Schema::new(fields.collect::<Vec<_>>()))
}
