//! What every function shares: where RingCentral's resources are, how a request is answered, and its error envelope.

use kosmo_plugin::{ErrorParts, Fault, Invocation, Pagination, Request};
use serde_json::Value;

/// How every list is walked: numbered pages, the last of which has no `nextPage`.
pub(crate) const PAGES: Pagination =
    Pagination::Page { parameter: "page", items: "records", more: "navigation.nextPage" };

/// A resource of the token's account.
pub(crate) fn account(invocation: &Invocation, resource: &[&str]) -> String {
    invocation.url(&[&["restapi", "v1.0", "account", "~"], resource].concat())
}

/// A resource of the token's extension.
pub(crate) fn extension(invocation: &Invocation, resource: &[&str]) -> String {
    account(invocation, &[&["extension", "~"], resource].concat())
}

/// Sends a request if its arguments were good, and passes RingCentral's body on as it is.
pub(crate) fn send(request: Result<Request, Fault>) -> Result<String, Fault> {
    request?.send()?.success(error).map_err(missing)
}

/// RingCentral answers some reads of an id it does not know with 400; the code tells.
fn missing(fault: Fault) -> Fault {
    match fault {
        Fault::Provider(error) if error.status == 400 && error.code.as_deref() == Some("CMN-102") => {
            Fault::NotFound(error)
        }
        other => other,
    }
}

/// Code and message of `{"errorCode", "message", "errors": [{"errorCode", "message", "parameterName"}]}`, in which
/// either level may be absent, or of OAuth's `{"error", "error_description"}`.
pub(crate) fn error(body: &Value) -> Option<ErrorParts> {
    [body.pointer("/errors/0"), Some(body)].into_iter().flatten().find_map(one_error)
}

fn one_error(error: &Value) -> Option<ErrorParts> {
    let text = |names: [&str; 2]| names.into_iter().find_map(|name| error[name].as_str());
    let code = text(["errorCode", "error"]);
    let message = text(["message", "error_description"]).or(code)?;
    Some((code.map(Into::into), explained(message, error["parameterName"].as_str(), code)))
}

/// RingCentral's words, the parameter they are about unless they name it, and what helps.
fn explained(message: &str, parameter: Option<&str>, code: Option<&str>) -> String {
    let mut explained = message.to_owned();
    if let Some(parameter) = parameter.filter(|name| !message.contains(name)) {
        explained += &[" (parameter ", parameter, ")"].concat();
    }
    if let Some(cure) = code.and_then(cure) {
        explained += &[" [", cure, "]"].concat();
    }
    explained
}

fn cure(code: &str) -> Option<&'static str> {
    Some(match code {
        "OAU-123" | "OAU-128" | "OAU-129" | "OAU-134" | "OAU-149" => "the account needs a new access token",
        "CMN-401" => "add this permission to the app in the RingCentral developer console",
        "CMN-402" | "CMN-408" => "a RingCentral administrator must give the user this permission",
        "MSG-304" => "send from a number of list_extension_phone_numbers whose features include SmsSender",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kosmo_plugin::Answer;

    #[track_caller]
    fn check(body: &str, code: Option<&str>, message: &str) {
        let body = serde_json::from_str(body).expect("the row is JSON");
        assert_eq!(error(&body), Some((code.map(Into::into), message.into())));
    }

    #[test]
    fn both_levels_of_the_envelope_and_oauths_are_read() {
        check(r#"{"errors":[{"errorCode":"CMN-301","message":"Too fast"}]}"#, Some("CMN-301"), "Too fast");
        check(r#"{"errorCode":"CMN-301","message":"Too fast"}"#, Some("CMN-301"), "Too fast");
        check(
            r#"{"errorCode":"CMN-1","message":"Outer","errors":[{"errorCode":"CMN-2","message":"Inner"}]}"#,
            Some("CMN-2"),
            "Inner",
        );
        check(r#"{"errorCode":"CMN-1","message":"Outer","errors":[]}"#, Some("CMN-1"), "Outer");
        check(r#"{"error":"invalid_grant","error_description":"Expired"}"#, Some("invalid_grant"), "Expired");
        check(r#"{"error":"invalid_grant"}"#, Some("invalid_grant"), "invalid_grant");
        check(r#"{"message":"Only words"}"#, None, "Only words");
    }

    #[test]
    fn a_parameter_is_named_once_and_a_known_code_brings_its_cure() {
        check(
            r#"{"errors":[{"errorCode":"CMN-101","message":"Invalid value","parameterName":"dateTo"}]}"#,
            Some("CMN-101"),
            "Invalid value (parameter dateTo)",
        );
        check(
            r#"{"errors":[{"errorCode":"CMN-101","message":"Parameter [dateTo] is invalid","parameterName":"dateTo"}]}"#,
            Some("CMN-101"),
            "Parameter [dateTo] is invalid",
        );
        check(
            r#"{"errorCode":"MSG-304","message":"Phone number doesn't belong to extension"}"#,
            Some("MSG-304"),
            "Phone number doesn't belong to extension \
             [send from a number of list_extension_phone_numbers whose features include SmsSender]",
        );
    }

    #[track_caller]
    fn check_unreadable(body: &str) {
        assert_eq!(error(&serde_json::from_str(body).expect("the row is JSON")), None);
    }

    #[test]
    fn json_of_another_shape_has_no_error() {
        for body in ["null", "[]", "3", r#""text""#, "{}", r#"{"errors":{}}"#, r#"{"errors":[3],"message":5}"#] {
            check_unreadable(body);
        }
    }

    #[test]
    fn an_unknown_id_is_not_found_under_either_status() {
        let body = r#"{"errorCode":"CMN-102","message":"Resource for parameter [messageId] is not found"}"#;
        for status in [400, 404] {
            let fault = Answer::test(status, body).success(error).map_err(missing).expect_err("a fault");
            assert!(matches!(fault, Fault::NotFound(_)), "{status}: {fault:?}");
        }
        let other = Answer::test(400, r#"{"errorCode":"CMN-101","message":"Bad"}"#).success(error).map_err(missing);
        assert!(matches!(other, Err(Fault::Provider(_))), "{other:?}");
    }
}
