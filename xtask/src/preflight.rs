//! What a build needs and cargo would miss only after minutes of compiling.

use crate::failure::{Failure, Result};
use std::env;
use std::process::{Command, Stdio};

struct Compiler {
    variable: &'static str,
    program: &'static str,
    package: &'static str,
    needed_for: &'static str,
}

const COMPILERS: [Compiler; 2] = [
    Compiler {
        variable: "CC",
        program: "cc",
        package: "gcc",
        needed_for: "linking, and the C parts of the TLS library",
    },
    Compiler { variable: "CXX", program: "c++", package: "g++", needed_for: "Luau, the Lua machine" },
];

/// Checks that both compilers are here.
///
/// # Errors
/// Names every missing one, what needs it, and the command that installs it.
pub(crate) fn check() -> Result<()> {
    let missing = COMPILERS.iter().filter(|compiler| !compiler.runs()).collect::<Vec<_>>();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(Failure::unusable(advice(&missing))),
    }
}

impl Compiler {
    fn runs(&self) -> bool {
        let named = env::var(self.variable).unwrap_or_default();
        // "ccache gcc" is how such a variable may be set, too.
        let mut version = Command::new(named.split_whitespace().next().unwrap_or(self.program));
        version.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        version.status().is_ok_and(|status| status.success())
    }
}

fn advice(missing: &[&Compiler]) -> String {
    let mut text = String::from("something to compile with is missing:\n");
    for compiler in missing {
        text +=
            &format!("  {}  ({}; or name another in {})\n", compiler.package, compiler.needed_for, compiler.variable);
    }
    let packages = missing.iter().map(|compiler| compiler.package).collect::<Vec<_>>().join(" ");
    text + &format!("Debian and Ubuntu: sudo apt-get install --yes {packages} libc6-dev\nmacOS: xcode-select --install")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_names_each_missing_compiler_and_the_command() {
        let text = advice(&[&COMPILERS[1]]);
        assert!(text.contains("g++  (Luau, the Lua machine; or name another in CXX)"), "{text}");
        assert!(text.contains("sudo apt-get install --yes g++ libc6-dev"), "{text}");
    }
}
