//! Scripts against the protocol's own test server, which offers everything there is, over both transports.

use crate::build;
use crate::failure::{Context, Failure, Result};
use crate::process::{self, Quietly, say};
use crate::workspace::Workspace;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const PACKAGE: &str = "@modelcontextprotocol/server-everything";
const VERSION: &str = "2026.8.31";
const SCRIPT: &str = "tests/conform/mcp/everything.lua";
/// The command of the documentation's pages.
const SERVERS: [&str; 4] = ["mcp:lua", "--eval", "dump(mcp.servers())", "--json"];
const INSTALLING: Duration = Duration::from_secs(300);
const STARTING: Duration = Duration::from_secs(30);

/// Runs them. Without npm, or its registry, says what is missing.
///
/// # Errors
/// When a script does not come to its end.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let program = match install(workspace) {
        Ok(program) => program,
        Err(why) => {
            say(format!("conform: {PACKAGE} was not tried: {why}; it takes node, npm and npm's registry"));
            return Ok(());
        }
    };
    build::to_show(workspace)?;
    let http = Listening::start(&program)?;
    let home = home(workspace, &program, &http.url)?;
    let kosmo = |arguments: &[&str]| {
        let mut kosmo = Command::new(workspace.binaries().join("kosmo"));
        kosmo.env("KOSMO_HOME", &home).current_dir(&home).args(arguments);
        kosmo
    };
    let listed = process::answer(&mut kosmo(&SERVERS), "kosmo mcp:lua --eval 'dump(mcp.servers())' --json")?;
    if !listed.contains("\"success\": true") || !listed.contains("name: stdio") {
        return Err(Failure::new(format!("mcp.servers() does not list the servers: {listed}")));
    }
    let script = workspace.source(SCRIPT).display().to_string();
    let said = process::answer(&mut kosmo(&["mcp:lua", &script]), SCRIPT)?;
    said.lines().for_each(|line| say(format!("conform: {PACKAGE} {VERSION} over {line}")));
    Ok(())
}

fn install(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.folder("npm")?;
    let package = folder.join("node_modules").join(PACKAGE);
    let program = package.join("dist/index.js");
    if !is_version(&package) {
        let mut npm = process::program("NPM", "npm");
        npm.args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]).arg(&folder);
        npm.arg(format!("{PACKAGE}@{VERSION}"));
        let log = folder.join("npm.log");
        Quietly { doing: "npm install", log: &log, limit: INSTALLING }.run(&mut npm)?;
    }
    if program.is_file() { Ok(program) } else { Err(Failure::new(format!("{} is not there", program.display()))) }
}

fn is_version(package: &Path) -> bool {
    let described = fs::read_to_string(package.join("package.json")).unwrap_or_default();
    described.contains(&format!("\"version\": \"{VERSION}\""))
}

fn home(workspace: &Workspace, program: &Path, url: &str) -> Result<PathBuf> {
    let home = workspace.empty_folder("everything-home")?;
    let servers = format!(
        "{{\"mcpServers\": {{\n  \"stdio\": {{\"command\": \"node\", \"args\": [{:?}, \"stdio\"]}},\n  \"http\": {{\"url\": \
         {url:?}}}\n}}}}\n",
        program.display().to_string()
    );
    let write = |name: &str, text: &str| fs::write(home.join(name), text).context(|| format!("cannot write {name}"));
    write("mcp.json", &servers)?;
    write("config.toml", "[mcp]\npermissions_default = \"allow\"\n")?;
    Ok(home)
}

/// The server, listening for HTTP; dropping it ends it.
struct Listening {
    child: Child,
    url: String,
}

impl Listening {
    fn start(program: &Path) -> Result<Self> {
        let port = free_port().context(|| "there is no free port".to_owned())?;
        let mut node = process::program("NODE", "node");
        node.arg(program).arg("streamableHttp").env("PORT", port.to_string());
        node.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
        let mut child = node.spawn().context(|| "node cannot be started".to_owned())?;
        let stderr = child.stderr.take();
        let listening = Self { child, url: format!("http://127.0.0.1:{port}/mcp") };
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let mut lines = stderr.map(BufReader::new);
            for line in lines.iter_mut().flat_map(BufRead::lines).map_while(io::Result::ok) {
                // Nobody may be waiting any more, but its pipe must not fill.
                drop(tell.send(line));
            }
        });
        match told.recv_timeout(STARTING) {
            Ok(line) if line.contains("listening") => Ok(listening),
            other => Err(Failure::new(format!("{PACKAGE} does not listen: {}", other.unwrap_or_default()))),
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
