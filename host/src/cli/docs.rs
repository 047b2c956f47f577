//! `integrations:docs`: pages to read, at a terminal, by programs, or in a browser.

use super::arguments::PluginFolders;
use super::failure::{Outcome, Usage};
use super::progress::Progress;
use super::{open, output};
use clap::{Args, ValueEnum};
use kosmo::Host;
use kosmo::docs::{self, Topic};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct IntegrationsDocs {
    /// `dialpad`, `dialpad.list_calls` or `errors`; without it, an overview
    #[arg(value_name = "PAGE")]
    page: Option<String>,
    /// How to print it
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Markdown)]
    format: Format,
    /// The same as --format=json
    #[arg(long)]
    json: bool,
    /// Write everything as a site into this folder instead, for a browser
    #[arg(long, value_name = "DIR", conflicts_with_all = ["page", "format"])]
    html: Option<PathBuf>,
    #[command(flatten)]
    plugins: PluginFolders,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Without markup
    Text,
    /// As scripts get it from docs.read
    Markdown,
    /// What each function is and takes
    Json,
}

pub(super) fn run(arguments: &IntegrationsDocs) -> Outcome {
    let host = open(&arguments.plugins.folders)?;
    if let Some(folder) = &arguments.html {
        return site(&host, folder, arguments.json);
    }
    let page = arguments.page.as_deref().unwrap_or_default();
    match arguments.format {
        Format::Text if !arguments.json => output::foreign(&docs::plain(&docs::find(&host, page)?)),
        format => show(&host, page, arguments.json || format == Format::Json)?,
    }
    Ok(0)
}

/// A page as scripts get it, or as programs do.
pub(super) fn show(host: &Host, page: &str, json: bool) -> anyhow::Result<()> {
    if json {
        return print_json(host, page);
    }
    output::foreign(docs::find(host, page)?.trim_end());
    Ok(())
}

/// One function, or the list of a provider's, or of all.
fn print_json(host: &Host, page: &str) -> anyhow::Result<()> {
    let topic = docs::topic(host, page)?;
    match &topic {
        Topic::Function(..) => topic.entries(host).iter().for_each(output::json),
        Topic::Providers(_) => output::json(&topic.entries(host)),
        Topic::Faults => {
            let row = |(code, cure)| json!({"code": code, "cure": cure});
            output::json(&docs::cures().into_iter().map(row).collect::<Vec<_>>());
        }
    }
    Ok(())
}

fn site(host: &Host, folder: &Path, json: bool) -> Outcome {
    refuse_foreign(folder)?;
    let mut progress = Progress::new("pages written");
    let pages = docs::site(host, &mut |name, html| {
        progress.step();
        write(&folder.join(name), html)
    })?;
    drop(progress);
    let index = folder.join("index.html");
    match json {
        true => output::json(&json!({"success": true, "folder": folder, "index": index, "pages": pages})),
        false => output::line(&format!("{pages} pages written. Open {}", index.display())),
    }
    Ok(0)
}

/// A folder with other things in it is not ours to write into, and a file is none.
fn refuse_foreign(folder: &Path) -> anyhow::Result<()> {
    let name = folder.display();
    if folder.exists() && !folder.is_dir() {
        return Err(Usage(format!("{name} is no folder. Name a new or empty one for the site.")).into());
    }
    let is_ours = || folder.join("index.html").exists();
    let mut entries = fs::read_dir(folder).into_iter().flatten();
    if entries.next().is_some() && !is_ours() {
        return Err(Usage(format!("{name} holds other files. Name a new or empty folder, or an earlier site.")).into());
    }
    Ok(())
}

fn write(file: &Path, html: &str) -> std::io::Result<()> {
    let written = file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(file, html));
    let cure = "name a folder you may write into";
    written
        .map_err(|error| std::io::Error::new(error.kind(), format!("cannot write {}: {error}; {cure}", file.display())))
}
