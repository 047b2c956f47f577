//! Scenarios: real components, a real engine, providers on loopback, Lua in, outcome out. This is the specification.

mod answers;
mod approvals;
mod attacks;
mod audit;
mod cli;
mod dialpad;
mod files;
mod gate;
mod grants;
mod hostile;
mod hostile_urls;
mod interruptions;
mod leaks;
mod limits;
mod lua;
mod mcp;
mod memory;
mod misbehaviour;
mod network;
mod oauth;
mod rates;
mod rehearsals;
mod reruns;
mod ringcentral;
mod seeds;
mod serve;
mod swap;
mod tidy;
mod writes;

use kosmo::{Config, Fault, Host, Invocation, Limits};
use kosmo_tests::Echo;
use serde_json::Value;
use std::path::Path;

/// A host with the probe, whose account points at the echo.
fn probe_host(echo: &Echo) -> Host {
    probe_host_with(echo, Limits::default(), "")
}

fn probe_host_with(echo: &Echo, limits: Limits, besides: &str) -> Host {
    let (url, token) = (echo.url(), PROBE_TOKEN);
    let config = format!("[accounts.probe.default]\nurl = \"{url}\"\naccess_token = \"{token}\"\n{besides}");
    let config = Config::parse(&config, Path::new("config.toml")).expect("a configuration");
    Host::builder()
        .plugins(kosmo_tests::guests())
        .cache(kosmo_tests::cache())
        .config(config)
        .limits(limits)
        .build()
        .expect("a host")
}

/// Looks like a token, and like nothing else.
const PROBE_TOKEN: &str = "probe-token-5f1d7c9ae2";

#[track_caller]
fn invoke(host: &Host, function: &str, arguments: Value) -> Result<Value, Fault> {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    let answer = host.block_on(host.invoke(Invocation::new("probe", function, arguments)))?;
    Ok(serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}")))
}
