//! `--repl`: a session line by line. On a terminal with history and completion; otherwise a plain filter.

mod completion;
mod editor;
mod history;
mod rendering;
mod stops;

use super::arguments::Script;
use super::failure::{Outcome, Usage};
use super::progress::{Flights, Waiting};
use super::{audit, output, prompt, servers};
use editor::{Editor, Typed};
use kosmo::lua::{Syntax, syntax};
use kosmo::{Code, Host, Interrupt, Observer, Session, SessionBuilder};
use std::io::{BufRead, IsTerminal, stderr, stdin, stdout};
use std::sync::Arc;
use stops::Stops;
use tokio::runtime::Runtime;

pub(super) const HELP: &str = "\
With --repl each line is run at once, or once it is complete. Globals are kept from line to line, and a `local` is gone
with its line. An expression is shown as `dump` shows it; `= x` is the same as `return x`. Tab completes; Ctrl-C stops
what runs, names the writes it caught, and clears the line; Ctrl-D or :quit ends, :help explains. History is kept in the
kosmo home, but for lines that hold a secret: one of an account, or one kept for an MCP server or told to it. Without a
terminal, lines are read from standard input, Ctrl-C ends the session, and the exit code is 1 if any failed.";

const SHORT_HELP: &str = "\
Lua, line by line. Globals are kept; a `local` is gone with its line.
  x, = x           shows the value of an expression, as dump(x) does
  docs.list()      what there is; docs.search(\"…\") and docs.read(\"…\") say more
  Tab              completes providers, accounts, functions and parameters
  Ctrl-C           stops what runs, clears what is typed
  Ctrl-D, :quit    ends
  :help            shows this";

/// What a script that was typed is called in its errors.
const NAME: &str = "repl";

/// Whether it can be asked for like that.
///
/// # Errors
/// [`Usage`], with what cannot go together.
pub(super) fn check(arguments: &Script) -> Result<(), Usage> {
    match arguments.json {
        true => Err(Usage("--repl is for reading along; for JSON, run one script with --eval, FILE or a pipe.".into())),
        false => Ok(()),
    }
}

/// Reads, runs and shows until there is nothing more.
pub(super) fn run(host: &Host, session: impl Fn() -> SessionBuilder) -> Outcome {
    let attended = stdin().is_terminal() && stdout().is_terminal() && stderr().is_terminal();
    let mut talk = Talk::new(&session, attended)?;
    let failed = match attended {
        true => converse(host, &mut talk, &session)?,
        false => filter(&mut talk, &session)?,
    };
    audit::warn(host);
    servers::finish(host);
    Ok(talk.end().unwrap_or(i32::from(failed)))
}

/// With a person. What failed, they saw.
fn converse(host: &Host, talk: &mut Talk, session: &dyn Fn() -> SessionBuilder) -> anyhow::Result<bool> {
    let mut editor = Editor::new(host)?;
    output::line("Lua with app.integrations, docs, json, regex and mcp. :help explains, Ctrl-D ends.");
    while talk.stops.ended().is_none() {
        prompt::given_back();
        match editor.read()? {
            Typed::Text(text) if text.trim() == ":quit" => break,
            Typed::Text(text) => drop(talk.answer(&text, session)),
            Typed::Cleared => {}
            Typed::End => break,
        }
    }
    Ok(false)
}

/// With a pipe. Whether something failed.
fn filter(talk: &mut Talk, session: &dyn Fn() -> SessionBuilder) -> anyhow::Result<bool> {
    let (mut text, mut failed) = (String::new(), false);
    for line in stdin().lock().lines() {
        text = if text.is_empty() { line? } else { format!("{text}\n{}", line?) };
        if text.trim() == ":quit" {
            text.clear();
            break;
        }
        if !is_unfinished(&text) {
            failed |= !talk.answer(&std::mem::take(&mut text), session);
        }
        if talk.stops.ended().is_some() {
            return Ok(true);
        }
    }
    failed |= !text.trim().is_empty() && !talk.answer(&text, session);
    Ok(failed)
}

/// A session, what runs it, and what stops it.
struct Talk {
    runtime: Runtime,
    session: Session,
    flights: Arc<Flights>,
    stops: Stops,
}

impl Talk {
    fn new(session: &dyn Fn() -> SessionBuilder, attended: bool) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (flights, stops) = (Arc::<Flights>::default(), Stops::listen(attended));
        Ok(Self { runtime, session: observed(session, &flights, stops.interrupt()), flights, stops })
    }

    /// Whether it went well.
    fn answer(&mut self, text: &str, session: &dyn Fn() -> SessionBuilder) -> bool {
        match text.trim() {
            "" => true,
            ":help" => {
                output::line(SHORT_HELP);
                true
            }
            command if command.starts_with(':') => {
                output::error(&format!("There is no command {command}; there are :help and :quit."));
                false
            }
            text => self.run(&code(text), session),
        }
    }

    fn run(&mut self, code: &str, session: &dyn Fn() -> SessionBuilder) -> bool {
        let waiting = Waiting::watching(&self.flights);
        let run = self.session.run(kosmo::Script::new(NAME, code));
        let outcome = self.runtime.block_on(self.stops.bound(run));
        drop(waiting);
        if self.session.is_overdue() {
            output::error("The session is stuck and was left behind; its globals are gone.");
            let fresh = observed(session, &self.flights, self.stops.interrupt());
            std::mem::forget(std::mem::replace(&mut self.session, fresh));
        }
        outcome.iter().for_each(|outcome| rendering::tell(&without_interruption(outcome)));
        self.stops.told().iter().for_each(|stopped| output::error(stopped));
        outcome.is_some_and(|outcome| outcome.success)
    }

    /// A thread that does not answer any more must not hold up the end. The exit code, if a signal says which.
    fn end(self) -> Option<i32> {
        let ended = self.stops.ended();
        std::mem::forget(self);
        ended
    }
}

