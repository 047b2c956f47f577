//! Which functions fit a query best. Pure.

use crate::bindings::contract::Description;
use crate::clip::{NAME, clipped};
use crate::description::{Function, folded};

/// Most lines worth reading.
const MOST: usize = 20;
/// Longest query, in bytes, and most of its words that are looked for.
const QUERY: usize = 1 << 10;
const WORDS: usize = 16;

/// How much it says about a function that a word of the query occurs in …
mod weight {
    /// … the function's name.
    pub(super) const NAME: u32 = 40;
    /// … the beginning of a word of the name.
    pub(super) const NAME_START: u32 = 25;
    /// … the provider's name or title.
    pub(super) const PROVIDER: u32 = 20;
    /// … the summary.
    pub(super) const SUMMARY: u32 = 10;
    /// … a parameter's name.
    pub(super) const PARAMETER: u32 = 6;
    /// … the description.
    pub(super) const DESCRIPTION: u32 = 4;
    /// The query is the function's name, begins it, is part of it.
    pub(super) const EXACT: u32 = 1000;
    pub(super) const START: u32 = 400;
    pub(super) const PART: u32 = 200;
}

/// Lines `provider.function - summary`, best first; or a sentence, if there are none.
pub(super) fn page<'a>(query: &str, functions: impl Iterator<Item = (&'a Description, &'a Function)>) -> String {
    if query.len() > QUERY {
        return format!("The query is longer than {QUERY} bytes. Give docs.search a word or two.");
    }
    let mut words = words(query);
    words.truncate(WORDS);
    if words.is_empty() {
        return "What to search for? Give docs.search a word or two, such as docs.search(\"send sms\").".into();
    }
    let hits = best(functions.map(|(provider, function)| Hit::of(query, &words, provider, function)).collect());
    if hits.is_empty() {
        let query = clipped(query.trim(), NAME);
        return format!("No function matches '{query}'. docs.list() names the providers.");
    }
    hits.iter().map(Hit::line).collect::<Vec<_>>().join("\n")
}

struct Hit<'a> {
    provider: &'a str,
    function: &'a Function,
    score: u32,
    /// Words of the query that occur nowhere.
    missing: usize,
}

impl<'a> Hit<'a> {
    fn of(query: &str, words: &[String], provider: &'a Description, function: &'a Function) -> Self {
        let scores: Vec<_> = words.iter().map(|word| word_score(word, provider, function)).collect();
        Self {
            provider: &provider.name,
            function,
            score: scores.iter().sum::<u32>() + whole_score(&folded(query.trim()), &provider.name, &function.name),
            missing: scores.iter().filter(|&&score| score == 0).count(),
        }
    }

    fn line(&self) -> String {
        format!("{}.{} - {}", self.provider, self.function.name, self.function.summary)
    }
}

/// Those that hold every word; if none does, those that hold some.
fn best(mut hits: Vec<Hit<'_>>) -> Vec<Hit<'_>> {
    hits.retain(|hit| hit.score > 0);
    if hits.iter().any(|hit| hit.missing == 0) {
        hits.retain(|hit| hit.missing == 0);
    }
    hits.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.line().cmp(&b.line())));
    hits.truncate(MOST);
    hits
}

fn whole_score(query: &str, provider: &str, function: &str) -> u32 {
    let (name, full) = (folded(function), format!("{}.{}", folded(provider), folded(function)));
    match query {
        _ if query == name || query == full => weight::EXACT,
        _ if name.starts_with(query) || full.starts_with(query) => weight::START,
        _ if full.contains(query) => weight::PART,
        _ => 0,
    }
}

fn word_score(word: &str, provider: &Description, function: &Function) -> u32 {
    let within = |text: &str| words(text).iter().any(|known| related(word, known));
    let parameter = |name: &str| folded(name).contains(word);
    match words(&function.name) {
        name if name.iter().any(|known| same(word, known)) => weight::NAME,
        name if name.iter().any(|known| related(word, known)) => weight::NAME_START,
        _ if within(&provider.name) || within(&provider.title) => weight::PROVIDER,
        _ if within(&function.summary) => weight::SUMMARY,
        _ if function.parameters.iter().any(|known| parameter(&known.name)) => weight::PARAMETER,
        _ if within(&function.description) => weight::DESCRIPTION,
        _ => 0,
    }
}

/// The same word, in singular or plural.
fn same(word: &str, known: &str) -> bool {
    word == known || word.strip_suffix('s') == Some(known) || known.strip_suffix('s') == Some(word)
}

fn related(word: &str, known: &str) -> bool {
    same(word, known) || known.starts_with(word)
}

fn words(text: &str) -> Vec<String> {
    let letters = |letter: char| !letter.is_alphanumeric();
    text.split(letters).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::fixture;

    #[track_caller]
    fn check(query: &str, expected: &[&str]) {
        let pager = fixture::pager();
        let text = page(query, pager.functions.iter().map(|function| (&*pager, function)));
        let names: Vec<_> = text.lines().filter_map(|line| line.split(" - ").next()).collect();
        assert_eq!(names, expected, "{query}");
    }

    #[test]
    fn the_best_match_comes_first() {
        check("send_page", &["pager.send_page"]);
        check("sendPage", &["pager.send_page"]);
        check("pager.get_page", &["pager.get_page"]);
        check("list", &["pager.list_pages"]);
        check("page", &["pager.erase_page", "pager.get_page", "pager.list_pages", "pager.send_page"]);
        check("urgency", &["pager.send_page"]);
        check("someone page", &["pager.send_page"]);
        check("erases", &["pager.erase_page"]);
        check("good", &["pager.erase_page"]);
    }

    #[test]
    fn nothing_found_says_so() {
        check("fax", &["No function matches 'fax'. docs.list() names the providers."]);
        check(" ? ", &["What to search for? Give docs.search a word or two, such as docs.search(\"send sms\")."]);
    }

    #[test]
    fn a_long_query_is_refused_or_cut() {
        check(&"x y ".repeat(1 << 20), &["The query is longer than 1024 bytes. Give docs.search a word or two."]);
        let cut = format!("No function matches '{}…'. docs.list() names the providers.", "x".repeat(100));
        check(&"x".repeat(1000), &[&cut]);
        let every = ["pager.send_page", "pager.erase_page", "pager.get_page", "pager.list_pages"];
        check(&format!("send page{}", " zzz".repeat(200)), &every);
    }

    #[test]
    fn a_line_names_function_and_summary() {
        let pager = fixture::pager();
        let text = page("get", pager.functions.iter().map(|function| (&*pager, function)));
        assert_eq!(text, "pager.get_page - Get one page.");
    }
}
