//! A home with accounts at the simulator, a host over it, and the command line as a user types it.

use crate::matches;
use kosmo::{Fault, Host, Invocation, Outcome, Script};
use kosmo_simulator::{ACCOUNTS, Exchange, Simulator};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A simulator, and a home whose accounts `default`, `work` and `support` point at it.
pub struct Scenario {
    /// What the providers' side saw.
    pub simulator: Simulator,
    home: TempDir,
    plugins: Vec<PathBuf>,
}

/// What a run of the command line left.
#[derive(Debug)]
pub struct Ran {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Default for Scenario {
    fn default() -> Self {
        Self::new()
    }
}

impl Scenario {
    /// Reads allowed, writes not decided: the defaults.
    pub fn new() -> Self {
        let scenario = Self {
            simulator: Simulator::start(),
            home: tempfile::tempdir().expect("a temporary folder"),
            plugins: vec![crate::plugins()],
        };
        share_cache(scenario.home.path());
        scenario.configure("");
        scenario
    }

    /// With writes allowed at both providers.
    pub fn writable() -> Self {
        let scenario = Self::new();
        scenario.configure("[permissions.dialpad]\nwrite = \"allow\"\n[permissions.ringcentral]\nwrite = \"allow\"\n");
        scenario
    }

    /// A home without accounts or plugins.
    pub fn empty() -> Self {
        let scenario = Self { plugins: Vec::new(), ..Self::new() };
        scenario.write("config.toml", "");
        scenario
    }

    /// With the plugins of another folder too.
    #[must_use]
    pub fn plugins(mut self, folder: PathBuf) -> Self {
        self.plugins.push(folder);
        self
    }

    /// Writes `config.toml` with the accounts and this besides.
    pub fn configure(&self, besides: &str) {
        let mut config = String::new();
        for account in ACCOUNTS {
            let (dialpad, ringcentral) = (self.simulator.dialpad_url(), self.simulator.ringcentral_url());
            let exports = self.simulator.exports_url();
            let (one, two) = (Simulator::token("dialpad", account), Simulator::token("ringcentral", account));
            write!(
                config,
                "[accounts.dialpad.{account}]\nurl = \"{dialpad}\"\nexports = \"{exports}\"\naccess_token = \"{one}\"\n\
                 [accounts.ringcentral.{account}]\nurl = \"{ringcentral}\"\naccess_token = \"{two}\"\n"
            )
            .expect("writing to a string cannot fail");
        }
        self.write("config.toml", &(config + besides));
    }

    /// Writes a file of the home.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.home.path().join(name), text).expect("a writable temporary folder");
    }

    /// Where plugins are looked for besides the home.
    pub fn plugin_folders(&self) -> &[PathBuf] {
        &self.plugins
    }

    /// The home folder.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A host as an embedder builds it.
    pub fn host(&self) -> Host {
        let builder = self.plugins.iter().fold(Host::builder(), |builder, folder| builder.plugins(folder));
        builder.home(self.home.path()).build().expect("a readable configuration")
    }

    /// Runs a script in a session of its own.
    pub fn run(&self, code: &str) -> Outcome {
        self.host().session().build().run_blocking(Script::new("scenario.lua", code))
    }

    /// Runs a script that must succeed, and gives its first result.
    #[track_caller]
    pub fn value(&self, code: &str) -> Value {
        let outcome = self.run(code);
        assert!(outcome.success, "{code}: {:?}", outcome.error);
        outcome.result.into_iter().flatten().next().unwrap_or_default()
    }

    /// Runs a script that a fault must end.
    #[track_caller]
    pub fn fault(&self, code: &str) -> Fault {
        let outcome = self.run(code);
        outcome.fault.unwrap_or_else(|| panic!("{code}: {:?} {:?}", outcome.error, outcome.result))
    }

    /// Invokes one function of the default account without Lua.
    pub fn invoke(&self, provider: &str, function: &str, arguments: Value) -> Result<String, Fault> {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        let host = self.host();
        host.block_on(host.invoke(Invocation::new(provider, function, arguments)))
    }

