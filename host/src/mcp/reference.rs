//! A value in a server's entry that may stand for another: an environment variable, or a secret kept here. Pure.

use super::plain::looks_secret;
use crate::config::is_telling;
use crate::fault::{Code, Fault};
use crate::secret::Secret;

/// What the names of variables that any server may ask for begin with.
const OURS: &str = "KOSMO_MCP_";

/// What editors write for the project's folder.
const FOLDER: &str = "workspaceFolder";

/// A value as it was written, taken apart. What it stands for is looked up only when its server starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    written: String,
    parts: Vec<Part>,
}

/// A piece of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Itself.
    Text(String),
    /// `${KOSMO_SECRET:mcp.<server>.<key>}`, or `@secret:mcp.<server>.<key>` as the whole value.
    Secret {
        /// Whose it is.
        server: String,
        /// What it is called.
        key: String,
    },
    /// `${env:NAME}`, `${NAME}`, `${NAME:-default}`, or `$NAME` as the whole value.
    Variable {
        /// Of the environment.
        name: String,
        /// What counts if it is not set, or empty.
        default: Option<String>,
    },
    /// `${input:id}`, which an editor asks a person for: the server's own secret of that key.
    Input(String),
    /// `${workspaceFolder}`
    Folder,
}

/// Where what a value stands for is found.
pub(crate) trait Lookup {
    /// A variable of the environment.
    fn variable(&self, name: &str) -> Option<String>;
    /// Whether the operator lets servers ask for a variable that is not named as theirs are.
    fn is_allowed(&self, name: &str) -> bool;
    /// A secret that is kept here.
    fn secret(&self, server: &str, key: &str) -> Result<Secret, Fault>;
    /// One of those that is kept for the server itself.
    fn input(&self, key: &str) -> Result<Secret, Fault>;
    /// The project's folder.
    fn folder(&self) -> String;
    /// What may be shown to nobody, as it was looked up.
    fn hide(&self, _: &Secret) {}
}

impl Template {
    /// Takes a value apart. What is no reference is text: nothing is refused.
    pub fn parse(written: &str) -> Self {
        let parts = whole(written).map_or_else(|| pieces(written), |part| vec![part]);
        Self { written: written.into(), parts }
    }

    /// As it was written.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Its pieces.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The secrets it stands for in the entry of this server, as `(server, key)`.
    pub fn secrets<'a>(&'a self, own: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.parts.iter().filter_map(move |part| match part {
            Part::Secret { server, key } => Some((server.as_str(), key.as_str())),
            Part::Input(key) => Some((own, key.as_str())),
            Part::Text(_) | Part::Variable { .. } | Part::Folder => None,
        })
    }

    /// What it stands for.
    ///
    /// # Errors
    /// `unconfigured`, naming the variable or the secret, and the cure.
    pub(crate) fn resolve(&self, place: &str, lookup: &dyn Lookup) -> Result<Secret, Fault> {
        let parts = self.parts.iter().map(|part| part.resolve(place, lookup)).collect::<Result<Vec<_>, _>>()?;
        let hidden = self.parts.iter().zip(&parts).filter(|(part, value)| part.is_secret(named(place), value));
        hidden.for_each(|(_, value)| lookup.hide(value));
        Ok(Secret::new(parts.iter().map(Secret::expose).collect::<String>()))
    }
}

impl Part {
    fn resolve(&self, place: &str, lookup: &dyn Lookup) -> Result<Secret, Fault> {
        match self {
            Self::Text(text) => Ok(Secret::new(text.as_str())),
            Self::Secret { server, key } => lookup.secret(server, key),
            Self::Input(key) => lookup.input(key),
            Self::Folder => Ok(Secret::new(lookup.folder())),
            Self::Variable { name, default } => variable(place, name, default.as_deref(), lookup),
        }
    }

    /// Whether nobody may see what it stands for. Whatever servers are handed from the environment is one: names like
    /// `GH_PAT` tell nothing.
    fn is_secret(&self, name: &str, value: &Secret) -> bool {
        match self {
            Self::Secret { .. } | Self::Input(_) => true,
            Self::Variable { default, .. } => default.as_deref() != Some(value.expose()),
            Self::Text(text) => (is_telling(name) || looks_secret(name, text)) && !text.ends_with(' '),
            Self::Folder => false,
        }
    }

    /// What stands between `${` and `}`.
    fn inside(text: &str) -> Option<Self> {
        if let Some(secret) = text.strip_prefix("KOSMO_SECRET:") {
            return secret_named(secret);
        }
        if let Some(id) = text.strip_prefix("input:") {
            return (!id.is_empty()).then(|| Self::Input(key_of(id)));
        }
        let (name, default) = match text.split_once(":-") {
            Some((name, default)) => (name, Some(default.to_owned())),
            None => (text.strip_prefix("env:").unwrap_or(text), None),
        };
        match name {
            FOLDER => Some(Self::Folder),
            name => is_variable(name).then(|| Self::Variable { name: name.into(), default }),
        }
    }
}

fn variable(place: &str, name: &str, default: Option<&str>, lookup: &dyn Lookup) -> Result<Secret, Fault> {
    if !name.starts_with(OURS) && !lookup.is_allowed(name) {
        let message = format!(
            "MCP env reference '{name}' is not allowed in {place}: call the variable {OURS}{name}, or allow this one \
             with KOSMO_MCP_ALLOWED_ENV={name} or with `allowed_env = [\"{name}\"]` under [mcp] in config.toml."
        );
        return Err(Fault::new(Code::Unconfigured, message));
    }
    let set = lookup.variable(name).filter(|value| default.is_none() || !value.is_empty());
    set.or_else(|| default.map(Into::into)).map(Secret::new).ok_or_else(|| {
        let message = format!("{place} is taken from ${name} in the environment, which is not set.");
        Fault::new(Code::Unconfigured, message)
    })
}

