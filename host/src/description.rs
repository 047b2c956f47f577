//! What a provider said of itself, checked once: a `Description` that exists is consistent.

use crate::bindings::contract::{self, OutboundRule};
use crate::parsed;
use crate::rate::Pace;
use crate::rule::{Base, PathPattern, Rule, RuleError};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;

pub use contract::{
    Authentication, ClientAuthentication, CredentialField, FieldKind, Function, Kind, Oauth2, Oauth2Grant, Operation,
    Pagination, Parameter, RateGroup,
};

/// Bytes of a line for people. A parameter's description with its unit, format and traps takes about two hundred.
const LINE: usize = 1000;

/// A provider's checked description. Dereferences to the contract's record for everything a reader wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    declared: contract::Description,
    base: Base,
    rules: Vec<Vec<Rule>>,
    traces: Vec<Vec<Rule>>,
    never: Vec<Rule>,
}

impl Operation {
    /// As people and files write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// Why a plugin's description is refused.
#[derive(Debug, thiserror::Error)]
pub enum DescriptionError {
    /// A name that scripts or configuration could not use.
    #[error("{what} `{name}` is not a name: use lower case letters, digits and underscores, starting with a letter")]
    Name {
        /// What is named so.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Two things of one name.
    #[error("two {what} are called `{name}`")]
    Twice {
        /// What is named so.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A reference to something that is not described.
    #[error("{from} names the {what} `{name}`, which is not described")]
    Missing {
        /// What refers to it.
        from: String,
        /// What it should be.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// An outbound rule that could not be enforced as written.
    #[error("{function}: {error}")]
    Rule {
        /// The function that declares it.
        function: String,
        /// What is wrong with it.
        error: RuleError,
    },
    /// Something under `never` that is not a request to the account's URL.
    #[error("`never` names the origin `{0}`; it is for requests to `base`")]
    Never(String),
    /// A token endpoint that is not one path.
    #[error("the token path `{0}` is not one literal path such as `/oauth/token`")]
    TokenPath(String),
    /// A function that could ask for tokens itself.
    #[error("a rule of {function} covers the token path `{path}`, where only the host sends requests")]
    CoversTokenPath {
        /// The function that declares it.
        function: String,
        /// The token path.
        path: String,
    },
    /// A rate that nothing could keep, or that is none.
    #[error("the rate group `{0}` takes no 1 to 100000 requests in 1 to 86400 seconds")]
    Rate(String),
    /// A URL that cannot be an origin.
    #[error("{url}: {error}")]
    Url {
        /// As described.
        url: String,
        /// What is wrong with it.
        error: RuleError,
    },
    /// A line for people that is none: terminals obey control characters.
    #[error("the {what} {text:?} is longer than {LINE} bytes or holds control characters")]
    Line {
        /// What it is.
        what: &'static str,
        /// As described, its beginning.
        text: String,
    },
    /// A read that could change something.
    #[error("{function}: a function that only reads may declare GET, HEAD, OPTIONS and POST, not {methods}")]
    Changing {
        /// The function.
        function: String,
        /// As described.
        methods: String,
    },
    /// A question that could change something.
    #[error("{function}: a trace is looked for by GET alone, not by {methods}")]
    Trace {
        /// The function.
        function: String,
        /// As described.
        methods: String,
    },
    /// A parameter's default or example that is not JSON.
    #[error("{function}: the {what} of `{parameter}` is not JSON: {text}")]
    Json {
        /// The function.
        function: String,
        /// The parameter.
        parameter: String,
        /// Default or example.
        what: &'static str,
        /// As described.
        text: String,
    },
}

impl Description {
    /// The account URL used when the operator gave none; always `https`.
    pub fn base(&self) -> &Base {
        &self.base
    }

    /// The function of this name; `<provider>_` before it is accepted.
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.position(name).map(|index| &self.functions[index])
    }

    /// The rules a function declares: its ceiling.
    pub fn rules(&self, function: &str) -> &[Rule] {
        self.position(function).map_or(&[], |index| &self.rules[index])
    }

    /// Whether doing it twice does no more than doing it once, by the methods of its requests.
    pub(crate) fn is_idempotent(&self, function: &str) -> bool {
        self.rules(function).iter().flat_map(Rule::methods).all(http::Method::is_idempotent)
    }

    /// The requests by which a write finds out whether an earlier one happened: none where the provider cannot tell.
    pub fn traces(&self, function: &str) -> &[Rule] {
        self.position(function).map_or(&[], |index| &self.traces[index])
    }

    /// Every function with its rules.
    pub fn ceilings(&self) -> impl Iterator<Item = (&Function, &[Rule])> {
        self.functions.iter().zip(self.rules.iter().map(Vec::as_slice))
    }

    /// What no function may send to the account's URL, whatever its rules say.
    pub fn never(&self) -> &[Rule] {
        &self.never
    }

    /// The credential fields that are secrets.
    pub fn secrets(&self) -> impl Iterator<Item = &CredentialField> {
        self.credentials.iter().filter(|field| field.kind == FieldKind::Secret)
    }

    /// How requests are authenticated, in one word: `bearer`, `oauth2`, `none`.
    pub fn auth_strategy(&self) -> &'static str {
        match self.authentication {
            Authentication::None => "none",
            Authentication::Bearer(_) => "bearer",
            Authentication::Basic(_) => "basic",
            Authentication::Header(_) => "header",
            Authentication::Query(_) => "query",
            Authentication::Oauth2(_) => "oauth2",
        }
    }

    fn position(&self, name: &str) -> Option<usize> {
        let find = |name: &str| self.functions.iter().position(|function| function.name == name);
        find(name).or_else(|| find(name.strip_prefix(self.name.as_str())?.strip_prefix('_')?))
    }
}

impl Deref for Description {
    type Target = contract::Description;

