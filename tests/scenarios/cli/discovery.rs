//! The right function among many: `integrations:search`, `schema`, `examples`, `docs` in every format, and the site.

use super::{check, keys, kosmo};
use kosmo_tests::{Scenario, Transcript};
use serde_json::Value;

#[test]
fn a_search_reads_as_it_is_documented() {
    let scenario = Scenario::new();
    let mut transcript = Transcript::new(&scenario);
    transcript.run(&["integrations:search", "send", "text", "message"]);
    transcript.run(&["integrations:search", "presense", "--json"]);
    transcript.run(&["integrations:search", "qqqq"]);
    transcript.run(&["integrations:search", "qqqq", "--json"]);
    transcript.run(&["integrations:search"]);
    transcript.compare("search");
}

#[test]
fn a_schema_reads_as_it_is_documented() {
    let scenario = Scenario::new();
    let mut transcript = Transcript::new(&scenario);
    transcript.run(&["integrations:schema", "ringcentral.list_messages"]);
    transcript.run(&["integrations:schema", "app.integrations.dialpad.get_call"]);
    transcript.run(&["integrations:schema", "dialpad.get_call", "--json"]);
    transcript.run(&["integrations:schema", "dialpad.get_cal"]);
    transcript.run(&["integrations:schema", "dialpad.qqqq", "--json"]);
    transcript.run(&["integrations:schema", "dialpad"]);
    transcript.compare("schema");
}

#[test]
fn examples_read_as_they_are_documented() {
    let scenario = Scenario::new();
    let mut transcript = Transcript::new(&scenario);
    transcript.run(&["integrations:examples", "dialpad"]);
    transcript.run(&["integrations:examples", "ringcentral.update_message", "--json"]);
    transcript.run(&["integrations:examples", "dialpd"]);
    transcript.compare("examples");
}

#[test]
fn pages_read_as_they_are_documented() {
    let scenario = Scenario::new();
    let mut transcript = Transcript::new(&scenario);
    transcript.run(&["integrations:docs"]);
    transcript.run(&["integrations:docs", "dialpad.get_call"]);
    transcript.run(&["integrations:docs", "dialpad.get_call", "--format=text"]);
    transcript.run(&["integrations:docs", "dialpad.get_call", "--json"]);
    transcript.run(&["integrations:docs", "errors", "--format", "json"]);
    transcript.run(&["integrations:docs", "dialpad.get_cal", "--json"]);
    transcript.compare("docs");
}

#[test]
fn a_search_finds_by_meaning_and_through_slips() {
    let scenario = Scenario::new();
    let first = |query: &str| {
        let found = kosmo(&scenario, &["integrations:search", query, "--json"]).json();
        found["functions"][0]["name"].as_str().unwrap_or_default().to_owned()
    };
    for (query, expected) in [
        ("text somebody", "send_sms"),
        ("sned sms", "send_sms"),
        ("who am i, the current user", "get_current_user"),
        ("remove contact", "delete_contact"),
        ("adress book", "contact"),
        ("call log", "call"),
        ("ringcentral phone numbers", "phone_numbers"),
        ("dialpad.list_users", "dialpad.list_users"),
    ] {
        assert!(first(query).contains(expected), "{query}: {}", first(query));
    }
}

#[test]
fn a_search_and_a_schema_need_no_account() {
    let scenario = Scenario::new();
    scenario.write("config.toml", "");
    let found = kosmo(&scenario, &["integrations:search", "send sms", "--json"]).json();
    assert_eq!(keys(&found), "success query functions");
    let function = &found["functions"][0];
    assert_eq!(
        keys(function),
        "provider function name slug title summary description operation destructive active configured accounts \
         auth_strategy lua_path input_schema"
    );
    assert_eq!((&function["active"], &function["accounts"]), (&Value::Bool(false), &Value::Array(vec![])));
    assert_eq!(kosmo(&scenario, &["integrations:schema", "dialpad.send_sms"]).code, 0);
    scenario.assert_sent(&[] as &[&str]);
}

