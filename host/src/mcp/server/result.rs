//! What a tool gives back: data for programs, the same as text for readers, and no more than a client can take.

use crate::clip::clipped;
use crate::fault::Fault;
use crate::{Outcome, Rehearsal};
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Value, json};

/// A script's run: its envelope, and what a person would read.
pub(super) fn of_run(outcome: &Outcome, rehearsal: Option<&Rehearsal>, most: usize) -> CallToolResult {
    let mut envelope = serde_json::to_value(outcome).unwrap_or_default();
    if let Some(rehearsal) = rehearsal {
        envelope["requests"] = json!(rehearsal.requests());
    }
    let text = text(outcome, rehearsal);
    let length = envelope.to_string().len();
    if length > most {
        return too_long(&envelope, &text, length, most);
    }
    result(Some(envelope), text, outcome.success)
}

/// A function's result, or why there is none.
pub(super) fn of_function(outcome: Result<String, Fault>, most: usize) -> CallToolResult {
    match outcome {
        Ok(json) if json.len() > most => {
            let text = format!(
                "The result has {} characters, of which a client gets {most} at most. Ask for less of it, or filter it in \
                 a script.\n\n{}",
                json.len(),
                clipped(&json, most / 2)
            );
            result(None, text, false)
        }
        Ok(json) => {
            let value = serde_json::from_str(&json).unwrap_or(Value::Null);
            let structured = if value.is_object() { value } else { json!({"result": value}) };
            result(Some(structured), json, true)
        }
        Err(fault) => result(Some(json!({"fault": fault})), fault.message, false),
    }
}

/// A refusal before anything was done.
pub(super) fn refused(message: impl Into<String>) -> CallToolResult {
    result(None, message.into(), false)
}

fn result(structured: Option<Value>, text: String, success: bool) -> CallToolResult {
    let content = vec![ContentBlock::text(text)];
    let mut result = if success { CallToolResult::success(content) } else { CallToolResult::error(content) };
    result.structured_content = structured;
    result
}

/// What was done is told all the same: whoever does not know it would do it again.
fn too_long(envelope: &Value, text: &str, length: usize, most: usize) -> CallToolResult {
    let mut envelope = envelope.clone();
    let note = format!(
        "The run took place, but what came of it has {length} characters, of which a client gets {most} at most. Return \
         and print less."
    );
    let kept = clipped(text, most / 2);
    envelope["output"] = json!(clipped(envelope["output"].as_str().unwrap_or_default(), most / 4));
    envelope["result"] = Value::Null;
    envelope["error"] = json!(note);
    for list in ["integration_calls", "requests"] {
        let long = envelope[list].to_string().len() > most / 4;
        if let Some(items) = envelope[list].as_array_mut().filter(|_| long) {
            items.truncate(20);
        }
    }
    result(Some(envelope), format!("{note}\n\n{kept}"), false)
}

/// What was printed, what was returned, what went wrong.
fn text(outcome: &Outcome, rehearsal: Option<&Rehearsal>) -> String {
    let printed = (!outcome.output.is_empty()).then(|| outcome.output.clone());
    let returned = outcome.result.iter().flatten().filter(|value| !value.is_null()).map(|value| match value {
        Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    });
    let held = rehearsal.map(|rehearsal| {
        let held = rehearsal.requests().iter().filter(|request| !request.sent).count();
        format!("Dry run: {held} requests were not sent.")
    });
    let parts: Vec<_> = printed.into_iter().chain(returned).chain(outcome.error.clone()).chain(held).collect();
    if parts.is_empty() { "Done; the script printed and returned nothing.".into() } else { parts.join("\n") }
}
