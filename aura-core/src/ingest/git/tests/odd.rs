//! Histories that are damaged, incomplete or strange.

use super::*;

/// Author lines and the field for which each is refused, if it is.
type OddLines = [(&'static [u8], &'static str); 10];

/// One good commit and ten whose author lines git would not write.
fn odd_history() -> (Repository, OddLines) {
    let repo = Repository::new();
    repo.commit_as("A <a@example.org>", "1700000000 +0000", "good");
    let tree = repo.git(&["write-tree"]);
    let mut parent = repo.git(&["rev-parse", "HEAD"]);
    let lines: OddLines = [
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
    (repo, lines)
}

#[test]
fn dates_and_names_that_git_would_not_write() {
    let (repo, lines) = odd_history();
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

#[tokio::test]
async fn a_store_takes_the_good_and_keeps_the_bad_in_quarantine() {
    let (repo, _) = odd_history();
    let store = Store::in_memory().await.unwrap();
    let source = || Source::git(repo.path(), GitOptions::default());
    let report = store.ingest(source()).await.unwrap();
    assert_eq!((report.read, report.accepted, report.rejected), (11, 6, 5));
    assert_eq!(report.rejected_by_reason["invalid_time"], 4);
    assert_eq!(report.rejected_by_reason["missing_role"], 1);
    assert!(report.rejects.is_sorted_by_key(|r| r.row));
    let mut alone: Vec<u64> = read(&repo).rejects.iter().map(|r| r.row).collect();
    alone.sort_unstable();
    assert_eq!(
        report.rejects.iter().map(|r| r.row).collect::<Vec<_>>(),
        alone
    );
    let again = store.ingest(source()).await.unwrap();
    assert_eq!((again.accepted, again.duplicate), (0, 6));
}
