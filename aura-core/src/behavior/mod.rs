//! Behaviour: what each actor did, in order.
//!
//! Every analysis is a spec, a plain serde value with builder methods; [`Events::run`] answers it with a table, and
//! [`Events::run_all`] answers many in one pass over the events. An [`Analysis`] is any of them:
//!
//! - [`Funnel`]: how many go through steps, where they stop, and how long it takes;
//! - [`Sequence`]: whose events fit a pattern, and how often;
//! - [`Retention`]: who comes back, and what cohorts are worth;
//! - [`Sessions`]: events with no long gap between;
//! - [`Stickiness`]: on how many days actors are active;
//! - [`Lifecycle`]: who is new, returns, is awake again or has fallen asleep.
//!
//! All have fields in common: `filter` (which events count), `from` and `to`, `time_zone`, `by` (columns to break the
//! result down by), and `actor` (another column takes the role of the actor: a team, an account). They are described
//! for their users in `docs/behavior.md`.

mod charge;
mod column_names;
mod columns;
mod common;
mod filter;
pub(crate) mod funnel;
mod groups;
mod lifecycle;
mod making;
mod numbers;
mod pass;
mod periods;
pub(crate) mod retention;
mod sequence;
pub(crate) mod sessions;
mod shares;
mod stickiness;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod visits;
pub(crate) mod window;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::time::{Span, SpanUnit};
pub use column_names::ColumnNames;
pub use filter::EventFilter;
pub use funnel::{Attribution, Exclusion, Funnel, FunnelCount, FunnelSegment, Step, StepOrder};
pub use lifecycle::Lifecycle;
pub use retention::{Cohort, Retention, RetentionMode, RetentionOutput, RetentionWindow};
pub use sequence::Sequence;
pub use sessions::{Sessions, SessionsOutput};
pub use stickiness::{Stickiness, StickinessOutput};

use crate::document;
use crate::engine::{Events, Table, on_query_threads};
use crate::{Error, Result};

/// Makes [`Analysis`] of its kinds.
macro_rules! analyses {
    ($($(#[$doc:meta])* $kind:ident),+ $(,)?) => {
        /// Any analysis of behaviour.
        ///
        /// In JSON it is an object with the name of the analysis as its only key:
        /// `{"funnel": {"steps": ["signup", "order"]}}`.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Analysis {
            $($(#[$doc])* $kind($kind),)+
        }

        impl Analysis {
            /// Reads the JSON form.
            ///
            /// # Errors
            /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) with the place in the text and the path of the field, for
            /// what is no JSON, fields that are not known, and values that do not fit. What depends on the events is
            /// checked by [`Events::run`].
            ///
            /// # Examples
            /// ```
            /// use aura_core::behavior::Analysis;
            ///
            /// let error = Analysis::from_json(r#"{"funnel": {"steps": ["view", "order"], "wihtin": "7 days"}}"#).unwrap_err();
            /// assert!(error.message().ends_with("funnel: unknown key `wihtin`; did you mean `within`?"));
            /// ```
            pub fn from_json(text: &str) -> Result<Analysis> {
                document::from_json(text)
            }

            pub(crate) fn spec(&self) -> &dyn pass::Spec {
                match self {
                    $(Analysis::$kind(spec) => spec,)+
                }
            }
        }

        $(
            impl From<$kind> for Analysis {
                fn from(spec: $kind) -> Self {
                    Analysis::$kind(spec)
                }
            }

            impl From<&$kind> for Analysis {
                fn from(spec: &$kind) -> Self {
                    Analysis::$kind(spec.clone())
                }
            }
        )+
    };
}

analyses! {
    /// How many go through steps.
    Funnel,
    /// Whose events fit a pattern.
    Sequence,
    /// Who comes back.
    Retention,
    /// Events with no long gap between.
    Sessions,
    /// How often actors are active.
    Stickiness,
    /// New, returning, resurrected and dormant actors.
    Lifecycle,
}

impl From<&Analysis> for Analysis {
    fn from(analysis: &Analysis) -> Self {
        analysis.clone()
    }
}

impl Events {
    /// Answers an analysis of behaviour; the page of its spec says what the table holds.
    ///
    /// Dropping the future stops the scan.
    ///
    /// # Errors
    /// - [`InvalidSpec`](crate::ErrorKind::InvalidSpec) naming the field, for a spec that says nothing sensible or names
    ///   columns that are not there;
    /// - [`InvalidData`](crate::ErrorKind::InvalidData) for files and times that cannot be read;
    /// - [`ResourceExhausted`](crate::ErrorKind::ResourceExhausted) at the memory limit of the session.
    ///
    /// # Examples
    /// See [`Funnel`].
    pub async fn run(&self, spec: impl Into<Analysis>) -> Result<Table> {
        let tables = self.run_all(&[spec.into()]).await?;
        let first = tables.into_iter().next();
        first.ok_or_else(|| Error::internal("an analysis gave no table"))
    }

    /// Answers many analyses (at most 100) in one pass over the events, and returns their tables in the same order. Each
    /// is what [`run`](Events::run) returns for it alone; analyses with the role of the actor moved take a pass for each such
    /// column.
    ///
    /// # Errors
    /// As [`run`](Events::run); the message begins with the place of the analysis: `analyses[2]: …`.
    pub async fn run_all(&self, analyses: &[Analysis]) -> Result<Vec<Table>> {
        let (events, analyses) = (self.clone(), analyses.to_vec());
        on_query_threads(async move { pass::run(&events, &analyses).await }).await
    }
}
