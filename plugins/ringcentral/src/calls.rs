//! The call log.

use crate::api::{self, PAGES, send};
use crate::arguments::{call_id, dated, dialled, filter, paged, short_number};
use crate::messages::{PAGE, PER_PAGE};
use kosmo_plugin::{Fault, Function, Invocation, Parameter, Request, Rule};

pub(crate) const LIST_CALLS: Function = Function::read(
    "list_calls",
    "List the extension's call log, newest first.",
)
.description(
    "Returns `records`, `paging` and `navigation`. A record has `id`, `sessionId`, `startTime`, `duration` (seconds) \
     and `durationMs`, `type`, `direction`, `action`, `result`, `from`, `to`, and `recording` if there is one.\n\n\
     **Without `dateFrom` RingCentral looks back only 24 hours from `dateTo`.** Ten requests a minute in all call log \
     and contact functions together: prefer `perPage = 1000` to many pages.",
)
.parameters(&[FROM, TO, DIRECTION, TYPE, PHONE_NUMBER, PER_PAGE, PAGE])
.requests(&[Rule::get("/restapi/v1.0/account/{}/extension/{}/call-log")])
.rate_group("heavy")
.pagination(PAGES)
.runs(|invocation| send(list(invocation)));

pub(crate) const LIST_ACCOUNT_CALLS: Function =
    Function::read("list_account_calls", "List the call log of the whole account, newest first.")
        .description(
            "As `list_calls`, for every extension of the account. The user needs the RingCentral permission to see the \
     company's call log. `extensionNumber` cannot be combined with `phoneNumber`.",
        )
        .parameters(&[
            FROM,
            TO,
            DIRECTION,
            TYPE,
            PHONE_NUMBER,
            Parameter::string(
                "extensionNumber",
                "Only calls of the extension with this short number; not together with `phoneNumber`.",
            )
            .example("\"101\""),
            PER_PAGE,
            PAGE,
        ])
        .requests(&[Rule::get("/restapi/v1.0/account/{}/call-log")])
        .rate_group("heavy")
        .pagination(PAGES)
        .runs(|invocation| send(list_account(invocation)));

pub(crate) const GET_CALL: Function = Function::read(
    "get_call",
    "Get one record of the extension's call log by its id.",
)
.description(
    "Returns the record as `list_calls` does. The id is a record's `id`, not its `sessionId`. One id only; a list of \
         ids is refused.",
)
.parameters(&[Parameter::string("call_id", "Id of the call log record: letters, digits, `_` and `-`.")
    .required()
    .example("\"SHbTMZ4vKhRtUxA\"")])
.requests(&[Rule::get("/restapi/v1.0/account/{}/extension/{}/call-log/{}")])
.rate_group("heavy")
.runs(|invocation| send(get(invocation)));

const FROM: Parameter = Parameter::string(
    "dateFrom",
    "Only calls from this time on, in ISO 8601 with a zone. Default: 24 hours before `dateTo`.",
)
.example("\"2026-05-01T00:00:00Z\"");

const TO: Parameter = Parameter::string("dateTo", "Only calls up to this time, in ISO 8601 with a zone. Default: now.")
    .example("\"2026-05-31T23:59:59Z\"");

const DIRECTION: Parameter = Parameter::string("direction", "Only calls received or made; `All` is no filter.")
    .choices(&["Inbound", "Outbound", "All"])
    .default("\"All\"")
    .example("\"Inbound\"");

const TYPE: Parameter = Parameter::string("type", "Only voice calls or faxes; `All` is no filter.")
    .choices(&["Voice", "Fax", "All"])
    .default("\"All\"")
    .example("\"Voice\"");

const PHONE_NUMBER: Parameter = Parameter::string(
    "phoneNumber",
    "Only calls from or to this number, with country code; `+`, spaces and dashes are removed as RingCentral requires.",
)
.example("\"+16505551234\"");

fn list(invocation: &Invocation) -> Result<Request, Fault> {
    let request = filtered(Request::get(api::extension(invocation, &["call-log"])), invocation)?;
    paged(request, invocation)
}

fn list_account(invocation: &Invocation) -> Result<Request, Fault> {
    let request = filtered(Request::get(api::account(invocation, &["call-log"])), invocation)?;
    paged(request.query("extensionNumber", short_number(invocation)?), invocation)
}

