//! The keyring of the desktop, asked in bounded time and never with a prompt.

use std::fmt;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

/// How long a keyring has to answer.
const PATIENCE: Duration = Duration::from_secs(4);

/// Where keys can be kept by name.
pub(crate) trait Keyring: fmt::Debug + Send + Sync {
    /// The key of this name, if there is one.
    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, String>;
    /// Keeps a key under this name, in place of the last one.
    fn put(&self, name: &str, key: &[u8]) -> Result<(), String>;
    /// Drops the key of this name.
    fn remove(&self, name: &str) -> Result<(), String>;
}

/// The keyring of the session whose bus is at this address, where the system has one.
///
/// Without an address there is none: looking further could start a bus.
pub(crate) fn of_session(address: Option<&str>) -> Option<Box<dyn Keyring>> {
    address.filter(|address| !address.is_empty()).and_then(|_| system::keyring())
}

/// Work of which nobody knows how long it takes. A thread that is still at it ends with the process.
pub(super) fn bounded<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let (tell, told) = channel();
    let thread = thread::Builder::new().name("kosmo-keyring".into());
    thread.spawn(move || drop(tell.send(work()))).map_err(|error| error.to_string())?;
    let late = |_| Err(format!("it did not answer within {} s", PATIENCE.as_secs()));
    told.recv_timeout(PATIENCE).unwrap_or_else(late)
}

#[cfg(target_os = "linux")]
use super::secret_service as system;

#[cfg(not(target_os = "linux"))]
mod system {
    use super::Keyring;

    pub(super) fn keyring() -> Option<Box<dyn Keyring>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyring_that_does_not_answer_is_given_up() {
        let error = bounded(|| -> Result<(), String> {
            thread::sleep(PATIENCE * 4);
            Ok(())
        });
        assert_eq!(error, Err("it did not answer within 4 s".into()));
    }

    #[test]
    fn without_a_bus_there_is_no_keyring() {
        assert!(of_session(None).is_none());
        assert!(of_session(Some("")).is_none());
    }
}
