//! What a permission is about, as commands name it: `dialpad.send_sms`, `mcp.github.write`. Pure.

use crate::description::Operation;
use crate::permission::Decision;
use crate::shell::word;
use std::fmt;
use std::path::PathBuf;

/// What comes before the name of an MCP server, and no provider can be called that.
const SERVER: &str = "mcp.";

/// What a permission is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Whose it is.
    pub owner: Owner,
    /// What of theirs.
    pub matter: Matter,
}

/// Who does what is permitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A provider, on all its accounts or on one.
    Provider {
        /// `dialpad`
        name: String,
        /// `work`
        account: Option<String>,
    },
    /// An MCP server.
    Server {
        /// `github`
        name: String,
        /// The folder of the project whose server it is. None for one of the home.
        project: Option<PathBuf>,
    },
}

/// What is permitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matter {
    /// Everything that only reads, or everything else.
    Operation(Operation),
    /// One function, or one tool.
    Named(String),
}

impl Subject {
    /// About a function of a provider, or of one account of it.
    pub(crate) fn function(provider: &str, account: Option<&str>, function: &str) -> Self {
        let owner = Owner::Provider { name: provider.into(), account: account.map(Into::into) };
        Self { owner, matter: Matter::Named(function.into()) }
    }

    /// About all that a provider reads or writes, or that is read or written on one account of it.
    pub(crate) fn operation(provider: &str, account: Option<&str>, operation: Operation) -> Self {
        let owner = Owner::Provider { name: provider.into(), account: account.map(Into::into) };
        Self { owner, matter: Matter::Operation(operation) }
    }

    /// The account, where it is about one.
    pub fn account(&self) -> Option<&str> {
        match &self.owner {
            Owner::Provider { account, .. } => account.as_deref(),
            Owner::Server { .. } => None,
        }
    }

    /// The command that decides about it. None where nobody could type that.
    pub fn set(&self, decision: Decision) -> Option<String> {
        Some(format!("kosmo permissions:set {} {}{}", word(&self.to_string())?, decision.as_str(), self.flags()?))
    }

    /// The command that takes back what was decided about it. None where nobody could type that.
    pub fn unset(&self) -> Option<String> {
        Some(format!("kosmo permissions:unset {}{}", word(&self.to_string())?, self.flags()?))
    }

    fn flags(&self) -> Option<String> {
        let account = self.account().map_or(Some(String::new()), |name| Some(format!(" --account {}", word(name)?)))?;
        Some(format!("{account}{}", if self.is_mistakable() { " --named" } else { "" }))
    }

    /// Whether it is about a function or tool that is called `read` or `write`.
    pub fn is_mistakable(&self) -> bool {
        matches!(&self.matter, Matter::Named(name) if operation(name).is_some())
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.owner {
            Owner::Provider { name, .. } => write!(f, "{name}.")?,
            Owner::Server { name, .. } => write!(f, "{SERVER}{name}.")?,
        }
        f.write_str(match &self.matter {
            Matter::Operation(operation) => operation.as_str(),
            Matter::Named(name) => name,
        })
    }
}

impl Matter {
    /// The word for all that reads or writes is that, unless it is said to be a name.
    pub(crate) fn of(word: &str, named: bool) -> Self {
        let operation = operation(word).filter(|_| !named);
        operation.map_or_else(|| Self::Named(word.into()), Self::Operation)
    }
}

fn operation(word: &str) -> Option<Operation> {
    [Operation::Read, Operation::Write].into_iter().find(|operation| operation.as_str() == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_name_it_as_a_shell_takes_it() {
        let check = |subject: Subject, expected: Option<&str>| assert_eq!(subject.unset().as_deref(), expected);
        check(Subject::function("dialpad", None, "send_sms"), Some("kosmo permissions:unset dialpad.send_sms"));
        let account = Subject::operation("dialpad", Some("work"), Operation::Write);
        check(account, Some("kosmo permissions:unset dialpad.write --account work"));
        let tool = |name: &str| {
            let owner = Owner::Server { name: "files".into(), project: None };
            Subject { owner, matter: Matter::of(name, true) }
        };
        check(tool("read"), Some("kosmo permissions:unset mcp.files.read --named"));
        check(tool("it's"), Some(r"kosmo permissions:unset 'mcp.files.it'\''s'"));
        check(tool("a\u{1b}[2J"), None);
        let set = Subject::function("dialpad", None, "send_sms").set(Decision::Allow);
        assert_eq!(set.as_deref(), Some("kosmo permissions:set dialpad.send_sms allow"));
    }
}
