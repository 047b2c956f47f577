//! `paginate`: all items of all pages, as the function declares them.

use super::{Lab, script};
use kosmo::Code;
use kosmo_simulator::{Effect, Matcher};

/// A script that counts what `paginate` gives, and how many of it are distinct by `id`.
fn count(call: &str) -> String {
    format!(
        "local all, ids, distinct = 0, {{}}, 0
         for item in paginate({call}) do
           all += 1
           if not ids[tostring(item.id)] then distinct += 1 end
           ids[tostring(item.id)] = true
         end
         return all, distinct"
    )
}

/// Counts, and gives the number of requests it took.
#[track_caller]
fn check_count(lab: &Lab, call: &str, least: u64, requests: usize) {
    let outcome = lab.run(&count(call));
    let counts = outcome.result.unwrap_or_else(|| panic!("{call}: {:?}", outcome.error));
    assert_eq!(counts[0], counts[1], "{call}: nothing twice");
    assert!(counts[0].as_u64() >= Some(least), "{call}: {counts:?}");
    let sent = lab.requests();
    assert!(sent.len() >= requests, "{call}: {sent:?}");
}

#[test]
fn every_item_comes_once_by_cursor_and_by_page_number() {
    let lab = Lab::new();
    check_count(&lab, "app.integrations.dialpad.list_users, {limit = 50}", 120, 3);
    check_count(
        &lab,
        "app.integrations.dialpad.work.list_calls, {limit = 40, startTime = os.time() - 20 * 86400}",
        130,
        4,
    );
    check_count(
        &lab,
        "app.integrations.ringcentral.list_messages, {perPage = 50, dateFrom = '2026-05-01T00:00:00Z'}",
        130,
        3,
    );
    check_count(&lab, "app.integrations.ringcentral.ringcentral_list_extensions, {perPage = 5}", 6, 2);
}

#[test]
fn the_walk_begins_where_it_is_told_and_ends_when_it_is_left() {
    let lab = Lab::new();
    let numbers = |call: &str, and: &str| {
        format!(
            "local n = {{}} for i in paginate(app.integrations.probe.numbers{call}) do n[#n + 1] = i {and} end \
                 print(table.concat(n, ','))"
        )
    };
    lab.prints(&numbers("", ""), "1,2,3,4,5,6,7,8");
    lab.prints(&numbers(", {cursor = '3'}", ""), "4,5,6,7,8");
    lab.prints(&numbers(", {Cursor = 6}", ""), "7,8");
    lab.prints(&numbers(", {cursor = '8'}", ""), "");
    let left = lab.run(&numbers("", "if i == 2 then break end"));
    assert_eq!((left.output.as_str(), left.integration_calls.len()), ("1,2", 1));
    let walked = lab
        .run("for _ in paginate(app.integrations.ringcentral.list_extensions, {perPage = 2, page = 2}) do break end");
    assert_eq!(walked.integration_calls.len(), 1);
    let asked = lab.scenario.simulator.take_requests();
    assert!(asked[0].query.contains(&("page".into(), "2".into())), "{:?}", asked[0].query);
}

#[track_caller]
fn check_fault(lab: &Lab, code: &str, expected: Code, sentence: &str) {
    let outcome = lab.run(code);
    assert_eq!(outcome.error.as_deref(), Some(sentence), "{code}");
    assert_eq!(outcome.fault.map(|fault| fault.code), Some(expected), "{code}");
}

#[test]
fn a_walk_that_cannot_end_or_begin_says_why() {
    let lab = Lab::new();
    check_fault(
        &lab,
        "for i in paginate(app.integrations.probe.numbers, {broken = 'same'}) do print(i) end",
        Code::Provider,
        "paginate: app.integrations.probe.numbers repeats itself: the same cursor came twice, so its pages would \
             never end",
    );
    check_fault(
        &lab,
        "for _ in paginate(app.integrations.dialpad.get_call, {id = 'call_abc123'}) do end",
        Code::Unsupported,
        "paginate: the results of app.integrations.dialpad.get_call do not come in pages; call it directly. dialpad \
             pages: list_calls, list_sms, list_users",
    );
    check_fault(
        &lab,
        "for _ in paginate(app.integrations.dialpad.list_cals, {}) do end",
        Code::Unknown,
        "Unknown function: app.integrations.dialpad.list_cals. Did you mean: list_calls, list_sms",
    );
    check_fault(
        &lab,
        "for _ in paginate(app.integrations.dialpad.list_users, {limt = 5}) do end",
        Code::InvalidArgument,
        "dialpad.list_users has no parameter `limt`. It takes: limit, cursor, state, email, number, company_admin. \
             Did you mean: limit",
    );
    let plain = |code: &str| lab.run(code).error.expect("refused");
    assert!(
        plain("paginate(print)").contains("paginate: the first argument is a function; give a function of a provider")
    );
    assert!(
        plain("paginate(app.integrations.dialpad.list_users, 5)")
            .contains("the second argument is a number; give the arguments as a table")
    );
}

#[test]
fn after_a_fault_in_the_middle_a_walk_can_go_on_where_it_stopped() {
    let lab = Lab::new();
    let session = lab.host.session().build();
    let first =
        "users = paginate(app.integrations.dialpad.list_users, {limit = 50}) for _ = 1, 50 do last = users() end";
    assert!(session.run_blocking(script(first)).success);
    lab.spoil(1, Matcher::new("dialpad", "GET", "/api/v2/users"), Effect::Empty(500));
    let second = "local ok, err = pcall(users) print(ok, err.code, err.status)
        local user = users() print(user ~= nil and user.id ~= last.id)";
    let outcome = session.run_blocking(script(second));
    assert_eq!(outcome.output, "false\tprovider\t500\ntrue", "{:?}", outcome.error);
}
