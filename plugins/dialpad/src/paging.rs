//! Walks Dialpad's pages until a script has as many items as it asked for, and remembers where it stopped.

use crate::api::{Page, unexpected};
use crate::cursor;
use kosmo_plugin::{Fault, Invocation};
use serde_json::Value;
use std::time::Duration;

const KIND: &str = "page";
/// Forty of the smallest pages make the largest limit; the rest is for windows without calls.
const MOST_REQUESTS: u32 = 50;
/// No request starts when less than this is left of an invocation.
const RESERVE: Duration = Duration::from_secs(8);

/// Where to go on: a page's cursor, and how many of that page's items were handed out already.
///
/// The second number is for pages that come larger than they were asked for: no cursor points into their middle.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Place {
    pub(crate) cursor: Option<String>,
    pub(crate) skip: usize,
}

impl Place {
    /// The place a script's cursor names; Dialpad's own cursors pass as they are.
    pub(crate) fn parse(text: Option<&str>, function: &str) -> Result<Self, Fault> {
        let Some(text) = text else { return Ok(Self::default()) };
        if !cursor::is_ours(text) {
            return Ok(Self { cursor: Some(text.into()), skip: 0 });
        }
        let ([skip], rest) = cursor::decode(KIND, text).ok_or_else(|| cursor::invalid(function))?;
        Self::new(skip, rest).ok_or_else(|| cursor::invalid(function))
    }

    /// From a cursor's parts; an empty `cursor` is the first page.
    pub(crate) fn new(skip: i64, cursor: &str) -> Option<Self> {
        let cursor = (!cursor.is_empty()).then(|| cursor.to_owned());
        Some(Self { cursor, skip: usize::try_from(skip).ok()? })
    }

    /// The cursor that names this place.
    pub(crate) fn encode(&self) -> String {
        match &self.cursor {
            Some(cursor) if self.skip == 0 => cursor.clone(),
            _ => cursor::encode(KIND, [self.skip_number()], self.cursor.as_deref().unwrap_or_default()),
        }
    }

    /// `skip` as cursors write it.
    pub(crate) fn skip_number(&self) -> i64 {
        i64::try_from(self.skip).unwrap_or(i64::MAX)
    }
}

/// How many more requests an invocation may send: a list that is slow to come by ends early, with a cursor.
pub(crate) struct Budget<'a> {
    requests: u32,
    reserve: Duration,
    invocation: &'a Invocation,
}

impl<'a> Budget<'a> {
    pub(crate) fn of(invocation: &'a Invocation) -> Self {
        Self { requests: MOST_REQUESTS, reserve: RESERVE, invocation }
    }

    /// Whether there may be one more. The first one always may, so that every invocation gets on.
    fn spend(&mut self) -> bool {
        let first = self.requests == MOST_REQUESTS;
        let allowed = first || (self.requests > 0 && self.invocation.time_left() > self.reserve);
        self.requests = self.requests.saturating_sub(1);
        allowed
    }
}

/// Gets one page: how many items to ask for, and the page's cursor.
pub(crate) type Fetch<'a> = dyn FnMut(usize, Option<&str>) -> Result<Page, Fault> + 'a;

