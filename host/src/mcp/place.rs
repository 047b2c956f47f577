//! Where MCP servers are written: the file of the kosmo home, or the project's.

use super::Holder;
use super::edit_error::EditError;
use super::file::Target;
use crate::Host;
use crate::fault::{Code, Fault};
use crate::shell;
use crate::store::{Lease, Store};
use std::path::{Path, PathBuf};

/// The project's file that all clients read, and the one that is written.
const PROJECT_FILE: &str = ".mcp.json";

/// Letters of the longest name.
const LONGEST: usize = 64;

/// Whose servers they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The user's, in every project.
    Global,
    /// Everybody's who has a checkout.
    Project,
}

impl Scope {
    /// As people and programs read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Project => "project",
        }
    }

    /// Who has what is given to a server there. `root` is the project's folder.
    pub fn holder<'a>(self, server: &'a str, root: &'a Path) -> Holder<'a> {
        Holder { server, project: (self == Self::Project).then_some(root) }
    }

    /// The file it is written into. `root` is the project's folder.
    ///
    /// # Errors
    /// When there is no home.
    pub fn file(self, host: &Host, root: &Path) -> Result<PathBuf, EditError> {
        match self {
            Self::Global => Ok(home(host)?.0.join("mcp.json")),
            Self::Project => Ok(root.join(PROJECT_FILE)),
        }
    }

    pub(super) fn target(self, host: &Host, root: &Path) -> Result<Target, EditError> {
        Ok(Target {
            path: self.file(host, root)?,
            root: (self == Self::Project).then(|| root.into()),
            private: self == Self::Global,
        })
    }
}

/// Whether scripts, secrets and commands can name a server this way.
///
/// # Errors
/// [`EditError::Name`]
pub fn check_name(name: &str) -> Result<(), EditError> {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if begins && name.len() <= LONGEST && name.bytes().all(letters) {
        Ok(())
    } else {
        Err(EditError::Name(name.into()))
    }
}

/// Whether commands can name a server this way as it stands. Other programs' files have names that [`check_name`] would
/// not let be given; one that a shell takes for more would make our advice a stranger's.
pub(super) fn check_known(name: &str) -> Result<(), String> {
    if shell::is_plain(name) {
        return Ok(());
    }
    let letters = shell::PUNCTUATION;
    Err(format!("call it otherwise, with letters, digits and any of `{letters}`, and no `-` at the beginning"))
}

/// Whether no tool of a server could be taken for one of another, as `a.b.c` could where there are `a` and `a.b`.
pub(super) fn check_apart<'a>(name: &str, mut others: impl Iterator<Item = &'a String>) -> Result<(), String> {
    let begins = |path: &str, server: &str| path.strip_prefix(server).is_some_and(|rest| rest.starts_with('.'));
    let Some(other) = others.find(|other| begins(name, other) || begins(other, name)) else { return Ok(()) };
    Err(format!("nobody could tell its tools from those of `{}`: call one of them otherwise", other.escape_debug()))
}

/// Leave to change configuration while no other kosmo does.
pub(super) fn alone(host: &Host) -> Result<Lease, EditError> {
    Ok(home(host)?.1.alone()?)
}

/// The kosmo home and what is kept in it.
pub(super) fn home(host: &Host) -> Result<(&Path, &Store), Fault> {
    let nowhere = || Fault::new(Code::Unconfigured, "There is no kosmo home; set KOSMO_HOME.");
    let store = host.surroundings().store.as_deref().ok_or_else(nowhere)?;
    Ok((host.home().ok_or_else(nowhere)?, store))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_such_as_every_place_can_take() {
        for name in ["a", "github", "my-server_2", "2fast", &"x".repeat(64)] {
            check_name(name).expect(name);
        }
        for name in ["", "-a", "_a", "__proto__", "a.b", "a b", "a/b", "ü", "a\u{1b}[31m", &"x".repeat(65)] {
            check_name(name).expect_err(name);
        }
        let error = check_name("a\u{1b}[2J").expect_err("no name").to_string();
        assert!(error.starts_with("`a\\u{1b}[2J` cannot be"), "{error}");
    }
}
