//! Metric registries, in YAML and in JSON, and the expressions in them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        aura_core::fuzzing::metric(text);
    }
});
