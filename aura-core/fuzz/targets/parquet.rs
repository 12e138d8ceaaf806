//! Parquet: footers and pages that lie.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| aura_core::fuzzing::read("parquet", bytes));
