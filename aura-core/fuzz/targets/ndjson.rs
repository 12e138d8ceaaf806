//! NDJSON: nesting, escapes, numbers, broken lines.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| aura_core::fuzzing::read("ndjson", bytes));
