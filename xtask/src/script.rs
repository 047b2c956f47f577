//! Running `kosmo` for somebody to watch.

use crate::failure::Result;
use crate::home::Home;
use crate::process;
use crate::workspace::Workspace;
use std::process::Command;

/// Prints a command as it would be typed, then runs it.
///
/// # Errors
/// When it cannot be started or fails.
pub(crate) fn show(workspace: &Workspace, home: &Home, arguments: &[&str]) -> Result<()> {
    println!("$ {}", typed(arguments));
    let mut kosmo = Command::new(workspace.binaries().join("kosmo"));
    kosmo.args(arguments).current_dir(workspace.source(""));
    home.apply(&mut kosmo);
    process::run(&mut kosmo, "the command above")?;
    println!();
    Ok(())
}

fn typed(arguments: &[&str]) -> String {
    let quoted = arguments.iter().map(|argument| match argument.contains([' ', '(', '"', '\'']) {
        true => format!("'{}'", argument.replace('\'', r"'\''")),
        false => (*argument).to_owned(),
    });
    format!("kosmo {}", quoted.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_pasted() {
        assert_eq!(typed(&["integrations:lua", "demo.lua", "--json"]), "kosmo integrations:lua demo.lua --json");
        assert_eq!(typed(&["--eval", "print('hi')"]), r"kosmo --eval 'print('\''hi'\'')'");
    }
}
