//! The departures that are known and accepted.

use std::fmt;

use serde::Deserialize;

use crate::finding::{Finding, Findings};

/// The parsed list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deviations {
    deviation: Vec<Entry>,
}

/// One accepted departure. In every pattern `*` stands for any text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    provider: String,
    operation: String,
    rule: String,
    at: String,
    reason: String,
}

impl Entry {
    fn accepts(&self, finding: &Finding) -> bool {
        let kind = &finding.kind;
        fits(&self.provider, &kind.provider)
            && fits(&self.operation, &kind.operation)
            && fits(&self.rule, &kind.rule)
            && fits(&self.at, &kind.at)
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {} at {} ({})", self.provider, self.operation, self.rule, self.at, self.reason)
    }
}

/// Findings and entries, compared.
pub(crate) struct Sorted<'a> {
    pub(crate) unexpected: Vec<Finding>,
    pub(crate) unused: Vec<&'a Entry>,
    pub(crate) used: usize,
}

impl Deviations {
    pub(crate) fn parse(text: &str) -> Result<Deviations, toml::de::Error> {
        toml::from_str(text)
    }

    /// Separates what the list accepts from what it does not, and names entries that accept nothing.
    pub(crate) fn sort(&self, findings: &Findings) -> Sorted<'_> {
        let mut used = vec![false; self.deviation.len()];
        let mut unexpected = Vec::new();
        for finding in findings.all() {
            let accepting = self.deviation.iter().position(|entry| entry.accepts(&finding));
            match accepting {
                Some(at) => used[at] = true,
                None => unexpected.push(finding),
            }
        }
        let unused: Vec<&Entry> =
            self.deviation.iter().zip(&used).filter(|(_, used)| !**used).map(|(entry, _)| entry).collect();
        Sorted { unexpected, used: self.deviation.len() - unused.len(), unused }
    }
}

/// Whether `text` fits a pattern in which `*` stands for any text.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(remaining) = text.strip_prefix(start) else { return false };
    (0..=remaining.len()).filter(|&at| remaining.is_char_boundary(at)).any(|at| fits(rest, &remaining[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: bool) {
        assert_eq!(fits(pattern, text), expected, "{pattern} on {text}");
    }

    #[test]
    fn a_star_stands_for_any_text() {
        check("*", "", true);
        check("query.limit", "query.limit", true);
        check("query.limit", "query.limits", false);
        check("response.*_id", "response.items[].call_id", true);
        check("response.*_id", "response.items[].call_ids", false);
        check("status.4*", "status.404", true);
        check("a*b*c", "a-b-b-c", true);
        check("a*b*c", "a-c-b", false);
    }

    #[test]
    fn the_list_in_the_repository_parses_and_gives_reasons() {
        let list = Deviations::parse(crate::ACCEPTED).expect("deviations.toml should parse");
        assert!(list.deviation.iter().all(|entry| entry.reason.len() > 20));
    }
}
