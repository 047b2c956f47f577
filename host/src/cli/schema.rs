//! `integrations:schema`: what a function takes, for programs.

use super::arguments::PluginFolders;
use super::failure::Outcome;
use super::{open, output};
use anyhow::bail;
use clap::Args;
use kosmo::docs;

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
        Ok(_) => bail!("Unknown integration function: {name}. Name one function, such as dialpad.list_calls."),
        Err(docs::NoPage::Unknown { suggestions, .. }) if !suggestions.is_empty() => {
            bail!("Unknown integration function: {name}. Did you mean: {}", suggestions.join(", "))
        }
        Err(docs::NoPage::Unknown { .. }) => bail!("Unknown integration function: {name}"),
        Err(broken) => Err(broken.into()),
    }
}
