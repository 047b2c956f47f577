//! Misbehaviours that want more than a limit gives.

use kosmo_plugin::{Fault, Invocation, Request};
use std::hint::black_box;
use std::time::{Duration, Instant};
use waki::bindings::wasi::clocks::monotonic_clock::subscribe_duration;
use waki::bindings::wasi::http::outgoing_handler::handle;
use waki::bindings::wasi::http::types::{Fields, Method, OutgoingRequest, Scheme};
use waki::bindings::wasi::random::random::get_random_bytes;

pub(crate) fn spin(_: &Invocation) -> Result<String, Fault> {
    let mut counter = 0u64;
    loop {
        counter = black_box(counter.wrapping_add(1));
    }
}

pub(crate) fn spin_napping(_: &Invocation) -> Result<String, Fault> {
    loop {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(4) {
            black_box(0);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub(crate) fn spin_the_host(_: &Invocation) -> Result<String, Fault> {
    loop {
        black_box(get_random_bytes(60_000));
    }
}

pub(crate) fn nap(_: &Invocation) -> Result<String, Fault> {
    (0..300).for_each(|_| std::thread::sleep(Duration::from_millis(2)));
    Ok("\"rested\"".into())
}

pub(crate) fn sleep(_: &Invocation) -> Result<String, Fault> {
    std::thread::sleep(Duration::from_secs(3600));
    Ok("{}".into())
}

pub(crate) fn hoard(_: &Invocation) -> Result<String, Fault> {
    let mut hoard = Vec::new();
    loop {
        hoard.push(black_box(vec![1u8; 1 << 20]));
    }
}

pub(crate) fn hoard_handles(_: &Invocation) -> Result<String, Fault> {
    let hoard: Vec<_> = (0..1_000_000).map(|_| Fields::new()).collect();
    Ok(hoard.len().to_string())
}

pub(crate) fn hoard_pollables(_: &Invocation) -> Result<String, Fault> {
    let hoard: Vec<_> = (0..1_000_000).map(subscribe_duration).collect();
    Ok(hoard.len().to_string())
}

pub(crate) fn long_header(_: &Invocation) -> Result<String, Fault> {
    let taken = Fields::new().append(&"x-long".into(), &vec![b'x'; 100_000]);
    Ok(format!("{{\"taken\":{}}}", taken.is_ok()))
}

pub(crate) fn many_headers(_: &Invocation) -> Result<String, Fault> {
    let fields = Fields::new();
    let taken = (0..100_000).filter(|number| fields.append(&format!("x-{number}"), &b"y".to_vec()).is_ok());
    Ok(taken.count().to_string())
}

pub(crate) fn hand_over(_: &Invocation) -> Result<String, Fault> {
    let taken = Fields::new().append(&"x-huge".into(), &vec![b'x'; 20 << 20]);
    Ok(format!("{{\"taken\":{}}}", taken.is_ok()))
}

pub(crate) fn answer_hugely(_: &Invocation) -> Result<String, Fault> {
    let mut answer = String::with_capacity(20 << 20);
    answer.push('"');
    (1..answer.capacity() - 1).for_each(|_| answer.push('x'));
    answer.push('"');
    Ok(answer)
}

pub(crate) fn answer_deeply(_: &Invocation) -> Result<String, Fault> {
    Ok("[".repeat(100_000) + &"]".repeat(100_000))
}

pub(crate) fn gamble(_: &Invocation) -> Result<String, Fault> {
    Ok(get_random_bytes(1 << 20).len().to_string())
}

pub(crate) fn flood(invocation: &Invocation) -> Result<String, Fault> {
    let url = format!("{}/allowed/flood", invocation.base_url());
    (0..100_000).try_for_each(|_| Request::get(&url).send().map(drop))?;
    Ok("{}".into())
}

fn fetch(invocation: &Invocation, path: &str) -> Result<String, Fault> {
    let answer = Request::get(format!("{}{path}", invocation.base_url())).send()?.text(|_| None)?;
    Ok(answer.len().to_string())
}

pub(crate) fn send_hugely(invocation: &Invocation) -> Result<String, Fault> {
    let url = format!("{}/allowed/sink", invocation.base_url());
    Request::post(url).json(&"x".repeat(11 << 20).into()).send()?.success(|_| None)
}

pub(crate) fn fetch_hugely(invocation: &Invocation) -> Result<String, Fault> {
    fetch(invocation, "/allowed/large/2000000")
}

pub(crate) fn fetch_nothing(invocation: &Invocation) -> Result<String, Fault> {
    fetch(invocation, "/allowed/hang")
}

pub(crate) fn fetch_slowly(invocation: &Invocation) -> Result<String, Fault> {
    fetch(invocation, "/allowed/drip")
}

/// The request goes out when its body has ended, and this one's does not.
pub(crate) fn send_forever(invocation: &Invocation) -> Result<String, Fault> {
    let failed = |_| Fault::Internal("the request cannot be made".into());
    let authority = invocation.base_url().trim_start_matches("http://");
    let request = OutgoingRequest::new(Fields::new());
    request.set_method(&Method::Post).map_err(failed)?;
    request.set_scheme(Some(&Scheme::Http)).map_err(failed)?;
    request.set_authority(Some(authority)).map_err(failed)?;
    request.set_path_with_query(Some("/allowed/sink")).map_err(failed)?;
    let body = request.body().map_err(failed)?;
    let response = handle(request, None).map_err(|error| Fault::Unreachable(error.to_string()))?;
    response.subscribe().block();
    drop(body);
    Ok("{}".into())
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "it is what this function is for")]
pub(crate) fn chatter(_: &Invocation) -> Result<String, Fault> {
    for _ in 0..5_000 {
        println!("{}", "out".repeat(350));
        eprintln!("{}", "err".repeat(350));
    }
    Ok("\"said\"".into())
}

#[expect(clippy::panic, reason = "it is what this function is for")]
pub(crate) fn crash(_: &Invocation) -> Result<String, Fault> {
    panic!("on purpose")
}

pub(crate) fn recurse(_: &Invocation) -> Result<String, Fault> {
    fn deeper(depth: u64) -> u64 {
        black_box([depth; 64])[0] + black_box(deeper as fn(u64) -> u64)(depth + 1)
    }
    Ok(deeper(0).to_string())
}

#[expect(clippy::exit, reason = "it is what this function is for")]
pub(crate) fn exit(_: &Invocation) -> Result<String, Fault> {
    std::process::exit(0)
}
