//! What a grant says of an invocation's limits.

use crate::limits::Limits;
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

/// What of [`Limits`] the operator set; the rest keeps its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GrantLimits {
    /// From the first check to the answer, waiting included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_seconds: Option<Seconds>,
    /// Computing inside the plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_seconds: Option<Seconds>,
    /// Linear memory, all memories together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<MemoryBytes>,
    /// HTTP requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<NonZeroU32>,
    /// One request's body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_bytes: Option<NonZeroUsize>,
    /// One response's body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_bytes: Option<NonZeroUsize>,
}

/// More than none, and not for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(Duration);

/// More than none, and no more than a sandbox can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "usize")]
pub struct MemoryBytes(usize);

impl GrantLimits {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// These limits, with what is set here instead.
    pub(crate) fn replace(&self, limits: Limits) -> Limits {
        self.combine(limits, |_, own| own, |_, own| own)
    }

    /// These limits, with what is set here where that is less.
    pub(crate) fn narrow(&self, limits: Limits) -> Limits {
        self.combine(limits, Duration::min, usize::min)
    }

    fn combine(
        &self,
        limits: Limits,
        times: fn(Duration, Duration) -> Duration,
        counts: fn(usize, usize) -> usize,
    ) -> Limits {
        let time = |known, own: Option<Seconds>| own.map_or(known, |own| times(known, own.0));
        let count = |known, own: Option<usize>| own.map_or(known, |own| counts(known, own));
        let requests = count(limits.requests as usize, self.requests.map(|number| number.get() as usize));
        Limits {
            wall: time(limits.wall, self.wall_seconds),
            cpu: time(limits.cpu, self.cpu_seconds),
            memory: count(limits.memory, self.memory_bytes.map(|bytes| bytes.0)),
            requests: u32::try_from(requests).unwrap_or(u32::MAX),
            request_body: count(limits.request_body, self.request_bytes.map(NonZeroUsize::get)),
            response_body: count(limits.response_body, self.response_bytes.map(NonZeroUsize::get)),
            ..limits
        }
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0.as_secs_f64())
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        let usable = Duration::try_from_secs_f64(seconds).ok().filter(|duration| !duration.is_zero());
        let wrong =
            || D::Error::invalid_value(Unexpected::Float(seconds), &"a number of seconds above 0, such as 30 or 0.5");
        usable.map(Self).ok_or_else(wrong)
    }
}

impl TryFrom<usize> for MemoryBytes {
    type Error = String;

    fn try_from(bytes: usize) -> Result<Self, String> {
        let most = Limits::default().memory;
        let refused = || format!("expected a number of bytes from 1 to {most}, which is what a sandbox can have");
        if (1..=most).contains(&bytes) { Ok(Self(bytes)) } else { Err(refused()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(text: &str) -> GrantLimits {
        toml::from_str(text).expect("limits")
    }

    #[test]
    fn what_is_not_set_stays_and_a_narrowing_file_only_lowers() {
        let defaults = Limits::default();
        let more = limits("wall_seconds = 60\nrequests = 500\nmemory_bytes = 1048576\n");
        let set = Limits { wall: Duration::from_secs(60), requests: 500, memory: 1 << 20, ..defaults };
        assert_eq!(more.replace(defaults), set);
        assert_eq!(more.narrow(defaults), Limits { memory: 1 << 20, ..defaults });
        let bodies = limits("cpu_seconds = 0.5\nrequest_bytes = 10\nresponse_bytes = 20\n");
        let narrow = Limits { cpu: Duration::from_millis(500), request_body: 10, response_body: 20, ..defaults };
        assert_eq!((bodies.narrow(defaults), bodies.replace(defaults)), (narrow, narrow));
    }

    #[test]
    fn limits_that_make_no_sense_are_refused() {
        for text in [
            "wall_seconds = 0",
            "wall_seconds = -1",
            "wall_seconds = nan",
            "wall_seconds = inf",
            "cpu_seconds = \"5\"",
            "memory_bytes = 0",
            "memory_bytes = 67108865",
            "memory_bytes = 1.5",
            "requests = 0",
            "requests = -1",
            "request_bytes = 0",
            "response_bytes = 0",
            "table_elements = 1",
        ] {
            assert!(toml::from_str::<GrantLimits>(text).is_err(), "{text}");
        }
    }
}
