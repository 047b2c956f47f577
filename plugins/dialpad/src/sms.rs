//! Texts: `POST /api/v2/sms`, and the list that only an export gives.

use crate::api::{self, fill, get};
use crate::arguments::{self, are_digits, is_e164};
use crate::export;
use crate::outside::{Live, Outside};
use crate::window;
use kosmo_plugin::{Fault, Function, Invocation, Pagination, Parameter, Request, Rule};
use serde_json::{Map, Value, json};

const START: &str = "Start of the range, Unix time in seconds; 30 days before its end if absent.";

pub(crate) const LIST: Function = Function::read("list_sms", "List text messages, newest first.")
    .description(
        "Dialpad has no list of texts; this starts a statistics export, waits for it and reads its file. An export \
         takes seconds to minutes. If it is not ready in time the fault is `not_ready`; the same call again after \
         `retry_after` seconds goes on with the same export. Without `startTime`: the last 30 days. Returns `items` \
         and, if there is more, `cursor`, which stays valid for about an hour and remembers the range. Each text has \
         `id`, `from`, `to`, `text`, `direction`, `date` (UTC) and the other columns of the export; `text` is \"\" \
         unless the key has the scope `message_content_export`. Dialpad allows 200 exports an hour. Needs a company \
         admin's API key.",
    )
    .parameters(&[window::start(START), window::END, arguments::LIMIT, arguments::CURSOR])
    .requests(&[
        Rule::post("/api/v2/stats").rate_group("stats"),
        Rule::get("/api/v2/stats/{}"),
        Rule::get("/**").on("exports"),
    ])
    .pagination(Pagination::Cursor { parameter: "cursor", items: "items", next: "cursor" })
    .runs(|invocation| export::list(invocation, &mut Live));

pub(crate) const SEND: Function = Function::write("send_sms", "Send a text message.")
    .description(
        "Returns Dialpad's record of the message with its `id`. `message_status` \"pending\" means accepted, not yet \
         delivered. Never repeated by itself: after a fault without an answer, look before sending again. Dialpad \
         allows 100 a minute.",
    )
    .parameters(&[
        Parameter::string("to", "The recipient's number in E.164 form.").required().example("\"+14155551234\""),
        Parameter::string(
            "from",
            "The sender: a number of the company in E.164 form, or the id of a department, in digits.",
        )
        .required()
        .example("\"+14155559876\""),
        Parameter::string("text", "The message.").required().example("\"Hello from Dialpad!\""),
    ])
    .requests(&[Rule::post("/api/v2/sms")])
    .rate_group("sms")
    .runs(|invocation| send(invocation, &mut Live));

fn send(invocation: &Invocation, outside: &mut dyn Outside) -> Result<String, Fault> {
    let body = message(invocation)?;
    let answer = outside.send(Request::post(invocation.url(&["api", "v2", "sms"])).json(&body))?;
    api::record(answer, add_aliases)
}

fn message(invocation: &Invocation) -> Result<Value, Fault> {
    let argument = |name: &str| invocation.text(name).unwrap_or_default();
    let (to, from, text) = (argument("to"), argument("from"), argument("text"));
    if !is_e164(to) {
        return Err(Fault::argument("to", format!("is \"{to}\"; expected a number in E.164 form: \"+14155551234\"")));
    }
    if text.is_empty() {
        return Err(Fault::argument("text", "is empty; expected a message: \"Hello from Dialpad!\""));
    }
    let mut body = sender(from)?;
    body.insert("to_numbers".into(), json!([to]));
    body.insert("text".into(), json!(text));
    Ok(body.into())
}

fn sender(from: &str) -> Result<Map<String, Value>, Fault> {
    let expected = "expected a number in E.164 form, \"+14155559876\", or the digits of a department's id";
    let fault = || Fault::argument("from", format!("is \"{from}\"; {expected}"));
    let fields = if is_e164(from) {
        vec![("from_number", json!(from))]
    } else if are_digits(from) {
        let id: i64 = from.parse().map_err(|_| fault())?;
        vec![("sender_group_id", json!(id)), ("sender_group_type", json!("department"))]
    } else {
        return Err(fault());
    };
    Ok(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The names under which `list_sms` gives the same.
fn add_aliases(sms: &mut Map<String, Value>) {
    fill(sms, "from", get(sms, "from_number").cloned());
    fill(sms, "to", get(sms, "to_numbers").and_then(|numbers| numbers.get(0)).cloned());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outside::script::Script;

    #[track_caller]
    fn check(from: &str, expected: &str) {
        let mut script = Script::new([(200, r#"{"id":"1004","from_number":"+1","to_numbers":["+2"]}"#)]);
        let arguments = json!({"to": "+14155551234", "from": from, "text": "Hello from Dialpad!"}).to_string();
        let sent = send(&Invocation::test("send_sms", &arguments), &mut script).expect("a message");
        assert_eq!(script.asked, [format!("POST /api/v2/sms {expected}")]);
        assert_eq!(sent, r#"{"id":"1004","from_number":"+1","to_numbers":["+2"],"from":"+1","to":"+2"}"#);
    }

    #[test]
    fn a_message_goes_out_from_a_number_or_a_department() {
        check(
            "+14155559876",
            r#"{"from_number":"+14155559876","to_numbers":["+14155551234"],"text":"Hello from Dialpad!"}"#,
        );
        check(
            "5220648944236254",
            r#"{"sender_group_id":5220648944236254,"sender_group_type":"department","to_numbers":["+14155551234"],"text":"Hello from Dialpad!"}"#,
        );
    }

    #[track_caller]
    fn check_refused(to: &str, from: &str, text: &str, parameter: &str) {
        let mut script = Script::new([]);
        let arguments = json!({"to": to, "from": from, "text": text}).to_string();
        match send(&Invocation::test("send_sms", &arguments), &mut script) {
            Err(Fault::InvalidArgument(error)) => assert_eq!(error.parameter, parameter),
            other => panic!("{other:?}"),
        }
        assert!(script.asked.is_empty());
    }

    #[test]
    fn a_message_that_cannot_be_sent_is_refused_before_anything_is_sent() {
        check_refused("4155551234", "+14155559876", "Hi", "to");
        check_refused("+1 415 555 1234", "+14155559876", "Hi", "to");
        check_refused("+14155551234", "Sales", "Hi", "from");
        check_refused("+14155551234", "", "Hi", "from");
        check_refused("+14155551234", "99999999999999999999", "Hi", "from");
        check_refused("+14155551234", "+14155559876", "", "text");
    }
}
