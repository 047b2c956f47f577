//! The message store: SMS, faxes, voicemails and pager messages of the token's extension.

use crate::api::{self, PAGES, send};
use crate::arguments::{dated, fields, filter, number_id, paged};
use kosmo_plugin::{Fault, Function, Invocation, Parameter, Request, Rule};

// Account and extension are `{}` rather than the `~` that is sent: whoever denies `delete_message` means that no
// message is deleted, by `api_delete` with an extension's number in the path neither.
const STORE: &str = "/restapi/v1.0/account/{}/extension/{}/message-store";
const MESSAGE: &str = "/restapi/v1.0/account/{}/extension/{}/message-store/{}";

pub(crate) const LIST_MESSAGES: Function =
    Function::read("list_messages", "List the extension's SMS, fax, voicemail and pager messages, newest first.")
        .description(
            "Returns `records`, `paging` and `navigation`. A record has `id`, `type`, `direction`, `readStatus`, \
     `messageStatus`, `creationTime`, `from` and the list `to` (each with `phoneNumber` and `name`), `subject` (the \
     text of an SMS), `conversationId` and `attachments`.\n\n\
     **Without `dateFrom` RingCentral looks back only 24 hours from `dateTo`.** Only this extension's mailbox is \
     listed, never the account's.",
        )
        .parameters(&[
            Parameter::string("messageType", "Only messages of this type; `All` is no filter.")
                .choices(&["SMS", "Fax", "VoiceMail", "Pager", "All"])
                .default("\"All\"")
                .example("\"SMS\""),
            Parameter::string(
                "dateFrom",
                "Only messages from this time on, in ISO 8601 with a zone. Default: 24 hours before `dateTo`.",
            )
            .example("\"2026-05-01T00:00:00Z\""),
            Parameter::string("dateTo", "Only messages up to this time, in ISO 8601 with a zone. Default: now.")
                .example("\"2026-05-31T23:59:59Z\""),
            Parameter::string("direction", "Only messages received or sent; `All` is no filter.")
                .choices(&["Inbound", "Outbound", "All"])
                .default("\"All\"")
                .example("\"Inbound\""),
            Parameter::string("readStatus", "Only messages read or unread; `All` is no filter.")
                .choices(&["Read", "Unread", "All"])
                .default("\"All\"")
                .example("\"Unread\""),
            PER_PAGE,
            PAGE,
        ])
        .requests(&[Rule::get(STORE)])
        .rate_group("light")
        .pagination(PAGES)
        .runs(|invocation| send(list(invocation)));

/// `perPage` of every list.
pub(crate) const PER_PAGE: Parameter =
    Parameter::integer("perPage", "Records per page, 1 to 1000; a larger number counts as 1000.")
        .default("100")
        .example("25");

/// `page` of every list.
pub(crate) const PAGE: Parameter =
    Parameter::integer("page", "Number of the page, from 1. The last page has no `navigation.nextPage`.")
        .default("1")
        .example("2");

pub(crate) const GET_MESSAGE: Function =
    Function::read("get_message", "Get one message of the message store by its id.")
        .description(
            "Returns the record as `list_messages` does: sender, recipients, `subject`, status and `attachments`. \
         One id only; a list of ids is refused.",
        )
        .parameters(&[Parameter::string("messageId", "Id of the message, digits only.")
            .required()
            .example("\"1234567890\"")])
        .requests(&[Rule::get(MESSAGE)])
        .rate_group("light")
        .runs(|invocation| send(get(invocation)));

