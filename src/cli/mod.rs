//! The command line: arguments, a call, output. One subcommand a file.

mod analyze;
mod args;
mod check;
#[cfg(unix)]
mod deadman;
#[cfg(unix)]
mod drill;
mod exit;
mod list;
mod message;
mod plan;
mod report;
mod resume;
mod run;
mod schema;
mod scpi;
mod shell;
#[cfg(unix)]
mod signals_unix;
mod sim;
mod status;
mod watch;

use std::process::ExitCode;

use clap::Parser;

pub use exit::Exit;

use args::{Cli, Command};
use message::{print_error, tell_error};

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are results; anything else is usage.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            let _ = error.print();
            return exit.into();
        }
    };
    let wants_json = cli.command.wants_json();
    let outcome = match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Resume(args) => resume::run(&args),
        Command::Status(args) => status::run(&args),
        Command::Watch(args) => watch::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Sim(args) => sim::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Analyze(args) => analyze::run(&args),
        Command::List(args) => list::run(&args),
        Command::Scpi(args) => scpi::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Completions(args) => shell::completions(&args),
        Command::Man => shell::manual(),
        #[cfg(unix)]
        Command::Deadman(args) => deadman::run(&args),
        #[cfg(unix)]
        Command::Drill(args) => drill::run(&args),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => {
            tell_error(&error);
            if wants_json {
                print_error(&error);
            }
            error.exit.into()
        }
    }
}
