//! The example `quickstart`, as a function.

use aura_core::ErrorKind;

use crate::common::run;

#[path = "../../examples/quickstart.rs"]
#[allow(dead_code, reason = "`main` is called by the program alone")]
mod example;

use example::Job;

fn job(args: &[&str]) -> aura_core::Result<Job> {
    Job::parse(args.iter().map(|a| (*a).to_owned()))
}

#[test]
fn each_file_has_a_store_of_its_own() {
    let store = |args: &[&str]| job(args).unwrap().store;
    assert_eq!(store(&[]), "shop.aura");
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
    let show = |file: &str| {
        let job = job(&[&[file, store.as_str()][..], &roles].concat()).unwrap();
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
