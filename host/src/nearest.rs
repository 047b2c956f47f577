//! The known names closest to a mistyped one.

use crate::description::folded;

/// Most suggestions worth reading.
const SUGGESTIONS: usize = 3;
/// Longest name that could be a slip of the finger, in bytes. Comparing takes the product of both lengths.
const LONGEST: usize = 100;

/// The plausible ones of `known`, best first: the same but for case and underscores, containing or contained, or a few
/// slips of the finger away. Nothing is like a name of more than 100 bytes.
pub fn nearest<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    if wanted.len() > LONGEST {
        return Vec::new();
    }
    let wanted = folded(wanted);
    let known = known.filter(|name| name.len() <= LONGEST);
    let mut ranked: Vec<_> = known.filter_map(|name| Some((distance(&wanted, &folded(name))?, name))).collect();
    ranked.sort();
    ranked.into_iter().map(|(_, name)| name).take(SUGGESTIONS).collect()
}

/// ` Did you mean: a, b`, or nothing.
pub fn did_you_mean<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> String {
    match nearest(wanted, known).as_slice() {
        [] => String::new(),
        names => format!(" Did you mean: {}", names.join(", ")),
    }
}

fn distance(wanted: &str, name: &str) -> Option<usize> {
    let slips = strsim::damerau_levenshtein(wanted, name);
    let tolerated = 1 + wanted.len().max(name.len()) / 4;
    let contained = wanted.len() >= 3 && (name.contains(wanted) || wanted.contains(name) && name.len() >= 3);
    if slips <= tolerated { Some(slips) } else { contained.then_some(tolerated + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(wanted: &str, expected: &[&str]) {
        let known = ["list_calls", "list_account_calls", "list_messages", "get_message", "send_sms", "messageId"];
        assert_eq!(nearest(wanted, known.into_iter()), expected);
    }

    #[test]
    fn slips_case_and_fragments_find_their_name() {
        check("list_mesages", &["list_messages"]);
        check("ListCalls", &["list_calls"]);
        check("message_id", &["messageId"]);
        check("sms", &["send_sms"]);
        check("frobnicate", &[]);
    }

    #[test]
    fn nothing_is_like_a_name_of_unlikely_length() {
        check(&"x".repeat(10_000_000), &[]);
        check(&"list_calls".repeat(11), &[]);
        let long = "x".repeat(10_000_000);
        assert_eq!(nearest("xxx", [long.as_str(), "xxxx"].into_iter()), ["xxxx"]);
    }
}
