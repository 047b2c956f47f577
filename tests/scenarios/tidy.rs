//! What the architecture promises of the host's source, checked on the source.

use std::fs;
use std::path::{Path, PathBuf};

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/src")
}

/// Every Rust file below `folder`, relative to the host's source, with its text up to its unit tests.
fn files() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let (root, mut found) = (source(), Vec::new());
    walk(&root, &mut found);
    let name = |path: &PathBuf| path.strip_prefix(&root).expect("below the source").to_string_lossy().into_owned();
    let text = |path: &PathBuf| fs::read_to_string(path).expect("a source file");
    let code = |text: String| text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
    found.iter().map(|path| (name(path), code(text(path)))).filter(|(name, _)| !name.contains("tests/")).collect()
}

/// The files whose code, comments aside, mentions one of these.
fn mention(words: &[&str]) -> Vec<String> {
    let code = |line: &str| !line.trim_start().starts_with("//");
    let mentions =
        |text: &str| text.lines().filter(|line| code(line)).any(|line| words.iter().any(|w| line.contains(w)));
    let mut names: Vec<_> = files().into_iter().filter(|(_, text)| mentions(text)).map(|(name, _)| name).collect();
    names.sort();
    names
}

#[test]
fn policy_is_pure() {
    let policy = [
        "grant/limits.rs",
        "grant/mod.rs",
        "grant/rule.rs",
        "policy.rs",
        "rule.rs",
        "secret.rs",
        "target.rs",
        "account.rs",
        "permission.rs",
        "subject.rs",
        "arguments.rs",
        "limits.rs",
        "nearest.rs",
        "rate/mod.rs",
        "rate/notice.rs",
        "retry.rs",
        "outbound/address.rs",
    ];
    let impure = mention(&["wasmtime", "tokio", "mlua", "std::fs", "hyper"]);
    let found: Vec<_> = policy.iter().filter(|file| impure.contains(&(**file).to_owned())).collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn one_file_opens_sockets_and_none_uses_the_crates_own_client() {
    assert_eq!(mention(&["TcpStream", "lookup_host", "UdpSocket"]), ["outbound/connect.rs"]);
    assert_eq!(mention(&["default_send_request"]), Vec::<String>::new());
}

#[test]
fn secrets_are_exposed_where_they_are_read_attached_sealed_and_looked_for() {
    let read_and_attached = ["account/reader.rs", "oauth.rs", "outbound/attempt.rs", "outbound/token.rs"];
    // Where servers are told them, in their environment and their headers, and where what they are told is fingerprinted.
    let told = [
        "mcp/client/http.rs",
        "mcp/client/start.rs",
        "mcp/env_file.rs",
        "mcp/reference.rs",
        "mcp/review.rs",
        "mcp/secrets.rs",
    ];
    let signed_in = ["mcp/login/ask.rs", "mcp/login/authorize.rs", "mcp/login/callback.rs", "mcp/login/kept.rs"];
    let looked_for_and_sealed = [
        "secrets.rs",
        "store/journal.rs",
        "store/key/mod.rs",
        "store/runs.rs",
        "store/seal.rs",
        "store/secrets.rs",
        "store/token.rs",
    ];
    let mut expected = [&read_and_attached[..], &signed_in, &told, &looked_for_and_sealed].concat();
    expected.sort_unstable();
    assert_eq!(mention(&[".expose()", "Secret::expose"]), expected);
}

#[test]
fn only_the_lua_module_names_lua_and_only_one_file_is_unsafe() {
    assert!(mention(&["mlua"]).iter().all(|file| file.starts_with("lua/")));
    assert_eq!(mention(&["unsafe {", "unsafe fn", "unsafe impl"]), ["artifact.rs"]);
}

#[test]
fn only_main_and_the_command_line_use_anyhow_or_exit() {
    let cli = |file: &String| file == "main.rs" || file.starts_with("cli/");
    assert!(mention(&["anyhow", "process::exit"]).iter().all(cli));
}

#[test]
fn nothing_is_left_out_for_later() {
    let left: Vec<_> = files().into_iter().filter(|(_, text)| text.contains("//STUB")).map(|(name, _)| name).collect();
    assert_eq!(left, Vec::<String>::new());
}

/// What is shown or run for somebody is taken from a host that was narrowed to them; the registry is everybody's.
#[test]
fn whatever_is_shown_to_clients_comes_from_a_host_as_they_see_it() {
    let shown =
        |file: &String| file.starts_with("docs/") || file.starts_with("lua/") || file.starts_with("mcp/server/");
    let of_everybody = ["mcp/server/mod.rs", "mcp/server/sources.rs"];
    let found: Vec<_> = mention(&["registry()"]).into_iter().filter(shown).collect();
    assert_eq!(found, of_everybody);
}
