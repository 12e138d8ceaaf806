//! From one commit to one event, and from events to a record batch.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, BooleanBuilder, Int64Builder, StringArray, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use gix::ObjectId;

use super::assistant::{Helpers, assistant_of, is_bot};
use super::commit::{self, Identity};
use super::pseudonym::PseudonymKey;
use super::size::{Size, Sizer};
use super::trailer;
use super::walk::{Found, read_commit};
use crate::Result;
use crate::event::{ACTOR, EVENT, EVENT_ID, TIME};
use crate::ingest::RejectReason;

/// One commit as an event.
#[derive(Debug)]
pub(super) struct Row {
    id: ObjectId,
    actor: String,
    event: &'static str,
    time_us: i64,
    committed_us: Option<i64>,
    author_offset_minutes: Option<i64>,
    bot: bool,
    size: Size,
    human_co_authors: i64,
    ai_assistant: Option<&'static str>,
}

/// A commit that cannot be an event.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) field: &'static str,
    pub(super) reason: RejectReason,
    pub(super) message: String,
    pub(super) original: Vec<u8>,
}

/// What all rows of one read have in common.
pub(super) struct Context {
    pub(super) mailmap: gix::mailmap::Snapshot,
    pub(super) pseudonymize: Option<PseudonymKey>,
    pub(super) shallow: HashSet<ObjectId>,
    pub(super) max_blob_bytes: u64,
    pub(super) partial: bool,
}

/// Makes rows with its own handle on the repository, so that several can work at once.
pub(super) struct Worker {
    repo: gix::Repository,
    sizer: Sizer,
    commit: Vec<u8>,
    parent: Vec<u8>,
}

impl Worker {
    pub(super) fn new(mut repo: gix::Repository, context: &Context) -> Self {
        // Neighbouring commits share most of their trees.
        repo.object_cache_size(32 << 20);
        Worker {
            repo,
            sizer: Sizer::new(context.max_blob_bytes, context.partial),
            commit: Vec::new(),
            parent: Vec::new(),
        }
    }

    /// Reads the commit and makes its row, or says why there is none.
    pub(super) fn row(&mut self, context: &Context, found: Found) -> Result<Result<Row, Refused>> {
        let data = read_commit(&self.repo, found.id, &mut self.commit)?;
        let commit = commit::parse(data);
        let refuse = |field, reason, message| {
            Ok(Err(Refused {
                field,
                reason,
                message,
                original: data.to_vec(),
            }))
        };
        let Some(author) = commit.author else {
            return refuse(
                ACTOR,
                RejectReason::Malformed,
                format!("commit {}: no `author` line", found.id),
            );
        };
        let Some(moment) = author.moment() else {
            return refuse(
                TIME,
                RejectReason::InvalidTime,
                format!(
                    "commit {}: author date `{}`, expected seconds since 1970 within the years -9999 to 9999",
                    found.id,
                    String::from_utf8_lossy(author.date)
                ),
            );
        };
        let person = context.person(&author);
        if person.is_empty() {
            return refuse(
                ACTOR,
                RejectReason::MissingRole,
                format!(
                    "commit {}: the author has neither e-mail nor name",
                    found.id
                ),
            );
        }
        let size = match (commit.tree, commit.parents.as_slice()) {
            (None, _) => {
                return refuse(
                    "tree",
                    RejectReason::Malformed,
                    format!("commit {}: no `tree` line", found.id),
                );
            }
            // The parent is not in the repository, so what changed cannot be known.
            _ if context.shallow.contains(&found.id) => Size::default(),
            (Some(tree), []) => self.sizer.size(&self.repo, None, tree)?,
            (Some(tree), [parent]) => {
                let before =
                    commit::parse(read_commit(&self.repo, *parent, &mut self.parent)?).tree;
                self.sizer.size(&self.repo, before, tree)?
            }
            // git shows no statistics for a merge.
            _ => Size::default(),
        };
        let mut helpers = Helpers::default();
        let message = String::from_utf8_lossy(commit.message);
        for trailer in trailer::parse(&message) {
            helpers.add(trailer.key, &trailer.value, &person, |name, email| {
                context.person(&Identity {
                    name: name.as_bytes(),
                    email: email.as_bytes(),
                    date: b"",
                })
            });
        }
        Ok(Ok(Row {
            id: found.id,
            event: if commit.parents.len() > 1 {
                "merge"
            } else {
                "commit"
            },
            time_us: moment.time_us,
            committed_us: commit.committer.and_then(|c| c.moment()).map(|m| m.time_us),
            author_offset_minutes: moment.offset_minutes,
            bot: is_bot(
                &String::from_utf8_lossy(author.name),
                &String::from_utf8_lossy(author.email),
            ),
            size,
            human_co_authors: i64::try_from(helpers.humans.len()).unwrap_or(i64::MAX),
            // An agent that commits under its own name names itself in no trailer.
            ai_assistant: helpers.assistant.or_else(|| {
                assistant_of(
                    &String::from_utf8_lossy(author.name),
                    &String::from_utf8_lossy(author.email),
                    true,
                )
            }),
            actor: match &context.pseudonymize {
                Some(key) => key.pseudonym(&person)?,
                None => person,
            },
        }))
    }
}

