//! Whether a request may leave: what no function may send, the function's ceiling, the account's origins, the
//! operator's grant, and every stricter word that covers it.

use super::Gate;
use crate::account::Account;
use crate::description::{Description, Function};
use crate::fault::{Code, Fault};
use crate::grant::{Allowing, GrantRule, Granted, Missing};
use crate::journal::Errand;
use crate::permission::{Intent, Permissions, Ruling};
use crate::rehearsal::Least;
use crate::rule::{Base, METHODS, PathPattern, Rule, is_known};
use crate::shell::shell_quoted;
use crate::target::{Target, TargetError};
use http::Method;
use std::{ptr, slice};

/// Leave to send to this URL, in exactly this form.
pub(crate) struct Permit<'a> {
    pub(crate) target: Target,
    /// Whether the URL is on the account's own origin, the credential's only audience.
    pub(crate) authenticated: bool,
    /// What the function declares it sends.
    pub(crate) rule: &'a Rule,
    /// Of each file that lists requests, the rule that lists this one.
    pub(crate) granted: Vec<Allowing<'a>>,
    /// The other functions that cover it and whose permission is `ask`: each has to be approved before it leaves.
    pub(crate) open: Vec<Open<'a>>,
}

/// A function that somebody has to approve.
pub(crate) struct Open<'a> {
    pub(crate) function: &'a Function,
    pub(crate) ruling: Ruling,
}

/// One function of one account, and everything that was said of its requests.
pub(crate) struct Checker<'a> {
    pub(crate) description: &'a Description,
    pub(crate) account: &'a Account,
    pub(crate) granted: Granted<'a>,
    pub(crate) permissions: Permissions<'a>,
    pub(crate) function: &'a str,
    /// What the function declares that it sends.
    pub(crate) rules: &'a [Rule],
    /// Overrides permissions, and nothing else.
    pub(crate) force: bool,
}

impl Gate {
    /// Whether this function may send this, on what URL exactly, and with whose authority.
    pub(super) fn check(&self, method: &Method, uri: &str) -> Result<Permit<'_>, Fault> {
        self.check_method(method)?;
        self.checker().check(method, uri)
    }

    /// A method that no rule can name is not repeated: it may have any length.
    fn check_method(&self, method: &Method) -> Result<(), Fault> {
        if is_known(method) {
            return Ok(());
        }
        let (name, methods) = (&self.description.name, METHODS.join(", "));
        let message = format!("{name}.{} may not send this: its method is none of {methods}.", self.function);
        Err(Fault::new(Code::Denied, message))
    }

    pub(super) fn checker(&self) -> Checker<'_> {
        let (policies, name) = (self.host.config.policies(), &self.description.name);
        let past_ask = self.rehearsal.as_ref().is_some_and(|rehearsal| rehearsal.is_past_ask(self.operation));
        Checker {
            description: &self.description,
            account: self.account(),
            granted: policies.granted(name),
            permissions: policies.permissions(name).past_ask(past_ask).within(&self.scopes),
            function: &self.function,
            rules: self.rules(),
            force: self.force,
        }
    }

    fn rules(&self) -> &[Rule] {
        match self.errand {
            Errand::Do | Errand::Remember(_) => self.description.rules(&self.function),
            Errand::Find(_) => self.description.traces(&self.function),
        }
    }
}

