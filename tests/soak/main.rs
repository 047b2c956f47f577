//! Several processes at one home at once, some of them killed: nothing that was confirmed is lost, nothing is sent twice,
//! nothing secret is ever readable, and the store stays whole.
//!
//! `cargo xtask soak --only processes` runs it. It prints its figures and ends with 1 if anything broke.

mod chance;
mod home;
mod known;
mod worker;

use chance::Chance;
use home::Home;
use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use worker::{Tally, Worker};

const WORKERS: usize = 8;
/// How often all files are looked through while processes write them.
const LOOK: Duration = Duration::from_secs(5);

fn main() {
    let (time, seed) = (Duration::from_secs(argument("--seconds", 60)), argument("--seed", std::process::id().into()));
    println!("processes: {WORKERS} at once for {} s, seed {seed}", time.as_secs());
    let home = Home::new();
    let tally = run(&home, time, seed);
    println!("{}", tally.figures());
    println!("{}", home.figures());
    let broken = [tally.broken, home.broken()].concat();
    broken.iter().for_each(|problem| println!("BROKEN: {problem}"));
    exit(i32::from(!broken.is_empty()));
}

/// Works until the time is up, and checks then that everything is as it must be.
fn run(home: &Home, time: Duration, seed: u64) -> Tally {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| home.watch_processes(&over));
        scope.spawn(|| home.watch_files(&over, LOOK));
        let until = Instant::now() + time;
        let worker = |number| Worker::new(home, number, Chance::new(seed.wrapping_add(number as u64)));
        let workers: Vec<_> = (0..WORKERS).map(|number| scope.spawn(move || worker(number).work(until))).collect();
        let tallies = workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| Tally::panicked()));
        let tally = tallies.fold(Tally::default(), Tally::and);
        over.store(true, Ordering::Relaxed);
        tally
    })
}

/// The number behind a flag.
fn argument(flag: &str, otherwise: u64) -> u64 {
    let words: Vec<_> = std::env::args().collect();
    let value = words.iter().position(|word| word == flag).and_then(|at| words.get(at + 1));
    value.map_or(otherwise, |value| value.parse().unwrap_or_else(|_| panic!("{flag} takes a number, not `{value}`")))
}
