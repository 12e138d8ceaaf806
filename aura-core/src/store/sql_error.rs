//! The one place where SQLite's errors become the library's.

use std::fmt;

use rusqlite::{ErrorCode, ffi};

use crate::{Error, ErrorKind};

/// Makes the error for a failed call of the database: `what` says what was tried.
///
/// | SQLite | kind |
/// |---|---|
/// | full disk, quota, memory, too large a value | [`ErrorKind::ResourceExhausted`] |
/// | busy, locked, interrupted, other I/O | [`ErrorKind::Unavailable`] |
/// | corrupt, not a database, values of an unexpected type | [`ErrorKind::InvalidData`] |
/// | read-only, no permission, cannot open | [`ErrorKind::Denied`] |
/// | constraint violated | [`ErrorKind::Conflict`] |
/// | all else | [`ErrorKind::Internal`] |
pub(crate) fn sql_error(what: impl fmt::Display, e: rusqlite::Error) -> Error {
    Error::new(kind_of(&e), format!("{what}: {e}")).with_source(e)
}

impl From<rusqlite::Error> for Error {
    fn from(e: rusqlite::Error) -> Self {
        sql_error("the database of the store", e)
    }
}

fn kind_of(e: &rusqlite::Error) -> ErrorKind {
    use rusqlite::Error as E;
    match e {
        E::SqliteFailure(failure, _) => kind_of_code(failure),
        E::SqlInputError { error, .. } => kind_of_code(error),
        // The database holds something else than this library or DuckLake puts there.
        E::FromSqlConversionFailure(..)
        | E::IntegralValueOutOfRange(..)
        | E::Utf8Error(..)
        | E::InvalidColumnType(..)
        | E::QueryReturnedNoRows
        | E::QueryReturnedMoreThanOneRow => ErrorKind::InvalidData,
        E::NulError(_) | E::InvalidPath(_) => ErrorKind::InvalidSpec,
        // The rest are misuses of the database's interface. The list is open (`non_exhaustive`).
        _ => ErrorKind::Internal,
    }
}

fn kind_of_code(failure: &ffi::Error) -> ErrorKind {
    use ErrorCode as C;
    match failure.code {
        C::DiskFull | C::OutOfMemory | C::TooBig => ErrorKind::ResourceExhausted,
        C::SystemIoFailure => match failure.extended_code {
            // SQLite itself turns "no space" on a write into `SQLITE_FULL`; an exceeded quota or
            // file size limit stays a failed write. The shared-memory file cannot grow on a full
            // disk.
            ffi::SQLITE_IOERR_WRITE
            | ffi::SQLITE_IOERR_SHMSIZE
            | ffi::SQLITE_IOERR_SHMOPEN
            | ffi::SQLITE_IOERR_NOMEM => ErrorKind::ResourceExhausted,
            ffi::SQLITE_IOERR_CORRUPTFS | ffi::SQLITE_IOERR_DATA => ErrorKind::InvalidData,
            _ => ErrorKind::Unavailable,
        },
        C::DatabaseBusy
        | C::DatabaseLocked
        | C::FileLockingProtocolFailed
        | C::OperationInterrupted
        | C::OperationAborted
        | C::SchemaChanged => ErrorKind::Unavailable,
        C::DatabaseCorrupt | C::NotADatabase | C::TypeMismatch => ErrorKind::InvalidData,
        C::ReadOnly
        | C::CannotOpen
        | C::PermissionDenied
        | C::AuthorizationForStatementDenied
        | C::NoLargeFileSupport => ErrorKind::Denied,
        C::ConstraintViolation => ErrorKind::Conflict,
        C::InternalMalfunction
        | C::NotFound
        | C::ApiMisuse
        | C::ParameterOutOfRange
        | C::Unknown => ErrorKind::Internal,
        _ => ErrorKind::Internal,
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, OpenFlags, ffi};

    use super::sql_error;
    use crate::ErrorKind;

    fn kind(code: i32) -> ErrorKind {
        sql_error(
            "test",
            rusqlite::Error::SqliteFailure(ffi::Error::new(code), None),
        )
        .kind()
    }

    #[test]
    fn codes_become_kinds() {
        assert_eq!(kind(ffi::SQLITE_FULL), ErrorKind::ResourceExhausted);
        assert_eq!(kind(ffi::SQLITE_IOERR_WRITE), ErrorKind::ResourceExhausted);
        assert_eq!(kind(ffi::SQLITE_IOERR_READ), ErrorKind::Unavailable);
        assert_eq!(kind(ffi::SQLITE_BUSY), ErrorKind::Unavailable);
        assert_eq!(kind(ffi::SQLITE_BUSY_SNAPSHOT), ErrorKind::Unavailable);
        assert_eq!(kind(ffi::SQLITE_CORRUPT), ErrorKind::InvalidData);
        assert_eq!(kind(ffi::SQLITE_NOTADB), ErrorKind::InvalidData);
        assert_eq!(kind(ffi::SQLITE_READONLY), ErrorKind::Denied);
        assert_eq!(kind(ffi::SQLITE_CANTOPEN), ErrorKind::Denied);
    }

    #[test]
    fn real_failures_keep_their_cause() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch("CREATE TABLE t(a INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)")
            .unwrap();
        let e = crate::Error::from(db.execute("INSERT INTO t VALUES (1)", []).unwrap_err());
        assert_eq!(e.kind(), ErrorKind::Conflict);
        assert!(std::error::Error::source(&e).is_some());

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        std::fs::write(
            &path,
            b"this is not a database, but it is long enough to look like one",
        )
        .unwrap();
        let db = Connection::open(&path).unwrap();
        let e = db.query_row("SELECT 1 FROM t", [], |_| Ok(())).unwrap_err();
        assert_eq!(sql_error("reading", e).kind(), ErrorKind::InvalidData);

        let missing = Connection::open_with_flags(
            dir.path().join("missing.db"),
            OpenFlags::SQLITE_OPEN_READ_ONLY,
        );
        assert_eq!(
            sql_error("opening", missing.unwrap_err()).kind(),
            ErrorKind::Denied
        );
    }
}
