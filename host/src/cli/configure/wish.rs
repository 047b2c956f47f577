//! What is to be changed, from flags or from JSON on standard input.

use super::super::failure::Usage;
use super::IntegrationsConfigure;
use kosmo::accounts::Value;
use kosmo::{Decision, Operation, Secret};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Everything that was asked for.
#[derive(Debug, Default)]
pub(super) struct Wish {
    pub(super) account: Option<String>,
    pub(super) set: BTreeMap<String, Value>,
    pub(super) unset: Vec<String>,
    pub(super) enabled: Option<bool>,
    pub(super) decisions: Vec<(Operation, Decision)>,
}

/// The document of `--stdin-json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    account: Option<String>,
    #[serde(default)]
    scope: Scope,
    #[serde(default, alias = "credentials")]
    set: BTreeMap<String, Given>,
    #[serde(default)]
    unset: Vec<String>,
    enabled: Option<bool>,
    #[serde(default)]
    permissions: Permissions,
}

/// Accounts are the user's own; a project's file holds none.
#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Scope {
    #[default]
    Global,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a string or {\"env\": \"NAME\"}")]
enum Given {
    Text(String),
    Environment { env: String },
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Permissions {
    read: Option<Decision>,
    write: Option<Decision>,
}

impl Wish {
    /// What the flags say. `stdin` is asked for its text by `--set KEY=-` and `--stdin-json`, once at most.
    ///
    /// # Errors
    /// [`Usage`] for what cannot be understood; otherwise why standard input cannot be read.
    pub(super) fn read(
        arguments: &IntegrationsConfigure,
        stdin: impl FnOnce() -> anyhow::Result<String>,
    ) -> anyhow::Result<Self> {
        let mut stdin = Some(stdin);
        let mut wish = match (arguments.stdin_json, stdin.take_if(|_| arguments.stdin_json)) {
            (true, Some(stdin)) => Self::of_json(&stdin()?)?,
            _ => Self::default(),
        };
        for pair in &arguments.set {
            let (key, text) = pair.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or_else(|| {
                // Not repeated, since it may be a secret whose key was forgotten.
                Usage("--set values must use key=value syntax, such as --set access_token=@env:TOKEN.".into())
            })?;
            let value = match (text, text.strip_prefix("@env:")) {
                ("-", _) => match stdin.take() {
                    Some(stdin) => Value::Text(Secret::new(stdin()?.trim_end_matches(['\r', '\n']))),
                    None => return Err(Usage("Standard input can be read once.".into()).into()),
                },
                (_, Some(name)) => Value::Environment(name.into()),
                (text, None) => Value::Text(Secret::new(text)),
            };
            wish.set.insert(key.into(), value);
        }
        wish.unset.extend(arguments.unset.iter().cloned());
        wish.enabled = arguments.enabled().or(wish.enabled);
        wish.decisions.extend(arguments.decisions());
        wish.check()
    }

    fn of_json(text: &str) -> Result<Self, Usage> {
        // What stands there is not quoted, since it may be a secret.
        let Document { account, scope: Scope::Global, set, unset, enabled, permissions } = serde_json::from_str(text)
            .map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Usage(format!(
                "Invalid JSON supplied on stdin (line {line}, column {column}). It is an object with any of: account, \
                     scope (\"global\"), set, unset, enabled, permissions {{read, write}}."
            ))
        })?;
        let value = |(key, given)| match given {
            Given::Text(text) => (key, Value::Text(Secret::new(text))),
            Given::Environment { env } => (key, Value::Environment(env)),
        };
        let read = permissions.read.map(|decision| (Operation::Read, decision));
        let write = permissions.write.map(|decision| (Operation::Write, decision));
        let set = set.into_iter().map(value).collect();
        Ok(Self { account, set, unset, enabled, decisions: read.into_iter().chain(write).collect() })
    }

    fn check(self) -> anyhow::Result<Self> {
        match self.unset.iter().find(|key| self.set.contains_key(*key)) {
            Some(key) => Err(Usage(format!("`{key}` is both set and unset.")).into()),
            None => Ok(self),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.unset.is_empty() && self.enabled.is_none() && self.decisions.is_empty()
    }
}

/// `read:allow,write:ask`
///
/// # Errors
/// What it should look like.
pub(super) fn permissions(text: &str) -> Result<Vec<(Operation, Decision)>, String> {
    text.split(',').map(one_permission).collect()
}

