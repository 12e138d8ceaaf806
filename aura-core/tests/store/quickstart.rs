//! The example `quickstart`, as a function.

use aura_core::ErrorKind;

use crate::common::{repository, run};

#[path = "../../../examples/quickstart/main.rs"]
#[allow(dead_code, reason = "`main` is called by the program alone")]
mod example;

use example::Job;

fn job(args: &[&str]) -> aura_core::Result<Job> {
    Job::parse(args.iter().map(|a| (*a).to_owned()))
}

#[test]
fn each_file_has_a_store_of_its_own() {
    let store = |args: &[&str]| job(args).unwrap().store;
    assert!(["aura.aura", "workspace.aura"].contains(&store(&[]).as_str()));
    assert_eq!(store(&["examples/data/shop.ndjson"]), "shop.aura");
    assert_eq!(store(&["logs/my orders.ndjson.gz"]), "my_orders.aura");
    assert_eq!(store(&["logs/2026-*.csv"]), "2026-_.aura");
    assert_eq!(store(&[".csv"]), "events.aura");
    assert_eq!(store(&["a.csv", "--actor", "b", "there"]), "there");
}

#[test]
fn a_wrong_argument_is_named() {
    for (args, words) in [
        (&["--zone", "UTC"][..], "`--zone`"),
        (&["f.csv", "--actor"], "`--actor` needs a value"),
        (&["a", "b", "c"], "`c` is one argument too many"),
        (&["a", "--language", "de"], "`de`"),
    ] {
        let error = job(args).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSpec);
        assert!(error.message().contains(words), "{error}");
    }
}

#[test]
fn roles_and_zone_are_passed_on_and_no_row_in_the_store_is_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    let place = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let (file, store) = (place("f.csv"), place("f.aura"));
    std::fs::write(
        &file,
        "who,what,at\nu1,view,2026-01-01 00:00:00\n,view,2026-01-01 00:00:00\n",
    )
    .unwrap();
    let bad = place("bad.csv");
    std::fs::write(&bad, "who,what,at\n,view,2026-01-01 00:00:00\n").unwrap();
    let roles = [
        "--actor",
        "who",
        "--event",
        "what",
        "--time",
        "at",
        "--time-zone",
        "Asia/Tokyo",
    ];
    let report = place("report.html");
    let show = |file: &str| {
        let place = [file, store.as_str(), "--report", report.as_str()];
        let job = job(&[&place[..], &roles].concat()).unwrap();
        let mut out = Vec::new();
        let any = run(example::run(job, &mut out)).unwrap();
        (any, String::from_utf8(out).unwrap())
    };
    let (any, text) = show(&file);
    assert!(any, "{text}");
    assert!(
        text.contains("2 rows read: 1 accepted, 0 duplicate, 1 rejected"),
        "{text}"
    );
    assert!(text.contains("2025-12-31T15:00:00"), "{text}");
    assert!(text.contains("There is one event"), "{text}");
    assert!(
        std::fs::read_to_string(&report)
            .unwrap()
            .contains("<h1>f</h1>")
    );
    assert!(
        std::fs::read_to_string(place("report.md"))
            .unwrap()
            .starts_with("# f\n")
    );
    // What is there already is no failure.
    let (any, text) = show(&file);
    assert!(any && text.contains("0 accepted, 1 duplicate"), "{text}");
    let (any, text) = show(&bad);
    assert!(!any && text.contains("No row is in the store"), "{text}");
    let job = job(&[&[file.as_str(), store.as_str()][..], &roles].concat()).unwrap();
    struct Closed;
    impl std::io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    assert!(example::is_broken_pipe(
        &run(example::run(job, Closed)).unwrap_err()
    ));
}

#[test]
fn the_sample_is_what_its_program_writes() {
    use std::io::Read;

    let unpacked = |path: &std::path::Path| {
        let mut text = String::new();
        let file = std::fs::File::open(path).unwrap();
        flate2::read::GzDecoder::new(file)
            .read_to_string(&mut text)
            .unwrap();
        text
    };
    let dir = tempfile::tempdir().unwrap();
    let made = dir.path().join("made.gz");
    let python = std::env::var("AURA_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let done = std::process::Command::new(&python)
        .arg(repository("examples/data/workspace/make.py"))
        .arg(&made)
        .status()
        .unwrap_or_else(|e| panic!("{python}: {e}; set AURA_PYTHON to an interpreter of Python 3"));
    assert!(done.success());
    let committed = unpacked(&repository("examples/data/workspace/workspace.ndjson.gz"));
    assert!(
        unpacked(&made) == committed,
        "run make.py again, and read what changed"
    );
}

#[test]
fn a_history_of_a_few_days_is_not_enough() {
    let days = |commits: usize, days: usize| -> Vec<String> {
        (0..commits).map(|c| format!("day {}", c % days)).collect()
    };
    let enough = |days: &[String]| example::is_enough(days.iter().map(String::as_str));
    assert!(enough(&days(200, 30)));
    assert!(!enough(&days(199, 30)));
    assert!(!enough(&days(2_000, 29)));
    assert!(!enough(&[]));
}

/// Of what is planted in the sample (its README) the two largest stories are found first.
#[test]
fn the_stories_of_the_sample_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let place = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let sample = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../examples/data/workspace/workspace.ndjson.gz"
    );
    let (store, report) = (place("sample.aura"), place("report.html"));
    let mut printed = Vec::new();
    let job = job(&[sample, &store, "--report", &report]).unwrap();
    assert!(run(example::run(job, &mut printed)).unwrap());
    let printed = String::from_utf8(printed).unwrap();
    let story = |number: &str| {
        let line = printed.lines().find(|line| line.starts_with(number));
        line.unwrap_or_default().to_owned()
    };
    let (first, second) = (story("1. "), story("2. "));
    assert!(
        first.contains("team = engineering") && first.contains("March 2, 2026"),
        "{printed}"
    );
    assert!(
        second.contains("March 21, 2026 to March 22, 2026") && second.contains("region = asia"),
        "{printed}"
    );
    let html = std::fs::metadata(&report).unwrap().len();
    assert!((10_000..=500_000).contains(&html), "{html} bytes");
}