    fn deref(&self) -> &Self::Target {
        &self.declared
    }
}

impl TryFrom<contract::Description> for Description {
    type Error = DescriptionError;

    fn try_from(declared: contract::Description) -> Result<Self, Self::Error> {
        check_names(&declared)?;
        check_references(&declared)?;
        declared.functions.iter().try_for_each(check_parameters)?;
        check_lines(&declared)?;
        check_rates(&declared)?;
        for url in declared.origins.iter().flat_map(|origin| &origin.urls) {
            Base::declared(url).map_err(|error| DescriptionError::Url { url: url.clone(), error })?;
        }
        let base = Base::declared(&declared.base_url)
            .map_err(|error| DescriptionError::Url { url: declared.base_url.clone(), error })?;
        let rules: Vec<_> = parse_all(&declared, |rule| !rule.finding)?;
        let traces = parse_all(&declared, |rule| rule.finding)?;
        let never = parse_rules("never", &declared.never)?;
        check_token_path(&declared, &rules)?;
        Ok(Self { declared, base, rules, traces, never })
    }
}

impl Serialize for Description {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.declared.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Description {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        contract::Description::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}

/// Whether a name can stand in a script as it is: `list_calls`.
pub fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.len() <= 64
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// A name that can stand in a script as it is, of a provider, an account or a function.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed::text(deserializer, "a name in quotes", |name| Self::try_from(name.to_owned()))
    }
}

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let mistake =
            || format!("`{name}` is no name: use lower case letters, digits and underscores, starting with a letter");
        if is_name(&name) { Ok(Self(name)) } else { Err(mistake()) }
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is left of a parameter's name once case and underscores, which scripts may write as they like, are gone.
pub fn folded(name: &str) -> String {
    name.chars().filter(|&letter| letter != '_').flat_map(char::to_lowercase).collect()
}

fn check_names(declared: &contract::Description) -> Result<(), DescriptionError> {
    name("provider", &declared.name)?;
    distinct("functions", declared.functions.iter().map(|function| function.name.as_str()))?;
    distinct("credential fields", declared.credentials.iter().map(|field| field.key.as_str()))?;
    distinct("origins", declared.origins.iter().map(|origin| origin.name.as_str()))?;
    distinct("rate groups", declared.rate_groups.iter().map(|group| group.name.as_str()))?;
    // An account's fields, its URL and its origins share one namespace in the configuration.
    let fields = declared.credentials.iter().map(|field| field.key.as_str());
    let origins = declared.origins.iter().map(|origin| origin.name.as_str());
    distinct("account fields", ["url", "base"].into_iter().chain(fields).chain(origins))
}

fn check_references(declared: &contract::Description) -> Result<(), DescriptionError> {
    let missing =
        |from: &str, what, name: &str| Err(DescriptionError::Missing { from: from.into(), what, name: name.into() });
    let unknown_group = |group: &&String| !declared.rate_groups.iter().any(|known| known.name == **group);
    for field in authentication_fields(&declared.authentication) {
        if !declared.credentials.iter().any(|known| known.key == field && known.kind == FieldKind::Secret) {
            return missing("authentication", "secret credential field", field);
        }
    }
    if let Authentication::Oauth2(oauth2) = &declared.authentication
        && let Some(group) = oauth2.rate_group.as_ref().filter(unknown_group)
    {
        return missing("authentication", "rate group", group);
    }
    if let Some(rule) = declared.never.iter().find(|rule| rule.origin != "base") {
        return Err(DescriptionError::Never(rule.origin.clone()));
    }
    for function in &declared.functions {
        let mut groups = function.requests.iter().filter_map(|rule| rule.rate_group.as_ref());
        if let Some(group) = function.rate_group.as_ref().filter(unknown_group).or_else(|| groups.find(unknown_group)) {
            return missing(&function.name, "rate group", group);
        }
        let changes = |rule: &&OutboundRule| {
            function.operation == Operation::Read
                && rule.methods.iter().any(|method| matches!(method.as_str(), "PUT" | "PATCH" | "DELETE"))
        };
        if let Some(rule) = function.requests.iter().find(changes) {
            let (function, methods) = (function.name.clone(), rule.methods.join(","));
            return Err(DescriptionError::Changing { function, methods });
        }
        let changes = |rule: &&OutboundRule| rule.finding && rule.methods.iter().any(|method| method != "GET");
        if let Some(rule) = function.requests.iter().find(changes) {
            let (function, methods) = (function.name.clone(), rule.methods.join(","));
            return Err(DescriptionError::Trace { function, methods });
        }
        for rule in &function.requests {
            if rule.origin != "base" && !declared.origins.iter().any(|known| known.name == rule.origin) {
                return missing(&function.name, "origin", &rule.origin);
            }
        }
    }
    match &declared.whoami {
        Some(whoami) if !declared.functions.iter().any(|known| known.name == *whoami) => {
            missing("whoami", "function", whoami)
        }
        _ => Ok(()),
    }
}

/// The credential fields an authentication scheme attaches. The username of `basic` counts: it goes out with the secret.
pub fn authentication_fields(authentication: &Authentication) -> Vec<&str> {
    match authentication {
        Authentication::None => Vec::new(),
        Authentication::Bearer(field) => vec![field],
        Authentication::Basic((user, password)) => vec![user, password],
        Authentication::Header((_, field)) | Authentication::Query((_, field)) => vec![field],
        Authentication::Oauth2(oauth2) => {
            let client = [&oauth2.client_id, &oauth2.client_secret];
            let granted = oauth2.grants.iter().filter_map(grant_field);
            let fields = oauth2.access_token.iter().chain(client);
            fields.map(String::as_str).chain(granted).collect()
        }
    }
}

/// The credential field an OAuth 2 grant needs, besides the client's.
pub fn grant_field(grant: &Oauth2Grant) -> Option<&str> {
    match grant {
        Oauth2Grant::JwtBearer(field) | Oauth2Grant::RefreshToken(field) => Some(field),
        Oauth2Grant::ClientCredentials => None,
    }
}

fn check_parameters(function: &Function) -> Result<(), DescriptionError> {
    let mut seen = HashSet::new();
    for parameter in &function.parameters {
        if !seen.insert(folded(&parameter.name)) {
            return Err(DescriptionError::Twice { what: "parameters", name: parameter.name.clone() });
        }
        for (what, text) in [("default", &parameter.default), ("example", &parameter.example)] {
            if let Some(text) = text
                && serde_json::from_str::<serde_json::Value>(text).is_err()
            {
                let (function, parameter) = (function.name.clone(), parameter.name.clone());
                return Err(DescriptionError::Json { function, parameter, what, text: text.clone() });
            }
        }
    }
    Ok(())
}

fn check_rates(declared: &contract::Description) -> Result<(), DescriptionError> {
    match declared.rate_groups.iter().find(|group| Pace::new(group.limit, group.window).is_none()) {
        Some(group) => Err(DescriptionError::Rate(group.name.clone())),
        None => Ok(()),
    }
}

/// Everything that listings and error messages show on one line.
fn check_lines(declared: &contract::Description) -> Result<(), DescriptionError> {
    line("title", &declared.title)?;
    line("category", &declared.category)?;
    line("version", &declared.version)?;
    line("summary", &declared.summary)?;
    for field in &declared.credentials {
        line("label", &field.label)?;
        line("description", &field.description)?;
    }
    declared.origins.iter().try_for_each(|origin| line("description", &origin.description))?;
    for function in &declared.functions {
        line("summary", &function.summary)?;
        for parameter in &function.parameters {
            line("parameter", &parameter.name)?;
            line("description", &parameter.description)?;
            parameter.choices.iter().try_for_each(|choice| line("choice", choice))?;
        }
    }
    Ok(())
}

fn line(what: &'static str, text: &str) -> Result<(), DescriptionError> {
    if text.len() <= LINE && !text.contains(char::is_control) {
        return Ok(());
    }
    Err(DescriptionError::Line { what, text: text.chars().take(60).collect() })
}

/// Those of every function's rules that are for this.
fn parse_all(
    declared: &contract::Description,
    wanted: fn(&OutboundRule) -> bool,
) -> Result<Vec<Vec<Rule>>, DescriptionError> {
    let parse = |function: &Function| {
        let rules = function.requests.iter().filter(|rule| wanted(rule));
        parse_rules(&function.name, rules)
    };
    declared.functions.iter().map(parse).collect()
}

fn parse_rules<'a>(
    function: &str,
    rules: impl IntoIterator<Item = &'a OutboundRule>,
) -> Result<Vec<Rule>, DescriptionError> {
    let parse =
        |rule| Rule::try_from(rule).map_err(|error| DescriptionError::Rule { function: function.into(), error });
    rules.into_iter().map(parse).collect()
}

