//! What can be typed, and the help that says so.

use super::accounts::{self, AccountsList, AccountsRemove, AccountsTest};
use super::call::{self, IntegrationsCall, IntegrationsProvider};
use super::configure::{self, IntegrationsConfigure};
use super::status::{IntegrationsDoctor, IntegrationsFields, IntegrationsStatus};
use super::{approve, docs, examples, manual, mcp, permissions, rehearse, repl, runs};
use super::{schema, search, serve, servers, signals};
use clap::{Args, Parser, Subcommand};
use kosmo::SessionBuilder;
use kosmo::lua::LEAST_MEMORY;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const ABOUT: &str = "Runs Lua that reaches real services through sandboxed plugins, and only as far as you allow.";

const EXAMPLES: &str = "\
Examples:
  kosmo integrations:list
  kosmo integrations:search send text message
  kosmo integrations:docs dialpad.list_calls
  kosmo integrations:call dialpad.list_calls --limit 5
  kosmo integrations:lua --eval 'dump(app.integrations.dialpad.list_calls({limit = 5}))'
  kosmo integrations:lua workflow.lua --json
  kosmo mcp:lua --eval 'dump(mcp.servers())' --json

Environment:
  KOSMO_HOME      where config.toml and plugins are (default: ~/.kosmo)
  KOSMO_PLUGINS   further plugin folders, separated as in PATH
  <PROVIDER>_ACCESS_TOKEN, <PROVIDER>_URL
                  an account without a config.toml, such as DIALPAD_ACCESS_TOKEN

Exit codes: 0 done, 1 failed, 2 wrong usage; for all but scripts also 3 refused by permission or grant, 4 the provider
or the network failed; after a signal 130 (Ctrl-C), 143 or 129. `kosmo integrations lua` does for
`kosmo integrations:lua`, and --json=true for --json.";

const SCRIPT_HELP: &str = "\
The code comes from --eval, else FILE, else a pipe on standard input.
Lua sees app.integrations.<provider>[.<account>].<function>({...}), docs, json, regex, mcp, print, dump, paginate
and parallel. Writes need `write = \"allow\"` under [permissions.<provider>] in config.toml, or --force.

With --json everything, failures included, is one JSON document on standard output:
{success, output, error, result, fault, execution_time_ms, memory_usage, integration_calls, meta}";

/// What there is to say of scripts, and this besides.
fn script_help(besides: Option<&str>) -> String {
    let parts = [SCRIPT_HELP, repl::HELP, approve::HELP].into_iter().chain(besides).chain([signals::HELP]);
    parts.collect::<Vec<_>>().join("\n\n")
}

const AUDIT_HELP: &str = "\
Each decision, each request and each end of an invocation is a record, in files of one month under `audit` in the kosmo
home. They hold no argument, body, query or secret. Where they cannot be written, writes are refused.

  kosmo audit --since 1h --denied
  kosmo audit --run 9f86d081884c7d65 --json    # a run's id is meta.run of its --json envelope";

const CHECK_HELP: &str = "\
Examples:
  kosmo grants:check dialpad GET /api/v2/call/123
  kosmo grants:check ringcentral DELETE https://platform.ringcentral.com/restapi/v1.0/account/~ --json

Exit codes: 0 allowed, 3 denied, or left to somebody who is asked.";

