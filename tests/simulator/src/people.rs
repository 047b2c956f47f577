//! The people, numbers and moments that both companies' data are made of. All of it follows from an index, so two
//! simulators started at the same time hold the same data.

use time::{Duration, OffsetDateTime};

const FIRST: [&str; 16] = [
    "Ada",
    "Grace",
    "Alan",
    "Edsger",
    "Barbara",
    "Donald",
    "Frances",
    "Ken",
    "Margaret",
    "Dennis",
    "Radia",
    "Tony",
    "Katherine",
    "Niklaus",
    "Shafi",
    "Zoë",
];
const LAST: [&str; 12] = [
    "Byron", "Hopper", "Turing", "Dijkstra", "Liskov", "Knuth", "Allen", "Thompson", "Hamilton", "Ritchie", "Perlman",
    "O'Neil",
];
/// What people write: with quotes, commas, several lines and letters beyond ASCII, for every format to survive.
pub(crate) const TEXTS: [&str; 8] = [
    "On my way.",
    "Can you send the invoice, please?",
    "He said \"tomorrow, at noon\".",
    "Running late 🙈",
    "Agenda:\n1. numbers\n2. coffee",
    "Grüße aus Köln, see you soon",
    "The order shipped; tracking follows.",
    "OK",
];
const DAY_MINUTES: i64 = 24 * 60;
/// How many records fall into the last day, and how far back the others reach.
const RECENT: i64 = 30;
const OLDEST_DAYS: i64 = 20;

pub(crate) fn first(index: usize) -> &'static str {
    FIRST[index % FIRST.len()]
}

pub(crate) fn last(index: usize) -> &'static str {
    LAST[(index / FIRST.len() + index) % LAST.len()]
}

pub(crate) fn text(index: usize) -> &'static str {
    TEXTS[index % TEXTS.len()]
}

/// A number outside the company.
pub(crate) fn outside(index: usize) -> String {
    format!("+1212555{:04}", 1000 + (index * 37) % 8000)
}

/// When the `index`th newest of `count` records happened: thirty within the last day, the rest evenly over twenty days.
pub(crate) fn moment(now: OffsetDateTime, index: usize, count: usize) -> OffsetDateTime {
    let (index, count) = (index as i64, count as i64);
    let minutes = if index < RECENT {
        10 + index * 45
    } else {
        DAY_MINUTES + (index - RECENT + 1) * (OLDEST_DAYS - 2) * DAY_MINUTES / (count - RECENT).max(1)
    };
    now - Duration::minutes(minutes)
}

/// Milliseconds since 1970.
pub(crate) fn millis(time: OffsetDateTime) -> i64 {
    (time.unix_timestamp_nanos() / 1_000_000) as i64
}
