//! `mcp:add`.

use super::super::configure::decision;
use super::super::failure::{Outcome, Usage};
use super::super::output;
use super::{Place, here};
use clap::{Args, ValueEnum};
use kosmo::mcp::edit::{self, Entry};
use kosmo::mcp::{Scope, looks_secret, masked_arguments, permit, url_looks_secret};
use kosmo::{Decision, Operation};
use serde_json::json;

pub(in crate::cli) const HELP: &str = "\
Without --project it is written into mcp.json of the kosmo home, and may be started at once. What stands in a project's
file must be trusted first.

--env KEY              the secret KEY of this server, which `kosmo mcp:secret:set` keeps sealed
--env KEY=VALUE        the value; ${NAME} in it is an environment variable that must be called KOSMO_MCP_… or be allowed
--header NAME          the same for headers, of servers with a URL
--header 'NAME: VALUE'

Examples:
  kosmo mcp:add files -- npx -y @modelcontextprotocol/server-filesystem .
  kosmo mcp:add github --env GITHUB_TOKEN --read=allow -- npx -y @modelcontextprotocol/server-github
  kosmo mcp:add docs https://mcp.example.com/mcp --header Authorization

Exit codes: 0 done, 1 failed, 2 wrong usage.";

/// Flags of `mcp:add`.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpAdd {
    /// What scripts will call it: app.mcp.NAME
    #[arg(value_name = "NAME")]
    name: String,
    /// The program to start, or the URL it listens at
    #[arg(value_name = "COMMAND_OR_URL")]
    target: Option<String>,
    /// Its arguments; those that begin with a dash come after `--`
    #[arg(value_name = "ARGUMENTS")]
    args: Vec<String>,
    /// How it is spoken to, if that is not clear
    #[arg(long = "type", value_name = "TYPE")]
    transport: Option<Transport>,
    /// The program to start
    #[arg(long, value_name = "PROGRAM", conflicts_with = "url")]
    command: Option<String>,
    /// The URL it listens at
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// A further argument; may be given several times
    #[arg(long, value_name = "ARGUMENT", allow_hyphen_values = true)]
    arg: Vec<String>,
    /// An environment variable for it; may be given several times
    #[arg(long, value_name = "KEY[=VALUE]")]
    env: Vec<String>,
    /// A header for it; may be given several times
    #[arg(long, value_name = "NAME[: VALUE]")]
    header: Vec<String>,
    /// Seconds it has to answer [default: 30]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: Option<u64>,
    /// Switched on, which it is anyway
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
    /// Switched off
    #[arg(long)]
    disable: bool,
    /// What scripts may do with tools that only read: allow, ask or deny
    #[arg(long, value_name = "DECISION", value_parser = decision)]
    read: Option<Decision>,
    /// What scripts may do with all others: allow, ask or deny
    #[arg(long, value_name = "DECISION", value_parser = decision)]
    write: Option<Decision>,
    /// Put it in the place of one of the same name
    #[arg(long)]
    replace: bool,
    /// Write values that look like secrets into the file, where others may read them
    #[arg(long)]
    plaintext: bool,
    #[command(flatten)]
    place: Place,
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
}

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Transport {
    /// Through the pipes of a program
    Stdio,
    /// Over HTTP
    Http,
}

pub(super) fn run(arguments: &McpAdd) -> Outcome {
    let entry = entry(arguments)?;
    if !arguments.plaintext {
        check_secrets(&arguments.name, &entry)?;
    }
    let (host, config) = here()?;
    let scope = arguments.place.scope().unwrap_or(Scope::Global);
    let name = &arguments.name;
    let path = edit::add(&host, &config.root, scope, name, &entry.to_value(), arguments.replace)?;
    let read = arguments.read.map(|decision| (Operation::Read, decision));
    let write = arguments.write.map(|decision| (Operation::Write, decision));
    let holder = scope.holder(name, &config.root);
    read.into_iter().chain(write).try_for_each(|(operation, decision)| permit(&host, holder, operation, decision))?;
    tell(name, scope, &path, arguments.json)
}

