//! `api_get`, `api_post`, `api_put`, `api_delete`: the documented paths that have no function of their own.

use crate::api::send;
use crate::path;
use kosmo_plugin::{Fault, Function, Invocation, Parameter, Request, Rule};
use serde_json::Value;

const EVERYTHING: &str = "/restapi/v1.0/**";

pub(crate) const API_GET: Function = Function::read("api_get", "GET any documented path under /restapi/v1.0.")
    .description(
        "Returns RingCentral's JSON as it is; an answer that is not JSON, such as an attachment, is a fault. Absolute \
         URLs, `..`, encoded slashes and everything else that is not plainly such a path are refused.",
    )
    .parameters(&[
        PATH.example("\"/restapi/v1.0/account/~/extension/~\""),
        Parameter::object("params", "The query: strings, numbers and booleans by name; a list repeats its name.")
            .example(r#"{"type": ["User", "Department"], "perPage": 25}"#),
    ])
    .requests(&[Rule::get(EVERYTHING)])
    .runs(|invocation| send(get(invocation)));

pub(crate) const API_POST: Function =
    Function::write("api_post", "POST a JSON body to any documented path under /restapi/v1.0.")
        .description("Returns RingCentral's JSON, or `{}` if there is none. A query may follow the path after `?`.")
        .parameters(&[
            PATH.example("\"/restapi/v1.0/account/~/extension/~/address-book/contact\""),
            PAYLOAD.example(r#"{"firstName": "Ada"}"#),
        ])
        .requests(&[Rule::post(EVERYTHING)])
        .runs(|invocation| send(with_body("POST", invocation)));

pub(crate) const API_PUT: Function = Function::write(
    "api_put",
    "PUT a JSON body to any documented path under /restapi/v1.0.",
)
.description(
    "Returns RingCentral's JSON, or `{}` if there is none. **A PUT often replaces the whole resource: fields that \
             are not sent are lost.** A query may follow the path after `?`.",
)
.parameters(&[PATH.example(ONE_MESSAGE), PAYLOAD.example(r#"{"readStatus": "Read"}"#)])
.requests(&[Rule::put(EVERYTHING)])
.runs(|invocation| send(with_body("PUT", invocation)));

pub(crate) const API_DELETE: Function = Function::write(
    "api_delete",
    "DELETE any documented path under /restapi/v1.0.",
)
.destructive()
.description(
    "Returns `{}`. In a message store exactly one message can be deleted at a time: without an id RingCentral would \
         delete the whole mailbox, so such a path is refused. A query may follow the path after `?`.",
)
.parameters(&[
    PATH.example(ONE_MESSAGE),
    Parameter::object("payload", "JSON body, for the few paths that take one; an empty one is not sent."),
])
.requests(&[Rule::delete(EVERYTHING)])
.runs(|invocation| send(delete(invocation)));

const PATH: Parameter =
    Parameter::string("path", "Path from /restapi/v1.0/ on; `~` stands for the token's own account or extension.")
        .required();

/// What a reader who tries the example can undo.
const ONE_MESSAGE: &str = "\"/restapi/v1.0/account/~/extension/~/message-store/1234567890\"";

const PAYLOAD: Parameter = Parameter::object("payload", "JSON body; without it none is sent.");

fn get(invocation: &Invocation) -> Result<Request, Fault> {
    let request = to_path("GET", invocation)?;
    invocation.object("params").into_iter().flatten().try_fold(request, |request, (name, value)| match value {
        Value::Array(values) => values.iter().try_fold(request, |request, value| one_query(request, name, value)),
        // An empty Lua table is an empty list here, whatever it was serialised as.
        Value::Object(fields) if fields.is_empty() => Ok(request),
        value => one_query(request, name, value),
    })
}

fn one_query(request: Request, name: &str, value: &Value) -> Result<Request, Fault> {
    let text = match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(decimal(number)),
        Value::Array(_) | Value::Object(_) => {
            let expected = [
                "has a table as `",
                name,
                "`; expected text, a number, a boolean or a list of them, such as perPage = 25",
            ];
            return Err(Fault::argument("params", expected.concat()));
        }
    };
    Ok(request.query(name, text))
}

/// An integral number never with a fraction or exponent: `1e12` would be no id.
fn decimal(number: &serde_json::Number) -> String {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match number.as_f64() {
        Some(value) if number.is_f64() && value.fract() == 0.0 && value.abs() <= EXACT => (value as i64).to_string(),
        _ => number.to_string(),
    }
}

fn with_body(method: &'static str, invocation: &Invocation) -> Result<Request, Fault> {
    Ok(carrying(to_path(method, invocation)?, payload(invocation)))
}

fn delete(invocation: &Invocation) -> Result<Request, Fault> {
    let payload = payload(invocation).filter(|payload| payload.as_object().is_some_and(|fields| !fields.is_empty()));
    Ok(carrying(to_path("DELETE", invocation)?, payload))
}

fn payload(invocation: &Invocation) -> Option<&Value> {
    invocation.argument("payload").filter(|payload| !payload.is_null())
}

fn carrying(request: Request, payload: Option<&Value>) -> Request {
    match payload {
        Some(payload) => request.json(payload),
        None => request,
    }
}

fn to_path(method: &'static str, invocation: &Invocation) -> Result<Request, Fault> {
    let path = invocation.text("path").unwrap_or_default();
    match path::check(method, path) {
        Ok(()) => Ok(Request::new(method, [invocation.base_url(), path].concat())),
        Err(reason) => {
            let message = [reason, "; expected a path such as \"/restapi/v1.0/account/~/extension/~\""].concat();
            Err(Fault::argument("path", message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{refuses, sends};

    fn post(invocation: &Invocation) -> Result<Request, Fault> {
        with_body("POST", invocation)
    }

    fn put(invocation: &Invocation) -> Result<Request, Fault> {
        with_body("PUT", invocation)
    }

    #[test]
    fn api_get_sends_path_and_params() {
        let row = |params: &str, query: &str| {
            let arguments = format!(r#"{{"path": "/restapi/v1.0/account/~/extension", "params": {params}}}"#);
            sends(get, "api_get", &arguments, &["GET /account/~/extension", query].concat());
        };
        sends(get, "api_get", r#"{"path": "/restapi/v1.0/account/~/extension/~"}"#, "GET /account/~/extension/~");
        sends(get, "api_get", r#"{"path": "/restapi/v1.0"}"#, "GET ");
        row("{}", "");
        row("null", "");
        row(r#"{"perPage": 25, "page": 2}"#, "?perPage=25&page=2");
        row(r#"{"type": ["User", "Department"], "status": []}"#, "?type=User&type=Department");
        row(r#"{"status": {}, "page": null, "list": [1, null, 2]}"#, "?list=1&list=2");
        row(r#"{"detailedTelephonyState": true, "q": "a b&c=d"}"#, "?detailedTelephonyState=true&q=a%20b%26c%3Dd");
        row(r#"{"a": 1e12, "b": 3.0, "c": 0.5, "d": -2}"#, "?a=1000000000000&b=3&c=0.5&d=-2");
        row(r#"{"a": 9223372036854775807, "b": "9007199254740993"}"#, "?a=9223372036854775807&b=9007199254740993");
        row(r#"{"x&y=z#": ""}"#, "?x%26y%3Dz%23=");
    }

    #[test]
    fn nested_params_are_refused_by_name() {
        for value in [r#"{"a": 1}"#, r#"[["a"]]"#, r#"[{"a": 1}]"#] {
            let arguments = format!(r#"{{"path": "/restapi/v1.0/account/~", "params": {{"filter": {value}}}}}"#);
            refuses(
                get,
                "api_get",
                &arguments,
                "params: has a table as `filter`; expected text, a number, a boolean or a list of them",
            );
        }
    }

    #[test]
    fn a_body_is_sent_exactly_if_there_is_one() {
        const PATH: &str = r#""path": "/restapi/v1.0/account/~/extension/~/address-book/contact/7""#;
        const SENT: &str = "/account/~/extension/~/address-book/contact/7";
        let row = |payload: &str, [posted, deleted]: [&str; 2]| {
            let arguments = format!("{{{PATH}{payload}}}");
            sends(post, "api_post", &arguments, &["POST ", SENT, posted].concat());
            sends(put, "api_put", &arguments, &["PUT ", SENT, posted].concat());
            sends(delete, "api_delete", &arguments, &["DELETE ", SENT, deleted].concat());
        };
        row("", ["", ""]);
        row(r#", "payload": null"#, ["", ""]);
        row(r#", "payload": {}"#, [" {}", ""]);
        row(r#", "payload": {"a": [1, null]}"#, [r#" {"a":[1,null]}"#, r#" {"a":[1,null]}"#]);
    }

    #[test]
    fn a_query_in_the_path_is_kept_where_there_are_no_params() {
        sends(
            delete,
            "api_delete",
            r#"{"path": "/restapi/v1.0/account/~/extension/~/message-store/1?purge=true"}"#,
            "DELETE /account/~/extension/~/message-store/1?purge=true",
        );
    }

    #[test]
    fn a_path_that_is_not_plain_is_refused_before_anything_is_sent() {
        const BAD: &str = r#"{"path": "https://example.test/restapi/v1.0/account/~"}"#;
        let expected = "path: is an absolute URL: give the path alone; expected a path such as";
        refuses(get, "api_get", BAD, expected);
        refuses(post, "api_post", BAD, expected);
        refuses(put, "api_put", BAD, expected);
        refuses(delete, "api_delete", BAD, expected);
        refuses(get, "api_get", "{}", "path: does not start with /restapi/v1.0/");
        let mailbox = r#"{"path": "/restapi/v1.0/account/~/extension/~/message-store"}"#;
        refuses(delete, "api_delete", mailbox, "path: needs exactly one message id");
    }
}
