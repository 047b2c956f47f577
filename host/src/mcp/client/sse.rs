//! Events of a server, none of them longer than a message may be.

use super::pipe::LONGEST;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http_body_util::BodyDataStream;
use hyper::body::Incoming;
use rmcp::transport::streamable_http_client::SseError;
use sse_stream::{Sse, SseStream};
use std::io;

/// The events of a body, until one is too long.
pub(super) fn events(body: Incoming) -> BoxStream<'static, Result<Sse, SseError>> {
    let mut event = Event::default();
    let bytes = BodyDataStream::new(body).map(move |bytes| {
        let bytes = bytes.map_err(io::Error::other)?;
        event.follow(&bytes)?;
        Ok::<Bytes, io::Error>(bytes)
    });
    SseStream::from_bytes_stream(bytes).boxed()
}

/// The event that is being read.
#[derive(Default)]
struct Event {
    bytes: usize,
    /// Whether nothing came since the last line feed.
    at_start: bool,
}

impl Event {
    /// An empty line ends an event, wherever the pieces are cut.
    fn follow(&mut self, bytes: &[u8]) -> io::Result<()> {
        for &byte in bytes {
            self.bytes += 1;
            match byte {
                b'\n' if self.at_start => *self = Self { bytes: 0, at_start: true },
                b'\n' => self.at_start = true,
                b'\r' => {}
                _ => self.at_start = false,
            }
            if self.bytes > LONGEST {
                return Err(io::Error::other(format!("it sent an event of more than {} MiB", LONGEST >> 20)));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_a_length_it_may_not_pass() {
        let mut event = Event::default();
        let line = [b"data: ".as_slice(), &vec![b'x'; 10 << 20], b"\r\n\r\n"].concat();
        for _ in 0..3 {
            event.follow(&line).expect("each ends in time");
        }
        let endless = vec![b'x'; 9 << 20];
        event.follow(&endless).expect("not too long yet");
        event.follow(&endless).expect_err("too long");
    }
}
