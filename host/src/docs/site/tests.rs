use super::super::fixture;
use super::*;
use crate::bindings::contract::Description as Declared;
use std::collections::BTreeMap;

fn made(description: &Description) -> BTreeMap<String, String> {
    let mut made = BTreeMap::new();
    let count = pages(&[description], &mut |path, html| {
        made.insert(path.to_owned(), html.to_owned());
        Ok(())
    });
    assert_eq!(count.expect("nothing fails"), made.len());
    made
}

#[test]
fn there_is_a_page_for_everything_and_every_link_leads_to_one() {
    let made = made(&fixture::pager());
    let expected = [
        "index.html",
        "pager/erase_page.html",
        "pager/get_page.html",
        "pager/index.html",
        "pager/list_pages.html",
        "pager/send_page.html",
    ];
    assert_eq!(made.keys().collect::<Vec<_>>(), expected);
    for (path, html) in &made {
        for target in html.split("<a href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let lands = match target.strip_prefix("../") {
                Some(above) => above.to_owned(),
                None => format!("{folder}/{target}").trim_start_matches('/').to_owned(),
            };
            assert!(made.contains_key(&lands), "{path} leads to {target}");
        }
    }
}

#[test]
fn a_functions_page_says_all_that_the_pages_for_scripts_say() {
    let made = made(&fixture::pager());
    let page = &made["pager/send_page.html"];
    let parts = [
        "<span class=\"badge write\">write</span>",
        "app.integrations.pager.send_page",
        "pager.pager_send_page",
        "How loud: a | b. One of: High, Low.",
        "local result = app.integrations.pager.send_page({to = ",
        "&quot;urgency&quot;: &quot;High&quot;",
        "&quot;additionalProperties&quot;: false",
        "<code>POST /pages/**</code>",
    ];
    let missing: Vec<_> = parts.into_iter().filter(|part| !page.contains(part)).collect();
    assert!(missing.is_empty(), "{missing:?} in {page}");
    assert!(made["pager/erase_page.html"].contains("cannot be undone"));
}

#[test]
fn no_page_fetches_anything_or_runs_what_is_not_ours() {
    for (path, html) in made(&fixture::pager()) {
        assert!(html.contains("default-src 'none'"), "{path}");
        assert!(!html.contains(" src=") && !html.contains("<link") && !html.contains("@import"), "{path}");
        assert_eq!(html.matches("<script").count(), usize::from(path == "index.html"), "{path}");
    }
}

#[test]
fn a_plugin_that_writes_html_shows_it() {
    let evil = "<script>alert(1)</script>";
    let mut declared: Declared = (*fixture::pager()).clone();
    declared.title = evil.into();
    declared.summary = format!("\"{evil}");
    declared.guide = format!("# {evil}\n\n[x](javascript:alert(1)) ![x](https://tracker.example/x.png)\n\n{evil}\n");
    for function in &mut declared.functions {
        function.summary = evil.into();
        function.description = evil.into();
        function.parameters.iter_mut().for_each(|parameter| parameter.description = evil.into());
    }
    let description = declared.try_into().expect("a description");
    for (path, html) in made(&description) {
        let hostile = ["<script>alert", "href=\"javascript", "tracker.example\"", "<img"];
        let found: Vec<_> = hostile.into_iter().filter(|part| html.contains(part)).collect();
        assert!(found.is_empty(), "{path}: {found:?}");
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{path} shows it");
    }
}
