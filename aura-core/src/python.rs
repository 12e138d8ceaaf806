//! Programs in Python that tests compare with, run by `AURA_PYTHON`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Runs a script of `tests/` with JSON on its input and reads the JSON on its output.
pub(crate) fn run(script: &str, args: &[&str], input: &Value) -> Value {
    serde_json::from_slice(&output(script, args, input)).unwrap()
}

/// Runs a script of `tests/` with JSON on its input; returns what it prints.
pub(crate) fn output(script: &str, args: &[&str], input: &Value) -> Vec<u8> {
    let python = std::env::var("AURA_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let path = format!("{}/tests/{script}", env!("CARGO_MANIFEST_DIR"));
    let mut child = Command::new(&python)
        .arg(path)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{python}: {e}; set AURA_PYTHON to an interpreter with the packages of tests/requirements.txt"));
    let mut stdin = child.stdin.take().unwrap();
    let bytes = serde_json::to_vec(input).unwrap();
    let writer = std::thread::spawn(move || {
        // A script that does not read its input may be gone.
        _ = stdin.write_all(&bytes);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(
        output.status.success(),
        "{script} {args:?} failed: {}\nSet AURA_PYTHON to an interpreter with the packages of tests/requirements.txt.",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}
