//! One of those that use the home at once. Its accounts and texts are its own, so that it knows what must be there.

use crate::chance::Chance;
use crate::home::{Home, MARK};
use crate::known::Known;
use kosmo_simulator::Simulator;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::Output;
use std::thread::sleep;
use std::time::{Duration, Instant};

const ACCOUNTS: u64 = 3;
/// One process in so many is killed.
const KILLED: u64 = 3;

/// What came of the work.
#[derive(Debug, Default)]
pub struct Tally {
    runs: BTreeMap<&'static str, u64>,
    killed: u64,
    confirmed: u64,
    verified: u64,
    texts: u64,
    resumed: u64,
    /// What was not as it must be.
    pub broken: Vec<String>,
}

/// One worker, with a provider of its own.
pub struct Worker<'a> {
    home: &'a Home,
    number: usize,
    chance: Chance,
    provider: Simulator,
    accounts: Vec<Known>,
    rules: Vec<String>,
    texts: Vec<String>,
    count: u64,
    /// What an ordinary run takes, so that kills fall into it.
    usual: Duration,
    tally: Tally,
}

/// How a run ended.
enum Ended {
    Killed,
    With(i32, String),
}

impl Tally {
    /// Of a worker that did not end.
    pub fn panicked() -> Self {
        Self { broken: vec!["a worker panicked".into()], ..Self::default() }
    }

    /// Of both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        other.runs.into_iter().for_each(|(what, count)| *self.runs.entry(what).or_default() += count);
        self.killed += other.killed;
        self.confirmed += other.confirmed;
        self.verified += other.verified;
        self.texts += other.texts;
        self.resumed += other.resumed;
        self.broken.extend(other.broken);
        self
    }

    /// For people.
    pub fn figures(&self) -> String {
        let Self { runs, killed, confirmed, verified, texts, resumed, .. } = self;
        let total: u64 = runs.values().sum();
        let each: Vec<_> = runs.iter().map(|(what, count)| format!("{what} {count}")).collect();
        format!(
            "  {total} runs ({}), {killed} of them killed\n  {confirmed} changes confirmed, {verified} times looked whether \
             they are there; {texts} texts sent, {resumed} broken runs taken up",
            each.join(", ")
        )
    }
}

impl<'a> Worker<'a> {
    /// Has done nothing yet.
    pub fn new(home: &'a Home, number: usize, chance: Chance) -> Self {
        Self {
            home,
            number,
            chance,
            provider: Simulator::start(),
            accounts: vec![Known::nothing(); ACCOUNTS as usize],
            rules: Vec::new(),
            texts: Vec::new(),
            count: 0,
            usual: Duration::from_millis(100),
            tally: Tally::default(),
        }
    }

    /// Works until then, and looks at last at all that must be there.
    pub fn work(mut self, until: Instant) -> Tally {
        // The account its texts are sent from.
        let token = self.home.token.clone();
        self.configure_with(&self.own(), &token, false);
        while Instant::now() < until {
            match self.chance.below(10) {
                0..3 => self.configure(),
                3 => self.remove(),
                4 => self.grant(),
                5 | 6 => self.send(),
                7 | 8 => self.look_at_any(),
                _ => self.read(),
            }
        }
        (0..self.accounts.len()).for_each(|index| self.look_at(index, false));
        self.look_at_rules();
        self.look_at_texts();
        self.tally
    }

    fn own(&self) -> String {
        format!("w{}", self.number)
    }

    fn name(&self, index: usize) -> String {
        format!("w{}_{index}", self.number)
    }

    fn any(&mut self) -> usize {
        self.chance.below(ACCOUNTS) as usize
    }

    fn configure(&mut self) {
        let index = self.any();
        self.count += 1;
        let token = format!("{MARK}-{}-{}-{:016x}", self.number, self.count, self.chance.below(u64::MAX));
        match self.configure_with(&self.name(index), &token, true) {
            true => self.accounts[index].confirm(Some(token)),
            false => self.accounts[index].doubt(Some(token)),
        }
    }