/// Up to `limit` items from `place` on, and the place after them unless the list ends there.
///
/// `fetch` is never asked for more than `most`.
pub(crate) fn walk(
    limit: usize,
    most: usize,
    mut place: Place,
    budget: &mut Budget<'_>,
    fetch: &mut Fetch<'_>,
) -> Result<(Vec<Value>, Option<Place>), Fault> {
    let mut items = Vec::new();
    while items.len() < limit && budget.spend() {
        let room = limit - items.len();
        let page = fetch(room.saturating_add(place.skip).min(most), place.cursor.as_deref())?;
        let left = page.items.len().saturating_sub(place.skip);
        items.extend(page.items.into_iter().skip(place.skip).take(room));
        place = match page.cursor {
            _ if left > room => Place { skip: place.skip + room, ..place },
            None => return Ok((items, None)),
            next if next == place.cursor => return Err(unexpected("sent the same cursor twice; the list has no end")),
            next => Place { cursor: next, skip: 0 },
        };
    }
    Ok((items, Some(place)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A list of `total` numbers in pages of at most `largest` that gives what was asked for, or always `largest`.
    fn list(total: usize, largest: usize, obeys: bool) -> impl FnMut(usize, Option<&str>) -> Result<Page, Fault> {
        move |wanted, cursor| {
            let start = cursor.map_or(0, |cursor| cursor.parse().expect("a cursor of this list"));
            let size = if obeys { wanted.min(largest) } else { largest };
            let end = total.min(start + size);
            Ok(Page { items: (start..end).map(|n| json!(n)).collect(), cursor: (end < total).then(|| end.to_string()) })
        }
    }

    fn invocation() -> Invocation {
        Invocation::test("list_users", "{}")
    }

    /// Pages through everything `limit` at a time, and checks that each item came exactly once.
    #[track_caller]
    fn check(total: usize, largest: usize, obeys: bool, limit: usize) {
        let (mut seen, mut cursor, invocation) = (Vec::new(), None, invocation());
        loop {
            let place = Place::parse(cursor.as_deref(), "list_users").expect("a cursor of our own");
            let (items, next) =
                walk(limit, 50, place, &mut Budget::of(&invocation), &mut list(total, largest, obeys)).expect("items");
            assert!(items.len() == limit || next.is_none(), "{} of {limit} items and more to come", items.len());
            seen.extend(items);
            match next {
                Some(place) => cursor = Some(place.encode()),
                None => break,
            }
        }
        assert_eq!(seen, (0..total).map(|n| json!(n)).collect::<Vec<_>>());
    }

    #[test]
    fn every_item_comes_once_whatever_the_size_of_pages() {
        check(130, 50, true, 100);
        check(130, 25, true, 100);
        check(130, 50, true, 1);
        check(130, 60, false, 50);
        check(130, 60, false, 7);
        check(130, 25, false, 10);
        check(130, 200, false, 100);
        check(0, 50, true, 100);
        check(50, 50, true, 50);
    }

    #[test]
    fn a_page_is_never_asked_to_be_larger_than_allowed_or_needed() {
        let mut asked = Vec::new();
        let mut pages = list(500, 50, true);
        let mut fetch = |wanted: usize, cursor: Option<&str>| {
            asked.push(wanted);
            pages(wanted, cursor)
        };
        walk(120, 50, Place::default(), &mut Budget::of(&invocation()), &mut fetch).expect("items");
        assert_eq!(asked, [50, 50, 20]);
    }

    #[test]
    fn an_invocation_short_of_time_gets_one_page_and_a_place_to_go_on() {
        let (invocation, reserve) = (invocation(), Duration::MAX);
        let mut budget = Budget { requests: MOST_REQUESTS, reserve, invocation: &invocation };
        let (items, place) = walk(100, 50, Place::default(), &mut budget, &mut list(500, 50, true)).expect("items");
        assert_eq!((items.len(), place), (50, Some(Place { cursor: Some("50".into()), skip: 0 })));
    }

    #[test]
    fn a_list_that_repeats_its_cursor_is_a_fault_and_not_a_loop() {
        let mut fetch = |_: usize, _: Option<&str>| Ok(Page { items: vec![json!(1)], cursor: Some("again".into()) });
        let outcome = walk(100, 50, Place::default(), &mut Budget::of(&invocation()), &mut fetch);
        assert!(matches!(outcome, Err(Fault::Provider(error)) if error.message.contains("same cursor")));
    }

    #[test]
    fn a_broken_cursor_of_ours_is_refused() {
        for cursor in ["kosmo-page:-1:x", "kosmo-page:x:", "kosmo-texts:1,2,3:id"] {
            assert!(matches!(Place::parse(Some(cursor), "list_users"), Err(Fault::InvalidArgument(_))), "{cursor}");
        }
    }
}