fn observed(session: &dyn Fn() -> SessionBuilder, flights: &Arc<Flights>, interrupt: &Interrupt) -> Session {
    session().observer(Arc::clone(flights) as Arc<dyn Observer>).interrupt(interrupt).build()
}

/// What stopped a line is told in our own words.
fn without_interruption(outcome: &kosmo::Outcome) -> kosmo::Outcome {
    let mut told = outcome.clone();
    told.error = told.error.filter(|_| outcome.fault.as_ref().is_none_or(|fault| fault.code != Code::Interrupted));
    told
}

/// What was typed as a script: an expression returns its value.
fn code(text: &str) -> String {
    let returning = match text.strip_prefix('=') {
        Some(expression) => return format!("return {expression}"),
        None => format!("return {text}"),
    };
    if syntax(&returning) == Syntax::Whole { returning } else { text.into() }
}

/// Whether more has to follow.
fn is_unfinished(text: &str) -> bool {
    let text = text.trim_start();
    let expression = text.strip_prefix('=').unwrap_or(text);
    let forms = [syntax(&format!("return {expression}")), syntax(text)];
    !text.starts_with(':') && !forms.contains(&Syntax::Whole) && forms.contains(&Syntax::Unfinished)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_returned_and_a_statement_is_run() {
        let check = |text, expected| assert_eq!(code(text), expected);
        check("1 + 1", "return 1 + 1");
        check("= x", "return  x");
        check("x = 1", "x = 1");
        check("print(1)", "return print(1)");
        check("return 1", "return 1");
        check("local x = 1", "local x = 1");
    }

    #[test]
    fn what_is_not_whole_waits_for_more() {
        let check = |text, expected| assert_eq!(is_unfinished(text), expected, "{text}");
        check("for i = 1, 3 do", true);
        check("for i = 1, 3 do print(i) end", false);
        check("f({", true);
        check("= {", true);
        check("{1, 2", true);
        check("x", false);
        check(":help", false);
        check("", false);
        check("end", false);
    }
}
