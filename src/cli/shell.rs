//! `soakrig completions` and `soakrig man`, both made from the same definition as the parser.

use clap::CommandFactory;

use super::args::{Cli, CompletionsArgs};
use super::exit::Exit;
use super::message::{CliError, Outcome, print};

pub(super) fn completions(args: &CompletionsArgs) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "soakrig", &mut script);
    print(&String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}

/// The program's page and one section for each subcommand, in one roff text.
pub(super) fn manual() -> Outcome {
    let fault =
        |error: std::io::Error| CliError::new(Exit::Internal, format!("cannot make the manual: {error}"));
    let mut page = Vec::new();
    let mut command = Cli::command();
    command.build();
    clap_mangen::Man::new(command.clone()).render(&mut page).map_err(fault)?;
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
        let man = clap_mangen::Man::new(subcommand.clone());
        page.extend_from_slice(
            format!(".SH \"SOAKRIG {}\"\n", subcommand.get_name().to_uppercase()).as_bytes(),
        );
        man.render_synopsis_section(&mut page).map_err(fault)?;
        man.render_description_section(&mut page).map_err(fault)?;
        man.render_options_section(&mut page).map_err(fault)?;
    }
    print(&String::from_utf8_lossy(&page));
    Ok(Exit::Done)
}
