//! The protocol's official clients against `kosmo mcp:serve`: the Python client, and the inspector's command line; and
//! `kosmo mcp:login` at a server of the Python SDK.

use crate::build;
use crate::failure::{Context, Failure, Result};
use crate::home::{Home, Writes};
use crate::process::{self, Quietly, say};
use crate::simulator::Simulator;
use crate::workspace::Workspace;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const PYTHON: &str = "mcp==2.3.0";
const INSPECTOR: &str = "@modelcontextprotocol/inspector@2.12.0";
/// The client, and a server that somebody has to sign in at.
const SCRIPTS: [&str; 2] = ["tests/conform/mcp/clients.py", "tests/conform/mcp/login.py"];
const INSTALLING: Duration = Duration::from_secs(600);

/// Lets both try everything, over pipes and HTTP. Where one cannot be installed, says what is missing.
///
/// # Errors
/// When something is not as it must be.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let tools = workspace.folder("mcp-clients")?;
    let (python, inspector) = (python(&tools), inspector(&tools));
    if python.is_err() && inspector.is_err() {
        return Ok(());
    }
    build::to_show(workspace)?;
    let simulator = Simulator::start(workspace)?;
    let home = Home::write(workspace, workspace.empty_folder("mcp-clients-home")?, &simulator, Writes::AsUsual)?;
    let kosmo = workspace.binaries().join("kosmo");
    if let Ok(python) = python {
        for script in SCRIPTS {
            let mut clients = Command::new(&python);
            clients.arg(workspace.source(script)).arg(&kosmo);
            home.apply(&mut clients);
            let said = process::answer(&mut clients, "the official Python SDK")?;
            said.lines().for_each(|line| say(format!("conform: {line}")));
        }
    }
    match inspector {
        Ok(inspector) => inspect(&Inspector { program: inspector, kosmo, home }),
        Err(_) => Ok(()),
    }
}

/// The Python client in an environment of its own.
fn python(folder: &Path) -> Result<PathBuf> {
    let python = folder.join("venv/bin/python");
    let missing = |why: Failure| {
        say(format!("conform: the official Python client was not tried: {why}; it takes python3 with venv, and PyPI"));
        why
    };
    let install = || {
        if !python.is_file() {
            let mut venv = process::program("PYTHON", "python3");
            quietly("python3 -m venv", folder, venv.args(["-m", "venv"]).arg(folder.join("venv")))?;
        }
        let mut pip = Command::new(&python);
        quietly("pip install mcp", folder, pip.args(["-m", "pip", "install", "--quiet", PYTHON]))
    };
    install().map_err(missing)?;
    Ok(python)
}

/// The inspector, installed by npm.
fn inspector(folder: &Path) -> Result<PathBuf> {
    let program = folder.join("node_modules/.bin/mcp-inspector");
    let mut npm = process::program("NPM", "npm");
    npm.args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"])
        .arg(folder)
        .arg(INSPECTOR);
    if !program.is_file() {
        quietly("npm install", folder, &mut npm).inspect_err(|why| {
            say(format!("conform: the official inspector was not tried: {why}; it takes node, npm and npm's registry"));
        })?;
    }
    Ok(program)
}

fn quietly(doing: &str, folder: &Path, command: &mut Command) -> Result<()> {
    Quietly { doing, log: &folder.join("install.log"), limit: INSTALLING }.run(command).map(drop)
}

struct Inspector {
    program: PathBuf,
    kosmo: PathBuf,
    home: Home,
}

/// What it is asked, and what its answer must hold.
const ASKED: [(&[&str], &str); 6] = [
    (&["--method", "tools/list"], "\"dialpad_list_calls\""),
    (&["--method", "tools/call", "--tool-name", "run_lua", "--tool-arg", "code=return 6 * 7"], "42"),
    (&["--method", "tools/call", "--tool-name", "dialpad_list_users", "--tool-arg", "account=work"], "items"),
    (&["--method", "resources/list"], "kosmo://docs/dialpad"),
    (&["--method", "resources/read", "--uri", "kosmo://docs/dialpad/list_calls"], "# dialpad.list_calls"),
    (
        &["--method", "prompts/get", "--prompt-name", "explore_integration", "--prompt-args", "integration=dialpad"],
        "dialpad",
    ),
];

fn inspect(inspector: &Inspector) -> Result<()> {
    let pipes = [inspector.kosmo.display().to_string(), "mcp:serve".into(), "--functions".into()];
    // What it starts gets no environment but what it is told to hand on.
    let [home, plugins] = inspector.home.variables();
    inspector.ask_all("stdio", &pipes, &["-e", &home, "-e", &plugins])?;
    let server = Served::start(inspector)?;
    let header = format!("Authorization: Bearer {}", server.token);
    inspector.ask_all("http", std::slice::from_ref(&server.url), &["--header", &header])
}

impl Inspector {
    fn ask_all(&self, transport: &str, target: &[String], besides: &[&str]) -> Result<()> {
        for (asked, expected) in ASKED {
            let mut command = Command::new(&self.program);
            command.arg("--cli").args(besides).args(asked);
            command.arg("--").args(target);
            self.home.apply(&mut command);
            let doing = format!("the official inspector, {} over {transport}", asked[1]);
            let answer = process::answer(&mut command, &doing)?;
            if !answer.contains(expected) {
                return Err(Failure::new(format!("{doing}: `{expected}` is not in {answer}")));
            }
        }
        let version = INSPECTOR.rsplit('@').next().unwrap_or_default();
        say(format!("conform: inspector {version} over {transport}: {} requests answered as expected", ASKED.len()));
        Ok(())
    }
}

/// `kosmo mcp:serve --http`; dropping it ends it.
struct Served {
    child: Child,
    url: String,
    token: String,
}

impl Served {
    fn start(inspector: &Inspector) -> Result<Self> {
        let mut command = Command::new(&inspector.kosmo);
        command.args(["mcp:serve", "--http", "127.0.0.1:0", "--functions"]).stderr(Stdio::piped());
        inspector.home.apply(&mut command);
        let mut child = command.spawn().context(|| "kosmo mcp:serve cannot be started".to_owned())?;
        let stderr = child.stderr.take();
        let mut served = Self { child, url: String::new(), token: String::new() };
        let mut lines = stderr.map(BufReader::new).into_iter().flat_map(BufRead::lines).map_while(std::io::Result::ok);
        let mut word = || lines.next().and_then(|line| line.rsplit(' ').next().map(str::to_owned));
        let (url, token) = (word(), word());
        (served.url, served.token) =
            url.zip(token).ok_or_else(|| Failure::new("kosmo mcp:serve does not say where it is"))?;
        Ok(served)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
