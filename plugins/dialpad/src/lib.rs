//! Dialpad (API v2) for kosmo: calls, texts and users of one company.

mod api;
mod arguments;
mod calls;
mod csv;
mod cursor;
mod export;
mod moment;
mod outside;
mod paging;
mod sms;
mod texts;
mod users;
mod window;

use kosmo_plugin::{About, Authentication, CredentialField, Function, Origin, Plugin, RateGroup};

/// The plugin.
pub struct Dialpad;

impl Plugin for Dialpad {
    const ABOUT: About = About::new("dialpad", "Dialpad", "https://dialpad.com")
        .category("communication")
        .version(env!("CARGO_PKG_VERSION"))
        .summary("Calls, texts and users of a Dialpad company.")
        .guide(include_str!("../guide.md"))
        .authentication(Authentication::Bearer("access_token"), &[ACCESS_TOKEN])
        .rate_groups(RATE_GROUPS)
        .origins(&[EXPORTS])
        .whoami("get_current_user");

    const FUNCTIONS: &'static [Function] =
        &[calls::LIST, calls::GET, sms::LIST, sms::SEND, users::LIST, users::GET, users::CURRENT];
}

const ACCESS_TOKEN: CredentialField = CredentialField::secret(
    "access_token",
    "API key",
    "Made by a company admin at dialpad.com under Admin Portal > My Company > Authentication > API Keys.",
);

/// As Dialpad documents them, per company; `sms` as for the lower of its two tiers.
const RATE_GROUPS: &[RateGroup] = &[
    RateGroup::new("company", 20, 1).account_wide(),
    RateGroup::new("calls", 1200, 60),
    RateGroup::new("call", 10, 60),
    RateGroup::new("sms", 100, 60),
    RateGroup::new("stats", 200, 3600),
    RateGroup::new("users", 1200, 60),
];

/// Dialpad does not document this host; an operator whose company is served from another one names it in the
/// account's `exports`.
const EXPORTS: Origin = Origin {
    name: "exports",
    urls: &["https://storage.googleapis.com"],
    description: "Serves the finished statistics exports that list_sms reads.",
    signed: true,
};

#[cfg(target_family = "wasm")]
kosmo_plugin::export!(Dialpad with_types_in kosmo_plugin::bindings);
