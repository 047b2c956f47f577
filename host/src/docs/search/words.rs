//! Text as the words a search compares. Pure.

/// Words that say nothing about what a function does.
const EMPTY: [&str; 28] = [
    "a", "all", "an", "and", "any", "are", "be", "by", "can", "do", "does", "for", "from", "how", "i", "in", "is",
    "it", "of", "on", "or", "that", "the", "this", "to", "want", "what", "with",
];

/// The stems of a text's words, in order: `messageType` and `Message types` both give `messag`, `typ`.
pub(super) fn stems(text: &str) -> impl Iterator<Item = String> {
    split(text).map(|word| stem(&word.to_lowercase()))
}

/// As [`stems`], without the words that say nothing, unless there are no others.
pub(super) fn telling_stems(text: &str) -> Vec<String> {
    let words: Vec<_> = split(text).map(str::to_lowercase).collect();
    let telling: Vec<_> = words.iter().filter(|word| !EMPTY.contains(&word.as_str())).collect();
    let kept = if telling.is_empty() { words.iter().collect() } else { telling };
    kept.into_iter().map(|word| stem(word)).collect()
}

/// Words end where letters and digits do, and before a capital after a small letter.
fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric()).flat_map(humps).filter(|word| !word.is_empty())
}

fn humps(mut word: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let mut small = false;
        let hump = word.char_indices().find(|&(_, letter)| {
            let begins = small && letter.is_uppercase();
            small = letter.is_lowercase() || letter.is_numeric();
            begins
        });
        let (first, rest) = word.split_at(hump.map_or(word.len(), |(at, _)| at));
        word = rest;
        (!first.is_empty()).then_some(first)
    })
}

/// What is left of an English word without the endings of plural, past, progress and a silent `e`. Not always a word,
/// but the same for all forms of one.
fn stem(word: &str) -> String {
    let single = singular(word);
    let long = |stem: &&str| stem.len() >= 3 && stem.contains(['a', 'e', 'i', 'o', 'u', 'y']);
    let ended = |ending: &str| single.strip_suffix(ending).filter(long);
    let bare = ended("ing").or_else(|| ended("ed")).or_else(|| ended("e")).unwrap_or(&single);
    bare.to_owned()
}

fn singular(word: &str) -> String {
    if word.len() <= 3 || ["ss", "us", "is"].iter().any(|ending| word.ends_with(ending)) {
        return word.to_owned();
    }
    if let Some(start) = word.strip_suffix("ies") {
        return format!("{start}y");
    }
    let hissing = ["sses", "xes", "ches", "shes"].iter().any(|ending| word.ends_with(ending));
    let ending = if hissing { "es" } else { "s" };
    word.strip_suffix(ending).unwrap_or(word).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(stems(text).collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn all_forms_of_a_word_have_one_stem() {
        check("message messages Messaging messaged", &["messag"; 4]);
        check("delete deletes deleted deleting", &["delet"; 4]);
        check("reply replies", &["reply"; 2]);
        check("address addresses", &["address"; 2]);
        check("sms status bus this", &["sms", "status", "bus", "this"]);
    }

    #[test]
    fn words_end_at_signs_and_humps() {
        check("messageType", &["messag", "typ"]);
        check("app.integrations.dialpad", &["app", "integration", "dialpad"]);
        check("list_sms(limit?)", &["list", "sms", "limit"]);
        check("SMS E.164 v2Call", &["sms", "e", "164", "v2", "call"]);
        check(" \u{e9}T\u{e9} ", &["\u{e9}", "t\u{e9}"]);
        check("", &[]);
    }

    #[test]
    fn empty_words_count_only_alone() {
        assert_eq!(telling_stems("how do I send an SMS to the user"), ["send", "sms", "user"]);
        assert_eq!(telling_stems("from"), ["from"]);
    }
}
