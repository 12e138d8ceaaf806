//! One JSON array of events.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| aura_core::fuzzing::read("json_array", bytes));
