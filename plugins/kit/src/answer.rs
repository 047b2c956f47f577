//! What the provider answered, and how it becomes a result or a fault.

use crate::{Fault, ProviderError, RateLimitError};
use serde::de::IgnoredAny;
use serde_json::Value;

/// Longest piece of an unreadable body worth showing: enough for an error page's title.
const EXCERPT: usize = 200;

/// A provider's error code and message, as its JSON envelope holds them.
pub type ErrorParts = (Option<String>, String);

/// Status and body of an answer.
#[derive(Debug)]
pub struct Answer {
    status: u16,
    retry_after: Option<u32>,
    body: String,
}

impl Answer {
    pub(crate) fn new(status: u16, retry_after: Option<u32>, body: String) -> Self {
        Self { status, retry_after, body }
    }

    /// An answer as a test makes it.
    pub fn test(status: u16, body: &str) -> Self {
        Self::new(status, None, body.into())
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The body of a success as JSON text (an empty one is `{}`), or the fault that another status means.
    ///
    /// `error` finds code and message in the provider's error envelope.
    pub fn success(self, error: fn(&Value) -> Option<ErrorParts>) -> Result<String, Fault> {
        if !(200..300).contains(&self.status) {
            return Err(self.fault(error));
        }
        if self.body.trim().is_empty() {
            return Ok("{}".into());
        }
        match serde_json::from_str::<IgnoredAny>(&self.body) {
            Ok(_) => Ok(self.body),
            Err(_) => Err(Fault::Provider(self.unreadable("answered with something that is not JSON"))),
        }
    }

    /// The body of a success as text of any type, or the fault that another status means.
    pub fn text(self, error: fn(&Value) -> Option<ErrorParts>) -> Result<String, Fault> {
        if (200..300).contains(&self.status) { Ok(self.body) } else { Err(self.fault(error)) }
    }

    /// As [`Answer::success`], parsed.
    pub fn json(self, error: fn(&Value) -> Option<ErrorParts>) -> Result<Value, Fault> {
        let text = self.success(error)?;
        serde_json::from_str(&text).map_err(|error| Fault::Internal(error.to_string()))
    }

    fn fault(self, error: fn(&Value) -> Option<ErrorParts>) -> Fault {
        let retry_after = self.retry_after;
        let error = match serde_json::from_str(&self.body).ok().as_ref().and_then(error) {
            Some((code, message)) => ProviderError { status: self.status, code, message },
            None => self.unreadable("answered without a readable error"),
        };
        match error.status {
            401 => Fault::Unauthorized(error),
            403 => Fault::Forbidden(error),
            404 => Fault::NotFound(error),
            429 => Fault::RateLimited(RateLimitError { error, retry_after }),
            _ => Fault::Provider(error),
        }
    }

    fn unreadable(&self, what: &str) -> ProviderError {
        let body = self.body.trim();
        let message = match body {
            "" => format!("{what}: the body is empty"),
            _ if body.starts_with('<') => format!("{what}: an HTML page{}", title(body)),
            _ => format!("{what}: {}", body.chars().take(EXCERPT).collect::<String>()),
        };
        ProviderError { status: self.status, code: None, message }
    }
}

/// ` "Bad Gateway"`, if the page has a title.
fn title(html: &str) -> String {
    let lower = html.to_ascii_lowercase();
    let bounds = lower.find("<title>").zip(lower.find("</title>"));
    match bounds.and_then(|(start, end)| html.get(start + "<title>".len()..end)) {
        Some(title) => format!(" titled \"{}\"", title.trim().chars().take(EXCERPT).collect::<String>()),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(body: &Value) -> Option<ErrorParts> {
        Some((body["code"].as_str().map(Into::into), body["message"].as_str()?.into()))
    }

    #[track_caller]
    fn check(status: u16, body: &str, expected: &str) {
        let outcome = Answer::test(status, body).success(envelope);
        assert_eq!(outcome.unwrap_or_else(|fault| format!("{fault:?}").replace('\\', "")), expected);
    }

    #[test]
    fn successes_pass_through_and_empty_ones_are_empty_objects() {
        check(200, r#"{"big": 9007199254740993}"#, r#"{"big": 9007199254740993}"#);
        check(204, "", "{}");
        check(200, " \n", "{}");
    }

    #[track_caller]
    fn check_fault(status: u16, body: &str, variant: &str, message: &str) {
        let fault = Answer::test(status, body).success(envelope).expect_err("a fault");
        let shown = format!("{fault:?}");
        assert!(shown.starts_with(&format!("Fault::{variant}")) && shown.contains(message), "{shown}");
    }

    #[test]
    fn every_status_becomes_its_fault_with_the_providers_words() {
        check_fault(401, r#"{"code":"OAU-129","message":"token expired"}"#, "Unauthorized", "token expired");
        check_fault(403, r#"{"message":"no scope"}"#, "Forbidden", "no scope");
        check_fault(404, "Requested URL not found", "NotFound", "Requested URL not found");
        check_fault(429, "", "RateLimited", "the body is empty");
        check_fault(502, "<html><title>Bad Gateway</title>", "Provider", "Bad Gateway");
        check_fault(200, "<html>", "Provider", "not JSON");
        check_fault(207, "--multipart", "Provider", "not JSON");
    }
}
