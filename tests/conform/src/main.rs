//! Checks every recorded exchange against the providers' own OpenAPI documents, so that neither the plugins' requests
//! nor the simulator's answers are marked by their author.

mod deviations;
mod document;
mod exchange;
mod finding;
mod operation;
mod schema;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use kosmo_simulator::Exchange;

use deviations::Deviations;
use document::Document;
use finding::Findings;

const HELP: &str = "\
Checks recorded exchanges against the providers' OpenAPI documents.

Usage: kosmo-conform --specs DIR --recorded DIR

  --specs DIR     holds dialpad-subset.json and ringcentral-subset.json
  --recorded DIR  holds what tests wrote with KOSMO_RECORD=DIR in their environment

Exits 0 if every deviation is listed in deviations.toml, 1 if one is not, 2 if an input is missing.";
const ACCEPTED: &str = include_str!("../deviations.toml");

/// What keeps the check from running.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{0}\n\n{HELP}")]
    Usage(String),
    #[error("cannot read {}: {source}; check --specs and --recorded", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{}:{line}: not a recorded exchange: {source}; delete the file and record again", path.display())]
    Record { path: PathBuf, line: usize, source: serde_json::Error },
    #[error("{}: not an OpenAPI document: {why}", path.display())]
    Document { path: PathBuf, why: String },
    #[error("deviations.toml: {0}")]
    Deviations(#[from] toml::de::Error),
    #[error("{} holds no recorded exchange; run the tests with KOSMO_RECORD={} first", .0.display(), .0.display())]
    Nothing(PathBuf),
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("kosmo-conform: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether nothing unexpected was found.
fn run(arguments: &[String]) -> Result<bool, Error> {
    let [specs, recorded] = folders(arguments)?;
    let documents = [load(&specs, "dialpad")?, load(&specs, "ringcentral")?];
    let exchanges = recordings(&recorded)?;
    let accepted = Deviations::parse(ACCEPTED)?;
    let mut findings = Findings::default();
    for exchange in &exchanges {
        let document = documents.iter().find(|document| document.provider == exchange.provider);
        exchange::check(document, exchange, &mut findings);
    }
    Ok(report(&documents, exchanges.len(), &findings, &accepted))
}

fn folders(arguments: &[String]) -> Result<[PathBuf; 2], Error> {
    let (mut specs, mut recorded) = (None, None);
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        let folder = match name.as_str() {
            "--specs" => &mut specs,
            "--recorded" => &mut recorded,
            other => return Err(Error::Usage(format!("unknown argument {other}"))),
        };
        *folder = Some(rest.next().ok_or_else(|| Error::Usage(format!("{name} needs a folder")))?);
    }
    match (specs, recorded) {
        (Some(specs), Some(recorded)) => Ok([specs.into(), recorded.into()]),
        _ => Err(Error::Usage("--specs and --recorded are both needed".to_owned())),
    }
}

fn load(specs: &Path, provider: &'static str) -> Result<Document, Error> {
    let path = specs.join(format!("{provider}-subset.json"));
    let text = read(&path)?;
    Document::parse(provider, &text).map_err(|why| Error::Document { path, why })
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// Every exchange of every `.jsonl` file in the folder.
fn recordings(folder: &Path) -> Result<Vec<Exchange>, Error> {
    let unreadable = |source| Error::Read { path: folder.to_owned(), source };
    let mut exchanges = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            append(&path, &mut exchanges)?;
        }
    }
    if exchanges.is_empty() { Err(Error::Nothing(folder.to_owned())) } else { Ok(exchanges) }
}

fn append(path: &Path, exchanges: &mut Vec<Exchange>) -> Result<(), Error> {
    for (at, line) in read(path)?.lines().enumerate() {
        let parsed = serde_json::from_str(line);
        exchanges.push(parsed.map_err(|source| Error::Record { path: path.to_owned(), line: at + 1, source })?);
    }
    Ok(())
}

fn report(documents: &[Document], exchanges: usize, findings: &Findings, accepted: &Deviations) -> bool {
    let operations: BTreeSet<String> = documents.iter().flat_map(Document::operation_names).collect();
    let missing: Vec<&String> = operations.difference(&findings.covered).collect();
    for operation in &missing {
        println!("not covered: {operation}");
    }
    let sorted = accepted.sort(findings);
    for finding in &sorted.unexpected {
        println!("unexpected: {finding}");
    }
    for entry in &sorted.unused {
        println!("unexpected: an entry of deviations.toml matches nothing, remove it: {entry}");
    }
    let unexpected = sorted.unexpected.len() + sorted.unused.len();
    println!("conform: {} refused requests are refused by the documents too", findings.agreements);
    println!(
        "conform: {exchanges} exchanges, {} operations covered of {}, {} accepted deviations, {unexpected} unexpected",
        operations.len() - missing.len(),
        operations.len(),
        sorted.used,
    );
    unexpected == 0
}
