//! Events straight from files, without a store.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow::datatypes::Schema;
use bytes::Bytes;
use datafusion::datasource::MemTable;
use datafusion::execution::object_store::ObjectStoreUrl;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};

use super::files_table::{FilesTable, ScanFile, query_schema};
use super::{EngineSettings, Events};
use crate::event::Roles;
use crate::ingest::footer::check_footer;
use crate::ingest::open::{open, parse};
use crate::ingest::pages::check_pages;
use crate::ingest::plan_of::plan;
use crate::ingest::source::Input;
use crate::ingest::source::files;
use crate::ingest::{IngestOptions, Limits, parallel};
use crate::{Error, ErrorKind, Result};

impl Events {
    /// Reads a file, or all files that match a glob.
    ///
    /// Parquet files are read when a query needs them, and only the columns that it needs. Other formats
    /// (CSV, NDJSON, JSON arrays, Arrow IPC; gzip and zstd by content) are read into memory now, in
    /// canonical form; what is larger than `settings.memory_limit` belongs into a store.
    ///
    /// # Errors
    /// `NotFound` when no file matches; `InvalidSpec` when a role has no column; `InvalidData` when a
    /// file cannot be read, when Parquet and other files are mixed, or at the first row that cannot be
    /// accepted (a store would quarantine it); `ResourceExhausted` beyond the memory limit.
    pub async fn from_files(
        pattern: &str,
        roles: &Roles,
        settings: &EngineSettings,
    ) -> Result<Events> {
        let (pattern, roles, settings) = (pattern.to_owned(), roles.clone(), settings.clone());
        on_own_thread(move || read(&pattern, &roles, &settings)).await
    }

    /// Reads the content of a file that is in memory already: CSV, NDJSON, a JSON array, Parquet or Arrow IPC, plain or
    /// compressed. `name` is used in messages.
    ///
    /// # Errors
    /// As [`from_files`](Self::from_files), except `NotFound`.
    ///
    /// # Examples
    /// ```
    /// use aura_core::engine::{EngineSettings, Events};
    /// use aura_core::event::Roles;
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let rows = r#"[{"actor": "a", "event": "view", "time": "2026-01-01T00:00:00Z"}]"#;
    /// let events = Events::from_bytes("rows", rows, &Roles::default(), &EngineSettings::default()).await?;
    /// assert_eq!(events.sql("SELECT * FROM events").await?.num_rows(), 1);
    /// # Ok::<(), aura_core::Error>(()) }).unwrap();
    /// ```
    pub async fn from_bytes(
        name: &str,
        bytes: impl Into<Bytes>,
        roles: &Roles,
        settings: &EngineSettings,
    ) -> Result<Events> {
        let input = Input::Bytes {
            name: name.into(),
            bytes: bytes.into(),
        };
        let (roles, settings) = (roles.clone(), settings.clone());
        on_own_thread(move || in_memory(vec![input], &roles, &settings)).await
    }
}

/// Reads on a thread of its own, so that the caller's executor goes on.
async fn on_own_thread(read: impl FnOnce() -> Result<Events> + Send + 'static) -> Result<Events> {
    let (reply, answer) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("aura-read".to_owned())
        .spawn(move || {
            let _ = reply.send(parallel::caught(read));
        })
        .map_err(|e| Error::io("cannot start a thread", e))?;
    answer
        .await
        .map_err(|_| Error::internal("a reading thread ended without an answer"))?
}

fn read(pattern: &str, roles: &Roles, settings: &EngineSettings) -> Result<Events> {
    let paths = files(Path::new(pattern))?;
    let mut tables = Vec::new();
    let mut texts = Vec::new();
    for path in paths {
        if !path.is_file() {
            return Err(Error::invalid_data(format!(
                "`{}` is no regular file, and can be read only once; ingest it into a store",
                path.display()
            )));
        }
        let mut head = [0u8; 4];
        let read = File::open(&path)
            .and_then(|mut f| f.read(&mut head))
            .map_err(|e| Error::io(format!("cannot read `{}`", path.display()), e))?;
        if head.get(..read) == Some(b"PAR1") {
            tables.push(path);
        } else {
            texts.push(path);
        }
    }
    match (tables.first(), texts.first()) {
        (Some(table), Some(text)) => Err(Error::invalid_data(format!(
            "`{pattern}` matches Parquet (`{}`) and other files (`{}`); read them apart, or ingest both into a store",
            table.display(),
            text.display()
        ))),
        (Some(_), None) => parquet_files(&tables, roles, settings),
        _ => {
            let inputs = texts.iter().map(|path| input(path));
            in_memory(inputs.collect::<Result<_>>()?, roles, settings)
        }
    }
}

