//! Tests of the executor over the ordered scan.

mod differential;
mod limits;
