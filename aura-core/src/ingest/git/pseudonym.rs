//! Names for people that say nothing about them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A secret with which actors are replaced by pseudonyms. The same key gives the same pseudonyms, so that events
/// of several repositories and of later reads fit together; whoever has no key cannot try addresses out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PseudonymKey(String);

const SHA1_BLOCK: usize = 64;

impl PseudonymKey {
    /// Makes a key from any text; 16 random characters or more are a good one.
    pub fn new(secret: impl Into<String>) -> Self {
        PseudonymKey(secret.into())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns `dev_` and the first 12 hexadecimal digits of HMAC-SHA1 (RFC 2104) of `person`.
    ///
    /// 48 bits: two of 100,000 people share a pseudonym with probability 2 in 100,000.
    pub(super) fn pseudonym(&self, person: &str) -> Result<String> {
        let digest = hmac_sha1(self.0.as_bytes(), person.as_bytes())?;
        Ok(format!("dev_{}", digest.to_hex_with_len(12)))
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey(..)")
    }
}

fn hmac_sha1(key: &[u8], text: &[u8]) -> Result<gix::ObjectId> {
    let mut block = [0_u8; SHA1_BLOCK];
    if key.len() > SHA1_BLOCK {
        let short = sha1(&[key])?;
        block[..20].copy_from_slice(short.as_bytes());
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = sha1(&[&block.map(|b| b ^ 0x36), text])?;
    sha1(&[&block.map(|b| b ^ 0x5c), inner.as_bytes()])
}

fn sha1(parts: &[&[u8]]) -> Result<gix::ObjectId> {
    let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
    for part in parts {
        hasher.update(part);
    }
    // The hasher refuses texts that were built to collide; no address of a person is one.
    hasher.try_finalize().map_err(|e| {
        Error::invalid_data("git: an author's address was built to attack the SHA-1 hash")
            .with_source(e)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 2202, section 3, test cases 1, 2 and 6.
    #[test]
    fn hmac_agrees_with_rfc_2202() {
        let cases: [(&[u8], &[u8], &str); 3] = [
            (
                &[0x0b; 20],
                b"Hi There",
                "b617318655057264e28bc0b6fb378c8ef146be00",
            ),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            ),
            (
                &[0xaa; 80],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "aa4ae5e15272d00e95705637ce8a3b55ed402112",
            ),
        ];
        for (key, text, expected) in cases {
            assert_eq!(hmac_sha1(key, text).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn pseudonyms_depend_on_the_key_and_hide_it() {
        let key = PseudonymKey::new("Jefe");
        assert_eq!(
            key.pseudonym("what do ya want for nothing?").unwrap(),
            "dev_effcdf6ae5eb"
        );
        assert_ne!(
            key.pseudonym("ada@example.org").unwrap(),
            PseudonymKey::new("other")
                .pseudonym("ada@example.org")
                .unwrap()
        );
        assert_eq!(format!("{key:?}"), "PseudonymKey(..)");
    }
}
