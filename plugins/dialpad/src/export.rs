//! Dialpad's statistics export of texts: started, asked after until it is ready, and downloaded.

use crate::api::{self, unexpected};
use crate::arguments;
use crate::cursor;
use crate::moment::DAY;
use crate::outside::Outside;
use crate::texts;
use crate::window::Range;
use kosmo_plugin::{Answer, Fault, Invocation, NotReadyError, ProviderError, Request};
use serde_json::{Value, json};
use std::time::Duration;

const KIND: &str = "texts";
/// Days listed when the script names no start.
const DEFAULT_DAYS: i64 = 30;
/// Longest wait for an export within one invocation.
const PATIENCE: Duration = Duration::from_secs(20);
/// What stays of an invocation for downloading and reading the file.
const RESERVE: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(300);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Seconds after which asking again is worthwhile.
const RETRY_AFTER: u32 = 5;
const ADMIN: &str = "listing texts needs a company admin's API key that may export statistics";
const EXPIRED: &str = "Dialpad keeps an export for about an hour; list_sms without a cursor makes a new one";

/// An export at Dialpad, the range it was made for, and how many of its texts were handed out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Export {
    pub(crate) id: String,
    pub(crate) offset: usize,
    /// Unix milliseconds.
    pub(crate) start: i64,
    /// Unix milliseconds; `i64::MAX` for an open end.
    pub(crate) end: i64,
}

impl Export {
    /// The cursor that goes on with this export; also what an unfinished invocation leaves behind.
    pub(crate) fn encode(&self) -> String {
        let offset = i64::try_from(self.offset).unwrap_or(i64::MAX);
        cursor::encode(KIND, [offset, self.start, self.end], &self.id)
    }

    fn decode(text: &str) -> Option<Self> {
        let ([offset, start, end], id) = cursor::decode(KIND, text)?;
        let legal = !matches!(id, "" | "." | "..");
        let offset = usize::try_from(offset).ok()?;
        legal.then(|| Self { id: id.into(), offset, start, end })
    }

    /// The fault of an invocation that could not finish, from which the next one goes on.
    fn unfinished(&self, message: String, retry_after: Option<u32>) -> Fault {
        let retry_after = retry_after.unwrap_or(RETRY_AFTER);
        Fault::NotReady(NotReadyError { message, retry_after, resume: Some(self.encode()) })
    }

    /// Trouble that will pass must not lose the export: there are only so many an hour.
    fn keep(&self, fault: Fault) -> Fault {
        let message = |error: &ProviderError| format!("the export could not be fetched yet: {}", error.message);
        match fault {
            Fault::RateLimited(limited) => self.unfinished(message(&limited.error), limited.retry_after),
            Fault::Provider(error) if error.status >= 500 => self.unfinished(message(&error), None),
            other => other,
        }
    }
}

/// Runs `list_sms`.
pub(crate) fn list(invocation: &Invocation, outside: &mut dyn Outside) -> Result<String, Fault> {
    let (limit, range) = (arguments::limit(invocation)?, Range::parse(invocation)?);
    let resumed = invocation.resume().and_then(Export::decode);
    let export = match (invocation.text("cursor"), resumed) {
        (Some(cursor), _) => Export::decode(cursor).ok_or_else(|| cursor::invalid("list_sms"))?,
        (None, Some(export)) => export,
        (None, None) => start(invocation, range, outside)?,
    };
    let csv = fetch(invocation, &export, outside).map_err(|fault| export.keep(fault))?;
    texts::page(&csv, &export, limit)
}

/// Asks Dialpad for the export of a range.
fn start(invocation: &Invocation, range: Range, outside: &mut dyn Outside) -> Result<Export, Fault> {
    let now = outside.now();
    let end = range.end.unwrap_or(i64::MAX);
    let start = range.start.unwrap_or_else(|| (end.min(now) - DEFAULT_DAYS * DAY).max(0));
    let request = Request::post(invocation.url(&["api", "v2", "stats"])).json(&order(start, end, now));
    let answer = outside.send(request)?.json(api::error).map_err(|fault| api::hint(fault, ADMIN))?;
    match &answer["request_id"] {
        Value::String(id) if !id.is_empty() => Ok(Export { id: id.clone(), offset: 0, start, end }),
        Value::Number(id) => Ok(Export { id: id.to_string(), offset: 0, start, end }),
        _ => Err(unexpected("started an export without saying its request_id")),
    }
}

/// What to export: whole days in UTC, counted back from today.
fn order(start: i64, end: i64, now: i64) -> Value {
    let days_ago = |moment: i64| (now.div_euclid(DAY) - moment.div_euclid(DAY)).max(0);
    let mut order = json!({"export_type": "records", "stat_type": "texts"});
    if days_ago(start) == 0 {
        order["is_today"] = true.into();
    } else {
        order["days_ago_start"] = days_ago(end).into();
        order["days_ago_end"] = days_ago(start).into();
    }
    order["timezone"] = "UTC".into();
    order
}

/// The finished file.
fn fetch(invocation: &Invocation, export: &Export, outside: &mut dyn Outside) -> Result<String, Fault> {
    let url = wait(invocation, export, outside)?;
    // Which origin may serve it is the host's to judge: the declared one, or the account's `exports`.
    download(outside.send(Request::get(url))?)
}

/// Asks after the export until it is ready, and gives the URL of its file.
fn wait(invocation: &Invocation, export: &Export, outside: &mut dyn Outside) -> Result<String, Fault> {
    let patience = invocation.time_left().saturating_sub(RESERVE).min(PATIENCE);
    let deadline = outside.now() + i64::try_from(patience.as_millis()).unwrap_or(0);
    let mut pause = FIRST_PAUSE;
    loop {
        let asked = outside.send(Request::get(invocation.url(&["api", "v2", "stats", &export.id])))?;
        if let Some(url) = finished(asked)? {
            return Ok(url);
        }
        if outside.now() + i64::try_from(pause.as_millis()).unwrap_or(0) > deadline {
            let message = "Dialpad is still preparing the export of texts; the same call again goes on with it";
            return Err(export.unfinished(message.into(), None));
        }
        outside.wait(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// The file's URL if the export is ready, none while it is not.
fn finished(answer: Answer) -> Result<Option<String>, Fault> {
    let status = answer.json(api::error).map_err(|fault| api::hint(fault, EXPIRED))?;
    match status["status"].as_str() {
        Some("complete") => match status["download_url"].as_str() {
            Some(url) if url.starts_with("https://") || url.starts_with("http://") => Ok(Some(url.into())),
            _ => Err(unexpected("finished the export of texts without a URL to download it from")),
        },
        Some("failed") => Err(Fault::Provider(ProviderError {
            status: 200,
            code: Some("failed".into()),
            message: "Dialpad could not make the export of texts; the same call again starts a new one, and a shorter \
                      range may help"
                .into(),
        })),
        _ => Ok(None),
    }
}

/// The storage host knows nothing of accounts: what it refuses says nothing about the credential.
fn download(answer: Answer) -> Result<String, Fault> {
    match answer.text(|_| None) {
        Err(Fault::Unauthorized(error) | Fault::Forbidden(error) | Fault::NotFound(error)) => {
            let message = format!("the storage host does not hand out the finished export: {}", error.message);
            Err(Fault::Provider(ProviderError { message, ..error }))
        }
        other => other,
    }
}

#[cfg(test)]
#[path = "export_tests.rs"]
mod tests;
