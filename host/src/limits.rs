//! What one invocation may use up, and how going over it ends. Pure numbers with their reasons.
//!
//! | what | most | ends as |
//! |---|---|---|
//! | time, waiting included | 30 s | `timeout` |
//! | computing inside the plugin | 5 s | `cpu` |
//! | linear memory, table elements | 64 MiB, 100,000 | `memory` |
//! | requests, streams and other resources held at once | 1,000 | `memory` |
//! | stack | 512 KiB | `trap` |
//! | requests | 100 | `too_large` |
//! | one request's body, one response's body, decoded | 10 MiB | `too_large` |
//! | one response's header fields | 100, 64 KiB | `too_large` |
//! | bodies of requests and responses held at once, in one invocation and in all | 32 MiB, 256 MiB | `too_large` |
//! | one set of header fields a plugin makes | 64 KiB | `too_large` |
//! | bytes handed to the host in one call, the result included | 16 MiB | `too_large` |
//! | random bytes in one call | 64 KiB | `too_large` |
//! | standard output and error | the last 512 bytes are kept | dropped |
//! | invocations at once, in all and of one provider | 128, 96 | `busy` |
//!
//! A component has at most 32 MiB and what `size.rs` says, and a minute to be compiled; otherwise it is `unloadable`.
//! What a script may use up is the session's business: see [`SessionBuilder`](crate::SessionBuilder).

use crate::fault::{Code, Fault};
use std::time::Duration;

/// Core instances, memories and tables one component may have. The pool has as many for every slot, so that one plugin's
/// greed is not another one's failure. A Rust component has four, one and two; a Python one a few dozen core instances.
pub(crate) const CORE_INSTANCES: u32 = 50;
pub(crate) const MEMORIES: u32 = 2;
pub(crate) const TABLES: u32 = 8;

/// Ceilings of one invocation. A session's own limits apply besides these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the first check to the answer, waiting included. Longer than a provider's slowest page, shorter than a
    /// person's patience.
    pub wall: Duration,
    /// Computing inside the plugin. A page of results takes milliseconds.
    pub cpu: Duration,
    /// Bytes of linear memory, all memories of the sandbox together.
    pub memory: usize,
    /// Elements of tables, all tables together: function pointers, in practice.
    pub table_elements: usize,
    /// HTTP requests. A page walk of `limit = 1000` takes 20.
    pub requests: u32,
    /// Bytes of one request's body.
    pub request_body: usize,
    /// Bytes of one response's body, decoded if it came compressed.
    pub response_body: usize,
    /// Requests, bodies, streams and pollables held at once. A request takes about ten.
    pub resources: usize,
    /// Bytes handed to the host in one call. The result of an invocation is one.
    pub handed_over: usize,
    /// Bytes of one set of header fields, the host's own bookkeeping included.
    pub fields: usize,
    /// Bytes of randomness in one call; a hash map's seed takes 16.
    pub random: u64,
    /// Header fields of one response. Providers send twenty to forty.
    pub response_headers: usize,
    /// Bytes of one response's header fields, names and values together.
    pub response_header_bytes: usize,
    /// Bytes of bodies, of requests and responses, one invocation may hold at once: a few of the largest, since it also has to fit what it
    /// makes of them into its memory.
    pub held: usize,
    /// Bytes of bodies all invocations of a host may hold at once. A quarter of a small machine's memory.
    pub held_by_all: usize,
    /// How long each step of a request may take.
    pub timeouts: Timeouts,
}

/// How long each step of a request may take. The invocation's own time applies besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Resolving the name and connecting, all addresses together. A live host answers in one round trip.
    pub connect: Duration,
    /// The TLS handshake, which a stalling server could otherwise stretch for ever.
    pub handshake: Duration,
    /// From a connection until the head of the answer is there: a provider's slowest report.
    pub first_byte: Duration,
    /// Between two parts of the answer's body.
    pub between_bytes: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            handshake: Duration::from_secs(10),
            first_byte: Duration::from_secs(30),
            between_bytes: Duration::from_secs(15),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wall: Duration::from_secs(30),
            cpu: Duration::from_secs(5),
            memory: 64 << 20,
            table_elements: 100_000,
            requests: 100,
            request_body: 10 << 20,
            response_body: 10 << 20,
            response_headers: 100,
            response_header_bytes: 64 << 10,
            held: 32 << 20,
            held_by_all: 256 << 20,
            timeouts: Timeouts::default(),
            resources: 1_000,
            handed_over: 16 << 20,
            fields: 64 << 10,
            random: 64 << 10,
        }
    }
}

/// A limit of the sandbox that an invocation ran into, raised as the error that ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Exceeded {
    #[error("it computed for more than {} s", .0.as_secs_f32())]
    Cpu(Duration),
    #[error("it wanted more than {} MiB of memory", .0 >> 20)]
    Memory(usize),
    #[error("it wanted more than {0} table elements")]
    Table(usize),
    #[error("it held more than {0} requests, streams and other resources at once")]
    Resources(usize),
    #[error("it handed over more than {} MiB at once", .0 >> 20)]
    HandedOver(usize),
    #[error("it set more than {} KiB of header fields", .0 >> 10)]
    Fields(usize),
    #[error("it wanted more than {} KiB of randomness at once", .0 >> 10)]
    Random(u64),
}

impl From<Exceeded> for Fault {
    fn from(exceeded: Exceeded) -> Self {
        let code = match exceeded {
            Exceeded::Cpu(_) => Code::Cpu,
            Exceeded::Memory(_) | Exceeded::Table(_) | Exceeded::Resources(_) => Code::Memory,
            Exceeded::HandedOver(_) | Exceeded::Fields(_) | Exceeded::Random(_) => Code::TooLarge,
        };
        Self::new(code, format!("The plugin was stopped: {exceeded}."))
    }
}
