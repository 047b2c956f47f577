//! Events of a server, none of them longer than a message may be.

use super::pipe::MOST_MESSAGES;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http_body_util::BodyDataStream;
use hyper::body::Incoming;
use rmcp::transport::streamable_http_client::SseError;
use sse_stream::{Sse, SseStream};
use std::io;

/// Milliseconds that pass before a stream that ended is asked for again, whatever its server wants.
const SHORTEST_PAUSE: u64 = 1_000;

/// The events of a body, until one is too long.
pub(super) fn events(body: Incoming, most: usize) -> BoxStream<'static, Result<Sse, SseError>> {
    let mut event = Event::default();
    let bytes = BodyDataStream::new(body).map(move |bytes| {
        let bytes = bytes.map_err(io::Error::other)?;
        event.follow(&bytes, most)?;
        Ok::<Bytes, io::Error>(bytes)
    });
    let unhurried = |event: Sse| Sse { retry: event.retry.map(|pause| pause.max(SHORTEST_PAUSE)), ..event };
    SseStream::from_bytes_stream(bytes).map(move |event| event.map(unhurried)).boxed()
}

/// The event that is being read.
#[derive(Default)]
struct Event {
    bytes: usize,
    /// How many there were before.
    before: u64,
    /// Whether nothing came since the last line feed.
    at_start: bool,
}

impl Event {
    /// An empty line ends an event, wherever the pieces are cut.
    fn follow(&mut self, bytes: &[u8], most: usize) -> io::Result<()> {
        for &byte in bytes {
            self.bytes += 1;
            match byte {
                b'\n' if self.at_start => *self = Self { bytes: 0, before: self.before + 1, at_start: true },
                b'\n' => self.at_start = true,
                b'\r' => {}
                _ => self.at_start = false,
            }
            if self.before > MOST_MESSAGES {
                return Err(io::Error::other(format!("it sent more than {MOST_MESSAGES} events in one answer")));
            }
            if self.bytes > most {
                return Err(io::Error::other(format!("it sent an event of more than {} MiB", most >> 20)));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::pipe::LONGEST;
    use super::*;

    #[test]
    fn events_without_end_are_given_up() {
        let mut event = Event::default();
        event.follow(&b"data: x\n\n".repeat(20_000), LONGEST).expect("as many as may come");
        event.follow(b"data: x\n\nd", LONGEST).expect_err("one too many");
    }

    #[test]
    fn an_event_has_a_length_it_may_not_pass() {
        let mut event = Event::default();
        let line = [b"data: ".as_slice(), &vec![b'x'; 10 << 20], b"\r\n\r\n"].concat();
        for _ in 0..3 {
            event.follow(&line, LONGEST).expect("each ends in time");
        }
        let endless = vec![b'x'; 9 << 20];
        event.follow(&endless, LONGEST).expect("not too long yet");
        event.follow(&endless, LONGEST).expect_err("too long");
    }
}
