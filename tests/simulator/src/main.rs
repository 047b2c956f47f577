//! Serves the simulator until its standard input closes.

use std::io::Read;
use std::process::ExitCode;

use kosmo_simulator::{ACCOUNTS, Ports, Simulator};
use serde_json::{Map, Value, json};

const HELP: &str = "\
Serves stand-ins for the Dialpad and RingCentral APIs on 127.0.0.1 until its standard input closes.

Usage: kosmo-simulator [--dialpad-port N] [--ringcentral-port N] [--exports-port N]

Prints one JSON line when it is ready: the three origins and the token of each account. A port that is not given
is chosen by the system. With KOSMO_RECORD=FOLDER in the environment every exchange is appended to a file there.";

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)) {
        Ok(Some(ports)) => serve(ports),
        Ok(None) => {
            println!("{HELP}");
            ExitCode::SUCCESS
        }
        Err(problem) => fail(2, &format!("{problem}\n\n{HELP}")),
    }
}

/// `None` asks for help.
fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Ports>, String> {
    let mut ports = Ports::default();
    while let Some(argument) = arguments.next() {
        let port = match argument.as_str() {
            "-h" | "--help" => return Ok(None),
            "--dialpad-port" => &mut ports.dialpad,
            "--ringcentral-port" => &mut ports.ringcentral,
            "--exports-port" => &mut ports.exports,
            other => return Err(format!("unknown argument {other}")),
        };
        let value = arguments.next().ok_or_else(|| format!("{argument} needs a port, such as {argument} 8801"))?;
        *port = value.parse().map_err(|_| format!("{argument} {value}: a port is a number from 0 to 65535"))?;
    }
    Ok(Some(ports))
}

fn serve(ports: Ports) -> ExitCode {
    let simulator = match Simulator::on(ports) {
        Ok(simulator) => simulator,
        Err(error) => return fail(1, &format!("cannot start: {error}; choose other ports, or none")),
    };
    println!("{}", ready(&simulator));
    // Ends at end of file, and at an error, which means the same: whoever started it is gone.
    let _ = std::io::copy(&mut std::io::stdin().by_ref(), &mut std::io::sink());
    ExitCode::SUCCESS
}

fn ready(simulator: &Simulator) -> Value {
    json!({
        "dialpad": simulator.dialpad_url(),
        "ringcentral": simulator.ringcentral_url(),
        "exports": simulator.exports_url(),
        "tokens": {"dialpad": tokens("dialpad"), "ringcentral": tokens("ringcentral")},
    })
}

fn tokens(provider: &str) -> Map<String, Value> {
    ACCOUNTS
        .map(|account| (account.to_owned(), Value::String(Simulator::token(provider, account))))
        .into_iter()
        .collect()
}

fn fail(code: u8, problem: &str) -> ExitCode {
    eprintln!("kosmo-simulator: {problem}");
    ExitCode::from(code)
}