const RULE_HELP: &str = "\
A rule is methods, and a path below the account's URL or a URL:
  'GET /api/v2/call/{}'                            {} stands for one segment
  'GET,POST https://storage.googleapis.com/**'     /** for any further ones
  'GET https://*.example.com/v1/**'                *. for one label or more
It is written under [grants.<provider>] in config.toml of the kosmo home. A plugin never gets more than it declares.";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "kosmo", version, about = ABOUT, after_help = EXAMPLES, arg_required_else_help = true)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run Lua with all integrations
    #[command(name = "integrations:lua", after_help = script_help(Some(rehearse::HELP)), args_override_self = true)]
    IntegrationsLua(IntegrationsLua),
    /// List the integrations and their accounts
    #[command(name = "integrations:list", args_override_self = true)]
    IntegrationsList(IntegrationsList),
    /// Read about an integration or one of its functions
    #[command(name = "integrations:docs", args_override_self = true)]
    IntegrationsDocs(docs::IntegrationsDocs),
    /// Call one function, without a script
    #[command(name = "integrations:call", after_help = format!("{}\n\n{}\n\n{}", call::HELP, approve::HELP, signals::HELP))]
    IntegrationsCall(IntegrationsCall),
    /// The same for the provider of that name; without a function, read about it
    #[command(name = "integrations:PROVIDER", after_help = format!("{}\n\n{}\n\n{}", call::HELP, approve::HELP, signals::HELP))]
    IntegrationsProvider(IntegrationsProvider),
    /// Find functions by what they do
    #[command(name = "integrations:search", args_override_self = true)]
    IntegrationsSearch(search::IntegrationsSearch),
    /// Print what a function takes, as JSON Schema
    #[command(name = "integrations:schema", args_override_self = true)]
    IntegrationsSchema(schema::IntegrationsSchema),
    /// Show how to invoke functions, ready to be run
    #[command(name = "integrations:examples", args_override_self = true)]
    IntegrationsExamples(examples::IntegrationsExamples),
    /// Show how each integration stands
    #[command(name = "integrations:status", args_override_self = true)]
    IntegrationsStatus(IntegrationsStatus),
    /// Say what an integration lacks and what to do next
    #[command(name = "integrations:doctor", args_override_self = true)]
    IntegrationsDoctor(IntegrationsDoctor),
    /// List what an account of a provider consists of
    #[command(name = "integrations:fields", args_override_self = true)]
    IntegrationsFields(IntegrationsFields),
    /// Give a provider an account, and decide what scripts may do with it
    #[command(name = "integrations:configure", after_help = configure::HELP)]
    IntegrationsConfigure(IntegrationsConfigure),
    /// List the accounts
    #[command(name = "accounts:list", args_override_self = true)]
    AccountsList(AccountsList),
    /// Forget an account with its secrets
    #[command(name = "accounts:remove", args_override_self = true)]
    AccountsRemove(AccountsRemove),
    /// Ask the provider whose account it is
    #[command(name = "accounts:test", after_help = accounts::TEST_HELP, args_override_self = true)]
    AccountsTest(AccountsTest),
    /// Run Lua that only sees the configured MCP servers
    #[command(name = "mcp:lua", after_help = script_help(None), args_override_self = true)]
    McpLua(McpLua),
    /// Let MCP clients run Lua, call functions and read documentation
    #[command(name = "mcp:serve", after_help = serve::HELP)]
    McpServe(serve::McpServe),
    /// Make a token for clients of mcp:serve --http
    #[command(name = "mcp:token:add", after_help = serve::tokens::HELP)]
    McpTokenAdd(serve::tokens::McpTokenAdd),
    /// List the tokens
    #[command(name = "mcp:token:list")]
    McpTokenList(serve::tokens::McpTokenList),
    /// Forget a token: whoever uses it is let in no more
    #[command(name = "mcp:token:remove")]
    McpTokenRemove(serve::tokens::McpTokenRemove),
    #[command(flatten)]
    Mcp(mcp::Mcp),
    #[command(flatten)]
    McpServers(servers::McpServers),
    /// Show what each integration may send: what is declared, and what is granted of it
    #[command(name = "grants:show", args_override_self = true)]
    GrantsShow(GrantsShow),
    /// Say whether a request is allowed or denied, and by which rule
    #[command(name = "grants:check", after_help = CHECK_HELP, args_override_self = true)]
    GrantsCheck(GrantsCheck),
    /// Allow an integration a request
    #[command(name = "grants:add", after_help = RULE_HELP, args_override_self = true)]
    GrantsAdd(GrantsAdd),
    /// Take a request back from an integration
    #[command(name = "grants:remove", after_help = RULE_HELP, args_override_self = true)]
    GrantsRemove(GrantsRemove),
    /// List what was decided about functions, tools and accounts
    #[command(name = "permissions:list", args_override_self = true)]
    PermissionsList(permissions::PermissionsList),
    /// Decide what scripts may do: allow, ask or deny
    #[command(name = "permissions:set", after_help = permissions::HELP, args_override_self = true)]
    PermissionsSet(permissions::PermissionsSet),
    /// Take such a decision back
    #[command(name = "permissions:unset", after_help = permissions::HELP, args_override_self = true)]
    PermissionsUnset(permissions::PermissionsUnset),
    /// Check plugin files and put them into the kosmo home
    #[command(name = "plugins:install", args_override_self = true)]
    PluginsInstall(PluginsInstall),
    /// List the plugins found
    #[command(name = "plugins:list", args_override_self = true)]
    PluginsList(PluginsList),
    /// List the runs that sent something and are not done
    #[command(name = "runs:list", after_help = runs::HELP, args_override_self = true)]
    RunsList(runs::RunsList),
    /// Show what was decided, sent and done
    #[command(name = "audit", after_help = AUDIT_HELP, args_override_self = true)]
    Audit(Audit),
    /// Print a shell's completions for kosmo
    #[command(after_help = manual::COMPLETIONS_HELP, args_override_self = true)]
    Completions(manual::Completions),
    /// Print the manual page
    #[command(args_override_self = true)]
    Man(manual::Man),
}

#[derive(Debug, Args)]
pub(super) struct IntegrationsLua {
    #[command(flatten)]
    pub(super) script: Script,
    /// The account of functions that are called without one, if it is not `default`
    #[arg(long, value_name = "NAME")]
    pub(super) account: Option<String>,
    #[command(flatten)]
    pub(super) rerun: Rerun,
    #[command(flatten)]
    pub(super) dry_run: rehearse::DryRun,
    /// Run with what this file grants and permits, and nothing else
    #[arg(long, value_name = "FILE")]
    pub(super) grants: Option<PathBuf>,
    #[command(flatten)]
    pub(super) plugins: PluginFolders,
}

#[derive(Debug, Args)]
pub(super) struct McpLua {
    #[command(flatten)]
    pub(super) script: Script,
    #[command(flatten)]
    pub(super) rerun: Rerun,
}

/// A run that is taken up again.
#[derive(Debug, Args)]
pub(super) struct Rerun {
    /// Go on with a run that broke off, such as `kosmo runs:list` lists: writes it did already are not done again
    #[arg(long, value_name = "RUN", conflicts_with = "repl")]
    resume: Option<String>,
    /// Send again what may or may not have been sent before
    #[arg(long, requires = "resume")]
    repeat_in_doubt: bool,
}

impl Rerun {
    /// The session, going on with the run that is to be taken up again, if one is.
    pub(super) fn of(&self, session: SessionBuilder) -> SessionBuilder {
        self.resume.iter().fold(session, |session, run| session.resume(run, self.repeat_in_doubt))
    }
}

/// A script and how to run it.
#[derive(Debug, Args)]
pub(super) struct Script {
    /// The Lua file; `-` reads standard input
    #[arg(value_name = "FILE", conflicts_with = "file_flag")]
    file: Option<PathBuf>,
    /// The same as FILE
    #[arg(long = "file", value_name = "FILE", hide = true)]
    file_flag: Option<PathBuf>,
    /// Run this code instead of a file
    #[arg(long, short, value_name = "CODE", allow_hyphen_values = true, value_parser = code)]
    pub(super) eval: Option<String>,
    /// Type Lua line by line; globals are kept from line to line
    #[arg(long, conflicts_with_all = ["file", "file_flag", "eval"])]
    pub(super) repl: bool,
    /// Print one JSON document instead of text
    #[arg(long)]
    pub(super) json: bool,
    /// Allow every write for this run, whatever the permissions say
    #[arg(long)]
    pub(super) force: bool,
    /// The most memory Lua may use, at least 1000000 [default: 33554432]
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub(super) memory_limit: Option<usize>,
    /// The longest Lua may compute, waiting not counted [default: 30]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(super) cpu_limit: Option<Duration>,
    /// The longest the run may take, waiting included [default: 300]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(super) timeout: Option<Duration>,
}

impl Script {
    pub(super) fn file(&self) -> Option<&PathBuf> {
        self.file.as_ref().or(self.file_flag.as_ref())
    }
}

#[derive(Debug, Args)]
pub(super) struct PluginFolders {
    /// Look for plugins in this folder too; may be given several times
    #[arg(long = "plugins", value_name = "DIR")]
    pub(super) folders: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct IntegrationsList {
    /// Print one JSON document instead of a table
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) plugins: PluginFolders,
}

#[derive(Debug, Args)]
pub(super) struct GrantsShow {
    /// Only this integration
    #[arg(value_name = "PROVIDER")]
    pub(super) provider: Option<String>,
    /// Print one JSON document instead of text
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) plugins: PluginFolders,
}

#[derive(Debug, Args)]
pub(super) struct GrantsCheck {
    /// The integration
    #[arg(value_name = "PROVIDER")]
    pub(super) provider: String,
    /// Such as GET
    #[arg(value_name = "METHOD")]
    pub(super) method: String,
    /// A URL, or a path below the account's URL
    #[arg(value_name = "URL")]
    pub(super) url: String,
    /// The account that would send it [default: default]
    #[arg(long, value_name = "NAME")]
    pub(super) account: Option<String>,
    /// Print one JSON document instead of text
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) plugins: PluginFolders,
}

#[derive(Debug, Args)]
pub(super) struct GrantsAdd {
    /// The integration
    #[arg(value_name = "PROVIDER")]
    pub(super) provider: String,
    /// Methods and a path or URL, in quotes
    #[arg(value_name = "RULE")]
    pub(super) rule: String,
    /// Begin a list with this rule: whatever is not listed is denied from then on
    #[arg(long)]
    pub(super) only: bool,
    /// Print one JSON document instead of text
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) plugins: PluginFolders,
}

#[derive(Debug, Args)]
pub(super) struct GrantsRemove {
    /// The integration
    #[arg(value_name = "PROVIDER")]
    pub(super) provider: String,
    /// As `grants:show` shows it, in quotes
    #[arg(value_name = "RULE")]
    pub(super) rule: String,
    /// Print one JSON document instead of text
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct PluginsInstall {
    /// Plugin files, such as dialpad.wasm
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<PathBuf>,
    /// Print one JSON document instead of text
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct PluginsList {
    /// Print one JSON document instead of a table
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) plugins: PluginFolders,
}

#[derive(Debug, Args)]
pub(super) struct Audit {
    /// Only what is not older: `30m`, `1h`, `7d`, `2026-11-22` or `2026-11-22T05:19:40Z`, in UTC
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub(super) since: Option<SystemTime>,
    /// Only this provider's
    #[arg(long, value_name = "NAME")]
    pub(super) provider: Option<String>,
    /// Only what was done for the MCP client with the token of this name
    #[arg(long, value_name = "NAME")]
    pub(super) client: Option<String>,
    /// Only this run's
    #[arg(long, value_name = "ID")]
    pub(super) run: Option<String>,
    /// Only refusals
    #[arg(long)]
    pub(super) denied: bool,
    /// Only the last so many [default: 100, with --since or --json all]
    #[arg(long, value_name = "COUNT")]
    pub(super) last: Option<NonZeroUsize>,
    /// Print one JSON array instead of a table
    #[arg(long)]
    pub(super) json: bool,
}

/// A flag where code should be is a forgotten value; as code it would be a comment that does nothing.
fn code(text: &str) -> Result<String, String> {
    let flag = text.strip_prefix("--").unwrap_or_default();
    if !flag.is_empty() && flag.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') {
        return Err("that is a flag, not Lua code; write the code right after --eval".into());
    }
    Ok(text.into())
}

fn bytes(text: &str) -> Result<usize, String> {
    let bytes = text.parse().ok().filter(|&bytes| bytes >= LEAST_MEMORY);
    bytes.ok_or_else(|| format!("it takes a whole number of bytes, at least {LEAST_MEMORY}, such as 33554432 (32 MiB)"))
}

pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let usable = seconds.filter(|seconds| !seconds.is_zero());
    usable.ok_or_else(|| "it takes a number of seconds above 0, such as 30 or 0.5".into())
}

fn since(text: &str) -> Result<SystemTime, String> {
    let time = ago(text).or_else(|| moment(text));
    time.ok_or_else(|| "it takes a duration such as 30m, 1h or 7d, or a time such as 2026-11-22T05:19:40Z".into())
}

/// `1h` before now. As far back as time goes, if that is longer.
fn ago(text: &str) -> Option<SystemTime> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    let ago = Duration::from_secs(number.parse::<u32>().ok().map(u64::from)? * seconds);
    Some(SystemTime::now().checked_sub(ago).map_or(SystemTime::UNIX_EPOCH, |time| time.max(SystemTime::UNIX_EPOCH)))
}

/// `2026-11-22` is its first moment.
fn moment(text: &str) -> Option<SystemTime> {
    let whole = if text.len() == "2026-11-22".len() { format!("{text}T00:00:00Z") } else { text.to_owned() };
    OffsetDateTime::parse(&whole, &Rfc3339).ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    fn script(line: &[&str]) -> Result<Script, String> {
        let line = ["kosmo", "integrations:lua"].iter().chain(line);
        match Cli::try_parse_from(line).map_err(|error| error.to_string())?.command {
            Command::IntegrationsLua(arguments) => Ok(arguments.script),
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn check_refused(line: &[&str], expected: &str) {
        let error = script(line).expect_err("a usage error");
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn limits_that_make_no_sense_are_refused_with_an_example() {
        for value in ["", "0", "1", "999999", "-1", "lots", "1.5", "99999999999999999999999"] {
            check_refused(&[&format!("--memory-limit={value}")], "such as 33554432");
        }
        for value in ["", "0", "-1", "soon", "NaN", "inf", "1e400"] {
            check_refused(&[&format!("--cpu-limit={value}")], "such as 30 or 0.5");
            check_refused(&[&format!("--timeout={value}")], "such as 30 or 0.5");
        }
    }

    #[test]
    fn limits_are_read_in_their_unit() {
        let script = script(&["--memory-limit", "1048576", "--cpu-limit=0.5", "--timeout", "90"]).expect("limits");
        assert_eq!(script.memory_limit, Some(1 << 20));
        assert_eq!(script.cpu_limit, Some(Duration::from_millis(500)));
        assert_eq!(script.timeout, Some(Duration::from_secs(90)));
    }

    #[test]
    fn a_limit_may_be_longer_than_any_clock_counts() {
        let script = script(&["--cpu-limit=9999999999999999999", "--timeout=9999999999999999999"]).expect("limits");
        assert_eq!(script.cpu_limit, script.timeout);
        assert!(script.timeout > Some(Duration::from_secs(1 << 60)));
        check_refused(&["--timeout=99999999999999999999"], "such as 30 or 0.5");
    }

    #[track_caller]
    fn check_code(line: &[&str], expected: &str) {
        assert_eq!(script(line).expect("code").eval.as_deref(), Some(expected));
    }

    #[test]
    fn code_may_begin_like_a_flag_but_not_be_one() {
        check_code(&["--eval", "-- a comment\nreturn 1"], "-- a comment\nreturn 1");
        check_code(&["-e", "-5", "--json"], "-5");
        check_code(&["--eval=", "--json"], "");
        check_code(&["-e", "return 1", "-e", "return 2"], "return 2");
        check_refused(&["--eval", "--json"], "write the code right after --eval");
        check_refused(&["--eval"], "--eval");
    }

    #[track_caller]
    fn check_since(text: &str, expected: Option<u64>) {
        let seconds = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs();
        assert_eq!(since(text).ok().map(seconds), expected, "{text}");
    }

    #[test]
    fn a_time_is_a_moment_or_a_while_ago() {
        check_since("2026-11-22", Some(1_795_305_600));
        check_since("2026-11-22T05:19:40Z", Some(1_795_324_780));
        check_since("2026-11-22T07:19:40+02:00", Some(1_795_324_780));
        check_since("4294967295d", Some(0));
        for text in ["", "h", "1", "1y", "-1h", "1.5h", "2026-13-01", "yesterday", "2026-11-22 05:19", "é"] {
            check_since(text, None);
        }
        let hour = SystemTime::now() - Duration::from_secs(3600);
        assert!(since("60m").expect("a time").duration_since(hour).expect("later") < Duration::from_secs(60));
    }

    #[test]
    fn a_file_can_be_given_one_way_at_a_time() {
        assert_eq!(script(&["w.lua"]).expect("a file").file(), Some(&"w.lua".into()));
        assert_eq!(script(&["--file", "w.lua"]).expect("a file").file(), Some(&"w.lua".into()));
        check_refused(&["w.lua", "--file", "v.lua"], "cannot be used with");
    }
}
