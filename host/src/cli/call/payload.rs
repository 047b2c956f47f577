//! A function's arguments as one JSON object: typed, or from a pipe.

use super::super::failure::Usage;
use super::super::output;
use anyhow::{Context, bail};
use serde_json::{Map, Value};
use std::io::{IsTerminal, Read, stdin};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// Bytes; what a request's body may have, and some.
const LARGEST: u64 = 16 << 20;

/// How long a pipe may say nothing before a word is due: a job that was left an open one would wait for ever.
const PATIENCE: Duration = Duration::from_secs(2);

/// The payload: what was typed, else a pipe's content; nothing if both are blank. `-` means the pipe.
///
/// # Errors
/// [`Usage`], if it is not a JSON object; otherwise why it cannot be read.
pub(in crate::cli) fn read(typed: Option<&str>) -> anyhow::Result<Map<String, Value>> {
    match typed {
        Some("-") => parse(&piped()?),
        Some(text) => parse(text),
        None if stdin().is_terminal() => Ok(Map::new()),
        None => parse(&piped()?),
    }
}

fn parse(text: &str) -> anyhow::Result<Map<String, Value>> {
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Usage("JSON payload must decode to an object. Write one such as {\"limit\": 5}.".into()).into()),
        Err(error) => Err(Usage(format!("JSON payload must decode to an object. It does not: {error}")).into()),
    }
}

fn piped() -> anyhow::Result<String> {
    let (tell, told) = channel();
    std::thread::spawn(move || tell.send(text(stdin().lock())));
    match told.recv_timeout(PATIENCE) {
        Err(RecvTimeoutError::Timeout) => {
            output::error(
                "waiting for a JSON payload on standard input. To give none, end it with `< /dev/null` or give {}.",
            );
            told.recv()?
        }
        answer => answer?,
    }
}

fn text(source: impl Read) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    source.take(LARGEST + 1).read_to_end(&mut bytes).context("The JSON payload on stdin cannot be read")?;
    if bytes.len() as u64 > LARGEST {
        bail!("The JSON payload on stdin is larger than {} MiB.", LARGEST >> 20);
    }
    String::from_utf8(bytes).context("The JSON payload on stdin is not UTF-8 text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<usize, &str>) {
        let outcome = parse(text).map(|object| object.len()).map_err(|error| error.to_string());
        assert_eq!(outcome, expected.map_err(str::to_owned), "{text}");
    }

    #[test]
    fn a_payload_is_an_object_or_blank() {
        check("", Ok(0));
        check(" \n", Ok(0));
        check("{}", Ok(0));
        check("{\"limit\": 5}\n", Ok(1));
        check("[]", Err("JSON payload must decode to an object. Write one such as {\"limit\": 5}."));
        check("5", Err("JSON payload must decode to an object. Write one such as {\"limit\": 5}."));
        check("limit", Err("JSON payload must decode to an object. It does not: expected value at line 1 column 1"));
    }

    #[test]
    fn an_endless_pipe_is_not_read_to_its_end() {
        let error = text(std::io::repeat(b' ')).expect_err("too large").to_string();
        assert_eq!(error, "The JSON payload on stdin is larger than 16 MiB.");
    }
}
