//! A provider's answer, read whole and capped: its head, its body, the time between its bytes, the memory it takes.

use super::Gate;
use super::budget::Share;
use super::encoding::{Encoding, EncodingError};
use crate::fault::{Code, Fault};
use crate::limits::Limits;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Response, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::timeout;

/// A body that is there as a whole, and counted for as long as anyone holds it.
pub(super) struct Whole {
    bytes: Bytes,
    share: Share,
}

impl Whole {
    /// The same body after its secrets were blotted out, if there were any.
    pub(super) fn redacted(self, redact: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Self {
        let bytes = redact(&self.bytes).map_or(self.bytes, Bytes::from);
        Self { bytes, share: self.share }
    }
}

impl Body for Whole {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = std::mem::take(&mut self.bytes);
        Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.len() as u64)
    }
}

impl Gate {
    /// Reads an answer whole. Its trailers are nobody's business and stay behind.
    pub(super) async fn read(&self, response: Response<Incoming>) -> Result<Response<Whole>, Fault> {
        let (mut parts, body) = response.into_parts();
        check_head(&parts.headers, &self.limits)?;
        let encoding = Encoding::of(&parts.headers).map_err(unreadable)?;
        let limit = self.limits.response_body;
        let mut share = Share::new(Arc::clone(&self.held), Arc::clone(&self.host.held));
        let received = receive(body, limit, self.limits.timeouts.between_bytes, &mut share).await?;
        let bytes = decode(encoding, received, limit, &mut share)?;
        parts.headers.remove(header::CONTENT_ENCODING);
        Ok(Response::from_parts(parts, Whole { bytes, share }))
    }
}

fn check_head(headers: &HeaderMap, limits: &Limits) -> Result<(), Fault> {
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers.len() <= limits.response_headers && bytes <= limits.response_header_bytes {
        return Ok(());
    }
    Err(head_too_large(limits))
}

/// A head that is beyond what anyone needs.
pub(super) fn head_too_large(limits: &Limits) -> Fault {
    let (fields, bytes) = (limits.response_headers, limits.response_header_bytes >> 10);
    Fault::new(Code::TooLarge, format!("The response's head has more than {fields} fields or {bytes} KiB."))
}

/// The body as it arrives, frame by frame.
async fn receive(mut body: Incoming, limit: usize, pause: Duration, share: &mut Share) -> Result<Bytes, Fault> {
    let mut whole = Gathered::default();
    while let Some(frame) = timeout(pause, body.frame()).await.map_err(|_| stalled(pause))? {
        let frame = frame.map_err(|error| Fault::new(Code::Unreachable, format!("The response broke off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > limit.saturating_sub(whole.len()) {
            let message = format!("The response's body has more than {} MiB.", limit >> 20);
            return Err(Fault::new(Code::TooLarge, message));
        }
        share.grow(data.len())?;
        whole.push(data);
    }
    Ok(whole.into_bytes())
}

fn decode(encoding: Encoding, body: Bytes, limit: usize, share: &mut Share) -> Result<Bytes, Fault> {
    if encoding == Encoding::Identity {
        return Ok(body);
    }
    // Room for the most it may become comes before it does.
    share.grow(limit)?;
    let decoded = encoding.decode(body, limit).map_err(unreadable)?;
    share.shrink(decoded.len());
    Ok(decoded)
}

/// Most bodies are one frame, which needs no copy.
#[derive(Default)]
pub(super) enum Gathered {
    #[default]
    Nothing,
    One(Bytes),
    Many(BytesMut),
}

impl Gathered {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::One(bytes) => bytes.len(),
            Self::Many(bytes) => bytes.len(),
        }
    }

    pub(super) fn push(&mut self, data: Bytes) {
        *self = match std::mem::take(self) {
            Self::Nothing => Self::One(data),
            Self::One(first) => Self::Many(first.iter().chain(&data).copied().collect()),
            Self::Many(mut bytes) => {
                bytes.extend_from_slice(&data);
                Self::Many(bytes)
            }
        };
    }

    pub(super) fn into_bytes(self) -> Bytes {
        match self {
            Self::Nothing => Bytes::new(),
            Self::One(bytes) => bytes,
            Self::Many(bytes) => bytes.freeze(),
        }
    }
}

fn unreadable(error: EncodingError) -> Fault {
    let code = if matches!(error, EncodingError::TooLarge(_)) { Code::TooLarge } else { Code::Unreachable };
    Fault::new(code, format!("The response's body {error}."))
}

fn stalled(pause: Duration) -> Fault {
    let message = format!("The response stalled: no byte of it arrived for {} s.", pause.as_secs_f32());
    Fault::new(Code::Timeout, message)
}
