//! The metrics that come with AURA: data in the format of every registry.

use super::Registry;
use super::parameter::Bindings;
use super::read::read;
use super::source::Source;
use crate::Result;

/// The files, in the order in which the reference shows them.
const FILES: [(&str, &str); 5] = [
    ("adoption", include_str!("../builtin/adoption.yaml")),
    ("usage", include_str!("../builtin/usage.yaml")),
    ("ai_coverage", include_str!("../builtin/ai_coverage.yaml")),
    ("provisioning", include_str!("../builtin/provisioning.yaml")),
    (
        "collaboration",
        include_str!("../builtin/collaboration.yaml"),
    ),
];

impl Registry {
    /// Returns the metrics that come with AURA, over the events and columns that their parameters name by default.
    ///
    /// # Errors
    /// [`Internal`](crate::ErrorKind::Internal) never in practice: the tests read these files.
    pub fn builtin() -> Result<Registry> {
        Registry::builtin_with(&Bindings::new())
    }

    /// Returns the metrics that come with AURA, with values for their parameters: which events mean what, and
    /// which columns hold it.
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) for a value of no parameter, or of another type.
    ///
    /// # Examples
    /// ```
    /// use aura_core::metric::{Bindings, Registry};
    ///
    /// let mut bindings = Bindings::new();
    /// bindings.insert("activated", "event = 'project_created'".into());
    /// let registry = Registry::builtin_with(&bindings)?;
    /// assert!(registry.get("adoption_rate").is_some());
    /// # Ok::<(), aura_core::Error>(())
    /// ```
    pub fn builtin_with(bindings: &Bindings) -> Result<Registry> {
        read(&sources(), bindings, None)
    }
}

fn sources() -> Vec<Source> {
    FILES
        .iter()
        .map(|(name, text)| Source {
            name: format!("built-in registry `{name}`"),
            text: (*text).to_owned(),
        })
        .collect()
}
