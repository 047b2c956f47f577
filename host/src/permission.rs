//! Whether a script may do what it asks for: `allow`, `ask` or `deny`, per provider and operation, refined per function
//! and per account. Pure.

use crate::approval::Approval;
use crate::description::{Function, Name, Operation};
use crate::fault::{Code, Fault};
use crate::nearest::did_you_mean;
use crate::scope::Scope;
use crate::subject::Subject;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What messages call the operator's own file.
const OWN_FILE: &str = "config.toml";

/// What the operator decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Goes ahead.
    Allow,
    /// Somebody must say yes; a refusal where nobody can be asked.
    Ask,
    /// Refused.
    Deny,
}

impl Decision {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Deny => "deny",
        }
    }

    /// Where no file says anything: giving an account is the consent to read; writing needs a word.
    fn default_for(operation: Operation) -> Self {
        match operation {
            Operation::Read => Self::Allow,
            Operation::Write => Self::Ask,
        }
    }
}

/// One file's decisions about one provider. What is not mentioned is left open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Permission {
    /// About functions that change nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<Decision>,
    /// About functions that do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write: Option<Decision>,
    /// About single functions.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub functions: BTreeMap<Name, Decision>,
    /// About single accounts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub accounts: BTreeMap<Name, AccountPermission>,
}

/// One file's decisions about one account of a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountPermission {
    /// About functions that change nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<Decision>,
    /// About functions that do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write: Option<Decision>,
    /// About single functions.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub functions: BTreeMap<Name, Decision>,
}

/// What leave is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Intent<'a> {
    pub(crate) provider: &'a str,
    pub(crate) account: &'a str,
    pub(crate) function: &'a str,
    pub(crate) operation: Operation,
}

impl<'a> Intent<'a> {
    pub(crate) fn new(provider: &'a str, account: &'a str, function: &'a Function) -> Self {
        Self { provider, account, function: &function.name, operation: function.operation }
    }
}

/// Where a decision stands, or would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Provider,
    Account,
    Function,
    AccountFunction,
}

/// A decision, and what would have to be changed for another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ruling {
    pub(crate) decision: Decision,
    /// `` `write = "ask"` under [permissions.dialpad] in config.toml ``, written there or understood.
    pub(crate) rule: String,
    /// `` `write = "allow"` under [permissions.dialpad] in config.toml ``
    cure: String,
    /// What makes that change, where a command does.
    command: Option<String>,
    /// What takes the rule back, where it is about one function.
    undo: Option<String>,
    /// What a refusal says, where it is not the files that refuse.
    refusal: Option<String>,
}

/// What every file says of one provider: the operator's own first; the others can only be stricter.
#[derive(Clone, Debug)]
pub(crate) struct Permissions<'a> {
    pub(crate) layers: Vec<(&'a str, &'a Permission)>,
    /// The file whose word stands for one run, wherever the others do not deny.
    pub(crate) only: Option<(&'a str, &'a Permission)>,
    /// Whether `ask` is a yes, because nothing is sent.
    past_ask: bool,
    /// What whoever asks may do at most, whatever the files allow.
    scopes: &'a [Scope],
}

impl Permission {
    /// Says nothing.
    pub(crate) const OPEN: Self =
        Self { read: None, write: None, functions: BTreeMap::new(), accounts: BTreeMap::new() };

    /// The most specific decision: the account's on a function, a function's, the account's, the provider's.
    fn most_specific(&self, intent: &Intent<'_>) -> Option<(Decision, Place)> {
        let account = self.accounts.get(intent.account);
        let of = |read, write| if intent.operation == Operation::Read { read } else { write };
        let words = [
            (account.and_then(|account| account.functions.get(intent.function).copied()), Place::AccountFunction),
            (self.functions.get(intent.function).copied(), Place::Function),
            (account.and_then(|account| of(account.read, account.write)), Place::Account),
            (of(self.read, self.write), Place::Provider),
        ];
        words.into_iter().find_map(|(decision, place)| Some((decision?, place)))
    }

    /// What it says of this, if anything.
    pub(crate) fn word(&self, intent: &Intent<'_>) -> Option<Decision> {
        Some(self.most_specific(intent)?.0)
    }

