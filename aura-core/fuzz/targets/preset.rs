//! Exports of Segment, CloudEvents, PostHog and Mixpanel: mappings over whatever JSON there is.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| aura_core::fuzzing::preset(bytes));
