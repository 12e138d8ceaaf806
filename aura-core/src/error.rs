//! The one public error: a short kind that says what to do, and a message that says what is wrong.

use std::fmt;

/// What a caller should do about an [`Error`].
///
/// The names and numbers are part of the public interface of every binding and are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The call is wrong: fix the spec, the option or the SQL text.
    InvalidSpec,
    /// The data are wrong: fix the input named in the message.
    InvalidData,
    /// The thing named does not exist.
    NotFound,
    /// Somebody else changed the same thing, or the state does not allow this call.
    Conflict,
    /// The caller may not do this.
    Denied,
    /// A passing fault: the same call may succeed later.
    Unavailable,
    /// A limit of disk, memory or size was reached: free or raise it.
    ResourceExhausted,
    /// The caller cancelled the operation; nothing of it was kept.
    Cancelled,
    /// A fault in AURA itself: report it.
    Internal,
}

impl ErrorKind {
    /// Every kind, in the order of their codes.
    pub const ALL: [ErrorKind; 9] = [
        ErrorKind::InvalidSpec,
        ErrorKind::InvalidData,
        ErrorKind::NotFound,
        ErrorKind::Conflict,
        ErrorKind::Denied,
        ErrorKind::Unavailable,
        ErrorKind::ResourceExhausted,
        ErrorKind::Cancelled,
        ErrorKind::Internal,
    ];

    /// Returns the stable text code, for example `"INVALID_SPEC"`.
    pub fn code(self) -> &'static str {
        match self {
            ErrorKind::InvalidSpec => "INVALID_SPEC",
            ErrorKind::InvalidData => "INVALID_DATA",
            ErrorKind::NotFound => "NOT_FOUND",
            ErrorKind::Conflict => "CONFLICT",
            ErrorKind::Denied => "DENIED",
            ErrorKind::Unavailable => "UNAVAILABLE",
            ErrorKind::ResourceExhausted => "RESOURCE_EXHAUSTED",
            ErrorKind::Cancelled => "CANCELLED",
            ErrorKind::Internal => "INTERNAL",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// An error of the library: its [`kind`](Error::kind), a message, and the cause as
/// [`source`](std::error::Error::source).
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Cause>,
}

/// The result of every fallible call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Makes an error of `kind` with a message that names the thing, the value found and the value
    /// expected.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// Adds the cause, which stays reachable through `source()`.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Cause>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns what the caller should do.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the message without its causes.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Makes an [`ErrorKind::InvalidSpec`] error.
    pub fn invalid_spec(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::InvalidSpec, message)
    }

    /// Makes an [`ErrorKind::InvalidData`] error.
    pub fn invalid_data(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::InvalidData, message)
    }

    /// Makes an [`ErrorKind::NotFound`] error.
    pub fn not_found(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::NotFound, message)
    }

    /// Makes an [`ErrorKind::Internal`] error.
    pub fn internal(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Internal, message)
    }

    /// Makes the error for a failed file operation: `what` says what was tried and on which path.
    ///
    /// A full disk or quota is [`ErrorKind::ResourceExhausted`], a missing file
    /// [`ErrorKind::NotFound`], missing rights [`ErrorKind::Denied`], all else
    /// [`ErrorKind::Unavailable`].
    pub fn io(what: impl fmt::Display, source: std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        let kind = match source.kind() {
            Io::StorageFull | Io::QuotaExceeded | Io::FileTooLarge | Io::OutOfMemory => {
                ErrorKind::ResourceExhausted
            }
            Io::NotFound => ErrorKind::NotFound,
            Io::PermissionDenied | Io::ReadOnlyFilesystem => ErrorKind::Denied,
            _ => ErrorKind::Unavailable,
        };
        Error::new(kind, format!("{what}: {source}")).with_source(source)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|s| &**s as _)
    }
}

impl From<arrow::error::ArrowError> for Error {
    fn from(e: arrow::error::ArrowError) -> Self {
        use arrow::error::ArrowError as A;
        let kind = match &e {
            A::MemoryError(_) => ErrorKind::ResourceExhausted,
            A::IoError(_, io) => Error::io("reading", std::io::Error::from(io.kind())).kind,
            _ => ErrorKind::InvalidData,
        };
        Error::new(kind, e.to_string()).with_source(e)
    }
}

impl From<parquet::errors::ParquetError> for Error {
    fn from(e: parquet::errors::ParquetError) -> Self {
        let message = e.to_string();
        // The Parquet crate carries an I/O error as a boxed source; a full disk must stay visible.
        if let parquet::errors::ParquetError::External(inner) = &e
            && let Some(io) = inner.downcast_ref::<std::io::Error>()
        {
            let kind = Error::io("", std::io::Error::from(io.kind())).kind;
            return Error::new(kind, message).with_source(e);
        }
        Error::new(ErrorKind::InvalidData, message).with_source(e)
    }
}

impl From<datafusion::error::DataFusionError> for Error {
    fn from(e: datafusion::error::DataFusionError) -> Self {
        use datafusion::error::DataFusionError as D;
        // An error of ours that crossed the engine comes back as itself.
        match e {
            D::External(inner) => match inner.downcast::<Error>() {
                Ok(own) => *own,
                Err(other) => Error::new(ErrorKind::Internal, other.to_string()).with_source(other),
            },
            D::Context(_, inner) | D::Diagnostic(_, inner) => Error::from(*inner),
            D::Shared(inner) => Error::new(kind_of(&inner), inner.to_string()),
            other => {
                let kind = kind_of(&other);
                let error = Error::new(kind, strip_location(&other.to_string()));
                match kind {
                    // The message is all there is: a cause would say it again.
                    ErrorKind::InvalidSpec => error,
                    _ => error.with_source(other),
                }
            }
        }
    }
}

/// Removes the engine's own hint texts, which speak to its developers and not to ours.
fn strip_location(message: &str) -> String {
    message
        .split("\n\nbacktrace:")
        .next()
        .unwrap_or(message)
        .split("\nThis issue was likely caused by a bug in DataFusion")
        .next()
        .unwrap_or(message)
        .trim_end()
        .to_owned()
}

fn kind_of(e: &datafusion::error::DataFusionError) -> ErrorKind {
    use datafusion::error::DataFusionError as D;
    match e {
        D::SQL(..)
        | D::Plan(_)
        | D::SchemaError(..)
        | D::NotImplemented(_)
        | D::Configuration(_) => ErrorKind::InvalidSpec,
        D::ResourcesExhausted(_) => ErrorKind::ResourceExhausted,
        D::ArrowError(..) | D::ParquetError(_) | D::Execution(_) => ErrorKind::InvalidData,
        D::IoError(io) => Error::io("", std::io::Error::from(io.kind())).kind,
        D::ObjectStore(inner) => match **inner {
            object_store::Error::NotFound { .. } => ErrorKind::NotFound,
            _ => ErrorKind::Unavailable,
        },
        D::Context(_, inner) | D::Diagnostic(_, inner) => kind_of(inner),
        D::Shared(inner) => kind_of(inner),
        D::External(inner) => inner
            .downcast_ref::<Error>()
            .map_or(ErrorKind::Internal, Error::kind),
        D::Collection(all) => all.first().map_or(ErrorKind::Internal, kind_of),
        _ => ErrorKind::Internal,
    }
}

impl From<Error> for datafusion::error::DataFusionError {
    fn from(e: Error) -> Self {
        datafusion::error::DataFusionError::External(Box::new(e))
    }
}