/// The client's secret goes where tokens are issued, and what comes back is a secret: no guest has business there.
fn check_token_path(declared: &contract::Description, rules: &[Vec<Rule>]) -> Result<(), DescriptionError> {
    let Authentication::Oauth2(Oauth2 { token_path, .. }) = &declared.authentication else { return Ok(()) };
    let literal = token_path.parse().ok().filter(|path: &PathPattern| path.literal().is_some());
    let path = literal.ok_or_else(|| DescriptionError::TokenPath(token_path.clone()))?;
    let covers = |rule: &Rule| rule.origin() == "base" && rule.covers(&path);
    match declared.functions.iter().zip(rules).find(|(_, rules)| rules.iter().any(covers)) {
        None => Ok(()),
        Some((function, _)) => {
            Err(DescriptionError::CoversTokenPath { function: function.name.clone(), path: token_path.clone() })
        }
    }
}

fn name(what: &'static str, name: &str) -> Result<(), DescriptionError> {
    if is_name(name) { Ok(()) } else { Err(DescriptionError::Name { what, name: name.into() }) }
}

fn distinct<'a>(what: &'static str, names: impl Iterator<Item = &'a str>) -> Result<(), DescriptionError> {
    let mut seen = HashSet::new();
    for next in names {
        name(what, next)?;
        if !seen.insert(next) {
            return Err(DescriptionError::Twice { what, name: next.into() });
        }
    }
    Ok(())
}
