//! The tools there are for a client, and what each stands for.

use super::names::Names;
use super::offer::{Client, Offer, Tools};
use super::schema;
use crate::account::DEFAULT;
use crate::description::Operation;
use crate::docs::{self, Entry};
use crate::permission::{Decision, Intent};
use crate::{Host, Provider};
use rmcp::model::{Tool, ToolAnnotations};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What a tool stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    RunLua,
    SearchDocs,
    ReadDoc,
    /// A function; the account is an argument of that name, where there are several.
    Function {
        provider: String,
        function: String,
        account: Option<&'static str>,
        /// The account where none is said, as the argument's schema has it.
        usual: Option<String>,
    },
}

/// The tools of one client.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Toolbox {
    pub(super) tools: Vec<Tool>,
    targets: Vec<Target>,
}

impl Toolbox {
    /// As things stand, of a host as the client sees it. Loads descriptions, so it is not for asynchronous code.
    pub(super) fn new(host: &Host, offer: &Offer, client: &Client) -> Self {
        let mut toolbox = Self::default();
        if offer.tools != Tools::Functions {
            toolbox.push(run_lua(offer, client), Target::RunLua);
        }
        toolbox.push(search_docs(), Target::SearchDocs);
        toolbox.push(read_doc(), Target::ReadDoc);
        if offer.tools != Tools::Lua {
            toolbox.add_functions(host, client);
        }
        toolbox
    }

    /// What a tool of this name stands for.
    pub(super) fn find(&self, name: &str) -> Option<&Target> {
        let at = self.tools.iter().position(|tool| tool.name == name)?;
        self.targets.get(at)
    }

    fn push(&mut self, tool: Tool, target: Target) {
        self.tools.push(tool);
        self.targets.push(target);
    }

    fn add_functions(&mut self, host: &Host, client: &Client) {
        let mut names = Names::default();
        for name in &host.names() {
            let Ok(provider) = host.provider(name) else { continue };
            let Ok(topic) = docs::topic(host, name) else { continue };
            for entry in topic.entries(host) {
                let usable = !entry.accounts.is_empty() || client.names(name);
                if usable && !is_denied(host, &provider, &entry) {
                    self.add_function(names.give(name, &entry.function), &provider, &entry);
                }
            }
        }
    }

    fn add_function(&mut self, name: String, provider: &Provider, entry: &Entry) {
        let (input, account) = schema::with_account(entry.input_schema.clone(), &entry.accounts);
        let description = match entry.description.as_str() {
            "" => entry.summary.clone(),
            more => format!("{}\n\n{more}", entry.summary),
        };
        let title = format!("{}: {}", provider.description().title, entry.title);
        let mut tool = Tool::new(name, description, input).with_title(title).with_annotations(hints(provider, entry));
        if let Some(output) = schema::of_result(provider, &entry.function) {
            tool = tool.with_raw_output_schema(Arc::new(output));
        }
        let (provider, function) = (entry.provider.clone(), entry.function.clone());
        let usual = account.and(entry.accounts.first()).cloned();
        self.push(tool, Target::Function { provider, function, account, usual });
    }
}

/// What could not be invoked anyway is not offered.
fn is_denied(host: &Host, provider: &Provider, entry: &Entry) -> bool {
    let Some(function) = provider.description().function(&entry.function) else { return true };
    let intent = Intent::new(provider.name(), entry.accounts.first().map_or(DEFAULT, String::as_str), function);
    let policies = host.surroundings().config.policies();
    policies.permissions(provider.name()).within(host.scopes()).decide(&intent, false).decision == Decision::Deny
}

fn hints(provider: &Provider, entry: &Entry) -> ToolAnnotations {
    let reads = entry.operation == Operation::Read.as_str();
    let repeatable = provider.description().is_idempotent(&entry.function);
    let hints = ToolAnnotations::new().read_only(reads).open_world(true);
    if reads { hints } else { hints.destructive(entry.destructive).idempotent(repeatable) }
}

fn run_lua(offer: &Offer, client: &Client) -> Tool {
    let writes = client.write() != Decision::Deny;
    let seconds = offer.time_limit.as_secs();
    let input = json!({
        "type": "object",
        "properties": {
            "code": {"type": "string", "minLength": 1, "description":
                "Luau. What it returns and prints comes back. app.integrations.<provider>[.<account>].<function>({name = \
                 value}) invokes a function and raises a table with `code` and `message` when it fails."},
            "account": {"type": "string", "description": "The account of functions that are called without one, if it is not `default`."},
            "timeout": {"type": "number", "exclusiveMinimum": 0, "maximum": seconds, "description": "Seconds the script may take."},
            "dry_run": {"type": "boolean", "default": false, "description": "Check everything and send nothing: what would be sent is listed under `requests`."}
        },
        "required": ["code"],
        "additionalProperties": false
    });
    let text = "Runs a Lua script over all integrations in one round trip: call functions, filter, join and return only \
                what is needed. Also there: docs.list(), docs.search(query), docs.read(page), json, regex, paginate, \
                parallel, print, dump. Look functions up with search_docs or docs.search before calling them.";
    Tool::new("run_lua", text, object(input))
        .with_title("Run Lua over all integrations")
        .with_annotations(ToolAnnotations::new().read_only(!writes).destructive(writes).open_world(true))
        .with_raw_output_schema(Arc::new(schema::of_envelope()))
}

fn search_docs() -> Tool {
    let input = json!({
        "type": "object",
        "properties": {"query": {"type": "string", "minLength": 1, "description": "What the function should do: `send text message`"}},
        "required": ["query"],
        "additionalProperties": false
    });
    Tool::new("search_docs", "Finds functions of the integrations by what they do, best first.", object(input))
        .with_title("Search functions")
        .with_annotations(ToolAnnotations::new().read_only(true).open_world(false))
        .with_raw_output_schema(Arc::new(schema::of_search()))
}

fn read_doc() -> Tool {
    let input = json!({
        "type": "object",
        "properties": {"page": {"type": "string", "default": "", "description":
            "`dialpad`, `dialpad.list_calls`, or `errors`; without it, the list of integrations"}},
        "additionalProperties": false
    });
    let text =
        "Reads the guide of an integration, or everything about one of its functions: parameters, results, an example.";
    Tool::new("read_doc", text, object(input))
        .with_title("Read documentation")
        .with_annotations(ToolAnnotations::new().read_only(true).open_world(false))
}

/// The fields of an object written down as one.
fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
