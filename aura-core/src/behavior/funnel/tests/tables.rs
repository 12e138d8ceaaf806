//! Funnels as tables.
