//! A person at a terminal.

use crate::Scenario;
use nix::pty::openpty;
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{LocalFlags, tcgetattr};
use nix::unistd::Pid;
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// `kosmo` on a pseudo-terminal.
pub struct Terminal {
    child: Child,
    keys: File,
    screen: Receiver<Vec<u8>>,
    seen: String,
    /// Up to where it was waited for.
    waited: usize,
}

impl Terminal {
    /// Starts `kosmo` with these arguments and all three streams on the terminal.
    pub fn start(scenario: &Scenario, arguments: &[&str]) -> Self {
        Self::start_in(scenario, arguments, &[])
    }

    /// The same with these variables in its environment.
    pub fn start_in(scenario: &Scenario, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let terminal = openpty(None, None).expect("a pseudo-terminal");
        let open = || Stdio::from(terminal.slave.try_clone().expect("another handle"));
        let mut command = controlled(scenario.command().args(arguments));
        command.env("TERM", "xterm").envs(environment.iter().copied()).stdin(open()).stdout(open()).stderr(open());
        let child = command.spawn().expect("`kosmo` starts");
        // With its other end open here, the terminal would never end.
        drop((command, terminal.slave));
        let keys = File::from(terminal.master);
        let screen = watch(keys.try_clone().expect("a second handle"));
        Self { child, keys, screen, seen: String::new(), waited: 0 }
    }

    /// Waits until this is on the screen behind everything waited for before.
    ///
    /// # Panics
    /// When it does not come.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        loop {
            if let Some(at) = self.seen[self.waited..].find(text) {
                self.waited += at + text.len();
                return;
            }
            match self.screen.recv_timeout(PATIENCE) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(_) => panic!("`{text}` does not come after:\n{}", self.seen),
            }
        }
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("a terminal that listens");
    }

    /// Sends the process the signal of Ctrl-C, which the keys do not do while it takes them for keys.
    pub fn interrupt(&self) {
        self.signal(Signal::SIGINT);
    }

    /// Sends the process a signal.
    pub fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(self.child.id().try_into().expect("a process id"));
        kill(id, signal).expect("it is running");
    }

    /// Whether keys are shown as they are pressed, and edited line by line.
    pub fn is_as_usual(&self) -> bool {
        let flags = tcgetattr(&self.keys).expect("its settings").local_flags;
        flags.contains(LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::ISIG)
    }

    /// Waits for the end, and gives the exit code and whether the terminal was left as usual.
    pub fn left(mut self) -> (i32, bool) {
        let status = self.ended();
        (status.code().unwrap_or(-1), self.is_as_usual())
    }

    /// Waits for the end, and gives the exit code and everything that was on the screen.
    pub fn end(mut self) -> (i32, String) {
        let status = self.ended();
        while let Ok(bytes) = self.screen.recv_timeout(PATIENCE) {
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
        (status.code().unwrap_or(-1), self.seen.replace("\r\n", "\n"))
    }
}

impl Terminal {
    fn ended(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            match self.child.try_wait().expect("a child of ours") {
                Some(status) => return status,
                None if begun.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(10)),
                None => {
                    let _ = self.child.kill();
                    panic!("it does not end after:\n{}", self.seen);
                }
            }
        }
    }
}

/// The same command with its terminal for its own, so that Ctrl-C reaches it.
fn controlled(command: &Command) -> Command {
    let mut controlled = Command::new("/usr/bin/setsid");
    controlled.arg("--ctty").arg(command.get_program()).args(command.get_args()).env_clear();
    controlled.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.get_current_dir().into_iter().for_each(|folder| {
        controlled.current_dir(folder);
    });
    controlled
}

fn watch(mut screen: File) -> Receiver<Vec<u8>> {
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        // An error is how a terminal whose other end is closed says so.
        while let Ok(length @ 1..) = screen.read(&mut buffer) {
            if tell.send(buffer[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    told
}
