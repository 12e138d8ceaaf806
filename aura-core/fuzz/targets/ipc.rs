//! Arrow IPC, file and stream: lengths and offsets that lie.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| aura_core::fuzzing::read("arrow_ipc", bytes));
