//! Opening and closing a store, and its upkeep thread.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use uuid::Uuid;

use super::catalog::commit::Commit;
use super::catalog::table::{NewColumn, NewTable, PartitionKey, SortKey, create_table};
use super::catalog::{create, maintain as upkeep, read, snapshot};
use super::db::{self, DbPath};
use super::directory::{DB, LOCK, Lock, has_db, prepare, refuse_files, refuse_foreign};
use super::files::FileStore;
use super::ids::{IdHasher, IdIndex, IdIndexOptions};
use super::sql_error::sql_error as sql;
use super::writer::{self, WriterHandle, wait};
use super::{Shared, StoreSettings, flush, maintain, quarantine, rows};
use crate::event::{ACTOR, EVENT, EVENT_ID, EXTRA, PropertyType, TIME};
use crate::time::{Clock, SystemClock};
use crate::{Error, ErrorKind, Result};

/// Bytes of memory for the index of rejected rows; beyond it the index goes to disk.
const REJECT_ID_BYTES: usize = 16 << 20;

/// The durable home of events. Clones share one open store; the last one closes it.
#[derive(Clone)]
pub struct Store {
    pub(super) shared: Arc<Shared>,
    pub(super) threads: Arc<Threads>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("dir", &self.shared.dir)
            .finish_non_exhaustive()
    }
}

/// The working parts and settings of a store before it is opened.
#[derive(Clone)]
pub struct StoreBuilder {
    dir: Option<PathBuf>,
    create: bool,
    settings: StoreSettings,
    clock: Arc<dyn Clock>,
    new_uuid: Arc<dyn Fn() -> Uuid + Send + Sync>,
}

impl Store {
    /// Opens the store in the directory `dir`, and makes it if there is none.
    ///
    /// # Errors
    /// `Conflict` when a newer AURA wrote it; `InvalidData` when the directory holds something else
    /// (files below `events/` or `quarantine/` without an `aura.db` are left as they are) or is
    /// damaged; `Denied` without the right to write; `ResourceExhausted` on a full disk.
    pub async fn open(dir: impl AsRef<Path>) -> Result<Store> {
        Store::builder(dir).open().await
    }

    /// Opens the store in the directory `dir`, which must be there: a mistyped path makes no new one.
    ///
    /// # Errors
    /// `NotFound` when there is no store; otherwise as [`open`](Self::open).
    pub async fn open_existing(dir: impl AsRef<Path>) -> Result<Store> {
        Store::builder(dir).create(false).open().await
    }

    /// Makes a store in memory, which is gone with its last clone. It keeps itself up as one in a
    /// directory does, with the settings [`StoreSettings::in_memory`].
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn in_memory() -> Result<Store> {
        Store::memory_builder().open().await
    }

    /// Prepares to open the store in `dir` with settings and parts of one's own.
    pub fn builder(dir: impl AsRef<Path>) -> StoreBuilder {
        StoreBuilder {
            dir: Some(dir.as_ref().to_owned()),
            settings: StoreSettings::default(),
            ..Store::memory_builder()
        }
    }

    /// Prepares to make a store in memory with settings and parts of one's own. It begins with
    /// [`StoreSettings::in_memory`].
    pub fn memory_builder() -> StoreBuilder {
        StoreBuilder {
            dir: None,
            create: true,
            settings: StoreSettings::in_memory(),
            clock: Arc::new(SystemClock),
            new_uuid: Arc::new(random_uuid),
        }
    }

    /// Returns the settings that the store was opened with.
    pub fn settings(&self) -> &StoreSettings {
        &self.shared.settings
    }

    /// The file of the database, which has room for the tables of others; `None` in memory.
    pub(crate) fn database(&self) -> Option<PathBuf> {
        self.shared.dir.as_ref().map(|dir| dir.join(DB))
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.shared.clock)
    }

    /// Flushes what is staged. Returns the rows that moved to files.
    ///
    /// Nothing is lost without this: staged events are as durable as flushed ones.
    ///
    /// # Errors
    /// `ResourceExhausted` on a full disk, `Unavailable` when the disk or database cannot be used.
    pub async fn flush(&self) -> Result<u64> {
        self.blocking(flush::flush_all).await
    }

    /// Runs `work` on a thread of its own, with a connection of its own for reading.
    pub(super) async fn blocking<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Shared>, &WriterHandle, &rusqlite::Connection) -> Result<R>
        + Send
        + 'static,
    ) -> Result<R> {
        let (reply, answer) = tokio::sync::oneshot::channel();
        let store = self.clone();
        std::thread::Builder::new()
            .name("aura-work".to_owned())
            .spawn(move || {
                let outcome = crate::ingest::parallel::caught(|| {
                    let conn = store.shared.db.connect()?;
                    work(&store.shared, &store.threads.writer, &conn)
                });
                // Whoever asked may have gone; the store must not close on this thread later than
                // the answer, or a caller that reopens at once would find it locked.
                drop(store);
                let _ = reply.send(outcome);
            })
            .map_err(|e| Error::io("cannot start a thread", e))?;
        answer
            .await
            .map_err(|_| Error::internal("a worker thread ended without an answer"))?
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the one default of the injected source of names"
)]
fn random_uuid() -> Uuid {
    Uuid::new_v4()
}

