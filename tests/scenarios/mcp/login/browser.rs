//! The browser: how it is sent away, and what is heard of what comes back to the page on 127.0.0.1.

use super::{Authority, Login, browse, check_in, scenario};
use kosmo_tests::{Terminal, get};
use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

#[test]
fn the_browser_is_shown_the_page_by_a_program_and_no_shell() {
    let authority = Authority::start();
    let scenario = scenario(&authority);
    let (bin, seen) = (scenario.home().join("bin"), scenario.home().join("seen"));
    fs::create_dir(&bin).expect("a folder");
    let opener = bin.join("xdg-open");
    fs::write(&opener, format!("#!/bin/sh\nprintf '%s\\n' \"$#\" \"$1\" > {}\n", seen.display())).expect("a script");
    fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)).expect("a program");
    let path = bin.to_str().expect("UTF-8");
    let environment = [("DISPLAY", ":0"), ("PATH", path)];
    let mut terminal = Terminal::start_in(&scenario, &["mcp:login", "s"], &environment);
    terminal.wait_for("open this page in a browser");
    terminal.wait_for("scope=");
    let told = loop {
        match fs::read_to_string(&seen) {
            Ok(told) if told.ends_with('\n') => break told,
            _ => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    let (count, url) = told.split_once('\n').expect("two lines");
    assert_eq!(count, "1");
    browse(url.trim_end());
    terminal.wait_for("Signed in at s by http://");
}

#[test]
fn only_the_browser_of_this_sign_in_is_heard() {
    let authority = Authority::start();
    let scenario = scenario(&authority);
    let login = Login::start(&scenario, &[], None);
    let (callback, state) = (login.callback(), login.asked("state"));
    let elsewhere = callback.replace("/callback", "/");
    for (url, status) in [
        (format!("{callback}?code=stolen&state=guessed"), "400"),
        (format!("{callback}?code=stolen"), "400"),
        (format!("{callback}?state={state}"), "400"),
        (format!("{callback}?code=a&code=b&state={state}"), "400"),
        (format!("{elsewhere}?code=stolen&state={state}"), "404"),
        (format!("{elsewhere}favicon.ico"), "404"),
    ] {
        let page = get(&url);
        assert!(page.starts_with(&format!("HTTP/1.1 {status}")), "{url}: {page}");
    }
    assert!(!get(&format!("{callback}?{}", "x".repeat(20_000))).contains("200 OK"));
    // A browser that connects ahead of time and says nothing keeps nobody waiting.
    let port = callback.trim_start_matches("http://").split('/').next().expect("an address").to_owned();
    let _silent = TcpStream::connect(&port).expect("a listener");
    browse(&login.url);
    assert_eq!(login.end().code, 0);
    assert!(TcpStream::connect(&port).is_err(), "nobody listens any more");
    check_in(&scenario);
}

#[test]
fn a_connection_that_came_first_is_heard_when_it_speaks() {
    let authority = Authority::start();
    let scenario = scenario(&authority);
    let login = Login::start(&scenario, &[], None);
    let sent = get(&login.url);
    let location = sent.lines().find_map(|line| line.strip_prefix("Location: http://")).expect("a redirection");
    let (address, path) = location.split_once('/').expect("a path");
    let connect = || TcpStream::connect(address).expect("a listener");
    let mut first = connect();
    drop(connect());
    std::thread::sleep(Duration::from_millis(200));
    write!(first, "GET /{path} HTTP/1.1\r\nHost: {address}\r\n\r\n").expect("a request");
    assert_eq!(login.end().code, 0);
}

#[test]
fn whoever_says_no_in_the_browser_is_told_so_here() {
    let authority = Authority::start();
    let scenario = scenario(&authority);
    let login = Login::start(&scenario, &[], None);
    get(&format!("{}?error=access_denied&error_description=not+you&state={}", login.callback(), login.asked("state")));
    let ran = login.end();
    assert!(ran.code == 4 && ran.stderr.contains("says no: access_denied: not you"), "{ran:?}");
}