    /// Every function it names, with the table that does.
    fn named(&self) -> impl Iterator<Item = (String, &Name)> {
        let own = self.functions.keys().map(|name| (String::new(), name));
        let accounts = self.accounts.iter().flat_map(|(account, permission)| {
            permission.functions.keys().map(move |name| (format!(".accounts.{account}"), name))
        });
        own.chain(accounts)
    }
}

impl<'a> Permissions<'a> {
    pub(crate) fn new(layers: Vec<(&'a str, &'a Permission)>, only: Option<(&'a str, &'a Permission)>) -> Self {
        Self { layers, only, past_ask: false, scopes: &[] }
    }

    /// With `ask` as a yes, or not.
    pub(crate) fn past_ask(self, past_ask: bool) -> Self {
        Self { past_ask, ..self }
    }

    /// For whoever is limited to these.
    pub(crate) fn within(self, scopes: &'a [Scope]) -> Self {
        Self { scopes, ..self }
    }

    /// The strictest of all files, or the word of the one that stands for a run, unless they deny; and the scopes of
    /// whoever asks, where they are stricter than what the files come to. `force` goes past the files, and past no scope.
    pub(crate) fn decide(&self, intent: &Intent<'_>, force: bool) -> Ruling {
        let ruling = self.of_files(intent);
        let files = if force { Decision::Allow } else { ruling.decision };
        // A file's denial can be changed by nobody but the operator, so it is told first.
        let stricter = |limit: &Decision| *limit > files;
        let limits = self.scopes.iter().filter_map(|scope| Some((scope.limit(intent).filter(stricter)?, scope)));
        match limits.max_by_key(|(limit, _)| *limit) {
            Some((limit, scope)) => Ruling::scoped(limit, scope, intent),
            None => ruling,
        }
    }

    fn of_files(&self, intent: &Intent<'_>) -> Ruling {
        let of_all = self.strictest(intent);
        let only = self.only.filter(|_| of_all.0 != Decision::Deny);
        let stated = only.and_then(|(file, permission)| {
            permission.most_specific(intent).map(|(decision, place)| (decision, place, file))
        });
        let (decision, place, file) = stated.unwrap_or(of_all);
        let line = |decision| format!("{} in {file}", place.line(intent, decision));
        let (rule, cure) = (line(decision), line(Decision::Allow));
        let subject = (file == OWN_FILE).then(|| place.subject(intent));
        let command = subject.as_ref().and_then(|subject| place.command(intent, subject));
        let undo = subject.filter(|_| place.is_of_function()).and_then(|subject| subject.unset());
        let (decision, rule) = match decision {
            Decision::Ask if self.past_ask => (Decision::Allow, format!("{rule}, rehearsed")),
            decision => (decision, rule),
        };
        Ruling { decision, rule, cure, command, undo, refusal: None }
    }

    fn strictest(&self, intent: &Intent<'_>) -> (Decision, Place, &'a str) {
        let default = (Decision::default_for(intent.operation), Place::Provider);
        let words = self.layers.iter().enumerate().filter_map(|(index, (file, permission))| {
            let word = permission.most_specific(intent);
            let (decision, place) = if index == 0 { word.or(Some(default)) } else { word }?;
            Some((decision, place, *file))
        });
        // Of equally strict words the first counts, hence backwards.
        let strictest = words.collect::<Vec<_>>().into_iter().rev().max_by_key(|&(decision, ..)| decision);
        strictest.unwrap_or((default.0, default.1, OWN_FILE))
    }

    /// Whether every function they name exists: a mistyped denial would deny nothing.
    ///
    /// # Errors
    /// `unconfigured`, naming the nearest function.
    pub(crate) fn check_names(&self, provider: &str, functions: &[&str]) -> Result<(), Fault> {
        for (file, permission) in self.layers.iter().chain(&self.only) {
            if let Some((table, name)) = permission.named().find(|(_, name)| !functions.contains(&name.as_ref())) {
                let suggestion = did_you_mean(name.as_ref(), functions.iter().copied());
                let place = format!("[permissions.{provider}{table}.functions] in {file}");
                let account = table.strip_prefix(".accounts.");
                let unset = Subject::function(provider, account, name.as_ref()).unset().filter(|_| *file == OWN_FILE);
                let cure = unset.map(|unset| format!("; `{unset}` takes it back")).unwrap_or_default();
                let message = format!("{place}: `{name}` is no function of {provider}{cure}.{suggestion}");
                return Err(Fault::of_files(Code::Unconfigured, message));
            }
        }
        Ok(())
    }
}

