//! `integrations:call` and `integrations:<provider>`: one function, once, without a script.

mod envelope;
mod flags;
mod payload;
mod words;

pub(super) use envelope::{Asked, Envelope};
pub(super) use payload::read as payload;
pub(super) use words::sorted;

use super::arguments::PluginFolders;
use super::failure::{self, Outcome, Usage};
use super::progress::{Flights, Waiting};
use super::signals::Signals;
use super::{approve, audit, docs, open_only, output, rehearse, slip};
use clap::Args;
use flags::Typed;
use kosmo::{Code, Fault, Function, Host, Invocation, Observer, Provider, Rehearsal};
use serde_json::{Map, Value};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

const USAGE: &str = "kosmo integrations:call <PROVIDER.FUNCTION> [PAYLOAD] [--PARAMETER=VALUE]... [OPTIONS]";
const PROVIDER_USAGE: &str = "kosmo integrations:<PROVIDER> [FUNCTION] [PAYLOAD] [--PARAMETER=VALUE]... [OPTIONS]";

pub(super) const HELP: &str = "\
PAYLOAD is one JSON object, `-` for standard input; without one, what is piped in. Flags name the function's parameters
and override the payload: --message-type=SMS gives messageType. Each value is read as the parameter's declared kind, so
--to=+14155551234 stays text; a list is given item by item or as JSON, an object as JSON.

With --json everything is one JSON document on standard output:
{function, success, data, error, fault, meta: {dry_run, operation, permission_bypassed, account}, duration_ms}
With --dry-run `data` is null and `request` is what would go out, its credential as [redacted].

Exit codes: 0 done, 1 failed, 2 wrong usage or arguments, 3 refused by permission or grant, 4 the provider or the
network failed. fault.code is the fine grain.

Examples:
  kosmo integrations:call dialpad.list_calls --limit 5
  kosmo integrations:call ringcentral.send_sms '{\"to\": \"+14155551234\"}' --text 'Hello' --account work --json
  kosmo integrations:dialpad list_calls --limit 5";

/// One function of any provider.
#[derive(Debug, Args)]
#[command(override_usage = USAGE)]
pub(super) struct IntegrationsCall {
    #[command(flatten)]
    options: Options,
    /// Such as `dialpad.list_calls`
    #[arg(value_name = "PROVIDER.FUNCTION")]
    function: String,
    /// A JSON object, and --PARAMETER=VALUE for single arguments
    #[arg(value_name = "PAYLOAD")]
    words: Vec<String>,
}

/// One function of one provider.
#[derive(Debug, Args)]
#[command(override_usage = PROVIDER_USAGE)]
pub(super) struct IntegrationsProvider {
    #[command(flatten)]
    options: Options,
    /// Such as `dialpad`
    #[arg(value_name = "PROVIDER")]
    provider: String,
    /// Such as `list_calls`; without it, the provider's page is shown
    #[arg(value_name = "FUNCTION")]
    function: Option<String>,
    /// A JSON object, and --PARAMETER=VALUE for single arguments
    #[arg(value_name = "PAYLOAD")]
    words: Vec<String>,
}

#[derive(Debug, Args)]
struct Options {
    /// The account, if it is not `default`
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Go past the read and write permissions, and nothing else
    #[arg(long)]
    force: bool,
    /// Show the request that would go out, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Use what this file grants and permits, and nothing else
    #[arg(long, value_name = "FILE")]
    grants: Option<PathBuf>,
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
    /// A single argument, as --PARAMETER=VALUE; reaches parameters called like a flag of kosmo
    #[arg(long = "arg", value_name = "KEY=VALUE")]
    pairs: Vec<String>,
    #[command(flatten)]
    plugins: PluginFolders,
}

impl Options {
    fn open(&self) -> anyhow::Result<Host> {
        open_only(&self.plugins.folders, self.grants.as_ref())
    }

