//! What a run came to, in the shape that `--json` prints.

use crate::fault::Fault;
use crate::interrupt::UnderWay;
use serde::Serialize;
use std::time::Duration;

/// What running a script came to.
///
/// Serialises to the envelope that `kosmo integrations:lua --json` prints, keys in this order.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// Whether the script ran to its end.
    pub success: bool,
    /// Everything it printed, lines joined by a line feed, also when it failed later.
    pub output: String,
    /// One sentence, or what the script raised.
    pub error: Option<String>,
    /// The values the script returned. `None` when it failed.
    pub result: Option<Vec<serde_json::Value>>,
    /// Present when a fault ended the script.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// Wall time in milliseconds, to a tenth.
    pub execution_time_ms: f64,
    /// Bytes of Lua memory in use at the end. `None` when the script failed.
    pub memory_usage: Option<usize>,
    /// Every function the script asked for, in the order it did.
    pub integration_calls: Vec<IntegrationCall>,
    /// About the run itself.
    pub meta: Meta,
}

/// About a run itself.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Meta {
    /// Whether the run was forced past the operator's permissions.
    pub permission_bypassed: bool,
    /// Whether it was only rehearsed. Absent if not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// What the audit log calls this run. Absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The command that goes on with it, where starting afresh would do again what was done. The command line knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume: Option<String>,
    /// The writes that were under way when the run was interrupted, and what became of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub under_way: Vec<UnderWay>,
}

/// One function a script asked for.
#[derive(Clone, Debug, Serialize)]
pub struct IntegrationCall {
    /// As the script wrote it, without `app.`: `integrations.ringcentral.list_messages`
    pub path: String,
    /// Wall time in milliseconds, to a tenth. Zero when nothing was run.
    #[serde(rename = "durationMs")]
    pub duration_ms: f64,
    /// Whether it gave a result.
    pub status: Status,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// `list_messages`
    pub name: String,
    /// The provider: `ringcentral`
    pub group: String,
}

/// How a function a script asked for ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// With a result.
    Ok,
    /// With a fault.
    Error,
}

impl Outcome {
    /// A run that ended before, or without, its script.
    pub(super) fn failed(error: String, fault: Option<Fault>) -> Self {
        Self {
            success: false,
            output: String::new(),
            error: Some(error),
            result: None,
            fault,
            execution_time_ms: 0.0,
            memory_usage: None,
            integration_calls: Vec::new(),
            meta: Meta::default(),
        }
    }

    /// A run that a fault ended.
    pub(super) fn faulted(fault: Fault) -> Self {
        Self::failed(fault.message.clone(), Some(fault))
    }
}

/// To a tenth, as the envelope shows times.
pub(super) fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}
