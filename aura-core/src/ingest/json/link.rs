//! What stood between two values the last time.

/// The bytes from the end of one value to the beginning of the next, and the key among them.
#[derive(Debug)]
pub(super) struct Link {
    /// The first 16 bytes, and which of them count.
    head: u128,
    mask: u128,
    /// The bytes after those.
    tail: Vec<u8>,
    len: usize,
    /// Position of the key that the next value belongs to.
    pub(super) key: u32,
}

const HEAD: usize = size_of::<u128>();
/// Longest text worth remembering.
const MAX_LEN: usize = 512;

impl Link {
    /// Makes a link that nothing follows.
    pub(super) fn new() -> Self {
        Link {
            head: 1,
            mask: 0,
            tail: Vec::new(),
            len: 0,
            key: 0,
        }
    }

    /// Remembers that `bytes` came before a value of `key`.
    pub(super) fn learn(&mut self, bytes: &[u8], key: u32) {
        if bytes.len() > MAX_LEN {
            return;
        }
        let (head, tail) = bytes.split_at(bytes.len().min(HEAD));
        self.head = load(head);
        self.mask = u128::MAX
            .checked_shr(8 * (HEAD - head.len()) as u32)
            .unwrap_or(0);
        self.tail.clear();
        self.tail.extend_from_slice(tail);
        self.len = bytes.len();
        self.key = key;
    }

    /// Returns the length of what was learned if `rest` begins with it.
    #[inline(always)]
    pub(super) fn follow(&self, rest: &[u8]) -> Option<usize> {
        // Rows end with few bytes left only at the end of a block.
        let word = match rest.first_chunk::<HEAD>() {
            Some(chunk) => u128::from_le_bytes(*chunk),
            None if rest.len() < self.len => return None,
            None => load(rest),
        };
        let found = word & self.mask == self.head
            && (self.len <= HEAD || rest.get(HEAD..)?.starts_with(&self.tail));
        found.then_some(self.len)
    }
}

#[cold]
fn load(bytes: &[u8]) -> u128 {
    let mut chunk = [0; HEAD];
    for (to, from) in chunk.iter_mut().zip(bytes) {
        *to = *from;
    }
    u128::from_le_bytes(chunk)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_bytes_follow() {
        let mut link = Link::new();
        for rest in ["", "\u{1}", "aaaaaaaaaaaaaaaaaaaaaaaa"] {
            assert_eq!(link.follow(rest.as_bytes()), None);
        }
        for len in [1, 7, 15, 16, 17, 40] {
            let text = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
            let learned = &text.as_bytes()[..len];
            link.learn(learned, 3);
            assert_eq!(link.follow(text.as_bytes()), Some(len));
            assert_eq!(link.follow(learned), Some(len));
            assert_eq!(link.follow(&learned[..len - 1]), None);
            for at in 0..len {
                let mut other = text.as_bytes().to_vec();
                other[at] ^= 1;
                assert_eq!(link.follow(&other), None);
            }
        }
        link.learn(&[b' '; MAX_LEN + 1], 4);
        assert_eq!(link.key, 3);
    }
}