/// What holds of it now, read anew.
pub(super) fn tell(name: &str, scope: Scope, path: &std::path::Path, json: bool) -> Outcome {
    let (host, config) = here()?;
    let server = config.servers.get(name).filter(|server| server.path.file_name() == path.file_name());
    let standing = server.map(|server| (server, kosmo::mcp::standing(&host, server)));
    let next = standing.as_ref().map(|(_, standing)| standing.next.clone()).unwrap_or_default();
    if json {
        let row = standing.as_ref().map(|(server, standing)| super::row::listed(server, standing));
        output::json(&json!({
            "success": true, "server": name, "scope": scope.as_str(), "path": path, "row": row, "next_commands": next,
        }));
        return Ok(0);
    }
    output::line(&format!("MCP server {name} is in {}.", path.display()));
    if standing.is_none() {
        output::line("Another file of the project has one of that name, and wins. `kosmo mcp:list` says which.");
    }
    next.iter().for_each(|command| output::foreign(&format!("next: {command}")));
    Ok(0)
}

fn entry(arguments: &McpAdd) -> Result<Entry, Usage> {
    let target = arguments.target.clone();
    let http = match arguments.transport {
        Some(transport) => transport == Transport::Http,
        None => arguments.url.is_some() || arguments.command.is_none() && target.as_deref().is_some_and(is_url),
    };
    let given = |named: &Option<String>| (named.clone().or_else(|| target.clone()), named.is_some());
    let (start, target_is_argument) = given(if http { &arguments.url } else { &arguments.command });
    let Some(start) = start else { return Err(Usage(nothing(&arguments.name, http))) };
    check_start_form(arguments, &start, http)?;
    let first = target.filter(|_| target_is_argument);
    let args: Vec<_> = first.into_iter().chain(arguments.args.clone()).chain(arguments.arg.clone()).collect();
    if http && !args.is_empty() {
        return Err(Usage(
            "A server with a URL takes no arguments. Put a program's after its name, or use --header.".into(),
        ));
    }
    let env =
        arguments.env.iter().map(|text| pair(&arguments.name, text, &['='], "--env")).collect::<Result<_, _>>()?;
    let headers = arguments.header.iter().map(|text| pair(&arguments.name, text, &[':', '='], "--header"));
    Ok(Entry {
        command: (!http).then(|| start.clone()),
        args,
        url: http.then_some(start),
        env,
        headers: headers.collect::<Result<_, _>>()?,
        timeout: arguments.timeout,
        disabled: arguments.disable,
    })
}

/// A URL of another kind would be no server, nor is it likely to be a program.
fn check_start_form(arguments: &McpAdd, start: &str, http: bool) -> Result<(), Usage> {
    let is_typed = arguments.transport.is_some() || arguments.command.is_some();
    if http && !is_url(start) && !start.contains("${") {
        return Err(Usage(format!("A server with a URL is at http:// or https://, and `{start}` is neither.")));
    }
    if !http && !is_typed && start.contains("://") {
        let cure = "If it is a program, say so with --type=stdio.";
        return Err(Usage(format!("A server with a URL is at http:// or https://, and `{start}` is neither. {cure}")));
    }
    Ok(())
}

