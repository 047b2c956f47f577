//! What the tests of all resources share, and the tests of what the plugin says of itself.

use crate::RingCentral;
use kosmo_plugin::bindings::exports::kosmo::plugin::provider::Guest;
use kosmo_plugin::contract::{Description, Operation, OutboundRule};
use kosmo_plugin::{Fault, Invocation, Request};

/// How a function turns its arguments into a request.
type Plan = fn(&Invocation) -> Result<Request, Fault>;

/// The request is `GET /account/~?page=1`, with a body after a space, below `/restapi/v1.0`, and the function declares it.
#[track_caller]
pub(crate) fn sends(plan: Plan, function: &str, arguments: &str, expected: &str) {
    let request = plan(&Invocation::test(function, arguments)).expect("good arguments");
    let path = request.url().strip_prefix("https://provider.test").expect("the account's URL");
    let below = path.strip_prefix("/restapi/v1.0").expect("the API's root");
    let body = request.body().map(|body| format!(" {body}")).unwrap_or_default();
    assert_eq!(format!("{} {below}{body}", request.method()), expected);
    assert!(declared(function, request.method(), path), "{function} does not declare {} {path}", request.method());
}

/// The arguments are refused with a fault about this parameter that says this: `page: expected a whole number`.
#[track_caller]
pub(crate) fn refuses(plan: Plan, function: &str, arguments: &str, expected: &str) {
    let (parameter, said) = expected.split_once(": ").expect("a row names the parameter");
    match plan(&Invocation::test(function, arguments)) {
        Err(Fault::InvalidArgument(error)) => {
            assert_eq!(error.parameter, parameter, "{arguments}: {}", error.message);
            assert!(error.message.contains(said), "{arguments}: {}", error.message);
            assert!(parameters(function).contains(&error.parameter), "{function} has no {parameter}");
        }
        other => panic!("{function} {arguments} gave {other:?}"),
    }
}

fn described() -> Description {
    RingCentral::describe()
}

fn parameters(function: &str) -> Vec<String> {
    let described = described().functions.into_iter().find(|described| described.name == function);
    described.expect("a described function").parameters.into_iter().map(|parameter| parameter.name).collect()
}

fn declared(function: &str, method: &str, path: &str) -> bool {
    let described = described().functions.into_iter().find(|described| described.name == function);
    let covers = |rule: &OutboundRule| {
        rule.origin == "base" && rule.methods.iter().any(|declared| declared == method) && matches(&rule.path, path)
    };
    described.expect("a described function").requests.iter().any(covers)
}

fn matches(pattern: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    if let Some(prefix) = pattern.strip_suffix("/**") {
        return path == prefix || path.starts_with(&[prefix, "/"].concat());
    }
    let (pattern, path) = (pattern.split('/'), path.split('/'));
    pattern.clone().count() == path.clone().count()
        && pattern.zip(path).all(|(pattern, segment)| pattern == segment || (pattern == "{}" && !segment.is_empty()))
}

/// Name, operation, parameters (`!` marks a required one) and rate group of every function.
const TABLE: [(&str, Operation, &str, &str); 24] = [
    ("list_messages", Operation::Read, "messageType dateFrom dateTo direction readStatus perPage page", "light"),
    ("get_message", Operation::Read, "messageId!", "light"),
    ("update_message", Operation::Write, "message_id! readStatus payload", "medium"),
    ("delete_message", Operation::Write, "message_id!", "medium"),
    ("send_sms", Operation::Write, "from! to! text!", "medium"),
    ("list_calls", Operation::Read, "dateFrom dateTo direction type phoneNumber perPage page", "heavy"),
    (
        "list_account_calls",
        Operation::Read,
        "dateFrom dateTo direction type phoneNumber extensionNumber perPage page",
        "heavy",
    ),
    ("get_call", Operation::Read, "call_id!", "heavy"),
    ("list_contacts", Operation::Read, "startsWith perPage page", "heavy"),
    ("get_contact", Operation::Read, "contact_id!", "heavy"),
    ("create_contact", Operation::Write, "firstName lastName company email businessPhone mobilePhone payload", "heavy"),
    (
        "update_contact",
        Operation::Write,
        "contact_id! firstName lastName company email businessPhone mobilePhone payload",
        "heavy",
    ),
    ("delete_contact", Operation::Write, "contact_id!", "heavy"),
    ("get_account", Operation::Read, "", "light"),
    ("list_extensions", Operation::Read, "extensionType status perPage page", "medium"),
    ("get_extension", Operation::Read, "extension_id!", "light"),
    ("list_account_phone_numbers", Operation::Read, "usageType status perPage page", "heavy"),
    ("list_extension_phone_numbers", Operation::Read, "usageType perPage page", "light"),
    ("get_presence", Operation::Read, "detailedTelephonyState", "light"),
    ("get_current_user", Operation::Read, "", "light"),
    ("api_get", Operation::Read, "path! params", ""),
    ("api_post", Operation::Write, "path! payload", ""),
    ("api_put", Operation::Write, "path! payload", ""),
    ("api_delete", Operation::Write, "path! payload", ""),
];

#[test]
fn every_function_is_described_as_the_table_says() {
    let functions = described().functions;
    assert_eq!(functions.len(), TABLE.len());
    for (function, (name, operation, parameters, group)) in functions.iter().zip(TABLE) {
        let marked = function.parameters.iter().map(|parameter| {
            let mark = if parameter.required { "!" } else { "" };
            format!("{}{mark}", parameter.name)
        });
        assert_eq!(function.name, name);
        assert_eq!(function.operation, operation, "{name}");
        assert_eq!(marked.collect::<Vec<_>>().join(" "), parameters, "{name}");
        assert_eq!(function.rate_group.as_deref().unwrap_or_default(), group, "{name}");
    }
}

#[test]
fn exactly_the_deletions_are_destructive_and_exactly_the_paged_functions_are_walked() {
    for function in described().functions {
        assert_eq!(function.destructive, function.name.contains("delete"), "{}", function.name);
        let paged = function.parameters.iter().any(|parameter| parameter.name == "page");
        assert_eq!(function.pagination.is_some(), paged, "{}", function.name);
    }
}

#[test]
fn what_a_description_names_exists() {
    let described = described();
    let groups: Vec<_> =
        described.rate_groups.iter().map(|group| (group.name.as_str(), group.limit, group.window)).collect();
    assert_eq!(groups, [("light", 50, 60), ("medium", 40, 60), ("heavy", 10, 60), ("auth", 5, 60)]);
    assert_eq!(described.whoami.as_deref(), Some("get_current_user"));
    for function in &described.functions {
        assert!(
            function.rate_group.iter().all(|group| groups.iter().any(|(name, ..)| name == group)),
            "{}",
            function.name
        );
        assert!(!function.summary.is_empty() && !function.description.is_empty(), "{}", function.name);
        assert!(!function.requests.is_empty(), "{}", function.name);
        assert!(described.guide.contains(&["### ", &function.name].concat()), "the guide lacks {}", function.name);
    }
}

#[test]
fn every_default_and_example_is_json_and_among_the_choices() {
    for function in described().functions {
        for parameter in function.parameters {
            for json in parameter.default.iter().chain(&parameter.example) {
                let value: serde_json::Value = serde_json::from_str(json).expect("JSON");
                let free = parameter.choices.is_empty();
                let chosen = value.as_str().is_some_and(|text| parameter.choices.iter().any(|choice| choice == text));
                assert!(free || chosen, "{} {}: {json}", function.name, parameter.name);
            }
        }
    }
}