    fn asked(&self, function: &str) -> Asked {
        let Self { account, dry_run, force, .. } = self;
        Asked { function: function.into(), account: account.clone(), dry_run: *dry_run, force: *force }
    }
}

pub(super) fn any(arguments: &IntegrationsCall) -> Outcome {
    let host = arguments.options.open()?;
    call(&host, &arguments.function, &arguments.words, &arguments.options)
}

pub(super) fn of_provider(arguments: &IntegrationsProvider) -> Outcome {
    let host = arguments.options.open()?;
    let (provider, options) = (&arguments.provider, &arguments.options);
    check_exists(&host, provider)?;
    match arguments.function.as_deref() {
        Some("--help" | "-h") => help(&*host.provider(provider)?),
        Some(function) => return call(&host, &format!("{provider}.{function}"), &arguments.words, options),
        None => docs::show(&host, provider, options.json)?,
    }
    Ok(0)
}

/// How a provider's functions are called from a shell.
fn help(provider: &Provider) {
    let (name, description) = (provider.name(), provider.description());
    let width = description.functions.iter().map(|function| function.name.len()).max().unwrap_or(0);
    let line = |function: &Function| format!("  {:width$}  {}\n", function.name, function.summary);
    output::foreign(&format!(
        "{}\n\nUsage: {}\n\nFunctions:\n{}\nkosmo integrations:{name} <FUNCTION> --help says what a function takes, \
         kosmo integrations:call --help\nwhich options there are. Without a function, the provider's page is shown.",
        description.summary,
        PROVIDER_USAGE.replace("<PROVIDER> [FUNCTION]", &format!("{name} <FUNCTION>")),
        description.functions.iter().map(line).collect::<String>(),
    ));
}

/// A command that is none is a slip in a command's name as likely as in a provider's.
fn check_exists(host: &Host, name: &str) -> Result<(), Usage> {
    let providers = host.registry().names();
    if providers.iter().any(|known| known == name) {
        return Ok(());
    }
    let suggestion = slip::suggestion("integrations:", name, &providers);
    Err(Usage(format!("There is neither a command `integrations:{name}` nor a provider `{name}`.{suggestion}")))
}

fn call(host: &Host, name: &str, words: &[String], options: &Options) -> Outcome {
    let begun = Instant::now();
    let (provider, function) = match find(host, name) {
        Ok(found) => found,
        Err(fault) => return Ok(tell(Envelope::new(&options.asked(name), None, Err(fault), begun), options.json)),
    };
    let name = format!("{}.{function}", provider.name());
    let declared = provider.description().function(&function);
    let typed =
        declared.map_or_else(|| Ok(Typed::default()), |function| flags::read(function, words, &options.pairs))?;
    if typed.help {
        docs::show(host, &name, options.json)?;
        return Ok(0);
    }
    let arguments = merged(&provider, &function, payload::read(typed.payload.as_deref())?, typed.arguments);
    let account = options.account.clone();
    let rehearsal = options.dry_run.then(|| Arc::new(Rehearsal::silent()));
    let asked = Invocation::new(provider.name(), &function, arguments);
    let operation = declared.map(|function| function.operation);
    let begun = Instant::now();
    let whose = options.asked(&name);
    let signals = listen(Envelope::new(&whose, operation, Ok(Value::Null), begun), options.json);
    let interrupt = Some(signals.interrupt().clone());
    let (approvals, flights) = (approve::approvals(host), Arc::<Flights>::default());
    let observer = (Arc::clone(&flights) as Arc<dyn Observer>).into();
    let asked = Invocation { approvals, observer, ..asked };
    let invocation = Invocation { account, force: options.force, rehearsal: rehearsal.clone(), interrupt, ..asked };
    let waiting = Waiting::watching(&flights);
    let answer = host.block_on(host.invoke(invocation)).and_then(|json| parsed(&provider, &json));
    drop(waiting);
    signals.claim();
    audit::warn(host);
    let interrupted = answer.as_ref().is_err_and(|fault| fault.code == Code::Interrupted);
    let envelope = Envelope::new(&whose, operation, answer, begun);
    if interrupted {
        tell(envelope.interrupted(signals.interrupt()), options.json);
        return Ok(signals.exit_code());
    }
    Ok(tell(envelope.rehearsed(rehearsal.as_deref()), options.json))
}

