//! Two hundred clients of one server at once, while its plugins are replaced: no error that is not the provider's own,
//! memory that stays within bounds, and the same for everybody.
//!
//! `cargo xtask soak --only clients` runs it. It prints its figures and ends with 1 if anything broke.

use kosmo_tests::{Conversation, Scenario, Web, plugins};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::exit;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

const CLIENTS: usize = 200;
/// Clients share tokens, as agents of one person do.
const TOKENS: usize = 20;
const ACCOUNTS: [&str; 3] = ["default", "work", "support"];
/// How often a plugin is replaced.
const SWAP: Duration = Duration::from_secs(5);
/// How long sessions, connections and plugins take to be what they stay.
const WARM: Duration = Duration::from_secs(10);
/// Bytes by which the server may have grown since then.
const GROWTH: u64 = 64 << 20;
/// The least of the mean that a client gets.
const LEAST: f64 = 0.5;

/// What one client came to.
#[derive(Default)]
struct Tally {
    took: Vec<Duration>,
    errors: Vec<String>,
}

fn main() {
    let time = Duration::from_secs(argument("--seconds", 60));
    let scenario = Scenario::empty();
    scenario.configure("");
    let folder = scenario.home().join("plugins");
    fs::create_dir(&folder).expect("a folder");
    fs::copy(plugins().join("dialpad.wasm"), folder.join("dialpad.wasm")).expect("a writable home");
    let tokens: Vec<_> = (0..TOKENS).map(|number| token(&scenario, &format!("client-{number}"))).collect();
    let server = Web::with_tokens(&scenario, &["--rate", "1000"]);
    println!("clients: {CLIENTS} with {TOKENS} tokens for {} s", time.as_secs());
    let (over, swaps) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (tallies, sizes) = thread::scope(|scope| {
        scope.spawn(|| swap(&folder, &over, &swaps));
        let until = Instant::now() + time;
        let start = |number: usize| {
            let (token, address) = (&tokens[number % TOKENS], server.address);
            scope.spawn(move || attend(address, token, number, until))
        };
        let clients: Vec<_> = (0..CLIENTS).map(start).collect();
        sleep(WARM.min(time / 2));
        let begun = size(server.id());
        let tallies: Vec<_> = clients.into_iter().map(|client| client.join().unwrap_or_default()).collect();
        over.store(true, Ordering::Relaxed);
        (tallies, (begun, size(server.id())))
    });
    let reloads = server.metric("kosmo_reloads_total{outcome=\"ok\"}").unwrap_or_default();
    // An exit drops nothing, and would leave the server behind.
    drop(server);
    exit(report(&tallies, sizes, swaps.load(Ordering::Relaxed), reloads));
}

/// One client's life: a session, and scripts one after the other.
fn attend(address: SocketAddr, token: &str, number: usize, until: Instant) -> Tally {
    let mut tally = Tally::default();
    let account = ACCOUNTS[number % ACCOUNTS.len()];
    let code = format!(
        "local users = app.integrations.dialpad.{account}.list_users({{limit = 5}}).items
         local names = {{}}
         for _, user in ipairs(users) do table.insert(names, user.display_name) end
         return #names, json.encode(names)"
    );
    let mut session = match Conversation::begin(address, Some(token)) {
        Ok(session) => session,
        Err(reply) => {
            tally.errors.push(format!("no session: {} {}", reply.status, reply.body));
            return tally;
        }
    };
    while Instant::now() < until {
        let begun = Instant::now();
        match run(&mut session, &code) {
            Ok(()) => tally.took.push(begun.elapsed()),
            Err(error) => tally.errors.push(error),
        }
    }
    tally
}

fn run(session: &mut Conversation, code: &str) -> Result<(), String> {
    let params = serde_json::json!({"name": "run_lua", "arguments": {"code": code}});
    let reply = session.try_call("tools/call", params);
    let answer = reply.messages().into_iter().find(|message| message["id"] == session.last());
    let Some(answer) = answer else { return Err(format!("{} {}", reply.status, reply.body)) };
    match answer["result"]["structuredContent"]["success"].as_bool() {
        Some(true) => Ok(()),
        _ => Err(answer.to_string()),
    }
}

/// Replaces the plugin that everybody uses by itself with another digest, again and again.
fn swap(folder: &Path, over: &AtomicBool, swaps: &AtomicUsize) {
    let plugin = fs::read(plugins().join("dialpad.wasm")).expect("`cargo xtask soak` builds the plugins");
    while !over.load(Ordering::Relaxed) {
        sleep(SWAP);
        let number = swaps.fetch_add(1, Ordering::Relaxed);
        // A section that says nothing: to the engine, it is another component.
        let name = [b'a' + u8::try_from(number % 26).unwrap_or_default()];
        let beside = folder.join("dialpad.new");
        let written = fs::write(&beside, [&plugin[..], &[0, 2, 1], &name].concat());
        written.and_then(|()| fs::rename(&beside, folder.join("dialpad.wasm"))).expect("a writable home");
    }
}

/// Prints the figures, and gives the exit code.
fn report(tallies: &[Tally], (begun, ended): (u64, u64), swaps: usize, reloads: f64) -> i32 {
    let mut took: Vec<_> = tallies.iter().flat_map(|tally| tally.took.iter().copied()).collect();
    took.sort_unstable();
    let at = |part: f64| took.get((took.len() as f64 * part) as usize).copied().unwrap_or_default().as_secs_f64();
    let counts: Vec<_> = tallies.iter().map(|tally| tally.took.len()).collect();
    let (least, most) = (counts.iter().min().copied().unwrap_or(0), counts.iter().max().copied().unwrap_or(0));
    let mean = took.len() as f64 / CLIENTS as f64;
    println!("scripts: {} in all, {mean:.1} of each client in the mean, {least} at least, {most} at most", took.len());
    println!("time: p50 {:.3} s, p99 {:.3} s", at(0.5), at(0.99));
    println!("memory: {} MiB warm, {} MiB at the end; {swaps} swaps, {reloads} taken up", begun >> 20, ended >> 20);
    let errors: Vec<_> = tallies.iter().flat_map(|tally| &tally.errors).collect();
    println!("errors: {}", errors.len());
    let mut broken: Vec<String> = errors.iter().take(5).map(|error| (*error).clone()).collect();
    if ended > begun + GROWTH {
        broken.push(format!("the server grew by {} MiB", (ended - begun) >> 20));
    }
    if (least as f64) < LEAST * mean {
        broken.push(format!("a client got {least} of {mean:.1}"));
    }
    broken.iter().for_each(|problem| println!("BROKEN: {problem}"));
    i32::from(!broken.is_empty())
}

fn token(scenario: &Scenario, name: &str) -> String {
    let ran = scenario.kosmo(&["mcp:token:add", name]);
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.stdout.trim().to_owned()
}

/// Bytes of memory a process has.
fn size(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() << 10
}

/// The number behind a flag.
fn argument(flag: &str, otherwise: u64) -> u64 {
    let words: Vec<_> = std::env::args().collect();
    let value = words.iter().position(|word| word == flag).and_then(|at| words.get(at + 1));
    value.map_or(otherwise, |value| value.parse().unwrap_or_else(|_| panic!("{flag} takes a number, not `{value}`")))
}
