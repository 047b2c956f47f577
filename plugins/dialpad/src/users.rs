//! Users: `GET /api/v2/users` and `GET /api/v2/users/{id}`.

use crate::api::{self, Page, fill, get};
use crate::arguments;
use crate::outside::{Live, Outside};
use crate::paging::{self, Budget, Place};
use kosmo_plugin::{Fault, Function, Invocation, Pagination, Parameter, Request, Rule};
use serde_json::{Map, Value, json};

/// Dialpad fails one in five requests that ask for more.
const LARGEST_PAGE: usize = 100;
const STATES: &[&str] = &["active", "all", "cancelled", "deleted", "pending", "suspended"];

pub(crate) const LIST: Function = Function::read("list_users", "List the company's users.")
    .description(
        "Returns `items` and, if there is more, `cursor`. Each user keeps Dialpad's fields and has besides them \
         `email`, the first of `emails`; `email`, `first_name` and `last_name` are \"\" where Dialpad has none.",
    )
    .parameters(&[
        arguments::LIMIT,
        arguments::CURSOR,
        Parameter::string("state", "Only users in this state.").choices(STATES).default("\"active\""),
        Parameter::string("email", "Only the user with this address.").example("\"ada@example.com\""),
        Parameter::string("number", "Only users with this phone number, in E.164 form.").example("\"+14155551234\""),
        Parameter::boolean("company_admin", "Only company admins (true), or only the others (false)."),
    ])
    .requests(&[Rule::get("/api/v2/users")])
    .rate_group("users")
    .pagination(Pagination::Cursor { parameter: "cursor", items: "items", next: "cursor" })
    .runs(|invocation| list(invocation, &mut Live));

pub(crate) const GET: Function = Function::read("get_user", "Get one user by id.")
    .description("The same record as in `list_users`. `group_details` tells the user's offices and departments.")
    .parameters(&[Parameter::string("id", "The user's id.").required().example("\"user_abc123\"")])
    .requests(&[Rule::get("/api/v2/users/{}")])
    .rate_group("users")
    .runs(|invocation| one(invocation, &mut Live));

pub(crate) const CURRENT: Function = Function::read("get_current_user", "Get the user the API key belongs to.")
    .description("The same record as in `list_users`. Works with a user's API key only, not with a company's.")
    .requests(&[Rule::get("/api/v2/users/me")])
    .rate_group("users")
    .runs(|invocation| current(invocation, &mut Live));

fn list(invocation: &Invocation, outside: &mut dyn Outside) -> Result<String, Fault> {
    let limit = arguments::limit(invocation)?;
    let place = Place::parse(invocation.text("cursor"), "list_users")?;
    let mut fetch =
        |wanted: usize, cursor: Option<&str>| Page::parse(outside.send(request(invocation, wanted, cursor))?);
    let (users, next) = paging::walk(limit, LARGEST_PAGE, place, &mut Budget::of(invocation), &mut fetch)?;
    let users = users.into_iter().map(|user| api::with(user, add_aliases)).collect();
    Ok(api::listing(users, next.map(|place| place.encode())))
}

fn request(invocation: &Invocation, limit: usize, cursor: Option<&str>) -> Request {
    Request::get(invocation.url(&["api", "v2", "users"]))
        .query("state", invocation.text("state"))
        .query("email", invocation.text("email"))
        .query("number", invocation.text("number"))
        .query("company_admin", invocation.boolean("company_admin"))
        .query("limit", Some(limit))
        .query("cursor", cursor)
}

fn one(invocation: &Invocation, outside: &mut dyn Outside) -> Result<String, Fault> {
    let id = arguments::id(invocation, "user_abc123")?;
    get_user(invocation, id, outside)
}

fn current(invocation: &Invocation, outside: &mut dyn Outside) -> Result<String, Fault> {
    let hint = "only a user's API key has a current user, a company's has none";
    get_user(invocation, "me", outside).map_err(|fault| api::hint(fault, hint))
}

