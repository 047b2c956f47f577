//! Sending SMS.

use crate::api::{self, send};
use crate::arguments::{e164, refused};
use kosmo_plugin::{Fault, Function, Invocation, Parameter, Request, Rule};
use serde_json::json;

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
    .runs(|invocation| send(request(invocation)));

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
    use super::request;
    use crate::testing::{refuses, sends};

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
