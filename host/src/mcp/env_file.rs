//! The `envFile` of a server's entry: more of its environment, in a file of its own. It is read as Visual Studio Code does,
//! line by line, and nothing in a value stands for anything else, so that no file can ask for what is in our environment.

use super::config::Server;
use super::entry::sha256;
use super::reference::{Lookup, Template};
use super::secrets::Sources;
use crate::config::Config;
use crate::fault::{Code, Fault};
use crate::files;
use crate::secret::Secret;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Bytes of the largest file that is read. They are written by hand.
const LARGEST: u64 = 1 << 20;

const QUOTES: [char; 3] = ['"', '\'', '`'];

/// Makes what a project's file sets part of what is reviewed: a `PATH` or a `NODE_OPTIONS` decides what is run. One's own
/// file is one's own to change.
pub(super) fn cover(server: &mut Server, config: &Config) {
    let Some(written) = server.env_file.as_ref().filter(|_| server.is_of_project()) else { return };
    let set = read(server, written, &Sources::new(config, server)).ok().map(|set| digests(&set));
    let covered = serde_json::to_string(&(&server.fingerprint, &set)).unwrap_or_default();
    server.fingerprint = sha256(&covered);
    server.env_in_file = set;
}

/// What stands in the file that an entry names, all of it secret.
///
/// # Errors
/// `unconfigured`, if it cannot be read; `changed`, if it is another than the one that trust was decided on.
pub(super) fn told(server: &Server, sources: &dyn Lookup) -> Result<BTreeMap<String, Secret>, Fault> {
    let Some(written) = &server.env_file else { return Ok(BTreeMap::new()) };
    let told = read(server, written, sources)?;
    if server.is_of_project() && server.env_in_file.as_ref() != Some(&digests(&told)) {
        let message = format!("`envFile` of MCP server '{}' was changed while kosmo ran. Start it again.", server.name);
        return Err(Fault::new(Code::Changed, message));
    }
    told.values().for_each(|value| sources.hide(value));
    Ok(told)
}

fn digests(set: &BTreeMap<String, Secret>) -> BTreeMap<String, String> {
    set.iter().map(|(name, value)| (name.clone(), sha256(value.expose()))).collect()
}

fn read(server: &Server, written: &Template, sources: &dyn Lookup) -> Result<BTreeMap<String, Secret>, Fault> {
    let path = path(server, written, sources)?;
    let refused = |why: &str| {
        let message = format!("`envFile` of MCP server '{}' cannot be read: {}: {why}.", server.name, path.display());
        Fault::new(Code::Unconfigured, message)
    };
    let text = files::read_foreign(&path, LARGEST).map_err(|error| refused(&error.to_string()))?;
    let text = text.ok_or_else(|| refused("there is no such file"))?;
    Ok(text.lines().filter_map(variable).map(|(name, value)| (name, Secret::new(value))).collect())
}

/// A path that is not absolute begins where the entry stands.
fn path(server: &Server, written: &Template, sources: &dyn Lookup) -> Result<PathBuf, Fault> {
    let place = format!("`envFile` of MCP server '{}'", server.name);
    let path = written.resolve(&place, sources)?;
    let path = Path::new(path.expose());
    let home = path.strip_prefix("~").ok().zip(sources.variable("HOME"));
    let folder = server.path.parent().unwrap_or(Path::new(""));
    Ok(home.map_or_else(|| folder.join(path), |(rest, home)| Path::new(&home).join(rest)))
}

/// `export NAME="value" # why`
fn variable(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    let value = unquoted(without_comment(value).trim());
    (is_name && !value.contains('\0')).then(|| (name.into(), value))
}

/// Up to the first `#` that stands in no quotes.
fn without_comment(value: &str) -> &str {
    let mut quote = None;
    for (at, letter) in value.char_indices() {
        match quote {
            None if letter == '#' => return &value[..at],
            None => quote = QUOTES.contains(&letter).then_some(letter),
            Some(open) if open == letter => quote = None,
            Some(_) => {}
        }
    }
    value
}

fn unquoted(value: &str) -> String {
    let inside = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    match QUOTES.into_iter().find_map(|quote| Some((quote, inside(quote)?))) {
        Some(('"', inside)) => {
            inside.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t").replace("\\\"", "\"")
        }
        Some((_, inside)) => inside.into(),
        None => value.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::config::McpConfig;

    #[test]
    fn a_projects_file_that_changes_after_trust_was_decided_is_not_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let entry = r#"{"mcpServers": {"s": {"command": "a", "envFile": ".env"}}}"#;
        let config = Config::default();
        let server = |source: &str| {
            let servers = McpConfig::of(source, &folder.path().join(".mcp.json"), entry).with(&config).servers;
            servers.into_values().next().expect("a server")
        };
        let told = |server: &Server| told(server, &Sources::new(&config, server)).map(|told| told.len());
        let write = |text: &str| std::fs::write(folder.path().join(".env"), text).expect("a writable folder");
        write("A=1\n");
        let (own, theirs) = (server("global"), server("project:.mcp.json"));
        assert_eq!((told(&own).ok(), told(&theirs).ok()), (Some(1), Some(1)));
        write("A=1\nPATH=/repo/bin\n");
        assert_eq!(told(&own).ok(), Some(2));
        assert_eq!(told(&theirs).expect_err("changed").code, Code::Changed);
    }

    #[track_caller]
    fn check(line: &str, expected: Option<(&str, &str)>) {
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(variable(line), expected, "{line}");
    }

    #[test]
    fn a_line_is_a_variable_and_its_value() {
        check("A=b", Some(("A", "b")));
        check("  export A = b c # why", Some(("A", "b c")));
        check("A=\"b # c\" # d", Some(("A", "b # c")));
        check("A=\"one\\ntwo\"", Some(("A", "one\ntwo")));
        check("A='one\\ntwo'", Some(("A", "one\\ntwo")));
        check("A=it's", Some(("A", "it's")));
        check("A=\"", Some(("A", "\"")));
        check("A=", Some(("A", "")));
        check("A=$HOME ${HOME}", Some(("A", "$HOME ${HOME}")));
        check("A=b=c", Some(("A", "b=c")));
        for none in ["", "# A=b", "A", "=b", "two words=b", "A=\0"] {
            check(none, None);
        }
    }
}
