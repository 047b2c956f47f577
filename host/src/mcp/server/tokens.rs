//! Who may connect over HTTP: bearer tokens, each with a scope of its own. Only their digests are kept, in
//! `mcp-tokens.toml` of the kosmo home; the token itself is shown once.

use super::offer::{Client, Offer};
use crate::description::is_name;
use crate::fault::{Code, Fault};
use crate::permission::Decision;
use crate::provider::hex;
use crate::{Host, Scope, files};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::digest::CtOutput;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub(super) const FILE: &str = "mcp-tokens.toml";
/// So that a token is known for one wherever it turns up.
const PREFIX: &str = "kosmo_";
/// What a token is called that is made for one run of a server.
const ONCE: &str = "this-run";

/// What a token gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// The only integrations; None is all that the server offers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integrations: Option<BTreeSet<String>>,
    /// The only accounts, `work` or `dialpad.work`; None is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounts: Option<BTreeSet<String>>,
    /// The most that functions may do which write.
    pub write: Decision,
}

/// A token as it is kept: everything is written out, so that a limit that is misspelt is a mistake and not no limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// SHA-256, in hexadecimal. A token has 256 random bits, so a slow digest would protect it no better.
    sha256: String,
    /// UTC.
    created: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    integrations: Option<BTreeSet<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accounts: Option<BTreeSet<String>>,
    write: Decision,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    tokens: BTreeMap<String, Entry>,
}

/// A token's name, when it was made, and what it gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Known {
    /// As it was named.
    pub name: String,
    /// UTC.
    pub created: String,
    /// What it gives.
    #[serde(flatten)]
    pub grant: Grant,
}

/// Makes a token of this name and gives it, for the only time.
///
/// # Errors
/// If the name is taken or none, or the file cannot be changed.
pub fn add(host: &Host, name: &str, grant: Grant) -> Result<String, Fault> {
    let refused = |message| Fault::new(Code::InvalidArgument, message);
    if !is_name(&name.replace('-', "_")) {
        let message = "has lower case letters, digits, dashes and underscores, and starts with a letter";
        return Err(refused(format!("`{name}` is no name for a token: one {message}.")));
    }
    if { grant.integrations.iter().chain(&grant.accounts) }.flatten().any(|name| name.trim().is_empty()) {
        return Err(refused(
            "An integration or account of no name would be none at all. Leave the limit out, or name one.".into(),
        ));
    }
    let (token, created) = (new_token().map_err(|error| unusable(&file(host).unwrap_or_default(), &error))?, now());
    change(host, |known| {
        if known.contains_key(name) || name == ONCE {
            let cure = format!("Remove it first: kosmo mcp:token:remove {name}");
            return Err(refused(format!("There is a token `{name}` already. {cure}")));
        }
        known.insert(name.into(), Entry::new(&token, created, grant));
        Ok(())
    })?;
    Ok(token)
}

/// Forgets a token; whoever uses it is let in no more. Whether there was one.
///
/// # Errors
/// If the file cannot be changed.
pub fn remove(host: &Host, name: &str) -> Result<bool, Fault> {
    change(host, |known| Ok(known.remove(name).is_some()))
}

/// Every token, by name.
///
/// # Errors
/// If the file cannot be read.
pub fn list(host: &Host) -> Result<Vec<Known>, Fault> {
    let file = file(host)?;
    let known = read(&file)?.tokens.into_iter();
    Ok(known.map(|(name, entry)| Known { name, grant: entry.grant(), created: entry.created }).collect())
}

/// The tokens a server lets in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    known: BTreeMap<String, Entry>,
}

impl Tokens {
    /// Those of a host's home, whatever else of it cannot be used.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn load(host: &Host) -> Result<Self, Fault> {
        let Some(home) = host.home() else { return Ok(Self::default()) };
        Ok(Self { known: read(&home.join(FILE))?.tokens })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// These, and others besides.
    #[must_use]
    pub fn and(mut self, others: &Self) -> Self {
        self.known.extend(others.known.clone());
        self
    }

