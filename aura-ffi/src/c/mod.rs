//! The C interface; `include/aura.h` is made of it, and the comments there are the documentation of each function.
//!
//! Each function takes arguments over, asks an object of [`api`](crate::api), and hands the answer out. A handle is a counted
//! reference to such an object; a call holds a reference of its own while it runs.

#![allow(
    unsafe_code,
    reason = "C hands over pointers; what is demanded of them is said at the top of the header, once for all functions"
)]
#![allow(
    clippy::missing_safety_doc,
    reason = "the contract of pointers is that of the header, whose comments these are"
)]

pub mod abi;
mod arguments;
mod arrow_in;
pub mod bytes;
pub mod cancel;
pub mod contract;
pub mod events;
pub mod failure;
mod guard;
pub mod registry;
pub mod report;
pub mod source;
pub mod status;
pub mod store;
pub mod store_upkeep;
pub mod table;
