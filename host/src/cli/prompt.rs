//! Asking a person at a terminal, without showing what must not be seen.

#[cfg(unix)]
use super::terminal::Kept;
use super::{output, signals};
use std::io::{self, IsTerminal, Write, stderr, stdin};
#[cfg(unix)]
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Whether there is somebody to ask.
pub(in crate::cli) fn somebody_is_there() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// A line that is shown while it is typed. Empty if nothing was.
///
/// # Errors
/// When the terminal is gone.
pub(in crate::cli) fn line(question: &str) -> io::Result<String> {
    show(question)?;
    let mut answer = String::new();
    if stdin().read_line(&mut answer)? == 0 {
        return Err(ended());
    }
    Ok(answer.trim().into())
}

/// A line of which nothing is shown, not even its length.
///
/// # Errors
/// When the terminal is gone, or the person pressed Ctrl-C.
pub(in crate::cli) fn secret(question: &str) -> io::Result<String> {
    signals::end_at_once();
    // Before the question is seen, or what is typed fast would be seen, too.
    let mut unseen = Unseen::begin()?;
    show(question)?;
    let (mut typed, mut answer) = (Typed::default(), None);
    while answer.is_none() {
        answer = unseen.key(TICK)?.and_then(|key| typed.press(key));
    }
    drop(unseen);
    show("\n")?;
    answer.unwrap_or_else(|| Err(ended()))
}

/// A line that is shown while it is typed, by whoever sees the question: keys from before it are forgotten. Once this is
/// dropped, no key is taken any more.
///
/// # Errors
/// When the terminal is gone, or the person pressed Ctrl-C or Ctrl-D.
pub(super) async fn answer(question: &str, unseen: &mut Unseen) -> io::Result<String> {
    unseen.forget()?;
    show(question)?;
    let mut typed = Typed::default();
    loop {
        match unseen.key(Duration::ZERO)? {
            Some(key) => {
                if let Some(answer) = typed.press(key) {
                    show("\n")?;
                    return answer;
                }
                show(&format!("\r\x1b[K{question}{}", typed.seen()))?;
            }
            None => tokio::time::sleep(TICK).await,
        }
    }
}

fn show(text: &str) -> io::Result<()> {
    stderr().write_all(text.as_bytes())?;
    stderr().flush()
}

/// Between two looks for a key.
const TICK: Duration = Duration::from_millis(20);

/// Ctrl-C, Ctrl-D, Delete, Ctrl-H and Ctrl-U.
const INTERRUPT: u8 = 0x03;
const END: u8 = 0x04;
const ERASE: u8 = 0x7f;
const BACKSPACE: u8 = 0x08;
const ERASE_LINE: u8 = 0x15;

/// A line up to here. The terminal neither edits nor interrupts meanwhile, so both are done here.
#[derive(Default)]
struct Typed(Vec<u8>);

impl Typed {
    /// The line, once this key ends it.
    fn press(&mut self, key: u8) -> Option<io::Result<String>> {
        match key {
            b'\n' | b'\r' => return Some(self.text()),
            INTERRUPT => return Some(Err(io::ErrorKind::Interrupted.into())),
            END if self.0.is_empty() => return Some(Err(ended())),
            END => return Some(self.text()),
            ERASE | BACKSPACE => self.erase(),
            ERASE_LINE => self.0.clear(),
            key => self.0.push(key),
        }
        None
    }

    /// Takes the last letter away, which may have several bytes.
    fn erase(&mut self) {
        while self.0.pop().is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000) {}
    }

    fn seen(&self) -> String {
        output::in_one_line(&String::from_utf8_lossy(&self.0)).into_owned()
    }

    fn text(&self) -> io::Result<String> {
        let text =
            str::from_utf8(&self.0).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))?;
        Ok(text.trim().into())
    }
}

fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the input ended")
}

/// How many have the terminal show nothing.
static UNSEEN: AtomicUsize = AtomicUsize::new(0);
/// Longer than it takes to let go of a question that nobody waits on.
const LETTING_GO: Duration = Duration::from_secs(2);

