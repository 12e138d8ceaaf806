//! From events to a report: reads a file or a git repository into a store, computes what fits, prints what is worth knowing, and writes
//! `report.html` and `report.md`.
//!
//! `cargo run --features git --example quickstart [-- INPUT [STORE] [--language en|ru] [--report FILE] [--actor COLUMN]
//! [--event COLUMN] [--time COLUMN] [--event-id COLUMN] [--time-zone ZONE]]`
//!
//! `INPUT` is a file (CSV, NDJSON, JSON, Parquet, Arrow IPC; plain, gzip or zstd), a glob, or a git repository. Without it the history of
//! this repository is read if it has at least 200 commits on at least 30 days, else the sample in `examples/data/workspace`. Without `STORE`
//! the store is made in the working directory and called after the input: `shop.ndjson` goes to `shop.aura`. The exit code is 1 when
//! no row of the input is in the store.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use aura_core::Error;
use aura_core::event::Roles;
use aura_core::ingest::{IngestOptions, IngestReport, Source};
use aura_core::metric::Registry;
use aura_core::report::{Block, Language, Report, ReportSpec};
use aura_core::store::Store;

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const SAMPLE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../examples/data/workspace/workspace.ndjson.gz"
);
/// A history of fewer commits, or of fewer days, says little.
const ENOUGH_COMMITS: usize = 200;
const ENOUGH_DAYS: usize = 30;
/// How many findings are printed.
const TOP: usize = 5;
const USAGE: &str = "expected INPUT [STORE], --language en|ru, --report FILE, --actor COLUMN, --event COLUMN, --time COLUMN, \
                     --event-id COLUMN, --time-zone ZONE";

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
    pub(crate) report: PathBuf,
    pub(crate) language: Language,
    pub(crate) roles: Roles,
}

impl Job {
    pub(crate) fn parse(args: impl IntoIterator<Item = String>) -> aura_core::Result<Job> {
        let mut places = Vec::new();
        let mut roles = Roles::default();
        let (mut language, mut report) = (None, None);
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let value = match arg.as_str() {
                "--actor" => &mut roles.actor,
                "--event" => &mut roles.event,
                "--time" => &mut roles.time,
                "--event-id" => &mut roles.event_id,
                "--time-zone" => &mut roles.time_zone,
                "--language" => &mut language,
                "--report" => &mut report,
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
            let next = args.next();
            *value =
                Some(next.ok_or_else(|| {
                    Error::invalid_spec(format!("`{arg}` needs a value; {USAGE}"))
                })?);
        }
        let language = match language.as_deref() {
            None | Some("en") => Language::English,
            Some("ru") => Language::Russian,
            Some(other) => {
                return Err(Error::invalid_spec(format!(
                    "the language is `{other}`; there are `en` and `ru`"
                )));
            }
        };
        let mut places = places.into_iter();
        let input = places.next().unwrap_or_else(default_input);
        let store = places.next().unwrap_or_else(|| store_of(&input));
        if let Some(more) = places.next() {
            return Err(Error::invalid_spec(format!(
                "`{more}` is one argument too many; {USAGE}"
            )));
        }
        Ok(Job {
            input,
            store,
            report: PathBuf::from(report.unwrap_or_else(|| "report.html".to_owned())),
            language,
            roles,
        })
    }
}

/// The history of this repository where there is enough of it and it can be read, else the sample.
fn default_input() -> String {
    if !cfg!(feature = "git") {
        eprintln!("reading the sample: without the feature `git` no history can be read");
        return SAMPLE.to_owned();
    }
    let days = Command::new("git")
        .args([
            "-C",
            REPOSITORY,
            "log",
            "--format=%ad",
            "--date=format:%Y-%m-%d",
        ])
        .output();
    let days = days.ok().filter(|o| o.status.success());
    let days = days.map(|o| String::from_utf8_lossy(&o.stdout).into_owned());
    match days {
        Some(days) if is_enough(days.lines()) => REPOSITORY.to_owned(),
        _ => {
            eprintln!(
                "reading the sample: this repository has no history of {ENOUGH_COMMITS} commits on {ENOUGH_DAYS} days"
            );
            SAMPLE.to_owned()
        }
    }
}

/// Tells whether commits on these days are a history in which something can be found.
pub(crate) fn is_enough<'a>(days: impl Iterator<Item = &'a str>) -> bool {
    let days: Vec<&str> = days.collect();
    let different: std::collections::BTreeSet<&&str> = days.iter().collect();
    days.len() >= ENOUGH_COMMITS && different.len() >= ENOUGH_DAYS
}

/// What an input is called: its own name up to the first dot.
fn name_of(input: &str) -> String {
    let path = match input {
        REPOSITORY => "aura",
        other => other.trim_end_matches('/'),
    };
    let whole = Path::new(path).canonicalize().ok().filter(|p| p.is_dir());
    let path = whole.unwrap_or_else(|| PathBuf::from(path));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.split('.').next().unwrap_or_default();
    match stem.is_empty() {
        true => "events".to_owned(),
        false => stem.to_owned(),
    }
}

