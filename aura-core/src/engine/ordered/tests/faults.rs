//! Faults: of the caller, of kernels, of files.

use super::*;
use crate::ErrorKind;
use crate::event::Roles;

fn some(rows: usize) -> Vec<Row> {
    (0..rows)
        .map(|i| Row {
            id: i.to_string(),
            actor: format!("u{}", i % 100),
            event: "view".to_owned(),
            time: i as i64,
            team: Some(format!("team {}", i % 7)),
            n: Some(i as i64),
        })
        .collect()
}

#[test]
fn an_unknown_column_is_named_with_those_that_exist() {
    let source = source(vec![batch(&some(3), Text::Plain, true)], 1);
    let mut request = Request::default();
    request.want("teem");
    let error = source.actors(&request, &Collect).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSpec);
    assert!(
        error.message().contains("`teem`") && error.message().contains("team"),
        "{error}"
    );
    let request = Request {
        filter: Some(datafusion::prelude::col("team")),
        ..Collect::request()
    };
    let error = source.actors(&request, &Collect).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSpec, "{error}");
}

/// Cancels, fails or panics at the third block.
struct Bad(&'static str, crate::ingest::CancelToken);

impl Kernel for Bad {
    type State = usize;

    fn new_state(&self) -> usize {
        0
    }

    fn block(&self, state: &mut usize, _: &ActorBlock) -> Result<()> {
        *state += 1;
        match self.0 {
            _ if *state != 3 => Ok(()),
            "fail" => Err(crate::Error::invalid_data("it fails")),
            "panic" => panic!("it panics"),
            _ => {
                self.1.cancel();
                Ok(())
            }
        }
    }

    fn combine(&self, into: usize, from: usize) -> Result<usize> {
        Ok(into + from)
    }
}

#[test]
fn a_kernel_that_fails_panics_or_is_cancelled_ends_the_scan() {
    let expected = [
        ("fail", ErrorKind::InvalidData),
        ("panic", ErrorKind::Internal),
        ("cancel", ErrorKind::Cancelled),
    ];
    for threads in [1, 4] {
        let source = source(vec![batch(&some(2_000), Text::View, true)], threads);
        for (how, kind) in expected {
            let request = Request::default();
            let kernel = Bad(how, request.cancel.clone());
            let error = source.actors(&request, &kernel).unwrap_err();
            assert_eq!(error.kind(), kind, "{how}: {error}");
        }
    }
}

#[test]
fn a_scan_that_is_cancelled_before_it_begins_reads_nothing() {
    let source = source(vec![batch(&some(10), Text::View, true)], 2);
    let request = Request::default();
    request.cancel.cancel();
    let error = source.actors(&request, &Collect).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}

#[test]
fn a_damaged_file_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.parquet");
    let table = batch(&some(5_000), Text::Plain, true);
    let mut out = parquet::arrow::ArrowWriter::try_new(Vec::new(), table.schema(), None).unwrap();
    out.write(&table).unwrap();
    let good = out.into_inner().unwrap();
    let scan = |bytes: &[u8]| {
        std::fs::write(&path, &good).unwrap();
        let pattern = path.to_string_lossy().into_owned();
        let events = run(Events::from_files(
            &pattern,
            &Roles::default(),
            &settings(2),
        ))
        .unwrap();
        std::fs::write(&path, bytes).unwrap();
        events.scan_source().actors(&Collect::request(), &Collect)
    };
    assert_eq!(scan(&good).unwrap().state.len(), 100);
    let mut failed = 0;
    for at in (10..good.len() / 2).step_by(good.len() / 60) {
        let mut bytes = good.clone();
        for byte in &mut bytes[at..at + 24] {
            *byte = !*byte;
        }
        if let Err(error) = scan(&bytes) {
            failed += 1;
            assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
            assert!(error.message().contains("events.parquet"), "{error}");
        }
    }
    assert!(failed > 2, "{failed}");
    let error = scan(&good[..good.len() / 2]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
    std::fs::remove_file(&path).unwrap();
}
