//! `kosmo`, the command.

mod cli;

fn main() {
    // Not by returning: a script's thread that does not answer any more must not hold up the end.
    std::process::exit(cli::run(std::env::args_os().collect()))
}