/// Waits until the terminal is as it was before: a question that was dropped may be about to give it back.
pub(super) fn given_back() {
    let begun = Instant::now();
    while UNSEEN.load(Ordering::Acquire) > 0 && begun.elapsed() < LETTING_GO {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// While it lives, the terminal shows nothing of what is typed.
#[cfg(unix)]
pub(super) struct Unseen {
    before: nix::sys::termios::Termios,
    _kept: Kept,
}

#[cfg(unix)]
impl Unseen {
    /// From here on, what was typed before is forgotten.
    pub(super) fn begin() -> io::Result<Self> {
        use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
        let _kept = Kept::as_found()?;
        let before = tcgetattr(stdin())?;
        let mut unseen = before.clone();
        // Without ISIG, Ctrl-C is a key: it must not leave behind a terminal that shows nothing any more.
        unseen.local_flags -= LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::ISIG;
        tcsetattr(stdin(), SetArg::TCSAFLUSH, &unseen)?;
        UNSEEN.fetch_add(1, Ordering::AcqRel);
        Ok(Self { before, _kept })
    }

    /// Forgets what was typed and not taken.
    fn forget(&mut self) -> io::Result<()> {
        use nix::sys::termios::{FlushArg, tcflush};
        Ok(tcflush(stdin(), FlushArg::TCIFLUSH)?)
    }

    /// A key, if one is pressed within this time. Never more than the one: what is read ahead could not be forgotten.
    fn key(&mut self, within: Duration) -> io::Result<Option<u8>> {
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        let (stdin, mut key) = (stdin(), [0]);
        let within = PollTimeout::try_from(within).unwrap_or(PollTimeout::ZERO);
        let pressed = poll(&mut [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)], within);
        let read =
            pressed.and_then(|count| if count == 0 { Ok(None) } else { nix::unistd::read(&stdin, &mut key).map(Some) });
        match read {
            Ok(Some(0)) => Err(ended()),
            Ok(read) => Ok(read.map(|_| key[0])),
            Err(nix::errno::Errno::EINTR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(unix)]
impl Drop for Unseen {
    fn drop(&mut self) {
        use nix::sys::termios::{SetArg, tcsetattr};
        // What was typed behind the answer is meant for nobody. A terminal that is gone needs nothing restored.
        let _ = tcsetattr(stdin(), SetArg::TCSAFLUSH, &self.before);
        UNSEEN.fetch_sub(1, Ordering::AcqRel);
    }
}

/// There is none.
#[cfg(not(unix))]
pub(super) enum Unseen {}

#[cfg(not(unix))]
impl Unseen {
    pub(super) fn begin() -> io::Result<Self> {
        let message = "secrets cannot be asked for here without showing them; use --set KEY=-";
        Err(io::Error::new(io::ErrorKind::Unsupported, message))
    }

    fn forget(&mut self) -> io::Result<()> {
        match *self {}
    }

    fn key(&mut self, _: Duration) -> io::Result<Option<u8>> {
        match *self {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(keys: &[u8], expected: Result<&str, io::ErrorKind>) {
        let mut typed = Typed::default();
        let answer = keys.iter().find_map(|key| typed.press(*key)).unwrap_or_else(|| Err(ended()));
        assert_eq!(answer.as_deref().map_err(io::Error::kind), expected, "{keys:?}");
    }

    #[test]
    fn what_is_typed_unseen_can_be_corrected_and_given_up() {
        check(b"token\nmore", Ok("token"));
        check(b" token \r", Ok("token"));
        check(b"\n", Ok(""));
        check(b"tokem\x7fn\n", Ok("token"));
        check("zoë\x08e\n".as_bytes(), Ok("zoe"));
        check(b"\x7f\x7fa\n", Ok("a"));
        check(b"wrong\x15right\n", Ok("right"));
        check(b"token\x04", Ok("token"));
        check(b"token\x03", Err(io::ErrorKind::Interrupted));
        check(b"\x04", Err(io::ErrorKind::UnexpectedEof));
        check(b"tok", Err(io::ErrorKind::UnexpectedEof));
        check(b"\xff\n", Err(io::ErrorKind::InvalidData));
    }
}
