//! Data contracts: what events should look like, and what to do with those that do not.
//!
//! A [`Contract`] is a YAML or JSON file. It declares events and their properties, compares with its
//! earlier versions ([`Contract::compare`]), can be written from data ([`Contract::infer`]), and is
//! compiled once to check batches at the speed of an ingest. The format is described for its users in
//! `docs/contracts.md`.

mod check;
mod compare;
mod compile;
mod infer;
mod literal;
mod model;
mod ordered;
mod parse;
mod pii;
mod table;
mod validate;

#[cfg(test)]
mod tests;

pub use compare::{Change, Compatibility};
pub use literal::Literal;
pub use model::{Contract, EventContract, OnViolation, Pii, PropertyContract};
pub use ordered::OrderedMap;

#[cfg(test)]
pub(crate) use check::{Rule, Violation};
pub(crate) use compile::CompiledContract;
