//! Arguments that RingCentral would misread or act on too widely, checked before anything is sent.

use crate::date;
use kosmo_plugin::{Fault, Invocation, Request};
use serde_json::{Map, Value};

/// Bytes; RingCentral's own ids have up to 20.
const LONGEST_ID: usize = 64;
/// RingCentral applies this to larger values in some places and refuses them in others.
const LARGEST_PAGE: i64 = 1000;
/// How much of a refused value an error repeats, in characters.
const EXCERPT: usize = 60;

/// The id of one message, contact or extension. A list of ids, `*` or nothing at all would reach many records.
pub(crate) fn number_id<'a>(invocation: &'a Invocation, name: &str) -> Result<&'a str, Fault> {
    id(invocation, name, |byte| byte.is_ascii_digit(), "one id of at most 64 digits, such as \"1234567890\"")
}

/// The id of one call log record.
pub(crate) fn call_id<'a>(invocation: &'a Invocation, name: &str) -> Result<&'a str, Fault> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    id(invocation, name, allowed, "one id of at most 64 letters, digits, `_` and `-`, such as \"SHbTMZ4vKhRtUxA\"")
}

fn id<'a>(invocation: &'a Invocation, name: &str, allowed: fn(u8) -> bool, expected: &str) -> Result<&'a str, Fault> {
    let id = invocation.text(name).unwrap_or_default();
    let sound = (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(allowed);
    if sound { Ok(id) } else { Err(refused(name, id, expected)) }
}

/// A fault that tells what the parameter is and what it should be.
pub(crate) fn refused(name: &str, value: &str, expected: &str) -> Fault {
    let shown: String = value.chars().take(EXCERPT).collect();
    let more = if shown.len() < value.len() { "…" } else { "" };
    Fault::argument(name, format!("is {shown:?}{more}; expected {expected}"))
}

/// A filter whose `All` RingCentral does not know: it means no filter there.
pub(crate) fn filter<'a>(invocation: &'a Invocation, name: &str) -> Option<&'a str> {
    invocation.text(name).filter(|choice| !choice.eq_ignore_ascii_case("All"))
}

/// Adds `perPage` and `page`.
pub(crate) fn paged(request: Request, invocation: &Invocation) -> Result<Request, Fault> {
    let per_page = counting(invocation, "perPage", "100")?.map(|size| size.min(LARGEST_PAGE));
    Ok(request.query("perPage", per_page).query("page", counting(invocation, "page", "1")?))
}

fn counting(invocation: &Invocation, name: &str, example: &str) -> Result<Option<i64>, Fault> {
    match invocation.argument(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_i64() {
            Some(number) if (1..=i64::from(i32::MAX)).contains(&number) => Ok(Some(number)),
            _ => Err(refused(name, &value.to_string(), &format!("a whole number of 1 or more, such as {example}"))),
        },
    }
}

/// Adds `dateFrom` and `dateTo`, as written.
pub(crate) fn dated(request: Request, invocation: &Invocation) -> Result<Request, Fault> {
    let (from, to) = (time(invocation, "dateFrom")?, time(invocation, "dateTo")?);
    let reversed = from.zip(to).filter(|(from, to)| from.at > to.at);
    if let Some((from, _)) = reversed {
        return Err(refused("dateFrom", from.written, "a time that is not after dateTo"));
    }
    Ok(request.query("dateFrom", from.map(|time| time.written)).query("dateTo", to.map(|time| time.written)))
}

#[derive(Clone, Copy)]
struct Time<'a> {
    written: &'a str,
    at: i64,
}

fn time<'a>(invocation: &'a Invocation, name: &str) -> Result<Option<Time<'a>>, Fault> {
    let Some(written) = invocation.text(name) else { return Ok(None) };
    match date::parse(written) {
        Some(at) => Ok(Some(Time { written, at })),
        None => Err(refused(name, written, "date, time and zone in ISO 8601, such as \"2026-05-01T00:00:00Z\"")),
    }
}

/// The digits of `phoneNumber`: the call log wants E.164 without its `+`.
pub(crate) fn dialled(invocation: &Invocation) -> Result<Option<String>, Fault> {
    let Some(written) = invocation.text("phoneNumber") else { return Ok(None) };
    let plain: String = written.chars().filter(|character| !matches!(character, ' ' | '-' | '.' | '(' | ')')).collect();
    let number = plain.strip_prefix('+').unwrap_or(&plain);
    match number.len() {
        3..=15 if number.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Some(number.into())),
        _ => Err(refused("phoneNumber", written, "a phone number with country code, such as \"+16505551234\"")),
    }
}

/// `extensionNumber`, the short number people dial; RingCentral takes no other filter by number beside it.
pub(crate) fn short_number(invocation: &Invocation) -> Result<Option<&str>, Fault> {
    let Some(number) = invocation.text("extensionNumber") else { return Ok(None) };
    if invocation.text("phoneNumber").is_some() {
        let expected = "either extensionNumber or phoneNumber: RingCentral cannot filter by both";
        return Err(refused("extensionNumber", number, expected));
    }
    let sound = number.len() <= 8 && number.bytes().all(|byte| byte.is_ascii_digit());
    if sound { Ok(Some(number)) } else { Err(refused("extensionNumber", number, "a short number, such as \"101\"")) }
}

/// A phone number to send from or to: exactly E.164, since a guess would reach somebody else.
pub(crate) fn e164<'a>(invocation: &'a Invocation, name: &str) -> Result<&'a str, Fault> {
    let number = invocation.text(name).unwrap_or_default();
    let digits = number.strip_prefix('+').unwrap_or_default();
    let sound = (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if sound && !digits.starts_with('0') {
        return Ok(number);
    }
    Err(refused(name, number, "a phone number in E.164 with its `+` and nothing else, such as \"+16505551234\""))
}

/// `payload` overlaid with the named fields that were given, without the id that belongs into the path.
pub(crate) fn fields(invocation: &Invocation, names: &[&str]) -> Map<String, Value> {
    let payload = invocation.object("payload").into_iter().flatten().map(|(name, value)| (name.as_str(), value));
    let named = names.iter().filter_map(|&name| Some((name, invocation.argument(name)?)));
    let fields = payload.filter(|(name, _)| !is_path_id(name)).chain(named);
    fields.map(|(name, value)| (name.to_owned(), value.clone())).collect()
}

fn is_path_id(name: &str) -> bool {
    let letters = || name.bytes().filter(|&byte| byte != b'_').map(|byte| byte.to_ascii_lowercase());
    letters().eq(*b"contactid") || letters().eq(*b"messageid")
}
