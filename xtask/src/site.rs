//! The generated documentation, opened in a browser: pages render, the filter works, nothing is reported on the
//! console. Screenshots are left for people to look at.

use crate::build;
use crate::failure::{Context, Failure, Result};
use crate::guests::Group;
use crate::process::{self, say};
use crate::workspace::Workspace;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const VARIABLE: &str = "KOSMO_BROWSER";
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// How a browser marks what a page's console says, on standard error.
const CONSOLE: &str = ":CONSOLE";

/// A page, and what its document must hold once its scripts have run.
const PAGES: [(&str, &[&str]); 5] = [
    ("index.html", &["<h1>Integrations</h1>", "<search id=\"filter\">", "href=\"dialpad/send_sms.html\""]),
    ("index.html#q=send+sms", &["2 functions</output>", "<li hidden=\"\""]),
    ("index.html#q=no+such+thing", &["0 functions</output>", "<section class=\"provider\" hidden=\"\""]),
    ("dialpad/index.html", &["<h2 id=\"guide\">Guide</h2>", "href=\"list_calls.html\""]),
    ("ringcentral/list_messages.html", &["<table>", "<h2>Examples</h2>", "messageType"]),
];

/// Pictures of pages: name, page, width and height.
const PICTURES: [(&str, &str, &str); 3] = [
    ("index", "index.html#q=send+sms", "1000,1200"),
    ("provider", "dialpad/index.html", "1000,2400"),
    ("phone", "ringcentral/list_messages.html", "500,1600"),
];

/// Writes the site and opens it. Without a browser, says which would do.
///
/// # Errors
/// When a page does not hold what it must, or the console has something to say.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let Some(browser) = browser() else {
        say(format!(
            "conform: no browser, so the documentation was not opened in one; apt-get install chromium, or name one in {VARIABLE}"
        ));
        return Ok(());
    };
    let site = write(workspace)?;
    PAGES.iter().try_for_each(|(page, parts)| open(&browser, &site, page, parts))?;
    let pictures = workspace.empty_folder("site-pictures")?;
    PICTURES.iter().try_for_each(|(name, page, size)| {
        picture(&browser, &format!("file://{}/{page}", site.display()), &pictures.join(format!("{name}.png")), size)
    })?;
    say(format!("conform: {} pages opened in a browser; pictures are in {}", PAGES.len(), workspace.shown(&pictures)));
    Ok(())
}

fn browser() -> Option<PathBuf> {
    let named = env::var_os(VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    let found = || {
        let files = env::split_paths(&path).flat_map(|folder| BROWSERS.map(|name| folder.join(name)));
        files.into_iter().find(|file| file.is_file())
    };
    named.or_else(found)
}

fn write(workspace: &Workspace) -> Result<PathBuf> {
    build::to_show(workspace)?;
    let (site, home) = (workspace.empty_folder("site")?, workspace.empty_folder("site-home")?);
    let mut kosmo = Command::new(workspace.binaries().join("kosmo"));
    kosmo.env("KOSMO_HOME", home).env("KOSMO_PLUGINS", workspace.folder(Group::Shipped.folder())?);
    process::answer(kosmo.args(["integrations:docs", "--html"]).arg(&site), "writing the documentation")?;
    Ok(site)
}

fn open(browser: &Path, site: &Path, page: &str, parts: &[&str]) -> Result<()> {
    let mut command = headless(browser);
    command.args(["--enable-logging=stderr", "--dump-dom"]).arg(format!("file://{}/{page}", site.display()));
    let output = command.output().context(|| format!("{} cannot be started", browser.display()))?;
    let (document, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if let Some(line) = said.lines().find(|line| line.contains(CONSOLE)) {
        return Err(Failure::new(format!("{page}: the console says: {line}")));
    }
    match parts.iter().find(|part| !document.contains(**part)) {
        None => Ok(()),
        Some(part) => {
            Err(Failure::new(format!("{page}: `{part}` is not in the document, of {} bytes", document.len())))
        }
    }
}

fn picture(browser: &Path, page: &str, file: &Path, size: &str) -> Result<()> {
    let mut command = headless(browser);
    command
        .arg(format!("--screenshot={}", file.display()))
        .args([&format!("--window-size={size}"), "--hide-scrollbars"]);
    command.arg(page).stdout(Stdio::null()).stderr(Stdio::null());
    process::run(&mut command, "taking a picture of the documentation")?;
    let taken = fs::metadata(file).is_ok_and(|picture| picture.len() > 0);
    if taken { Ok(()) } else { Err(Failure::new(format!("{} was not written", file.display()))) }
}

/// Without its own sandbox, which containers do not let it have: the pages are our own, and run one script of ours.
fn headless(browser: &Path) -> Command {
    let mut command = Command::new(browser);
    command.args(["--headless", "--no-sandbox", "--disable-gpu"]).stdin(Stdio::null());
    command
}
