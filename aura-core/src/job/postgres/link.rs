//! A connection that is made when it is needed, and made again when it broke.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Row as PgRow, Statement};

use crate::{Error, ErrorKind, Result};

/// Which database, and which schema in it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) config: Config,
    pub(super) schema: String,
}

impl Place {
    pub(super) fn new(url: &str, schema: &str) -> Result<Self> {
        let mut config = Config::from_str(url).map_err(|e| {
            Error::invalid_spec(
                "the address of PostgreSQL cannot be read; expected for example `postgres://user@host:5432/database`",
            )
            .with_source(e)
        })?;
        if config.get_ssl_mode() == SslMode::Require {
            return Err(Error::invalid_spec(
                "the address of PostgreSQL requires TLS, which this build does not have; use a local socket, a private network or a tunnel",
            ));
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(10));
        }
        if config.get_application_name().is_none() {
            config.application_name("aura-jobs");
        }
        let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let first = |c: char| c.is_ascii_lowercase() || c == '_';
        if schema.is_empty()
            || schema.len() > 48
            || !schema.starts_with(first)
            || !schema.chars().all(letters)
        {
            return Err(Error::invalid_spec(format!(
                "\"{schema}\" is no name for a schema of jobs; expected 1 to 48 of a-z, 0-9 and _, not beginning with a digit"
            )));
        }
        Ok(Place {
            config,
            schema: schema.to_owned(),
        })
    }

    /// The channel on which changes are told.
    pub(super) fn channel(&self) -> String {
        format!("aura_jobs_{}", self.schema)
    }

    /// What each connection begins with.
    pub(super) fn greeting(&self) -> String {
        // A server that acknowledges before the disk has it would break the promise of a durable answer; stricter settings stay.
        format!(
            "SET search_path TO {}; SET client_min_messages TO warning;
             SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
            self.schema
        )
    }
}

pub(super) struct Link {
    pub(super) place: Place,
    open: Option<Open>,
    in_transaction: bool,
}

struct Open {
    client: Client,
    new: bool,
    statements: HashMap<&'static str, Statement>,
}

impl Link {
    pub(super) fn new(place: Place) -> Self {
        Link {
            place,
            open: None,
            in_transaction: false,
        }
    }

    async fn open(&mut self) -> Result<&mut Open> {
        let broken = self.open.as_ref().is_none_or(|o| o.client.is_closed());
        if broken && self.in_transaction {
            return Err(Error::new(
                ErrorKind::Unavailable,
                "the connection to PostgreSQL broke in the middle of a transaction",
            ));
        }
        if broken {
            self.open = None;
            let (client, connection) = self
                .place
                .config
                .connect(NoTls)
                .await
                .map_err(|e| pg("cannot connect to PostgreSQL", e))?;
            tokio::spawn(async move {
                // Its end is seen at the next use of the client.
                let _ = connection.await;
            });
            client
                .batch_execute(&self.place.greeting())
                .await
                .map_err(|e| pg("cannot prepare the connection to PostgreSQL", e))?;
            self.open = Some(Open {
                client,
                new: true,
                statements: HashMap::new(),
            });
        }
        self.open
            .as_mut()
            .ok_or_else(|| Error::internal("a connection vanished"))
    }

    /// Runs a statement without parameters.
    pub(super) async fn batch(&mut self, text: &str) -> Result<()> {
        let open = self.open().await?;
        open.client
            .batch_execute(text)
            .await
            .map_err(|e| pg("PostgreSQL refuses a statement of the jobs", e))
    }

    /// Begins a transaction. Until it ends, a connection that breaks is not made again: the new one would know nothing of it.
    pub(super) async fn begin(&mut self) -> Result<()> {
        self.batch("BEGIN").await?;
        self.in_transaction = true;
        Ok(())
    }

    /// Ends the transaction.
    pub(super) async fn commit(&mut self) -> Result<()> {
        let committed = self.batch("COMMIT").await;
        self.in_transaction = false;
        committed
    }

    /// Runs a statement.
    pub(super) async fn query(
        &mut self,
        text: &'static str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<PgRow>> {
        let open = self.open().await?;
        let statement = match open.statements.get(text) {
            Some(statement) => statement.clone(),
            None => {
                let statement = open
                    .client
                    .prepare(text)
                    .await
                    .map_err(|e| pg("PostgreSQL cannot prepare a statement of the jobs", e))?;
                open.statements.insert(text, statement.clone());
                statement
            }
        };
        open.client
            .query(&statement, params)
            .await
            .map_err(|e| pg("PostgreSQL cannot run a statement of the jobs", e))
    }

    /// Tells whether this is asked for the first time on the connection that is open.
    pub(super) fn is_new(&mut self) -> bool {
        match &mut self.open {
            Some(open) => std::mem::replace(&mut open.new, false),
            None => false,
        }
    }

    /// Drops the connection, and with it the transaction that it may be in.
    pub(super) fn close(&mut self) {
        self.in_transaction = false;
        self.open = None;
    }
}

/// Makes the error of a failed call of PostgreSQL.
///
/// | PostgreSQL | kind |
/// |---|---|
/// | connection lost or refused, shutting down, deadlock, too many connections | `Unavailable` |
/// | disk or memory full, a value too large | `ResourceExhausted` |
/// | no right, wrong password | `Denied` |
/// | no such database | `NotFound` |
/// | all else | `Internal` |
pub(super) fn pg(what: &str, e: tokio_postgres::Error) -> Error {
    let kind = match e.code() {
        None => ErrorKind::Unavailable,
        Some(code) if *code == SqlState::INVALID_CATALOG_NAME => ErrorKind::NotFound,
        Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => ErrorKind::Denied,
        Some(code) if *code == SqlState::TOO_MANY_CONNECTIONS => ErrorKind::Unavailable,
        Some(code) => match code.code().get(..2) {
            Some("08" | "57" | "40" | "55") => ErrorKind::Unavailable,
            Some("53" | "54") => ErrorKind::ResourceExhausted,
            Some("28") => ErrorKind::Denied,
            _ => ErrorKind::Internal,
        },
    };
    let said = match e.as_db_error() {
        Some(db) => format!("{} ({})", db.message(), db.code().code()),
        None => e.to_string(),
    };
    Error::new(kind, format!("{what}: {said}")).with_source(e)
}