fn one_permission(text: &str) -> Result<(Operation, Decision), String> {
    let operation = |word: &str| match word {
        "read" => Some(Operation::Read),
        "write" => Some(Operation::Write),
        _ => None,
    };
    let parts = text.trim().split_once(':').and_then(|(what, word)| Some((operation(what)?, decision(word).ok()?)));
    parts.ok_or_else(|| "it takes read and write with allow, ask or deny each, such as read:allow,write:ask".into())
}

/// `allow`, `ask` or `deny`.
///
/// # Errors
/// These three.
pub(in crate::cli) fn decision(text: &str) -> Result<Decision, String> {
    match text {
        "allow" => Ok(Decision::Allow),
        "ask" => Ok(Decision::Ask),
        "deny" => Ok(Decision::Deny),
        _ => Err("it takes allow, ask or deny".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::{Cli, Command};
    use clap::Parser;

    #[track_caller]
    fn read(line: &[&str], stdin: &str) -> anyhow::Result<Wish> {
        let line = ["kosmo", "integrations:configure", "dialpad"].iter().chain(line);
        let Command::IntegrationsConfigure(arguments) = Cli::parse_from(line).command else {
            panic!("another command")
        };
        Wish::read(&arguments, || Ok(stdin.into()))
    }

    /// Values are secrets and do not show.
    fn shown(wish: &Wish) -> String {
        let value = |(key, value): (&String, &Value)| match value {
            Value::Text(_) => key.clone(),
            Value::Environment(name) => format!("{key}=${name}"),
        };
        let set: Vec<_> = wish.set.iter().map(value).collect();
        let decision =
            |(operation, decision): &(Operation, Decision)| format!("{}:{}", operation.as_str(), decision.as_str());
        let decisions: Vec<_> = wish.decisions.iter().map(decision).collect();
        let (set, unset, decisions) = (set.join(" +"), wish.unset.join(" -"), decisions.join(","));
        format!("{:?} +{set} -{unset} {:?} {decisions}", wish.account, wish.enabled)
    }

    #[track_caller]
    fn check(line: &[&str], stdin: &str, expected: &str) {
        assert_eq!(shown(&read(line, stdin).expect("understood")), expected);
    }

    #[test]
    fn flags_and_json_say_the_same() {
        check(&["--set", "a=1", "--set=b=@env:B", "--unset", "c"], "", "None +a +b=$B -c None ");
        check(&["--set", "a=-"], "token\n", "None +a - None ");
        check(&["--enable", "--read=allow", "--write", "deny"], "", "None + - Some(true) read:allow,write:deny");
        check(&["--disable", "--permissions", "write:ask,read:deny"], "", "None + - Some(false) write:ask,read:deny");
        let json = r#"{"account": "work", "scope": "global", "credentials": {"a": "1", "b": {"env": "B"}}, "unset": ["c"],
            "enabled": true, "permissions": {"write": "ask"}}"#;
        check(&["--stdin-json"], json, "Some(\"work\") +a +b=$B -c Some(true) write:ask");
        check(&["--stdin-json", "--disable", "--set=d=1"], "{}", "None +d - Some(false) ");
    }

    #[track_caller]
    fn check_refused(line: &[&str], stdin: &str, expected: &str) {
        let error = read(line, stdin).expect_err("a usage error");
        assert!(error.is::<Usage>() && error.to_string().starts_with(expected), "{error}");
        assert!(!error.to_string().contains("s3cr3t"), "{error}");
    }

    #[test]
    fn what_cannot_be_understood_is_not_repeated() {
        check_refused(&["--set", "s3cr3t"], "", "--set values must use key=value syntax");
        check_refused(&["--set", "=s3cr3t"], "", "--set values must use key=value syntax");
        check_refused(&["--set", "a=-", "--set", "b=-"], "s3cr3t", "Standard input can be read once.");
        check_refused(&["--stdin-json", "--set", "b=-"], "{}", "Standard input can be read once.");
        check_refused(&["--stdin-json"], "s3cr3t", "Invalid JSON supplied on stdin");
        check_refused(&["--stdin-json"], r#"{"set": {"a": ["s3cr3t"]}}"#, "Invalid JSON supplied on stdin");
        check_refused(&["--stdin-json"], r#"{"scope": "project"}"#, "Invalid JSON supplied on stdin");
        check_refused(&["--set", "a=1", "--unset", "a"], "", "`a` is both set and unset.");
    }
}
