//! Repositories are built with the git program, which also is the oracle; the library does not use it.

mod repository;

use std::collections::HashMap;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use proptest::prelude::*;

use self::repository::{Repository, history};
use super::*;
use crate::ErrorKind;
use crate::ingest::RejectReason;

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

#[test]
fn dates_and_names_that_git_would_not_write() {
    let repo = Repository::new();
    repo.commit_as("A <a@example.org>", "1700000000 +0000", "good");
    let tree = repo.git(&["write-tree"]);
    let mut parent = repo.git(&["rev-parse", "HEAD"]);
    let lines: [(&[u8], &str); 10] = [
        (b"A <a@example.org> 99999999999999999999 +0000", "time"),
        (b"A <a@example.org> soon +0000", "time"),
        (b"A <a@example.org>", "time"),
        (b"A <a@example.org> 400000000000 +0000", "time"),
        (b"A <a@example.org> -86400 +0000", ""),
        (b"A <a@example.org> 1700000005 +51800", ""),
        (b"A <a@example.org> 1700000006 zone", ""),
        (b"Andr\xe9 <andr\xe9@example.org> 1700000007 +0100", ""),
        (b"A <<a@example.org>> 1700000008 +0000", ""),
        (b" <> 1700000009 +0000", "actor"),
    ];
    for (author, _) in &lines {
        let mut object = format!("tree {tree}\nparent {parent}\nauthor ").into_bytes();
        object.extend_from_slice(author);
        object.extend_from_slice(b"\ncommitter C <c@example.org> 1700000010 +0000\n\nodd \xff\n");
        parent = repo.write_commit(&object);
    }
    repo.git(&["update-ref", "HEAD", &parent]);
    let read = read(&repo);
    let expected: Vec<&str> = lines
        .iter()
        .map(|(_, field)| *field)
        .filter(|f| !f.is_empty())
        .collect();
    let mut fields: Vec<&str> = read
        .rejects
        .iter()
        .filter_map(|r| r.field.as_deref())
        .collect();
    fields.sort_unstable_by_key(|f| *f == "actor");
    assert_eq!(fields, expected);
    for reject in &read.rejects {
        let want = if reject.field.as_deref() == Some("time") {
            RejectReason::InvalidTime
        } else {
            RejectReason::MissingRole
        };
        assert_eq!(reject.reason, want);
        assert!(reject.original.starts_with(b"tree "));
        assert_eq!(reject.original.len() as u64, reject.original_len);
    }
    let mut numbers: Vec<u64> = read.rejects.iter().map(|r| r.row).collect();
    numbers.extend(&read.row_numbers);
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=11).collect::<Vec<u64>>());
    let mut kept: Vec<(&str, &str, &str)> = (0..read.rows.len())
        .map(|i| {
            (
                read.column("time")[i],
                read.column("author_offset_minutes")[i],
                read.column("actor")[i],
            )
        })
        .collect();
    kept.sort_unstable();
    assert_eq!(
        kept,
        [
            ("-86400000000", "0", "a@example.org"),
            ("1700000000000000", "0", "a@example.org"),
            ("1700000005000000", "null", "a@example.org"),
            ("1700000006000000", "null", "a@example.org"),
            ("1700000007000000", "60", "andr\u{fffd}@example.org"),
            ("1700000008000000", "0", "<a@example.org"),
        ]
    );
}

#[test]
fn a_committer_date_that_cannot_be_read_is_null_and_orders_first() {
    let repo = Repository::new();
    repo.commit_as("A <a@example.org>", "1700000000 +0000", "good");
    let tree = repo.git(&["write-tree"]);
    let parent = repo.git(&["rev-parse", "HEAD"]);
    let odd = repo.write_commit(
        format!("tree {tree}\nparent {parent}\nauthor A <a@example.org> 1700000001 +0000\ncommitter C <c@example.org>\n\nodd\n").as_bytes(),
    );
    repo.git(&["update-ref", "HEAD", &odd]);
    let read = read(&repo);
    assert_eq!(read.column("committed_at"), ["null", "1700000000000000"]);
}

