//! `integrations:schema`: what a function takes, for programs.

use super::arguments::PluginFolders;
use super::failure::Outcome;
use super::{open, output};
use clap::Args;
use kosmo::{Code, Fault, Host, docs};

#[derive(Debug, Args)]
pub(super) struct IntegrationsSchema {
    /// Such as `dialpad.list_calls`
    #[arg(value_name = "PROVIDER.FUNCTION")]
    function: String,
    /// Accepted for symmetry: it is JSON always
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    plugins: PluginFolders,
}

pub(super) fn run(arguments: &IntegrationsSchema) -> Outcome {
    let host = open(&arguments.plugins.folders)?;
    let name = &arguments.function;
    match docs::topic(&host, name) {
        Ok(topic @ docs::Topic::Function(..)) => {
            topic.entries(&host).iter().for_each(|entry| output::json(&entry.input_schema));
            Ok(0)
        }
        Ok(_) => Err(unknown(name, ". Name one function, such as dialpad.list_calls.").into()),
        Err(docs::NoPage::Unknown { suggestions, .. }) if !suggestions.is_empty() => {
            Err(unknown(name, &format!(". Did you mean: {}", suggestions.join(", "))).into())
        }
        Err(docs::NoPage::Unknown { .. }) => Err(unknown(name, &listing(&host, name)).into()),
        Err(docs::NoPage::Broken(fault)) => Err(fault.into()),
    }
}

/// Where there is nothing like it, what lists all there is.
fn listing(host: &Host, name: &str) -> String {
    match name.split_once('.').filter(|(provider, _)| host.registry().knows(provider)) {
        Some((provider, _)) => format!(". kosmo integrations:{provider} lists its functions"),
        None => ". kosmo integrations:list names the providers".into(),
    }
}

fn unknown(name: &str, cure: &str) -> Fault {
    Fault::new(Code::Unknown, format!("Unknown integration function: {name}{cure}"))
}
