//! Buffers that are used again when the last block in them is dropped.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;

/// Keeps the buffers of one source. A fresh buffer of several MiB costs the kernel a page fault for each
/// 4 KiB, more than reading into it does.
#[derive(Debug)]
pub(super) struct Pool {
    size: usize,
    free: Mutex<Vec<Vec<u8>>>,
}

impl Pool {
    pub(super) fn new(size: usize) -> Arc<Self> {
        Arc::new(Pool {
            size,
            free: Mutex::new(Vec::new()),
        })
    }

    /// Returns a buffer of at least `len` initialised bytes with unspecified content.
    pub(super) fn take(&self, len: usize) -> Vec<u8> {
        if len > self.size {
            return vec![0; len];
        }
        let free = self
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        free.unwrap_or_else(|| vec![0; self.size])
    }

    /// Shares the first `len` bytes of `buf`, which comes back when nobody has them any more.
    pub(super) fn share(self: &Arc<Self>, buf: Vec<u8>, len: usize) -> Bytes {
        Bytes::from_owner(Lease {
            len: len.min(buf.len()),
            buf,
            pool: Arc::downgrade(self),
        })
    }
}

struct Lease {
    buf: Vec<u8>,
    len: usize,
    pool: Weak<Pool>,
}

impl AsRef<[u8]> for Lease {
    fn as_ref(&self) -> &[u8] {
        &self.buf[..self.len]
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade()
            && self.buf.len() == pool.size
        {
            let buf = std::mem::take(&mut self.buf);
            let mut free = pool.free.lock().unwrap_or_else(PoisonError::into_inner);
            free.push(buf);
        }
    }
}