#[test]
fn shallow_clones_do_not_invent_sizes() {
    let repo = history();
    let target = tempfile::tempdir().unwrap();
    let url = format!("file://{}", repo.path().display());
    let clone = repo.clone_to(&["--depth=3", &url], target.path());
    let read = read(&clone);
    let whole = numstat(&repo);
    let boundary = std::fs::read_to_string(clone.path().join(".git/shallow")).unwrap();
    let mut unknown = 0;
    for row in &read.rows {
        let id = row["event_id"].as_deref().unwrap();
        let merge = row["event"].as_deref() == Some("merge");
        if boundary.contains(id) || merge {
            unknown += usize::from(boundary.contains(id));
            assert_eq!(row["files"], None);
            assert_eq!(row["insertions"], None);
        } else {
            assert_eq!(row["insertions"], Some(whole[id].5.to_string()));
        }
    }
    assert!(unknown > 0 && unknown < read.rows.len());
}

#[test]
fn partial_clones_do_not_invent_sizes() {
    let repo = history();
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    let target = tempfile::tempdir().unwrap();
    let url = format!("file://{}", repo.path().display());
    let clone = repo.clone_to(&["--bare", "--filter=blob:none", &url], target.path());
    let read = read(&clone);
    let whole = numstat(&repo);
    assert_eq!(read.rows.len(), whole.len());
    let known = read
        .column("insertions")
        .iter()
        .filter(|n| **n != "null")
        .count();
    assert!(known < read.rows.len() / 4, "{known}");
    for row in read
        .rows
        .iter()
        .filter(|r| r["event"].as_deref() == Some("commit"))
    {
        let id = row["event_id"].as_deref().unwrap();
        assert_eq!(row["files"], Some(whole[id].4.to_string()));
    }
}

#[test]
fn bare_repositories_and_git_directories() {
    let repo = Repository::new();
    std::fs::write(
        repo.path().join(".mailmap"),
        "<new@example.org> <old@example.org>\n",
    )
    .unwrap();
    repo.git(&["add", ".mailmap"]);
    repo.commit_as("A <old@example.org>", "1700000000 +0000", "one");
    let target = tempfile::tempdir().unwrap();
    let bare_path = target.path().join("thing.git");
    let clone = repo.clone_to(&["--bare", repo.path().to_str().unwrap()], &bare_path);
    let read_bare = read(&clone);
    assert_eq!(read_bare.column("actor"), ["new@example.org"]);
    assert_eq!(read_bare.column("repo"), ["thing"]);
    let inside = read_with(&repo.path().join(".git"), &GitOptions::default()).unwrap();
    assert_eq!(inside.column("event_id"), read_bare.column("event_id"));
    let name = repo.path().file_name().unwrap().to_str().unwrap();
    assert_eq!(inside.column("repo"), [name]);
}

#[test]
fn what_is_not_a_repository() {
    let dir = tempfile::tempdir().unwrap();
    let default = GitOptions::default();
    let e = failure(dir.path(), &default);
    assert_eq!(e.kind(), ErrorKind::NotFound);
    assert!(e.message().contains(&*dir.path().to_string_lossy()), "{e}");
    assert!(e.message().contains("is not a git repository"), "{e}");
    let e = failure(&dir.path().join("absent"), &default);
    assert_eq!(e.kind(), ErrorKind::NotFound);
    assert!(e.message().ends_with("does not exist"), "{e}");
    // A directory inside a repository is not the repository.
    let repo = Repository::new();
    std::fs::create_dir(repo.path().join("sub")).unwrap();
    assert_eq!(
        failure(&repo.path().join("sub"), &default).kind(),
        ErrorKind::NotFound
    );
    // Nothing committed yet.
    let e = failure(repo.path(), &default);
    assert_eq!(e.kind(), ErrorKind::InvalidData);
    assert!(e.message().contains("no commits"), "{e}");
}

#[test]
fn a_missing_object_is_named() {
    for (what, said) in [
        ("HEAD~1", "commit"),
        ("HEAD^{tree}", "tree"),
        ("HEAD:file", "file content"),
    ] {
        let repo = Repository::new();
        for second in 0..3 {
            std::fs::write(repo.path().join("file"), format!("{second}\n")).unwrap();
            repo.git(&["add", "file"]);
            repo.commit_as(
                "A <a@example.org>",
                &format!("{} +0000", 1_700_000_000 + second),
                "c",
            );
        }
        let id = repo.git(&["rev-parse", what]);
        std::fs::remove_file(
            repo.path()
                .join(".git/objects")
                .join(&id[..2])
                .join(&id[2..]),
        )
        .unwrap();
        let e = failure(repo.path(), &GitOptions::default());
        assert_eq!(e.kind(), ErrorKind::InvalidData, "{e}");
        assert!(
            e.message().contains(&format!("the {said} {id} is missing")),
            "{e}"
        );
    }
}