impl Context {
    /// Returns who somebody is: the mailmapped address in lower case, or the name if there is no address.
    fn person(&self, identity: &Identity<'_>) -> String {
        let signature = gix::actor::SignatureRef {
            name: identity.name.into(),
            email: identity.email.into(),
            time: "",
        };
        let mapped = self.mailmap.try_resolve_ref(signature);
        let email = mapped
            .as_ref()
            .and_then(|m| m.email)
            .map_or(identity.email, |e| e);
        let name = mapped
            .as_ref()
            .and_then(|m| m.name)
            .map_or(identity.name, |n| n);
        let chosen = if email.trim_ascii().is_empty() {
            name
        } else {
            email
        };
        String::from_utf8_lossy(chosen).trim().to_lowercase()
    }
}

/// Returns the schema of the batches of [`GitReader`](super::GitReader).
pub(super) fn schema() -> SchemaRef {
    let text = |name, nullable| Field::new(name, DataType::Utf8, nullable);
    let int = |name| Field::new(name, DataType::Int64, true);
    let time = |name, nullable| Field::new(name, crate::event::time_type(), nullable);
    Arc::new(Schema::new(vec![
        text(EVENT_ID, false),
        text(ACTOR, false),
        text(EVENT, false),
        time(TIME, false),
        time("committed_at", true),
        text("repo", false),
        int("author_offset_minutes"),
        Field::new("bot", DataType::Boolean, false),
        int("files"),
        int("insertions"),
        int("deletions"),
        Field::new("human_co_authors", DataType::Int64, false),
        text("ai_assistant", true),
    ]))
}

/// Makes the batch of `rows`, which all are of `repo`.
pub(super) fn batch(rows: &[Row], repo: &str) -> Result<RecordBatch> {
    let mut ids = StringBuilder::with_capacity(rows.len(), rows.len() * 40);
    let mut actors = StringBuilder::new();
    let mut times = TimestampMicrosecondBuilder::with_capacity(rows.len()).with_timezone("UTC");
    let mut committed = TimestampMicrosecondBuilder::with_capacity(rows.len()).with_timezone("UTC");
    let mut bots = BooleanBuilder::with_capacity(rows.len());
    let mut ints: [Int64Builder; 5] =
        std::array::from_fn(|_| Int64Builder::with_capacity(rows.len()));
    let mut assistants = StringBuilder::new();
    for row in rows {
        ids.append_value(row.id.to_string());
        actors.append_value(&row.actor);
        times.append_value(row.time_us);
        committed.append_option(row.committed_us);
        bots.append_value(row.bot);
        let values = [
            row.author_offset_minutes,
            row.size.files,
            row.size.insertions,
            row.size.deletions,
            Some(row.human_co_authors),
        ];
        for (builder, value) in ints.iter_mut().zip(values) {
            builder.append_option(value);
        }
        assistants.append_option(row.ai_assistant);
    }
    let [offset, files, insertions, deletions, humans] =
        ints.map(|mut builder| Arc::new(builder.finish()) as ArrayRef);
    let bots: BooleanArray = bots.finish();
    Ok(RecordBatch::try_new(
        schema(),
        vec![
            Arc::new(ids.finish()),
            Arc::new(actors.finish()),
            Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r.event))),
            Arc::new(times.finish()),
            Arc::new(committed.finish()),
            Arc::new(StringArray::from_iter_values(rows.iter().map(|_| repo))),
            offset,
            Arc::new(bots),
            files,
            insertions,
            deletions,
            humans,
            Arc::new(assistants.finish()),
        ],
    )?)
}
