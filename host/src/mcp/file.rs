//! A configuration file that other programs own too: read with care, and replaced whole or not at all.

use super::comments::without_comments;
use super::edit_error::EditError;
use super::jsonc::Document;
use crate::files;
use serde_json::{Map, Value};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

/// Bytes of the largest file that is changed. Some programs keep all they know in the file that has their servers.
const LARGEST: u64 = 32 << 20;

/// How often a change is made anew, because another program was faster.
const ATTEMPTS: usize = 5;

/// A file, and how it may be replaced.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) path: PathBuf,
    /// The project it must not lead out of, if it is in one.
    pub(super) root: Option<PathBuf>,
    /// Whether nobody else may read it.
    pub(super) private: bool,
}

/// One change of a JSON file.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// This value at these keys.
    Put(Vec<String>, Value),
    /// Nothing at these keys.
    Remove(Vec<String>),
}

impl Target {
    /// What is there, without comments; an empty object if nothing is.
    pub(super) fn value(&self) -> Result<Value, EditError> {
        parsed(&self.path, &self.text()?)
    }

    /// What is there, as it is; nothing if nothing is.
    pub(super) fn text(&self) -> Result<String, EditError> {
        Ok(self.read()?.unwrap_or_default())
    }

    /// Makes changes in a JSON file. Whether it is another one then.
    pub(super) fn change(&self, changes: &[Change]) -> Result<bool, EditError> {
        self.rewrite(|text| changed(&self.path, text, changes))
    }

    /// Puts what `edit` makes of the text in its place. Whether it is another one then.
    pub(super) fn rewrite(&self, edit: impl Fn(&str) -> Result<String, EditError>) -> Result<bool, EditError> {
        for _ in 0..ATTEMPTS {
            let before = self.read()?;
            let text = before.as_deref().unwrap_or_default();
            let after = edit(text)?;
            if after == text {
                return Ok(false);
            }
            if self.read()? == before {
                return self.write(&after).map(|()| true);
            }
        }
        Err(EditError::Busy { path: self.path.clone() })
    }

    fn read(&self) -> Result<Option<String>, EditError> {
        self.real()?;
        let unreadable = |error| EditError::Unreadable { path: self.path.clone(), error };
        files::read_foreign(&self.path, LARGEST).map_err(unreadable)
    }

    fn write(&self, text: &str) -> Result<(), EditError> {
        let real = self.real()?;
        let folder = |path: &Path| path.parent().map_or_else(PathBuf::new, PathBuf::from);
        let written = if self.private {
            files::home(&folder(&self.path)).and_then(|()| files::write(&real, &[text.as_bytes()]))
        } else {
            std::fs::create_dir_all(folder(&real)).and_then(|()| files::replace(&real, text))
        };
        written.map_err(|error| EditError::Unwritable { path: self.path.clone(), error })
    }

    /// Where links lead, so that what they lead to is replaced and not they.
    fn real(&self) -> Result<PathBuf, EditError> {
        let real = real(&self.path).map_err(|error| EditError::Unreadable { path: self.path.clone(), error })?;
        match &self.root {
            Some(root) if !root.canonicalize().is_ok_and(|root| real.starts_with(root)) => {
                Err(EditError::Outside { path: self.path.clone(), root: root.clone() })
            }
            _ => Ok(real),
        }
    }
}

/// The path without links, as far as it is there.
fn real(path: &Path) -> io::Result<PathBuf> {
    match path.canonicalize() {
        Ok(real) => Ok(real),
        // A link that leads nowhere would be filled at a place of somebody else's choice.
        Err(_) if path.is_symlink() => Err(io::Error::other("it is a link that leads nowhere")),
        Err(error) => match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => Ok(real(non_empty(parent))?.join(name)),
            _ => Err(error),
        },
    }
}

fn non_empty(folder: &Path) -> &Path {
    if folder.as_os_str() == OsStr::new("") { Path::new(".") } else { folder }
}