    /// One that is made for a single run of a server, and gives all that the server offers.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn once() -> Result<(Self, String), Fault> {
        let token = new_token().map_err(|error| Fault::new(Code::Internal, error.to_string()))?;
        let grant = Grant { integrations: None, accounts: None, write: Decision::Allow };
        let entry = Entry::new(&token, now(), grant);
        Ok((Self { known: [(ONCE.to_owned(), entry)].into() }, token))
    }

    /// Whether a token is the same in both, with all that it gives.
    pub(super) fn same(&self, other: &Self, name: &str) -> bool {
        self.known.get(name).is_some_and(|known| other.known.get(name) == Some(known))
    }

    /// Whose token this is. How long the answer takes says nothing about how much of it is right.
    pub(super) fn find(&self, token: &str, offer: &Offer) -> Option<Client> {
        let presented = CtOutput::<Sha256>::new(Sha256::digest(token));
        let same = |entry: &Entry| bytes(&entry.sha256).is_some_and(|kept| CtOutput::new(kept.into()) == presented);
        // All are looked at, whichever it is.
        let found =
            self.known.iter().fold(None, |found, (name, entry)| if same(entry) { Some((name, entry)) } else { found });
        found.map(|(name, entry)| entry.client(name, offer))
    }
}

impl Entry {
    fn new(token: &str, created: String, grant: Grant) -> Self {
        let Grant { integrations, accounts, write } = grant;
        Self { sha256: digest(token), created, integrations, accounts, write }
    }

    fn grant(&self) -> Grant {
        Grant { integrations: self.integrations.clone(), accounts: self.accounts.clone(), write: self.write }
    }

    fn client(&self, name: &str, offer: &Offer) -> Client {
        let Grant { integrations, accounts, write } = self.grant();
        let cure = format!("Whoever runs the server can give `{name}` another one with kosmo mcp:token:add --write=…");
        Client::known(name, offer, Scope { name: format!("the token `{name}`"), integrations, accounts, write, cure })
    }
}

fn change<T>(host: &Host, change: impl FnOnce(&mut BTreeMap<String, Entry>) -> Result<T, Fault>) -> Result<T, Fault> {
    let file = file(host)?;
    let _alone = host.surroundings().store.as_ref().map(|store| store.alone()).transpose()?;
    let mut known = read(&file)?;
    let changed = change(&mut known.tokens)?;
    let text = toml::to_string_pretty(&known).map_err(|error| unusable(&file, &error))?;
    files::write(&file, &[text.as_bytes()]).map_err(|error| unusable(&file, &error))?;
    Ok(changed)
}

fn file(host: &Host) -> Result<PathBuf, Fault> {
    let nowhere = || Fault::new(Code::Unconfigured, "This host has no home folder to keep tokens in.");
    host.home().map(|home| home.join(FILE)).ok_or_else(nowhere)
}

fn read(file: &Path) -> Result<File, Fault> {
    let text = files::read_text(file).map_err(|error| unusable(file, &error))?;
    toml::from_str(&text).map_err(|error| unusable(file, &error))
}

fn unusable(file: &Path, error: &dyn std::fmt::Display) -> Fault {
    let error = error.to_string().trim_end().replace('\n', " ");
    Fault::new(Code::Unconfigured, format!("{} cannot be used: {error}", file.display()))
}

fn new_token() -> io::Result<String> {
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(files::new_key()?)))
}

fn digest(token: &str) -> String {
    hex(&Sha256::digest(token))
}