#[test]
fn damage_is_an_error() {
    let repo = history();
    repo.git(&["gc", "-q"]);
    let packs = repo.path().join(".git/objects/pack");
    let pack = std::fs::read_dir(&packs)
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| p.extension().is_some_and(|e| e == "pack"))
        .unwrap();
    let bytes = std::fs::read(&pack).unwrap();
    std::fs::remove_file(&pack).unwrap(); // git makes packs read-only
    for cut in [0, 11, bytes.len() / 3, bytes.len() - 40] {
        std::fs::write(&pack, &bytes[..cut]).unwrap();
        assert_eq!(
            failure(repo.path(), &GitOptions::default()).kind(),
            ErrorKind::InvalidData
        );
    }
    let mut garbled = bytes.clone();
    for at in (12..garbled.len()).step_by(97) {
        garbled[at] ^= 0x5a;
    }
    std::fs::write(&pack, &garbled).unwrap();
    assert_eq!(
        failure(repo.path(), &GitOptions::default()).kind(),
        ErrorKind::InvalidData
    );
}

#[test]
fn large_files_count_as_binary() {
    let repo = Repository::new();
    std::fs::write(repo.path().join("big"), "line\n".repeat(1_000)).unwrap();
    std::fs::write(repo.path().join("small"), "line\n").unwrap();
    repo.git(&["add", "."]);
    repo.commit_as("A <a@example.org>", "1700000000 +0000", "c");
    let options = GitOptions {
        max_blob_bytes: 4_999,
        ..GitOptions::default()
    };
    let read = read_with(repo.path(), &options).unwrap();
    assert_eq!(
        (read.column("files")[0], read.column("insertions")[0]),
        ("2", "1")
    );
}

#[test]
fn cancelling_and_wrong_options_stop_the_read() {
    let repo = Repository::new();
    repo.commit_as("A <a@example.org>", "1700000000 +0000", "c");
    let cancel = CancelToken::new();
    let open = || {
        GitReader::open(
            repo.path(),
            &GitOptions::default(),
            &Limits::default(),
            &cancel,
        )
    };
    let mut reader = open().unwrap();
    cancel.cancel();
    let e = reader.next().unwrap().unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Cancelled);
    assert!(reader.next().is_none());
    assert_eq!(open().err().unwrap().kind(), ErrorKind::Cancelled);
    for options in [
        GitOptions {
            threads: 0,
            ..GitOptions::default()
        },
        GitOptions {
            pseudonymize: Some(PseudonymKey::new("")),
            ..GitOptions::default()
        },
    ] {
        assert_eq!(
            failure(repo.path(), &options).kind(),
            ErrorKind::InvalidSpec
        );
    }
}

#[test]
fn trailers_agree_with_git() {
    let lines = [
        "Signed-off-by: A <a@example.org>",
        "Co-authored-by: B <b@example.org>",
        "Assisted-by : Claude:opus",
        "Key:",
        " folded value",
        "\ttabbed",
        "not a trailer",
        "also: one",
        "with space: no",
        "-dash: yes",
        ": no key",
        "# comment",
        "(cherry picked from commit abc)",
        "",
        "",
        "  ",
        "Conflicts:",
        "\tfile.rs",
        "http://example.org",
        "Ünï: no",
        "---",
        "Fixes: #1\r",
    ];
    let repo = Repository::new();
    let mut state = 7_u64;
    let mut trailers = 0;
    for _ in 0..250 {
        let mut message = "subject\n".to_owned();
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize
        };
        if next() % 8 > 0 {
            message.push('\n');
        }
        for _ in 0..next() % 9 {
            message.push_str(lines[next() % lines.len()]);
            message.push('\n');
        }
        let ours: Vec<String> = trailer::parse(&message)
            .iter()
            .map(|t| format!("{}: {}", t.key, t.value).trim_end().to_owned())
            .collect();
        let theirs = repo.git_with_input(
            &["interpret-trailers", "--parse", "--no-divider"],
            message.as_bytes(),
        );
        let theirs: Vec<String> = theirs
            .lines()
            .filter(|l| l.contains(':')) // "(cherry picked from ..." has no key
            .map(|l| l.replace('\r', "").trim_end().to_owned()) // ours are trimmed before they are joined
            .collect();
        assert_eq!(ours, theirs, "{message:?}");
        trailers += ours.len();
    }
    assert!(trailers > 100, "{trailers}");
}

