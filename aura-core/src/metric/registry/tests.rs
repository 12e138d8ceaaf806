mod broken;
mod builtin;
mod changes;
mod files;
mod format;

use super::Registry;

/// A registry that uses every kind and every key.
const WHOLE: &str = include_str!("../../../tests/metric_registry/whole.yaml");

fn whole() -> Registry {
    Registry::parse(WHOLE).unwrap_or_else(|e| panic!("{e}"))
}