fn is_url(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

fn nothing(name: &str, http: bool) -> String {
    let what = if http { "--url https://…" } else { "-- COMMAND ARGUMENTS, or a URL" };
    format!("What is the server? Say it with: kosmo mcp:add {name} {what}")
}

/// `KEY=VALUE`, or `KEY` for the secret of that name.
fn pair(server: &str, text: &str, separators: &[char], flag: &str) -> Result<(String, String), Usage> {
    let letters = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    let (key, value) = match text.split_once(separators) {
        Some((key, value)) => (key.trim(), value.trim().to_owned()),
        None => (text, format!("@secret:mcp.{server}.{text}")),
    };
    if key.is_empty() || !key.chars().all(letters) {
        // Not repeated, since it may be a secret whose key was forgotten.
        return Err(Usage(format!("{flag} takes a name of letters, digits, `-` and `_`, or a name and a value.")));
    }
    Ok((key.into(), value))
}

fn check_secrets(server: &str, entry: &Entry) -> Result<(), Usage> {
    let all = entry.env.iter().map(|pair| ("--env", pair)).chain(entry.headers.iter().map(|pair| ("--header", pair)));
    let mut plain = all.filter(|(_, (key, value))| looks_secret(key, value));
    let Some((flag, (key, _))) = plain.next() else { return check_start(entry) };
    Err(Usage(format!(
        "The value of {key} looks like a secret, and the file would show it to whoever reads it. Nothing was written. Use \
         `{flag} {key}` and then `kosmo mcp:secret:set {server} {key}`, or --plaintext to write it nevertheless."
    )))
}

/// Arguments and URLs cannot refer to a secret.
fn check_start(entry: &Entry) -> Result<(), Usage> {
    let what = match &entry.url {
        Some(url) if url_looks_secret(url) => "The URL holds what",
        _ if masked_arguments(&entry.args) != entry.args => "An argument",
        _ => return Ok(()),
    };
    Err(Usage(format!(
        "{what} looks like a secret, and the file would show it to whoever reads it. Nothing was written. If the server \
         takes it from its environment or a header, use `--env KEY` or `--header NAME` and keep it with `kosmo \
         mcp:secret:set`; --plaintext writes it nevertheless."
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::{Cli, Command};
    use crate::cli::mcp::Mcp;
    use clap::Parser;

    fn read(line: &[&str]) -> Result<Entry, Usage> {
        let line = ["kosmo", "mcp:add", "s"].iter().chain(line);
        let Command::Mcp(Mcp::Add(arguments)) = Cli::parse_from(line).command else { panic!("another command") };
        entry(&arguments)
    }

    #[track_caller]
    fn check(line: &[&str], expected: serde_json::Value) {
        assert_eq!(read(line).expect("understood").to_value(), expected);
    }

    #[test]
    fn a_server_can_be_said_in_several_ways() {
        let npx = json!({"command": "npx", "args": ["-y", "x"]});
        check(&["--", "npx", "-y", "x"], npx.clone());
        check(&["npx", "--", "-y", "x"], npx.clone());
        check(&["npx", "--arg=-y", "--arg", "x"], npx.clone());
        check(&["--command", "npx", "--arg=-y", "--arg=x"], npx.clone());
        check(&["--command=npx", "--", "-y", "x"], npx);
        check(&["https://a.test/mcp"], json!({"type": "http", "url": "https://a.test/mcp"}));
        check(&["--url", "https://a.test"], json!({"type": "http", "url": "https://a.test"}));
        check(&["--type=stdio", "https://odd"], json!({"command": "https://odd", "args": []}));
        check(
            &["x", "--env", "TOKEN", "--env=A=b=c", "--timeout=5", "--disable"],
            json!({
                "command": "x", "args": [], "env": {"TOKEN": "@secret:mcp.s.TOKEN", "A": "b=c"}, "timeout": 5,
                "enabled": false,
            }),
        );
        check(
            &["https://a.test", "--header", "Authorization: Bearer $T", "--header=X=1", "--header=Y"],
            json!({
                "type": "http", "url": "https://a.test",
                "headers": {"Authorization": "Bearer $T", "X": "1", "Y": "@secret:mcp.s.Y"},
            }),
        );
    }

    #[test]
    fn what_makes_no_server_is_told() {
        let error = |line: &[&str]| read(line).expect_err("refused").to_string();
        assert!(error(&[]).contains("kosmo mcp:add s -- COMMAND"), "{}", error(&[]));
        assert!(error(&["--type=http"]).contains("--url"));
        assert!(error(&["--type=http", "foo"]).contains("`foo` is neither"));
        assert!(error(&["ftp://x/y"]).contains("--type=stdio"));
        assert!(error(&["https://a.test", "x"]).contains("takes no arguments"));
        assert!(!error(&["x", "--env", "s3cr3t value"]).contains("s3cr3t"));
        assert!(error(&["x", "--env", "=v"]).contains("--env takes a name"));
    }

    #[test]
    fn a_secret_in_the_clear_is_pointed_out_and_not_repeated() {
        let check = |line: &[&str]| check_secrets("s", &read(line).expect("understood"));
        check(&["x", "--env", "API_TOKEN", "--env=LEVEL=debug"]).expect("no secret");
        let error = check(&["x", "--env=API_TOKEN=s3cr3t-value"]).expect_err("a secret").to_string();
        assert!(error.contains("kosmo mcp:secret:set s API_TOKEN") && !error.contains("s3cr3t"), "{error}");
        for line in [&["x", "--arg=--api-key=s3cr3t-value"], &["https://a.test?api_key=s3cr3t-value"][..]] {
            let error = check(line).expect_err("a secret").to_string();
            assert!(error.contains("--plaintext") && !error.contains("s3cr3t"), "{error}");
        }
    }
}
