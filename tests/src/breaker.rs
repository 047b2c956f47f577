//! A path to a provider that breaks at a chosen byte, once for each request it was told about.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a request carries that is to break, before its number.
const MARK: &str = "break-";
const DIGITS: usize = 6;

/// A proxy on 127.0.0.1. It knows a request by the [`Breaker::mark`] in its body; one it was not told about passes, and
/// so does one that is sent again.
pub struct Breaker {
    url: String,
    shared: Arc<Shared>,
}

/// Where and how a request or its answer breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// So many bytes of the request reach the provider.
    Request(usize, Manner),
    /// The provider gets the whole request; so many bytes of its answer reach the client.
    Answer(usize, Manner),
}

/// How it breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// The connection is reset.
    Reset,
    /// The connection is closed in good order.
    Close,
    /// Nothing more comes, and the connection stays.
    Stall,
    /// This status comes instead, as from a gateway.
    Status(u16),
}

struct Shared {
    upstream: String,
    plans: Mutex<HashMap<usize, Break>>,
    passed: Mutex<(usize, usize)>,
}

impl Breaker {
    /// Starts on a free port before a provider's `http://127.0.0.1:PORT`.
    pub fn before(provider: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
        let upstream = provider.trim_start_matches("http://").to_owned();
        let shared = Arc::new(Shared { upstream, plans: Mutex::default(), passed: Mutex::default() });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                // A connection that breaks is what this is for.
                std::thread::spawn(move || shared.converse(&client));
            }
        });
        Self { url, shared }
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> &str {
        &self.url
    }

    /// As long as every other one, and part of none.
    pub fn mark(number: usize) -> String {
        format!("{MARK}{number:0DIGITS$}")
    }

    /// Breaks the first request with the mark of this number.
    pub fn plan(&self, number: usize, plan: Break) {
        self.shared.plans().insert(number, plan);
    }

    /// How many plans have not been met yet.
    pub fn plans_left(&self) -> usize {
        self.shared.plans().len()
    }

    /// Bytes of the last request that passed whole, and of its answer.
    pub fn passed(&self) -> (usize, usize) {
        *self.shared.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn plans(&self) -> MutexGuard<'_, HashMap<usize, Break>> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_plan(&self, request: &[u8]) -> Option<Break> {
        let request = str::from_utf8(request).ok()?;
        let (_, marked) = request.split_once(MARK)?;
        self.plans().remove(&marked.get(..DIGITS)?.parse().ok()?)
    }

    fn converse(&self, client: &TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        loop {
            let request = peeked(client)?;
            match self.take_plan(&request) {
                None => self.pass(client, &request)?,
                Some(Break::Request(at, manner)) => {
                    let mut provider = TcpStream::connect(&self.upstream)?;
                    provider.write_all(&request[..at])?;
                    // The provider's connection ends with this one.
                    return broken(client, &request, manner);
                }
                Some(Break::Answer(at, manner)) => {
                    let answer = self.exchange(&request)?;
                    let mut client_writer = client;
                    client_writer.write_all(&answer[..at.min(answer.len())])?;
                    return broken(client, &request, manner);
                }
            }
        }
    }

    fn pass(&self, mut client: &TcpStream, request: &[u8]) -> io::Result<()> {
        let answer = self.exchange(request)?;
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner) = (request.len(), answer.len());
        consume(client, request)?;
        client.write_all(&answer)
    }

    fn exchange(&self, request: &[u8]) -> io::Result<Vec<u8>> {
        let mut provider = TcpStream::connect(&self.upstream)?;
        provider.set_nodelay(true)?;
        provider.write_all(request)?;
        let mut answer = Vec::new();
        while length(&answer) != Some(answer.len()) {
            let mut piece = [0; 4096];
            match provider.read(&mut piece)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => answer.extend_from_slice(&piece[..read]),
            }
        }
        Ok(answer)
    }
}

/// The client's next request, left in the socket: what is closed with unread bytes is reset.
fn peeked(client: &TcpStream) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let seen = client.peek(&mut buffer)?;
        match length(&buffer[..seen]) {
            _ if seen == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            Some(length) if length <= seen => return Ok(buffer[..length].to_vec()),
            _ => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// The length of the message that begins so, once its head is whole.
fn length(message: &[u8]) -> Option<usize> {
    let head = message.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&message[..head]).to_ascii_lowercase();
    let body = text.lines().find_map(|line| line.strip_prefix("content-length:"));
    Some(head + body.and_then(|length| length.trim().parse().ok()).unwrap_or(0))
}

fn consume(mut client: &TcpStream, request: &[u8]) -> io::Result<()> {
    client.read_exact(&mut vec![0; request.len()])
}

fn broken(mut client: &TcpStream, request: &[u8], manner: Manner) -> io::Result<()> {
    match manner {
        Manner::Reset => Ok(()),
        Manner::Close => {
            consume(client, request)?;
            client.shutdown(Shutdown::Both)
        }
        Manner::Stall => {
            consume(client, request)?;
            client.read_to_end(&mut Vec::new()).map(drop)
        }
        Manner::Status(status) => {
            consume(client, request)?;
            write!(client, "HTTP/1.1 {status} Broken\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        }
    }
}
