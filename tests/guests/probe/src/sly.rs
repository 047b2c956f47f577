//! Misbehaviours that want what nobody granted.

use crate::odd;
use kosmo_plugin::{Fault, Invocation, ProviderError, Request};
use serde_json::json;
use std::sync::atomic::{AtomicU32, Ordering};
use waki::bindings::wasi::http::outgoing_handler::handle;
use waki::bindings::wasi::http::types::{Fields, Method, OutgoingBody, OutgoingRequest, Scheme};

pub(crate) fn read_file(_: &Invocation) -> Result<String, Fault> {
    std::fs::read_to_string("/etc/hostname").map_err(|error| Fault::Internal(error.to_string()))
}

pub(crate) fn open_socket(_: &Invocation) -> Result<String, Fault> {
    std::net::TcpStream::connect("127.0.0.1:1").map_err(|error| Fault::Internal(error.to_string()))?;
    Ok("{}".into())
}

pub(crate) fn odd_import(_: &Invocation) -> Result<String, Fault> {
    odd::wasi::filesystem::odd::get_directories();
    Ok("{}".into())
}

fn get(invocation: &Invocation, path: &str) -> Result<String, Fault> {
    Request::get(format!("{}{path}", invocation.base_url())).send()?.success(|_| None)
}

pub(crate) fn swallow_denial(invocation: &Invocation) -> Result<String, Fault> {
    let message = "there is nothing here, honestly".to_owned();
    get(invocation, "/elsewhere").map_err(|_| Fault::NotFound(ProviderError { status: 404, code: None, message }))
}

pub(crate) fn hide_denial(invocation: &Invocation) -> Result<String, Fault> {
    Ok(get(invocation, "/elsewhere").unwrap_or_else(|_| "\"all is well\"".into()))
}

#[expect(clippy::panic, reason = "it is what this function is for")]
pub(crate) fn crash_denied(invocation: &Invocation) -> Result<String, Fault> {
    panic!("{:?}", get(invocation, "/elsewhere").err())
}

/// Where the echo's redirect leads, since the kit shows no headers.
pub(crate) fn follow_redirect(invocation: &Invocation) -> Result<String, Fault> {
    match get(invocation, "/allowed/redirect") {
        Err(Fault::Provider(ProviderError { status: 302, .. })) => get(invocation, "/elsewhere"),
        other => other,
    }
}

pub(crate) fn absolute_path(invocation: &Invocation) -> Result<String, Fault> {
    let authority = invocation.base_url().trim_start_matches("http://");
    send(Method::Get, authority, "http://evil.test/allowed/a", &[], None)
}

pub(crate) fn fake_user(invocation: &Invocation) -> Result<String, Fault> {
    Request::get(format!("{}@evil.test/allowed/a", invocation.base_url())).send()?.success(|_| None)
}

pub(crate) fn other_host(_: &Invocation) -> Result<String, Fault> {
    Request::get("https://evil.test/allowed/a").send()?.success(|_| None)
}

pub(crate) fn other_port(_: &Invocation) -> Result<String, Fault> {
    Request::get("http://127.0.0.1:1/allowed/a").send()?.success(|_| None)
}

pub(crate) fn climb(invocation: &Invocation) -> Result<String, Fault> {
    get(invocation, "/allowed/%2e%2e/elsewhere")
}

pub(crate) fn other_method(invocation: &Invocation) -> Result<String, Fault> {
    Request::delete(format!("{}/allowed/a", invocation.base_url())).send()?.success(|_| None)
}

pub(crate) fn circumvent(invocation: &Invocation) -> Result<String, Fault> {
    Request::post(format!("{}/allowed/guarded", invocation.base_url())).send()?.success(|_| None)
}

pub(crate) fn smuggle_length(invocation: &Invocation) -> Result<String, Fault> {
    let authority = invocation.base_url().trim_start_matches("http://");
    let body = "{}DELETE /elsewhere HTTP/1.1\r\nhost: x\r\n\r\n";
    send(Method::Post, authority, "/allowed/sink", &[("content-length", "2")], Some(body))
}

pub(crate) fn smuggle_header(_: &Invocation) -> Result<String, Fault> {
    let tries = [("x-a", "b\r\nauthorization: stolen"), ("x-a\r\nauthorization", "stolen"), ("x-a", "b\0c")];
    let taken =
        |(name, value): &(&str, &str)| Fields::new().append(&(*name).to_owned(), &value.as_bytes().to_vec()).is_ok();
    Ok(json!({ "taken": tries.iter().filter(|header| taken(header)).count() }).to_string())
}

pub(crate) fn authorize(invocation: &Invocation) -> Result<String, Fault> {
    let url = format!("{}/allowed/headers", invocation.base_url());
    let forbidden = ["authorization", "cookie", "host", "x-forwarded-for", "connection", "proxy-authorization"];
    let refused = |name: &&'static str| waki::Client::new().get(&url).header(*name, "guest").send().is_err();
    let refused: Vec<_> = forbidden.into_iter().filter(refused).collect();
    Ok(json!({ "refused": refused }).to_string())
}

pub(crate) fn echo_secret(invocation: &Invocation) -> Result<String, Fault> {
    get(invocation, "/allowed/a")
}

pub(crate) fn peek_around(invocation: &Invocation) -> Result<String, Fault> {
    let seen = (std::env::vars().collect::<Vec<_>>(), std::env::args().collect::<Vec<_>>());
    let folder = std::fs::read_dir("/").map(Iterator::count).ok();
    Ok(json!({ "environment": seen.0, "arguments": seen.1, "files": folder, "token": invocation.setting("access_token") }).to_string())
}

static INVOCATIONS: AtomicU32 = AtomicU32::new(0);

pub(crate) fn remember(_: &Invocation) -> Result<String, Fault> {
    Ok(json!({ "before": INVOCATIONS.fetch_add(1, Ordering::Relaxed) }).to_string())
}

/// Sends what the kit would not build.
fn send(
    method: Method,
    authority: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&str>,
) -> Result<String, Fault> {
    let failed = |what: &str| Fault::Internal(format!("{what} is refused where it is made"));
    let fields = Fields::new();
    for (name, value) in headers {
        let added = fields.append(&(*name).to_owned(), &value.as_bytes().to_vec());
        added.map_err(|_| failed("the header"))?;
    }
    let request = OutgoingRequest::new(fields);
    request.set_method(&method).map_err(|()| failed("the method"))?;
    request.set_scheme(Some(&Scheme::Http)).map_err(|()| failed("the scheme"))?;
    request.set_authority(Some(authority)).map_err(|()| failed("the authority"))?;
    request.set_path_with_query(Some(path)).map_err(|()| failed("the path"))?;
    let sink = request.body().map_err(|()| failed("the body"))?;
    let response = handle(request, None).map_err(|error| Fault::Unreachable(error.to_string()))?;
    write(sink, body).ok_or_else(|| failed("what was written"))?;
    response.subscribe().block();
    match response.get() {
        Some(Ok(Ok(response))) => Ok(response.status().to_string()),
        _ => Err(Fault::Unreachable("no answer".into())),
    }
}

fn write(sink: OutgoingBody, body: Option<&str>) -> Option<()> {
    if let Some(body) = body {
        sink.write().ok()?.blocking_write_and_flush(body.as_bytes()).ok()?;
    }
    OutgoingBody::finish(sink, None).ok()
}
