//! The account, its extensions and their phone numbers.

use crate::api::{self, PAGES, send};
use crate::arguments::{filter, number_id, paged};
use crate::messages::{PAGE, PER_PAGE};
use kosmo_plugin::{Fault, Function, Invocation, Parameter, Request, Rule};

pub(crate) const GET_ACCOUNT: Function = Function::read("get_account", "Get the account the token belongs to.")
    .description("Returns `id`, `mainNumber`, `status`, `operator` and `serviceInfo` (plan, brand, countries).")
    .requests(&[Rule::get("/restapi/v1.0/account/{}")])
    .rate_group("light")
    .runs(|invocation| send(account(invocation)));

pub(crate) const LIST_EXTENSIONS: Function = Function::read(
    "list_extensions",
    "List the account's extensions: users, call queues, announcements and the rest.",
)
.description(
    "Returns `records`, `paging` and `navigation`. A record has `id`, `extensionNumber` (the short number people dial), \
     `name`, `type`, `status` and `contact`. Call queues are of type `Department`.",
)
.parameters(&[
    Parameter::string("extensionType", "Only extensions of this type. RingCentral's own name for this filter is `type`.")
        .choices(&[
            "User",
            "Department",
            "Announcement",
            "Voicemail",
            "DigitalUser",
            "VirtualUser",
            "FaxUser",
            "PagingOnly",
            "SharedLinesGroup",
            "DelegatedLinesGroup",
            "GroupCallPickup",
            "IvrMenu",
            "ApplicationExtension",
            "ProxyAdmin",
            "RoomConnector",
            "ParkLocation",
            "Limited",
            "Bot",
            "Site",
            "Room",
            "FlexibleUser",
            "TieLine",
            "Unknown",
            "All",
        ])
        .example("\"User\""),
    Parameter::string("status", "Only extensions with this status; `Unassigned` ones have no `extensionNumber`.")
        .choices(&["Enabled", "Disabled", "Frozen", "NotActivated", "Unassigned", "All"])
        .example("\"Enabled\""),
    PER_PAGE,
    PAGE,
])
.requests(&[Rule::get("/restapi/v1.0/account/{}/extension")])
.rate_group("medium")
.pagination(PAGES)
.runs(|invocation| send(extensions(invocation)));

pub(crate) const GET_EXTENSION: Function = Function::read("get_extension", "Get one extension by its id.")
    .description(
        "Returns `id`, `extensionNumber`, `name`, `type`, `status`, `contact`, `permissions`, `regionalSettings` and \
         more. The id is a record's `id`, not the short `extensionNumber`; for the token's own extension use \
         `get_current_user`.",
    )
    .parameters(&[Parameter::string("extension_id", "Id of the extension, digits only.")
        .required()
        .example("\"123456789\"")])
    .requests(&[Rule::get("/restapi/v1.0/account/{}/extension/{}")])
    .rate_group("light")
    .runs(|invocation| send(extension(invocation)));

pub(crate) const LIST_ACCOUNT_PHONE_NUMBERS: Function = Function::read(
    "list_account_phone_numbers",
    "List all phone numbers of the account, the company's and the extensions'.",
)
.description(
    "Returns `records`, `paging` and `navigation`. A record has `phoneNumber`, `usageType`, `type` (voice, fax or \
     both), `status` and the `extension` it is assigned to. Ten requests a minute, shared with call log and contacts.",
)
.parameters(&[
    USAGE_TYPE,
    Parameter::string(
        "status",
        "Only numbers with this status; anything but `Normal` is not ported to RingCentral yet.",
    )
    .choices(&["Normal", "Pending", "PortedIn", "Temporary", "Unknown", "All"])
    .example("\"Normal\""),
    PER_PAGE,
    PAGE,
])
.requests(&[Rule::get("/restapi/v1.0/account/{}/phone-number")])
.rate_group("heavy")
.pagination(PAGES)
.runs(|invocation| send(account_numbers(invocation)));

pub(crate) const LIST_EXTENSION_PHONE_NUMBERS: Function =
    Function::read("list_extension_phone_numbers", "List the phone numbers the token's extension uses.")
        .description(
            "Returns `records`, `paging` and `navigation`. Besides `phoneNumber`, `usageType` and `type` a record has \
     `features`: a number that contains `SmsSender` there can be the `from` of `send_sms`.",
        )
        .parameters(&[USAGE_TYPE, PER_PAGE, PAGE])
        .requests(&[Rule::get("/restapi/v1.0/account/{}/extension/{}/phone-number")])
        .rate_group("light")
        .pagination(PAGES)
        .runs(|invocation| send(extension_numbers(invocation)));

