//! The one home, and everything that must never be read in it.

use kosmo_simulator::Simulator;
use kosmo_tests::Scenario;
use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::Duration;

/// Part of every secret.
pub const MARK: &str = "s0akT0ken";
/// What the grant lists from the beginning.
const CONFIG: &str = "# Mine; stays.
[permissions.dialpad]
write = \"allow\"
[grants.dialpad]
requests = [\"GET /api/v2/users/{}\", \"POST /api/v2/sms\"]
";

/// The home under test.
pub struct Home {
    scenario: Scenario,
    /// The token that the provider knows.
    pub token: String,
    processes: Mutex<HashSet<u32>>,
    looks: AtomicU64,
    files: AtomicU64,
    bytes: AtomicU64,
    broken: Mutex<Vec<String>>,
}

impl Home {
    /// Nothing configured.
    pub fn new() -> Self {
        let scenario = Scenario::empty().plugins(kosmo_tests::plugins());
        scenario.write("config.toml", CONFIG);
        Self {
            scenario,
            token: Simulator::token("dialpad", "default"),
            processes: Mutex::default(),
            looks: AtomicU64::new(0),
            files: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            broken: Mutex::default(),
        }
    }

    /// `kosmo` with all three streams open to whoever starts it.
    pub fn command(&self) -> Command {
        let mut command = self.scenario.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Its processes, for as long as they live.
    pub fn processes(&self) -> MutexGuard<'_, HashSet<u32>> {
        self.processes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something is not as it must be.
    pub fn breaks(&self, problem: String) {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).push(problem);
    }

    /// Complains of text that holds a secret.
    pub fn must_not_tell(&self, what: &str, text: &[u8]) {
        if [MARK, &self.token].iter().any(|secret| text.windows(secret.len()).any(|part| part == secret.as_bytes())) {
            self.breaks(format!("a secret can be read in {what}"));
        }
    }

    /// Looks at what anybody on the machine may see of the processes.
    pub fn watch_processes(&self, over: &AtomicBool) {
        while !over.load(Ordering::Relaxed) {
            let processes: Vec<_> = self.processes().iter().copied().collect();
            for process in processes {
                for part in ["cmdline", "environ"] {
                    // It may have ended.
                    let text = fs::read(format!("/proc/{process}/{part}")).unwrap_or_default();
                    self.must_not_tell(&format!("/proc/PID/{part}"), &text);
                }
                self.looks.fetch_add(1, Ordering::Relaxed);
            }
            sleep(Duration::from_millis(5));
        }
    }

    /// Looks through all files now and then, as somebody with the disk in hand might.
    pub fn watch_files(&self, over: &AtomicBool, every: Duration) {
        while !over.load(Ordering::Relaxed) {
            self.look_through_files();
            (0..50).take_while(|_| !over.load(Ordering::Relaxed)).for_each(|_| sleep(every / 50));
        }
        self.look_through_files();
        self.check_store();
    }

    fn look_through_files(&self) {
        self.files.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
        self.look_through(self.scenario.home());
    }

    fn look_through(&self, folder: &Path) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.look_through(&path),
                Ok(kind) if kind.is_file() => self.look_into(&path),
                // The cache is shared and linked.
                _ => {}
            }
        }
    }

    fn look_into(&self, path: &Path) {
        let bytes = fs::read(path).unwrap_or_default();
        self.files.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.must_not_tell(&path.display().to_string(), &bytes);
    }

    fn check_store(&self) {
        let store = rusqlite::Connection::open(self.scenario.home().join("kosmo.db"));
        let check =
            |store: rusqlite::Connection| store.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
        match store.and_then(check) {
            Ok(verdict) if verdict == "ok" => {}
            Ok(verdict) => self.breaks(format!("the store is corrupt: {verdict}")),
            Err(error) => self.breaks(format!("the store cannot be checked: {error}")),
        }
    }

    /// The rules that the grant lists.
    pub fn config(&self) -> String {
        fs::read_to_string(self.scenario.home().join("config.toml")).unwrap_or_default()
    }

    /// What was looked at.
    pub fn figures(&self) -> String {
        let count = |number: &AtomicU64| number.load(Ordering::Relaxed);
        format!(
            "  looked for secrets: {} files ({} kB) at the end and every few seconds, {} looks into /proc; integrity_check \
             asked",
            count(&self.files),
            count(&self.bytes) / 1000,
            count(&self.looks)
        )
    }

    /// What was not as it must be, each thing once.
    pub fn broken(&self) -> Vec<String> {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner).clone();
        broken.sort();
        broken.dedup();
        broken
    }
}
