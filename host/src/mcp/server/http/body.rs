//! Bodies of requests: whole, in time, and no more of them at once than there is room for.

use crate::outbound::Share;
use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Why a body is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    TooLarge,
    TooSlow,
    Broken,
    NoRoom,
}

/// Tells a call that nobody waits for its answer any more. Put beside the request that makes the call.
#[derive(Clone, Debug)]
pub(in crate::mcp::server) struct Gone(pub(in crate::mcp::server) CancellationToken);

/// The room that a request's body takes, for as long as anything of the request is there. Put beside it.
#[derive(Clone, Debug)]
pub(super) struct Room(#[expect(dead_code, reason = "it is held, and given back when it is dropped")] Arc<Share>);

/// A request's body, whole, and the room it takes.
pub(super) async fn read(
    body: Incoming,
    most: usize,
    patience: Duration,
    share: Share,
) -> Result<(Bytes, Room), Unread> {
    if body.size_hint().lower() > most as u64 {
        return Err(Unread::TooLarge);
    }
    timeout(patience, gather(body, most, share)).await.unwrap_or(Err(Unread::TooSlow))
}

async fn gather<B: Body<Data = Bytes> + Unpin>(
    mut body: B,
    most: usize,
    mut share: Share,
) -> Result<(Bytes, Room), Unread> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        // Trailers say nothing here.
        let Ok(data) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
        if whole.len() + data.len() > most {
            return Err(Unread::TooLarge);
        }
        share.grow(data.len()).map_err(|_| Unread::NoRoom)?;
        whole.extend_from_slice(&data);
    }
    Ok((whole.freeze(), Room(Arc::new(share))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::Budget;
    use http_body_util::Full;
    use tokio::runtime::Builder;

    #[test]
    fn bodies_that_are_still_needed_leave_less_room_for_others() {
        let (own, all) = (Budget::new(100), Budget::new(150));
        let read = |bytes: usize, own: &Arc<Budget>| {
            let share = Share::new(Arc::clone(own), Arc::clone(&all));
            let body = Full::new(Bytes::from(vec![b' '; bytes]));
            let runtime = Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(gather(body, 90, share)).map(|(_, room)| room)
        };
        assert_eq!(read(91, &own).expect_err("too large"), Unread::TooLarge);
        let held = read(80, &own).expect("room");
        assert_eq!(read(30, &own).expect_err("its own is spent"), Unread::NoRoom);
        assert_eq!(read(80, &Budget::new(100)).expect_err("everybody's is spent"), Unread::NoRoom);
        drop(held);
        read(80, &own).expect("room that was given back");
    }
}
