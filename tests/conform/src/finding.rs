//! What was found, each kind once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A kind of departure from a document, and where it was seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind {
    /// `dialpad`, `ringcentral` or `exports`.
    pub(crate) provider: String,
    /// The document's `operationId`.
    pub(crate) operation: String,
    /// Which rule is broken, such as `type` or `unknown-field`.
    pub(crate) rule: String,
    /// Where, such as `query.limit` or `response.items[].call_id`.
    pub(crate) at: String,
}

/// A kind of departure with its first example.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) kind: Kind,
    pub(crate) times: usize,
    pub(crate) example: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Kind { provider, operation, rule, at } = &self.kind;
        write!(f, "{provider} {operation}: {rule} at {at} ({} times), such as {}", self.times, self.example)
    }
}

/// All findings, and what went well.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    found: BTreeMap<Kind, (usize, String)>,
    /// Operations with at least one exchange that succeeded.
    pub(crate) covered: BTreeSet<String>,
    /// Requests that the simulator refused and the document does not allow either.
    pub(crate) agreements: usize,
}

impl Findings {
    pub(crate) fn add(&mut self, kind: Kind, example: impl Into<String>) {
        self.found.entry(kind).or_insert_with(|| (0, example.into())).0 += 1;
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = Finding> + '_ {
        let finding = |(kind, (times, example)): (&Kind, &(usize, String))| Finding {
            kind: kind.clone(),
            times: *times,
            example: example.clone(),
        };
        self.found.iter().map(finding)
    }
}

/// One broken rule within one part of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Breach {
    pub(crate) rule: &'static str,
    pub(crate) at: String,
    pub(crate) example: String,
}

impl Breach {
    pub(crate) fn new(rule: &'static str, at: &str, example: impl fmt::Display) -> Breach {
        let example: String = example.to_string().chars().take(160).collect();
        Breach { rule, at: at.to_owned(), example }
    }
}
