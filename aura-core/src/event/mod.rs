//! The event model: roles, the canonical schema, and data contracts. No I/O happens here.

pub mod contract;
mod roles;
mod schema;

pub(crate) use roles::ResolvedRoles;
pub use roles::{Roles, TimeUnit};
pub use schema::{ACTOR, EVENT, EVENT_ID, EXTRA, PropertyType, TIME, canonical_schema};
pub(crate) use schema::{MOST_PROPERTIES, is_reserved, time_type};
