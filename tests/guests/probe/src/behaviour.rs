//! What scenarios ask of the probe that is no misbehaviour, or only with the wrong arguments.

use kosmo_plugin::{Fault, Invocation, NotReadyError, ProviderError, Request};
use serde_json::{Value, json};

pub(crate) fn echo(invocation: &Invocation) -> Result<String, Fault> {
    let argument = |name| invocation.argument(name).cloned().unwrap_or(Value::Null);
    let environment: Vec<_> = std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
    Ok(json!({
        "payload": argument("payload"),
        "list": argument("list"),
        "text": argument("text"),
        "choice": argument("choice"),
        "region": invocation.setting("region"),
        "base_url": invocation.base_url(),
        "environment": environment,
        "command_line": std::env::args().collect::<Vec<_>>(),
    })
    .to_string())
}

fn request(invocation: &Invocation) -> Request {
    let url = invocation.text("url").unwrap_or_default();
    let url = if url.contains("://") { url.to_owned() } else { format!("{}{url}", invocation.base_url()) };
    let request = match invocation.text("method") {
        Some("POST") => Request::post(url),
        Some("DELETE") => Request::delete(url),
        _ => Request::get(url),
    };
    match invocation.text("body").and_then(|body| serde_json::from_str(body).ok()) {
        Some(body) => request.json(&body),
        None => request,
    }
}

pub(crate) fn fetch(invocation: &Invocation) -> Result<String, Fault> {
    let answer = request(invocation).send()?;
    let status = answer.status();
    let body = answer.text(|_| None)?;
    Ok(json!({ "status": status, "length": body.len(), "body": body }).to_string())
}

pub(crate) fn swallow(invocation: &Invocation) -> Result<String, Fault> {
    let message = "there is nothing here, honestly".to_owned();
    fetch(invocation).map_err(|_| Fault::NotFound(ProviderError { status: 404, code: None, message }))
}

pub(crate) fn export(invocation: &Invocation) -> Result<String, Fault> {
    let asked = invocation.resume().and_then(|resume| resume.parse::<u32>().ok()).unwrap_or_default();
    if asked == 2 {
        return Ok(json!({ "asked": asked }).to_string());
    }
    let message = format!("asked {asked} times before");
    Err(Fault::NotReady(NotReadyError { message, retry_after: 7, resume: Some((asked + 1).to_string()) }))
}

pub(crate) fn numbers(invocation: &Invocation) -> Result<String, Fault> {
    let start: u32 = invocation.text("cursor").and_then(|cursor| cursor.parse().ok()).unwrap_or_default();
    let items: Vec<_> = (start + 1..=start + 3).filter(|&number| number <= 8).collect();
    let next = match invocation.text("broken") {
        Some("same") => Some("0".to_owned()),
        _ => (start + 3 < 8).then(|| (start + 3).to_string()),
    };
    Ok(json!({ "items": items, "cursor": next }).to_string())
}
