//! What the operator wrote: `config.toml` under the kosmo home, and accounts in the environment.

mod secrets;

pub(crate) use secrets::is_telling;

use crate::account::{Account, DEFAULT, Fields, Place, known_fields, variable};
use crate::description::{Authentication, Description, Name, is_name};
use crate::fault::{Code, Fault};
use crate::files;
use crate::grant::Grant;
use crate::mcp::{McpNarrowing, McpPolicy, McpSettings};
use crate::nearest::did_you_mean;
use crate::network::{Network, NetworkError, NetworkSettings};
use crate::outbound::Roots;
use crate::permission::Permission;
use crate::policy::{Policies, Policy};
use crate::secret::Secret;
use crate::store::{self, Keys, Store, Wish};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Everything the operator configured.
#[derive(Default)]
pub struct Config {
    accounts: BTreeMap<String, BTreeMap<String, Written>>,
    policies: Policies,
    mcp: McpPolicy,
    providers: BTreeMap<Name, ProviderSettings>,
    environment: BTreeMap<String, String>,
    accepted: BTreeMap<String, String>,
    network: NetworkSettings,
    roots: Roots,
    /// Where the operator wants the key of the store.
    key: Wish,
    /// What errors call the file.
    file: PathBuf,
    store: Option<Arc<Store>>,
}

/// What the operator says of a provider as a whole.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ProviderSettings {
    /// Whether it can be used at all.
    enabled: bool,
}

impl Default for ProviderSettings {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is there and cannot be read.
    #[error("{} cannot be read: {error}", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A mistake in the file. The offending line is not quoted, since it may hold a secret.
    #[error("{}, line {line}: {message}", .file.display())]
    Mistake {
        /// The file.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// Others than its owner can read its secrets or change it, and that cannot be taken from them.
    #[error(
        "{} is open to others, and cannot be closed: {error}. As its owner, run: chmod go-rwx {}", .file.display(),
        .file.display()
    )]
    Open {
        /// The file.
        file: PathBuf,
        /// Why it stays open.
        error: std::io::Error,
    },
    /// `[network]` cannot be used.
    #[error("{}, [network]: {error}", .file.display())]
    Network {
        /// The file.
        file: PathBuf,
        /// Why.
        error: NetworkError,
    },
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    accounts: BTreeMap<String, BTreeMap<String, Written>>,
    grants: BTreeMap<Name, Grant>,
    permissions: BTreeMap<Name, Permission>,
    network: NetworkSettings,
    providers: BTreeMap<Name, ProviderSettings>,
    mcp: McpSettings,
    store: StoreSettings,
}

/// How what was configured here is kept.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct StoreSettings {
    /// Where the key is.
    key: Wish,
}

/// What a project may say. It comes with a checkout, so it can take away and not give.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ProjectFile {
    #[serde(rename = "accounts")]
    _accounts: NotInProjects,
    grants: BTreeMap<Name, Grant>,
    permissions: BTreeMap<Name, Permission>,
    mcp: McpNarrowing,
}

#[derive(Default)]
struct NotInProjects;

impl<'de> Deserialize<'de> for NotInProjects {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom(
            "[accounts] cannot stand in a project's file, which could send a token to a URL of its choice: write them \
             into config.toml of the kosmo home",
        ))
    }
}

/// An account as the operator wrote it: its fields.
struct Written(BTreeMap<String, Value>);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(WrittenVisitor)
    }
}

struct WrittenVisitor;

impl<'de> Visitor<'de> for WrittenVisitor {
    type Value = Written;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an account with its fields: write them under [accounts.<provider>.<account>], such as [accounts.dialpad.default]")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Written, A::Error> {
        Deserialize::deserialize(MapAccessDeserializer::new(fields)).map(Written)
    }
}

/// `"text"`, or `{ env = "NAME" }` to take it from the environment.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a string or { env = \"NAME\" }")]
enum Value {
    Text(String),
    Environment { env: String },
}

