//! Whatever is done to the log behind AURA's back is found.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rusqlite::Connection;
use serde_json::Value;

use super::kit::*;
use crate::ErrorKind;
use crate::job::{AuditEntry, AuditHead, Jobs};

/// A log of some thirty records in a file.
async fn a_log(kit: &Kit) -> Jobs {
    let jobs = kit.open().await;
    for n in 0..8 {
        enqueue(&jobs, spec("work")).await;
        kit.advance(n);
        let mine = claim_one(&jobs, "work").await;
        complete(&jobs, &mine).await;
    }
    let entry = AuditEntry {
        actor: "ada".to_owned(),
        action: "report.view".to_owned(),
        object: "report:7".to_owned(),
        outcome: "ok".to_owned(),
        request_id: Some("r-9".to_owned()),
        detail: None,
    };
    jobs.audit(entry).await.unwrap();
    jobs
}

fn file(dir: &std::path::Path) -> std::path::PathBuf {
    dir.join("aura.db")
}

const TEXTS: [&str; 7] = [
    "actor",
    "action",
    "object",
    "outcome",
    "request_id",
    "detail",
    "hash",
];

#[derive(Debug, Clone)]
enum Tamper {
    Text(i64, usize, String),
    Time(i64, i64),
    Remove(i64),
    /// Everything from here on.
    CutEnd(i64),
    CutBeginning(i64),
    Swap(i64, i64),
    /// A copy of a record, put at the end.
    Repeat(i64),
    /// The contents of two records exchanged, their places and hashes kept.
    Exchange(i64, i64),
}

fn tamper() -> impl Strategy<Value = Tamper> {
    let place = 1..=25i64;
    prop_oneof![
        (place.clone(), 0..7usize, "[a-z0-9:]{0,12}").prop_map(|(n, c, t)| Tamper::Text(n, c, t)),
        (place.clone(), 1..1_000i64).prop_map(|(n, us)| Tamper::Time(n, us)),
        place.clone().prop_map(Tamper::Remove),
        place.clone().prop_map(Tamper::CutEnd),
        (1..=24i64).prop_map(Tamper::CutBeginning),
        (place.clone(), place.clone()).prop_map(|(a, b)| Tamper::Swap(a, b)),
        place.clone().prop_map(Tamper::Repeat),
        (place.clone(), place).prop_map(|(a, b)| Tamper::Exchange(a, b)),
    ]
}

/// Returns whether anything was changed.
fn apply(conn: &Connection, tamper: &Tamper) -> bool {
    let before = dump(conn);
    match tamper {
        Tamper::Text(n, column, text) => {
            let column = TEXTS[*column];
            conn.execute(
                &format!("UPDATE aura_audit SET {column} = ?2 WHERE seq = ?1"),
                (n, text),
            )
            .unwrap();
        }
        Tamper::Time(n, us) => {
            conn.execute(
                "UPDATE aura_audit SET at_us = at_us + ?2 WHERE seq = ?1",
                (n, us),
            )
            .unwrap();
        }
        Tamper::Remove(n) => drop(conn.execute("DELETE FROM aura_audit WHERE seq = ?1", [n])),
        Tamper::CutEnd(n) => drop(conn.execute("DELETE FROM aura_audit WHERE seq >= ?1", [n])),
        Tamper::CutBeginning(n) => {
            drop(conn.execute("DELETE FROM aura_audit WHERE seq <= ?1", [n]))
        }
        Tamper::Swap(a, b) => {
            for (from, to) in [(*a, -1), (*b, *a), (-1, *b)] {
                conn.execute("UPDATE aura_audit SET seq = ?2 WHERE seq = ?1", [from, to])
                    .unwrap();
            }
        }
        Tamper::Repeat(n) => {
            conn.execute(
                "INSERT INTO aura_audit SELECT (SELECT max(seq) + 1 FROM aura_audit), at_us, actor, action, object, outcome, request_id, detail, hash
                 FROM aura_audit WHERE seq = ?1",
                [n],
            )
            .unwrap();
            conn.execute(
                "UPDATE aura_job_meta SET value = value + 1 WHERE key = 'audit_seq'",
                [],
            )
            .unwrap();
        }
        Tamper::Exchange(a, b) => {
            conn.execute(
                "UPDATE aura_audit AS x SET (at_us, actor, action, object, outcome, request_id, detail) =
                     (SELECT at_us, actor, action, object, outcome, request_id, detail FROM aura_audit AS y
                      WHERE y.seq = CASE x.seq WHEN ?1 THEN ?2 ELSE ?1 END)
                 WHERE seq IN (?1, ?2)",
                [a, b],
            )
            .unwrap();
        }
    }
    dump(conn) != before
}

