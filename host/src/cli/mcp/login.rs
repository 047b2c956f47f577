//! `mcp:login` and `mcp:logout`.

use super::super::failure::{Outcome, Usage};
use super::super::{browser, output};
use super::change::McpNamed;
use super::row::seen;
use super::secret::piped;
use super::{Place, here, meant};
use clap::Args;
use kosmo::accounts::Value;
use kosmo::mcp::login::{PATIENCE, SignedIn, SignedOut, Wish};
use kosmo::{Fault, Secret};
use serde_json::{Value as Json, json};
use std::io::{IsTerminal, stderr};
use std::time::Duration;

pub(in crate::cli) const HELP: &str = "\
The server says who signs people in. kosmo registers there, unless --client-id names a client that you registered, and
prints the address of a page; on a desktop the browser shows it. The browser comes back to 127.0.0.1 with the answer. On a
machine that you only reach by ssh, choose the port and forward it: ssh -L 8976:127.0.0.1:8976 MACHINE. The token is kept
sealed in kosmo.db, sent to this server's address alone, and renewed when it ends. A client's secret goes to who --issuer
names, or to the server's own address, and to nobody else the server names.

Examples:
  kosmo mcp:login docs
  kosmo mcp:login docs --scope 'files:read files:write'
  kosmo mcp:login docs --no-browser --callback-port 8976
  pass show docs | kosmo mcp:login docs --client-credentials --client-id ci --client-secret-from-stdin \\
    --issuer https://auth.example.com";

/// Flags of `mcp:login`.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpLogin {
    /// As `mcp:list` shows it
    #[arg(value_name = "SERVER")]
    server: String,
    /// Only print the address of the page
    #[arg(long)]
    no_browser: bool,
    /// The client that you registered at the authorization server, with the redirect http://127.0.0.1/callback
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Read the client's secret from standard input
    #[arg(long, conflicts_with = "client_secret", requires = "client_id")]
    client_secret_from_stdin: bool,
    /// Take the client's secret from this environment variable whenever it is needed
    #[arg(long, value_name = "@env:NAME", requires = "client_id", value_parser = variable)]
    client_secret: Option<String>,
    /// The client signs in itself, and nobody with it: no browser is needed
    #[arg(long)]
    client_credentials: bool,
    /// What the token is to be good for, separated by blanks; what the server wants unless said
    #[arg(long, value_name = "SCOPES")]
    scope: Option<String>,
    /// Who signs people in, if not who the server names first; it may be at an address of your own network then
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The port on 127.0.0.1 that the browser comes back to; any that is free unless said
    #[arg(long, value_name = "PORT")]
    callback_port: Option<u16>,
    /// Seconds to wait for the browser
    #[arg(long, value_name = "SECONDS", default_value_t = PATIENCE.as_secs())]
    timeout: u64,
    #[command(flatten)]
    place: Place,
    /// Print one JSON document instead of text; the address of the page goes to standard error
    #[arg(long)]
    json: bool,
}

fn variable(text: &str) -> Result<String, String> {
    let name = text.strip_prefix("@env:").filter(|name| !name.is_empty());
    let name = name.ok_or("it takes @env:NAME; a secret itself would be seen by `ps`: --client-secret-from-stdin")?;
    Ok(name.into())
}

pub(super) fn login(arguments: &McpLogin) -> Outcome {
    let (host, config) = here()?;
    let server = meant(&host, &config, &arguments.server, arguments.place)?;
    let wish = wish(arguments)?;
    let show = |url: &str| show(&arguments.server, url, arguments.no_browser);
    let signed_in = host.block_on(host.mcp().login(&server, wish, show))?;
    if arguments.json {
        let mut document = json!({"success": true, "server": server.name});
        fields(&mut document, &signed_in);
        output::json(&document);
    } else {
        output::foreign(&format!("Signed in at {} {}", server.name, line(&signed_in)));
    }
    Ok(0)
}

fn wish(arguments: &McpLogin) -> anyhow::Result<Wish> {
    let client_secret = match &arguments.client_secret {
        Some(name) => Some(Value::Environment(name.clone())),
        None if arguments.client_secret_from_stdin => Some(Value::Text(Secret::new(given()?))),
        None => None,
    };
    Ok(Wish {
        client_id: arguments.client_id.clone(),
        client_secret,
        scope: arguments.scope.clone(),
        issuer: arguments.issuer.clone(),
        port: arguments.callback_port,
        of_client: arguments.client_credentials,
        patience: Duration::from_secs(arguments.timeout),
    })
}

fn given() -> anyhow::Result<String> {
    match piped()? {
        empty if empty.is_empty() => Err(Usage("The client's secret on standard input is empty.".into()).into()),
        secret => Ok(secret),
    }
}

/// On standard error, since it is for a person, whoever reads the answer.
fn show(server: &str, url: &str, no_browser: bool) {
    output::plain_error(&format!("To sign in at {server}, open this page in a browser:\n\n  {url}\n"));
    if !no_browser && stderr().is_terminal() {
        browser::open(url);
    }
}

/// `by https://auth.example.com, until 2026-11-26T12:00:00Z (renewed then)`
pub(super) fn line(signed_in: &SignedIn) -> String {
    let scope = signed_in.scope.as_ref().map(|scope| format!(", for {scope}")).unwrap_or_default();
    let then = match (signed_in.is_renewed, signed_in.is_good()) {
        (true, _) => " (renewed then)",
        (false, true) => "",
        (false, false) => " (over)",
    };
    seen(&format!("by {}{scope}, until {}{then}", signed_in.issuer, signed_in.until()))
}

/// The same for programs.
pub(super) fn fields(document: &mut Json, signed_in: &SignedIn) {
    document["issuer"] = json!(signed_in.issuer);
    document["scope"] = json!(signed_in.scope);
    document["until"] = json!(signed_in.until());
    document["renewed"] = json!(signed_in.is_renewed);
}

pub(super) fn logout(arguments: &McpNamed) -> Outcome {
    let (host, config) = here()?;
    let server = meant(&host, &config, &arguments.server, arguments.place)?;
    let SignedOut { was, issuer, revoked } = host.block_on(host.mcp().logout(&server))?;
    let problem = revoked.as_ref().and_then(|told| told.as_ref().err()).map(|fault: &Fault| fault.message.clone());
    if arguments.json {
        output::json(&json!({
            "success": true, "server": server.name, "changed": was, "issuer": issuer,
            "revoked": revoked.as_ref().map(Result::is_ok), "problem": problem,
        }));
        return Ok(0);
    }
    let word = match (was, &revoked) {
        (false, _) => "Nobody was signed in",
        (true, Some(Ok(()))) => "Signed out, and the token is revoked",
        (true, _) => "Signed out",
    };
    output::foreign(&format!("{word} at {}.", server.name));
    if let Some(problem) = problem {
        output::error(&format!("note: the token may be good until it ends. {problem}"));
    }
    Ok(0)
}
