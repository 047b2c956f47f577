//! `list_users`, `get_user`, `get_current_user`.

use super::{check, check_refused};
use kosmo_tests::Scenario;
use serde_json::json;

#[test]
fn users_are_listed_by_get_users() {
    let list = |call: &str, query: &str, count: usize| {
        check(call, &[&format!("GET /api/v2/users?{query}")], "#r.items", json!(count));
    };
    list("list_users({})", "limit=50", 50);
    list("list_users({ limit = 100 })", "limit=100", 100);
    list("list_users({ cursor = 'example_cursor' })", "limit=50&cursor=example_cursor", 0);
    list("list_users({ state = 'SUSPENDED' })", "state=suspended&limit=50", 6);
    list("list_users({ company_admin = true })", "company_admin=true&limit=50", 3);
    list("list_users({ company_admin = false, limit = 1 })", "company_admin=false&limit=1", 1);
    list("list_users({ email = 'user3@example.test' })", "email=user3%40example.test&limit=50", 1);
    list("list_users({ number = '+14155551234' })", "number=%2B14155551234&limit=50", 1);
}

#[test]
fn more_users_than_a_page_holds_are_collected() {
    let sends = ["GET /api/v2/users?limit=100", "GET /api/v2/users?limit=20&cursor=*"];
    check("list_users({ limit = 120 })", &sends, "{ #r.items, type(r.cursor) }", json!([120, "string"]));
    let sends = ["GET /api/v2/users?limit=100", "GET /api/v2/users?limit=100&cursor=*"];
    check("list_users({ limit = 1000 })", &sends, "{ #r.items, type(r.cursor) }", json!([137, "nil"]));
}

#[test]
fn paginate_meets_every_user_once() {
    let scenario = Scenario::new();
    let count = "local seen, count = {}, 0
        for user in paginate(app.integrations.dialpad.list_users, { limit = 60 }) do
            assert(not seen[user.id], user.id)
            seen[user.id], count = true, count + 1
        end
        return count";
    assert_eq!(scenario.value(count), 137);
    let page = |cursor: &str| format!("dialpad.default GET /api/v2/users?limit=60{cursor}");
    scenario.assert_sent(&[page(""), page("&cursor=*"), page("&cursor=*")]);
}

#[test]
fn one_user_is_read_by_id() {
    let sends = ["GET /api/v2/users/user_abc123"];
    let read = "{ r.first_name, r.last_name, r.email, r.emails[1], r.state, r.group_details[1].group_type }";
    let ada = json!(["Edsger", "Dijkstra", "user3@example.test", "user3@example.test", "active", "office"]);
    check("get_user({ id = 'user_abc123' })", &sends, read, ada);
    check("get_user({ id = 'me' })", &["GET /api/v2/users/me"], "r.id", json!("5835806903417907"));
    let sends = ["GET /api/v2/users/5835806903417907"];
    check("get_user({ id = 5835806903417907 })", &sends, "r.first_name", json!("Ada"));
    check(
        "get_current_user({})",
        &["GET /api/v2/users/me"],
        "{ r.first_name, r.email }",
        json!(["Ada", "user0@example.test"]),
    );
    check("get_current_user()", &["GET /api/v2/users/me"], "r.last_name", json!("Byron"));
}

#[test]
fn every_account_has_its_own_current_user() {
    let scenario = Scenario::new();
    for (account, name) in [("default", "Ada"), ("work", "Grace"), ("support", "Alan")] {
        let script = format!("return app.integrations.dialpad.{account}.get_current_user({{}}).first_name");
        assert_eq!(scenario.value(&script), name);
        scenario.assert_sent(&[format!("dialpad.{account} GET /api/v2/users/me")]);
    }
}

#[test]
fn names_and_addresses_that_dialpad_lacks_are_empty_strings() {
    let sends = ["GET /api/v2/users?limit=14"];
    check("list_users({ limit = 14 })", &sends, "{ r.items[14].first_name, r.items[10].email }", json!(["", ""]));
}

#[test]
fn what_is_no_user_id_is_refused() {
    for id in ["", "../call", "a/b", "a%2Fb", "me?x=1", "a b", "ü"] {
        check_refused(&format!("get_user({{ id = {id:?} }})"), "id", "");
    }
    check_refused("get_user({})", "id", "Missing required parameter(s): id");
    check_refused(
        "get_user({ id = 'a/b' })",
        "id",
        "expected up to 64 letters, digits, `_` and `-`, for example \"user_abc123\"",
    );
    check_refused(
        "list_users({ state = 'gone' })",
        "state",
        "It takes one of: active, all, cancelled, deleted, pending, suspended.",
    );
    check_refused("list_users({ limit = 0 })", "limit", "expected 1 to 1000");
    check_refused("list_users({ company_admin = 1 })", "company_admin", "takes true or false");
}
