//! What finds a host's addresses. Whether they may be dialled is not its business.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;

/// Addresses, or why there are none.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Finds the addresses of a host by its name. Asked exactly once for each connection made; what it answers is checked,
/// and only what passed is dialled.
pub trait Resolve: Send + Sync {
    /// The addresses of `host`, best first.
    ///
    /// # Errors
    /// When the name cannot be resolved. The invocation ends as `unreachable` with this message.
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a>;
}
