//! Repositories are built with the git program, which also is the oracle; the library does not use it.

mod odd;
mod repository;
mod words;

use std::collections::HashMap;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};

use self::repository::{Repository, history};
use super::*;
use crate::ErrorKind;
use crate::ingest::{RejectReason, Source};
use crate::store::Store;

/// All that one read gives, as text by column.
#[derive(Debug, Default)]
struct Read {
    rows: Vec<HashMap<String, Option<String>>>,
    row_numbers: Vec<u64>,
    rejects: Vec<Reject>,
}

impl Read {
    fn column(&self, name: &str) -> Vec<&str> {
        self.rows
            .iter()
            .map(|row| row[name].as_deref().unwrap_or("null"))
            .collect()
    }
}

fn read_with(path: &Path, options: &GitOptions) -> Result<Read> {
    let mut read = Read::default();
    for chunk in GitReader::open(path, options, &Limits::default(), &CancelToken::new())? {
        let chunk = chunk?;
        assert_eq!(chunk.batch.schema(), git_schema());
        assert_eq!(chunk.batch.num_rows(), chunk.origins.len());
        for row in 0..chunk.batch.num_rows() {
            read.rows.push(
                git_schema()
                    .fields()
                    .iter()
                    .zip(chunk.batch.columns())
                    .map(|(field, column)| (field.name().clone(), text(column.as_ref(), row)))
                    .collect(),
            );
        }
        read.row_numbers.extend(chunk.origins.iter().map(|o| o.row));
        read.rejects.extend(chunk.rejects);
    }
    Ok(read)
}

fn text(column: &dyn Array, row: usize) -> Option<String> {
    if column.is_null(row) {
        return None;
    }
    Some(match column.data_type() {
        arrow::datatypes::DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
        arrow::datatypes::DataType::Boolean => column.as_boolean().value(row).to_string(),
        arrow::datatypes::DataType::Int64 => {
            column.as_primitive::<Int64Type>().value(row).to_string()
        }
        _ => column
            .as_primitive::<TimestampMicrosecondType>()
            .value(row)
            .to_string(),
    })
}

fn read(repo: &Repository) -> Read {
    read_with(repo.path(), &GitOptions::default()).unwrap()
}

fn failure(path: &Path, options: &GitOptions) -> Error {
    read_with(path, options).unwrap_err()
}

/// What `git log --numstat` says of each commit: parents, author address, author and committer seconds,
/// files, insertions, deletions.
type Said = (Vec<String>, String, i64, i64, i64, i64, i64);

fn numstat(repo: &Repository) -> HashMap<String, Said> {
    let log = repo.git(&[
        "log",
        "--numstat",
        "--no-renames",
        "--format=commit %H|%P|%aE|%at|%ct",
    ]);
    let mut all = HashMap::new();
    let mut current = String::new();
    for line in log.lines().filter(|l| !l.is_empty()) {
        if let Some(head) = line.strip_prefix("commit ") {
            let parts: Vec<&str> = head.split('|').collect();
            current = parts[0].to_owned();
            let said: Said = (
                parts[1].split_whitespace().map(str::to_owned).collect(),
                parts[2].to_lowercase(),
                parts[3].parse().unwrap(),
                parts[4].parse().unwrap(),
                0,
                0,
                0,
            );
            all.insert(current.clone(), said);
        } else {
            let said = all.get_mut(&current).unwrap();
            let mut parts = line.split('\t');
            said.4 += 1;
            // Binary files are `-`.
            said.5 += parts.next().unwrap().parse().unwrap_or(0);
            said.6 += parts.next().unwrap().parse().unwrap_or(0);
        }
    }
    all
}

#[test]
fn agrees_with_git_log_numstat() {
    let repo = history();
    let said = numstat(&repo);
    assert!(said.len() >= 60, "{} commits", said.len());
    let read = read(&repo);
    assert_eq!(read.rows.len(), said.len());
    let mut merges = 0;
    let mut order = Vec::new();
    for row in &read.rows {
        let get = |name: &str| row[name].clone().unwrap_or_else(|| "null".to_owned());
        let id = get("event_id");
        let (parents, address, authored, committed, files, insertions, deletions) = &said[&id];
        assert_eq!(&get("actor"), address);
        assert_eq!(get("time"), (authored * 1_000_000).to_string());
        assert_eq!(get("committed_at"), (committed * 1_000_000).to_string());
        let size = ["files", "insertions", "deletions"].map(get);
        if parents.len() > 1 {
            merges += 1;
            assert_eq!(get("event"), "merge");
            assert_eq!(size, ["null", "null", "null"]);
        } else {
            assert_eq!(get("event"), "commit");
            assert_eq!(
                size,
                [files, insertions, deletions].map(i64::to_string),
                "{id}"
            );
        }
        order.push((*committed, id));
    }
    assert!(merges >= 4, "{merges} merges");
    assert!(order.is_sorted());
    let total: i64 = said.values().map(|s| s.5 + s.6).sum();
    assert!(
        total > 1_000,
        "the history is worth comparing: {total} lines"
    );
}

#[test]
fn the_same_with_any_number_of_threads_and_any_storage() {
    let repo = history();
    let rows = |threads| {
        let options = GitOptions {
            threads,
            ..GitOptions::default()
        };
        read_with(repo.path(), &options).unwrap().rows
    };
    let loose = rows(1);
    assert_eq!(rows(2), loose);
    repo.git(&["gc", "-q"]);
    repo.git(&["commit-graph", "write", "--reachable"]);
    assert_eq!(rows(7), loose);
}

