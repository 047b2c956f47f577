//! What a guest writes to its standard output and error. Nobody reads along: the end of it is kept while the invocation
//! runs, for the sentence that says how the guest crashed, and everything before is dropped.

use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Bytes kept: a panic's message with its place takes about two hundred.
const KEPT: usize = 512;
/// Bytes a guest may write in one go; it asks first.
const PIECE: usize = 64 << 10;

/// The end of what was written, to both streams together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    end: Arc<Mutex<VecDeque<u8>>>,
}

impl Log {
    /// The last words in one line, if there were any.
    pub(crate) fn last_words(&self) -> Option<String> {
        let end: Vec<u8> = self.end.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        let text = String::from_utf8_lossy(&end);
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        (!line.is_empty()).then_some(line)
    }

    fn append(&self, bytes: &[u8]) {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.extend(&bytes[bytes.len().saturating_sub(KEPT)..]);
        let surplus = end.len().saturating_sub(KEPT);
        end.drain(..surplus);
    }
}

impl IsTerminal for Log {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Log {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    /// For WASI 0.3, which this host does not link.
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(tokio::io::empty())
    }
}

impl OutputStream for Log {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.append(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PIECE)
    }
}

#[async_trait]
impl Pollable for Log {
    async fn ready(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_is_kept_and_shown_in_one_line() {
        let log = Log::default();
        assert_eq!(log.last_words(), None);
        log.append(&vec![b'x'; 10 * KEPT]);
        assert_eq!(log.end.lock().expect("nobody panicked").len(), KEPT);
        log.append(b"\n");
        log.append(&[b' '; KEPT]);
        log.append(b"thread panicked:\n  on purpose \xff\n");
        assert_eq!(log.last_words().as_deref(), Some("thread panicked: on purpose \u{fffd}"));
    }
}