/// What a second signal leaves to be said is `begun`, ended.
fn listen(begun: Envelope, json: bool) -> Signals {
    Signals::listen(move |interrupt| {
        tell(begun.ended(interrupt.fault()).interrupted(interrupt), json);
    })
}

/// The provider and its function's declared name.
fn find(host: &Host, name: &str) -> Result<(Arc<Provider>, String), Fault> {
    let short = name.strip_prefix("app.").unwrap_or(name);
    let short = short.strip_prefix("integrations.").unwrap_or(short);
    let (provider, function) = short.split_once('.').unwrap_or((short, ""));
    let known = host.registry().names();
    if !known.iter().any(|known| known == provider) {
        let near = kosmo::did_you_mean(provider, known.iter().map(String::as_str));
        let near = match (near.is_empty(), known.is_empty()) {
            (_, true) => " No plugins are installed. Add one with: kosmo plugins:install FILE.wasm".into(),
            (false, _) if !function.is_empty() => format!("{near}.{function}"),
            (true, _) => " kosmo integrations:list names the providers".into(),
            _ => near,
        };
        return Err(unknown(name, &near));
    }
    let found = host.provider(provider).map_err(|fault| Fault {
        message: format!(
            "Integration '{provider}' is discoverable but is not supported by the local CLI runtime yet. {}",
            fault.message
        ),
        ..fault
    })?;
    let functions = || found.description().functions.iter().map(|function| function.name.as_str());
    match found.description().function(function) {
        Some(declared) => Ok((Arc::clone(&found), declared.name.clone())),
        None => {
            let near = kosmo::did_you_mean(function, functions());
            let all = || format!(" kosmo integrations:{provider} lists its functions");
            Err(unknown(name, &if near.is_empty() { all() } else { near }))
        }
    }
}

fn unknown(name: &str, suggestion: &str) -> Fault {
    let name = name.chars().take(100).collect::<String>();
    Fault::new(Code::Unknown, format!("Unknown integration function: {name}.{suggestion}").trim_end_matches('.'))
}

/// The payload with what the flags say instead.
fn merged(
    provider: &Provider,
    function: &str,
    payload: Map<String, Value>,
    flags: Map<String, Value>,
) -> Map<String, Value> {
    let declared = provider.description().function(function);
    let given = |key: &String| {
        let parameter = declared.and_then(|function| flags::find(function, key));
        parameter.is_some_and(|parameter| flags.contains_key(&parameter.name))
    };
    let mut arguments: Map<_, _> = payload.into_iter().filter(|(key, _)| !given(key)).collect();
    arguments.extend(flags);
    arguments
}

fn parsed(provider: &Provider, json: &str) -> Result<Value, Fault> {
    serde_json::from_str(json).map_err(|error| {
        let title = &provider.description().title;
        Fault::new(Code::Internal, format!("{title} plugin error: its result cannot be read as JSON: {error}"))
    })
}

/// Prints it and gives the exit code.
fn tell(envelope: Envelope, json: bool) -> i32 {
    match (&envelope.data, &envelope.error) {
        _ if json => output::json(&envelope),
        (_, Some(error)) => output::error(error),
        _ if let Some(request) = &envelope.request => output::line(&rehearse::shown(request)),
        (Some(Value::String(text)), None) => output::foreign(text),
        (Some(data), None) => output::foreign(&output::pretty(data)),
        (None, None) => {}
    }
    envelope.fault.as_ref().map_or(0, failure::exit_code)
}
