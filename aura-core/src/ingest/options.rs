//! What to do with a source, and what came of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{CancelToken, Format, Limits, Preset, Progress, ProgressFn, Reject};
use crate::event::Roles;
use crate::event::contract::Contract;

/// Options of an ingest or an append. The default finds roles, format and types by itself.
#[derive(Clone, Default)]
pub struct IngestOptions {
    /// Which columns are the roles.
    pub roles: Roles,
    /// The format, where it shall not be recognised by content.
    pub format: Option<Format>,
    /// The producer's format, for events of Segment, CloudEvents, PostHog or Mixpanel. It knows the
    /// roles; of `roles` only `actor` (another property as the actor), `time_zone` and `time_unit` are
    /// used with it.
    pub preset: Option<Preset>,
    /// The data contract that every row is checked against. With a contract, only declared
    /// properties (and columns that the store already has) become columns; the others are kept in
    /// `extra`. Without one, columns are found in the first rows.
    pub contract: Option<Arc<Contract>>,
    /// Limits against bad input.
    pub limits: Limits,
    /// Called with the progress after each piece of some megabytes.
    pub progress: Option<ProgressFn>,
    /// Stops the operation from another thread.
    pub cancel: CancelToken,
}

impl std::fmt::Debug for IngestOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IngestOptions")
            .field("roles", &self.roles)
            .field("format", &self.format)
            .field("preset", &self.preset)
            .field("contract", &self.contract.as_ref().map(|c| &c.name))
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl IngestOptions {
    /// Options with the given roles.
    pub fn with_roles(roles: Roles) -> Self {
        IngestOptions {
            roles,
            ..IngestOptions::default()
        }
    }

    /// Options for a producer's format.
    pub fn with_preset(preset: Preset) -> Self {
        IngestOptions {
            preset: Some(preset),
            ..IngestOptions::default()
        }
    }

    /// Adds a contract.
    #[must_use]
    pub fn contract(mut self, contract: impl Into<Arc<Contract>>) -> Self {
        self.contract = Some(contract.into());
        self
    }

    /// Adds a callback for the progress.
    #[must_use]
    pub fn on_progress(mut self, progress: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    /// Adds a token that cancels the operation.
    #[must_use]
    pub fn cancel(mut self, token: CancelToken) -> Self {
        self.cancel = token;
        self
    }
}

/// The counts of an ingest or an append.
///
/// `read == accepted + rejected + dropped + duplicate`, always.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IngestReport {
    /// Rows read.
    pub read: u64,
    /// Rows that are now in the store and were not before.
    pub accepted: u64,
    /// Rows in quarantine.
    pub rejected: u64,
    /// Rows left out because a contract says `drop`.
    pub dropped: u64,
    /// Rows whose event id the store already had, or had earlier in the same input.
    pub duplicate: u64,
    /// Rejected rows by reason code.
    pub rejected_by_reason: BTreeMap<String, u64>,
    /// The first rejects, at most [`Limits::max_rejects_returned`]. All are in the quarantine.
    pub rejects: Vec<Reject>,
    /// Columns that this input added to the store.
    pub columns_added: Vec<String>,
    /// Bytes read from the sources (compressed bytes of compressed ones).
    pub bytes: u64,
    /// Snapshot that holds the rows; `None` while they are staged, or when nothing was stored.
    pub snapshot: Option<i64>,
    /// What a careful reader should know, for example that some rows of a source without event ids were
    /// known already.
    pub notes: Vec<String>,
}

impl IngestReport {
    /// Adds rejects to the counts, keeping the first `keep` of them.
    pub(crate) fn count_rejects(&mut self, rejects: &[Reject], keep: usize) {
        self.rejected += rejects.len() as u64;
        for reject in rejects {
            let code = reject.reason.code();
            match self.rejected_by_reason.get_mut(code) {
                Some(n) => *n += 1,
                None => {
                    self.rejected_by_reason.insert(code.to_owned(), 1);
                }
            }
        }
        let room = keep.saturating_sub(self.rejects.len());
        self.rejects.extend(rejects.iter().take(room).cloned());
    }
}
