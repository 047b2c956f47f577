//! A credential's value, and finding it where it should not be. Pure.

use memchr::memmem;
use std::fmt;
use std::ops::Range;

/// Bytes a secret has at least, so that finding it in a text means something.
const TELLING: usize = 8;

/// A credential's value. It cannot be printed or serialised, and is copied only on purpose; its bytes are wiped when it
/// is dropped.
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes the value in.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into().into_bytes())
    }

    /// The same value once more.
    pub(crate) fn copied(&self) -> Self {
        Self(self.0.clone())
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is long enough that finding it in a text means something.
    pub(crate) fn is_telling(&self) -> bool {
        self.0.len() >= TELLING
    }

    /// Whether a text holds it.
    pub(crate) fn is_in(&self, text: &[u8]) -> bool {
        memmem::find(text, &self.0).is_some()
    }

    /// The text with every occurrence of this secret blotted out, if there is one.
    pub(crate) fn blotted(&self, text: &[u8]) -> Option<Vec<u8>> {
        memmem::find(text, &self.0)?;
        Some(blot(text, &self.0))
    }

    /// Where in a text it is.
    pub(crate) fn places<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = Range<usize>> + 'a {
        memmem::find_iter(text, &self.0).map(|at| at..at + self.0.len())
    }

    /// The value, for the header or query that carries it to its own audience.
    pub(crate) fn expose(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.fill(0);
        // Keeps the wipe from being optimised away.
        std::hint::black_box(&self.0);
    }
}

fn blot(text: &[u8], secret: &[u8]) -> Vec<u8> {
    let mut blotted = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memmem::find(rest, secret) {
        blotted.extend_from_slice(&rest[..at]);
        blotted.extend_from_slice(b"[redacted]");
        rest = &rest[at + secret.len()..];
    }
    blotted.extend_from_slice(rest);
    blotted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_shows() {
        assert_eq!(format!("{:?}", Secret::new("s3cr3t")), "Secret(…)");
    }

    #[test]
    fn every_occurrence_of_a_secret_is_blotted_out() {
        assert_eq!(blot(b"a s3cr3t-s3cr3t b", b"s3cr3t"), b"a [redacted]-[redacted] b");
        assert_eq!(blot(b"s3cr3", b"s3cr3t"), b"s3cr3");
    }
}