fn dump(conn: &Connection) -> Vec<String> {
    let mut statement = conn
        .prepare("SELECT json_array(seq, at_us, actor, action, object, outcome, request_id, detail, hash) FROM aura_audit ORDER BY seq")
        .unwrap();
    let rows = statement.query_map([], |r| r.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn any_change_of_the_log_is_found() {
    let kit = Kit::sqlite();
    let dir = kit.dir().to_owned();
    run(async { drop(a_log(&kit).await) });
    let original = std::fs::read(file(&dir)).unwrap();
    let mut found = 0;
    let config = Config {
        cases: 300,
        failure_persistence: None,
        ..Config::default()
    };
    let found_ref = std::cell::RefCell::new(&mut found);
    TestRunner::new(config)
        .run(&tamper(), |tamper| {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(file(dir.path()), &original).unwrap();
            let conn = Connection::open(file(dir.path())).unwrap();
            let changed = apply(&conn, &tamper);
            drop(conn);
            let report = run(async {
                let jobs = Jobs::sqlite(file(dir.path())).open().await.unwrap();
                jobs.audit_verify(&[]).await.unwrap()
            });
            assert_eq!(report.whole, !changed, "{tamper:?}: {report:?}");
            assert_eq!(report.fault.is_some(), changed);
            **found_ref.borrow_mut() += usize::from(changed);
            Ok(())
        })
        .unwrap();
    assert!(found > 250, "{found}");
}

#[test]
fn a_log_made_anew_is_found_by_a_head_kept_elsewhere() {
    run(async {
        let kit = Kit::sqlite();
        let jobs = a_log(&kit).await;
        let kept = jobs.audit_head().await.unwrap();
        assert_eq!(kept.seq, 25);
        enqueue(&jobs, spec("work")).await;
        assert!(
            jobs.audit_verify(std::slice::from_ref(&kept))
                .await
                .unwrap()
                .whole
        );

        // Another history, whole in itself.
        let other = Kit::sqlite();
        let forged = a_log(&other).await;
        enqueue(&forged, spec("other")).await;
        let report = forged.audit_verify(&[]).await.unwrap();
        assert!(report.whole);
        let anchor = AuditHead {
            seq: 3,
            hash: jobs.changes(2, 1, Duration::ZERO).await.unwrap()[0]
                .hash
                .clone(),
        };
        // The same clock and the same jobs make the same log; a difference after the anchor is none before it.
        assert!(forged.audit_verify(&[anchor]).await.unwrap().whole);
        let anchor = AuditHead {
            seq: 26,
            hash: jobs.audit_head().await.unwrap().hash,
        };
        let report = forged.audit_verify(&[anchor]).await.unwrap();
        assert!(report.fault.unwrap().contains("kept elsewhere"));
        let beyond = AuditHead {
            seq: 27,
            hash: kept.hash,
        };
        let report = forged.audit_verify(&[beyond]).await.unwrap();
        assert!(report.fault.unwrap().contains("its end was cut off"));
    });
}

#[test]
fn a_sealed_log_is_whole_and_a_forged_seal_is_not() {
    run(async {
        let kit = Kit::sqlite();
        let jobs = a_log(&kit).await;
        assert_eq!(jobs.audit_seal(0).await.unwrap(), 0);
        assert_eq!(jobs.audit_seal(10).await.unwrap(), 10);
        let report = jobs.audit_verify(&[]).await.unwrap();
        assert_eq!(
            (report.whole, report.sealed_to, report.records),
            (true, 10, 16)
        );
        assert_eq!(jobs.audit_seal(20).await.unwrap(), 10);
        let report = jobs.audit_verify(&[]).await.unwrap();
        assert_eq!(
            (report.whole, report.sealed_to, report.records),
            (true, 20, 7)
        );
        // All that there is, the seal's own record too.
        assert_eq!(jobs.audit_seal(1_000).await.unwrap(), 7);
        enqueue(&jobs, spec("work")).await;
        assert!(jobs.audit_verify(&[]).await.unwrap().whole);

        let conn = Connection::open(file(kit.dir())).unwrap();
        let (seq, hash): (i64, String) = conn
            .query_row(
                "SELECT seq, hash FROM aura_audit ORDER BY seq LIMIT 1",
                [],
                |r| Ok((r.get(0)?, r.get(1)?)),
            )
            .unwrap();
        conn.execute("DELETE FROM aura_audit WHERE seq <= ?1", [seq])
            .unwrap();
        let seal = serde_json::json!({"seq": seq, "hash": hash}).to_string();
        conn.execute(
            "UPDATE aura_job_meta SET value = ?1 WHERE key = 'audit_seal'",
            [seal],
        )
        .unwrap();
        let report = jobs.audit_verify(&[]).await.unwrap();
        assert!(
            report
                .fault
                .unwrap()
                .contains("the seal was not made by AURA")
        );
        // A log that is not whole is not sealed over.
        assert_eq!(
            jobs.audit_seal(1_000).await.unwrap_err().kind(),
            ErrorKind::InvalidData
        );
    });
}

/// The export can be checked without AURA.
#[test]
fn an_export_is_checked_by_another_program() {
    let kit = Kit::sqlite();
    let mut out = Vec::new();
    run(async {
        let jobs = a_log(&kit).await;
        assert_eq!(jobs.audit_export(&mut out).await.unwrap(), 25);
    });
    let lines: Vec<Value> = String::from_utf8(out)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 25);
    assert_eq!(lines[24]["action"], "report.view");
    let checked = crate::python::run("job/check_log.py", &[], &Value::from(lines));
    assert_eq!(checked, serde_json::json!({"records": 25, "wrong": []}));
}
