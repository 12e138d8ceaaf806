//! Tests of the executor over the ordered scan.

mod data;
mod differential;
mod limits;
