//! `completions` and `man`: the same definitions that the help is made of, for shells and for `man`.

use super::arguments::Cli;
use super::failure::Outcome;
use super::output;
use anyhow::Context;
use clap::{Args, Command, CommandFactory};
use clap_complete::Shell;
use serde_json::json;
use std::path::{Path, PathBuf};

pub(super) const COMPLETIONS_HELP: &str = "\
Examples:
  kosmo completions bash > ~/.local/share/bash-completion/completions/kosmo
  kosmo completions zsh > ~/.zfunc/_kosmo          (with ~/.zfunc in fpath)
  kosmo completions fish > ~/.config/fish/completions/kosmo.fish";

/// Bash ends words at colons, unless told not to.
const BASH_WORDS: &str = "COMP_WORDBREAKS=${COMP_WORDBREAKS//:}\n";

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell they are for
    #[arg(value_enum)]
    shell: Shell,
    /// Print one JSON document with it instead
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Man {
    /// Write a page for kosmo and one for each command into this folder instead
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Print one JSON document with it instead
    #[arg(long)]
    json: bool,
}

pub(super) fn completions(arguments: &Completions) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "kosmo", &mut script);
    let words = if arguments.shell == Shell::Bash { BASH_WORDS } else { "" };
    let script = format!("{words}{}", String::from_utf8(script)?.trim_end());
    if arguments.json {
        output::json(&json!({"success": true, "shell": arguments.shell.to_string(), "script": script}));
    } else {
        output::line(&script);
    }
    Ok(0)
}

pub(super) fn man(arguments: &Man) -> Outcome {
    let command = Cli::command().disable_help_subcommand(true);
    match &arguments.dir {
        Some(folder) => write(command, folder, arguments.json),
        None => print(command, arguments.json),
    }
}

fn write(command: Command, folder: &Path, json: bool) -> Outcome {
    let unwritable = || format!("cannot write the manual into {}", folder.display());
    std::fs::create_dir_all(folder).with_context(unwritable)?;
    clap_mangen::generate_to(command, folder).with_context(unwritable)?;
    if json {
        output::json(&json!({"success": true, "folder": folder}));
    }
    Ok(0)
}

fn print(command: Command, json: bool) -> Outcome {
    let page = page(command)?;
    if json {
        output::json(&json!({"success": true, "page": page}));
    } else {
        output::line(page.trim_end());
    }
    Ok(0)
}

fn page(command: Command) -> anyhow::Result<String> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    Ok(String::from_utf8(page)?)
}