impl StoreBuilder {
    /// Sets the settings.
    #[must_use]
    pub fn settings(mut self, settings: StoreSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Sets whether a store is made where there is none (default true).
    #[must_use]
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets where the names of files and tables come from.
    #[must_use]
    pub fn uuids(mut self, new_uuid: impl Fn() -> Uuid + Send + Sync + 'static) -> Self {
        self.new_uuid = Arc::new(new_uuid);
        self
    }

    /// Opens the store.
    ///
    /// # Errors
    /// As [`Store::open`]; `InvalidSpec` when a setting is out of range, or `partition` differs from the
    /// store's; `NotFound` when there is no store and [`create`](Self::create) is false.
    pub async fn open(self) -> Result<Store> {
        let (reply, answer) = tokio::sync::oneshot::channel();
        std::thread::Builder::new()
            .name("aura-open".to_owned())
            .spawn(move || {
                let _ = reply.send(crate::ingest::parallel::caught(|| self.open_blocking()));
            })
            .map_err(|e| Error::io("cannot start a thread", e))?;
        answer
            .await
            .map_err(|_| Error::internal("a worker thread ended without an answer"))?
    }

    fn open_blocking(self) -> Result<Store> {
        self.settings.validate()?;
        let dir = match &self.dir {
            Some(dir) if !self.create && !has_db(dir) => {
                return Err(Error::not_found(format!(
                    "there is no store in `{}` (it has no `{DB}`); correct the path, or make one with `Store::open`",
                    dir.display()
                )));
            }
            Some(dir) => Some(prepare(dir)?),
            None => None,
        };
        // Before the lock, too, so that a directory that is refused stays as it was.
        if let Some(dir) = dir.as_deref().filter(|d| !d.join(LOCK).exists()) {
            refuse_foreign(dir)?;
        }
        let db = match &dir {
            Some(dir) => DbPath::File(dir.join(DB)),
            None => DbPath::Memory(format!("aura-{}", (self.new_uuid)())),
        };
        let lock = dir.as_deref().map(Lock::acquire).transpose()?;
        if let Some(dir) = &dir {
            refuse_foreign(dir)?;
        }
        let mut conn = db.connect()?;
        let first = !db::check_format(&conn)?;
        if first {
            if let Some(dir) = &dir {
                refuse_files(dir)?;
            }
            self.make(&mut conn, dir.as_deref())?;
        }
        create::check_version(&conn)?;

        let latest = snapshot::latest(&conn)?;
        let events_table = read::table_id(&conn, super::EVENTS, latest.id)?;
        let quarantine_table = read::table_id(&conn, super::QUARANTINE, latest.id)?;
        let quarantine_columns =
            super::catalog::table::columns_at(&conn, quarantine_table, latest.id)?;
        let seed: u64 = db::meta_int(&conn, "id_seed")?;
        let mut settings = self.settings;
        let partition = stored_partition(&conn)?;
        if let Some(asked) = settings.partition.filter(|asked| *asked != partition) {
            return Err(Error::invalid_spec(format!(
                "store settings: `partition` is {}, and the store is divided by {}; that is fixed when a store is \
                 made: leave `partition` out, or make another store",
                grain_text(asked),
                grain_text(partition)
            )));
        }
        settings.partition = Some(partition);
        let place = |name: &str| match &dir {
            Some(dir) => FileStore::local(dir.join(name)),
            None => FileStore::memory(),
        };
        let reader = db.connect()?;
        let shared = Arc::new(Shared {
            ids: IdIndex::new(IdIndexOptions {
                memory_budget_bytes: settings.id_memory_bytes,
                spill_dir: dir.clone(),
            }),
            reject_ids: IdIndex::new(IdIndexOptions {
                memory_budget_bytes: REJECT_ID_BYTES.min(settings.id_memory_bytes),
                spill_dir: dir.clone(),
            }),
            hasher: IdHasher::new(seed),
            events: place(super::EVENTS),
            quarantine: place(super::QUARANTINE),
            quarantine_schema: rows::storage_schema(&quarantine_columns),
            events_table,
            quarantine_table,
            db,
            dir,
            settings,
            partition,
            clock: self.clock,
            new_uuid: self.new_uuid,
            reader: Mutex::new(reader),
            wake: super::wake::Wake::default(),
            appended: AtomicU64::new(0),
            scanned: super::read::Scanned::default(),
        });
        let (writer, writer_thread) = writer::start(conn, Arc::clone(&shared))?;
        let mut threads = Threads {
            shared: Arc::clone(&shared),
            writer,
            writer_thread: Some(writer_thread),
            upkeep_thread: None,
            lock,
        };
        let mut orphans = maintain::Orphans::default();
        if let Some(dir) = shared.dir.clone() {
            let root = dir.to_string_lossy().into_owned();
            wait(
                threads
                    .writer
                    .transact(move |w| upkeep::fix_data_path(&w.conn, &root))?,
            )?;
            if threads.lock.as_ref().is_some_and(|l| l.alone) {
                orphans = maintain::Orphans::find(&shared)?;
                orphans.sweep(&shared)?;
            }
        }
        if let Some(lock) = &mut threads.lock {
            lock.share()?;
        }
        if shared.settings.background {
            threads.upkeep_thread = Some(start_upkeep(&shared, &threads.writer, orphans)?);
        }
        Ok(Store {
            shared,
            threads: Arc::new(threads),
        })
    }

    fn make(&self, conn: &mut rusqlite::Connection, dir: Option<&Path>) -> Result<()> {
        let now = self.clock.now_us();
        let partition = self.settings.partition.unwrap_or_default();
        let mut new_uuid = || (self.new_uuid)();
        let tx = conn
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map_err(|e| sql("cannot make the store", e))?;
        // Another process may have made it while this one waited.
        if db::check_format(&tx)? {
            return Ok(());
        }
        let (seed, _) = new_uuid().as_u64_pair();
        db::create_tables(&tx, seed)?;
        let root = dir.map_or_else(
            || "memory/".to_owned(),
            |d| d.to_string_lossy().into_owned(),
        );
        create::create(&tx, now, &root, "", &mut new_uuid)?;
        let column = |name: &str, ty, nullable| NewColumn {
            name: name.to_owned(),
            ty,
            nullable,
        };
        let mut commit = Commit::begin(&tx, now)?.describe(Some("aura"), Some("create store"));
        create_table(
            &mut commit,
            &NewTable {
                name: super::EVENTS.to_owned(),
                uuid: new_uuid(),
                path: "events/".to_owned(),
                columns: vec![
                    column(EVENT_ID, PropertyType::String, true),
                    column(ACTOR, PropertyType::String, true),
                    column(EVENT, PropertyType::String, true),
                    column(TIME, PropertyType::Timestamp, true),
                    column(EXTRA, PropertyType::Json, true),
                ],
                partition: partition
                    .transforms()
                    .iter()
                    .map(|t| PartitionKey {
                        column: TIME.to_owned(),
                        transform: (*t).to_owned(),
                    })
                    .collect(),
                sort: [ACTOR, TIME, EVENT_ID]
                    .map(|c| SortKey {
                        column: c.to_owned(),
                    })
                    .to_vec(),
            },
        )?;
        create_table(
            &mut commit,
            &NewTable {
                name: super::QUARANTINE.to_owned(),
                uuid: new_uuid(),
                path: "quarantine/".to_owned(),
                columns: quarantine::columns(),
                partition: Vec::new(),
                sort: Vec::new(),
            },
        )?;
        commit.finish()?;
        db::set_meta(&tx, "partition", &grain_text(partition))?;
        tx.commit().map_err(|e| sql("cannot make the store", e))
    }
}

/// A grain as the settings write it, in quotes.
fn grain_text(grain: super::PartitionGrain) -> String {
    serde_json::to_string(&grain).unwrap_or_default()
}

fn stored_partition(conn: &rusqlite::Connection) -> Result<super::PartitionGrain> {
    let text = db::meta(conn, "partition")?.unwrap_or_default();
    serde_json::from_str(&text).map_err(|_| {
        Error::invalid_data(format!(
            "aura.db is damaged: `{text}` is no partition grain"
        ))
    })
}

/// The threads of an open store; dropping them closes it.
pub(super) struct Threads {
    shared: Arc<Shared>,
    pub(super) writer: WriterHandle,
    writer_thread: Option<std::thread::JoinHandle<()>>,
    upkeep_thread: Option<std::thread::JoinHandle<()>>,
    lock: Option<Lock>,
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.wake.stop();
        if let Some(thread) = self.upkeep_thread.take() {
            let _ = thread.join();
        }
        self.writer.stop();
        if let Some(thread) = self.writer_thread.take() {
            let _ = thread.join();
        }
        self.lock = None;
    }
}

/// Starts the thread that flushes, compacts and tidies up.
fn start_upkeep(
    shared: &Arc<Shared>,
    writer: &WriterHandle,
    orphans: maintain::Orphans,
) -> Result<std::thread::JoinHandle<()>> {
    let (shared, writer) = (Arc::clone(shared), writer.clone());
    std::thread::Builder::new()
        .name("aura-upkeep".to_owned())
        .spawn(move || {
            let Ok(conn) = shared.db.connect() else {
                return;
            };
            let mut upkeep = maintain::Upkeep::new(&shared, orphans);
            // The pause after work lets appends that wait for the disk go first.
            while shared.wake.sleep(Duration::from_secs(1)) {
                let step = crate::ingest::parallel::caught(|| upkeep.step(&shared, &writer, &conn));
                if step.is_err_and(|e| e.kind() != ErrorKind::Conflict) {
                    // A full disk or a locked database passes; nothing is lost by waiting.
                    std::thread::sleep(Duration::from_millis(200));
                }
            }
        })
        .map_err(|e| Error::io("cannot start the upkeep thread", e))
}
