//! What scenarios are made of: a host with real components, a home of its own, and something to talk to on loopback.
//!
//! Loopback is reached through the accounts' own URLs, as an operator would write them; there is no switch that
//! loosens anything.

mod authority;
mod breaker;
mod echo;
mod glob;
mod golden;
mod mcp;
mod scenario;
mod server;
mod settle;
mod shape;
mod terminal;

pub use authority::{Authority, Knobs, browse, get};
pub use breaker::{Break, Breaker, Manner};
pub use echo::{Echo, Received};
pub use glob::matches;
pub use golden::{Transcript, compare, compare_file};
pub use mcp::{Conversation, Pipes, Reply, Web};
pub use scenario::{Ran, Scenario};
pub use server::{Deed, Server};
pub use shape::Shape;
pub use terminal::Terminal;

use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// The folder with the built plugins.
pub fn plugins() -> PathBuf {
    built("KOSMO_TEST_PLUGINS", "plugins")
}

/// The folder with the built misbehaving guests.
pub fn guests() -> PathBuf {
    built("KOSMO_TEST_GUESTS", "plugins-test")
}

/// The folder with the built example plugins.
pub fn examples() -> PathBuf {
    built("KOSMO_TEST_EXAMPLES", "plugins-examples")
}

/// A folder for compiled components that all scenarios share: compiling the same plugins for each would take minutes.
pub fn cache() -> PathBuf {
    let folder = target().join("tests-cache");
    std::fs::create_dir_all(&folder).expect("a writable target folder");
    folder
}

/// What `accept` takes: the SHA-256 of a component, in hexadecimal.
pub fn digest(component: &[u8]) -> String {
    Sha256::digest(component).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of the probe, a plugin that misbehaves on demand.
pub fn probe() -> Vec<u8> {
    std::fs::read(guests().join("probe.wasm")).expect("`cargo xtask test` builds the probe")
}

/// The probe again, as its next revision: code and description say so.
pub fn probe_revision_two() -> Vec<u8> {
    let (one, two) = (b"revision-one", b"revision-two");
    let mut bytes = probe();
    let places: Vec<_> = bytes.windows(one.len()).enumerate().filter(|(_, w)| w == one).map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "the probe carries its revision");
    for at in places {
        bytes[at..at + two.len()].copy_from_slice(two);
    }
    bytes
}

fn built(variable: &str, folder: &str) -> PathBuf {
    let folder = std::env::var_os(variable).map_or_else(|| target().join(folder), PathBuf::from);
    assert!(folder.is_dir(), "{} is missing: run `cargo xtask test`, which builds it", folder.display());
    folder
}

/// The workspace's target folder, above which this test binary lies.
fn target() -> PathBuf {
    let binary = std::env::current_exe().expect("a test knows where it is");
    let target = binary.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists());
    target.map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), Path::to_path_buf)
}
