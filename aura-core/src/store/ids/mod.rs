//! The event-id index: says, exactly and fast, whether an id was seen before.
//!
//! "The same `event_id` counts once, however often it is sent" asks one set-membership question for
//! every event ever ingested, in bounded memory. The index answers from
//!
//! * a hash table of the latest ids ([`table`]), 13 bytes an id, one cache miss a lookup;
//! * past the memory budget, sorted runs in nameless files ([`run`]), each behind a Bloom filter
//!   ([`filter`]), so that a new id costs one more cache miss for each of at most about ten runs.
//!
//! One background thread writes tables to runs and merges runs; no caller waits for that unless it
//! outruns the disk. The index is derived data: it is filled from the stored events after opening
//! ([`IdIndex::bulk_load`]), and nothing of it survives the process.

mod chain;
mod filter;
mod hash;
mod index;
mod key;
mod layer;
mod pending;
mod run;
mod spill;
mod state;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use chain::ChainHasher;
pub(crate) use hash::IdHasher;
pub(crate) use index::{IdIndex, IdIndexOptions};
pub(crate) use pending::Pending;
