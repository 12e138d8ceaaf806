//! What the tests share.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::job::{Claim, JobError, JobRecord, JobSettings, JobSpec, Jobs, JobsBuilder};
use crate::time::ManualClock;

/// 2026-01-01T00:00:00Z
pub(super) const START: i64 = 1_767_225_600_000_000;
pub(super) const SECOND: i64 = 1_000_000;

pub(super) fn run<T>(f: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(f)
}

enum Place {
    Memory(Jobs),
    Sqlite(tempfile::TempDir),
    #[cfg(feature = "postgres")]
    Postgres(String),
}

/// A new store of jobs, and a clock that is moved by hand.
pub(super) struct Kit {
    place: Place,
    pub(super) clock: ManualClock,
}

impl Kit {
    pub(super) fn memory() -> Self {
        let clock = ManualClock::new(START);
        let builder = Jobs::in_memory().clock(Arc::new(clock.clone()));
        // A test may be in its runtime already.
        let jobs = std::thread::spawn(|| run(builder.open()))
            .join()
            .unwrap()
            .unwrap();
        Kit {
            place: Place::Memory(jobs),
            clock,
        }
    }

    pub(super) fn sqlite() -> Self {
        Kit {
            place: Place::Sqlite(tempfile::tempdir().unwrap()),
            clock: ManualClock::new(START),
        }
    }

    #[cfg(feature = "postgres")]
    pub(super) fn postgres() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        Kit {
            place: Place::Postgres(format!("aura_test_{}_{n}", std::process::id())),
            clock: ManualClock::new(START),
        }
    }

    pub(super) fn builder(&self) -> Option<JobsBuilder> {
        let builder = match &self.place {
            Place::Memory(_) => return None,
            Place::Sqlite(dir) => Jobs::sqlite(dir.path().join("aura.db")),
            #[cfg(feature = "postgres")]
            Place::Postgres(schema) => {
                Jobs::postgres(crate::job::tests::kit::server()).schema(schema)
            }
        };
        Some(builder.clock(Arc::new(self.clock.clone())))
    }

    /// Another handle on the same jobs, as another process has it.
    pub(super) async fn open(&self) -> Jobs {
        match (&self.place, self.builder()) {
            (Place::Memory(jobs), _) => jobs.clone(),
            (_, Some(builder)) => builder
                .settings(JobSettings::default())
                .open()
                .await
                .unwrap(),
            (_, None) => unreachable!(),
        }
    }

    /// The directory of a store in a file.
    pub(super) fn dir(&self) -> &std::path::Path {
        match &self.place {
            Place::Sqlite(dir) => dir.path(),
            _ => panic!("this store has no directory"),
        }
    }

    pub(super) fn now(&self) -> i64 {
        crate::time::Clock::now_us(&self.clock)
    }

    pub(super) fn advance(&self, us: i64) {
        self.clock.set(self.now() + us);
    }
}

#[cfg(feature = "postgres")]
impl Drop for Kit {
    fn drop(&mut self) {
        if let Place::Postgres(schema) = &self.place {
            let drop = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
            // Within the runtime of a test this may not block; a thread may.
            std::thread::spawn(move || {
                run(async {
                    let (client, connection) =
                        tokio_postgres::connect(&server(), tokio_postgres::NoTls)
                            .await
                            .unwrap();
                    tokio::spawn(connection);
                    client.batch_execute(&drop).await.unwrap();
                });
            })
            .join()
            .unwrap();
        }
    }
}

/// The address of a server: the one that runs on this machine, or one that is started for this process.
#[cfg(feature = "postgres")]
pub(super) fn server() -> String {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    use std::sync::OnceLock;
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| {
        let python = std::env::var("AURA_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let script = format!("{}/tests/job/server.py", env!("CARGO_MANIFEST_DIR"));
        // It ends with its input, which ends with this process.
        let mut child = Command::new(&python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{python}: {e}; set AURA_PYTHON to an interpreter with the packages of tests/requirements.txt"));
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut url)
            .unwrap();
        assert!(
            url.starts_with("postgres://"),
            "no PostgreSQL: {script} says why", script = "tests/job/server.py"
        );
        std::mem::forget(child);
        url.trim().to_owned()
    })
    .clone()
}

pub(super) fn spec(kind: &str) -> JobSpec {
    JobSpec::new(kind, json!({"of": kind}))
}

pub(super) async fn enqueue(jobs: &Jobs, spec: JobSpec) -> JobRecord {
    let enqueued = jobs.enqueue(&spec).await.unwrap();
    assert!(enqueued.created);
    enqueued.job
}

pub(super) async fn claim(jobs: &Jobs, kinds: &[&str], limit: u32) -> Vec<JobRecord> {
    let claim = Claim::of(kinds.iter().copied()).limit(limit).worker("w");
    jobs.claim(&claim).await.unwrap().jobs
}

pub(super) async fn claim_one(jobs: &Jobs, kind: &str) -> JobRecord {
    let mut claimed = claim(jobs, &[kind], 1).await;
    assert_eq!(claimed.len(), 1, "one `{kind}`");
    claimed.remove(0)
}

pub(super) async fn complete(jobs: &Jobs, job: &JobRecord) -> JobRecord {
    jobs.complete(job.id, job.token, &Value::Null)
        .await
        .unwrap()
}

pub(super) fn passing() -> JobError {
    JobError::retryable("UNAVAILABLE", "the disk is asleep")
}

pub(super) fn lasting() -> JobError {
    JobError::fatal("INVALID_SPEC", "no such column")
}
