//! What looks like a secret in the clear, where a reference should stand. Pure.

use super::reference::{Part, Template};
use crate::config::is_telling;
use crate::secret::Secret;

/// Parts of names of which the values are secrets.
const TELLING: [&str; 12] = [
    "token",
    "secret",
    "password",
    "passphrase",
    "passwd",
    "credential",
    "apikey",
    "api_key",
    "api-key",
    "access_key",
    "authorization",
    "cookie",
];

/// How the tokens of well-known services begin.
const BEGINNINGS: [&str; 14] = [
    "sk-",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xapp-",
    "AKIA",
    "eyJ",
    "tvly-",
    "fc-",
];

/// Letters of the shortest value that could be worth hiding.
const SHORTEST: usize = 8;

/// Whether a value would let anybody in who reads the file. References are not values.
pub fn looks_secret(name: &str, value: &str) -> bool {
    let template = Template::parse(value);
    if template.parts().iter().any(|part| !matches!(part, Part::Text(_))) {
        return false;
    }
    let name = name.to_ascii_lowercase();
    let is_telling = TELLING.iter().any(|part| name.contains(part)) || name.ends_with("_key") || name == "key";
    value.len() >= SHORTEST && (is_telling || begins_so(value) || has_password(value))
}

/// A value as it may be shown: `***` for one that looks like a secret.
pub fn masked<'a>(name: &str, value: &'a str) -> &'a str {
    if looks_secret(name, value) { "***" } else { value }
}

/// Whether an argument is, or hands over, such a value: `--api-key=…`, or what follows `--api-key`.
pub(super) fn argument_looks_secret(before: Option<&str>, argument: &str) -> bool {
    argument_secret(before, argument).is_some()
}

/// The value that looks like a secret, in an argument that is one or hands one over.
fn argument_secret<'a>(before: Option<&str>, argument: &'a str) -> Option<&'a str> {
    let flag = |word: &str| word.trim_start_matches('-').to_owned();
    let (name, value) = match argument.split_once('=') {
        Some((name, value)) if name.starts_with('-') => (flag(name), value),
        _ if argument.starts_with('-') => return None,
        _ => (before.filter(|before| before.starts_with('-')).map(flag).unwrap_or_default(), argument),
    };
    looks_secret(&name, value).then_some(value)
}

/// A user's name or password as it stands in a URL, without its escapes.
pub(super) fn decoded(part: &str) -> String {
    let part = part.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(part.as_bytes()).next().map(|pair| pair.0.into_owned()).unwrap_or_default()
}

/// Everything in arguments that looks like a secret.
pub(super) fn secrets_of_arguments(args: &[String]) -> Vec<Secret> {
    let before = |index: usize| index.checked_sub(1).and_then(|before| args.get(before)).map(String::as_str);
    args.iter()
        .enumerate()
        .filter_map(|(index, argument)| argument_secret(before(index), argument))
        .map(Secret::new)
        .collect()
}

/// The password of a URL, and the values of its query that look like secrets.
pub(super) fn secrets_of_url(url: &str) -> Vec<Secret> {
    let Ok(url) = url::Url::parse(url) else { return Vec::new() };
    let telling = url.query_pairs().filter(|(name, value)| is_telling(name) || looks_secret(name, value));
    let values = telling.map(|(_, value)| value.into_owned());
    url.password().map(decoded).into_iter().chain(values).map(Secret::new).collect()
}

/// Arguments with `***` for what looks like a secret.
pub fn masked_arguments(args: &[String]) -> Vec<String> {
    let before = |index: usize| index.checked_sub(1).and_then(|before| args.get(before)).map(String::as_str);
    let shown = |(index, argument): (usize, &String)| {
        if !argument_looks_secret(before(index), argument) {
            return argument.clone();
        }
        argument.split_once('=').map_or("***".into(), |(name, _)| format!("{name}=***"))
    };
    args.iter().enumerate().map(shown).collect()
}

/// `postgres://user:password@host`
fn has_password(value: &str) -> bool {
    value.contains("://") && url::Url::parse(value).is_ok_and(|url| url.password().is_some())
}

/// Whether a URL hands over such a value in its query, or has a password.
pub fn url_looks_secret(url: &str) -> bool {
    let Ok(url) = url::Url::parse(url) else { return false };
    url.password().is_some() || url.query_pairs().any(|(name, value)| looks_secret(&name, &value))
}

fn begins_so(value: &str) -> bool {
    let value = value.strip_prefix("Bearer ").unwrap_or(value);
    let is_word = value.len() >= 2 * SHORTEST && value.bytes().all(|byte| byte.is_ascii_graphic());
    is_word && BEGINNINGS.iter().any(|beginning| value.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, value: &str, expected: bool) {
        assert_eq!(looks_secret(name, value), expected, "{name}={value}");
    }

    #[test]
    fn values_are_secret_by_their_name_or_their_look() {
        check("GITHUB_TOKEN", "abcdefgh", true);
        check("Authorization", "Bearer abc", true);
        check("OPENAI_API_KEY", "0123456789", true);
        check("LICENSE_KEY", "0123456789", true);
        check("ANYTHING", "ghp_0123456789abcdef", true);
        check("ANYTHING", "Bearer eyJ0123456789abcdef", true);
        check("DATABASE", "postgres://user:password@db.test/x", true);
        check("DATABASE", "postgres://user@db.test/x", false);
        check("GITHUB_TOKEN", "", false);
        check("GITHUB_TOKEN", "@secret:mcp.github.token", false);
        check("Authorization", "Bearer ${KOSMO_SECRET:mcp.github.token}", false);
        check("GITHUB_TOKEN", "${GITHUB_TOKEN}", false);
        check("LOG_LEVEL", "debugging", false);
        check("KEYBOARD", "qwertyuiop", false);
        check("PATH_PREFIX", "sk-ip this one", false);
    }

    #[test]
    fn urls_are_secret_by_their_query() {
        assert!(url_looks_secret("https://mcp.example.test/mcp/?exampleApiKey=0123456789"));
        assert!(url_looks_secret("https://user:password@mcp.example.test"));
        assert!(!url_looks_secret("https://mcp.example.test/mcp?tools=search"));
        assert!(!url_looks_secret("no url"));
    }

    #[test]
    fn what_urls_and_arguments_hand_over_is_found() {
        let exposed =
            |secrets: Vec<Secret>| secrets.iter().map(|secret| secret.expose().to_owned()).collect::<Vec<_>>();
        let url = "https://user:pass%20wo+r&d@mcp.example.test/mcp?api_key=0123456789&tools=everything";
        assert_eq!(exposed(secrets_of_url(url)), ["pass wo+r&d", "0123456789"]);
        let args = ["--token", "abcdefgh", "--api-key=12345678", "--verbose=yes"].map(String::from);
        assert_eq!(exposed(secrets_of_arguments(&args)), ["abcdefgh", "12345678"]);
    }

    #[test]
    fn arguments_are_secret_by_the_flag_they_belong_to() {
        let masked =
            |args: &[&str]| masked_arguments(&args.iter().map(ToString::to_string).collect::<Vec<_>>()).join(" ");
        assert_eq!(masked(&["-y", "server", "--api-key", "abcdefgh"]), "-y server --api-key ***");
        assert_eq!(masked(&["--api-key=abcdefgh", "--verbose=yes"]), "--api-key=*** --verbose=yes");
        assert_eq!(masked(&["ghp_0123456789abcdef"]), "***");
        assert_eq!(masked(&["--token", "--other", "plainwords"]), "--token --other plainwords");
    }
}
