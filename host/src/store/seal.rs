//! Authenticated encryption of what must not be readable in the file.

use crate::secret::Secret;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use std::fmt;

/// Seals and opens values. Each is bound to its place, so that none can be moved to another row.
pub(super) struct Seal(LessSafeKey);

impl Seal {
    /// From a key of any length: what is used is its digest.
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        let key = digest(&SHA256, key);
        UnboundKey::new(&CHACHA20_POLY1305, key.as_ref()).ok().map(|key| Self(LessSafeKey::new(key)))
    }

    /// A random nonce and the sealed value. Nothing when the system has no randomness.
    pub(super) fn seal(&self, place: &[&str], value: &Secret) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).ok()?;
        let mut sealed = value.expose().as_bytes().to_vec();
        let unique = Nonce::assume_unique_for_key(nonce);
        self.0.seal_in_place_append_tag(unique, bound(place), &mut sealed).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    /// The value, if it was sealed with this key for this place.
    pub(super) fn open(&self, place: &[&str], sealed: &[u8]) -> Option<Secret> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut value = sealed.to_vec();
        let length = self.0.open_in_place(nonce, bound(place), &mut value).ok()?.len();
        value.truncate(length);
        String::from_utf8(value).ok().map(Secret::new)
    }
}

/// Names have no control characters, so that no two places are spelled alike.
fn bound(place: &[&str]) -> Aad<Vec<u8>> {
    Aad::from(place.join("\n").into_bytes())
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_in_its_place_with_its_key_only() {
        let seal = Seal::new(b"key").expect("a key");
        let sealed = seal.seal(&["dialpad", "default"], &Secret::new("s3cr3t")).expect("sealed");
        assert!(!sealed.windows(6).any(|window| window == b"s3cr3t"));
        assert_eq!(seal.open(&["dialpad", "default"], &sealed).expect("opened").expose(), "s3cr3t");
        assert!(seal.open(&["dialpad", "work"], &sealed).is_none(), "another place");
        assert!(Seal::new(b"other").expect("a key").open(&["dialpad", "default"], &sealed).is_none(), "another key");
        let mut touched = sealed.clone();
        touched[NONCE_LEN] ^= 1;
        assert!(seal.open(&["dialpad", "default"], &touched).is_none(), "changed");
        assert!(seal.open(&["dialpad", "default"], b"short").is_none(), "cut off");
    }

    #[test]
    fn the_same_value_never_looks_the_same() {
        let seal = Seal::new(b"key").expect("a key");
        let sealed = || seal.seal(&[], &Secret::new("s3cr3t")).expect("sealed");
        assert_ne!(sealed(), sealed());
    }
}