/// What stands in the first quotes: `env.X`, and not the server's name.
fn named(place: &str) -> &str {
    place.split('`').nth(1).unwrap_or(place)
}

/// References that are only ones if nothing else is there.
fn whole(text: &str) -> Option<Part> {
    if let Some(secret) = text.strip_prefix("@secret:") {
        return secret_named(secret);
    }
    let name = text.strip_prefix('$').filter(|name| is_variable(name))?;
    Some(Part::Variable { name: name.into(), default: None })
}

fn pieces(text: &str) -> Vec<Part> {
    let (mut parts, mut plain, mut rest) = (Vec::new(), String::new(), text);
    while let Some(start) = rest.find("${") {
        let (before, reference) = rest.split_at(start);
        plain.push_str(before);
        let Some(end) = reference.find('}') else {
            rest = reference;
            break;
        };
        match Part::inside(&reference[2..end]) {
            Some(part) => parts.extend(text_of(&mut plain).into_iter().chain([part])),
            None => plain.push_str(&reference[..=end]),
        }
        rest = &reference[end + 1..];
    }
    plain.push_str(rest);
    parts.extend(text_of(&mut plain));
    parts
}

fn text_of(plain: &mut String) -> Option<Part> {
    (!plain.is_empty()).then(|| Part::Text(std::mem::take(plain)))
}

/// `mcp.<server>.<key>`; a server's name may have dots, a key has none.
fn secret_named(text: &str) -> Option<Part> {
    let (server, key) = text.strip_prefix("mcp.")?.rsplit_once('.')?;
    (!server.is_empty() && !key.is_empty()).then(|| Part::Secret { server: server.into(), key: key.into() })
}

/// A name as the key of a secret.
pub(super) fn key_of(name: &str) -> String {
    let letter = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
    name.chars().map(letter).collect()
}

fn is_variable(name: &str) -> bool {
    let letters = |letter: char| letter == '_' || letter.is_ascii_alphanumeric();
    name.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic()) && name.chars().all(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Known;

    impl Lookup for Known {
        fn variable(&self, name: &str) -> Option<String> {
            let known = [("KOSMO_MCP_A", "a"), ("KOSMO_MCP_EMPTY", ""), ("TOKEN", "t"), ("HOME", "/h")];
            known.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into())
        }

        fn is_allowed(&self, name: &str) -> bool {
            name == "TOKEN"
        }

        fn secret(&self, server: &str, key: &str) -> Result<Secret, Fault> {
            Ok(Secret::new(format!("<{server}|{key}>")))
        }

        fn input(&self, key: &str) -> Result<Secret, Fault> {
            Ok(Secret::new(format!("<{key}>")))
        }

        fn folder(&self) -> String {
            "/project".into()
        }
    }

    #[track_caller]
    fn check(written: &str, expected: &str) {
        let value = Template::parse(written).resolve("`env.X` of MCP server 's'", &Known);
        let value = value.map_or_else(|fault| fault.message, |value| value.expose().to_owned());
        assert_eq!(value, expected, "{written}");
    }

    #[test]
    fn every_way_to_refer_to_a_value_is_understood() {
        check("plain", "plain");
        check("", "");
        check("@secret:mcp.git.hub.token", "<git.hub|token>");
        check("${KOSMO_SECRET:mcp.github.token}", "<github|token>");
        check("Bearer ${KOSMO_SECRET:mcp.github.token}!", "Bearer <github|token>!");
        check("Bearer ${input:api-key}", "Bearer <api-key>");
        check("${input:my key}", "<my_key>");
        check("${env:KOSMO_MCP_A}", "a");
        check("${KOSMO_MCP_A}-${TOKEN}", "a-t");
        check("$KOSMO_MCP_A", "a");
        check("${KOSMO_MCP_B:-other}", "other");
        check("${KOSMO_MCP_EMPTY:-other}", "other");
        check("${KOSMO_MCP_EMPTY}", "");
        check("${workspaceFolder}/src", "/project/src");
    }

    #[test]
    fn what_only_looks_like_a_reference_is_text() {
        for text in [
            "pa$$word",
            "$1",
            "a $KOSMO_MCP_A",
            "${",
            "${}",
            "${input:}",
            "${a b}",
            "@secret:mcp.a",
            "${KOSMO_SECRET:x}",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn a_variable_is_given_only_if_it_is_there_and_allowed() {
        check(
            "$HOME",
            "MCP env reference 'HOME' is not allowed in `env.X` of MCP server 's': call the variable \
             KOSMO_MCP_HOME, or allow this one with KOSMO_MCP_ALLOWED_ENV=HOME or with `allowed_env = [\"HOME\"]` under \
             [mcp] in config.toml.",
        );
        check(
            "${HOME:-x}",
            &Template::parse("$HOME").resolve("`env.X` of MCP server 's'", &Known).expect_err("no").message,
        );
        check(
            "$KOSMO_MCP_B",
            "`env.X` of MCP server 's' is taken from $KOSMO_MCP_B in the environment, which is not set.",
        );
    }
}
