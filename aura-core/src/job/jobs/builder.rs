//! Opening a store of jobs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use super::{Inner, Jobs, Random};
use crate::job::JobSettings;
use crate::job::backoff::mixed;
use crate::job::memory::MemoryStore;
use crate::job::metrics::JobMetrics;
use crate::job::sqlite::SqliteStore;
use crate::job::store::JobStore;
use crate::store::Store;
use crate::time::{Clock, SystemClock};
use crate::{Error, Result};

#[derive(Clone)]
enum Place {
    Memory,
    Sqlite(PathBuf),
    #[cfg(feature = "postgres")]
    Postgres {
        url: String,
        schema: String,
    },
}

/// The working parts and settings of jobs before they are opened.
#[derive(Clone)]
pub struct JobsBuilder {
    place: Place,
    settings: JobSettings,
    clock: Arc<dyn Clock>,
    random: Random,
    actor: String,
}

impl std::fmt::Debug for JobsBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobsBuilder")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Jobs {
    /// Prepares jobs in memory, which are gone with the process.
    pub fn in_memory() -> JobsBuilder {
        JobsBuilder::new(Place::Memory)
    }

    /// Prepares the jobs of a store: in its database, in memory for a store in memory, and with its clock.
    pub fn of_store(store: &Store) -> JobsBuilder {
        let place = match store.database() {
            Some(file) => Place::Sqlite(file),
            None => Place::Memory,
        };
        JobsBuilder::new(place).clock(store.clock())
    }

    /// Prepares jobs in a SQLite database, for example the `aura.db` of a store. The file and its tables are made if they are not there;
    /// its directory must be. The file system must be local: SQLite's log is shared memory.
    pub fn sqlite(file: impl AsRef<Path>) -> JobsBuilder {
        JobsBuilder::new(Place::Sqlite(file.as_ref().to_owned()))
    }
}

#[cfg(feature = "postgres")]
impl Jobs {
    /// Prepares jobs in PostgreSQL (14 or newer), for example `postgres://user@host:5432/database`. The schema (`aura`, or that of
    /// [`schema`](JobsBuilder::schema)) and its tables are made if they are not there. The connections are not encrypted: use a local
    /// socket, a private network or a tunnel.
    pub fn postgres(url: impl Into<String>) -> JobsBuilder {
        JobsBuilder::new(Place::Postgres {
            url: url.into(),
            schema: "aura".to_owned(),
        })
    }
}

impl JobsBuilder {
    /// Sets the schema of the tables in PostgreSQL (default `aura`); without effect elsewhere.
    #[cfg(feature = "postgres")]
    #[must_use]
    pub fn schema(mut self, name: impl Into<String>) -> Self {
        if let Place::Postgres { schema, .. } = &mut self.place {
            *schema = name.into();
        }
        self
    }

    fn new(place: Place) -> Self {
        JobsBuilder {
            place,
            settings: JobSettings::default(),
            clock: Arc::new(SystemClock),
            random: random_numbers(),
            actor: "host".to_owned(),
        }
    }

    /// Sets the settings.
    #[must_use]
    pub fn settings(mut self, settings: JobSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets where the random numbers of the backoff come from; each call returns another, even over all of `u64`.
    #[must_use]
    pub fn random(mut self, random: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.random = Arc::new(random);
        self
    }

    /// Sets who the log names for what is done through this handle (default `host`); see [`Jobs::acting`].
    #[must_use]
    pub fn actor(mut self, actor: impl Into<String>) -> Self {
        self.actor = actor.into();
        self
    }

    /// Opens the jobs.
    ///
    /// # Errors
    /// `InvalidSpec` for settings out of their bounds; `Denied` without the right to write; `InvalidData` when the file is no database;
    /// `Conflict` when a newer AURA made the tables; `ResourceExhausted` on a full disk.
    pub async fn open(self) -> Result<Jobs> {
        self.settings.check()?;
        let poll_ms = self.settings.poll_ms;
        let store: Arc<dyn JobStore> =
            match self.place {
                Place::Memory => Arc::new(MemoryStore::new()),
                #[cfg(feature = "postgres")]
                Place::Postgres { url, schema } => {
                    use crate::job::postgres::PostgresStore;
                    Arc::new(PostgresStore::open(&url, &schema).await?)
                }
                Place::Sqlite(file) => {
                    let (reply, answer) = tokio::sync::oneshot::channel();
                    std::thread::Builder::new()
                        .name("aura-open".to_owned())
                        .spawn(move || {
                            let _ = reply.send(SqliteStore::open(&file, poll_ms));
                        })
                        .map_err(|e| Error::io("cannot start a thread", e))?;
                    Arc::new(answer.await.map_err(|_| {
                        Error::internal("a worker thread ended without an answer")
                    })??)
                }
            };
        let jobs = Jobs {
            inner: Arc::new(Inner {
                store,
                clock: self.clock,
                random: self.random,
                settings: self.settings,
                metrics: JobMetrics::new(),
            }),
            actor: "".into(),
            request_id: None,
        };
        Ok(jobs.acting(self.actor, None))
    }
}

/// Numbers of a generator that is seeded once.
#[allow(
    clippy::disallowed_methods,
    reason = "the one default of the injected source of randomness"
)]
fn random_numbers() -> Random {
    let (seed, _) = Uuid::new_v4().as_u64_pair();
    let drawn = AtomicU64::new(0);
    Arc::new(move || mixed(seed, drawn.fetch_add(1, Ordering::Relaxed)))
}