/// What is wrong with an object by a schema of the few words that ours are made of.
fn mistakes(schema: &Value, object: &Value) -> Vec<String> {
    let mut mistakes = Vec::new();
    let given = object.as_object().expect("an object");
    for name in schema["required"].as_array().expect("names").iter().filter_map(Value::as_str) {
        if !given.contains_key(name) {
            mistakes.push(format!("{name} is missing"));
        }
    }
    for (name, value) in given {
        let property = &schema["properties"][name];
        let fits = match property["type"].as_str() {
            Some("string") => value.as_str().is_some_and(|text| !text.is_empty() || property["minLength"].is_null()),
            Some("integer") => value.is_i64(),
            Some("number") => value.is_number(),
            Some("boolean") => value.is_boolean(),
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            _ => false,
        };
        let chosen = property["enum"].as_array().is_none_or(|choices| choices.contains(value));
        if !fits || !chosen {
            mistakes.push(format!("{name} = {value} does not fit {property}"));
        }
    }
    mistakes
}

#[test]
fn every_schema_is_whole_and_every_example_fits_its_own() {
    let scenario = Scenario::new();
    for provider in ["dialpad", "ringcentral"] {
        let functions = kosmo(&scenario, &["integrations:docs", provider, "--json"]).json();
        let examples = kosmo(&scenario, &["integrations:examples", provider, "--json"]).json();
        let functions = functions.as_array().expect("functions");
        assert_eq!(functions.len(), examples["examples"].as_array().map_or(0, Vec::len));
        for (at, function) in functions.iter().enumerate() {
            let (schema, example) = (&function["input_schema"], &examples["examples"][at]);
            assert_eq!(keys(schema), "$schema title description type properties required additionalProperties");
            assert_eq!(schema["title"], example["name"]);
            let known = schema["properties"].as_object().expect("properties");
            let shown = known.iter().filter_map(|(name, property)| Some((name, property["examples"].get(0)?)));
            for (name, value) in shown {
                let one = serde_json::json!({ name: value });
                let alone = serde_json::json!({"required": [], "properties": known});
                assert_eq!(mistakes(&alone, &one), Vec::<String>::new(), "{}", schema["title"]);
            }
            assert_eq!(mistakes(schema, &example["arguments"]), Vec::<String>::new(), "{}", schema["title"]);
        }
    }
}

#[test]
fn the_site_has_every_page_and_says_nothing_of_accounts() {
    let scenario = Scenario::new();
    let folder = scenario.home().join("site");
    let folder_name = folder.to_str().expect("UTF-8");
    let told = kosmo(&scenario, &["integrations:docs", "--html", folder_name, "--json"]).json();
    assert_eq!((&told["success"], &told["pages"]), (&Value::Bool(true), &Value::from(1 + 2 + 7 + 24)));
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a page");
    let index = read("index.html");
    for name in ["dialpad/index.html", "dialpad/send_sms.html", "ringcentral/list_messages.html"] {
        assert!(index.contains(&format!("href=\"{name}\"")), "{name} in {index}");
        let page = read(name);
        assert!(page.starts_with("<!doctype html>") && !page.contains("Accounts: "), "{page}");
    }
    assert!(read("ringcentral/index.html").contains("Messages and SMS</h4>"));
    // Once more is an update; what is not a site is left alone.
    let again = kosmo(&scenario, &["integrations:docs", "--html", folder_name]);
    assert_eq!((again.code, again.stdout.contains("34 pages written. Open ")), (0, true), "{again:?}");
    let refused = kosmo(&scenario, &["integrations:docs", "--html", "."]);
    check(&refused, 2, "", "kosmo: . holds other files. Name a new or empty folder, or an earlier site.\n");
    let file = kosmo(&scenario, &["integrations:docs", "--html", "config.toml"]);
    check(&file, 2, "", "kosmo: config.toml is no folder. Name a new or empty one for the site.\n");
    let below = kosmo(&scenario, &["integrations:docs", "--html", "config.toml/site"]);
    assert!(below.code == 1 && below.stderr.ends_with("; name a folder you may write into\n"), "{below:?}");
    scenario.assert_sent(&[] as &[&str]);
}