fn bytes(hexadecimal: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if hexadecimal.len() != 64 || !hexadecimal.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hexadecimal[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

fn now() -> String {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(home: &Path) -> Host {
        Host::builder().home(home).build().expect("a host")
    }

    fn grant(write: Decision) -> Grant {
        Grant { integrations: None, accounts: Some(["work".to_owned()].into()), write }
    }

    #[test]
    fn a_token_lets_in_until_it_is_removed_and_is_kept_nowhere() {
        let home = tempfile::tempdir().expect("a folder");
        let host = host(home.path());
        let token = add(&host, "ci-bot", grant(Decision::Ask)).expect("a token");
        assert!(token.starts_with(PREFIX) && token.len() == PREFIX.len() + 43, "{token}");
        let kept = std::fs::read_to_string(home.path().join(FILE)).expect("a file");
        assert!(!kept.contains(&token) && !kept.contains(&token[PREFIX.len()..]), "{kept}");
        let tokens = Tokens::load(&host).expect("tokens");
        let client = tokens.find(&token, &Offer::default()).expect("a client");
        assert_eq!((&*client.name, client.write()), ("ci-bot", Decision::Deny), "the server denies writing");
        let seen = client.view(&host);
        assert!(seen.includes_account("dialpad", "work") && !seen.includes_account("dialpad", "default"));
        for wrong in ["", PREFIX, &token[1..], &token.replace("kosmo_", "kosmo-"), &format!("{token}x")] {
            assert!(tokens.find(wrong, &Offer::default()).is_none(), "{wrong}");
        }
        assert_eq!(add(&host, "ci-bot", grant(Decision::Deny)).expect_err("taken").code, Code::InvalidArgument);
        assert!(remove(&host, "ci-bot").expect("removed") && !remove(&host, "ci-bot").expect("nothing left"));
        assert!(Tokens::load(&host).expect("tokens").is_empty());
    }

    #[test]
    fn a_limit_to_nothing_is_no_limit_and_refused() {
        let home = tempfile::tempdir().expect("a folder");
        let none = || Some(["".to_owned()].into());
        for grant in [
            Grant { integrations: none(), ..grant(Decision::Deny) },
            Grant { accounts: none(), ..grant(Decision::Deny) },
        ] {
            let fault = add(&host(home.path()), "ci", grant).expect_err("an empty name");
            assert!(fault.message.starts_with("An integration or account of no name"), "{fault}");
        }
    }

    #[test]
    fn the_token_of_a_run_stays_beside_those_that_come() {
        let home = tempfile::tempdir().expect("a folder");
        let (once, token) = Tokens::once().expect("a token");
        let added = add(&host(home.path()), "ci", grant(Decision::Deny)).expect("a token");
        let both = Tokens::load(&host(home.path())).expect("tokens").and(&once);
        for token in [token, added] {
            assert!(both.find(&token, &Offer::default()).is_some());
        }
    }

    #[test]
    fn names_are_plain() {
        let home = tempfile::tempdir().expect("a folder");
        let host = host(home.path());
        for name in ["", "A", "a b", "../x", "x\"y", "this-run"] {
            add(&host, name, grant(Decision::Deny)).expect_err(name);
        }
    }

    #[test]
    fn a_file_that_makes_no_sense_lets_nobody_in() {
        let home = tempfile::tempdir().expect("a folder");
        for text in ["tokens = 1", "[tokens.a]\nsha256 = \"00\"\n", "[other]\n"] {
            std::fs::write(home.path().join(FILE), text).expect("a file");
            let fault = Tokens::load(&host(home.path())).expect_err("unusable");
            assert!(fault.message.contains("mcp-tokens.toml cannot be used: "), "{fault}");
        }
    }

    #[test]
    fn a_limit_that_is_misspelt_gives_nothing() {
        let home = tempfile::tempdir().expect("a folder");
        add(&host(home.path()), "ci", grant(Decision::Deny)).expect("a token");
        let file = home.path().join(FILE);
        let text = std::fs::read_to_string(&file).expect("a file");
        for typo in ["account", "Accounts", "account_names"] {
            std::fs::write(&file, text.replace("accounts =", &format!("{typo} ="))).expect("a file");
            let fault = Tokens::load(&host(home.path())).expect_err(typo);
            assert!(fault.message.contains(&format!("unknown field `{typo}`")), "{fault}");
        }
    }
}