fn get_user(invocation: &Invocation, id: &str, outside: &mut dyn Outside) -> Result<String, Fault> {
    let answer = outside.send(Request::get(invocation.url(&["api", "v2", "users", id])))?;
    api::record(answer, add_aliases)
}

/// What scripts read besides Dialpad's own fields.
fn add_aliases(user: &mut Map<String, Value>) {
    let email = get(user, "emails").and_then(|emails| emails.get(0)).filter(|email| email.is_string()).cloned();
    fill(user, "email", Some(email.unwrap_or_else(|| json!(""))));
    fill(user, "first_name", Some(json!("")));
    fill(user, "last_name", Some(json!("")));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outside::script::Script;

    #[track_caller]
    fn check_request(arguments: &str, expected: &str) {
        let mut script = Script::new([(200, "{}")]);
        list(&Invocation::test("list_users", arguments), &mut script).expect("a list");
        assert_eq!(script.asked, [expected]);
    }

    #[test]
    fn a_list_asks_for_what_it_needs() {
        check_request("{}", "GET /api/v2/users?limit=50");
        check_request(r#"{"limit":100}"#, "GET /api/v2/users?limit=100");
        check_request(r#"{"limit":300,"cursor":"a=b"}"#, "GET /api/v2/users?limit=100&cursor=a%3Db");
        check_request(
            r#"{"state":"suspended","email":"a@b.c","number":"+14155551234","company_admin":false}"#,
            "GET /api/v2/users?state=suspended&email=a%40b.c&number=%2B14155551234&company_admin=false&limit=50",
        );
    }

    #[test]
    fn pages_are_joined_and_the_cursor_passed_on() {
        let mut script = Script::new([
            (200, r#"{"items":[{"id":"1"}],"cursor":"two"}"#),
            (200, r#"{"items":[{"id":"2"}],"cursor":"three"}"#),
        ]);
        let list = list(&Invocation::test("list_users", r#"{"limit":2}"#), &mut script).expect("a list");
        assert_eq!(script.asked, ["GET /api/v2/users?limit=2", "GET /api/v2/users?limit=1&cursor=two"]);
        let ids = r#"{"items":[{"id":"1","email":"","first_name":"","last_name":""},"#;
        assert_eq!(list, format!(r#"{ids}{{"id":"2","email":"","first_name":"","last_name":""}}],"cursor":"three"}}"#));
    }

    #[track_caller]
    fn check_user(sent: &str, expected: &str) {
        let mut script = Script::new([(200, sent)]);
        let user = one(&Invocation::test("get_user", r#"{"id":"user_abc123"}"#), &mut script).expect("a user");
        assert_eq!((script.asked.join(""), user.as_str()), ("GET /api/v2/users/user_abc123".into(), expected));
    }

    #[test]
    fn a_user_has_an_email_and_names_that_are_strings() {
        check_user(
            r#"{"id":"1","emails":["a@b.c","d@e.f"],"first_name":"Ada","last_name":null}"#,
            r#"{"id":"1","emails":["a@b.c","d@e.f"],"first_name":"Ada","last_name":"","email":"a@b.c"}"#,
        );
        check_user(r#"{"emails":[]}"#, r#"{"emails":[],"email":"","first_name":"","last_name":""}"#);
        check_user(
            r#"{"email":"own@b.c","emails":["a@b.c"],"first_name":"A","last_name":"B"}"#,
            r#"{"email":"own@b.c","emails":["a@b.c"],"first_name":"A","last_name":"B"}"#,
        );
    }

    #[test]
    fn a_company_key_learns_why_it_has_no_current_user() {
        for status in [400, 403, 404] {
            let mut script = Script::new([(status, r#"{"error":{"message":"Not allowed."}}"#)]);
            let fault = current(&Invocation::test("get_current_user", "{}"), &mut script).expect_err("a fault");
            assert!(format!("{fault:?}").contains("Not allowed. (only a user's API key"), "{fault:?}");
            assert_eq!(script.asked, ["GET /api/v2/users/me"]);
        }
    }
}
