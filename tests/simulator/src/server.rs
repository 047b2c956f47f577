//! Three listeners on one thread, and the path of a request through knobs, world and log.

use std::io;
use std::net::TcpListener;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use time::OffsetDateTime;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::Sleep;

use crate::fault::{Effect, Knobs};
use crate::record::{Exchange, Log};
use crate::reply::Reply;
use crate::request::Request;
use crate::world::{Origin, Urls, World};

/// Long enough for the first half of a body to leave the socket's buffer.
const HALF_WAY: Duration = Duration::from_millis(30);
const OUT_OF_FILES: Duration = Duration::from_millis(10);
const HTML: &str =
    "<html><head><title>Bad gateway</title></head><body><h1>The service is unavailable</h1></body></html>";

/// What the listeners and the [`crate::Simulator`] handle share.
pub(crate) struct Shared(Mutex<State>);

pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) knobs: Knobs,
    pub(crate) log: Log,
}

impl Shared {
    pub(crate) fn new(urls: Urls) -> Shared {
        let world = World::new(urls, OffsetDateTime::now_utc());
        Shared(Mutex::new(State { world, knobs: Knobs::default(), log: Log::new() }))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The serving thread. Dropping it stops the runtime, which closes every socket.
pub(crate) struct Running {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic on that thread was printed by the thread itself.
            let _ = thread.join();
        }
    }
}

/// Serves Dialpad, RingCentral and the exports on these listeners, in this order.
pub(crate) fn spawn(listeners: [TcpListener; 3], shared: &Arc<Shared>) -> io::Result<Running> {
    let (stop, stopped) = oneshot::channel::<()>();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    for (origin, listener) in [Origin::Dialpad, Origin::RingCentral, Origin::Exports].into_iter().zip(listeners) {
        listener.set_nonblocking(true)?;
        runtime.spawn(accept(origin, listener, Arc::clone(shared)));
    }
    let serve = move || {
        // An error means that the sender is gone, which is how it is told to stop.
        let _ = runtime.block_on(stopped);
    };
    let thread = std::thread::Builder::new().name("simulator".to_owned()).spawn(serve)?;
    Ok(Running { stop: Some(stop), thread: Some(thread) })
}

async fn accept(origin: Origin, listener: TcpListener, shared: Arc<Shared>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return eprintln!("simulator: cannot serve {}: {error}", origin.name()),
    };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(converse(origin, stream, Arc::clone(&shared)))),
            // Out of file descriptors: others have to close theirs first.
            Err(_) => tokio::time::sleep(OUT_OF_FILES).await,
        }
    }
}

async fn converse(origin: Origin, stream: TcpStream, shared: Arc<Shared>) {
    // Without it small answers wait for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|incoming| serve(origin, incoming, &shared));
    // A client that went away, or a knob that broke the connection: both are the point of a simulator.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// An error closes the connection without an answer.
async fn serve(
    origin: Origin,
    incoming: hyper::Request<Incoming>,
    shared: &Shared,
) -> io::Result<hyper::Response<Answer>> {
    let request = Request::read(incoming).await.ok_or_else(closed)?;
    let outcome = shared.lock().handle(origin, request);
    if !outcome.delay.is_zero() {
        tokio::time::sleep(outcome.delay).await;
    }
    match outcome.sent {
        Sent::Nothing => Err(closed()),
        Sent::Half => respond(outcome.reply, true),
        Sent::Whole => respond(outcome.reply, false),
    }
}

fn respond(reply: Reply, broken: bool) -> io::Result<hyper::Response<Answer>> {
    let mut response = hyper::Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response.body(Answer::new(reply.body, broken)).map_err(io::Error::other)
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "closed without an answer")
}

enum Sent {
    Nothing,
    Half,
    Whole,
}

struct Outcome {
    reply: Reply,
    delay: Duration,
    sent: Sent,
}

impl State {
    fn handle(&mut self, origin: Origin, request: Request) -> Outcome {
        let effect = self.knobs.spend(origin.name(), &request);
        let injected = effect.is_some();
        let outcome = self.outcome(origin, &request, effect);
        self.log.push(exchange(origin, request, &outcome, injected));
        outcome
    }

    fn outcome(&mut self, origin: Origin, request: &Request, effect: Option<Effect>) -> Outcome {
        let (mut delay, mut sent) = (Duration::ZERO, Sent::Whole);
        let reply = match effect {
            None => self.world.answer(origin, request),
            Some(Effect::Slow(duration)) => {
                delay = duration;
                self.world.answer(origin, request)
            }
            Some(Effect::Reset) => {
                sent = Sent::Nothing;
                self.world.answer(origin, request)
            }
            Some(Effect::HalfBody) => {
                sent = Sent::Half;
                self.world.answer(origin, request)
            }
            Some(Effect::RateLimited { retry_after }) => rate_limited(origin, request, retry_after),
            Some(Effect::Html(status)) => Reply::new(status, "text/html; charset=utf-8", HTML),
            Some(Effect::Empty(status)) => Reply::empty(status),
            Some(Effect::Raw { status, content_type, body }) => Reply::new(status, &content_type, body),
            Some(Effect::Status { status, headers, body }) => {
                Reply { status, headers, body: body.into_bytes(), refused: None }
            }
        };
        Outcome { reply, delay, sent }
    }
}

fn rate_limited(origin: Origin, request: &Request, retry_after: Option<u64>) -> Reply {
    let reply = match origin {
        Origin::RingCentral => crate::ringcentral::rate_limited(request),
        Origin::Dialpad | Origin::Exports => crate::dialpad::rate_limited(),
    };
    match retry_after {
        Some(seconds) => reply.with_header("retry-after", seconds),
        None => reply,
    }
}

fn exchange(origin: Origin, request: Request, outcome: &Outcome, injected: bool) -> Exchange {
    let (status, response) = match outcome.sent {
        Sent::Nothing => (0, String::new()),
        Sent::Half | Sent::Whole => (outcome.reply.status, String::from_utf8_lossy(&outcome.reply.body).into_owned()),
    };
    Exchange {
        provider: origin.name().to_owned(),
        method: request.method,
        path: request.path,
        query: request.query,
        raw_query: request.raw_query,
        headers: request.headers,
        body: request.body,
        status,
        response,
        injected,
        refused: outcome.reply.refused.clone(),
    }
}

/// A body that is sent whole, or breaks after half of what it promised.
struct Answer {
    bytes: Option<Bytes>,
    promised: u64,
    breaks: Option<Pin<Box<Sleep>>>,
}

impl Answer {
    fn new(body: Vec<u8>, broken: bool) -> Answer {
        let promised = body.len() as u64;
        let mut bytes = Bytes::from(body);
        let breaks = broken.then(|| Box::pin(tokio::time::sleep(HALF_WAY)));
        if broken {
            bytes.truncate(bytes.len() / 2);
        }
        Answer { bytes: Some(bytes).filter(|bytes| !bytes.is_empty()), promised, breaks }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(bytes) = self.bytes.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        let Some(pause) = &mut self.breaks else { return Poll::Ready(None) };
        ready!(pause.as_mut().poll(cx));
        Poll::Ready(Some(Err(closed())))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none() && self.breaks.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}
