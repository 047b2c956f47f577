//! The command line of `cargo xtask`.

use crate::failure::{Failure, Result};
use std::path::PathBuf;

/// What was asked for.
#[derive(Debug, PartialEq)]
pub(crate) enum Task {
    Help,
    Demo { hostile: bool },
    Play,
    Install { root: Option<PathBuf> },
    Plugins,
    Test { passed_on: Vec<String> },
    Conform,
    Soak { only: Option<Part>, minutes: Option<f64> },
    Clippy,
    Bench,
}

/// What there is to be soaked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Part {
    /// Properties that must hold for any input.
    Properties,
    /// Several processes at one home.
    Processes,
    /// Many clients of one server.
    Clients,
}

const NAMES: &str = "demo, play, install, plugins, test, clippy, conform, soak, bench";

impl Task {
    /// Reads the arguments after `cargo xtask`.
    ///
    /// # Errors
    /// Names the task or option that is not known, and the ones that are.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self> {
        let Some((name, options)) = arguments.split_first() else {
            return Ok(Self::Help);
        };
        match name.as_str() {
            "help" | "--help" | "-h" => Ok(Self::Help),
            _ if asks_for_help(options) => Ok(Self::Help),
            "demo" => demo(options),
            "play" => without_options(name, options, Self::Play),
            "install" => install(options),
            "plugins" => without_options(name, options, Self::Plugins),
            "test" => test(options),
            "conform" => without_options(name, options, Self::Conform),
            "clippy" => without_options(name, options, Self::Clippy),
            "soak" => soak(options),
            "bench" => without_options(name, options, Self::Bench),
            unknown => {
                Err(Failure::unusable(format!("no task `{unknown}`; the tasks are {NAMES}, see `cargo xtask --help`")))
            }
        }
    }
}

fn asks_for_help(options: &[String]) -> bool {
    let own = options.iter().take_while(|option| *option != "--");
    own.into_iter().any(|option| option == "--help" || option == "-h")
}

fn without_options(name: &str, options: &[String], task: Task) -> Result<Task> {
    match options.first() {
        None => Ok(task),
        Some(option) => Err(Failure::unusable(format!("`{name}` takes no `{option}`; usage: cargo xtask {name}"))),
    }
}

fn demo(options: &[String]) -> Result<Task> {
    match options {
        [] => Ok(Task::Demo { hostile: false }),
        [one] if one == "--hostile" => Ok(Task::Demo { hostile: true }),
        _ => Err(Failure::unusable(format!(
            "`demo` does not understand `{}`; usage: cargo xtask demo [--hostile]",
            options.join(" ")
        ))),
    }
}

fn install(options: &[String]) -> Result<Task> {
    match options {
        [] => Ok(Task::Install { root: None }),
        [flag, root] if flag == "--root" => Ok(Task::Install { root: Some(root.into()) }),
        [one] if one.starts_with("--root=") => Ok(Task::Install { root: Some(one["--root=".len()..].into()) }),
        _ => Err(Failure::unusable(format!(
            "`install` does not understand `{}`; usage: cargo xtask install [--root DIR]",
            options.join(" ")
        ))),
    }
}

fn test(options: &[String]) -> Result<Task> {
    match options.split_first() {
        None => Ok(Task::Test { passed_on: Vec::new() }),
        Some((dashes, passed_on)) if dashes == "--" => Ok(Task::Test { passed_on: passed_on.to_vec() }),
        Some((option, _)) => Err(Failure::unusable(format!(
            "`test` takes no `{option}`; usage: cargo xtask test [-- ARGS FOR CARGO TEST]"
        ))),
    }
}

fn soak(options: &[String]) -> Result<Task> {
    let refused = || {
        Failure::unusable(format!(
            "`soak` does not understand `{}`; usage: cargo xtask soak [--only properties|processes|clients] [--minutes N]",
            options.join(" ")
        ))
    };
    let (mut only, mut minutes) = (None, None);
    let mut words = options.iter().flat_map(|word| word.split('='));
    while let Some(flag) = words.next() {
        match (flag, words.next()) {
            ("--only", Some("properties")) => only = Some(Part::Properties),
            ("--only", Some("processes")) => only = Some(Part::Processes),
            ("--only", Some("clients")) => only = Some(Part::Clients),
            ("--minutes", Some(number)) => minutes = Some(bearable(number).ok_or_else(refused)?),
            _ => return Err(refused()),
        }
    }
    Ok(Task::Soak { only, minutes })
}

fn bearable(minutes: &str) -> Option<f64> {
    minutes.parse().ok().filter(|minutes| (0.0..=10_000.0).contains(minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Task> {
        Task::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[track_caller]
    fn understood(line: &str, expected: Task) {
        assert_eq!(parse(line).expect("a line that is understood"), expected);
    }

    #[track_caller]
    fn refused(line: &str, naming: &str) {
        let failure = parse(line).expect_err("a line that is refused");
        assert!(failure.to_string().contains(naming), "{failure}");
        assert_eq!(failure.exit_code(), 2);
    }

    #[test]
    fn every_task_is_known_by_its_name() {
        understood("", Task::Help);
        understood("demo --help", Task::Help);
        understood("demo", Task::Demo { hostile: false });
        understood("demo --hostile", Task::Demo { hostile: true });
        understood("install --root /opt/kosmo", Task::Install { root: Some("/opt/kosmo".into()) });
        understood("install --root=/opt/kosmo", Task::Install { root: Some("/opt/kosmo".into()) });
        understood("soak", Task::Soak { only: None, minutes: None });
        understood("soak --minutes=0.5", Task::Soak { only: None, minutes: Some(0.5) });
        let processes = Task::Soak { only: Some(Part::Processes), minutes: Some(1.0) };
        understood("soak --only processes --minutes 1", processes);
        understood("soak --only clients", Task::Soak { only: Some(Part::Clients), minutes: None });
        understood("test -- paging --help", Task::Test { passed_on: vec!["paging".into(), "--help".into()] });
    }

    #[test]
    fn what_is_not_known_is_refused_with_the_usage() {
        refused("dance", "the tasks are demo");
        refused("demo --friendly", "usage: cargo xtask demo [--hostile]");
        refused("install --prefix /opt", "usage: cargo xtask install [--root DIR]");
        refused("soak --minutes=-1", "usage: cargo xtask soak [--only properties|processes|clients] [--minutes N]");
        refused("soak --only rain", "usage: cargo xtask soak [--only");
        refused("test paging", "usage: cargo xtask test [-- ARGS");
    }
}
