//! Which functions fit a query best: `dictionary` finds what each of its words could stand for, `index` weighs where
//! those occur. Built once over all providers and kept until one of them changes.

mod dictionary;
mod index;
mod meaning;
#[cfg(test)]
mod tests;
mod words;

use super::entry::Entry;
use crate::clip::{NAME, clipped};
use crate::provider::Provider;
use index::{Hit, Index};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use super::facts::Access;

/// Most functions worth reading.
const MOST: usize = 20;
/// So many are looked at more closely, since one that can be used now is worth more than one that cannot.
const CLOSER: usize = 60;
const USABLE: f32 = 1.25;
/// Sets of providers that are remembered: clients of a server may each see others.
const REMEMBERED: usize = 8;
/// Longest query, in bytes.
const QUERY: usize = 1 << 10;

/// The functions of all providers, ready to be searched.
#[derive(Default)]
pub(crate) struct Catalogue {
    /// Those used last come first.
    recent: Mutex<VecDeque<Snapshot>>,
}

struct Snapshot {
    /// Of every provider that was indexed, in order.
    digests: Vec<String>,
    index: Arc<Index>,
}

impl Catalogue {
    /// The index over these providers, as they are now.
    fn index(&self, providers: &[Arc<Provider>]) -> Arc<Index> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |known: &Snapshot| known.digests.iter().eq(providers.iter().map(|provider| provider.digest()));
        let known = recent.iter().position(same).and_then(|at| recent.remove(at));
        let snapshot = known.unwrap_or_else(|| Snapshot::of(providers));
        let index = Arc::clone(&snapshot.index);
        recent.push_front(snapshot);
        recent.truncate(REMEMBERED);
        index
    }

    /// The functions that fit the query best, best first.
    pub(super) fn search(
        &self,
        query: &str,
        providers: &[Arc<Provider>],
        access: impl Fn(&Provider) -> Access,
    ) -> Vec<Entry> {
        let hits = self.index(providers).search(query, CLOSER);
        let mut known = HashMap::new();
        for hit in &hits {
            let at = hit.place.provider;
            known.entry(at).or_insert_with(|| access(&providers[at]));
        }
        let entry = |hit: &Hit| {
            let provider = providers[hit.place.provider].description();
            Entry::of(provider, &provider.functions[hit.place.function], &known[&hit.place.provider])
        };
        usable_first(hits.clone(), |hit| !known[&hit.place.provider].usable.is_empty()).iter().map(entry).collect()
    }
}

impl Snapshot {
    fn of(providers: &[Arc<Provider>]) -> Self {
        let index = Arc::new(Index::new(providers.iter().map(|provider| provider.description())));
        Self { digests: providers.iter().map(|provider| provider.digest().to_owned()).collect(), index }
    }
}

/// The most worth reading; what can be used moves up a little.
fn usable_first(mut hits: Vec<Hit>, usable: impl Fn(&Hit) -> bool) -> Vec<Hit> {
    for hit in &mut hits {
        hit.score *= if usable(hit) { USABLE } else { 1.0 };
    }
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.place.cmp(&b.place)));
    hits.truncate(MOST);
    hits
}

/// Why a query cannot be searched for, if it cannot.
pub(super) fn refusal(query: &str) -> Option<String> {
    if query.len() > QUERY {
        return Some(format!("The query is longer than {QUERY} bytes. Give docs.search a word or two."));
    }
    let says_nothing = words::telling_stems(query).is_empty();
    says_nothing
        .then(|| "What to search for? Give docs.search a word or two, such as docs.search(\"send sms\").".into())
}

/// Lines `provider.function - summary`; or a sentence, if there are none.
pub(super) fn page(query: &str, found: &[Entry]) -> String {
    if found.is_empty() {
        let query = clipped(query.trim(), NAME);
        return format!("No function matches '{query}'. docs.list() names the providers.");
    }
    found.iter().map(|entry| format!("{} - {}", entry.name, entry.summary)).collect::<Vec<_>>().join("\n")
}