    /// Runs `kosmo` with these arguments.
    pub fn kosmo(&self, arguments: &[&str]) -> Ran {
        self.kosmo_with(arguments, &[], None)
    }

    /// Runs `kosmo` with these arguments, environment variables and standard input (none is a closed one).
    pub fn kosmo_with(&self, arguments: &[&str], environment: &[(&str, &str)], input: Option<&str>) -> Ran {
        let mut command = self.command();
        command.args(arguments).envs(environment.iter().copied());
        run(command, input)
    }

    /// Runs a line in a shell that finds `kosmo` on its `PATH`, so that quoting is as printed.
    pub fn shell(&self, line: &str) -> Ran {
        let binary = binary();
        let folder = binary.parent().expect("a file lies in a folder").display();
        let mut command = Command::new("/bin/sh");
        self.surround(&mut command);
        command.env("PATH", format!("{folder}:/usr/bin:/bin")).args(["-c", line]);
        run(command, None)
    }

    /// What the providers saw since the start or the last time, each as `dialpad.work POST /api/v2/sms?query {"body"}`; a
    /// request without a known token names no account.
    pub fn sent(&self) -> Vec<String> {
        self.simulator.take_requests().iter().map(shown).collect()
    }

    /// Asserts that the providers saw exactly these requests since the start or the last time, shown as by
    /// [`Scenario::sent`], in this order. `*` stands for any text.
    #[track_caller]
    pub fn assert_sent(&self, expected: &[impl AsRef<str>]) {
        let sent = self.sent();
        assert_eq!(sent.len(), expected.len(), "{sent:#?}");
        for (sent, expected) in sent.iter().zip(expected) {
            assert!(matches(expected.as_ref(), sent), "sent\n{sent}\ninstead of\n{}", expected.as_ref());
        }
    }

    /// `kosmo` in the home as working folder, with nothing of the developer's own environment.
    pub fn command(&self) -> Command {
        let mut command = Command::new(binary());
        self.surround(&mut command);
        command
    }

    fn surround(&self, command: &mut Command) {
        let plugins = std::env::join_paths(&self.plugins).expect("folders without a separator in their names");
        command.current_dir(self.home.path()).env_clear();
        command.env("HOME", self.home.path()).env("KOSMO_HOME", self.home.path()).env("KOSMO_PLUGINS", plugins);
    }
}

fn run(mut command: Command, input: Option<&str>) -> Ran {
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("`kosmo` starts");
    if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
        // A run that does not read its input closes it early.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().expect("`kosmo` ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Ran { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A request as [`Scenario::sent`] shows it.
fn shown(exchange: &Exchange) -> String {
    let bearer = |account: &&str| {
        let token = Simulator::token(&exchange.provider, account);
        let issued = format!("Bearer sim-{}-{account}-access-", exchange.provider);
        let sent = exchange.header("authorization").unwrap_or_default();
        sent == format!("Bearer {token}") || sent.starts_with(&issued)
    };
    let account = ACCOUNTS.iter().find(|account| bearer(account)).map_or(String::new(), |name| format!(".{name}"));
    let query = exchange.raw_query.as_ref().map_or(String::new(), |query| format!("?{query}"));
    let line = format!("{}{account} {} {}{query} {}", exchange.provider, exchange.method, exchange.path, exchange.body);
    line.trim_end().to_owned()
}

/// The command line as `cargo xtask test` built it.
fn binary() -> PathBuf {
    let built = || {
        let test = std::env::current_exe().expect("a test knows where it is");
        test.ancestors().nth(2).expect("a test lies in target/<profile>/deps").join("kosmo")
    };
    let binary = std::env::var_os("KOSMO_TEST_BINARY").map_or_else(built, PathBuf::from);
    assert!(binary.is_file(), "{} is missing: run `cargo xtask test`, which builds it", binary.display());
    binary
}

/// The command line keeps its cache in the home, of which every scenario has its own.
fn share_cache(home: &Path) {
    std::os::unix::fs::symlink(crate::cache(), home.join("cache")).expect("a writable temporary folder");
}