    /// Whether it was confirmed.
    fn configure_with(&mut self, account: &str, token: &str, may_be_killed: bool) -> bool {
        let set = json!({"access_token": token, "url": self.provider.dialpad_url()});
        let wish = json!({"account": account, "set": set}).to_string();
        let ended = self.run("configure", &["integrations:configure", "dialpad", "--stdin-json"], &wish, may_be_killed);
        self.confirmed("configure", &ended)
    }

    fn remove(&mut self) {
        let (index, what) = (self.any(), "remove");
        let ended = self.run(what, &["accounts:remove", "dialpad", &self.name(index), "--json"], "", true);
        match ended {
            Ended::With(0 | 1, _) => self.accounts[index].confirm(None),
            Ended::With(..) => drop(self.confirmed(what, &ended)),
            Ended::Killed => self.accounts[index].doubt(None),
        }
    }

    fn grant(&mut self) {
        self.count += 1;
        let rule = format!("GET /api/v2/call/w{}n{}", self.number, self.count);
        let ended = self.run("grant", &["grants:add", "dialpad", &rule], "", true);
        if self.confirmed("grant", &ended) {
            self.rules.push(rule);
        }
    }

    /// A text by a script. One that is killed is taken up again at once.
    fn send(&mut self) {
        self.count += 1;
        let text = format!("text {} of {}", self.count, self.own());
        let script = format!(
            "app.integrations.dialpad.{}.send_sms({{from = '+14155559876', to = '+16505559876', text = '{text}'}})",
            self.own()
        );
        let ended = self.run("send", &["integrations:lua", "--eval", &script, "--json"], "", true);
        if self.confirmed("send", &ended) {
            self.texts.push(text);
        } else if let Some(run) = self.broken_run(&text) {
            self.tally.resumed += 1;
            let line = ["integrations:lua", "--eval", &script, "--json", "--resume", &run];
            match self.run("resume", &line, "", false) {
                Ended::With(0, _) => self.texts.push(text),
                Ended::With(1, out) if out.contains("in_doubt") => {}
                Ended::With(code, out) => self.tally.broken.push(format!("a resumed run ended with {code}: {out}")),
                Ended::Killed => {}
            }
        }
    }

    /// The run that was killed with this text in doubt.
    fn broken_run(&mut self, text: &str) -> Option<String> {
        let Ended::With(0, listed) = self.run("runs", &["runs:list", "--json"], "", false) else { return None };
        let listed: Value = serde_json::from_str(&listed).unwrap_or_default();
        let quoted = format!("\"{text}\"");
        let is_it = |run: &&Value| run["in_doubt"].to_string().replace('\\', "").contains(&quoted);
        listed["runs"].as_array()?.iter().find(is_it).and_then(|run| Some(run["run"].as_str()?.to_owned()))
    }

    fn read(&mut self) {
        let lines: [&[&str]; 4] = [
            &["accounts:list", "--json"],
            &["integrations:status", "--json"],
            &["audit", "--last", "5", "--json"],
            &["grants:show", "dialpad", "--json"],
        ];
        let line = lines[self.chance.below(lines.len() as u64) as usize];
        if let Ended::With(code, out) = self.run("read", line, "", true)
            && (code != 0 || serde_json::from_str::<Value>(&out).is_err())
        {
            self.tally.broken.push(format!("{} ended with {code}: {out}", line[0]));
        }
    }

    fn look_at_any(&mut self) {
        let index = self.any();
        self.look_at(index, true);
    }