#[test]
fn assistants_are_known_and_people_are_not() {
    let cases = [
        ("Claude <noreply@anthropic.com>", Some("claude")),
        ("Claude Opus 4.5 <noreply@anthropic.com>", Some("claude")),
        ("claude:claude-opus-4-5", Some("claude")),
        ("Claude Code", Some("claude")),
        ("Claude Opus 4.8 (1M context)", Some("claude")),
        ("Claude Shannon <claude@bell.example>", None),
        ("Jane Doe <jane@anthropic.com>", None),
        (
            "Copilot <175728472+Copilot@users.noreply.github.com>",
            Some("copilot"),
        ),
        (
            "copilot-swe-agent[bot] <198982749+Copilot@users.noreply.github.com>",
            Some("copilot"),
        ),
        ("GitHub Copilot", Some("copilot")),
        ("Cursor <cursoragent@cursor.com>", Some("cursor")),
        ("Cursor Agent <agent@example.org>", Some("cursor")),
        ("Codex <noreply@openai.com>", Some("codex")),
        ("ChatGPT", Some("codex")),
        (
            "gemini-code-assist[bot] <176961590+gemini-code-assist[bot]@users.noreply.github.com>",
            Some("gemini"),
        ),
        ("Gemini 2.5 Pro", Some("gemini")),
        (
            "aider (claude-sonnet-4) <noreply@aider.chat>",
            Some("aider"),
        ),
        (
            "Devin AI <158243242+devin-ai-integration[bot]@users.noreply.github.com>",
            Some("devin"),
        ),
        ("Devin Smith <devin@example.org>", None),
        ("Windsurf", Some("windsurf")),
        ("Amp <amp@ampcode.com>", Some("amp")),
        ("Jules Verne <jules@example.org>", None),
        (
            "google-labs-jules[bot] <161369871+google-labs-jules[bot]@users.noreply.github.com>",
            Some("jules"),
        ),
        ("Bob <12345+copilotfan@users.noreply.github.com>", None),
        ("", None),
        ("<>", None),
    ];
    for (value, expected) in cases {
        let (name, address) = assistant::split_identity(value);
        assert_eq!(
            assistant::assistant_of(name, address, true),
            expected,
            "{value}"
        );
    }
    assert_eq!(
        assistant::assistant_of("Claude and friends", "", false),
        Some("claude")
    );
}

#[test]
fn bots_are_known_and_people_are_not() {
    for (name, address) in [
        (
            "dependabot[bot]",
            "49699333+dependabot[bot]@users.noreply.github.com",
        ),
        (
            "renovate",
            "29139614+renovate[bot]@users.noreply.github.com",
        ),
        ("GitHub Actions", "actions@github.com"),
        (
            "github-actions",
            "41898282+github-actions@users.noreply.github.com",
        ),
        ("Release Bot", "release@example.org"),
        ("pre-commit-ci[bot]", ""),
        ("semantic-release-bot", "x@example.org"),
    ] {
        assert!(assistant::is_bot(name, address), "{name}");
    }
    for (name, address) in [
        ("Ann Talbot", "talbot@example.org"),
        ("Abbot", "abbot@bot.example"),
        ("Ada", "ada@users.noreply.github.com"),
        ("Renova Tex", "tex@example.org"),
        ("", ""),
    ] {
        assert!(!assistant::is_bot(name, address), "{name}");
    }
}

proptest! {
    #[test]
    fn parsers_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), lines in "([A-Za-z:# \t<>@\r-]{0,12}\n){0,8}") {
        let commit = commit::parse(&bytes);
        if let Some(author) = commit.author {
            author.moment();
        }
        let data = [b"tree x\nauthor ".as_slice(), &bytes].concat();
        if let Some(author) = commit::parse(&data).author {
            author.moment();
        }
        for text in [String::from_utf8_lossy(&bytes).into_owned(), lines] {
            for trailer in trailer::parse(&text) {
                let (name, address) = assistant::split_identity(&trailer.value);
                assistant::assistant_of(name, address, true);
                assistant::is_bot(name, address);
            }
        }
    }
}
