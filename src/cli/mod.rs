//! The command line: arguments, a call, output. One subcommand a file.

mod analyze;
mod args;
mod check;
mod compare;
mod config;
#[cfg(unix)]
mod deadman;
mod design;
#[cfg(unix)]
mod drill;
mod exit;
mod fold;
mod list;
mod message;
mod notify;
mod onlookers;
mod places;
mod plan;
mod progress;
mod report;
mod resume;
mod run;
mod schema;
mod scpi;
mod settings;
mod shell;
#[cfg(unix)]
mod signals_unix;
mod sim;
mod status;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

pub use exit::Exit;

use args::Command;
use message::{CliError, print_error, tell, tell_error};
use settings::{Refusal, Start};

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let argv: Vec<OsString> = std::env::args_os().collect();
    let (error, wants_json) = match settings::start(&argv) {
        Ok(start) => {
            let wants_json = start.wants_json;
            match run(start) {
                Ok(exit) => return exit.into(),
                Err(error) => (error, wants_json),
            }
        }
        Err(Refusal::Files { error, wants_json }) => (error, wants_json),
        Err(Refusal::Words { error, note, wants_json }) => {
            let _ = error.print();
            note.iter().for_each(|note| tell(note));
            // Help and version are results; anything else is usage.
            if !error.use_stderr() {
                return Exit::Done.into();
            }
            if wants_json {
                let text = error.to_string();
                print_error(&CliError::usage(text.trim_start_matches("error: ")));
            }
            return Exit::Usage.into();
        }
    };
    tell_error(&error);
    if wants_json {
        print_error(&error);
    }
    error.exit.into()
}

fn run(start: Start) -> message::Outcome {
    let Start { command, settings, .. } = start;
    settings.remarks().iter().for_each(|remark| tell(remark));
    match command {
        Command::Run(args) => run::run(&args, &settings),
        Command::Resume(args) => resume::run(&args, &settings),
        Command::NotifyTest(args) => notify::run(&args, &settings),
        Command::Status(args) => status::run(&args),
        Command::Watch(args) => watch::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Check(args) => check::run(&args, &settings),
        Command::Sim(args) => sim::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Analyze(args) => analyze::run(&args, &settings),
        Command::Compare(args) => compare::run(&args),
        Command::List(args) => list::run(&args),
        Command::Scpi(args) => scpi::run(&args),
        Command::Config(args) => config::run(&args, &settings),
        Command::Schema(args) => schema::run(&args),
        Command::Completions(args) => shell::completions(&args),
        Command::Man => shell::manual(),
        #[cfg(unix)]
        Command::Deadman(args) => deadman::run(&args),
        #[cfg(unix)]
        Command::Drill(args) => drill::run(&args),
    }
}
