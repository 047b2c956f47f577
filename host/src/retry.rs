//! Whether a request is sent again, and when. Pure: what happened goes in, a decision comes out.

use crate::description::Operation;
use http::{Method, StatusCode};
use std::time::Duration;

/// How often one request is sent at most. What four attempts in several seconds do not mend, a fifth seldom does.
const ATTEMPTS: u32 = 4;
/// The longest first backoff; every further one may be twice as long.
const BASE: Duration = Duration::from_millis(250);
const LONGEST_BACKOFF: Duration = Duration::from_secs(8);
/// What a wait must leave of the time, for the request that was waited for.
pub(crate) const ROOM: Duration = Duration::from_millis(200);

/// When a request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Executing it twice does what executing it once does.
    Harmless,
    /// Only when it certainly was not executed.
    IfUnexecuted,
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The provider answered so, and asked to be left alone for so long.
    Answered(StatusCode, Option<Duration>),
    /// No byte of the request left.
    Unsent,
    /// Some of the request left, and no whole answer came back.
    InDoubt,
    /// An answer came that cannot be given, such as one that is too large.
    Unusable,
}

impl Outcome {
    /// Whether the request certainly had no effect: it never left, or the provider refused it.
    pub(crate) fn is_unexecuted(self) -> bool {
        match self {
            // A redirection often is how a provider says that it did something; a timeout of its own tells nothing.
            Self::Answered(status, _) => status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT,
            Self::Unsent => true,
            Self::InDoubt | Self::Unusable => false,
        }
    }
}

impl Repeat {
    /// A function that only reads may still POST, say to start an export: two of them are not one.
    pub(crate) fn of(operation: Operation, method: &Method) -> Self {
        match operation {
            Operation::Read if method.is_safe() => Self::Harmless,
            Operation::Read | Operation::Write => Self::IfUnexecuted,
        }
    }

    /// How long to wait before the next attempt; `None` if this one was the last.
    ///
    /// `attempt` counts from 1, `left` is the time until the deadline, and `luck`, from 0 to 1, spreads the backoffs of
    /// those who failed together.
    pub(crate) fn after(self, attempt: u32, outcome: Outcome, left: Duration, luck: f64) -> Option<Duration> {
        let asked = match outcome {
            Outcome::Answered(status, asked) if self.allows(status) => asked,
            Outcome::InDoubt if self == Self::Harmless => None,
            Outcome::Unsent => None,
            Outcome::Answered(..) | Outcome::InDoubt | Outcome::Unusable => return None,
        };
        let pause = asked.unwrap_or_else(|| backoff(attempt).mul_f64(luck.clamp(0.0, 1.0)));
        (attempt < ATTEMPTS && pause + ROOM <= left).then_some(pause)
    }

    /// A request that met a limit was not executed; one that met a failing gateway may have been.
    fn allows(self, status: StatusCode) -> bool {
        match status {
            StatusCode::TOO_MANY_REQUESTS => true,
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                self == Self::Harmless
            }
            _ => false,
        }
    }
}

fn backoff(attempt: u32) -> Duration {
    BASE.saturating_mul(2u32.saturating_pow(attempt.saturating_sub(1))).min(LONGEST_BACKOFF)
}

#[cfg(test)]
mod tests {
    use super::Outcome::{Answered, InDoubt, Unsent, Unusable};
    use super::Repeat::{Harmless, IfUnexecuted};
    use super::*;

    const AGES: Duration = Duration::from_secs(3600);

    fn answered(status: u16) -> Outcome {
        Answered(StatusCode::from_u16(status).expect("a status"), None)
    }

    fn asking(status: u16, seconds: u64) -> Outcome {
        Answered(StatusCode::from_u16(status).expect("a status"), Some(Duration::from_secs(seconds)))
    }