impl Ruling {
    /// What a scope decides, where the files would let more happen.
    fn scoped(decision: Decision, scope: &Scope, intent: &Intent<'_>) -> Self {
        let rule = format!("`write = \"{}\"` of {}", decision.as_str(), scope.name);
        let refusal = Some(scope.refusal(intent));
        Self { decision, rule, cure: scope.cure.clone(), command: None, undo: None, refusal }
    }

    /// Whether the operator's files say so, and not the scope of whoever asks.
    pub(crate) fn is_of_files(&self) -> bool {
        self.refusal.is_none()
    }

    /// Whether somebody has to approve it.
    pub(crate) fn asks(&self, force: bool) -> bool {
        self.decision == Decision::Ask && !self.is_forced(force)
    }

    /// Nothing forces a scope.
    fn is_forced(&self, force: bool) -> bool {
        force && self.is_of_files()
    }

    /// Whether it may go ahead. `force` overrides `ask` and `deny` of files, and nothing else anywhere.
    ///
    /// # Errors
    /// `approval_required` or `denied`, naming the cure.
    pub(crate) fn check(&self, intent: &Intent<'_>, force: bool) -> Result<(), Fault> {
        match self.decision {
            Decision::Allow => Ok(()),
            Decision::Ask | Decision::Deny if self.is_forced(force) => Ok(()),
            Decision::Ask => Err(self.unanswered(intent)),
            Decision::Deny => Err(self.denied(intent)),
        }
    }

    /// What was answered where it says `ask`.
    ///
    /// # Errors
    /// `denied`, if the answer is no; `approval_required`, if there is none.
    pub(crate) fn answered(&self, intent: &Intent<'_>, approval: Approval) -> Result<(), Fault> {
        let Intent { provider, account, function, operation } = intent;
        let said = match approval {
            Approval::Once | Approval::Always => return Ok(()),
            Approval::Unanswered => return Err(self.unanswered(intent)),
            Approval::No => "said no",
            Approval::Never => "said never",
        };
        let message = format!(
            "Integration '{provider}' {} access denied: the user was asked about {provider}.{function} on account \
             '{account}' and {said}.",
            operation.as_str()
        );
        Err(Fault::new(Code::Denied, message))
    }

    fn denied(&self, intent: &Intent<'_>) -> Fault {
        if let Some(refusal) = &self.refusal {
            return Fault::new(Code::Denied, refusal.as_str());
        }
        let (provider, word, cure, command) =
            (intent.provider, intent.operation.as_str(), &self.cure, self.by_command());
        let undo = self.undo.as_ref().map_or(String::new(), |undo| format!(", or take the rule back: {undo}"));
        let message = format!(
            "Integration '{provider}' {word} access denied. Enable it in /settings → Integrations \
             ({cure}{command}){undo}."
        );
        Fault::new(Code::Denied, message)
    }

    fn unanswered(&self, intent: &Intent<'_>) -> Fault {
        if let Some(refusal) = &self.refusal {
            return Fault::new(Code::ApprovalRequired, refusal.as_str());
        }
        let (provider, word, cure, command) =
            (intent.provider, intent.operation.as_str(), &self.cure, self.by_command());
        let message = format!(
            "Integration '{provider}' {word} requires approval. Ask the user to change the permission in \
             /settings → Integrations ({cure}{command}), or to run this once with --force."
        );
        Fault::new(Code::ApprovalRequired, message)
    }
}

impl Ruling {
    fn by_command(&self) -> String {
        self.command.as_ref().map_or(String::new(), |command| format!(": {command}"))
    }
}

impl Place {
    fn is_of_function(self) -> bool {
        matches!(self, Self::Function | Self::AccountFunction)
    }

