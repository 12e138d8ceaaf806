//! What functions return.

use crate::api::AuraError;

/// What a function returns: 0, or the kind of the error, which says what to do. The numbers never change, and none is used
/// again; a later version may add some.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// All went well.
    Ok = 0,
    /// The call is wrong: fix the spec, the option, the SQL text or the pointer.
    InvalidSpec = 1,
    /// The data are wrong: fix the input named in the message.
    InvalidData = 2,
    /// The thing named does not exist.
    NotFound = 3,
    /// Somebody else changed the same thing, or the state does not allow this call.
    Conflict = 4,
    /// The caller may not do this.
    Denied = 5,
    /// A passing fault: the same call may succeed later.
    Unavailable = 6,
    /// A limit of disk, memory or size was reached: free or raise it.
    ResourceExhausted = 7,
    /// The caller cancelled the operation; nothing of it was kept.
    Cancelled = 8,
    /// A fault in AURA itself: report it.
    Internal = 9,
}

impl From<&AuraError> for Status {
    fn from(error: &AuraError) -> Self {
        match error {
            AuraError::InvalidSpec(_) => Status::InvalidSpec,
            AuraError::InvalidData(_) => Status::InvalidData,
            AuraError::NotFound(_) => Status::NotFound,
            AuraError::Conflict(_) => Status::Conflict,
            AuraError::Denied(_) => Status::Denied,
            AuraError::Unavailable(_) => Status::Unavailable,
            AuraError::ResourceExhausted(_) => Status::ResourceExhausted,
            AuraError::Cancelled(_) => Status::Cancelled,
            AuraError::Internal(_) => Status::Internal,
        }
    }
}
