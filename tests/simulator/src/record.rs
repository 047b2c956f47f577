//! The request log, and its copy on disk for `cargo xtask conform`.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};

const KEPT_BYTES: usize = 64 << 20;
const FOLDER: &str = "KOSMO_RECORD";

/// One request and its answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Exchange {
    /// `dialpad`, `ringcentral` or `exports`.
    pub provider: String,
    /// The HTTP method in capitals.
    pub method: String,
    /// The path as it was sent, without the query.
    pub path: String,
    /// The query, decoded, in the order it was sent.
    pub query: Vec<(String, String)>,
    /// The query as it was sent.
    pub raw_query: Option<String>,
    /// The request's headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The request's body.
    pub body: String,
    /// The answer's status; 0 if the connection was closed without one.
    pub status: u16,
    /// The answer's body.
    pub response: String,
    /// Whether a [`crate::Knob`] changed the answer.
    #[serde(default)]
    pub injected: bool,
    /// Why the request broke the provider's documented interface, if it did.
    #[serde(default)]
    pub refused: Option<String>,
}

impl Exchange {
    /// The value of a request header; `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn size(&self) -> usize {
        512 + self.body.len() + self.response.len() + 2 * self.raw_query.as_ref().map_or(0, String::len)
    }

    /// The copy that may be written to disk: a credential leaves only its scheme.
    fn without_credential(mut self) -> Exchange {
        for (name, value) in &mut self.headers {
            if name == "authorization" {
                value.truncate(value.find(' ').unwrap_or(0));
            }
        }
        self
    }
}

/// The newest exchanges in memory, and all of them on disk if `KOSMO_RECORD` names a folder.
pub(crate) struct Log {
    exchanges: VecDeque<Exchange>,
    bytes: usize,
    recorder: Option<Recorder>,
}

impl Log {
    pub(crate) fn new() -> Log {
        Log { exchanges: VecDeque::new(), bytes: 0, recorder: Recorder::from_environment() }
    }

    pub(crate) fn push(&mut self, exchange: Exchange) {
        if let Some(recorder) = &mut self.recorder {
            recorder.write(exchange.clone());
        }
        self.bytes += exchange.size();
        self.exchanges.push_back(exchange);
        self.forget_oldest();
    }

    pub(crate) fn all(&self) -> Vec<Exchange> {
        self.exchanges.iter().cloned().collect()
    }

    pub(crate) fn take(&mut self) -> Vec<Exchange> {
        self.bytes = 0;
        std::mem::take(&mut self.exchanges).into()
    }

    fn forget_oldest(&mut self) {
        while self.bytes > KEPT_BYTES
            && let Some(oldest) = self.exchanges.pop_front()
        {
            self.bytes -= oldest.size();
        }
    }
}

/// Appends exchanges to one file per simulator, opened when there is something to write.
struct Recorder {
    path: PathBuf,
    file: Option<File>,
}

impl Recorder {
    fn from_environment() -> Option<Recorder> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let folder = std::env::var_os(FOLDER).filter(|folder| !folder.is_empty())?;
        let name = format!("{}-{}.jsonl", std::process::id(), STARTED.fetch_add(1, Ordering::Relaxed));
        Some(Recorder { path: PathBuf::from(folder).join(name), file: None })
    }

    fn write(&mut self, exchange: Exchange) {
        if let Err(error) = self.append(&exchange.without_credential()) {
            eprintln!("simulator: cannot record to {}: {error}; make the folder writable", self.path.display());
        }
    }

    fn append(&mut self, exchange: &Exchange) -> io::Result<()> {
        let mut line = serde_json::to_vec(exchange)?;
        line.push(b'\n');
        self.open()?.write_all(&line)
    }

    fn open(&mut self) -> io::Result<&mut File> {
        let file = match self.file.take() {
            Some(file) => file,
            None => {
                fs::create_dir_all(self.path.parent().unwrap_or(&self.path))?;
                File::options().create(true).append(true).open(&self.path)?
            }
        };
        Ok(self.file.insert(file))
    }
}