    fn subject(self, intent: &Intent<'_>) -> Subject {
        let Intent { provider, account, function, operation } = *intent;
        match self {
            Self::Provider => Subject::operation(provider, None, operation),
            Self::Account => Subject::operation(provider, Some(account), operation),
            Self::Function => Subject::function(provider, None, function),
            Self::AccountFunction => Subject::function(provider, Some(account), function),
        }
    }

    /// What allows it.
    fn command(self, intent: &Intent<'_>, subject: &Subject) -> Option<String> {
        let Intent { provider, operation, .. } = intent;
        match self {
            Self::Provider => Some(format!("kosmo integrations:configure {provider} --{}=allow", operation.as_str())),
            Self::Account | Self::Function | Self::AccountFunction => subject.set(Decision::Allow),
        }
    }

    fn line(self, intent: &Intent<'_>, decision: Decision) -> String {
        let Intent { provider, account, function, operation } = *intent;
        let (key, table) = match self {
            Self::Provider => (operation.as_str(), String::new()),
            Self::Account => (operation.as_str(), format!(".accounts.{account}")),
            Self::Function => (function, ".functions".into()),
            Self::AccountFunction => (function, format!(".accounts.{account}.functions")),
        };
        format!("`{key} = \"{}\"` under [permissions.{provider}{table}]", decision.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = r#"
        write = "ask"
        [functions]
        send_sms = "deny"
        list_calls = "deny"
        [accounts.work]
        write = "allow"
        [accounts.work.functions]
        send_sms = "allow"
    "#;

    fn permission(text: &str) -> Permission {
        toml::from_str(text).expect("a permission")
    }

    #[track_caller]
    fn check(texts: &[&str], asked: (&str, &str, Operation), expected: Decision, cure: &str) {
        let files: Vec<_> = texts.iter().map(|text| permission(text)).collect();
        let layers = ["config.toml", ".kosmo/config.toml"].into_iter().zip(&files).collect();
        let (account, function, operation) = asked;
        let ruling =
            Permissions::new(layers, None).decide(&Intent { provider: "dialpad", account, function, operation }, false);
        assert_eq!(ruling.decision, expected, "{asked:?}");
        assert_eq!(ruling.cure, cure);
    }

    #[test]
    fn the_most_specific_decision_counts() {
        use Operation::{Read, Write};
        let check = |asked, expected, cure: &str| check(&[OWN], asked, expected, &format!("{cure} in config.toml"));
        check(("default", "get_call", Read), Decision::Allow, "`read = \"allow\"` under [permissions.dialpad]");
        check(("default", "send_fax", Write), Decision::Ask, "`write = \"allow\"` under [permissions.dialpad]");
        check(
            ("work", "send_fax", Write),
            Decision::Allow,
            "`write = \"allow\"` under [permissions.dialpad.accounts.work]",
        );
        check(
            ("default", "send_sms", Write),
            Decision::Deny,
            "`send_sms = \"allow\"` under [permissions.dialpad.functions]",
        );
        check(
            ("work", "list_calls", Read),
            Decision::Deny,
            "`list_calls = \"allow\"` under [permissions.dialpad.functions]",
        );
        check(
            ("work", "send_sms", Write),
            Decision::Allow,
            "`send_sms = \"allow\"` under [permissions.dialpad.accounts.work.functions]",
        );
    }

    #[test]
    fn another_file_can_only_be_stricter() {
        use Operation::{Read, Write};
        let write = "`write = \"allow\"` under [permissions.dialpad] in";
        let asked = ("default", "send_fax", Write);
        check(&["", "write = \"allow\""], asked, Decision::Ask, &format!("{write} config.toml"));
        check(&["write = \"deny\"", "write = \"ask\""], asked, Decision::Deny, &format!("{write} config.toml"));
        check(&["write = \"ask\"", "write = \"ask\""], asked, Decision::Ask, &format!("{write} config.toml"));
        check(&["write = \"allow\"", ""], asked, Decision::Allow, &format!("{write} config.toml"));
        check(
            &["write = \"allow\"", "write = \"deny\""],
            asked,
            Decision::Deny,
            &format!("{write} .kosmo/config.toml"),
        );
        check(
            &["", "[functions]\nget_call = \"deny\""],
            ("default", "get_call", Read),
            Decision::Deny,
            "`get_call = \"allow\"` under [permissions.dialpad.functions] in .kosmo/config.toml",
        );
    }

    #[test]
    fn reads_go_ahead_and_writes_wait_for_a_word_unless_forced() {
        let check = |text: &str, operation, force, expected| {
            let own = permission(text);
            let permissions = Permissions::new(vec![("config.toml", &own)], None);
            let intent = Intent { provider: "dialpad", account: "default", function: "f", operation };
            let checked = permissions.decide(&intent, force).check(&intent, force);
            assert_eq!(checked.err().map(|fault| fault.code), expected, "{text}");
        };
        check("", Operation::Read, false, None);
        check("", Operation::Write, false, Some(Code::ApprovalRequired));
        check("", Operation::Write, true, None);
        check("write = \"allow\"", Operation::Write, false, None);
        check("read = \"deny\"", Operation::Read, false, Some(Code::Denied));
        check("write = \"deny\"", Operation::Write, true, None);
    }

    #[test]
    fn a_scope_narrows_what_the_files_say_and_force_does_not_widen_it() {
        let check = |text: &str, write, force, expected| {
            let (own, scope) = (permission(text), [scope(write)]);
            let permissions = Permissions::new(vec![("config.toml", &own)], None).within(&scope);
            let intent = Intent { provider: "dialpad", account: "default", function: "f", operation: Operation::Write };
            let checked = permissions.decide(&intent, force).check(&intent, force);
            assert_eq!(checked.err().map(|fault| fault.code), expected, "{text}");
        };
        let words = [Decision::Allow, Decision::Ask, Decision::Deny];
        let code = |word| match word {
            Decision::Allow => None,
            Decision::Ask => Some(Code::ApprovalRequired),
            Decision::Deny => Some(Code::Denied),
        };
        for (files, scope) in words.into_iter().flat_map(|files| words.map(|scope| (files, scope))) {
            let text = format!("write = \"{}\"", files.as_str());
            check(&text, scope, false, code(files.max(scope)));
            check(&text, scope, true, code(scope));
        }
    }

    fn scope(write: Decision) -> Scope {
        let (name, cure) = ("this MCP server".into(), "Start it with --write=allow.".into());
        Scope { name, integrations: None, accounts: None, write, cure }
    }

    #[test]
    fn an_answer_is_the_last_word_where_it_says_ask() {
        let intent = Intent { provider: "dialpad", account: "work", function: "send_sms", operation: Operation::Write };
        let ruling = Permissions::new(vec![("config.toml", &Permission::OPEN)], None).decide(&intent, false);
        let check = |approval, expected: Option<(Code, &str)>| {
            let fault = ruling.answered(&intent, approval).err();
            assert_eq!(fault.as_ref().map(|fault| (fault.code, fault.message.as_str())), expected);
        };
        check(Approval::Once, None);
        check(Approval::Always, None);
        let start = "Integration 'dialpad' write access denied: the user was asked about dialpad.send_sms on account";
        check(Approval::No, Some((Code::Denied, &format!("{start} 'work' and said no."))));
        check(Approval::Never, Some((Code::Denied, &format!("{start} 'work' and said never."))));
        assert_eq!(ruling.answered(&intent, Approval::Unanswered), ruling.check(&intent, false));
    }

    #[test]
    fn a_function_that_is_not_there_is_pointed_out() {
        let own = permission("[accounts.work.functions]\nsend_smss = \"deny\"\n");
        let permissions = Permissions::new(vec![("config.toml", &own)], None);
        assert_eq!(permissions.check_names("dialpad", &["send_smss"]), Ok(()));
        let fault = permissions.check_names("dialpad", &["send_sms", "get_call"]).expect_err("a mistake");
        let place = "[permissions.dialpad.accounts.work.functions] in config.toml";
        let expected = format!(
            "{place}: `send_smss` is no function of dialpad; `kosmo permissions:unset dialpad.send_smss --account work` \
            takes it back. Did you mean: send_sms"
        );
        assert_eq!((fault.code, fault.message), (Code::Unconfigured, expected));
    }
}
