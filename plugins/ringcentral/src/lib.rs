//! The RingCentral REST API `/restapi/v1.0` as a kosmo plugin.

mod account;
mod api;
mod arguments;
mod calls;
mod contacts;
mod date;
mod messages;
mod path;
mod presence;
mod raw;
mod sms;

#[cfg(test)]
mod testing;

use kosmo_plugin::{About, Authentication, CredentialField, Function, Plugin, RateGroup, Rule};

/// The plugin.
#[derive(Debug)]
pub struct RingCentral;

impl Plugin for RingCentral {
    const ABOUT: About = About::new("ringcentral", "RingCentral", "https://platform.ringcentral.com")
        .category("productivity")
        .summary("Messages, SMS, call logs, contacts, presence and the account of a RingCentral extension.")
        .version(env!("CARGO_PKG_VERSION"))
        .guide(include_str!("../guide.md"))
        .authentication(Authentication::Bearer("access_token"), &[ACCESS_TOKEN])
        .rate_groups(&[
            per_minute("light", 50),
            per_minute("medium", 40),
            per_minute("heavy", 10),
            per_minute("auth", 5),
        ])
        .never(WHOLE_MAILBOX)
        .whoami("get_current_user");

    const FUNCTIONS: &'static [Function] = &[
        messages::LIST_MESSAGES,
        messages::GET_MESSAGE,
        messages::UPDATE_MESSAGE,
        messages::DELETE_MESSAGE,
        sms::SEND_SMS,
        calls::LIST_CALLS,
        calls::LIST_ACCOUNT_CALLS,
        calls::GET_CALL,
        contacts::LIST_CONTACTS,
        contacts::GET_CONTACT,
        contacts::CREATE_CONTACT,
        contacts::UPDATE_CONTACT,
        contacts::DELETE_CONTACT,
        account::GET_ACCOUNT,
        account::LIST_EXTENSIONS,
        account::GET_EXTENSION,
        account::LIST_ACCOUNT_PHONE_NUMBERS,
        account::LIST_EXTENSION_PHONE_NUMBERS,
        presence::GET_PRESENCE,
        account::GET_CURRENT_USER,
        raw::API_GET,
        raw::API_POST,
        raw::API_PUT,
        raw::API_DELETE,
    ];
}

/// Without an id RingCentral deletes every message there is.
const WHOLE_MAILBOX: &[Rule] = &[
    Rule::delete("/restapi/v1.0/account/{}/extension/{}/message-store"),
    Rule::delete("/restapi/v1.0/account/{}/extension/{}/message-store/"),
];

const ACCESS_TOKEN: CredentialField = CredentialField::secret(
    "access_token",
    "Access token",
    "An OAuth access token of the user, from an app in the RingCentral developer console; \
     it needs the app permissions of the functions in use and usually lasts an hour.",
);

const fn per_minute(name: &'static str, limit: u32) -> RateGroup {
    RateGroup::new(name, limit, 60)
}

// The exported symbols are named for the component model; a native linker does not take such names.
#[cfg(target_family = "wasm")]
kosmo_plugin::export!(RingCentral with_types_in kosmo_plugin::bindings);
