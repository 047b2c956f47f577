//! A tool that is only called as a task, as servers may have it since the protocol of November 2025: it is begun, asked
//! after until it has ended, and called off where nobody waits for it any more.

use super::connection::{Connection, Patience};
use crate::fault::{Code, Fault};
use rmcp::RoleClient;
use rmcp::model::CustomRequest;
use rmcp::service::Peer;
use serde_json::{Map, Value, json};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::sleep;

/// How a server refuses a call that is not begun as a task. Nothing was done then.
const REFUSED: &str = "-32601";
/// The official SDKs wrap that refusal into a result, and only their words are left of it.
const WRAPPED: [&str; 2] = ["task augmentation", "task-augmented"];
/// How long a server is asked to remember what came of it.
const REMEMBERED: Duration = Duration::from_secs(60 * 60);
/// Between asking and asking again, unless the server says otherwise, and at most and at least.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);

/// A task as a server tells of it.
#[derive(Debug, PartialEq)]
struct Told {
    id: String,
    status: Status,
    pause: Duration,
}

#[derive(Debug, PartialEq)]
enum Status {
    Working,
    CalledOff,
    /// Or something is asked of us, which comes with the result.
    Over,
}

impl Told {
    fn read(told: &Value) -> Option<Self> {
        let id = told.get("taskId")?.as_str()?.to_owned();
        let status = match told.get("status")?.as_str()? {
            "working" => Status::Working,
            "cancelled" => Status::CalledOff,
            _ => Status::Over,
        };
        let pause = told.get("pollInterval").or(told.get("pollIntervalMs")).and_then(Value::as_u64);
        let pause = pause.map_or(PAUSE, Duration::from_millis).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        Some(Self { id, status, pause })
    }
}

impl Connection {
    /// Runs a tool, as a task if its server has it no other way.
    pub(super) async fn run(
        &self,
        tool: &str,
        arguments: Map<String, Value>,
        patience: Patience,
    ) -> Result<Value, Fault> {
        let called = self.call(tool, arguments.clone(), patience).await;
        if !wants_task(&called) {
            return called;
        }
        let ttl = u64::try_from(REMEMBERED.as_millis()).unwrap_or(u64::MAX);
        let params = json!({"name": tool, "arguments": arguments, "task": {"ttl": ttl}});
        let begun = match self.ask("tools/call", params, patience).await {
            Err(fault) if is_refused(&fault) => return called,
            begun => begun?,
        };
        match begun.get("task").and_then(Told::read) {
            Some(task) => self.await_task(task, patience).await.map_err(|fault| Fault { provider_code: None, ..fault }),
            None => Ok(begun),
        }
    }

    /// Whatever a server says of a task that it began is no refusal of the call.
    async fn await_task(&self, mut task: Told, patience: Patience) -> Result<Value, Fault> {
        let params = json!({"taskId": task.id});
        let mut watched = Watched { peer: self.peer(), id: Some(task.id) };
        while task.status == Status::Working {
            sleep(task.pause).await;
            let told = self.ask("tasks/get", params.clone(), patience).await?;
            task = Told::read(&told).ok_or_else(|| self.nonsense("its answer to tasks/get tells of no task"))?;
        }
        let result = match task.status {
            Status::CalledOff => Err(Fault::new(Code::Provider, "The task was called off at the server.")),
            Status::Working | Status::Over => self.ask("tasks/result", params, patience).await,
        };
        watched.id = None;
        result
    }
}

/// Whether a call was refused because it was not begun as a task.
fn wants_task(called: &Result<Value, Fault>) -> bool {
    match called {
        Ok(result) if result.get("isError") == Some(&Value::Bool(true)) => {
            let text = result.pointer("/content/0/text").and_then(Value::as_str).unwrap_or_default();
            WRAPPED.iter().any(|words| text.contains(words))
        }
        Ok(_) => false,
        Err(fault) => is_refused(fault),
    }
}

fn is_refused(fault: &Fault) -> bool {
    fault.provider_code.as_deref() == Some(REFUSED)
}

/// Calls the task off when it is dropped before its end.
struct Watched {
    peer: Peer<RoleClient>,
    id: Option<String>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        let (Some(id), Ok(runtime)) = (self.id.take(), Handle::try_current()) else { return };
        let peer = self.peer.clone();
        let request = CustomRequest::new("tasks/cancel", Some(json!({"taskId": id})));
        runtime.spawn(async move {
            // A server that is gone need not be told.
            let _ = peer.send_request(request.into()).await;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(told: Value, expected: Option<(Status, u64)>) {
        let read = Told::read(&told).map(|task| (task.status, task.pause));
        assert_eq!(read, expected.map(|(status, pause)| (status, Duration::from_millis(pause))), "{told}");
    }

    #[test]
    fn a_refusal_is_known_in_a_result_too() {
        let failed = |text: &str| Ok(json!({"isError": true, "content": [{"type": "text", "text": text}]}));
        assert!(wants_task(&failed("MCP error -32601: Tool x requires task augmentation (taskSupport: 'required')")));
        assert!(wants_task(&failed("This tool requires task-augmented invocation")));
        assert!(!wants_task(&failed("it requires task 7")));
        assert!(!wants_task(&Ok(json!({"content": [{"type": "text", "text": "task augmentation"}]}))));
    }

    #[test]
    fn what_a_server_tells_of_a_task_is_understood() {
        check(json!({"taskId": "1", "status": "working"}), Some((Status::Working, 1_000)));
        check(json!({"taskId": "1", "status": "working", "pollInterval": 0}), Some((Status::Working, 50)));
        check(json!({"taskId": "1", "status": "working", "pollInterval": 1e9}), Some((Status::Working, 1_000)));
        check(json!({"taskId": "1", "status": "working", "pollIntervalMs": 90_000}), Some((Status::Working, 5_000)));
        check(json!({"taskId": "1", "status": "cancelled"}), Some((Status::CalledOff, 1_000)));
        for status in ["completed", "failed", "input_required", "anything"] {
            check(json!({"taskId": "1", "status": status}), Some((Status::Over, 1_000)));
        }
        check(json!({"taskId": 1, "status": "working"}), None);
        check(json!({"content": []}), None);
    }
}
