//! DuckDB for tests: a program that shares no code with AURA, run on a store's database.
//!
//! It runs in Python (`tests/interop/check_ducklake.py`); the interpreter is `AURA_PYTHON`, by
//! default `python3`.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// Starts a command of the script on a database.
pub(crate) fn start(db: &Path, command: &str, args: &[&str]) -> Child {
    let python = std::env::var("AURA_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/interop/check_ducklake.py"
    );
    Command::new(&python)
        .args([script, command, db.to_str().unwrap()])
        .args(args)
        // A relative path in the catalog must not work by accident.
        .current_dir(std::env::temp_dir())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| {
            panic!(
                "cannot run the Python interpreter `{python}`: {e}. This test needs Python 3 \
                 with the packages that check_ducklake.py names; set AURA_PYTHON to its path"
            )
        })
}

/// Runs a command of the script on a database. Returns what it prints.
pub(crate) fn run(db: &Path, command: &str, args: &[&str]) -> Value {
    let output = start(db, command, args).wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "check_ducklake.py {command} {args:?} failed:\n{}\nSet AURA_PYTHON to an interpreter \
         that has the packages.",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}
