//! AURA for C and C++, and through UniFFI for Kotlin, Swift, Ruby and Python. It converts, calls the core and converts back;
//! every rule is in the core.
//!
//! The objects of [`api`] are what UniFFI hands to its languages, and [`c`] is the C interface over the same objects: the header
//! `include/aura.h` is made of it. Specs, options and reports cross as JSON; tables by Arrow's C interfaces (C) or as Arrow
//! IPC bytes (UniFFI).

#![warn(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used
)]
#![allow(
    clippy::missing_errors_doc,
    reason = "each function fails as that of the core that it calls, with the kind and the message of the core"
)]

pub mod api;
pub mod c;
mod wait;

uniffi::setup_scaffolding!("aura_ffi");