impl Config {
    /// Reads `config.toml` and what was accepted under this home. Missing files are empty ones.
    ///
    /// # Errors
    /// Names the file, the line and the cure.
    pub fn load(home: &Path) -> Result<Self, ConfigError> {
        let file = home.join("config.toml");
        let config = Self::parse(&read(&file)?, &file)?;
        close(&file, if config.holds_secrets() { READ_OR_WRITTEN } else { WRITTEN })?;
        let accepted_file = home.join("accepted.toml");
        close(&accepted_file, WRITTEN)?;
        let accepted = toml::from_str(&read(&accepted_file)?).map_err(|error| mistake(&accepted_file, "", &error))?;
        Ok(Self { accepted, ..config })
    }

    /// Parses the text of a `config.toml`; `file` is what errors call it.
    ///
    /// # Errors
    /// Names the line and the cure.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        let File { accounts, grants, permissions, providers, network, mcp, store } =
            toml::from_str(text).map_err(|error| mistake(file, text, &error))?;
        let roots = network.ca_file.as_ref().map_or_else(|| Ok(Roots::default()), |path| read_roots(file, path))?;
        let policies = Policies::new(file, Policy { grants, permissions });
        let mcp = McpPolicy::new(mcp);
        let (key, file) = (store.key, file.into());
        Ok(Self { accounts, policies, mcp, providers, network, roots, key, file, ..Self::default() })
    }

    /// Narrowed by the project that `folder` is in: by the nearest `.kosmo/config.toml` in it or above it, that of the
    /// home aside.
    ///
    /// # Errors
    /// Names the file, the line and the cure.
    pub fn in_project(self, home: Option<&Path>, folder: &Path) -> Result<Self, ConfigError> {
        let Some(file) = project_file(home, folder) else { return Ok(self) };
        let text = read(&file)?;
        let ProjectFile { grants, permissions, mcp, .. } =
            toml::from_str(&text).map_err(|error| mistake(&file, &text, &error))?;
        let policies = self.policies.narrowed(".kosmo/config.toml", &file, Policy { grants, permissions });
        let mcp = self.mcp.narrowed(mcp);
        Ok(Self { policies, mcp, ..self })
    }

    /// Narrowed to what this file lists, and nothing else: `[grants]` and `[permissions]` as in `config.toml`. What it
    /// permits stands in place of what the other files ask or allow, never of what they deny.
    ///
    /// # Errors
    /// Names the file, the line and the cure. A file that is not there is an error.
    pub fn only(self, file: &Path) -> Result<Self, ConfigError> {
        let unreadable = |error| ConfigError::Unreadable { file: file.into(), error };
        let text = std::fs::read_to_string(file).map_err(unreadable)?;
        let policy = toml::from_str(&text).map_err(|error| mistake(file, &text, &error))?;
        let policies = self.policies.only(file, policy);
        let mcp = self.mcp.only(&file.display().to_string());
        Ok(Self { policies, mcp, ..self })
    }

    /// With these environment variables, of which `<PROVIDER>_<FIELD>` and `<PROVIDER>_<ACCOUNT>_<FIELD>` are accounts.
    #[must_use]
    pub fn with_environment(self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { environment: variables.into_iter().collect(), ..self }
    }

    /// With the word of the operator that the plugin file of this digest (SHA-256, hexadecimal) may be trusted with the
    /// accounts of a provider: to say where they are, and to read their settings.
    #[must_use]
    pub fn accept(mut self, provider: &str, digest: &str) -> Self {
        self.accepted.insert(provider.into(), digest.into());
        self
    }

    /// With the accounts that were configured here.
    #[must_use]
    pub(crate) fn keeping(self, store: Option<Arc<Store>>) -> Self {
        Self { store, ..self }
    }

    /// Whether a secret stands in the file itself, or something that could be one.
    fn holds_secrets(&self) -> bool {
        let mut values = self.accounts.values().flat_map(BTreeMap::values).flat_map(|account| account.0.values());
        values.any(|value| matches!(value, Value::Text(_)))
    }

    /// Whether the plugin file of this digest is the one the operator accepted as this provider.
    pub(crate) fn is_accepted(&self, provider: &str, digest: &str) -> bool {
        self.accepted.get(provider).is_some_and(|accepted| accepted == digest)
    }

    /// Whether a provider can be used at all.
    pub(crate) fn is_enabled(&self, provider: &str) -> bool {
        self.providers.get(provider).is_none_or(|settings| settings.enabled)
    }

    /// Where the key of the store can come from. Without an environment there is no keyring, either.
    pub(crate) fn keys(&self) -> Keys {
        let given = self.environment.get("KOSMO_CREDENTIAL_KEY").filter(|key| !key.is_empty());
        let bus = self.environment.get("DBUS_SESSION_BUS_ADDRESS").map(String::as_str);
        Keys { given: given.map(|key| Secret::new(key.clone())), wish: self.key, keyring: store::of_session(bus) }
    }

    /// What the files say about grants and permissions.
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// What the files say about MCP servers.
    pub fn mcp(&self) -> &McpPolicy {
        &self.mcp
    }

    /// A variable of the environment.
    pub(crate) fn environment(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str)
    }

    /// Where secrets are kept, if there is a home.
    pub(crate) fn store(&self) -> Option<&Store> {
        self.store.as_deref()
    }

    /// How providers are reached.
    ///
    /// # Errors
    /// If the proxy is the environment's and that cannot be used.
    pub(crate) fn network(&self) -> Result<Network, ConfigError> {
        let network = self.network.resolve(self.roots.clone(), |name| self.environment.get(name).cloned());
        network.map_err(|error| ConfigError::Network { file: self.file.clone(), error })
    }

    /// The names of a provider's accounts, `default` first.
    pub fn account_names(&self, description: &Description) -> Vec<String> {
        let mut names: BTreeSet<String> = self.environment_accounts(description);
        names.extend(self.accounts.get(&description.name).into_iter().flat_map(BTreeMap::keys).cloned());
        // A store that cannot be read is told when an account is used.
        names.extend(self.store.iter().flat_map(|store| store.accounts(&description.name).unwrap_or_default()));
        if !needs_account(description) {
            names.insert(DEFAULT.into());
        }
        let default = names.take(DEFAULT);
        default.into_iter().chain(names).collect()
    }

    /// Whether every function and account that the files name for this provider exists.
    pub(crate) fn check_names(&self, description: &Description) -> Result<(), Fault> {
        // What stands in a store that cannot be read is not mistyped.
        let unreadable = || self.store()?.accounts(&description.name).err().map(Fault::from);
        let checked = self.policies.check_names(description, &self.account_names(description));
        checked.map_err(|mistake| unreadable().unwrap_or(mistake))
    }

    /// The account of this name, ready for this revision.
    pub(crate) fn account(&self, description: &Description, digest: &str, name: &str) -> Result<Account, Fault> {
        if !self.is_enabled(&description.name) {
            return Err(inactive(&description.name));
        }
        let Some((place, fields)) = self.fields(description, name)? else {
            return Err(self.unknown(description, name));
        };
        let place = Some(place).filter(|_| !fields.is_empty());
        let account = Account::resolve(description, digest, self.is_accepted(&description.name, digest), name, &fields);
        account.map_err(|error| error.at(place).into())
    }

    /// An account comes whole from one place, the file before the store before the environment: a URL from one and a
    /// token from the other would send the token where nobody meant it to go.
    pub(crate) fn fields(&self, description: &Description, name: &str) -> Result<Option<(Place, Fields)>, Fault> {
        check_name(description, name)?;
        let provider = &description.name;
        if let Some(written) = self.written(provider, name) {
            let place = |key: &str| format!("[accounts.{provider}.{name}]: `{key}`");
            let read = |(key, value): (&String, &Value)| Ok((key.clone(), self.value(value, || place(key))?));
            return written.0.iter().map(read).collect::<Result<_, Fault>>().map(|fields| Some((Place::File, fields)));
        }
        let kept = self.store.as_ref().map_or_else(|| Ok(BTreeMap::new()), |store| store.fields(provider, name))?;
        if !kept.is_empty() {
            let read = |(key, value): (String, _)| self.kept(provider, name, &key, value).map(|value| (key, value));
            return kept.into_iter().map(read).collect::<Result<_, _>>().map(|fields| Some((Place::Store, fields)));
        }
        let from_environment: Fields = known_fields(description)
            .into_iter()
            .filter_map(|field| {
                let value = self.environment.get(&variable(provider, name, &field))?;
                Some((field, Secret::new(value.clone())))
            })
            .collect();
        let present = !from_environment.is_empty() || name == DEFAULT;
        Ok(present.then_some((Place::Environment, from_environment)))
    }

    /// Whether an account stands in `config.toml`.
    pub(crate) fn is_written(&self, provider: &str, name: &str) -> bool {
        self.written(provider, name).is_some()
    }

    fn written(&self, provider: &str, name: &str) -> Option<&Written> {
        self.accounts.get(provider)?.get(name)
    }

    /// A field's value as the store keeps it.
    pub(crate) fn kept(&self, provider: &str, name: &str, key: &str, value: store::Value) -> Result<Secret, Fault> {
        match value {
            store::Value::Text(text) => Ok(text),
            store::Value::Environment(variable) => {
                self.variable(&variable, || format!("`{key}` of account '{name}' of '{provider}'"))
            }
        }
    }

    /// `place` is what an error calls the field.
    fn value(&self, value: &Value, place: impl Fn() -> String) -> Result<Secret, Fault> {
        match value {
            Value::Text(text) => Ok(Secret::new(text.clone())),
            Value::Environment { env } => self.variable(env, place),
        }
    }

    fn variable(&self, name: &str, place: impl Fn() -> String) -> Result<Secret, Fault> {
        self.environment.get(name).map(|text| Secret::new(text.clone())).ok_or_else(|| {
            let message = format!("{} is taken from ${name} in the environment, which is not set.", place());
            Fault::new(Code::Unconfigured, message)
        })
    }

    /// The accounts whose secrets the environment holds.
    fn environment_accounts(&self, description: &Description) -> BTreeSet<String> {
        let prefix = format!("{}_", description.name.to_ascii_uppercase());
        let suffixes: Vec<_> = description.secrets().map(|field| field.key.to_ascii_uppercase()).collect();
        let account = |name: &str| {
            let rest = name.strip_prefix(&prefix)?;
            suffixes.iter().find_map(|suffix| match rest.strip_suffix(suffix.as_str())? {
                "" => Some(DEFAULT.to_owned()),
                middle => middle.strip_suffix('_').map(str::to_ascii_lowercase),
            })
        };
        let usable = |name: &String| check_name(description, name).is_ok();
        self.environment.keys().filter_map(|name| account(name)).filter(usable).collect()
    }

    fn unknown(&self, description: &Description, name: &str) -> Fault {
        let known = self.account_names(description);
        let suggestion = did_you_mean(name, known.iter().map(String::as_str));
        let known = if known.is_empty() { "none".into() } else { known.join(", ") };
        let provider = &description.name;
        Fault::new(
            Code::Unconfigured,
            format!("Integration '{provider}' has no account '{name}' (it has: {known}).{suggestion}"),
        )
    }
}

