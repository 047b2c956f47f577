//! `cargo xtask bench`: what an invocation costs, as ratios taken side by side in one run.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kosmo::{Config, Host, HostBuilder, Invocation, Script, Session};
use kosmo_tests::{Echo, Scenario};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Requests of one sample; the median of the samples is what counts.
const BATCH: u32 = 200;
const SAMPLES: usize = 15;
const CONCURRENT: usize = 32;
const STARTS: usize = 31;

fn main() {
    println!("Ratios from one run, each pair taken side by side; medians of {SAMPLES} samples.\n");
    sequential(&Echo::sleepless());
    concurrent(&Echo::generous());
    start();
}

fn builder(echo: &Echo) -> HostBuilder {
    let config = format!("[accounts.dialpad.default]\nurl = \"{}\"\naccess_token = \"bench\"\n", echo.url());
    let config = Config::parse(&config, Path::new("bench")).expect("a configuration");
    Host::builder().plugins(kosmo_tests::plugins()).config(config)
}

fn host(echo: &Echo) -> Host {
    builder(echo).build().expect("a host")
}

fn bare() -> Client<HttpConnector, Full<Bytes>> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(connector)
}

async fn get(client: &Client<HttpConnector, Full<Bytes>>, url: &str) {
    let request = http::Request::get(url).header("authorization", "Bearer bench").body(Full::default());
    let response = client.request(request.expect("a request")).await.expect("an answer");
    response.into_body().collect().await.expect("a body");
}

/// (a) One invocation from Lua in a fresh sandbox, against the same request on a pooled client in the same process:
/// without a home, and with one, where the audit log is in files.
fn sequential(echo: &Echo) {
    let home = tempfile::tempdir().expect("a folder");
    let (bare_host, housed) = (host(echo), builder(echo).home(home.path()).build().expect("a host"));
    let sessions = [bare_host, housed].map(|host| host.session().build());
    sessions.iter().for_each(|session| run(session, 50));

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (client, url) = (bare(), format!("{}/api/v2/users/user_abc123", echo.url()));
    let requests = async || {
        for _ in 0..BATCH {
            get(&client, &url).await;
        }
    };
    let (mut lua, mut audited, mut plain) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        lua.push(timed(|| run(&sessions[0], BATCH)) / BATCH);
        audited.push(timed(|| run(&sessions[1], BATCH)) / BATCH);
        plain.push(timed(|| runtime.block_on(requests())) / BATCH);
    }
    let plain = median(plain);
    report("(a) one invocation from Lua, fresh sandbox", median(lua), "the bare request", plain);
    report("    the same, and the audit log in files", median(audited), "the bare request", plain);
}

/// So many invocations, one after the other.
fn run(session: &Session, times: u32) {
    let code = format!("for _ = 1, {times} do app.integrations.dialpad.get_user({{ id = 'user_abc123' }}) end");
    let outcome = session.run_blocking(Script::new("bench.lua", code));
    assert!(outcome.success, "{:?}", outcome.error);
}

/// (b) Throughput of concurrent invocations against the bare client's.
fn concurrent(echo: &Echo) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let host = {
        let _inside = runtime.enter();
        host(echo)
    };
    let (client, url) = (bare(), format!("{}/api/v2/users/user_abc123", echo.url()));
    let (mut ours, mut plain) = (Vec::new(), Vec::new());
    for sample in 0..=SAMPLES {
        let invoke = timed(|| {
            runtime.block_on(all(|| {
                let host = host.clone();
                async move { invoke(&host).await }
            }))
        });
        let bare = timed(|| {
            runtime.block_on(all(|| {
                let (client, url) = (client.clone(), url.clone());
                async move { get(&client, &url).await }
            }))
        });
        // The first round opens connections and compiles the plugin.
        if sample > 0 {
            ours.push(invoke / BATCH);
            plain.push(bare / BATCH);
        }
    }
    report("(b) per invocation, 32 at once", median(ours), "per bare request, 32 at once", median(plain));
}

async fn invoke(host: &Host) {
    let arguments = serde_json::json!({ "id": "user_abc123" }).as_object().cloned().unwrap_or_default();
    host.invoke(Invocation::new("dialpad", "get_user", arguments)).await.expect("an answer");
}

/// `BATCH` pieces of work by `CONCURRENT` tasks.
async fn all<F>(work: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut tasks = tokio::task::JoinSet::new();
    for turn in 0..BATCH {
        tasks.spawn(work());
        if turn as usize >= CONCURRENT {
            tasks.join_next().await.expect("a task").expect("no panic");
        }
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no panic");
    }
}

/// (c) From process start to exit.
fn start() {
    let scenario = Scenario::new();
    let start =
        |command: &mut Command| command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("it starts");
    if Command::new("lua5.4").args(["-e", ""]).status().is_err() {
        println!("(c) needs lua5.4 on PATH (Debian: apt-get install lua5.4)");
        return;
    }
    let (mut ours, mut lua) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let mut kosmo = scenario.command();
        ours.push(timed(|| assert!(start(kosmo.args(["integrations:lua", "--eval", "return 1"])).success())));
        lua.push(timed(|| assert!(start(Command::new("lua5.4").args(["-e", ""])).success())));
    }
    report("(c) kosmo integrations:lua --eval 'return 1'", median(ours), "lua5.4 -e ''", median(lua));
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(mut samples: Vec<Duration>) -> Duration {
    samples.sort();
    samples[samples.len() / 2]
}

fn report(what: &str, ours: Duration, other: &str, theirs: Duration) {
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    println!("{what}: {:.1} µs ÷ {other}: {:.1} µs = {ratio:.2}", micros(ours), micros(theirs));
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