fn filtered(request: Request, invocation: &Invocation) -> Result<Request, Fault> {
    Ok(dated(request, invocation)?
        .query("direction", filter(invocation, "direction"))
        .query("type", filter(invocation, "type"))
        .query("phoneNumber", dialled(invocation)?))
}

fn get(invocation: &Invocation) -> Result<Request, Fault> {
    Ok(Request::get(api::extension(invocation, &["call-log", call_id(invocation, "call_id")?])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{refuses, sends};

    #[test]
    fn list_calls_sends_the_filters_that_were_given_and_never_all() {
        let row = |arguments: &str, query: &str| {
            sends(list, "list_calls", arguments, &["GET /account/~/extension/~/call-log", query].concat());
        };
        row("{}", "");
        row(r#"{"direction": "All", "type": "All"}"#, "");
        row(
            r#"{"dateFrom": "2026-05-01T00:00:00Z", "direction": "Inbound"}"#,
            "?dateFrom=2026-05-01T00%3A00%3A00Z&direction=Inbound",
        );
        row(
            r#"{"dateTo":"2026-05-31T23:59:59Z","direction":"Outbound","type":"Fax","phoneNumber":"16505551234","perPage":2000,"page":2}"#,
            "?dateTo=2026-05-31T23%3A59%3A59Z&direction=Outbound&type=Fax&phoneNumber=16505551234&perPage=1000&page=2",
        );
    }

    #[test]
    fn a_phone_number_loses_its_plus_and_its_punctuation() {
        for number in ["+16505551234", "16505551234", "+1 650 555-1234", "+1 (650) 555.1234", " +16505551234 "] {
            let arguments = serde_json::json!({ "phoneNumber": number }).to_string();
            sends(list, "list_calls", &arguments, "GET /account/~/extension/~/call-log?phoneNumber=16505551234");
        }
        for number in ["+", "12", "+16505551234,+16505559876", "+1650555123x", "1+6505551234", "1234567890123456"] {
            let arguments = serde_json::json!({ "phoneNumber": number }).to_string();
            refuses(list, "list_calls", &arguments, "phoneNumber: expected a phone number with country code");
        }
    }

    #[test]
    fn list_account_calls_filters_by_extension_or_by_number() {
        let row = |arguments: &str, query: &str| {
            sends(list_account, "list_account_calls", arguments, &["GET /account/~/call-log", query].concat());
        };
        row("{}", "");
        row(
            r#"{"dateFrom": "2026-05-01T00:00:00Z", "perPage": 100}"#,
            "?dateFrom=2026-05-01T00%3A00%3A00Z&perPage=100",
        );
        row(
            r#"{"type": "Voice", "extensionNumber": "101", "perPage": 10, "page": 1}"#,
            "?type=Voice&extensionNumber=101&perPage=10&page=1",
        );
        row(r#"{"phoneNumber": "+16505551234"}"#, "?phoneNumber=16505551234");
        refuses(
            list_account,
            "list_account_calls",
            r#"{"extensionNumber": "101", "phoneNumber": "+16505551234"}"#,
            "extensionNumber: expected either extensionNumber or phoneNumber",
        );
        for number in ["abc", "+101", "123456789"] {
            let arguments = serde_json::json!({ "extensionNumber": number }).to_string();
            refuses(list_account, "list_account_calls", &arguments, "extensionNumber: expected a short number");
        }
    }

    #[test]
    fn bad_dates_are_refused_in_both_lists() {
        let arguments = r#"{"dateTo": "yesterday"}"#;
        refuses(list, "list_calls", arguments, "dateTo: expected date, time and zone");
        refuses(list_account, "list_account_calls", arguments, "dateTo: expected date, time and zone");
    }

    #[test]
    fn get_call_takes_one_id() {
        sends(
            get,
            "get_call",
            r#"{"call_id": "SHbTMZ4v-Kh_RtUxA"}"#,
            "GET /account/~/extension/~/call-log/SHbTMZ4v-Kh_RtUxA",
        );
        for id in ["", "a,b", "*", "~", "..", ".", "a/b", "a b", "a%2Fb", "é", &"a".repeat(65)] {
            let arguments = serde_json::json!({ "call_id": id }).to_string();
            refuses(get, "get_call", &arguments, "call_id: expected one id of at most 64 letters, digits");
        }
    }
}
