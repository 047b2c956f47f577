//! The line a person types.

use super::super::terminal::Kept;
use super::completion::{self, Known};
use super::history::History;
use super::is_unfinished;
use kosmo::Host;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Helper};

const PROMPT: &str = "lua> ";

/// What came of reading.
pub(super) enum Typed {
    Text(String),
    /// Ctrl-C.
    Cleared,
    /// Ctrl-D.
    End,
}

pub(super) struct Editor {
    lines: rustyline::Editor<Assistant, FileHistory>,
    history: History,
}

impl Editor {
    pub(super) fn new(host: &Host) -> rustyline::Result<Self> {
        let config = Config::builder().completion_type(CompletionType::List).build();
        let mut lines = rustyline::Editor::with_config(config)?;
        lines.set_helper(Some(Assistant { host: host.clone() }));
        let history = History::of(host);
        history.load(&mut lines);
        Ok(Self { lines, history })
    }

    pub(super) fn read(&mut self) -> rustyline::Result<Typed> {
        let _kept = Kept::as_found()?;
        match self.lines.readline(PROMPT) {
            Ok(text) => {
                self.history.keep(&mut self.lines, &text);
                Ok(Typed::Text(text))
            }
            Err(ReadlineError::Interrupted) => Ok(Typed::Cleared),
            Err(ReadlineError::Eof) => Ok(Typed::End),
            Err(error) => Err(error),
        }
    }
}

/// Completes what is typed, and waits for the rest of it.
pub(super) struct Assistant {
    host: Host,
}

impl Helper for Assistant {}
impl Hinter for Assistant {
    type Hint = String;
}
impl Highlighter for Assistant {}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let unfinished = is_unfinished(context.input());
        Ok(if unfinished { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

impl Completer for Assistant {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(completion::complete(&line[..at], &self.host))
    }
}

impl Known for Host {
    fn providers(&self) -> Vec<String> {
        self.registry().names()
    }

    fn accounts(&self, provider: &str) -> Vec<String> {
        self.provider(provider).map(|provider| Self::accounts(self, &provider)).unwrap_or_default()
    }

    fn functions(&self, provider: &str) -> Vec<String> {
        let Ok(provider) = self.provider(provider) else { return Vec::new() };
        provider.description().functions.iter().map(|function| function.name.clone()).collect()
    }

    fn parameters(&self, provider: &str, function: &str) -> Vec<String> {
        let Ok(provider) = self.provider(provider) else { return Vec::new() };
        let function = provider.description().function(function);
        let parameters = function.iter().flat_map(|function| &function.parameters);
        parameters.map(|parameter| parameter.name.clone()).collect()
    }
}