pub(crate) const UPDATE_MESSAGE: Function = Function::write(
    "update_message",
    "Mark a message as read or unread, or restore a deleted one.",
)
.description(
    "Returns the message. Give `readStatus`, or `payload = {availability = \"Alive\"}` to restore a message that \
     `delete_message` has deleted once; a purged one is gone. `readStatus` wins over the same field in `payload`. \
     `availability` is sent by PATCH, `readStatus` alone by PUT, as RingCentral requires.",
)
.parameters(&[
    Parameter::string("message_id", "Id of the message, digits only.").required().example("\"1234567890\""),
    Parameter::string("readStatus", "`Read` or `Unread`.").choices(&["Read", "Unread"]).example("\"Read\""),
    Parameter::object("payload", "Further official fields: `availability`, which only takes `Alive`.")
        .example(r#"{"availability": "Alive"}"#),
])
.requests(&[Rule::new(&["PUT", "PATCH"], MESSAGE)])
.rate_group("medium")
.runs(|invocation| send(update(invocation)));

pub(crate) const DELETE_MESSAGE: Function = Function::write(
    "delete_message",
    "Delete one message of the message store; deleting it again purges it.",
)
.destructive()
.description(
    "Returns `{}`. The first deletion marks the message `Deleted`, and `update_message` can restore it. **The second \
     purges it with its attachments, for good.** An id that is empty, a list or `*` is refused, because RingCentral \
     would delete many messages or the whole mailbox.",
)
.parameters(&[Parameter::string("message_id", "Id of the message, digits only.").required().example("\"1234567890\"")])
.requests(&[Rule::delete(MESSAGE)])
.rate_group("medium")
.runs(|invocation| send(delete(invocation)));

fn list(invocation: &Invocation) -> Result<Request, Fault> {
    let request = Request::get(api::extension(invocation, &["message-store"]))
        .query("messageType", filter(invocation, "messageType"));
    let request = dated(request, invocation)?
        .query("direction", filter(invocation, "direction"))
        .query("readStatus", filter(invocation, "readStatus"));
    paged(request, invocation)
}

fn get(invocation: &Invocation) -> Result<Request, Fault> {
    Ok(Request::get(message(invocation, "messageId")?))
}

fn update(invocation: &Invocation) -> Result<Request, Fault> {
    let url = message(invocation, "message_id")?;
    let mut fields = fields(invocation, &["readStatus"]);
    fields.retain(|_, value| !value.is_null());
    match fields.get("availability") {
        // Anything but a restoration would delete, which is `delete_message`'s to allow.
        Some(availability) if availability != "Alive" => {
            Err(Fault::argument("payload", "has an availability other than \"Alive\": to delete, use delete_message"))
        }
        Some(_) => Ok(Request::patch(url).json(&fields.into())),
        None if fields.contains_key("readStatus") => Ok(Request::put(url).json(&fields.into())),
        None => Err(Fault::argument(
            "readStatus",
            "is missing: give readStatus = \"Read\" or \"Unread\", or payload = {availability = \"Alive\"}",
        )),
    }
}

fn delete(invocation: &Invocation) -> Result<Request, Fault> {
    Ok(Request::delete(message(invocation, "message_id")?))
}

fn message(invocation: &Invocation, parameter: &str) -> Result<String, Fault> {
    Ok(api::extension(invocation, &["message-store", number_id(invocation, parameter)?]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{refuses, sends};

    #[test]
    fn list_messages_sends_the_filters_that_were_given_and_never_all() {
        const STORE: &str = "GET /account/~/extension/~/message-store";
        let row = |arguments: &str, query: &str| sends(list, "list_messages", arguments, &[STORE, query].concat());
        row("{}", "");
        row(r#"{"messageType": "SMS", "perPage": 5}"#, "?messageType=SMS&perPage=5");
        row(r#"{"messageType": "All", "direction": "All", "readStatus": "All"}"#, "");
        row(r#"{"messageType": null, "dateFrom": "", "perPage": null}"#, "");
        row(
            r#"{"messageType":"VoiceMail","dateFrom":"2026-05-01T00:00:00Z","dateTo":"2026-05-31T23:59:59+02:00",
                "direction":"Inbound","readStatus":"Unread","perPage":25,"page":3}"#,
            "?messageType=VoiceMail&dateFrom=2026-05-01T00%3A00%3A00Z&dateTo=2026-05-31T23%3A59%3A59%2B02%3A00\
             &direction=Inbound&readStatus=Unread&perPage=25&page=3",
        );
        row(r#"{"perPage": 1000}"#, "?perPage=1000");
        row(r#"{"perPage": 5000}"#, "?perPage=1000");
    }

    #[test]
    fn list_messages_refuses_dates_and_pages_it_cannot_mean() {
        let row = |arguments: &str, expected: &str| refuses(list, "list_messages", arguments, expected);
        row(
            r#"{"dateFrom": "example_dateFrom"}"#,
            "dateFrom: is \"example_dateFrom\"; expected date, time and zone in ISO 8601, such as \"2026-05-01T00:00:00Z\"",
        );
        row(r#"{"dateFrom": "2026-05-01"}"#, "dateFrom: expected date, time and zone");
        row(r#"{"dateTo": "2026-05-01T00:00:00"}"#, "dateTo: expected date, time and zone");
        row(
            r#"{"dateFrom": "2026-05-01T01:00:00+02:00", "dateTo": "2026-04-30T22:59:59Z"}"#,
            "dateFrom: expected a time that is not after dateTo",
        );
        row(r#"{"perPage": 0}"#, "perPage: is \"0\"; expected a whole number of 1 or more, such as 100");
        row(r#"{"perPage": -5}"#, "perPage: expected a whole number");
        row(r#"{"page": 0}"#, "page: is \"0\"; expected a whole number of 1 or more, such as 1");
        row(r#"{"page": 4294967296}"#, "page: expected a whole number");
        row(r#"{"page": 1.5}"#, "page: expected a whole number");
    }

    #[test]
    fn one_message_is_read_and_deleted_by_its_id() {
        sends(
            get,
            "get_message",
            r#"{"messageId": "1234567890"}"#,
            "GET /account/~/extension/~/message-store/1234567890",
        );
        sends(delete, "delete_message", r#"{"message_id": "1"}"#, "DELETE /account/~/extension/~/message-store/1");
    }

    #[test]
    fn an_id_that_could_reach_more_than_one_message_is_refused() {
        let longest = "1".repeat(64);
        sends(
            delete,
            "delete_message",
            &format!(r#"{{"message_id": "{longest}"}}"#),
            &format!("DELETE /account/~/extension/~/message-store/{longest}"),
        );
        let too_long = "1".repeat(65);
        for id in ["", " ", "*", "1,2", "1/..", "..", "~", "%2a", "1?purge=true", "-1", "1e9", "١", &too_long] {
            let arguments = serde_json::json!({ "message_id": id, "messageId": id }).to_string();
            refuses(delete, "delete_message", &arguments, "message_id: expected one id of at most 64 digits");
            refuses(update, "update_message", &arguments, "message_id: expected one id of at most 64 digits");
            refuses(get, "get_message", &arguments, "messageId: expected one id of at most 64 digits");
        }
        refuses(delete, "delete_message", "{}", "message_id: expected one id");
        refuses(delete, "delete_message", r#"{"message_id": null}"#, "message_id: expected one id");
    }

    #[test]
    fn update_message_puts_a_read_status_and_patches_an_availability() {
        let row = |arguments: &str, expected: &str| sends(update, "update_message", arguments, expected);
        const PUT: &str = r#"PUT /account/~/extension/~/message-store/7 {"readStatus":"Read"}"#;
        row(r#"{"message_id": "7", "readStatus": "Read"}"#, PUT);
        row(r#"{"message_id": "7", "payload": {"readStatus": "Read"}}"#, PUT);
        row(r#"{"message_id": "7", "readStatus": "Read", "payload": {"readStatus": "Unread"}}"#, PUT);
        row(r#"{"message_id": "7", "readStatus": "Read", "payload": {"message_id": "8", "messageId": "9"}}"#, PUT);
        row(r#"{"message_id": "7", "readStatus": "Read", "payload": {"availability": null}}"#, PUT);
        row(
            r#"{"message_id": "7", "payload": {"availability": "Alive"}}"#,
            r#"PATCH /account/~/extension/~/message-store/7 {"availability":"Alive"}"#,
        );
        row(
            r#"{"message_id": "7", "readStatus": "Unread", "payload": {"availability": "Alive"}}"#,
            r#"PATCH /account/~/extension/~/message-store/7 {"availability":"Alive","readStatus":"Unread"}"#,
        );
    }

    #[test]
    fn update_message_without_a_change_or_with_a_deletion_is_refused() {
        let row = |arguments: &str, expected: &str| refuses(update, "update_message", arguments, expected);
        row(r#"{"message_id": "7"}"#, "readStatus: is missing: give readStatus = \"Read\"");
        row(
            r#"{"message_id": "7", "readStatus": null, "payload": {}}"#,
            "readStatus: is missing: give readStatus = \"Read\"",
        );
        row(
            r#"{"message_id": "7", "payload": {"subject": "x"}}"#,
            "readStatus: is missing: give readStatus = \"Read\"",
        );
        for availability in ["\"Purged\"", "\"Deleted\"", "\"alive\"", "3"] {
            let arguments = format!(r#"{{"message_id": "7", "payload": {{"availability": {availability}}}}}"#);
            row(&arguments, "payload: has an availability other than \"Alive\": to delete, use delete_message");
        }
    }
}
