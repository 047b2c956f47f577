//! Showing a person a page of the web.

use std::env;
use std::process::{Command, Stdio};

/// What opens pages here, and what it takes before the address.
#[cfg(target_os = "macos")]
const OPENER: &[&str] = &["open"];
#[cfg(windows)]
const OPENER: &[&str] = &["rundll32", "url.dll,FileProtocolHandler"];
#[cfg(not(any(target_os = "macos", windows)))]
const OPENER: &[&str] = &["xdg-open"];

/// Where there is a desktop, one of these is set.
const DESKTOP: [&str; 4] = ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "BROWSER"];

/// Has the browser show it, if there is one. No shell reads the address. Whether it opened is seen by whoever waits for it.
pub(super) fn open(url: &str) {
    let is_desktop = DESKTOP.iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()));
    if cfg!(any(target_os = "macos", windows)) || is_desktop {
        let mut command = Command::new(OPENER[0]);
        command.args(&OPENER[1..]).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Ok(mut child) = command.spawn() {
            std::thread::spawn(move || child.wait());
        }
    }
}
