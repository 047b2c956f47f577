//! `mcp:call` and `mcp:<server>`: one tool, once.

use super::super::failure::{self, Outcome, Usage};
use super::super::signals::Signals;
use super::super::slip;
use super::super::{audit, call, open, output};
use super::{ask, finish, split};
use clap::Args;
use kosmo::mcp::{McpInvocation, McpRequest, Rehearse};
use kosmo::{Code, Fault, Host, Interrupt};
use serde_json::{Value, json};
use std::time::Instant;

const USAGE: &str = "kosmo mcp:call <SERVER.TOOL> [PAYLOAD] [--PARAMETER=VALUE]... [OPTIONS]";
const SERVER_USAGE: &str = "kosmo mcp:<SERVER> [TOOL] [PAYLOAD] [--PARAMETER=VALUE]... [OPTIONS]";

pub(super) const HELP: &str = "\
PAYLOAD is one JSON object, `-` for standard input; without one, what is piped in. Flags name the tool's parameters and
override the payload. Each value is read as the tool's schema declares it, so --to=+14155551234 stays text.

With --json everything is one JSON document on standard output:
{function, success, data, error, fault, meta: {dry_run, operation, permission_bypassed, server}, duration_ms}

Tools that say they only read need `read = \"allow\"` under [mcp.servers.<server>.permissions] in config.toml, all others
`write = \"allow\"`. A server of a project has to be reviewed first: kosmo mcp:trust SERVER.

Examples:
  kosmo mcp:call github.create_issue '{\"title\": \"Broken\"}' --json
  kosmo mcp:github create_issue --title Broken --dry-run";

/// One tool of any server.
#[derive(Debug, Args)]
#[command(override_usage = USAGE)]
pub(in crate::cli) struct McpCall {
    #[command(flatten)]
    options: Options,
    /// Such as `github.create_issue`
    #[arg(value_name = "SERVER.TOOL")]
    tool: String,
    /// A JSON object, and --PARAMETER=VALUE for single arguments
    #[arg(value_name = "PAYLOAD")]
    words: Vec<String>,
}

/// One tool of one server.
#[derive(Debug, Args)]
#[command(override_usage = SERVER_USAGE)]
pub(in crate::cli) struct McpServer {
    #[command(flatten)]
    options: Options,
    /// Such as `github`
    #[arg(value_name = "SERVER")]
    server: String,
    /// Such as `create_issue`; without it, its tools are listed
    #[arg(value_name = "TOOL")]
    tool: Option<String>,
    /// A JSON object, and --PARAMETER=VALUE for single arguments
    #[arg(value_name = "PAYLOAD")]
    words: Vec<String>,
}

#[derive(Clone, Debug, Args)]
struct Options {
    /// Go past the permissions of MCP servers, where `allow_force_bypass` lets it
    #[arg(long)]
    force: bool,
    /// Check everything, and run nothing
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
    /// A single argument, as --PARAMETER=VALUE; reaches parameters called like a flag of kosmo
    #[arg(long = "arg", value_name = "KEY=VALUE")]
    pairs: Vec<String>,
}

pub(super) fn any(arguments: &McpCall) -> Outcome {
    let host = open(&[])?;
    let begun = Instant::now();
    match split(host.mcp(), &arguments.tool) {
        Ok((server, tool)) => run(&host, &server, &tool, &arguments.words, &arguments.options),
        Err(fault) => {
            let asked = Asked { function: &arguments.tool, operation: None, server: None, begun };
            Ok(asked.tell(Err(fault), &arguments.options))
        }
    }
}

pub(super) fn of_server(arguments: &McpServer) -> Outcome {
    let host = open(&[])?;
    let server = &arguments.server;
    check_exists(&host, server)?;
    match &arguments.tool {
        Some(tool) => run(&host, server, tool, &arguments.words, &arguments.options),
        None => {
            let McpServer { options, .. } = arguments;
            let asked = McpInvocation { force: options.force, ..McpInvocation::new(server, McpRequest::Tools) };
            let answer = ask(&host, asked);
            finish(&host);
            match answer {
                Ok(rows) if options.json => output::json(&json!({"success": true, "tools": rows})),
                Ok(rows) => rows.as_array().into_iter().flatten().for_each(|row| output::foreign(&line(row))),
                Err(fault) => return failure::fault(fault, options.json),
            }
            Ok(0)
        }
    }
}

fn line(row: &Value) -> String {
    let text = |key: &str| row[key].as_str().unwrap_or_default();
    let about = text("description").lines().next().filter(|line| !line.is_empty());
    about.map_or_else(|| text("function").into(), |line| format!("{} - {line}", text("function")))
}

/// A command that is none is a slip in a command's name as likely as in a server's.
fn check_exists(host: &Host, name: &str) -> Result<(), Usage> {
    let servers = &host.mcp().config().servers;
    if servers.contains_key(name) {
        return Ok(());
    }
    let suggestion = slip::suggestion("mcp:", name, &servers.keys().cloned().collect::<Vec<_>>());
    Err(Usage(format!("There is neither a command `mcp:{name}` nor an MCP server `{name}`.{suggestion}")))
}

