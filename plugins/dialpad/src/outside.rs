//! What a function needs from outside of itself: the provider and the time. Tests script both.

use kosmo_plugin::bindings::wasi::clocks::{monotonic_clock, wall_clock};
use kosmo_plugin::{Answer, Fault, Request};
use std::time::Duration;

/// The provider and the clock.
pub(crate) trait Outside {
    /// Sends a request and waits for the whole answer.
    fn send(&mut self, request: Request) -> Result<Answer, Fault>;
    /// Lets time pass.
    fn wait(&mut self, pause: Duration);
    /// Unix time in milliseconds.
    fn now(&self) -> i64;
}

/// The real ones. The clocks are the contract's: those of the standard library make the component 5 KB larger.
pub(crate) struct Live;

impl Outside for Live {
    fn send(&mut self, request: Request) -> Result<Answer, Fault> {
        request.send()
    }

    fn wait(&mut self, pause: Duration) {
        let nanoseconds = u64::try_from(pause.as_nanos()).unwrap_or(u64::MAX);
        monotonic_clock::subscribe_duration(nanoseconds).block();
    }

    fn now(&self) -> i64 {
        let now = wall_clock::now();
        i64::try_from(now.seconds)
            .unwrap_or(i64::MAX)
            .saturating_mul(1000)
            .saturating_add(i64::from(now.nanoseconds / 1_000_000))
    }
}

#[cfg(test)]
pub(crate) mod script {
    use super::*;
    use std::collections::VecDeque;

    /// A provider that gives these answers in turn and remembers what it was asked; waiting only moves its clock.
    pub(crate) struct Script {
        answers: VecDeque<(u16, String)>,
        pub(crate) asked: Vec<String>,
        pub(crate) now: i64,
        pub(crate) waited: Duration,
    }

    impl Script {
        pub(crate) fn new<'a>(answers: impl IntoIterator<Item = (u16, &'a str)>) -> Self {
            let answers = answers.into_iter().map(|(status, body)| (status, body.to_owned())).collect();
            Self { answers, asked: Vec::new(), now: 1_767_225_600_000, waited: Duration::ZERO }
        }
    }

    impl Outside for Script {
        fn send(&mut self, request: Request) -> Result<Answer, Fault> {
            let url = request.url().trim_start_matches("https://provider.test");
            let body = request.body().map(|body| format!(" {body}")).unwrap_or_default();
            self.asked.push(format!("{} {url}{body}", request.method()));
            let (status, body) = self.answers.pop_front().expect("the script has an answer for every request");
            Ok(Answer::test(status, &body))
        }

        fn wait(&mut self, pause: Duration) {
            self.waited += pause;
            self.now += i64::try_from(pause.as_millis()).expect("a short pause");
        }

        fn now(&self) -> i64 {
            self.now
        }
    }
}