#[test]
fn columns_of_single_commits() {
    let repo = Repository::new();
    repo.commit_as(
        "Ada <ADA@Example.org>",
        "1700000000 +0530",
        "start\n\nCo-authored-by: Bob <bob@example.org>\nCo-Authored-By: Claude <noreply@anthropic.com>",
    );
    repo.commit_as(
        "dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>",
        "1700000100 -0800",
        "bump",
    );
    let read = read(&repo);
    assert_eq!(read.column("actor")[0], "ada@example.org");
    assert_eq!(
        read.column("time"),
        ["1700000000000000", "1700000100000000"]
    );
    assert_eq!(read.column("author_offset_minutes"), ["330", "-480"]);
    assert_eq!(read.column("bot"), ["false", "true"]);
    assert_eq!(read.column("human_co_authors"), ["1", "0"]);
    assert_eq!(read.column("ai_assistant"), ["claude", "null"]);
    assert_eq!(
        read.column("event_id"),
        repo.git(&["log", "--reverse", "--format=%H"])
            .lines()
            .collect::<Vec<_>>()
    );
    assert_eq!(read.row_numbers, [1, 2]);
    let name = repo.path().file_name().unwrap().to_str().unwrap();
    assert_eq!(read.column("repo"), [name, name]);
    let named = GitOptions {
        repo: Some("acme/api".to_owned()),
        ..GitOptions::default()
    };
    assert_eq!(
        read_with(repo.path(), &named).unwrap().column("repo")[0],
        "acme/api"
    );
}

#[test]
fn co_authors_are_distinct_people_other_than_the_author() {
    let repo = Repository::new();
    std::fs::write(
        repo.path().join(".mailmap"),
        "Bob <bob@example.org> <bob@home.example>\n",
    )
    .unwrap();
    repo.commit_as(
        "Ada <ada@example.org>",
        "1700000000 +0000",
        "squash\n\nCo-authored-by: Bob <bob@example.org>\nCo-authored-by: Bob <BOB@home.example>\nCo-authored-by: Ada <ada@example.org>\n\
         Co-authored-by: renovate[bot] <bot@renovateapp.com>\nCo-developed-by: Cleo <cleo@example.org>\nReviewed-by: Dan <dan@example.org>\n\
         Assisted-by: Cursor\nCo-authored-by: Copilot <175728472+Copilot@users.noreply.github.com>",
    );
    repo.commit_as(
        "Copilot <198982749+Copilot@users.noreply.github.com>",
        "1700000001 +0000",
        "its own work\n\nCo-authored-by: Ada <ada@example.org>",
    );
    let read = read(&repo);
    assert_eq!(read.column("human_co_authors"), ["2", "1"]);
    assert_eq!(read.column("ai_assistant"), ["cursor", "copilot"]);
}

#[test]
fn mailmap_and_pseudonyms() {
    let repo = Repository::new();
    repo.commit_as("A <old@example.org>", "1700000000 +0000", "one");
    repo.commit_as("A <new@example.org>", "1700000001 +0000", "two");
    repo.commit_as("Nameless <>", "1700000002 +0000", "three");
    std::fs::write(
        repo.path().join(".mailmap"),
        "<New@example.org> <old@example.org>\n",
    )
    .unwrap();
    assert_eq!(
        read(&repo).column("actor"),
        ["new@example.org", "new@example.org", "nameless"]
    );
    let secret = GitOptions {
        pseudonymize: Some(PseudonymKey::new("pepper")),
        ..GitOptions::default()
    };
    let read = read_with(repo.path(), &secret).unwrap();
    let actors = read.column("actor");
    assert_eq!(actors[0], actors[1]);
    // python: hmac.new(b'pepper', b'new@example.org', 'sha1').hexdigest()[:12]
    assert_eq!(actors[0], "dev_a57768af7b1f");
    assert_ne!(actors[0], actors[2]);
}

#[test]
fn revisions_and_times_select() {
    let repo = Repository::new();
    for second in 0..6 {
        repo.commit_as(
            "A <a@example.org>",
            &format!("{} +0000", 1_700_000_000 + second),
            "c",
        );
    }
    repo.git(&["tag", "-a", "-m", "tagged", "v1", "HEAD~3"]);
    let count = |options: GitOptions| read_with(repo.path(), &options).unwrap().rows.len();
    let revision = |text: &str| GitOptions {
        revision: Some(text.to_owned()),
        ..GitOptions::default()
    };
    assert_eq!(count(revision("v1")), 3);
    assert_eq!(count(revision("HEAD~5")), 1);
    let between = GitOptions {
        since_us: Some(1_700_000_002_000_000),
        until_us: Some(1_700_000_004_000_000),
        ..GitOptions::default()
    };
    let read = read_with(repo.path(), &between).unwrap();
    assert_eq!(
        read.column("time"),
        ["1700000002000000", "1700000003000000"]
    );
    assert_eq!(read.row_numbers, [1, 2]);
    let e = failure(repo.path(), &revision("no-such-branch"));
    assert_eq!(e.kind(), ErrorKind::NotFound);
    assert!(e.message().contains("`no-such-branch`"), "{e}");
    let e = failure(repo.path(), &revision("HEAD~2..HEAD"));
    assert_eq!(e.kind(), ErrorKind::NotFound);
}
