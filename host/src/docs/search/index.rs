//! Which functions fit a query best, from all their words weighed once. Pure.

use super::dictionary::Dictionary;
use super::words::{stems, telling_stems};
use crate::description::{Description, Function, Parameter, folded};
use std::collections::BTreeMap;

/// Most words of a query that are looked for.
const WORDS: usize = 16;
/// A function this much worse than the best one is not what was asked for.
const WORTH: f32 = 0.3;
/// How much better it gets by being called what was asked for, or by beginning so.
const CALLED: f32 = 8.0;
const BEGUN: f32 = 2.0;
/// How fast a word's repetition stops saying more (the k₁ of BM25).
const SATURATION: f32 = 1.2;

/// Where a word occurs: how much that says about the function, and how many words such a text usually has. In a longer
/// one each word says less.
#[derive(Clone, Copy)]
struct Field {
    weight: f32,
    usual: f32,
}

const NAME: Field = Field { weight: 6.0, usual: 2.0 };
const PROVIDER: Field = Field { weight: 3.0, usual: 2.0 };
const SUMMARY: Field = Field { weight: 2.5, usual: 8.0 };
const PARAMETER: Field = Field { weight: 1.5, usual: 6.0 };
const DESCRIPTION: Field = Field { weight: 0.8, usual: 40.0 };

impl Field {
    fn share(self, words: usize) -> f32 {
        self.weight / (0.5 + 0.5 * (words as f32 / self.usual).max(1.0))
    }
}

/// A function's place: its provider's among those indexed, its own in that provider's description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) provider: usize,
    pub(crate) function: usize,
}

/// A function that fits, and how well.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hit {
    pub(crate) place: Place,
    pub(crate) score: f32,
}

/// All functions by their words.
pub(crate) struct Index {
    documents: Vec<Document>,
    dictionary: Dictionary,
    /// By term: the documents it occurs in, and how much it says about each.
    postings: Vec<Vec<(usize, f32)>>,
}

struct Document {
    place: Place,
    /// Names without case and underscores.
    provider: String,
    function: String,
}

impl Index {
    /// Of all functions of these providers.
    pub(crate) fn new<'a>(providers: impl Iterator<Item = &'a Description>) -> Self {
        let (mut documents, mut terms) = (Vec::new(), BTreeMap::<String, Vec<(usize, f32)>>::new());
        for (provider, description) in providers.enumerate() {
            for (function, known) in description.functions.iter().enumerate() {
                for (stem, said) in weighed(description, known) {
                    terms.entry(stem).or_default().push((documents.len(), said));
                }
                let (provider_name, function_name) = (folded(&description.name), folded(&known.name));
                let place = Place { provider, function };
                documents.push(Document { place, provider: provider_name, function: function_name });
            }
        }
        let dictionary = Dictionary::new(terms.keys().map(String::as_str));
        Self { documents, dictionary, postings: terms.into_values().collect() }
    }

    /// The functions that fit, best first, at most so many.
    pub(crate) fn search(&self, query: &str, most: usize) -> Vec<Hit> {
        let mut stems = telling_stems(query);
        stems.truncate(WORDS);
        let mut tally = Tally::new(self.documents.len());
        stems.iter().for_each(|stem| self.count(stem, &mut tally));
        let asked = folded(query.trim());
        let mut hits: Vec<_> = tally.scores().map(|(at, score)| self.hit(at, score, &asked)).collect();
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.place.cmp(&b.place)));
        let least = hits.first().map_or(0.0, |best| best.score * WORTH);
        hits.into_iter().take(most).take_while(|hit| hit.score >= least).collect()
    }

    fn hit(&self, at: usize, score: f32, asked: &str) -> Hit {
        let document = &self.documents[at];
        Hit { place: document.place, score: score * document.called(asked) }
    }

    /// A word of the query: for each function, the best that it could stand for there.
    fn count(&self, stem: &str, tally: &mut Tally) {
        let itself = self.dictionary.term(stem, 1.0).map(|found| self.rarity(found.term));
        let mut best = 0.0_f32;
        for candidate in self.dictionary.candidates(stem) {
            // What a word could also stand for is no reason to take it for a rarer one.
            let rarity = self.rarity(candidate.term).min(itself.unwrap_or(f32::INFINITY));
            let says = candidate.nearness * rarity;
            best = best.max(says);
            for &(document, said) in &self.postings[candidate.term] {
                tally.note(document, says * said);
            }
        }
        tally.next_word(best);
    }

    /// The inverse document frequency of BM25.
    fn rarity(&self, term: usize) -> f32 {
        let (all, holding) = (self.documents.len() as f32, self.postings[term].len() as f32);
        (1.0 + (all - holding + 0.5) / (holding + 0.5)).ln()
    }
}

impl Document {
    fn called(&self, asked: &str) -> f32 {
        let full = asked.strip_prefix(&self.provider).map(|rest| rest.trim_start_matches('.'));
        let names = || [Some(asked), full].into_iter().flatten().filter(|name| !name.is_empty());
        match () {
            () if names().any(|name| self.function == name) => CALLED,
            () if names().any(|name| self.function.starts_with(name)) => BEGUN,
            () => 1.0,
        }
    }
}

/// Every word that is said about a function, once, with how much it says.
fn weighed(provider: &Description, function: &Function) -> BTreeMap<String, f32> {
    let names: Vec<_> = function.parameters.iter().map(|known| known.name.as_str()).collect();
    let explained: Vec<_> = function.parameters.iter().map(explanation).collect();
    let fields = [
        (NAME, function.name.clone()),
        (PROVIDER, format!("{} {} {}", provider.name, provider.title, provider.category)),
        (SUMMARY, function.summary.clone()),
        (PARAMETER, names.join(" ")),
        (DESCRIPTION, format!("{} {}", function.description, explained.join(" "))),
    ];
    // In one piece, too, for whoever types it so.
    let mut said = BTreeMap::from([(folded(&function.name), NAME.weight)]);
    for (field, text) in fields {
        let words: Vec<_> = stems(&text).collect();
        let share = field.share(words.len());
        words.into_iter().for_each(|word| *said.entry(word).or_insert(0.0) += share);
    }
    said.values_mut().for_each(|weight| *weight *= (SATURATION + 1.0) / (*weight + SATURATION));
    said
}

fn explanation(parameter: &Parameter) -> String {
    format!("{} {}", parameter.description, parameter.choices.join(" "))
}

/// What the words of a query come to, function by function.
struct Tally {
    /// Of all words, and of the one being counted.
    all: Vec<f32>,
    word: Vec<f32>,
    /// How much of the query each function holds, and how much there is.
    held: Vec<f32>,
    asked: f32,
    touched: Vec<usize>,
}

impl Tally {
    fn new(documents: usize) -> Self {
        let none = || vec![0.0; documents];
        Self { all: none(), word: none(), held: none(), asked: 0.0, touched: Vec::new() }
    }

    fn note(&mut self, document: usize, score: f32) {
        if self.word[document] == 0.0 {
            self.touched.push(document);
        }
        self.word[document] = self.word[document].max(score);
    }

    fn next_word(&mut self, worth: f32) {
        self.asked += worth;
        for document in self.touched.drain(..) {
            self.all[document] += std::mem::take(&mut self.word[document]);
            self.held[document] += worth;
        }
    }

    /// Functions that hold more of the query are worth more than ones that hold little of it well.
    fn scores(&self) -> impl Iterator<Item = (usize, f32)> {
        let score = |at: usize| self.all[at] * self.held[at] / self.asked;
        (0..self.all.len()).filter(|&at| self.all[at] > 0.0).map(move |at| (at, score(at)))
    }
}