    /// Which token an account has is what the provider is sent.
    fn look_at(&mut self, index: usize, may_be_killed: bool) {
        self.count += 1;
        let (name, asked) = (self.name(index), format!("--id={}", self.count));
        let line = ["integrations:call", "dialpad.get_user", &asked, "--account", &name, "--json"];
        let Ended::With(code, out) = self.run("call", &line, "", may_be_killed) else { return };
        let token = self.sent(&format!("/api/v2/users/{}", self.count));
        if token.is_none() && !out.contains("unconfigured") {
            return self.tally.broken.push(format!("a call ended with {code} before it sent anything: {out}"));
        }
        self.tally.verified += u64::from(self.accounts[index].is_certain());
        let before = format!("{:?}", self.accounts[index]);
        if !self.accounts[index].settle(token.as_deref()) {
            self.tally.broken.push(format!("{name} has {token:?} where it must have {before}"));
        }
    }

    /// The token of the request with this path, which nobody else asks for.
    fn sent(&self, path: &str) -> Option<String> {
        let requests = self.provider.take_requests();
        let header = requests.iter().find(|request| request.path == path)?.header("authorization")?;
        header.strip_prefix("Bearer ").map(Into::into)
    }

    fn look_at_rules(&mut self) {
        let config = self.home.config();
        let lost: Vec<_> = self.rules.iter().filter(|rule| !config.contains(&format!("\"{rule}\""))).collect();
        self.tally.verified += self.rules.len() as u64;
        if !lost.is_empty() || !config.starts_with("# Mine; stays.") {
            self.tally.broken.push(format!("config.toml lost {lost:?}: {config}"));
        }
    }

    fn look_at_texts(&mut self) {
        let mut sent: Vec<_> = self.provider.sms_sent().into_iter().map(|sms| sms.text).collect();
        sent.sort();
        self.tally.texts = sent.len() as u64;
        self.tally.verified += self.texts.len() as u64;
        let lost: Vec<_> = self.texts.iter().filter(|text| sent.binary_search(text).is_err()).collect();
        let twice: Vec<_> = sent.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        if !lost.is_empty() || !twice.is_empty() {
            self.tally.broken.push(format!("texts lost: {lost:?}, sent twice: {twice:?}"));
        }
    }

    /// Whether a change was made for certain. One that was not killed must be.
    fn confirmed(&mut self, what: &str, ended: &Ended) -> bool {
        match ended {
            Ended::Killed => false,
            Ended::With(0, _) => {
                self.tally.confirmed += 1;
                true
            }
            Ended::With(code, out) => {
                self.tally.broken.push(format!("{what} ended with {code}: {out}"));
                false
            }
        }
    }

    fn run(&mut self, what: &'static str, line: &[&str], input: &str, may_be_killed: bool) -> Ended {
        *self.tally.runs.entry(what).or_default() += 1;
        let begun = Instant::now();
        let mut child = self.home.command().args(line).spawn().expect("`kosmo` starts");
        self.home.processes().insert(child.id());
        let id = child.id();
        if let Some(mut stdin) = child.stdin.take() {
            // One that reads nothing closes it early.
            let _ = stdin.write_all(input.as_bytes());
        }
        let kill = may_be_killed && self.chance.below(KILLED) == 0;
        if kill {
            let most = 1 + self.usual.as_millis() as u64 * 5 / 4;
            sleep(Duration::from_millis(self.chance.below(most)));
            // It may have ended by itself.
            let _ = child.kill();
        }
        let output = child.wait_with_output().expect("it ends");
        self.home.processes().remove(&id);
        self.ended(what, output, begun.elapsed())
    }

    fn ended(&mut self, what: &str, output: Output, took: Duration) -> Ended {
        self.home.must_not_tell(&format!("the output of {what}"), &output.stdout);
        self.home.must_not_tell(&format!("the errors of {what}"), &output.stderr);
        match output.status.code() {
            None => {
                self.tally.killed += 1;
                Ended::Killed
            }
            Some(code) => {
                self.usual = (self.usual * 7 + took) / 8;
                let out = [output.stdout, output.stderr].concat();
                Ended::With(code, String::from_utf8_lossy(&out).into_owned())
            }
        }
    }
}
