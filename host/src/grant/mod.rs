//! What the operator lets one provider do: which accounts, which requests, within which limits. Pure.
//!
//! A grant only ever narrows: what runs is what the plugin declared, where its account is, and what every file's grant
//! includes.

mod limits;
mod rule;

use crate::description::Name;
use crate::fault::{Code, Fault};
use crate::limits::Limits;
use crate::rule::Base;
use crate::target::Target;
use http::Method;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

pub use limits::GrantLimits;
pub use rule::{GrantRule, GrantRuleError};

/// One file's grant to one provider. What is not mentioned is granted as the plugin declares it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grant {
    /// The accounts it may use; all of them if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounts: Option<BTreeSet<Name>>,
    /// The requests it may send; all it declares if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<Vec<GrantRule>>,
    /// What an invocation may use up.
    #[serde(skip_serializing_if = "GrantLimits::is_default")]
    pub limits: GrantLimits,
}

/// What every file grants one provider: the operator's own first; the others can only narrow.
#[derive(Clone, Debug)]
pub(crate) struct Granted<'a> {
    pub(crate) provider: &'a str,
    pub(crate) layers: Vec<(&'a str, Option<&'a Grant>)>,
}

/// The file whose grant does not include a request.
pub(crate) struct Missing<'a> {
    pub(crate) file: &'a str,
    /// Whether it is the operator's own, which `kosmo grants:add` changes.
    pub(crate) own: bool,
    pub(crate) rules: &'a [GrantRule],
}

/// A rule that lets a request out, and the file it stands in.
pub(crate) type Allowing<'a> = (&'a str, &'a GrantRule);

impl<'a> Granted<'a> {
    /// Whether an account may be used at all.
    ///
    /// # Errors
    /// `denied`, naming the file and the cure.
    pub(crate) fn check_account(&self, account: &str) -> Result<(), Fault> {
        let accounts = self.layers.iter().filter_map(|(file, grant)| Some((file, grant.as_ref()?.accounts.as_ref()?)));
        let Some((file, granted)) = { accounts }.find(|(_, accounts)| !accounts.contains(account)) else {
            return Ok(());
        };
        let granted: Vec<_> = granted.iter().map(AsRef::as_ref).collect();
        let granted = if granted.is_empty() { "none".into() } else { granted.join(", ") };
        let provider = self.provider;
        let message = format!(
            "Integration '{provider}' may not use its account '{account}': the grant in {file} includes {granted}. The \
             operator can add it to `accounts` under [grants.{provider}] there."
        );
        Err(Fault::of_files(Code::Denied, message))
    }

    /// The rules that let a request out, one of each file that lists any; or the first file without.
    pub(crate) fn allows(
        &self,
        method: &Method,
        target: &Target,
        base: &Base,
    ) -> Result<Vec<Allowing<'a>>, Missing<'a>> {
        let listing = |(index, (file, grant)): (usize, &(&'a str, Option<&'a Grant>))| {
            let rules = grant.as_ref()?.requests.as_deref()?;
            let rule = rules.iter().find(|rule| rule.allows(method, target, base));
            Some(rule.map(|rule| (*file, rule)).ok_or(Missing { file, own: index == 0, rules }))
        };
        self.layers.iter().enumerate().filter_map(listing).collect()
    }

    /// These limits, as the operator's own grant replaces them and the others narrow them.
    pub(crate) fn limits(&self, limits: Limits) -> Limits {
        self.layers.iter().enumerate().fold(limits, |limits, (index, (_, grant))| match grant {
            Some(grant) if index == 0 => grant.limits.replace(limits),
            Some(grant) => grant.limits.narrow(limits),
            None => limits,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn grant(text: &str) -> Grant {
        toml::from_str(text).expect("a grant")
    }

    fn granted(files: &[Grant]) -> Granted<'_> {
        let names = ["config.toml", ".kosmo/config.toml"].into_iter();
        Granted { provider: "dialpad", layers: names.zip(files.iter().map(Some)).collect() }
    }

    #[track_caller]
    fn check(files: &[&str], method: &str, path: &str, expected: Result<&str, &str>) {
        let files: Vec<_> = files.iter().map(|text| grant(text)).collect();
        let base = Base::declared("https://api.test").expect("a base");
        let target = Target::parse(&format!("https://api.test{path}")).expect("a target");
        let outcome = granted(&files).allows(&method.parse().expect("a method"), &target, &base);
        let rules = outcome.map(|rules| rules.iter().map(|(_, rule)| rule.to_string()).collect::<Vec<_>>().join(" & "));
        assert_eq!(rules.map_err(|missing| missing.file), expected.map(Into::into), "{path}");
    }

    #[test]
    fn a_request_must_be_in_every_list_there_is() {
        let (list, narrow) = ("requests = [\"GET /**\", \"POST /a\"]", "requests = [\"GET /a/{}\", \"DELETE /a\"]");
        check(&["", ""], "GET", "/a", Ok(""));
        check(&[list, ""], "GET", "/a", Ok("GET /**"));
        check(&[list, ""], "DELETE", "/a", Err("config.toml"));
        check(&[list, narrow], "GET", "/a/1", Ok("GET /** & GET /a/{}"));
        check(&[list, narrow], "GET", "/a", Err(".kosmo/config.toml"));
        check(&[list, narrow], "POST", "/a", Err(".kosmo/config.toml"));
        check(&[list, narrow], "DELETE", "/a", Err("config.toml"));
        check(&["", narrow], "DELETE", "/a", Ok("DELETE /a"));
        check(&["requests = []", ""], "GET", "/a", Err("config.toml"));
    }

    #[test]
    fn an_account_must_be_in_every_list_there_is() {
        let files = [grant("accounts = [\"default\", \"work\"]"), grant("accounts = [\"work\", \"support\"]")];
        assert_eq!(granted(&files).check_account("work"), Ok(()));
        let fault = granted(&files).check_account("support").expect_err("not in the first");
        assert!(fault.message.contains("the grant in config.toml includes default, work."), "{fault}");
        let fault = granted(&files).check_account("default").expect_err("not in the second");
        assert!(fault.message.contains("the grant in .kosmo/config.toml includes support, work."), "{fault}");
        assert_eq!(fault.code, Code::Denied);
        let none = [grant("accounts = []")];
        assert!(granted(&none).check_account("default").expect_err("none").message.contains("includes none"));
    }

    #[test]
    fn limits_take_the_operators_word_and_then_the_minimum() {
        let files = [
            grant("[limits]\nwall_seconds = 60\nrequests = 5\n"),
            grant("[limits]\nwall_seconds = 90\nrequests = 3\n"),
        ];
        let limits = granted(&files).limits(Limits::default());
        assert_eq!(limits, Limits { wall: Duration::from_secs(60), requests: 3, ..Limits::default() });
    }

    #[test]
    fn what_is_no_grant_is_refused() {
        for text in [
            "account = [\"default\"]",
            "accounts = \"default\"",
            "accounts = [\"Work\"]",
            "requests = \"GET /a\"",
            "requests = [\"GET\"]",
            "requests = [1]",
            "methods = [\"GET\"]",
            "[limits]\nwall = 5",
        ] {
            assert!(toml::from_str::<Grant>(text).is_err(), "{text}");
        }
    }
}
