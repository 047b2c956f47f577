//! Who secrets and permissions are given to. A project can call its server as one of the home is called, and would come
//! by all that was given to that one, so they share nothing but the name. Pure.

use super::config::Server;
use super::place::check_name;
use crate::subject::Owner;
use std::path::Path;

/// A server that secrets are kept for, and that scripts may do something with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder<'a> {
    /// What it is called.
    pub server: &'a str,
    /// The folder of the project whose server it is. None for one of the home.
    pub project: Option<&'a Path>,
}

impl Server {
    /// Who has what is given to it.
    pub fn holder(&self) -> Holder<'_> {
        Holder { server: &self.name, project: self.is_of_project().then_some(&*self.folder) }
    }
}

impl From<Holder<'_>> for Owner {
    fn from(holder: Holder<'_>) -> Self {
        Self::Server { name: holder.server.into(), project: holder.project.map(Into::into) }
    }
}

impl<'a> Holder<'a> {
    /// The server of this name in the home.
    pub fn of_home(server: &'a str) -> Self {
        Self { server, project: None }
    }

    /// The table of `config.toml` that permits it something: `mcp.servers.github.permissions`
    pub fn table(self) -> String {
        let keys: Vec<_> = self.keys().iter().map(|part| key(part)).collect();
        keys.join(".")
    }

    /// The keys that lead to that table.
    pub(crate) fn keys(self) -> Vec<String> {
        let project = self.folder().map(|folder| ["projects".into(), folder]);
        let own = ["servers", self.server, "permissions"].map(String::from);
        ["mcp".into()].into_iter().chain(project.into_iter().flatten()).chain(own).collect()
    }

    /// The project's folder, as files and the store know it.
    pub(super) fn folder(self) -> Option<String> {
        self.project.map(|folder| folder.to_string_lossy().into_owned())
    }

    /// In place of an account's name in the store. None for a name that no secret can be kept for: without `@` in it, no
    /// two holders come to the same.
    pub(super) fn account(self) -> Option<String> {
        check_name(self.server).ok()?;
        Some(self.folder().map_or(self.server.into(), |folder| format!("{}@{folder}", self.server)))
    }

    /// The holder that the store has under this.
    pub(super) fn read(account: &'a str) -> Self {
        let (server, project) = account.split_once('@').map_or((account, None), |(name, folder)| (name, Some(folder)));
        Self { server, project: project.map(Path::new) }
    }
}

/// As TOML writes a key.
pub(super) fn key(name: &str) -> String {
    let bare = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if !name.is_empty() && name.chars().all(bare) { name.into() } else { format!("{name:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_of_one_name_have_nothing_in_common() {
        let own = Holder::of_home("github");
        let theirs = Holder { project: Some(Path::new("/a b@c")), ..own };
        assert_eq!(own.table(), "mcp.servers.github.permissions");
        assert_eq!(theirs.table(), "mcp.projects.\"/a b@c\".servers.github.permissions");
        for (holder, account) in [(own, "github"), (theirs, "github@/a b@c")] {
            assert_eq!(holder.account().as_deref(), Some(account));
            assert_eq!(Holder::read(account), holder);
        }
        assert_eq!(Holder::of_home("github@/a b@c").account(), None);
    }
}
