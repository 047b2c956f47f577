//! What a tool gives back: data for programs, the same as text for readers, and no more than a client can take.

use crate::clip::clipped;
use crate::fault::Fault;
use crate::{Outcome, Rehearsal};
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Map, Value, json};

/// Most characters of one value of what is listed, where the whole is too long.
const SHORT: usize = 200;

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
    let kept = clipped(text, most / 4);
    envelope["output"] = json!(clipped(envelope["output"].as_str().unwrap_or_default(), most / 8));
    envelope["result"] = Value::Null;
    envelope["error"] = json!(note);
    for list in ["integration_calls", "requests"] {
        if let Some(items) = envelope[list].as_array_mut() {
            fit(items, most / 8);
        }
    }
    // A fault is its code and a sentence; a script may have made that of megabytes.
    if let Some(fault) = envelope["fault"].as_object_mut() {
        fault.values_mut().for_each(|value| shorten(value, most / 16));
    }
    result(Some(envelope), format!("{note}\n\n{kept}"), false)
}

/// The first ones that have room, each shortened.
fn fit(items: &mut Vec<Value>, most: usize) {
    let (all, mut left) = (items.len(), most);
    let mut fits = |item: &mut Value| {
        item.as_object_mut().into_iter().flat_map(Map::values_mut).for_each(|value| shorten(value, SHORT));
        let length = item.to_string().len();
        let fits = length <= left;
        left = left.saturating_sub(length);
        fits
    };
    let kept = items.iter_mut().position(|item| !fits(item)).unwrap_or(all);
    items.truncate(kept);
}

/// A text that is too long ends early; anything else that is too long is left out.
fn shorten(value: &mut Value, most: usize) {
    match value {
        Value::String(text) => *text = clipped(text, most).into(),
        other if other.to_string().len() > most => *other = Value::Null,
        _ => {}
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_made_a_run_too_long_what_is_told_of_it_is_not() {
        let long = "x".repeat(1 << 20);
        let requests: Vec<_> = (0..50).map(|_| json!({"url": long, "body": {"text": long}, "sent": false})).collect();
        let calls: Vec<_> =
            (0..1000).map(|at| json!({"path": format!("integrations.dialpad.f{at}"), "error": long})).collect();
        let envelope = json!({
            "success": false, "output": long, "error": long, "result": [long], "requests": requests,
            "integration_calls": calls, "meta": {"run": "00ff"}, "fault": {"code": "provider", "message": long},
        });
        let told = too_long(&envelope, &long, 1 << 30, 10_000);
        let structured = told.structured_content.as_ref().expect("an envelope");
        assert_eq!((&structured["meta"]["run"], &structured["fault"]["code"]), (&json!("00ff"), &json!("provider")));
        assert_eq!(structured["integration_calls"][0]["path"], "integrations.dialpad.f0");
        let length = serde_json::to_string(&told).expect("JSON").len();
        assert!(length <= 10_000, "{length}");
    }
}
