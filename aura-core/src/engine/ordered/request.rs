//! What a scan is asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use datafusion::logical_expr::Expr;

use super::Texts;
use crate::ingest::CancelToken;

/// The order of the rows of one actor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Order {
    /// By time, ties as the module says.
    #[default]
    Time,
    /// None: for kernels that only need an actor's rows together.
    Any,
}

/// The texts of columns by their names.
pub(crate) type SharedTexts = Arc<Mutex<HashMap<String, Arc<Texts>>>>;

/// What a scan reads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) columns: Vec<String>,
    /// Whether [`ActorBlock::names`](super::ActorBlock) is wanted.
    pub(crate) names: bool,
    /// Whether [`RowBlock::times`](super::RowBlock) are wanted; actor blocks always have them.
    pub(crate) times: bool,
    /// First moment (UTC microseconds, inclusive).
    pub(crate) from: Option<i64>,
    /// End (UTC microseconds, exclusive).
    pub(crate) to: Option<i64>,
    /// Only rows for which this is true. Its columns are the canonical ones, unqualified.
    pub(crate) filter: Option<Expr>,
    pub(crate) order: Order,
    /// Codes mean the same in all scans of requests that share these.
    pub(crate) texts: Option<SharedTexts>,
    pub(crate) cancel: CancelToken,
}

impl Request {
    /// Asks for a column of the table `events` (not for `actor` and `time`, which have places of
    /// their own); returns its place in the blocks. Asking twice gives the same place.
    pub(crate) fn want(&mut self, column: &str) -> usize {
        match self.columns.iter().position(|c| c == column) {
            Some(place) => place,
            None => {
                self.columns.push(column.to_owned());
                self.columns.len() - 1
            }
        }
    }
}
