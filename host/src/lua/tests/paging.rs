use super::*;

#[test]
fn all_items_of_all_pages_come_in_order() {
    let collect = "local all = {} for item in paginate(CALL) do table.insert(all, item) end return all";
    let check = |call: &str, expected: Json| returns(&collect.replace("CALL", call), json!([expected]));
    check("app.integrations.pager.list_cursor", json!([1, 2, 3, 4, 5, null, 7]));
    check("app.integrations.pager.work.list_cursor, {limit = 3}", json!([1, 2, 3, 4, 5, null, 7]));
    check("app.integrations.pager.list_cursor, {cursor = 'c'}", json!([4, 5, null, 7]));
    check("app.integrations.pager.list_numbered, {}", json!([10, 11, 20, 21, 30, 31]));
    check("app.integrations.pager.list_numbered, {pageNumber = 3}", json!([30, 31]));
}

#[test]
fn every_page_is_asked_for_with_the_same_arguments() {
    let fake = Fake::new();
    let code = "local given = {limit = 3} for item in paginate(app.integrations.pager.work.list_cursor, given) do end";
    assert!(fake.session().build().run_blocking(Script::new("x", code)).success);
    assert_eq!(
        fake.invoked(),
        [
            r#"pager.work.list_cursor {"limit":3}"#,
            r#"pager.work.list_cursor {"cursor":"b","limit":3}"#,
            r#"pager.work.list_cursor {"cursor":"c","limit":3}"#,
            r#"pager.work.list_cursor {"cursor":"d","limit":3}"#,
        ]
    );
}

#[test]
fn a_walk_can_stop_early() {
    let outcome = run("for item in paginate(app.integrations.pager.list_cursor) do return item end");
    assert_eq!((outcome.result, outcome.integration_calls.len()), (Some(vec![json!(1)]), 1));
}

#[test]
fn pages_that_would_never_end_do() {
    let walk = |name: &str| format!("for item in paginate(app.integrations.pager.{name}) do end");
    faults_with(&walk("list_repeating"), Code::Provider, "the same cursor came twice");
    faults_with(&walk("list_endless"), Code::Provider, "has more than 10000 pages");
    faults_with(&walk("list_odd"), Code::Provider, "gave a string where its items should be (items)");
}

#[test]
fn what_cannot_be_paged_is_said() {
    faults_with("paginate(app.integrations.pager.echo)", Code::Unsupported, "do not come in pages; call it directly");
    fails("paginate(print)", "test.lua:1: paginate: the first argument is a function; give a function of a provider");
    fails("paginate()", "paginate: the first argument is a nil");
    fails("paginate(app.integrations.pager.list_cursor, 5)", "paginate: the second argument is a number");
    fails("paginate({})", "paginate: the first argument is a table");
    faults_with("paginate(app.integrations.pager.list_cursors)", Code::Unknown, "Did you mean: list_cursor");
}
