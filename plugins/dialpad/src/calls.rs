//! Calls: `GET /api/v2/call` and `GET /api/v2/call/{id}`.

use crate::api::{self, Page, fill, get};
use crate::arguments::{self, are_digits};
use crate::cursor;
use crate::outside::{Live, Outside};
use crate::paging::{self, Budget, Place};
use crate::window::{self, Range, Window};
use kosmo_plugin::{Fault, Function, Invocation, Pagination, Parameter, Request, Rule};
use serde_json::{Map, Value, json};

const KIND: &str = "window";
/// Dialpad refuses larger pages.
const LARGEST_PAGE: usize = 50;
const TARGET_TYPES: &[&str] = &[
    "callcenter",
    "callrouter",
    "channel",
    "coachinggroup",
    "coachingteam",
    "department",
    "office",
    "room",
    "staffgroup",
    "unknown",
    "user",
];

pub(crate) const LIST: Function = Function::read("list_calls", "List concluded calls, newest first.")
    .description(
        "Returns `items` and, if there is more, `cursor`. Each call keeps Dialpad's fields (times in Unix \
         milliseconds) and has besides them `id`, `from_number`, `to_number` and `duration_ms`; `duration` is in \
         seconds, `total_duration` (with ringing) stays in milliseconds, a `direction` that Dialpad leaves open is \
         \"unknown\". Dialpad allows ranges under 30 days only; longer ones are asked for piece by piece, newest \
         first. Calls still going on are not listed. Needs a company admin's API key with the scope `calls:list`.",
    )
    .parameters(&[
        window::START,
        window::END,
        arguments::LIMIT,
        arguments::CURSOR,
        Parameter::string("target_id", "Only calls of this user, office, department…; needs `target_type`.")
            .example("\"5835806903417907\""),
        Parameter::string("target_type", "What `target_id` is the id of.").choices(TARGET_TYPES).example("\"user\""),
    ])
    .requests(&[Rule::get("/api/v2/call")])
    .rate_group("calls")
    .pagination(Pagination::Cursor { parameter: "cursor", items: "items", next: "cursor" })
    .runs(|invocation| list(invocation, &mut Live));

pub(crate) const GET: Function = Function::read("get_call", "Get one call by its id.")
    .description(
        "The same record as in `list_calls`, with `recording_details`, `voicemail_share_link` and \
         `transcription_text` where they exist. Dialpad allows 10 of these a minute: to look at many calls, use \
         `list_calls`.",
    )
    .parameters(&[Parameter::string("id", "The call's id, `id` or `call_id` in `list_calls`.")
        .required()
        .example("\"call_abc123\"")])
    .requests(&[Rule::get("/api/v2/call/{}")])
    .rate_group("call")
    .runs(|invocation| one(invocation, &mut Live));

fn one(invocation: &Invocation, outside: &mut dyn Outside) -> Result<String, Fault> {
    let id = arguments::id(invocation, "call_abc123")?;
    let answer = outside.send(Request::get(invocation.url(&["api", "v2", "call", id])))?;
    api::record(answer, add_aliases)
}

fn list(invocation: &Invocation, outside: &mut dyn Outside) -> Result<String, Fault> {
    let (limit, target) = (arguments::limit(invocation)?, Target::parse(invocation)?);
    let mut step = Step::first(invocation, outside.now())?;
    let (mut budget, mut calls) = (Budget::of(invocation), Vec::new());
    let next = loop {
        let window = step.window;
        let mut fetch = |wanted: usize, cursor: Option<&str>| {
            Page::parse(outside.send(request(invocation, window, target, wanted, cursor))?)
        };
        let (found, place) = paging::walk(limit - calls.len(), LARGEST_PAGE, step.place, &mut budget, &mut fetch)?;
        calls.extend(found.into_iter().map(|call| api::with(call, add_aliases)));
        step = match (place, window.older()) {
            (Some(place), _) => break Some(Step { window, place }.encode()),
            (None, Some(window)) => Step { window, place: Place::default() },
            (None, None) => break None,
        };
    };
    Ok(api::listing(calls, next))
}

