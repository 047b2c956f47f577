//! Time that only moves forward. Asking the contract's clock directly spares every plugin 5 KB of standard library.

use std::time::Duration;

/// Time since some fixed moment.
#[cfg(target_family = "wasm")]
pub(crate) fn now() -> Duration {
    Duration::from_nanos(crate::bindings::wasi::clocks::monotonic_clock::now())
}

/// Time since this was first asked: what tests outside a component use.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn now() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}
