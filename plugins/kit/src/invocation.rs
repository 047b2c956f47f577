//! One run of a function as it sees it: checked arguments, the account's URL and settings, the time left.

use crate::{ArgumentError, Fault, clock, contract, percent};
use serde_json::{Map, Value};
use std::time::Duration;

/// The arguments and surroundings of one run of a function.
#[derive(Debug)]
pub struct Invocation {
    function: String,
    arguments: Map<String, Value>,
    base_url: String,
    settings: Vec<(String, String)>,
    deadline: Duration,
    resume: Option<String>,
    lost: Option<String>,
}

impl Invocation {
    pub(crate) fn parse(invocation: contract::Invocation) -> Result<Self, Fault> {
        let Ok(Value::Object(arguments)) = serde_json::from_str(&invocation.arguments) else {
            return Err(Fault::Internal("the host's arguments are not an object".into()));
        };
        Ok(Self {
            function: invocation.function,
            arguments,
            base_url: invocation.base_url,
            settings: invocation.settings,
            deadline: clock::now() + Duration::from_millis(invocation.time_left.into()),
            resume: invocation.resume,
            lost: invocation.lost,
        })
    }

    /// An invocation as a test makes it: `Invocation::test("list_users", r#"{"limit": 3}"#)`.
    pub fn test(function: &str, arguments: &str) -> Self {
        Self::parse(contract::Invocation {
            function: function.into(),
            arguments: arguments.into(),
            account: "default".into(),
            base_url: "https://provider.test".into(),
            settings: Vec::new(),
            time_left: 30_000,
            resume: None,
            lost: None,
        })
        .expect("a test's arguments are an object")
    }

    /// The same with what an earlier one left in `not-ready.resume`, for tests.
    pub fn resuming(self, resume: &str) -> Self {
        Self { resume: Some(resume.into()), ..self }
    }

    /// The same, asked for a write that was sent after this time and whose answer got lost, for tests.
    pub fn looking_for(self, lost: &str) -> Self {
        Self { lost: Some(lost.into()), ..self }
    }

    /// The function's name.
    pub fn function(&self) -> &str {
        &self.function
    }

    /// The raw argument. An explicit null is `Some(Value::Null)`.
    pub fn argument(&self, name: &str) -> Option<&Value> {
        self.arguments.get(name)
    }

    /// A string argument; absent, null and empty are all `None`.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.argument(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// An integer argument.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.argument(name)?.as_i64()
    }

    /// A boolean argument.
    pub fn boolean(&self, name: &str) -> Option<bool> {
        self.argument(name)?.as_bool()
    }

    /// An object argument.
    pub fn object(&self, name: &str) -> Option<&Map<String, Value>> {
        self.argument(name)?.as_object()
    }

    /// An account setting, or the URL with which the operator replaced an origin.
    pub fn setting(&self, key: &str) -> Option<&str> {
        self.settings.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// What an earlier, identical invocation left behind in `not-ready.resume`.
    pub fn resume(&self) -> Option<&str> {
        self.resume.as_deref()
    }

    /// Since when the same write may have happened, when that is the question: UTC, such as `2026-05-01T00:00:00Z`.
    pub fn lost(&self) -> Option<&str> {
        self.lost.as_deref()
    }

    /// How long until the host ends this invocation.
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_sub(clock::now())
    }

    /// The account's URL followed by these path segments, each percent-encoded: an id can never add a segment.
    pub fn url(&self, segments: &[&str]) -> String {
        segments.iter().fold(self.base_url.clone(), |url, segment| url + "/" + &percent::encode(segment))
    }

    /// The account's URL, without a trailing slash.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }
}

impl Fault {
    /// A bad argument: which, and what goes on after its name, with what is expected and an example.
    pub fn argument(parameter: &str, message: impl Into<String>) -> Self {
        Self::InvalidArgument(ArgumentError { parameter: parameter.into(), message: message.into() })
    }
}