fn parquet_files(paths: &[PathBuf], roles: &Roles, settings: &EngineSettings) -> Result<Events> {
    let mut schemas = Vec::new();
    let mut scans = Vec::new();
    for path in paths {
        let shown = path.display();
        let cannot = |e| Error::io(format!("cannot read `{shown}`"), e);
        let path = std::fs::canonicalize(path).map_err(cannot)?;
        let file = Arc::new(File::open(&path).map_err(cannot)?);
        let size_bytes = file.metadata().map_err(cannot)?.len();
        parallel::caught(|| check_footer(&shown.to_string(), &*file))?;
        let metadata = parallel::caught(|| {
            ArrowReaderMetadata::load(&*file, ArrowReaderOptions::new()).map_err(Error::from)
        })
        .map_err(|e| Error::invalid_data(format!("`{shown}` cannot be read as Parquet: {e}")))?;
        parallel::caught(|| {
            let (name, limits) = (shown.to_string(), Limits::default());
            check_pages(&name, &file, metadata.metadata(), &limits).map(|_| ())
        })?;
        schemas.push(Schema::new(metadata.schema().fields().clone()));
        scans.push(ScanFile {
            path: object_store::path::Path::from_absolute_path(&path).map_err(|e| {
                Error::invalid_data(format!("the path `{shown}` cannot be used: {e}"))
            })?,
            size_bytes,
            rows: u64::try_from(metadata.metadata().file_metadata().num_rows()).unwrap_or(0),
            time_range: None,
            deleted: Vec::new(),
        });
    }
    let merged = Schema::try_merge(schemas).map_err(|e| {
        Error::invalid_data(format!(
            "the files do not have columns of the same types: {e}"
        ))
    })?;
    let url = ObjectStoreUrl::local_filesystem();
    let table = FilesTable::new(query_schema(&merged), "", url, scans, Vec::new());
    Events::from_provider(Arc::new(table), roles, settings)
}

/// Reads inputs into memory.
fn in_memory(inputs: Vec<Input>, roles: &Roles, settings: &EngineSettings) -> Result<Events> {
    let options = IngestOptions::with_roles(roles.clone());
    let mut batches = Vec::new();
    let mut bytes = 0;
    let mut known = Vec::new();
    for input in inputs {
        let opened = open(input, &options, &Arc::new(AtomicU64::new(0)))?;
        let (plan, _) = plan(&options, &opened.available, &known)
            .map_err(|e| Error::new(e.kind(), format!("{}: {}", opened.name, e.message())))?;
        for property in &plan.properties {
            if !known.iter().any(|(name, _)| *name == property.name) {
                known.push((property.name.clone(), property.ty));
            }
        }
        let name = Arc::clone(&opened.name);
        parallel::ordered(
            2,
            opened.pieces,
            |piece| parse(piece, &plan, None, &name, &options.limits, None),
            |checked| {
                if let Some(reject) = checked.rejects.first() {
                    return Err(Error::invalid_data(format!(
                        "{}, row {}: {}; a store would put such rows into quarantine",
                        reject.source, reject.row, reject.message
                    )));
                }
                bytes += checked.batch.get_array_memory_size();
                if bytes > settings.memory_limit {
                    return Err(Error::new(
                        ErrorKind::ResourceExhausted,
                        format!(
                            "{name} and the files before it take more than the memory limit of {} bytes; ingest them into a store",
                            settings.memory_limit
                        ),
                    ));
                }
                batches.push(checked.batch);
                Ok(())
            },
        )?;
    }
    let schema = Arc::new(
        Schema::try_merge(batches.iter().map(|b| b.schema().as_ref().clone()))
            .map_err(|e| Error::invalid_data(e.to_string()))?,
    );
    if schema.fields().is_empty() {
        return Err(Error::invalid_data(
            "the files have no rows, so there is nothing to ask",
        ));
    }
    let batches = batches
        .iter()
        .map(|batch| {
            let columns = schema
                .fields()
                .iter()
                .map(|f| match batch.column_by_name(f.name()) {
                    Some(column) => Arc::clone(column),
                    None => arrow::array::new_null_array(f.data_type(), batch.num_rows()),
                });
            Ok(arrow::record_batch::RecordBatch::try_new(
                Arc::clone(&schema),
                columns.collect(),
            )?)
        })
        .collect::<Result<Vec<_>>>()?;
    let table = MemTable::try_new(schema, vec![batches])?;
    Events::from_provider(Arc::new(table), &Roles::default(), settings)
}

fn input(path: &Path) -> Result<Input> {
    let size = std::fs::metadata(path)
        .map_err(|e| Error::io(format!("cannot read `{}`", path.display()), e))?
        .len();
    Ok(Input::File {
        name: path.to_string_lossy().into(),
        path: path.to_owned(),
        bytes: Some(size),
    })
}
