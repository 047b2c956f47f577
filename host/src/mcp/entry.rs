//! One server's entry in a file, as any MCP client writes it.

use super::config::{Permissions, Server, Transport};
use super::keep::is_key;
use super::place::check_known;
use super::reference::Template;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Seconds a server has to answer, unless its entry says otherwise.
const TIMEOUT: u64 = 30;

/// The longest a server can be given.
const LONGEST: u64 = 24 * 60 * 60;

#[derive(Deserialize)]
#[serde(expecting = "an object with `command` or `url`")]
struct Entry {
    command: Option<String>,
    args: Option<Vec<String>>,
    #[serde(alias = "environment")]
    env: Option<BTreeMap<String, Scalar>>,
    #[serde(rename = "envFile")]
    env_file: Option<String>,
    cwd: Option<String>,
    #[serde(alias = "serverUrl")]
    url: Option<String>,
    headers: Option<BTreeMap<String, Scalar>>,
    #[serde(rename = "type")]
    transport: Option<String>,
    enabled: Option<bool>,
    disabled: Option<bool>,
    #[serde(alias = "timeoutSeconds")]
    timeout: Option<u64>,
}

/// What editors let people write for a text.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a string")]
enum Scalar {
    Text(String),
    Number(serde_json::Number),
    Truth(bool),
    /// As if it were not there.
    Nothing(()),
}

impl Scalar {
    fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(number) => Some(number.to_string()),
            Self::Truth(truth) => Some(truth.to_string()),
            Self::Nothing(()) => None,
        }
    }
}

/// The server of an entry. `folder` is the project's.
pub(super) fn server(source: &str, path: &Path, folder: &Path, name: &str, entry: Value) -> Result<Server, String> {
    check_known(name)?;
    let entry: Entry = serde_json::from_value(entry).map_err(|error| error.to_string())?;
    let transport = transport(&entry)?;
    let (env, headers) = (texts(entry.env), texts(entry.headers));
    let args = entry.args.unwrap_or_default();
    let timeout = entry.timeout.unwrap_or(TIMEOUT).clamp(1, LONGEST);
    let mut portable = json!({
        "type": transport, "command": entry.command, "args": args, "env": env, "cwd": entry.cwd,
        "url": entry.url, "headers": headers,
    });
    if let Some(file) = &entry.env_file {
        portable["envFile"] = json!(file);
    }
    let fingerprint = fingerprint(&portable);
    let (env, headers) = (templates(env), templates(headers));
    let env_file = entry.env_file.as_deref().map(Template::parse);
    check_secrets(name, env.values().chain(headers.values()).chain(&env_file))?;
    Ok(Server {
        name: name.into(),
        transport,
        enabled: entry.enabled.unwrap_or(!entry.disabled.unwrap_or(false)),
        source: source.into(),
        path: path.into(),
        command: entry.command,
        args,
        url: entry.url.as_deref().map(blotted),
        timeout,
        permissions: Permissions { read: "ask", write: "ask" },
        patience: Duration::from_secs(timeout),
        address: entry.url,
        cwd: entry.cwd,
        env,
        env_file,
        env_in_file: None,
        headers,
        folder: folder.into(),
        replaces_own: false,
        fingerprint,
    })
}

/// Whether commands can name every secret that is referred to.
fn check_secrets<'a>(name: &'a str, mut values: impl Iterator<Item = &'a Template>) -> Result<(), String> {
    let unusable = |(server, key): &(&str, &str)| check_known(server).is_err() || !is_key(key);
    let Some((server, key)) = values.find_map(|value| value.secrets(name).find(unusable)) else { return Ok(()) };
    let secret = format!("mcp.{server}.{key}");
    Err(format!("no secret can be called `{}`: its key has letters, digits, `-` and `_`", secret.escape_debug()))
}

fn texts(values: Option<BTreeMap<String, Scalar>>) -> BTreeMap<String, String> {
    values.into_iter().flatten().filter_map(|(name, value)| Some((name, value.text()?))).collect()
}

fn templates(values: BTreeMap<String, String>) -> BTreeMap<String, Template> {
    values.into_iter().map(|(name, value)| (name, Template::parse(&value))).collect()
}

/// Of everything that decides what is run and what is told to whom; whether a server is enabled, and how long it may
/// take, does not. Keys are sorted, so the order in a file does not count either.
fn fingerprint(portable: &Value) -> String {
    let sorted: BTreeMap<_, _> = portable.as_object().into_iter().flatten().collect();
    let text = serde_json::to_string(&sorted).unwrap_or_default();
    sha256(&text)
}

/// Hexadecimal.
pub(super) fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn transport(entry: &Entry) -> Result<Transport, String> {
    let stated = match entry.transport.as_deref() {
        Some("stdio") => Transport::Stdio,
        Some("http" | "sse" | "streamable-http" | "streamableHttp" | "remote") => Transport::Http,
        Some("local") | None if entry.url.is_some() => Transport::Http,
        Some("local") | None => Transport::Stdio,
        Some(other) => return Err(format!("its type `{other}` is neither `stdio` nor `http`")),
    };
    match stated {
        Transport::Stdio if entry.command.is_none() => Err("it needs a `command` to start, or a `url`".into()),
        Transport::Http if entry.url.is_none() => Err("its type is `http`, so it needs a `url`".into()),
        stated => Ok(stated),
    }
}

/// The URL with `***` for a password and for every value in its query, where keys are handed over.
fn blotted(text: &str) -> String {
    let Ok(mut url) = url::Url::parse(text) else { return text.into() };
    if url.password().is_none() && url.query().is_none() {
        return text.into();
    }
    if url.password().is_some() {
        // Fails only for URLs that cannot have a password.
        let _ = url.set_password(Some("***"));
    }
    let names: Vec<_> = url.query_pairs().map(|(name, _)| format!("{name}=***")).collect();
    url.set_query(Some(names.join("&").as_str()).filter(|query| !query.is_empty()));
    url.into()
}

/// The entries of a file, whichever key they stand under.
#[derive(Deserialize)]
#[serde(expecting = "an object with `mcpServers`")]
pub(super) struct File {
    #[serde(rename = "mcpServers")]
    mcp_servers: Option<Map<String, Value>>,
    servers: Option<Map<String, Value>>,
}

impl File {
    pub(super) fn entries(self) -> Map<String, Value> {
        self.mcp_servers.or(self.servers).unwrap_or_default()
    }
}