    #[test]
    fn only_a_safe_method_of_a_reading_function_is_harmless() {
        let check = |operation, method, expected| assert_eq!(Repeat::of(operation, &method), expected, "{method}");
        check(Operation::Read, Method::GET, Harmless);
        check(Operation::Read, Method::HEAD, Harmless);
        check(Operation::Read, Method::OPTIONS, Harmless);
        check(Operation::Read, Method::POST, IfUnexecuted);
        check(Operation::Read, Method::PUT, IfUnexecuted);
        check(Operation::Read, Method::DELETE, IfUnexecuted);
        check(Operation::Write, Method::GET, IfUnexecuted);
        check(Operation::Write, Method::POST, IfUnexecuted);
        check(Operation::Write, Method::DELETE, IfUnexecuted);
    }

    #[track_caller]
    fn check(outcome: Outcome, harmless: bool, unexecuted: bool) {
        let again = |repeat: Repeat| repeat.after(1, outcome, AGES, 1.0).is_some();
        assert_eq!((again(Harmless), again(IfUnexecuted)), (harmless, unexecuted), "{outcome:?}");
    }

    #[test]
    fn a_write_is_sent_again_only_when_it_certainly_was_not_executed() {
        check(answered(429), true, true);
        check(asking(429, 1), true, true);
        check(Unsent, true, true);
        check(InDoubt, true, false);
        check(Unusable, false, false);
        check(answered(502), true, false);
        check(answered(503), true, false);
        check(asking(503, 1), true, false);
        check(answered(504), true, false);
    }

    #[test]
    fn an_answer_that_asking_again_would_not_change_is_final() {
        for status in [200, 204, 207, 301, 400, 401, 403, 404, 408, 409, 413, 422, 425, 500, 501, 505, 507] {
            check(answered(status), false, false);
        }
    }

    #[test]
    fn what_never_left_or_was_refused_had_no_effect() {
        let unexecuted = |status| answered(status).is_unexecuted();
        assert!(Unsent.is_unexecuted() && [400, 401, 404, 429].into_iter().all(unexecuted));
        assert!(!InDoubt.is_unexecuted() && !Unusable.is_unexecuted());
        assert!(![200, 204, 207, 302, 303, 408, 500, 502, 503, 504].into_iter().any(unexecuted));
    }

    #[track_caller]
    fn check_pause(attempt: u32, outcome: Outcome, left: u64, luck: f64, expected: Option<u64>) {
        let pause = Harmless.after(attempt, outcome, Duration::from_millis(left), luck);
        assert_eq!(pause, expected.map(Duration::from_millis));
    }

    #[test]
    fn the_pause_is_what_the_provider_asks_for_or_a_growing_random_one() {
        check_pause(1, asking(429, 7), 60_000, 0.5, Some(7000));
        check_pause(3, asking(503, 0), 60_000, 0.5, Some(0));
        check_pause(1, answered(503), 60_000, 1.0, Some(250));
        check_pause(2, answered(503), 60_000, 1.0, Some(500));
        check_pause(3, Unsent, 60_000, 1.0, Some(1000));
        check_pause(3, Unsent, 60_000, 0.5, Some(500));
        check_pause(3, InDoubt, 60_000, 0.0, Some(0));
        check_pause(1, Unsent, 60_000, f64::NAN.max(7.0), Some(250));
    }

    #[test]
    fn there_is_no_fifth_attempt() {
        check_pause(4, asking(429, 0), 60_000, 0.0, None);
        check_pause(4, Unsent, 60_000, 0.0, None);
        check_pause(u32::MAX, Unsent, 60_000, 0.0, None);
    }

    #[test]
    fn a_pause_that_leaves_no_time_for_the_request_is_not_begun() {
        check_pause(1, asking(429, 7), 7200, 0.0, Some(7000));
        check_pause(1, asking(429, 7), 7199, 0.0, None);
        check_pause(1, answered(503), 0, 0.0, None);
        check_pause(1, asking(429, u64::MAX >> 1), 60_000, 0.0, None);
    }

    #[test]
    fn backoffs_stop_growing() {
        let longest = [1, 2, 3, 6, 7, u32::MAX].map(|attempt| backoff(attempt).as_millis());
        assert_eq!(longest, [250, 500, 1000, 8000, 8000, 8000]);
    }
}