impl<'a> Checker<'a> {
    pub(crate) fn check(&self, method: &Method, uri: &str) -> Result<Permit<'a>, Fault> {
        let plain = Target::parse(uri);
        self.check_never(method, uri, &plain)?;
        let Some((rule, target)) = self.declared(method, uri, &plain) else {
            return Err(self.undeclared(method, uri, &plain));
        };
        let granted = self.granted.allows(method, &target, self.account.base());
        let granted = granted.map_err(|missing| self.ungranted(method, uri, rule, &target, &missing))?;
        let authenticated = rule.origin() == "base";
        let open = if authenticated { self.check_others(method, uri, &target)? } else { Vec::new() };
        Ok(Permit { target, authenticated, rule, granted, open })
    }

    /// Whether the function would send it if nobody objected.
    pub(crate) fn declares(&self, method: &Method, uri: &str) -> bool {
        self.declared(method, uri, &Target::parse(uri)).is_some()
    }

    /// The rule of this function that lets it out, and the URL in the form that is sent.
    fn declared(&self, method: &Method, uri: &str, plain: &Result<Target, TargetError>) -> Option<(&'a Rule, Target)> {
        self.rules.iter().find_map(|rule| {
            let (bases, signed) = self.account.origin(rule.origin());
            let target = if signed { Target::signed(uri).ok() } else { plain.as_ref().ok().cloned() };
            Some((rule, target.filter(|target| rule.allows(method, target, bases))?))
        })
    }

    fn check_never(&self, method: &Method, uri: &str, plain: &Result<Target, TargetError>) -> Result<(), Fault> {
        let Ok(target) = plain else { return Ok(()) };
        let prohibits = |rule: &&Rule| rule.resembles(method, target, self.account.base());
        let Some(never) = self.description.never().iter().find(prohibits) else { return Ok(()) };
        let name = &self.description.name;
        let why = format!("no function of {name} ever may (`{never}`), whatever is granted or permitted");
        Err(self.refused(method, uri, &why))
    }

    /// What a rule lets out needs the permission of every function whose rule covers it too: `api_delete` cannot do what
    /// a denied `delete_message` could not. A function whose rule is the wider one has no say in what a narrower one
    /// names: `delete_message` does not need what only `api_delete` is denied. What a server may take for a path is
    /// covered like the path: another spelling of it is no way round the permission. An approval is of one function, too:
    /// gives the others that are still to be approved.
    fn check_others(&self, method: &Method, uri: &str, target: &Target) -> Result<Vec<Open<'a>>, Fault> {
        let mut open = Vec::new();
        for function in self.others(method, target) {
            let intent = self.intent(function);
            let ruling = self.permissions.decide(&intent, self.force);
            if ruling.asks(self.force) {
                open.push(Open { function, ruling });
            } else {
                let checked = ruling.check(&intent, self.force);
                checked.map_err(|fault| self.told(method, uri, function, fault))?;
            }
        }
        Ok(open)
    }

    /// Whether nobody has to be asked.
    ///
    /// # Errors
    /// `approval_required`, if somebody has.
    pub(crate) fn check_closed(&self, method: &Method, uri: &str, permit: &Permit<'_>) -> Result<(), Fault> {
        let Some(Open { function, ruling }) = permit.open.first() else { return Ok(()) };
        let closed = ruling.check(&self.intent(function), self.force);
        closed.map_err(|fault| self.told(method, uri, function, fault))
    }

    fn others(&self, method: &Method, target: &Target) -> Vec<&'a Function> {
        let own = self.covering(self.rules, method, target);
        let wider = |rule: &&Rule| own.iter().any(|own| is_wider(rule.path(), own.path()));
        let concerned = |(function, rules): &(&'a Function, &'a [Rule])| {
            function.name != self.function && !self.resembling(rules, method, target).iter().all(wider)
        };
        self.description.ceilings().filter(concerned).map(|(function, _)| function).collect()
    }

    /// What must be granted and permitted at least so that this may leave. Where the function is `cut` off here, what it
    /// would send besides is not known, and counts as far as it is declared by name.
    pub(crate) fn least(&self, method: &Method, permit: &Permit<'_>, cut: bool) -> Least {
        let others = if permit.authenticated { self.others(method, &permit.target) } else { Vec::new() };
        let functions = others.iter().map(|other| other.name.as_str()).chain([self.function]);
        let smallest = self.smallest(method, permit.rule, &permit.target);
        let besides = self.rules.iter().filter(|&rule| cut && !ptr::eq(rule, permit.rule));
        let besides = besides.flat_map(|rule| self.named(rule));
        Least { rules: besides.chain([smallest]).collect(), functions: functions.map(Into::into).collect() }
    }

    /// What a rule of the function declares, unless that is everything below some path of the account's.
    fn named(&self, rule: &Rule) -> Vec<GrantRule> {
        let own = rule.origin() == "base";
        let bases = self.account.origin(rule.origin()).0;
        let grant = |method: &Method, base: &Base| match own {
            true => GrantRule::on_account(method, rule.path().clone()),
            false => GrantRule::on(method, base, rule.path()),
        };
        let known = bases.iter().filter(|_| !own || !rule.path().is_generic());
        known.flat_map(|base| rule.methods().iter().map(move |method| grant(method, base))).collect()
    }

    pub(crate) fn intent<'b>(&'b self, function: &'b Function) -> Intent<'b> {
        Intent::new(&self.description.name, self.account.name(), function)
    }

    /// Those of a function's rules for the account's own origin that let a request out.
    fn covering(&self, rules: &'a [Rule], method: &Method, target: &Target) -> Vec<&'a Rule> {
        let own = slice::from_ref(self.account.base());
        rules.iter().filter(|rule| rule.origin() == "base" && rule.allows(method, target, own)).collect()
    }

    /// Those of a function's rules for the account's own origin that a server may take a request for.
    fn resembling(&self, rules: &'a [Rule], method: &Method, target: &Target) -> Vec<&'a Rule> {
        let resembles = |rule: &&Rule| rule.origin() == "base" && rule.resembles(method, target, self.account.base());
        rules.iter().filter(resembles).collect()
    }

    /// A refusal because of another function.
    pub(crate) fn told(&self, method: &Method, uri: &str, function: &Function, fault: Fault) -> Fault {
        let what = self.attempt(method, uri);
        Fault { message: format!("{what}, which is what {} does: {}", function.name, fault.message), ..fault }
    }

    fn undeclared(&self, method: &Method, uri: &str, plain: &Result<Target, TargetError>) -> Fault {
        let target = match plain {
            Ok(target) => target,
            Err(flaw) => return self.refused(method, uri, &flaw.to_string()),
        };
        let declares =
            |rules: &[Rule]| rules.iter().any(|rule| rule.allows(method, target, self.account.origin(rule.origin()).0));
        let others = self.description.ceilings().filter(|(_, rules)| declares(rules));
        let others: Vec<_> = others.map(|(function, _)| function.name.as_str()).collect();
        let declared = match others.as_slice() {
            [] => format!("nor does any other function of {}", self.description.name),
            names => format!("which is declared for {}", names.join(", ")),
        };
        let why = format!(
            "it may send only {}. No grant can allow more than the plugin declares; this function does not declare this \
             request, {declared}. Where requests go is the account's `url`, which only the operator can change",
            self.ceiling()
        );
        self.refused(method, uri, &why)
    }

    fn ungranted(&self, method: &Method, uri: &str, rule: &Rule, target: &Target, missing: &Missing<'_>) -> Fault {
        let name = &self.description.name;
        let smallest = self.smallest(method, rule, target);
        let rules: Vec<_> = missing.rules.iter().map(ToString::to_string).collect();
        let rules = if rules.is_empty() { "nothing".into() } else { rules.join("; ") };
        let cure = match missing.own {
            true => {
                let smallest = shell_quoted(&smallest.to_string());
                format!("The operator can allow it with: kosmo grants:add {name} {smallest}")
            }
            false => format!(
                "The operator can allow it by adding \"{smallest}\" to `requests` under [grants.{name}] in {}",
                missing.file
            ),
        };
        let what = self.attempt(method, uri);
        let why = format!("the plugin declares it, but the grant in {} includes only {rules}", missing.file);
        Fault::new(Code::Denied, format!("{what}: {why}. {cure}"))
    }

    /// The least that could be granted so that this may leave: what the narrowest function declares, or just this path
    /// where only functions for everything cover it.
    fn smallest(&self, method: &Method, rule: &Rule, target: &Target) -> GrantRule {
        if rule.origin() != "base" {
            let holds = |base: &&Base| base.holds(target, rule.path());
            let base = self.account.origin(rule.origin()).0.iter().find(holds).unwrap_or(self.account.base());
            return GrantRule::on(method, base, rule.path());
        }
        let all = self.description.ceilings().flat_map(|(_, rules)| self.covering(rules, method, target));
        let named: Vec<_> = all.map(Rule::path).filter(|path| !path.is_generic()).collect();
        let narrowest = named.iter().find(|path| !named.iter().any(|other| is_wider(path, other)));
        let exact = || PathPattern::exact(self.account.base().strip(target).unwrap_or_default().into_iter());
        GrantRule::on_account(method, narrowest.map_or_else(exact, |path| (*path).clone()))
    }

    fn refused(&self, method: &Method, uri: &str, why: &str) -> Fault {
        Fault::new(Code::Denied, format!("{}: {why}.", self.attempt(method, uri)))
    }

    /// Who tried what. A query may hold what no message should repeat.
    fn attempt(&self, method: &Method, uri: &str) -> String {
        let url = uri.split(['?', '#']).next().unwrap_or_default();
        format!("{}.{} may not send {method} {url}", self.description.name, self.function)
    }

    fn ceiling(&self) -> String {
        let show = |rule: &Rule| {
            let (bases, _) = self.account.origin(rule.origin());
            let origins: Vec<_> = bases.iter().map(Base::as_str).collect();
            format!("{rule} to {}", origins.join(" or "))
        };
        match self.rules {
            [] => "nothing".into(),
            rules => rules.iter().map(show).collect::<Vec<_>>().join(", "),
        }
    }
}

fn is_wider(one: &PathPattern, other: &PathPattern) -> bool {
    one.covers(other) && !other.covers(one)
}
