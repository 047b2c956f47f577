use super::super::fixture;
use super::*;
use crate::bindings::contract::{Description as Declared, Function};
use crate::description::Description;
use std::time::{Duration, Instant};

fn found(providers: &[Description], query: &str) -> Vec<String> {
    let hits = Index::new(providers.iter()).search(query, MOST);
    let name = |hit: &Hit| {
        let provider = &providers[hit.place.provider];
        format!("{}.{}", provider.name, provider.functions[hit.place.function].name)
    };
    hits.iter().map(name).collect()
}

#[track_caller]
fn check(query: &str, expected: &[&str]) {
    assert_eq!(found(&[fixture::pager()], query), expected, "{query}");
}

#[test]
fn a_name_in_any_spelling_finds_its_function_first() {
    for query in ["send_page", "sendPage", "send page", "pager.send_page", "pager.pager_send_page", "SENDPAGE"] {
        assert_eq!(found(&[fixture::pager()], query)[0], "pager.send_page", "{query}");
    }
    check("pager.get_page", &["pager.get_page"]);
}

#[test]
fn every_text_about_a_function_finds_it() {
    check("list", &["pager.list_pages"]);
    check("urgency", &["pager.send_page"]);
    check("good", &["pager.erase_page"]);
    check("cursor", &["pager.list_pages"]);
    check("page", &["pager.erase_page", "pager.list_pages", "pager.get_page", "pager.send_page"]);
}

#[test]
fn other_forms_other_words_beginnings_and_slips_find_it_too() {
    check("erases", &["pager.erase_page"]);
    check("erasing", &["pager.erase_page"]);
    check("delete", &["pager.erase_page"]);
    check("eras", &["pager.erase_page"]);
    check("urg", &["pager.send_page"]);
    check("ugrency", &["pager.send_page"]);
    check("urgencyy", &["pager.send_page"]);
}

#[test]
fn the_more_of_a_query_a_function_holds_the_better() {
    check("someone page", &["pager.send_page"]);
    check("how do I erase a page for good?", &["pager.erase_page"]);
    assert_eq!(found(&[fixture::pager()], &format!("send page{}", " zzz".repeat(200)))[0], "pager.send_page");
}

#[test]
fn what_is_not_there_is_not_found() {
    check("fax", &[]);
    check("qqqq", &[]);
    check(" ? ", &[]);
    assert_eq!(found(&[], "page"), Vec::<String>::new());
}

#[test]
fn a_query_that_asks_for_nothing_or_too_much_is_refused() {
    let refused = |query: &str| refusal(query).unwrap_or_default();
    assert!(refused(" ? ").starts_with("What to search for?"));
    assert!(refused(&"x y ".repeat(1 << 20)).starts_with("The query is longer than 1024 bytes."));
    assert_eq!(refusal("page"), None);
}

#[test]
fn a_page_has_a_line_per_function_or_says_that_there_is_none() {
    let pager = fixture::pager();
    let entry = Entry::of(&pager, pager.function("get_page").expect("a function"), &Access::default());
    assert_eq!(page("get", &[entry]), "pager.get_page - Get one page.");
    let cut = format!("No function matches '{}…'. docs.list() names the providers.", "x".repeat(100));
    assert_eq!(page(&"x".repeat(1000), &[]), cut);
}

#[test]
fn what_can_be_used_now_comes_before_what_fits_as_well() {
    let pager = fixture::pager();
    let twins = [pager.clone(), Declared { name: "twin".into(), ..(*pager).clone() }.try_into().expect("a twin")];
    let hits = Index::new(twins.iter()).search("send", CLOSER);
    assert_eq!(hits.iter().map(|hit| hit.place.provider).collect::<Vec<_>>(), [0, 1]);
    let sorted = usable_first(hits, |hit| hit.place.provider == 1);
    assert_eq!(sorted.iter().map(|hit| hit.place.provider).collect::<Vec<_>>(), [1, 0]);
}

const PROVIDERS: usize = 600;
const FUNCTIONS: usize = 67;
const VERBS: [&str; 8] = ["list", "get", "create", "update", "delete", "search", "export", "archive"];
const NOUNS: [&str; 12] = [
    "message", "call", "contact", "invoice", "ticket", "calendar", "meeting", "file", "project", "order", "campaign",
    "webhook",
];

/// Made-up providers, with words of their own besides those that all use.
fn crowd() -> Vec<Description> {
    let sample = fixture::pager();
    let provider = |at: usize| {
        let functions = (0..FUNCTIONS).map(|f| function(&sample.functions[f % 4], at, f)).collect();
        let (name, title) = (format!("provider{at}"), format!("Provider number {at}"));
        Declared { name, title, functions, ..(*sample).clone() }.try_into().expect("a provider")
    };
    (0..PROVIDERS).map(provider).collect()
}

fn function(sample: &Function, provider: usize, at: usize) -> Function {
    let (verb, noun) = (VERBS[at % VERBS.len()], NOUNS[(at / VERBS.len() + provider) % NOUNS.len()]);
    let own = format!("thing{}", (provider * FUNCTIONS + at) % 9973);
    Function {
        name: format!("{verb}_{noun}_{own}"),
        summary: format!("{verb} one {noun} with its {own}, as the provider calls it."),
        description: format!("Returns the {noun} and everything that belongs to it. {own} is for experts."),
        ..sample.clone()
    }
}

/// The promise is 20 ms, which a release keeps many times over; this one is not optimised and may share its machine.
#[test]
fn forty_thousand_functions_of_six_hundred_providers_are_searched_at_once() {
    let crowd = crowd();
    let started = Instant::now();
    let index = Index::new(crowd.iter());
    println!("{} functions indexed in {:?}", PROVIDERS * FUNCTIONS, started.elapsed());
    for query in
        ["send sms", "list messages provider17", "archve invoice", "how do I delete a webhook", "thing42", "pr"]
    {
        let fastest = (0..5).map(|_| timed(&index, query)).min().expect("five runs");
        println!("{query}: {fastest:?}");
        assert!(fastest < Duration::from_millis(200), "{query}: {fastest:?}");
    }
    assert_eq!(found(&crowd, "provider17 archive invoice").len(), MOST);
}

fn timed(index: &Index, query: &str) -> Duration {
    let started = Instant::now();
    assert!(!index.search(query, CLOSER).is_empty(), "{query}");
    started.elapsed()
}
