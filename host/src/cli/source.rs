//! Where a script's code comes from: what was typed, else a file, else a pipe.

use super::arguments::Script;
use super::failure::Usage;
use anyhow::{Context, bail};
use std::fs::File;
use std::io::{ErrorKind, IsTerminal, Read, stdin};
use std::path::Path;

/// Bytes; far above any script, far below what an endless pipe would hold.
const LARGEST: u64 = 16 << 20;

const NOTHING: &str = "Provide a Lua file, --eval code, or pipe Lua code on stdin.";

/// The script, named as its errors will name it.
///
/// # Errors
/// [`Usage`], if there is none; otherwise what is wrong with the file.
pub(super) fn read(arguments: &Script) -> anyhow::Result<kosmo::Script> {
    match (&arguments.eval, arguments.file()) {
        (Some(code), _) => Ok(kosmo::Script::new("eval", code.as_str())),
        (None, Some(file)) if file.as_os_str() == "-" => piped(),
        (None, Some(file)) => from_file(file),
        (None, None) if stdin().is_terminal() => Err(Usage(NOTHING.into()).into()),
        (None, None) => piped(),
    }
}

fn piped() -> anyhow::Result<kosmo::Script> {
    let code = text(stdin().lock(), "The Lua code on stdin")?;
    if code.trim().is_empty() {
        return Err(Usage(NOTHING.into()).into());
    }
    Ok(kosmo::Script::new("stdin", code))
}

fn from_file(path: &Path) -> anyhow::Result<kosmo::Script> {
    let shown = path.display();
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => bail!("Lua file not found: {shown}"),
        file => file.with_context(|| format!("Cannot open the Lua file {shown}"))?,
    };
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        bail!("{shown} is a folder; name the Lua file in it.");
    }
    let code = text(file, &format!("The Lua file {shown}"))?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    Ok(kosmo::Script::new(name, code))
}

fn text(source: impl Read, what: &str) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    source.take(LARGEST + 1).read_to_end(&mut bytes).with_context(|| format!("{what} cannot be read"))?;
    if bytes.len() as u64 > LARGEST {
        bail!("{what} is larger than {} MiB; that is no script.", LARGEST >> 20);
    }
    let text = String::from_utf8(bytes).ok();
    let text = text.with_context(|| format!("{what} is not UTF-8 text. Compiled Lua is not run; save it as UTF-8."))?;
    Ok(without_first_line_for_shells(text))
}

/// `#!/usr/bin/env …` is for the system, not for Lua. The line stays, so that the others keep their numbers.
fn without_first_line_for_shells(text: String) -> String {
    let text = text.strip_prefix('\u{feff}').map(Into::into).unwrap_or(text);
    if text.starts_with("#!") { format!("--{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        let outcome = text(bytes, "The Lua file w.lua");
        assert_eq!(outcome.unwrap_or_else(|error| format!("{error:#}")), expected);
    }

    #[test]
    fn code_is_text_of_bearable_size() {
        check(b"return 1\n", "return 1\n");
        check("\u{feff}return 1".as_bytes(), "return 1");
        check(b"#!/usr/bin/env kosmo\nreturn 1", "--#!/usr/bin/env kosmo\nreturn 1");
        check(b"\x1bLua\xff", "The Lua file w.lua is not UTF-8 text. Compiled Lua is not run; save it as UTF-8.");
        check(&vec![b' '; (LARGEST + 1) as usize], "The Lua file w.lua is larger than 16 MiB; that is no script.");
    }
}