/// The text with these changes, and no other that anybody who reads JSON could see.
fn changed(path: &Path, text: &str, changes: &[Change]) -> Result<String, EditError> {
    let mut expected = parsed(path, text)?;
    let Some(document) = Document::parse(text) else { return Err(shape(path, &[])) };
    for change in changes {
        let keys: Vec<_> = change.keys().iter().map(String::as_str).collect();
        match change {
            Change::Put(_, value) => document.put(&keys, value).ok_or_else(|| shape(path, change.keys()))?,
            Change::Remove(_) => document.remove(&keys),
        }
        change.apply(&mut expected);
    }
    let after = document.to_string();
    // A key that stands twice is one that other programs may read otherwise than it is changed here.
    let agrees = parsed(path, &after).is_ok_and(|after| after == expected);
    let keys = changes.first().map_or(&[][..], Change::keys);
    if agrees { Ok(after) } else { Err(shape(path, keys)) }
}

impl Change {
    fn keys(&self) -> &[String] {
        match self {
            Self::Put(keys, _) | Self::Remove(keys) => keys,
        }
    }

    fn apply(&self, to: &mut Value) {
        let Some((last, way)) = self.keys().split_last() else { return };
        let Some(parent) = way.iter().try_fold(to, |value, key| {
            value.as_object_mut().map(|object| object.entry(key.clone()).or_insert_with(|| Map::new().into()))
        }) else {
            return;
        };
        match (self, parent.as_object_mut()) {
            (Self::Put(_, value), Some(parent)) => drop(parent.insert(last.clone(), value.clone())),
            (Self::Remove(_), Some(parent)) => drop(parent.shift_remove(last)),
            (_, None) => {}
        }
    }
}

fn shape(path: &Path, keys: &[String]) -> EditError {
    let place = if keys.is_empty() { "{…}".into() } else { keys.join(".") };
    EditError::Shape { path: path.into(), place }
}

fn parsed(path: &Path, text: &str) -> Result<Value, EditError> {
    let plain = without_comments(text);
    if plain.trim().is_empty() {
        return Ok(Map::new().into());
    }
    serde_json::from_str(&plain).map_err(|error| syntax(path, &error))
}

fn syntax(path: &Path, error: &serde_json::Error) -> EditError {
    let text = error.to_string();
    let problem = text.rsplit_once(" at line ").map_or(text.as_str(), |(problem, _)| problem);
    EditError::Syntax { path: path.into(), line: error.line(), column: error.column(), problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn target(folder: &Path) -> Target {
        Target { path: folder.join("mcp.json"), root: None, private: false }
    }

    #[test]
    fn what_another_program_writes_meanwhile_is_not_lost() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = target(folder.path());
        let first = Cell::new(true);
        let changed = target.rewrite(|text| {
            if first.take() {
                std::fs::write(&target.path, "theirs ").expect("a file");
            }
            Ok(format!("{text}ours"))
        });
        assert!(changed.expect("written"));
        assert_eq!(target.text().expect("a file"), "theirs ours");
    }

    #[test]
    fn a_file_that_never_rests_is_left_to_its_program() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = target(folder.path());
        let error = target.rewrite(|text| {
            std::fs::write(&target.path, format!("{text}.")).expect("a file");
            Ok("ours".into())
        });
        assert!(matches!(error, Err(EditError::Busy { .. })), "{error:?}");
        assert_eq!(target.text().expect("a file"), ".".repeat(ATTEMPTS));
    }

    #[test]
    fn nothing_changes_besides_what_was_meant() {
        let put = |keys: &[&str]| Change::Put(keys.iter().map(ToString::to_string).collect(), 1.into());
        let change = |text: &str, keys: &[&str]| changed(Path::new("f"), text, &[put(keys)]);
        let after = "{\n  \"a\": {\n    \"b\": 1\n  }\n}";
        assert_eq!(change("{\n  \"a\": {}\n}", &["a", "b"]).expect("changed"), after);
        for text in ["{\"a\": 1}", "[]", "{\"a\": {\"b\": 2, \"b\": 3}}", "{\"a\": {}, \"a\": {\"c\": 1}}"] {
            let error = change(text, &["a", "b"]).expect_err(text);
            assert!(matches!(&error, EditError::Shape { place, .. } if place == "a.b"), "{text}: {error:?}");
        }
        assert!(matches!(change("{\"a\" 1}", &["a"]), Err(EditError::Syntax { line: 1, column: 6, .. })));
    }
}
