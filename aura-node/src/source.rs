//! What is ingested: a path, bytes, a stream, a repository.

use std::io::{Error as IoError, Read};
use std::sync::{Arc, Mutex, PoisonError};

use aura_core::ingest::Source as CoreSource;
use aura_core::{Error, ErrorKind, Result};
use napi::Env;
use napi::bindgen_prelude::{PromiseRaw, Uint8ArraySlice};
use napi_derive::napi;
use tokio::sync::mpsc;

use crate::error::OrReject;
use crate::wait::promise;

/// Pieces of a stream that may wait to be read.
const WAITING: usize = 4;

/// A source of events. It is read once.
#[napi]
pub struct Source {
    source: Mutex<Option<CoreSource>>,
    /// Where the pieces of a stream go, until its end.
    feed: Arc<Mutex<Option<mpsc::Sender<Piece>>>>,
}

type Piece = std::result::Result<Vec<u8>, String>;

impl Source {
    fn new(source: CoreSource) -> Self {
        Source {
            source: Mutex::new(Some(source)),
            feed: Arc::default(),
        }
    }

    /// # Errors
    /// `Conflict` when it was taken already.
    pub(crate) fn take(&self) -> Result<CoreSource> {
        let source = self.source.lock();
        let source = source.unwrap_or_else(PoisonError::into_inner).take();
        source.ok_or_else(|| Error::new(ErrorKind::Conflict, "the source was read already"))
    }
}

#[napi]
impl Source {
    /// A file, or all files that match a glob.
    #[napi]
    pub fn path(path: String) -> Self {
        Source::new(CoreSource::path(path))
    }

    /// The whole content of a file.
    #[napi]
    pub fn bytes(name: String, content: Uint8ArraySlice<'_>) -> Self {
        Source::new(CoreSource::bytes(name, content.to_vec()))
    }

    /// The history of a git repository.
    #[napi]
    pub fn git(path: String, options: String) -> napi::Result<Self> {
        let options = aura_core::json::parse("the options", &options).or_reject()?;
        Ok(Source::new(CoreSource::git(path, options)))
    }

    /// A stream, whose pieces are pushed.
    #[napi]
    pub fn stream(name: String) -> Self {
        let (feed, pieces) = mpsc::channel(WAITING);
        let reader = Pieces {
            pieces,
            current: Vec::new(),
            at: 0,
        };
        Source {
            source: Mutex::new(Some(CoreSource::reader(name, reader))),
            feed: Arc::new(Mutex::new(Some(feed))),
        }
    }

    /// Adds a piece to the stream. The promise is settled when there is room for the next one; it is false when nobody reads any
    /// more.
    #[napi]
    pub fn push<'env>(
        &self,
        env: &'env Env,
        piece: Uint8ArraySlice<'_>,
    ) -> napi::Result<PromiseRaw<'env, bool>> {
        self.send(env, Ok(piece.to_vec()))
    }

    /// Says that the stream broke, and why.
    #[napi]
    pub fn fail<'env>(&self, env: &'env Env, why: String) -> napi::Result<PromiseRaw<'env, bool>> {
        self.send(env, Err(why))
    }

    /// Says that the stream is at its end.
    #[napi]
    pub fn end(&self) {
        let feed = self.feed.lock();
        feed.unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Source {
    fn send<'env>(&self, env: &'env Env, piece: Piece) -> napi::Result<PromiseRaw<'env, bool>> {
        let feed = self.feed.lock();
        let feed = feed.unwrap_or_else(PoisonError::into_inner).clone();
        promise(env, None, async move {
            Ok(match feed {
                Some(feed) => feed.send(piece).await.is_ok(),
                None => false,
            })
        })
    }
}

/// Reads what was pushed, on a thread of the core.
struct Pieces {
    pieces: mpsc::Receiver<Piece>,
    current: Vec<u8>,
    at: usize,
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.at == self.current.len() {
            match self.pieces.blocking_recv() {
                Some(Ok(piece)) => (self.current, self.at) = (piece, 0),
                Some(Err(why)) => return Err(IoError::other(why)),
                None => return Ok(0),
            }
        }
        let mut left = self.current.get(self.at..).unwrap_or_default();
        let read = left.read(into)?;
        self.at += read;
        Ok(read)
    }
}
