//! A tool that is only called as a task, as servers may have it since the protocol of November 2025: it is begun, asked
//! after until it has ended, and called off where nobody waits for it any more.

use super::connection::{Connection, Patience};
use super::tools::Tool;
use crate::fault::{Code, Fault};
use rmcp::RoleClient;
use rmcp::model::CustomRequest;
use rmcp::service::Peer;
use serde_json::{Map, Value, json};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::sleep;

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
    /// Runs a tool, as a task if it has said that it is only called so. It is never called a second time: what it says
    /// went wrong may have gone halfway.
    pub(super) async fn run(
        &self,
        tool: &Tool,
        arguments: Map<String, Value>,
        patience: Patience,
    ) -> Result<Value, Fault> {
        if !tool.is_task {
            return self.call(&tool.name, arguments, patience).await;
        }
        let ttl = u64::try_from(REMEMBERED.as_millis()).unwrap_or(u64::MAX);
        let params = json!({"name": tool.name, "arguments": arguments, "task": {"ttl": ttl}});
        let begun = self.ask("tools/call", params, patience).await?;
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
