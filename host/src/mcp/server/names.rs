//! What tools are called: `dialpad_list_calls`, in letters and lengths that every client takes.

use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// The longest name. Clients allow 64 characters, some with a prefix of their own before it.
const LONGEST: usize = 48;
/// Letters of the digest that tells shortened names apart.
const DIGEST: usize = 6;

/// The names given so far.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// The name of a function's tool. Too long or taken already, it ends in a digest of the whole.
    pub(super) fn give(&mut self, provider: &str, function: &str) -> String {
        let plain = format!("{provider}_{function}");
        let name = if plain.len() <= LONGEST && !self.0.contains(&plain) { plain } else { short(provider, function) };
        self.0.insert(name.clone());
        name
    }
}

fn short(provider: &str, function: &str) -> String {
    let digest = Sha256::digest(format!("{provider}.{function}"));
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).take(DIGEST / 2).collect();
    // Names of providers and functions are ASCII.
    let plain: String = format!("{provider}_{function}").chars().take(LONGEST - DIGEST - 1).collect();
    format!("{}_{digest}", plain.trim_end_matches('_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_unless_they_are_taken_or_too_long() {
        let mut names = Names::default();
        assert_eq!(names.give("dialpad", "list_calls"), "dialpad_list_calls");
        assert_eq!(names.give("a", "b_c"), "a_b_c");
        let other = names.give("a_b", "c");
        assert!(other.starts_with("a_b_c_") && other.len() == 12, "{other}");
        let long = names.give("ringcentral", &"very_long_name".repeat(5));
        assert!(long.len() <= LONGEST && long.starts_with("ringcentral_very_long"), "{long}");
        assert_eq!(Names::default().give("a_b", "c"), "a_b_c", "without the other, nothing is in the way");
    }
}
