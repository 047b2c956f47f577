//! A provider that answers with what it received, for tests of the gate itself.

use serde_json::json;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A server on 127.0.0.1. `/allowed/large/N` answers with N bytes, `/allowed/redirect` with a redirect to `/elsewhere`,
/// `/allowed/hang` never, `/allowed/drip` a byte every tenth of a second for ever; everything else with the request's headers as JSON.
pub struct Echo {
    url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// `GET /allowed/a?b=c`
    pub line: String,
    /// Names in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// As sent.
    pub body: String,
    /// The connection it came on, counted from 0.
    pub connection: usize,
    /// When it was there.
    pub at: Instant,
}

impl Received {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A connection that is polled without pause instead of waited for.
struct Polled(TcpStream);

impl Read for Polled {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::hint::spin_loop(),
                outcome => return outcome,
            }
        }
    }
}

impl Echo {
    /// Starts on a free port.
    pub fn start() -> Self {
        Self::speaking(speak)
    }

    /// Starts on a free port and says whatever this says to each request.
    pub fn speaking(speak: impl Fn(&Received, &mut TcpStream) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self::serving(move |connection, stream, log| {
            if let Ok(reader) = stream.try_clone() {
                serve(connection, BufReader::new(reader), stream, log, &speak);
            }
        })
    }

    /// Starts on a free port and allows ten thousand requests a second, for measurements: without its word, plugins
    /// keep to what their providers document.
    pub fn generous() -> Self {
        Self::speaking(speak_generously)
    }

    /// As [`Echo::generous`], and never sleeps: waking a thread on an idle machine takes longer than the request that
    /// woke it, and longer still the longer it slept.
    pub fn sleepless() -> Self {
        Self::serving(|connection, stream, log| {
            if let (Ok(reader), Ok(())) = (stream.try_clone(), stream.set_nonblocking(true)) {
                serve(connection, BufReader::new(Polled(reader)), stream, log, &speak_generously);
            }
        })
    }

    fn serving(serve: impl Fn(usize, TcpStream, &Mutex<Vec<Received>>) + Send + Sync + 'static) -> Self {
        let serve = Arc::new(serve);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
        let received = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&received);
        std::thread::spawn(move || {
            for (connection, stream) in listener.incoming().flatten().enumerate() {
                let (serve, log) = (Arc::clone(&serve), Arc::clone(&log));
                std::thread::spawn(move || serve(connection, stream, &log));
            }
        });
        Self { url, received }
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Every request so far.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn serve(
    connection: usize,
    mut reader: impl BufRead,
    mut writer: TcpStream,
    log: &Mutex<Vec<Received>>,
    speak: &impl Fn(&Received, &mut TcpStream) -> io::Result<()>,
) {
    while let Some(request) = read(connection, &mut reader) {
        log.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        if speak(&request, &mut writer).is_err() {
            return;
        }
    }
}

fn speak(request: &Received, writer: &mut TcpStream) -> io::Result<()> {
    match answer(request) {
        Answer::Whole(text) => writer.write_all(text.as_bytes()),
        Answer::Dripping => drip(writer),
        Answer::Nothing => {
            std::thread::park();
            Ok(())
        }
    }
}

/// Dialpad counts a request in two groups. An answer tells of one.
const GROUPS: [&str; 2] = ["company", "users"];

fn speak_generously(request: &Received, writer: &mut TcpStream) -> io::Result<()> {
    static ANSWERS: AtomicUsize = AtomicUsize::new(0);
    let group = GROUPS[ANSWERS.fetch_add(1, Ordering::Relaxed) % GROUPS.len()];
    let pace = format!("x-rate-limit-group: {group}\r\nx-rate-limit-limit: 10000\r\nx-rate-limit-window: 1");
    let body = json!({ "headers": request.headers }).to_string();
    let head = format!("content-type: application/json\r\n{pace}\r\ncontent-length: {}", body.len());
    writer.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}").as_bytes())
}

/// Until the other side has had enough.
fn drip(writer: &mut TcpStream) -> io::Result<()> {
    writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")?;
    loop {
        writer.write_all(b"x")?;
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn read(connection: usize, reader: &mut impl BufRead) -> Option<Received> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|&length| length > 0)?;
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let mut body = vec![0; length.unwrap_or_default()];
    reader.read_exact(&mut body).ok()?;
    Some(Received { line, headers, body: String::from_utf8_lossy(&body).into_owned(), connection, at: Instant::now() })
}

enum Answer {
    Whole(String),
    Dripping,
    Nothing,
}

fn answer(request: &Received) -> Answer {
    let target = request.line.split_whitespace().nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    let reply = |status: &str, extra: &str, body: &str| {
        Answer::Whole(format!("HTTP/1.1 {status}\r\n{extra}content-length: {}\r\n\r\n{body}", body.len()))
    };
    match path.strip_prefix("/allowed/").unwrap_or_default() {
        "hang" => Answer::Nothing,
        "drip" => Answer::Dripping,
        "redirect" => reply("302 Found", "location: /elsewhere\r\n", ""),
        large if large.starts_with("large/") => {
            let length = large.trim_start_matches("large/").parse().unwrap_or_default();
            reply("200 OK", "", &"x".repeat(length))
        }
        _ => reply("200 OK", "content-type: application/json\r\n", &json!({ "headers": request.headers }).to_string()),
    }
}
