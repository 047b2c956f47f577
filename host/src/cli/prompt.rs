//! Asking a person at a terminal, without showing what must not be seen.

use super::output;
use std::io::{self, BufRead, IsTerminal, Write, stderr, stdin};

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
    // Before the question is seen, or what is typed fast would be seen, too.
    let unseen = Unseen::begin()?;
    show(question)?;
    let answer = typed(stdin().lock(), |_| Ok(()));
    drop(unseen);
    show("\n")?;
    answer
}

/// A line that is shown while it is typed. The caller has made the terminal show nothing, so that Ctrl-C is a key.
///
/// # Errors
/// When the terminal is gone, or the person pressed Ctrl-C or Ctrl-D.
pub(super) fn answer(question: &str) -> io::Result<String> {
    show(question)?;
    let answer = typed(stdin().lock(), |answer| show(&format!("\r\x1b[K{question}{answer}")));
    show("\n")?;
    answer
}

fn show(text: &str) -> io::Result<()> {
    stderr().write_all(text.as_bytes())?;
    stderr().flush()
}

/// Reads keys up to the end of the line. The terminal neither edits nor interrupts meanwhile, so both are done here.
fn typed(keys: impl BufRead, mut seen: impl FnMut(&str) -> io::Result<()>) -> io::Result<String> {
    let mut answer = Vec::new();
    for key in keys.bytes() {
        match key? {
            b'\n' | b'\r' => return text(answer),
            INTERRUPT => return Err(io::ErrorKind::Interrupted.into()),
            END if answer.is_empty() => return Err(ended()),
            END => return text(answer),
            ERASE | BACKSPACE => erase(&mut answer),
            ERASE_LINE => answer.clear(),
            key => answer.push(key),
        }
        seen(&output::in_one_line(&String::from_utf8_lossy(&answer)))?;
    }
    Err(ended())
}

/// Ctrl-C, Ctrl-D, Delete, Ctrl-H and Ctrl-U.
const INTERRUPT: u8 = 0x03;
const END: u8 = 0x04;
const ERASE: u8 = 0x7f;
const BACKSPACE: u8 = 0x08;
const ERASE_LINE: u8 = 0x15;

/// Takes the last letter away, which may have several bytes.
fn erase(answer: &mut Vec<u8>) {
    while answer.pop().is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000) {}
}

fn text(answer: Vec<u8>) -> io::Result<String> {
    let text = String::from_utf8(answer).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))?;
    Ok(text.trim().into())
}

fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the input ended")
}

/// While it lives, the terminal shows nothing of what is typed.
#[cfg(unix)]
pub(super) struct Unseen {
    before: nix::sys::termios::Termios,
}

#[cfg(unix)]
impl Unseen {
    /// From here on, what was typed before is forgotten.
    pub(super) fn begin() -> io::Result<Self> {
        use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
        let before = tcgetattr(stdin())?;
        let mut unseen = before.clone();
        // Without ISIG, Ctrl-C is a key: it must not leave behind a terminal that shows nothing any more.
        unseen.local_flags -= LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::ISIG;
        tcsetattr(stdin(), SetArg::TCSAFLUSH, &unseen)?;
        Ok(Self { before })
    }
}

#[cfg(unix)]
impl Drop for Unseen {
    fn drop(&mut self) {
        use nix::sys::termios::{SetArg, tcsetattr};
        // A terminal that is gone needs nothing restored.
        let _ = tcsetattr(stdin(), SetArg::TCSANOW, &self.before);
    }
}

#[cfg(not(unix))]
pub(super) struct Unseen;

#[cfg(not(unix))]
impl Unseen {
    pub(super) fn begin() -> io::Result<Self> {
        let message = "secrets cannot be asked for here without showing them; use --set KEY=-";
        Err(io::Error::new(io::ErrorKind::Unsupported, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(keys: &[u8], expected: Result<&str, io::ErrorKind>) {
        let answer = typed(keys, |_| Ok(()));
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
