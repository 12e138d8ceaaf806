//! Reads a sample, or a file of yours, into a store and shows what is in it.
//!
//! `cargo run --example quickstart [-- FILE [STORE] [--actor COLUMN] [--event COLUMN] [--time COLUMN]
//! [--event-id COLUMN] [--time-zone ZONE]]`
//!
//! Without `STORE` the store is made in the working directory and called after the file: `shop.ndjson` goes to
//! `shop.aura`. The exit code is 1 when no row of the file is in the store.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use aura_core::Error;
use aura_core::event::Roles;
use aura_core::ingest::IngestOptions;
use aura_core::store::Store;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data/shop.ndjson");
const USAGE: &str = "expected FILE [STORE], --actor COLUMN, --event COLUMN, --time COLUMN, --event-id COLUMN, --time-zone ZONE";

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = async { run(Job::parse(std::env::args().skip(1))?, std::io::stdout()).await };
    match outcome.await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // Whoever reads has seen enough (`| head`).
        Err(e) if is_broken_pipe(&e) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error ({}): {e}", e.kind());
            ExitCode::FAILURE
        }
    }
}

/// What the arguments ask for.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) input: String,
    pub(crate) store: String,
    pub(crate) roles: Roles,
}

impl Job {
    pub(crate) fn parse(args: impl IntoIterator<Item = String>) -> aura_core::Result<Job> {
        let mut places = Vec::new();
        let mut roles = Roles::default();
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let role = match arg.as_str() {
                "--actor" => &mut roles.actor,
                "--event" => &mut roles.event,
                "--time" => &mut roles.time,
                "--event-id" => &mut roles.event_id,
                "--time-zone" => &mut roles.time_zone,
                option if option.starts_with("--") => {
                    return Err(Error::invalid_spec(format!(
                        "unknown option `{option}`; {USAGE}"
                    )));
                }
                _ => {
                    places.push(arg);
                    continue;
                }
            };
            let value = args.next();
            *role =
                Some(value.ok_or_else(|| {
                    Error::invalid_spec(format!("`{arg}` needs a value; {USAGE}"))
                })?);
        }
        let mut places = places.into_iter();
        let input = places.next().unwrap_or_else(|| SAMPLE.to_owned());
        let store = places.next().unwrap_or_else(|| store_of(&input));
        if let Some(more) = places.next() {
            return Err(Error::invalid_spec(format!(
                "`{more}` is one argument too many; {USAGE}"
            )));
        }
        Ok(Job {
            input,
            store,
            roles,
        })
    }
}

/// The name of the store for a file: its own name up to the first dot.
fn store_of(input: &str) -> String {
    let name = Path::new(input)
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let plain = |c: char| {
        if c.is_alphanumeric() || "-_".contains(c) {
            c
        } else {
            '_'
        }
    };
    let stem: String = name
        .split('.')
        .next()
        .unwrap_or_default()
        .chars()
        .map(plain)
        .collect();
    match stem.is_empty() {
        true => "events.aura".to_owned(),
        false => format!("{stem}.aura"),
    }
}

/// Reads the file and shows what came of it; false when none of its rows is in the store.
pub(crate) async fn run(job: Job, mut out: impl Write) -> aura_core::Result<bool> {
    let cannot_write = |e| Error::io("cannot write the result", e);
    let terminal = std::io::stderr().is_terminal();
    let Job {
        input,
        store: dir,
        roles,
    } = job;

    let store = Store::open(&dir).await?;
    let options = IngestOptions::with_roles(roles).on_progress(move |p| {
        if terminal {
            eprint!("\r{} rows, {} bytes", p.rows_read, p.bytes_read);
            let _ = std::io::stderr().flush();
        }
    });
    let report = store.ingest_with(input.as_str(), &options).await?;
    if terminal {
        eprintln!();
    }
    let mut text = format!("{input} -> {dir}\n");
    text += &format!(
        "{} rows read: {} accepted, {} duplicate, {} rejected, {} dropped\n",
        report.read, report.accepted, report.duplicate, report.rejected, report.dropped
    );
    for reject in report.rejects.iter().take(3) {
        text += &format!("  rejected: row {}: {}\n", reject.row, reject.message);
    }
    for note in &report.notes {
        text += &format!("  note: {note}\n");
    }

    let events = store.events().await?;
    let by_event = "SELECT event, count(*) AS events, count(DISTINCT actor) AS actors, \
                    min(time) AS first, max(time) AS last \
                    FROM events GROUP BY event ORDER BY events DESC, event LIMIT 10";
    text += &format!("{}\n", events.sql(by_event).await?);
    let stats = store.stats().await?;
    text += &format!(
        "{} events in the store, {} bytes in {} files\n",
        stats.events, stats.bytes, stats.files
    );
    let any = report.accepted + report.duplicate > 0;
    text += &match any {
        true => format!(
            "Next: give it a file of your own, or open {dir} with DuckDB (see README.md).\n"
        ),
        false => "No row is in the store: the reasons are above, and in the table `quarantine`.\n"
            .to_owned(),
    };
    out.write_all(text.as_bytes()).map_err(cannot_write)?;
    Ok(any)
}

pub(crate) fn is_broken_pipe(error: &Error) -> bool {
    let source = std::error::Error::source(error);
    let io = source.and_then(|e| e.downcast_ref::<std::io::Error>());
    io.is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}
