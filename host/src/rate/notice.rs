//! What the head of an answer says of how often to ask.

use super::Pace;
use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// A provider that wants to be left alone for longer is asked again anyway, at most once a day.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// A provider that allows more in a window is asked only so often: each request of a window is remembered.
const MOST_LEARNED: u64 = 10_000;

/// A provider's own count, as far as it tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notice {
    /// The group it counted the request in.
    pub(crate) group: Option<String>,
    /// What it allows there.
    pub(crate) pace: Option<Pace>,
    /// How many more requests it would take now.
    pub(crate) remaining: Option<usize>,
    /// How long it asks to be left alone.
    pub(crate) retry_after: Option<Duration>,
}

impl Notice {
    /// Reads `X-Rate-Limit-*` and `Retry-After`. What cannot be read is as if it were absent.
    pub(crate) fn read(headers: &HeaderMap, now: SystemTime) -> Self {
        let limit = number(headers, "x-rate-limit-limit").and_then(|limit| u32::try_from(limit.min(MOST_LEARNED)).ok());
        let window = number(headers, "x-rate-limit-window").and_then(|window| u32::try_from(window).ok());
        let remaining = number(headers, "x-rate-limit-remaining").and_then(|left| usize::try_from(left).ok());
        Self {
            group: text(headers, "x-rate-limit-group").map(Into::into),
            pace: limit.zip(window).and_then(|(limit, window)| Pace::new(limit, window)),
            remaining,
            retry_after: pause(headers, now),
        }
    }

    /// How long to wait with the same request, after an answer of this status.
    pub(crate) fn pause(&self, status: StatusCode) -> Option<Duration> {
        if status == StatusCode::TOO_MANY_REQUESTS { self.penalty() } else { self.retry_after }
    }

    /// How long to leave the group alone after a 429: as asked, or for a window if the provider says that it is used up.
    pub(crate) fn penalty(&self) -> Option<Duration> {
        let used_up = self.pace.filter(|_| self.remaining == Some(0));
        self.retry_after.or(used_up.map(|pace| pace.window()))
    }
}

/// Seconds or a date, which is how `Retry-After` may be written.
fn pause(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = text(headers, RETRY_AFTER.as_str())?;
    let seconds = text.parse().ok().map(Duration::from_secs);
    let until = || {
        let date = OffsetDateTime::parse(text, &Rfc2822).ok()?;
        Some(SystemTime::from(date).duration_since(now).unwrap_or_default())
    };
    seconds.or_else(until).map(|pause| pause.min(LONGEST))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    text(headers, name)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1994-11-06 08:49:30 UTC
    const NOW: u64 = 784_111_770;

    fn read(lines: &[(&'static str, &str)]) -> Notice {
        let pair = |(name, value): &(&'static str, &str)| {
            (http::HeaderName::from_static(name), value.parse().expect("a header value"))
        };
        let headers = lines.iter().map(pair).collect();
        Notice::read(&headers, SystemTime::UNIX_EPOCH + Duration::from_secs(NOW))
    }

    #[track_caller]
    fn check_pause(value: &str, expected: Option<u64>) {
        assert_eq!(read(&[("retry-after", value)]).retry_after, expected.map(Duration::from_secs), "{value}");
    }

    #[test]
    fn a_pause_is_seconds_or_a_date() {
        check_pause("0", Some(0));
        check_pause(" 60 ", Some(60));
        check_pause("Sun, 06 Nov 1994 08:49:37 GMT", Some(7));
        check_pause("Sun, 06 Nov 1994 08:49:00 GMT", Some(0));
        check_pause("99999999999", Some(24 * 3600));
        for nonsense in ["", "-1", "1.5", "soon", "99999999999999999999999", "1994-11-06T08:49:37Z"] {
            check_pause(nonsense, None);
        }
    }

    #[test]
    fn a_count_is_read_whole_or_in_part() {
        let whole = read(&[
            ("x-rate-limit-group", "heavy"),
            ("x-rate-limit-limit", "10"),
            ("x-rate-limit-remaining", "0"),
            ("x-rate-limit-window", "60"),
        ]);
        assert_eq!(whole.group.as_deref(), Some("heavy"));
        assert_eq!((whole.pace, whole.remaining), (Pace::new(10, 60), Some(0)));
        let part = read(&[("x-rate-limit-limit", "10"), ("x-rate-limit-remaining", "-3")]);
        assert_eq!(part, Notice::default());
    }

    #[test]
    fn a_limit_is_learned_up_to_what_can_be_remembered() {
        for (written, learned) in [("9999", 9_999), ("100000", 10_000), ("18446744073709551615", 10_000)] {
            let notice = read(&[("x-rate-limit-limit", written), ("x-rate-limit-window", "60")]);
            assert_eq!(notice.pace, Pace::new(learned, 60), "{written}");
        }
    }

    #[track_caller]
    fn check_penalty(lines: &[(&'static str, &str)], expected: Option<u64>) {
        assert_eq!(read(lines).penalty(), expected.map(Duration::from_secs), "{lines:?}");
    }

    #[test]
    fn a_penalty_is_what_is_asked_for_or_the_window_that_is_used_up() {
        let count = |remaining| {
            [("x-rate-limit-limit", "10"), ("x-rate-limit-window", "60"), ("x-rate-limit-remaining", remaining)]
        };
        check_penalty(&count("0"), Some(60));
        check_penalty(&count("1"), None);
        check_penalty(&[("retry-after", "5")], Some(5));
        check_penalty(&[("retry-after", "5"), count("0")[0], count("0")[1], count("0")[2]], Some(5));
        check_penalty(&[], None);
    }
}
