//! A made-up provider with one of everything the documentation shows.

use crate::bindings::contract::{
    Authentication, CredentialField, CursorPagination, Description as Declared, FieldKind, Function, Kind, Operation,
    OutboundRule, Pagination, Parameter, RateGroup,
};
use crate::description::Description;

/// Pages people: two reads, a write, a write that cannot be undone.
pub(super) fn pager() -> Description {
    let declared = Declared {
        name: "pager".into(),
        title: "Pager".into(),
        category: "communication".into(),
        version: "1.2.0".into(),
        summary: "Pages people.".into(),
        guide: "# Pager guide\n\nHow to page.\n".into(),
        base_url: "https://pager.example".into(),
        authentication: Authentication::Bearer("access_token".into()),
        credentials: vec![token()],
        rate_groups: vec![RateGroup { name: "slow".into(), limit: 10, window: 60, account_wide: false }],
        origins: vec![],
        functions: vec![list_pages(), get_page(), send_page(), erase_page()],
        never: vec![],
        whoami: None,
    };
    declared.try_into().expect("a consistent description")
}

fn token() -> CredentialField {
    CredentialField {
        key: "access_token".into(),
        label: "Access token".into(),
        description: "From the pager's settings.".into(),
        kind: FieldKind::Secret,
        required: true,
    }
}

fn list_pages() -> Function {
    let limit = Parameter { default: Some("50".into()), ..parameter("limit", Kind::Integer, "Most pages to return") };
    Function {
        pagination: Some(Pagination::Cursor(CursorPagination {
            parameter: "cursor".into(),
            items: "items".into(),
            next: "cursor".into(),
        })),
        rate_group: Some("slow".into()),
        ..function(
            "list_pages",
            "List sent pages.",
            Operation::Read,
            "GET",
            vec![limit, parameter("cursor", Kind::String, "Where to go on.")],
        )
    }
}

fn get_page() -> Function {
    let id = Parameter { example: Some("\"p-1\"".into()), ..required("id", Kind::String, "The page's id.") };
    function("get_page", "Get one page.", Operation::Read, "GET", vec![id])
}

fn send_page() -> Function {
    let urgency = Parameter {
        choices: vec!["High".into(), "Low".into()],
        ..parameter("urgency", Kind::String, "How loud: a | b.")
    };
    function(
        "send_page",
        "Page someone.",
        Operation::Write,
        "POST",
        vec![
            required("to", Kind::String, "Whom to page."),
            urgency,
            parameter("payload", Kind::Object, "More fields."),
        ],
    )
}

fn erase_page() -> Function {
    let ids = Parameter { example: Some("[1, 2]".into()), ..required("page_ids", Kind::Array, "Which pages.") };
    Function {
        destructive: true,
        ..function("erase_page", "Erase pages for good.", Operation::Write, "DELETE", vec![ids])
    }
}

fn function(name: &str, summary: &str, operation: Operation, method: &str, parameters: Vec<Parameter>) -> Function {
    Function {
        name: name.into(),
        summary: summary.into(),
        description: String::new(),
        operation,
        destructive: false,
        parameters,
        requests: vec![OutboundRule {
            methods: vec![method.into()],
            origin: "base".into(),
            path: "/pages/**".into(),
            rate_group: None,
            finding: false,
        }],
        rate_group: None,
        pagination: None,
    }
}

fn required(name: &str, kind: Kind, description: &str) -> Parameter {
    Parameter { required: true, ..parameter(name, kind, description) }
}

fn parameter(name: &str, kind: Kind, description: &str) -> Parameter {
    Parameter {
        name: name.into(),
        kind,
        required: false,
        description: description.into(),
        choices: vec![],
        default: None,
        example: None,
    }
}
