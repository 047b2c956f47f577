//! Sending SMS.

use crate::api::{self, send};
use crate::arguments::{e164, refused};
use kosmo_plugin::{Fault, Function, Invocation, Parameter, Request, Rule};
use serde_json::{Value, json};

/// UTF-16 code units, RingCentral's limit for one SMS request.
const LONGEST_TEXT: usize = 1000;

pub(crate) const SEND_SMS: Function = Function::write("send_sms", "Send an SMS from one of the extension's numbers.")
    .description(
        "Returns the message with its `id` and `messageStatus`; `Queued` means accepted, not delivered: ask \
         `get_message` later. `from` must be a number of `list_extension_phone_numbers` whose `features` contain \
         `SmsSender`. **RingCentral has no way to recognise a repeated request: after an error without an answer, look \
         into `list_messages` before sending again.** At most 40 requests a minute.",
    )
    .parameters(&[
        Parameter::string("from", "The extension's own number in E.164.").required().example("\"+16505551234\""),
        Parameter::string("to", "The recipient's number in E.164.").required().example("\"+16505559876\""),
        Parameter::string(
            "text",
            "At most 1000 UTF-16 units (most emoji are 2). Carriers bill in segments of 160 characters, fewer beyond \
             the GSM alphabet.",
        )
        .required()
        .example("\"Hello from RingCentral\""),
    ])
    .requests(&[Rule::post("/restapi/v1.0/account/{}/extension/{}/sms")])
    .rate_group("medium")
    .traced(&[Rule::get("/restapi/v1.0/account/{}/extension/{}/message-store").finding()], |invocation| {
        Ok(sent(invocation, &traces(invocation)?.send()?.json(api::error)?))
    })
    .runs(|invocation| send(request(invocation)));

/// The messages sent to the same number since a message may have been.
fn traces(invocation: &Invocation) -> Result<Request, Fault> {
    let to = e164(invocation, "to")?;
    let request = Request::get(api::extension(invocation, &["message-store"]))
        .query("dateFrom", invocation.lost())
        .query("direction", Some("Outbound"))
        .query("messageType", Some("SMS"))
        .query("phoneNumber", Some(to));
    Ok(request.query("perPage", Some(1000)))
}

/// The message among them that says the same from and to the same numbers, or `null`.
fn sent(invocation: &Invocation, answer: &Value) -> String {
    let [from, to, text] = ["from", "to", "text"].map(|name| invocation.text(name));
    let same = |message: &&Value| {
        message.pointer("/from/phoneNumber").and_then(Value::as_str) == from
            && message.pointer("/to/0/phoneNumber").and_then(Value::as_str) == to
            && message["subject"].as_str() == text
    };
    let records = answer["records"].as_array().into_iter().flatten();
    records.into_iter().find(same).unwrap_or(&Value::Null).to_string()
}

fn request(invocation: &Invocation) -> Result<Request, Fault> {
    let (from, to, text) = (e164(invocation, "from")?, e164(invocation, "to")?, text(invocation)?);
    let body = json!({ "from": { "phoneNumber": from }, "to": [{ "phoneNumber": to }], "text": text });
    Ok(Request::post(api::extension(invocation, &["sms"])).json(&body))
}

fn text(invocation: &Invocation) -> Result<&str, Fault> {
    let text = invocation.text("text").unwrap_or_default();
    let units = text.encode_utf16().count();
    match units {
        _ if text.trim().is_empty() => Err(refused("text", text, "a text, such as \"Hello from RingCentral\"")),
        1..=LONGEST_TEXT => Ok(text),
        _ => Err(Fault::argument(
            "text",
            format!("has {units} UTF-16 units; expected at most {LONGEST_TEXT}: send it in several messages"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::{request, sent, traces};
    use crate::testing::{refuses, sends};
    use kosmo_plugin::Invocation;

    #[test]
    fn a_lost_message_is_looked_for_among_those_to_its_number() {
        let arguments = arguments("+16505551234", "+16505559876", "Hello");
        let invocation = Invocation::test("send_sms", &arguments).looking_for("2026-05-01T00:00:00Z");
        let request = traces(&invocation).expect("good arguments");
        assert_eq!(request.method(), "GET");
        assert!(request.url().ends_with(
            "/extension/~/message-store?dateFrom=2026-05-01T00%3A00%3A00Z&direction=Outbound&messageType=SMS&\
             phoneNumber=%2B16505559876&perPage=1000"
        ));

        let message = |from: &str, to: &str, text: &str| serde_json::json!({ "from": { "phoneNumber": from }, "to": [{ "phoneNumber": to }], "subject": text });
        let others = [
            message("+16505551235", "+16505559876", "Hello"),
            message("+16505551234", "+16505559877", "Hello"),
            message("+16505551234", "+16505559876", "Hello!"),
        ];
        assert_eq!(sent(&invocation, &serde_json::json!({ "records": others })), "null");
        let found = message("+16505551234", "+16505559876", "Hello");
        let records = serde_json::json!({ "records": [others[0], found] });
        assert_eq!(sent(&invocation, &records), found.to_string());
    }

    fn arguments(from: &str, to: &str, text: &str) -> String {
        serde_json::json!({ "from": from, "to": to, "text": text }).to_string()
    }

    #[track_caller]
    fn accepts_text(text: &str) {
        let body = serde_json::json!({
            "from": { "phoneNumber": "+16505551234" }, "to": [{ "phoneNumber": "+16505559876" }], "text": text
        });
        let arguments = arguments("+16505551234", "+16505559876", text);
        sends(request, "send_sms", &arguments, &format!("POST /account/~/extension/~/sms {body}"));
    }

    #[test]
    fn send_sms_posts_numbers_and_text() {
        sends(
            request,
            "send_sms",
            r#"{"from": "+16505551234", "to": "+16505559876", "text": "Hello from RingCentral"}"#,
            r#"POST /account/~/extension/~/sms {"from":{"phoneNumber":"+16505551234"},"to":[{"phoneNumber":"+16505559876"}],"text":"Hello from RingCentral"}"#,
        );
        accepts_text("\"quoted\" \\ \n 😀 é");
    }

    #[test]
    fn a_text_may_have_1000_utf16_units_and_no_more() {
        accepts_text(&"x".repeat(1000));
        accepts_text(&"é".repeat(1000));
        accepts_text(&"😀".repeat(500));
        let row = |text: &str, expected: &str| {
            refuses(request, "send_sms", &arguments("+16505551234", "+16505559876", text), expected);
        };
        row(&"x".repeat(1001), "text: has 1001 UTF-16 units; expected at most 1000");
        row(&("😀".repeat(500) + "x"), "text: has 1001 UTF-16 units; expected at most 1000");
        row("", "text: expected a text");
        row(" \n\t", "text: expected a text");
    }

    #[test]
    fn numbers_that_are_not_e164_are_refused_by_name() {
        for number in [
            "",
            "+",
            "16505551234",
            "6505551234",
            "+165055",
            "+1650555123456789",
            "+06505551234",
            "+1 650 555 1234",
            "+1-650-555-1234",
            "++16505551234",
            "+1650555123a",
            "+16505551234,+16505559876",
            " +16505551234",
            "department",
        ] {
            refuses(
                request,
                "send_sms",
                &arguments(number, "+16505559876", "x"),
                "from: expected a phone number in E.164",
            );
            refuses(
                request,
                "send_sms",
                &arguments("+16505551234", number, "x"),
                "to: expected a phone number in E.164",
            );
        }
        refuses(request, "send_sms", "{}", "from: expected a phone number in E.164");
    }
}