fn run(host: &Host, server: &str, tool: &str, words: &[String], options: &Options) -> Outcome {
    let typed = Typed::read(words, &options.pairs)?;
    let arguments = call::payload(typed.payload.as_deref())?;
    let request = McpRequest::Call { tool: tool.into(), arguments, flags: typed.flags };
    let rehearse = if options.dry_run { Rehearse::All } else { Rehearse::Nothing };
    let begun = Instant::now();
    let signals = listen(server, tool, options, begun);
    let interrupt = Some(signals.interrupt().clone());
    let asked = McpInvocation { force: options.force, rehearse, interrupt, ..McpInvocation::new(server, request) };
    let answer = ask(host, asked);
    let found = host.block_on(host.mcp().operation(server, tool));
    signals.claim();
    audit::warn(host);
    let name = found.as_ref().map_or_else(|| tool.to_owned(), |(name, _)| name.clone());
    let operation = found.map(|(_, operation)| operation.as_str());
    let interrupted = answer.as_ref().is_err_and(|fault| fault.code == Code::Interrupted);
    let answer = answer.map_err(|fault| if interrupted { recorded(signals.interrupt(), fault) } else { fault });
    let asked = Asked { function: &format!("{server}.{name}"), operation, server: Some(server), begun };
    let code = asked.tell(answer, options);
    finish(host);
    Ok(if interrupted { signals.exit_code() } else { code })
}

/// What a second signal leaves to be said.
fn listen(server: &str, tool: &str, options: &Options, begun: Instant) -> Signals {
    let (server, function, options) = (server.to_owned(), format!("{server}.{tool}"), options.clone());
    Signals::listen(move |interrupt| {
        let fault = recorded(interrupt, interrupt.fault());
        Asked { function: &function, operation: None, server: Some(&server), begun }.tell(Err(fault), &options);
    })
}

/// The fault of an interruption, telling where to find out what was under way.
fn recorded(interrupt: &Interrupt, fault: Fault) -> Fault {
    if let Some(run) = interrupt.run().filter(|_| !interrupt.writes().is_empty()) {
        output::error(&format!("note: what was recorded of it: kosmo audit --run {run}"));
    }
    fault
}

/// What was asked for, as its answer tells it.
struct Asked<'a> {
    /// `files.read_file`
    function: &'a str,
    operation: Option<&'a str>,
    server: Option<&'a str>,
    begun: Instant,
}

impl Asked<'_> {
    /// Prints the answer and gives the exit code.
    fn tell(&self, answer: Result<Value, Fault>, options: &Options) -> i32 {
        let code = answer.as_ref().err().map_or(0, failure::exit_code);
        match answer {
            answer if options.json => output::json(&self.envelope(answer, options)),
            Ok(Value::String(text)) => output::foreign(&text),
            Ok(data) => output::foreign(&output::pretty(&data)),
            Err(fault) => output::error(&fault.message),
        }
        code
    }

    fn envelope(&self, answer: Result<Value, Fault>, options: &Options) -> Value {
        let fault = answer.as_ref().err();
        let mut envelope = json!({
            "function": self.function,
            "success": fault.is_none(),
            "data": answer.as_ref().ok().filter(|_| !options.dry_run),
            "error": fault.map(|fault| &fault.message),
        });
        if let Some(fault) = fault {
            envelope["fault"] = json!(fault);
        }
        if let (Ok(request), true) = (&answer, options.dry_run) {
            envelope["request"] = request.clone();
        }
        envelope["meta"] = json!({
            "dry_run": options.dry_run,
            "operation": self.operation,
            "permission_bypassed": options.force && !fault.is_some_and(is_refusal),
            "server": self.server,
        });
        envelope["duration_ms"] = json!((self.begun.elapsed().as_secs_f64() * 10_000.0).round() / 10.0);
        envelope
    }
}

/// What was refused all the same passed nothing by.
fn is_refusal(fault: &Fault) -> bool {
    matches!(fault.code, Code::Denied | Code::ApprovalRequired)
}

/// What was typed behind a tool's name. What the values mean, the tool's schema says.
#[derive(Debug, Default, PartialEq)]
struct Typed {
    payload: Option<String>,
    flags: Vec<(String, Option<String>)>,
}

impl Typed {
    fn read(words: &[String], pairs: &[String]) -> Result<Self, Usage> {
        let mut typed = Self::default();
        for pair in pairs {
            let (name, value) = pair.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
                Usage(format!("--arg values must use key=value syntax, such as --arg limit=5; it was given `{pair}`."))
            })?;
            typed.flags.push((name.into(), Some(value.into())));
        }
        let mut words = words.iter().map(String::as_str).peekable();
        while let Some(word) = words.next() {
            match word.strip_prefix("--") {
                Some("") => {}
                Some(flag) => typed.flags.push(match flag.split_once('=') {
                    Some((name, value)) => (name.into(), Some(value.into())),
                    None => (flag.into(), words.next_if(|next| is_value(next)).map(Into::into)),
                }),
                None => typed.take_payload(word)?,
            }
        }
        Ok(typed)
    }

    fn take_payload(&mut self, word: &str) -> Result<(), Usage> {
        match self.payload.replace(word.into()) {
            None => Ok(()),
            Some(first) => Err(Usage(format!("There is one JSON payload at most; there are `{first}` and `{word}`."))),
        }
    }
}

/// Whether the word after a flag is its value: a flag is not, nor the payload.
fn is_value(word: &str) -> bool {
    !word.starts_with("--") && !word.starts_with('{')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_take_what_follows_them_unless_it_is_a_flag_or_the_payload() {
        let words = ["--a", "1", "--b", "--c=2", "--d", "{}"].map(String::from);
        let typed = Typed::read(&words, &["e=3".into()]).expect("no mistake");
        let flags: Vec<_> = typed.flags.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
        assert_eq!(flags, [("e", Some("3")), ("a", Some("1")), ("b", None), ("c", Some("2")), ("d", None)]);
        assert_eq!(typed.payload.as_deref(), Some("{}"));
        assert!(Typed::read(&["{}".into(), "{}".into()], &[]).is_err());
        assert!(Typed::read(&[], &["x".into()]).is_err());
    }
}
