//! `integrations:call` and `integrations:<provider>`: one function, once, without a script.

mod flags;
mod payload;
mod words;

pub(super) use words::sorted;

use super::arguments::PluginFolders;
use super::failure::{self, Outcome, Usage};
use super::signals::Signals;
use super::{audit, open_only, output, rehearse};
use clap::Args;
use flags::Typed;
use kosmo::{Code, Fault, Host, Interrupt, Invocation, Operation, Provider, Rehearsal, Rehearsed, UnderWay, docs};
use serde::Serialize;
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
}

/// The document on standard output.
#[derive(Serialize)]
struct Envelope {
    function: String,
    success: bool,
    data: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Rehearsed>,
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Fault>,
    meta: Meta,
    duration_ms: f64,
}

#[derive(Serialize)]
struct Meta {
    dry_run: bool,
    operation: Option<&'static str>,
    permission_bypassed: bool,
    account: String,
    /// Where an interruption may have left a doubt: what the audit log calls it, and the doubt.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    under_way: Vec<UnderWay>,
}

pub(super) fn any(arguments: &IntegrationsCall) -> Outcome {
    let host = arguments.options.open()?;
    call(&host, &arguments.function, &arguments.words, &arguments.options)
}

pub(super) fn of_provider(arguments: &IntegrationsProvider) -> Outcome {
    let host = arguments.options.open()?;
    let (provider, options) = (&arguments.provider, &arguments.options);
    check_exists(&host, provider)?;
    match &arguments.function {
        Some(function) => call(&host, &format!("{provider}.{function}"), &arguments.words, options),
        None => {
            output::foreign(docs::find(&host, provider)?.trim_end());
            Ok(0)
        }
    }
}

/// A command that is none is a slip in a command's name as likely as in a provider's.
fn check_exists(host: &Host, name: &str) -> Result<(), Usage> {
    let providers = host.registry().names();
    if providers.iter().any(|known| known == name) {
        return Ok(());
    }
    let commands = super::command_names("integrations:");
    let known = commands.iter().map(String::as_str).chain(providers.iter().map(String::as_str));
    let suggestion = kosmo::did_you_mean(name, known);
    Err(Usage(format!("There is neither a command `integrations:{name}` nor a provider `{name}`.{suggestion}")))
}

fn call(host: &Host, name: &str, words: &[String], options: &Options) -> Outcome {
    let begun = Instant::now();
    let (provider, function) = match find(host, name) {
        Ok(found) => found,
        Err(fault) => return Ok(tell(Envelope::new(name, None, Err(fault), options, begun), options.json)),
    };
    let declared = provider.description().function(&function);
    let typed =
        declared.map_or_else(|| Ok(Typed::default()), |function| flags::read(function, words, &options.pairs))?;
    if typed.help {
        output::foreign(docs::find(host, &format!("{}.{function}", provider.name()))?.trim_end());
        return Ok(0);
    }
    let arguments = merged(&provider, &function, payload::read(typed.payload.as_deref())?, typed.arguments);
    let account = options.account.clone();
    let rehearsal = options.dry_run.then(|| Arc::new(Rehearsal::silent()));
    let asked = Invocation::new(provider.name(), &function, arguments);
    let name = format!("{}.{function}", provider.name());
    let operation = declared.map(|function| function.operation);
    let begun = Instant::now();
    let signals = listen(Envelope::new(&name, operation, Ok(Value::Null), options, begun), options.json);
    let interrupt = Some(signals.interrupt().clone());
    let invocation = Invocation { account, force: options.force, rehearsal: rehearsal.clone(), interrupt, ..asked };
    let answer = host.block_on(host.invoke(invocation)).and_then(|json| parsed(&provider, &json));
    signals.claim();
    audit::warn(host);
    let interrupted = answer.as_ref().is_err_and(|fault| fault.code == Code::Interrupted);
    let envelope = Envelope::new(&name, operation, answer, options, begun);
    if interrupted {
        tell(envelope.interrupted(signals.interrupt()), options.json);
        return Ok(signals.exit_code());
    }
    Ok(tell(envelope.rehearsed(rehearsal.as_deref()), options.json))
}

/// What a second signal leaves to be said is `begun`, ended.
fn listen(begun: Envelope, json: bool) -> Signals {
    Signals::listen(move |interrupt| {
        let fault = interrupt.fault();
        let ended =
            Envelope { success: false, data: None, error: Some(fault.message.clone()), fault: Some(fault), ..begun };
        tell(ended.interrupted(interrupt), json);
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
        let near = if near.is_empty() || function.is_empty() { near } else { format!("{near}.{function}") };
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
        None => Err(unknown(name, &kosmo::did_you_mean(function, functions()))),
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

impl Envelope {
    fn new(
        function: &str,
        operation: Option<Operation>,
        answer: Result<Value, Fault>,
        options: &Options,
        begun: Instant,
    ) -> Self {
        let (data, fault) = match answer {
            Ok(data) => (Some(data), None),
            Err(fault) => (None, Some(fault)),
        };
        Self {
            function: function.into(),
            success: fault.is_none(),
            data,
            request: None,
            error: fault.as_ref().map(|fault| fault.message.clone()),
            fault,
            meta: Meta {
                dry_run: options.dry_run,
                operation: operation.map(Operation::as_str),
                permission_bypassed: options.force,
                account: options.account.clone().unwrap_or_else(|| "default".into()),
                run: None,
                under_way: Vec::new(),
            },
            duration_ms: (begun.elapsed().as_secs_f64() * 10_000.0).round() / 10.0,
        }
    }

    /// With what there is to find out what became of it.
    fn interrupted(self, interrupt: &Interrupt) -> Self {
        let (run, under_way) = (interrupt.run(), interrupt.writes());
        if let Some(run) = run.as_ref().filter(|_| !under_way.is_empty()) {
            output::error(&format!("note: what was recorded of it: kosmo audit --run {run}"));
        }
        Self { meta: Meta { run, under_way, ..self.meta }, ..self }
    }

    /// With the request that was not sent, if it came to one.
    fn rehearsed(self, rehearsal: Option<&Rehearsal>) -> Self {
        let request = rehearsal.filter(|_| self.success).and_then(|rehearsal| rehearsal.requests().pop());
        let data = if request.is_some() { None } else { self.data };
        Self { data, request, ..self }
    }
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
