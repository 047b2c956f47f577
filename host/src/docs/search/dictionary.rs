//! All words there are, and which of them a word of a query could stand for. Pure.

use super::meaning::synonyms;
use fst::automaton::{Levenshtein, Str};
use fst::{Automaton, IntoStreamer, Map, Streamer};
use std::collections::BTreeMap;

/// Shortest beginning that stands for a word, and shortest word that may hold a slip, in bytes.
const BEGINNING: usize = 2;
const SLIP: usize = 4;
/// Longest word that may hold one: the automaton grows with it.
const LONGEST: usize = 32;
/// Most words that a beginning stands for.
const MOST: usize = 256;

/// How near a word of the dictionary is to the one asked for …
mod nearness {
    /// … the same but for its ending.
    pub(super) const SAME: f32 = 1.0;
    /// … of the same meaning.
    pub(super) const MEANING: f32 = 0.6;
    /// … begun by it, times the part that was typed.
    pub(super) const BEGUN: f32 = 0.8;
    /// … a slip of the finger away.
    pub(super) const SLIP: f32 = 0.5;
}

/// A word of the dictionary, and how near it is to the one asked for: above 0, at most 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    pub(super) term: usize,
    pub(super) nearness: f32,
}

/// Word stems, numbered in alphabetical order.
pub(super) struct Dictionary {
    map: Map<Vec<u8>>,
}

impl Dictionary {
    /// Of these stems; each is numbered by its place.
    pub(super) fn new<'a>(sorted: impl Iterator<Item = &'a str>) -> Self {
        let numbered = sorted.zip(0u64..);
        Self { map: Map::from_iter(numbered).expect("stems are sorted and all different") }
    }

    /// What the stem could stand for, each once. Slips are looked for only if nothing else fits.
    pub(super) fn candidates(&self, stem: &str) -> Vec<Candidate> {
        let mut found = BTreeMap::new();
        let mut note = |candidate: Candidate| {
            let nearest = found.entry(candidate.term).or_insert(candidate.nearness);
            *nearest = candidate.nearness.max(*nearest);
        };
        self.term(stem, nearness::SAME).into_iter().for_each(&mut note);
        self.begun(stem).into_iter().for_each(&mut note);
        synonyms(stem).iter().filter_map(|other| self.term(other, nearness::MEANING)).for_each(&mut note);
        if found.is_empty() {
            found.extend(self.slips(stem).into_iter().map(|slip| (slip.term, slip.nearness)));
        }
        found.into_iter().map(|(term, nearness)| Candidate { term, nearness }).collect()
    }

    /// The stem itself, if it is in here.
    pub(super) fn term(&self, stem: &str, nearness: f32) -> Option<Candidate> {
        self.map.get(stem).map(|term| Candidate { term: index(term), nearness })
    }

    fn begun(&self, stem: &str) -> Vec<Candidate> {
        if stem.len() < BEGINNING {
            return Vec::new();
        }
        let typed = |length: usize| nearness::BEGUN * (stem.len() as f32 / length as f32);
        self.matching(Str::new(stem).starts_with(), typed)
    }

    /// One letter more, less or another, or two letters the wrong way round.
    fn slips(&self, stem: &str) -> Vec<Candidate> {
        if !(SLIP..=LONGEST).contains(&stem.len()) {
            return Vec::new();
        }
        let turned = swapped(stem).filter_map(|word| self.term(&word, nearness::SLIP));
        // Fails for words far longer than these.
        let one_off = Levenshtein::new(stem, 1).map(|near| self.matching(near, |_| nearness::SLIP));
        turned.chain(one_off.into_iter().flatten()).collect()
    }

    fn matching(&self, automaton: impl Automaton, nearness: impl Fn(usize) -> f32) -> Vec<Candidate> {
        let (mut stream, mut found) = (self.map.search(automaton).into_stream(), Vec::new());
        while let Some((word, term)) = stream.next() {
            found.push(Candidate { term: index(term), nearness: nearness(word.len()) });
            if found.len() == MOST {
                break;
            }
        }
        found
    }
}

fn index(term: u64) -> usize {
    usize::try_from(term).expect("numbered by an index")
}

/// The word with two neighbouring letters swapped, at every place.
fn swapped(word: &str) -> impl Iterator<Item = String> {
    let letters: Vec<_> = word.chars().collect();
    (1..letters.len()).map(move |at| {
        let mut letters = letters.clone();
        letters.swap(at - 1, at);
        letters.into_iter().collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 8] = ["call", "callback", "cancel", "fax", "list", "messag", "sms", "user"];

    #[track_caller]
    fn check(stem: &str, expected: &[&str]) {
        let dictionary = Dictionary::new(WORDS.into_iter());
        let mut found = dictionary.candidates(stem);
        found.sort_by(|a, b| b.nearness.total_cmp(&a.nearness));
        assert_eq!(found.iter().map(|candidate| WORDS[candidate.term]).collect::<Vec<_>>(), expected, "{stem}");
    }

    #[test]
    fn a_word_stands_for_itself_then_for_what_it_begins_and_means() {
        check("call", &["call", "callback"]);
        check("ca", &["call", "cancel", "callback"]);
        check("sms", &["sms", "messag"]);
        check("text", &["messag", "sms"]);
        check("member", &["user"]);
    }

    #[test]
    fn a_slip_counts_only_if_nothing_else_fits() {
        check("mesag", &["messag"]);
        check("messga", &["messag"]);
        check("lisst", &["list"]);
        check("uesr", &["user"]);
        check("fex", &[]);
        check("cxxx", &[]);
        check(&"m".repeat(5000), &[]);
        check("", &[]);
    }
}
