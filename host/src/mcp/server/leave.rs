//! When nobody waits for a call any more: it was cancelled, its connection is lost for good, or the server ends.

use super::handler::Handler;
use super::http::Gone;
use rmcp::RoleServer;
use rmcp::service::RequestContext;

/// Waits until nobody waits for the call any more.
pub(super) async fn abandoned(handler: &Handler, context: &RequestContext<RoleServer>) {
    tokio::select! {
        () = context.ct.cancelled() => {}
        () = gone(context) => {}
        () = handler.server.inner.work.ended() => {}
    }
}

/// Waits until a client's connection is lost for good; for ever, where that is not to be known.
async fn gone(context: &RequestContext<RoleServer>) {
    let parts = context.extensions.get::<http::request::Parts>();
    match parts.and_then(|parts| parts.extensions.get::<Gone>()) {
        Some(Gone(gone)) => gone.cancelled().await,
        None => std::future::pending().await,
    }
}
