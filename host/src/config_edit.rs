//! Changing `config.toml` as its owner would: everything else in it stays, comments included.

use crate::config::{Config, ConfigError};
use crate::fault::{Code, Fault};
use crate::files;
use std::io;
use std::path::{Path, PathBuf};
use toml_edit::{DocumentMut, Item, Table, Value};

/// Why the file is as it was.
#[derive(Debug)]
pub(crate) enum EditError {
    /// It has a mistake, or would have one, or cannot be read.
    Config(ConfigError),
    /// It holds something else where the change belongs.
    Shape(PathBuf),
    /// It cannot be written.
    Unwritable(PathBuf, io::Error),
}

impl From<ConfigError> for EditError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

/// Changes what `change` changes; nothing, if that finds something else in its place.
///
/// # Errors
/// Any leaves the file as it was.
pub(crate) fn edit(home: &Path, change: impl FnOnce(&mut DocumentMut) -> Option<()>) -> Result<(), EditError> {
    let file = home.join("config.toml");
    let mut text = files::read_text(&file).map_err(|error| ConfigError::Unreadable { file: file.clone(), error })?;
    Config::parse(&text, &file)?;
    let shape = || EditError::Shape(file.clone());
    let mut document: DocumentMut = text.parse().map_err(|_| shape())?;
    change(&mut document).ok_or_else(shape)?;
    let before = std::mem::replace(&mut text, document.to_string());
    if text == before {
        return Ok(());
    }
    Config::parse(&text, &file)?;
    // A link stays one: what it leads to is replaced.
    let target = file.canonicalize().unwrap_or_else(|_| file.clone());
    let written = files::home(home).and_then(|()| files::write(&target, &[text.as_bytes()]));
    written.map_err(|error| EditError::Unwritable(file, error))
}

/// The table of this name, made where there is none.
pub(crate) fn table<'a>(document: &'a mut DocumentMut, keys: &[&str]) -> Option<&'a mut Item> {
    let mut item = document.as_item_mut();
    for (depth, key) in keys.iter().enumerate() {
        let new = || {
            let mut table = Table::new();
            table.set_implicit(depth + 1 < keys.len());
            Item::Table(table)
        };
        item = item.as_table_like_mut()?.entry(key).or_insert_with(new);
    }
    Some(item)
}

/// Sets the last of `keys` in the table that the others name: `["permissions", "dialpad", "write"]`.
///
/// # Errors
/// When the file has a mistake, holds something else there, or cannot be written. It is then as it was.
pub(crate) fn set(home: &Path, keys: &[&str], value: impl Into<Value>) -> Result<(), Fault> {
    edit(home, |document| put(document, keys, value.into())).map_err(|error| refused(keys, error))
}

/// Takes away what [`set`] sets. Whether it was there.
///
/// # Errors
/// As [`set`].
pub(crate) fn unset(home: &Path, keys: &[&str]) -> Result<bool, Fault> {
    let mut was_there = false;
    let remove = |document: &mut DocumentMut| {
        let (last, tables) = keys.split_last()?;
        was_there = take(document.as_item_mut(), tables, last);
        Some(())
    };
    edit(home, remove).map_err(|error| refused(keys, error))?;
    Ok(was_there)
}

fn take(item: &mut Item, tables: &[&str], last: &str) -> bool {
    let Some(table) = item.as_table_like_mut() else { return false };
    match tables.split_first() {
        None => table.remove(last).is_some(),
        Some((first, rest)) => table.get_mut(first).is_some_and(|item| take(item, rest, last)),
    }
}

fn refused(keys: &[&str], error: EditError) -> Fault {
    let message = match error {
        EditError::Config(ConfigError::Unreadable { file, error }) => format!("{}: {error}", file.display()),
        EditError::Unwritable(file, error) => files::unwritable(&file, &error),
        EditError::Config(error) => error.to_string(),
        EditError::Shape(file) => {
            let place = keys.join(".");
            format!("{}: it has something else at [{place}]; write it there by hand", file.display())
        }
    };
    Fault::new(Code::Unconfigured, message)
}

/// Sets the last of `keys` in the table that the others name; nothing, if something else stands there.
pub(crate) fn put(document: &mut DocumentMut, keys: &[&str], mut value: Value) -> Option<()> {
    let (last, tables) = keys.split_last()?;
    let item = table(document, tables)?;
    let table = item.as_table_like_mut()?;
    match table.get_mut(last) {
        Some(Item::Value(old)) => {
            // What is written behind a value on its line belongs to it.
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        Some(_) => return None,
        None => drop(table.insert(last, Item::Value(value))),
    }
    // What stood before the brace would now stand before a comma.
    item.as_inline_table_mut().into_iter().for_each(toml_edit::InlineTable::fmt);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &str, keys: &[&str], expected: &str) {
        let home = tempfile::tempdir().expect("a folder");
        std::fs::write(home.path().join("config.toml"), before).expect("a file");
        set(home.path(), keys, "allow").expect("changed");
        assert_eq!(std::fs::read_to_string(home.path().join("config.toml")).expect("a file"), expected);
    }

    #[test]
    fn only_the_value_changes() {
        let keys = ["permissions", "dialpad", "write"];
        check("", &keys, "[permissions.dialpad]\nwrite = \"allow\"\n");
        check(
            "# mine\n[permissions.dialpad] # why\nread = \"allow\"\nwrite = \"ask\" # for now\n\n# end\n",
            &keys,
            "# mine\n[permissions.dialpad] # why\nread = \"allow\"\nwrite = \"allow\" # for now\n\n# end\n",
        );
        check(
            "permissions = { dialpad = { read = \"allow\" } }\n",
            &keys,
            "permissions = { dialpad = { read = \"allow\", write = \"allow\" } }\n",
        );
    }

    #[test]
    fn a_file_with_a_mistake_is_left_alone() {
        let home = tempfile::tempdir().expect("a folder");
        for (text, part) in [("[permissions", "line 1"), ("permissions = 1\n", "line 1")] {
            std::fs::write(home.path().join("config.toml"), text).expect("a file");
            let fault = set(home.path(), &["permissions", "dialpad", "write"], "allow").expect_err("refused");
            assert!(fault.message.contains(part), "{fault}");
            assert_eq!(std::fs::read_to_string(home.path().join("config.toml")).expect("a file"), text);
        }
    }
}
