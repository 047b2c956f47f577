//! Requests no well-meaning plugin sends, of which the host lets through what is harmless.

use kosmo_plugin::{Fault, Invocation};
use serde_json::json;

/// Asks for answer after answer without reading any, and lets go of none.
pub(crate) fn hold(invocation: &Invocation) -> Result<String, Fault> {
    let url = format!("{}{}", invocation.base_url(), invocation.text("url").unwrap_or_default());
    let mut held = Vec::new();
    while let Ok(answer) = waki::Client::new().get(&url).send() {
        held.push(answer);
    }
    Ok(json!({ "held": held.len() }).to_string())
}

/// Sends a body that ends in a trailer.
pub(crate) fn trail(invocation: &Invocation) -> Result<String, Fault> {
    use waki::bindings::wasi::http::outgoing_handler::handle;
    use waki::bindings::wasi::http::types::{Fields, Method, OutgoingBody, OutgoingRequest, Scheme};
    let failed = |what: &str| Fault::Internal(format!("no {what}"));
    let request = OutgoingRequest::new(Fields::new());
    let authority = invocation.base_url().trim_start_matches("http://");
    request.set_method(&Method::Post).map_err(|()| failed("method"))?;
    request.set_scheme(Some(&Scheme::Http)).map_err(|()| failed("scheme"))?;
    request.set_authority(Some(authority)).map_err(|()| failed("authority"))?;
    request.set_path_with_query(Some("/allowed/trailer")).map_err(|()| failed("path"))?;
    let body = request.body().map_err(|()| failed("body"))?;
    let answer = handle(request, None).map_err(|error| Fault::Internal(error.to_string()))?;
    body.write().map_err(|()| failed("stream"))?.blocking_write_and_flush(b"body").map_err(|_| failed("write"))?;
    let harmless = [("x-trailer".to_owned(), b"guest".to_vec())];
    let trailers = Fields::from_list(&harmless).map_err(|error| Fault::Internal(error.to_string()))?;
    let smuggled = trailers.append(&"authorization".to_owned(), &b"guest".to_vec()).is_ok();
    OutgoingBody::finish(body, Some(trailers)).map_err(|error| Fault::Internal(error.to_string()))?;
    answer.subscribe().block();
    Ok(json!({ "smuggled": smuggled }).to_string())
}
