//! The one error, with a variant for each kind.

use aura_core::{Error, ErrorKind};

/// What went wrong: the variant says what to do, the text what is wrong.
#[derive(Debug, thiserror::Error, uniffi::Error)]
#[uniffi(flat_error)]
pub enum AuraError {
    /// The call is wrong: fix the spec, the option or the SQL text.
    #[error(transparent)]
    InvalidSpec(Error),
    /// The data are wrong: fix the input named in the message.
    #[error(transparent)]
    InvalidData(Error),
    /// The thing named does not exist.
    #[error(transparent)]
    NotFound(Error),
    /// Somebody else changed the same thing, or the state does not allow this call.
    #[error(transparent)]
    Conflict(Error),
    /// The caller may not do this.
    #[error(transparent)]
    Denied(Error),
    /// A passing fault: the same call may succeed later.
    #[error(transparent)]
    Unavailable(Error),
    /// A limit of disk, memory or size was reached: free or raise it.
    #[error(transparent)]
    ResourceExhausted(Error),
    /// The caller cancelled the operation; nothing of it was kept.
    #[error(transparent)]
    Cancelled(Error),
    /// A fault in AURA itself: report it.
    #[error(transparent)]
    Internal(Error),
}

impl From<Error> for AuraError {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::InvalidSpec => AuraError::InvalidSpec(error),
            ErrorKind::InvalidData => AuraError::InvalidData(error),
            ErrorKind::NotFound => AuraError::NotFound(error),
            ErrorKind::Conflict => AuraError::Conflict(error),
            ErrorKind::Denied => AuraError::Denied(error),
            ErrorKind::Unavailable => AuraError::Unavailable(error),
            ErrorKind::ResourceExhausted => AuraError::ResourceExhausted(error),
            ErrorKind::Cancelled => AuraError::Cancelled(error),
            // A kind that is newer than this list is still an error of the library.
            _ => AuraError::Internal(error),
        }
    }
}

impl AuraError {
    /// Returns the error of the core.
    pub fn inner(&self) -> &Error {
        match self {
            AuraError::InvalidSpec(error)
            | AuraError::InvalidData(error)
            | AuraError::NotFound(error)
            | AuraError::Conflict(error)
            | AuraError::Denied(error)
            | AuraError::Unavailable(error)
            | AuraError::ResourceExhausted(error)
            | AuraError::Cancelled(error)
            | AuraError::Internal(error) => error,
        }
    }
}