/// The name of the store for an input.
fn store_of(input: &str) -> String {
    let plain = |c: char| {
        if c.is_alphanumeric() || "-_".contains(c) {
            c
        } else {
            '_'
        }
    };
    let stem: String = name_of(input).chars().map(plain).collect();
    format!("{stem}.aura")
}

/// The history of a repository, or whatever a path names.
fn source_of(input: &str) -> aura_core::Result<Source> {
    let path = Path::new(input);
    let repository = path.join(".git").exists()
        || (path.join("HEAD").is_file() && path.join("objects").is_dir());
    match repository {
        true => history_of(input),
        false => Ok(Source::path(input)),
    }
}

#[cfg(feature = "git")]
fn history_of(input: &str) -> aura_core::Result<Source> {
    Ok(Source::git(input, aura_core::ingest::GitOptions::default()))
}

#[cfg(not(feature = "git"))]
fn history_of(input: &str) -> aura_core::Result<Source> {
    Err(Error::invalid_spec(format!(
        "`{input}` is a git repository and this program was built without the feature `git`; run it with `cargo run --features git`"
    )))
}

/// Reads the input, makes the report and shows what came of it; false when none of the rows is in the store.
pub(crate) async fn run(job: Job, mut out: impl Write) -> aura_core::Result<bool> {
    let cannot_write = |e| Error::io("cannot write the result", e);
    let terminal = std::io::stderr().is_terminal();
    eprintln!("reading {}", job.input);
    let store = Store::open(&job.store).await?;
    let options = IngestOptions::with_roles(job.roles.clone()).on_progress(move |p| {
        if terminal {
            eprint!("\r{} rows, {} bytes", p.rows_read, p.bytes_read);
            let _ = std::io::stderr().flush();
        }
    });
    let read = store.ingest_with(source_of(&job.input)?, &options).await?;
    if terminal {
        eprintln!();
    }
    out.write_all(told(&job, &read).as_bytes())
        .map_err(cannot_write)?;
    if read.accepted + read.duplicate == 0 {
        let text =
            "No row is in the store: the reasons are above, and in the table `quarantine`.\n";
        out.write_all(text.as_bytes()).map_err(cannot_write)?;
        return Ok(false);
    }

    eprintln!("computing metrics, findings and behaviour");
    let events = store.events().await?;
    let spec = ReportSpec::new()
        .title(name_of(&job.input))
        .language(job.language);
    let report = events.report(&Registry::builtin()?, &spec).await?;

    let markdown = job.report.with_extension("md");
    write(&job.report, &report.to_html()?)?;
    write(&markdown, &report.to_markdown()?)?;
    let stats = store.stats().await?;
    let text = format!(
        "{}\n{} events in {}, {} bytes in {} files\nThe report: {} (and {})\n\n\
         Next:\n  open {} in a browser\n  give it a file of your own: quickstart -- FILE --actor COLUMN --event COLUMN --time COLUMN\n  \
         ask the store in SQL, from Rust or from DuckDB: README.md, \"In a program\"\n  define metrics of your own: docs/metrics.md\n",
        top(&report),
        stats.events,
        job.store,
        stats.bytes,
        stats.files,
        job.report.display(),
        markdown.display(),
        job.report.display(),
    );
    out.write_all(text.as_bytes()).map_err(cannot_write)?;
    Ok(true)
}

fn write(path: &Path, text: &str) -> aura_core::Result<()> {
    std::fs::write(path, text)
        .map_err(|e| Error::io(format!("cannot write `{}`", path.display()), e))
}

/// What was read.
fn told(job: &Job, read: &IngestReport) -> String {
    let mut text = format!("{} -> {}\n", job.input, job.store);
    text += &format!(
        "{} rows read: {} accepted, {} duplicate, {} rejected, {} dropped\n",
        read.read, read.accepted, read.duplicate, read.rejected, read.dropped
    );
    for reject in read.rejects.iter().take(3) {
        text += &format!("  rejected: row {}: {}\n", reject.row, reject.message);
    }
    for note in &read.notes {
        text += &format!("  note: {note}\n");
    }
    text
}

/// The summary, the first findings and the last values of metrics.
fn top(report: &Report) -> String {
    let mut text = String::from("\n");
    for line in &report.summary {
        text += &format!("{line}\n");
    }
    let blocks = || report.sections.iter().flat_map(|section| &section.blocks);
    let findings = blocks().filter_map(|block| match block {
        Block::Finding(finding) => Some(finding),
        _ => None,
    });
    for (number, finding) in findings.take(TOP).enumerate() {
        let sentence = match report.language {
            Language::English => &finding.sentence.en,
            Language::Russian => finding.sentence.russian(),
        };
        text += &format!("\n{}. {sentence}\n", number + 1);
    }
    text.push('\n');
    for block in blocks() {
        let Block::Tiles(tiles) = block else { continue };
        for tile in tiles {
            let value = tile.value.map_or_else(
                || "–".to_owned(),
                |value| tile.format.text(value, report.language),
            );
            text += &format!("  {value:>12}  {} ({})\n", tile.title, tile.period);
        }
    }
    text
}

pub(crate) fn is_broken_pipe(error: &Error) -> bool {
    let source = std::error::Error::source(error);
    let io = source.and_then(|e| e.downcast_ref::<std::io::Error>());
    io.is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}
