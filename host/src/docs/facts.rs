//! What both a provider's and a function's page say about access: status, accounts, authentication.

use crate::account::{DEFAULT, variable};
use crate::description::{
    Authentication, CredentialField, Description, FieldKind, Function, Oauth2, Operation, grant_field,
};
use crate::{Host, Provider};

/// With which accounts a provider can be used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// By name, `default` first.
    pub usable: Vec<String>,
    /// If there are none: what the operator has to do.
    pub problem: Option<String>,
}

impl Access {
    /// As things stand now.
    pub fn of(host: &Host, provider: &Provider) -> Self {
        let usable = |name: &String| host.check_account(provider, name).is_ok();
        let all = host.accounts(provider);
        let asked = all.first().map_or(DEFAULT, String::as_str);
        let problem = host.check_account(provider, asked).err().map(|fault| fault.message);
        let usable: Vec<_> = all.iter().filter(|&name| usable(name)).cloned().collect();
        Self { problem: problem.filter(|_| usable.is_empty()), usable }
    }

    /// `active`, or why not.
    pub(super) fn status(&self) -> String {
        match &self.problem {
            Some(problem) => format!("inactive: {problem}"),
            None => "active".into(),
        }
    }

    /// `Status:`, `Accounts:` and `Auth:` as list items.
    pub(super) fn items(&self, description: &Description) -> Vec<String> {
        let accounts = if self.usable.is_empty() { "none".into() } else { self.usable.join(", ") };
        vec![
            format!("- Status: {}", self.status()),
            format!("- Accounts: {accounts}"),
            format!("- Auth: {}", authentication(&description.authentication)),
        ]
    }
}

/// What a function does to the user's data, and what that takes.
pub(super) fn operation(function: &Function) -> &'static str {
    match (function.operation, function.destructive) {
        (Operation::Read, _) => "read",
        (Operation::Write, false) => "write (runs only with the operator's permission, or --force)",
        (Operation::Write, true) => {
            "write that cannot be undone (runs only with the operator's permission, or --force)"
        }
    }
}

/// How the host authenticates, as a phrase.
pub(super) fn authentication(authentication: &Authentication) -> String {
    match authentication {
        Authentication::None => "none".into(),
        Authentication::Bearer(field) => attached(&format!("bearer token (`{field}`)")),
        Authentication::Basic((user, password)) => attached(&format!("basic (`{user}`, `{password}`)")),
        Authentication::Header((name, field)) => attached(&format!("header {name} (`{field}`)")),
        Authentication::Query((name, field)) => attached(&format!("query parameter {name} (`{field}`)")),
        Authentication::Oauth2(oauth2) => attached(&format!("OAuth 2 ({})", ways(oauth2))),
    }
}

/// What an account may give: `access_token`, or client and grant.
fn ways(oauth2: &Oauth2) -> String {
    let client = format!("`{}` + `{}`", oauth2.client_id, oauth2.client_secret);
    let granted = oauth2.grants.iter().map(|grant| match grant_field(grant) {
        Some(field) => format!("{client} + `{field}`"),
        None => client.clone(),
    });
    oauth2.access_token.iter().map(|field| format!("`{field}`")).chain(granted).collect::<Vec<_>>().join(", or ")
}

fn attached(how: &str) -> String {
    format!("{how}, attached by kosmo; scripts never see it")
}

/// The credential fields as list items, for whoever sets an account up.
pub(super) fn credentials(description: &Description) -> Vec<String> {
    let item = |field: &CredentialField| {
        let kind = match field.kind {
            FieldKind::Secret => "secret",
            FieldKind::Setting => "setting",
        };
        let need = if field.required { "required" } else { "optional" };
        let (key, label, text) = (&field.key, &field.label, &field.description);
        format!("- `{key}` ({kind}, {need}; {}): {label}. {text}", variable(&description.name, DEFAULT, key))
    };
    description.credentials.iter().map(item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_status(usable: &[&str], problem: Option<&str>, expected: &str) {
        let usable = usable.iter().map(|&name| name.into()).collect();
        assert_eq!(Access { usable, problem: problem.map(Into::into) }.status(), expected);
    }

    #[test]
    fn a_provider_without_an_account_says_why() {
        check_status(&["default"], None, "active");
        check_status(&[], Some("it lacks `access_token`."), "inactive: it lacks `access_token`.");
    }

    #[track_caller]
    fn check_authentication(declared: Authentication, expected: &str) {
        assert_eq!(authentication(&declared).replace(", attached by kosmo; scripts never see it", "…"), expected);
    }

    #[test]
    fn every_way_to_authenticate_is_told() {
        check_authentication(Authentication::None, "none");
        check_authentication(Authentication::Bearer("token".into()), "bearer token (`token`)…");
        check_authentication(Authentication::Basic(("user".into(), "key".into())), "basic (`user`, `key`)…");
        check_authentication(Authentication::Header(("X-Key".into(), "key".into())), "header X-Key (`key`)…");
        check_authentication(Authentication::Query(("apikey".into(), "key".into())), "query parameter apikey (`key`)…");
    }
}