/// Whether a provider can do nothing without credentials.
fn needs_account(description: &Description) -> bool {
    let asks_for_tokens = matches!(description.authentication, Authentication::Oauth2(_));
    asks_for_tokens || description.credentials.iter().any(|field| field.required)
}

fn inactive(provider: &str) -> Fault {
    let message = format!(
        "Integration '{provider}' is installed but not active. Enable it in settings first. Run: kosmo \
         integrations:configure {provider} --enable"
    );
    Fault::new(Code::Unconfigured, message)
}

/// What cannot stand behind a dot in a script.
const LUA_WORDS: [&str; 21] = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "if", "in", "local", "nil", "not", "or",
    "repeat", "return", "then", "true", "until", "while",
];

/// As [`misnamed`], of an account that stands in a file.
fn check_name(description: &Description, name: &str) -> Result<(), Fault> {
    let told = |problem| Fault::new(Code::Unconfigured, format!("[accounts.{}.{name}]: {problem}", description.name));
    misnamed(description, name).map_or(Ok(()), |problem| Err(told(problem)))
}

/// Why no account can be called so: its name stands where a function's could, as in `app.integrations.dialpad.work`.
pub(crate) fn misnamed(description: &Description, name: &str) -> Option<String> {
    if !is_name(name) {
        return Some("an account's name has lower case letters, digits and underscores.".into());
    }
    if LUA_WORDS.contains(&name) {
        return Some(format!("`{name}` is a word of Lua's own; choose another name."));
    }
    let is_function = description.function(name).is_some();
    is_function.then(|| format!("{} has a function of that name; choose another.", description.name))
}

