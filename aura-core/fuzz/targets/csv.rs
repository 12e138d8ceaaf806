//! CSV: quoting, changing column counts, encodings, compression by content.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| aura_core::fuzzing::read("csv", bytes));
