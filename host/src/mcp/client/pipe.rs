//! What a server writes, as far as it is read: lines of a bearable length, and not without end.

use super::notes::Notes;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader, ReadBuf};

/// Bytes of one message.
pub(super) const LONGEST: usize = 16 << 20;
/// The same of one that is neither what a tool made nor what a resource holds.
pub(super) const LONGEST_WORD: usize = 4 << 20;
/// Bytes that are no messages, after which nothing more is expected.
const MOST_GARBAGE: usize = 1 << 20;
/// Messages that may come before something else is asked.
pub(super) const MOST_MESSAGES: u64 = 20_000;
/// Bytes kept of a line that is no message.
const KEPT: usize = 200;

/// Standard output of a server. Reading it fails for good once the server went too far.
pub(super) struct Watched<R> {
    inner: R,
    notes: Arc<Notes>,
    line: Line,
    garbage: usize,
}

/// The line that is being read.
#[derive(Default)]
struct Line {
    bytes: usize,
    /// Its first byte that is no blank.
    first: Option<u8>,
    start: Vec<u8>,
    /// All of it, while tools are listed.
    whole: Vec<u8>,
}

impl Line {
    /// Whether it can be a message, or is empty.
    fn is_message(&self) -> bool {
        matches!(self.first, None | Some(b'{' | b'['))
    }
}

impl<R> Watched<R> {
    pub(super) fn new(inner: R, notes: Arc<Notes>) -> Self {
        Self { inner, notes, line: Line::default(), garbage: 0 }
    }

    fn watch(&mut self, bytes: &[u8]) -> Result<(), String> {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.follow(piece);
            let most = self.notes.longest();
            if self.line.bytes > most {
                return Err(format!("it sent a message of more than {} MiB", most >> 20));
            }
            if piece.ends_with(b"\n") {
                self.end_line()?;
            }
        }
        Ok(())
    }

    fn follow(&mut self, piece: &[u8]) {
        let line = &mut self.line;
        line.bytes += piece.len();
        line.first = line.first.or_else(|| piece.iter().copied().find(|byte| !byte.is_ascii_whitespace()));
        if !line.is_message() {
            let room = KEPT.saturating_sub(line.start.len());
            line.start.extend_from_slice(&piece[..piece.len().min(room)]);
            self.garbage += piece.len();
        } else if self.notes.is_listing() {
            line.whole.extend_from_slice(piece);
        }
    }

    fn end_line(&mut self) -> Result<(), String> {
        let line = std::mem::take(&mut self.line);
        // Empty lines are nothing, and cost something all the same.
        self.garbage += usize::from(line.first.is_none());
        if !line.is_message() {
            self.notes.babbled(&line.start);
        } else if line.first.is_some() && self.notes.message() > MOST_MESSAGES {
            return Err(format!("it sent more than {MOST_MESSAGES} messages that nobody asked for"));
        } else {
            self.notes.heard(&line.whole);
        }
        if self.garbage > MOST_GARBAGE {
            return Err(format!("it wrote more than {} MiB that are no messages", MOST_GARBAGE >> 20));
        }
        Ok(())
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Watched<R> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        std::task::ready!(Pin::new(&mut this.inner).poll_read(cx, buffer))?;
        let read = buffer.filled()[before..].to_vec();
        Poll::Ready(this.watch(&read).map_err(|why| {
            this.notes.broke(why.as_str());
            io::Error::other(why)
        }))
    }
}

/// Keeps the last lines of standard error, until it ends.
pub(super) async fn listen(stderr: impl AsyncRead + Unpin, notes: Arc<Notes>) {
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    // A line that is longer is kept as several: its bytes never pile up.
    while let Ok(read @ 1..) = (&mut reader).take(8 << 10).read_until(b'\n', &mut line).await {
        debug_assert!(read <= 8 << 10, "as much as was asked for");
        notes.said(&line);
        line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::notes::Generous;
    use super::*;

    fn watched() -> Watched<&'static [u8]> {
        Watched::new(&[], Arc::default())
    }

    #[test]
    fn lines_of_messages_pass_and_endless_ones_do_not() {
        let mut pipe = watched();
        assert_eq!(pipe.watch(b"{}\n\n  {\"a\":\n1}\n"), Ok(()));
        let chunk = vec![b'{'; 1 << 20];
        let mut passed = || (0..20).take_while(|_| pipe.watch(&chunk).is_ok()).count();
        assert_eq!(passed(), 4, "MiB");
        let mut pipe = watched();
        let _generous = Generous::new(&pipe.notes);
        let passed = (0..20).take_while(|_| pipe.watch(&chunk).is_ok()).count();
        assert_eq!(passed, 16, "MiB");
    }

    #[test]
    fn a_few_lines_that_are_no_messages_are_borne_and_noted() {
        let mut pipe = watched();
        assert_eq!(pipe.watch(b"Server listening"), Ok(()));
        assert_eq!(pipe.watch(b" on stdio\n{}\n"), Ok(()));
        assert_eq!(pipe.notes.hint(), " Its standard output is no JSON-RPC: Server listening on stdio");
        let lines = "garbage\n".repeat(200_000);
        assert_eq!(pipe.watch(lines.as_bytes()), Err("it wrote more than 1 MiB that are no messages".into()));
    }

    #[test]
    fn messages_that_nobody_asked_for_are_counted() {
        let mut pipe = watched();
        let some = "{}\n".repeat(15_000);
        assert_eq!(pipe.watch(some.as_bytes()), Ok(()));
        pipe.notes.asked();
        assert_eq!(pipe.watch(some.as_bytes()), Ok(()));
        assert!(pipe.watch(some.as_bytes()).is_err());
    }
}