fn request(
    invocation: &Invocation,
    window: Window,
    target: Option<Target<'_>>,
    limit: usize,
    cursor: Option<&str>,
) -> Request {
    Request::get(invocation.url(&["api", "v2", "call"]))
        .query("started_after", window.after)
        .query("started_before", window.before)
        .query("target_id", target.map(|target| target.id))
        .query("target_type", target.map(|target| target.kind))
        .query("limit", Some(limit))
        .query("cursor", cursor)
}

/// Whose calls to list.
#[derive(Clone, Copy)]
struct Target<'a> {
    id: &'a str,
    kind: &'a str,
}

impl<'a> Target<'a> {
    fn parse(invocation: &'a Invocation) -> Result<Option<Self>, Fault> {
        match (invocation.text("target_id"), invocation.text("target_type")) {
            (None, None) => Ok(None),
            (Some(id), Some(kind)) if are_digits(id) => Ok(Some(Self { id, kind })),
            (Some(id), Some(_)) => {
                let expected = "expected the digits of an id, for example \"5835806903417907\"";
                Err(Fault::argument("target_id", format!("is \"{id}\"; {expected}")))
            }
            (Some(_), None) => Err(Fault::argument("target_type", "is missing beside target_id, for example \"user\"")),
            (None, Some(_)) => {
                Err(Fault::argument("target_id", "is missing beside target_type, for example \"5835806903417907\""))
            }
        }
    }
}

/// Where a list goes on: in which part of its range, and where there.
#[derive(Clone, Debug)]
struct Step {
    window: Window,
    place: Place,
}

impl Step {
    fn first(invocation: &Invocation, now: i64) -> Result<Self, Fault> {
        let (range, cursor) = (Range::parse(invocation)?, invocation.text("cursor"));
        match cursor.and_then(|cursor| cursor::decode(KIND, cursor)) {
            Some(([skip, after, before, floor], rest)) => {
                let window = Window { after: Some(after), before: Some(before), floor: Some(floor) };
                let place = Place::new(skip, rest).ok_or_else(|| cursor::invalid("list_calls"))?;
                Ok(Self { window, place })
            }
            None => Ok(Self { window: Window::newest(range, now), place: Place::parse(cursor, "list_calls")? }),
        }
    }

    /// In a split range the cursor carries the window: the next invocation may be another moment's.
    fn encode(&self) -> String {
        match (self.window.after, self.window.before, self.window.floor) {
            (Some(after), Some(before), Some(floor)) => {
                let rest = self.place.cursor.as_deref().unwrap_or_default();
                cursor::encode(KIND, [self.place.skip_number(), after, before, floor], rest)
            }
            _ => self.place.encode(),
        }
    }
}

/// What scripts read besides Dialpad's own fields.
fn add_aliases(call: &mut Map<String, Value>) {
    fill(call, "id", get(call, "call_id").cloned());
    fill(call, "direction", Some(json!("unknown")));
    let external = number(call, "external_number", "contact");
    let internal = number(call, "internal_number", "target");
    let (from, to) = match call["direction"].as_str() {
        Some("inbound") => (external, internal),
        Some("outbound") => (internal, external),
        _ => (None, None),
    };
    fill(call, "from_number", from);
    fill(call, "to_number", to);
    in_seconds(call);
}

/// A number of the call, or else the phone of the one it belongs to.
fn number(call: &Map<String, Value>, field: &str, party: &str) -> Option<Value> {
    get(call, field).or_else(|| get(get(call, party)?.as_object()?, "phone")).cloned()
}

/// `duration` becomes whole seconds, `duration_ms` what Dialpad sent.
fn in_seconds(call: &mut Map<String, Value>) {
    let Some(sent) = get(call, "duration").cloned() else { return };
    if let Some(milliseconds) = sent.as_f64() {
        call.insert("duration".into(), json!((milliseconds / 1000.0).round() as i64));
        call.insert("duration_ms".into(), sent);
    }
}

#[cfg(test)]
#[path = "calls_tests.rs"]
mod tests;