/// One that cannot be looked at counts as there: what it says must not be passed over.
fn project_file(home: Option<&Path>, folder: &Path) -> Option<PathBuf> {
    let same = |one: &Path, other: &Path| one == other || one.canonicalize().ok() == other.canonicalize().ok();
    let folders = folder.ancestors().map(|ancestor| ancestor.join(".kosmo"));
    let others = folders.filter(|folder| !home.is_some_and(|home| same(home, folder)));
    let absent = [ErrorKind::NotFound, ErrorKind::NotADirectory];
    others.map(|folder| folder.join("config.toml")).find(|file| match file.metadata() {
        Ok(_) => true,
        Err(error) => !absent.contains(&error.kind()),
    })
}

/// What others than its owner may do with a file: anything, or change it.
const READ_OR_WRITTEN: u32 = 0o077;
const WRITTEN: u32 = 0o022;

/// Takes from others what they may not do with a file. One that decides what may be sent is not read otherwise.
fn close(file: &Path, forbidden: u32) -> Result<(), ConfigError> {
    files::forbid(file, forbidden).map_err(|error| ConfigError::Open { file: file.into(), error })
}

fn read(file: &Path) -> Result<String, ConfigError> {
    files::read_text(file).map_err(|error| ConfigError::Unreadable { file: file.into(), error })
}

/// A relative path is meant from where the configuration lies.
fn read_roots(file: &Path, path: &Path) -> Result<Roots, ConfigError> {
    let path = file.parent().unwrap_or(Path::new("")).join(path);
    let roots = std::fs::read(&path).map_err(|error| error.to_string()).and_then(|pem| Roots::parse(&pem));
    roots.map_err(|why| ConfigError::Network { file: file.into(), error: NetworkError::Roots { file: path, why } })
}

fn mistake(file: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let start = error.span().map_or(0, |span| span.start.min(text.len()));
    let line = 1 + text.as_bytes()[..start].iter().filter(|&&byte| byte == b'\n').count();
    ConfigError::Mistake { file: file.into(), line, message: unquoted(error.message()).replace('\n', " ") }
}

/// What serde did not expect, it quotes, and that may be a secret. What it expected instead is enough.
fn unquoted(message: &str) -> &str {
    let quotes =
        ["invalid type: ", "invalid value: ", "unknown variant "].iter().any(|start| message.starts_with(start));
    match message.rfind("expected ") {
        Some(expected) if quotes => &message[expected..],
        _ => message,
    }
}