pub(crate) const GET_CURRENT_USER: Function =
    Function::read("get_current_user", "Get the extension the token belongs to.")
        .description("Returns what `get_extension` does, for the authenticated extension.")
        .requests(&[Rule::get("/restapi/v1.0/account/~/extension/~")])
        .rate_group("light")
        .runs(|invocation| send(current_user(invocation)));

const USAGE_TYPE: Parameter = Parameter::string("usageType", "Only numbers used for this.")
    .choices(&[
        "MainCompanyNumber",
        "AdditionalCompanyNumber",
        "CompanyNumber",
        "DirectNumber",
        "CompanyFaxNumber",
        "FmcBusinessMobileNumber",
        "InventoryFmcBusinessMobileNumber",
        "ForwardedNumber",
        "ForwardedCompanyNumber",
        "ContactCenterNumber",
        "ConferencingNumber",
        "MeetingsNumber",
        "NumberPool",
        "BusinessMobileNumber",
        "ELIN",
        "PartnerBusinessMobileNumber",
        "NumberPoolPartnerBusinessMobileNumber",
        "NumberStorage",
        "IntegrationNumber",
        "InventoryMobileNumber",
        "All",
    ])
    .example("\"DirectNumber\"");

fn account(invocation: &Invocation) -> Result<Request, Fault> {
    Ok(Request::get(api::account(invocation, &[])))
}

fn extensions(invocation: &Invocation) -> Result<Request, Fault> {
    let request = Request::get(api::account(invocation, &["extension"]))
        .query("type", filter(invocation, "extensionType"))
        .query("status", filter(invocation, "status"));
    paged(request, invocation)
}

fn extension(invocation: &Invocation) -> Result<Request, Fault> {
    Ok(Request::get(api::account(invocation, &["extension", number_id(invocation, "extension_id")?])))
}

fn account_numbers(invocation: &Invocation) -> Result<Request, Fault> {
    let request = Request::get(api::account(invocation, &["phone-number"]))
        .query("usageType", filter(invocation, "usageType"))
        .query("status", filter(invocation, "status"));
    paged(request, invocation)
}

fn extension_numbers(invocation: &Invocation) -> Result<Request, Fault> {
    let request =
        Request::get(api::extension(invocation, &["phone-number"])).query("usageType", filter(invocation, "usageType"));
    paged(request, invocation)
}

fn current_user(invocation: &Invocation) -> Result<Request, Fault> {
    Ok(Request::get(api::extension(invocation, &[])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{refuses, sends};

    #[test]
    fn the_account_and_the_current_user_are_the_tokens_own() {
        sends(account, "get_account", "{}", "GET /account/~");
        sends(current_user, "get_current_user", "{}", "GET /account/~/extension/~");
    }

    #[test]
    fn list_extensions_sends_its_type_under_ringcentrals_name() {
        let row = |arguments: &str, query: &str| {
            sends(extensions, "list_extensions", arguments, &["GET /account/~/extension", query].concat());
        };
        row("{}", "");
        row(r#"{"extensionType": "User", "perPage": 50}"#, "?type=User&perPage=50");
        row(r#"{"extensionType": "All", "status": "Enabled", "page": 2}"#, "?status=Enabled&page=2");
        refuses(extensions, "list_extensions", r#"{"perPage": 0}"#, "perPage: expected a whole number");
    }

    #[test]
    fn get_extension_takes_one_id() {
        sends(extension, "get_extension", r#"{"extension_id": "123456789"}"#, "GET /account/~/extension/123456789");
        for id in ["", "~", "1,2", "*", "../call-log"] {
            let arguments = serde_json::json!({ "extension_id": id }).to_string();
            refuses(extension, "get_extension", &arguments, "extension_id: expected one id of at most 64 digits");
        }
    }

    #[test]
    fn phone_numbers_are_the_accounts_or_the_extensions() {
        sends(account_numbers, "list_account_phone_numbers", "{}", "GET /account/~/phone-number");
        sends(
            account_numbers,
            "list_account_phone_numbers",
            r#"{"usageType": "MainCompanyNumber", "status": "Normal", "perPage": 9999, "page": 1}"#,
            "GET /account/~/phone-number?usageType=MainCompanyNumber&status=Normal&perPage=1000&page=1",
        );
        sends(extension_numbers, "list_extension_phone_numbers", "{}", "GET /account/~/extension/~/phone-number");
        sends(
            extension_numbers,
            "list_extension_phone_numbers",
            r#"{"usageType": "DirectNumber", "perPage": 10, "page": 2}"#,
            "GET /account/~/extension/~/phone-number?usageType=DirectNumber&perPage=10&page=2",
        );
    }
}
