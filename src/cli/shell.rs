//! `soakrig completions` and `soakrig man`, both made from the same definition as the parser.

use std::io;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::args::{Cli, CompletionsArgs, EXIT_CODES};
use super::exit::Exit;
use super::message::{CliError, Outcome, print};

/// Where settings stand, as in `docs/settings.md`; what follows `.TP` is a term and its meaning.
const FILES: &str = "Every long option can stand in a file; a later file counts before an earlier one, and what is typed before \
                     all. \\fBsoakrig config\\fR prints every value and where it comes from.\n\
                     .TP\n/etc/soakrig/config.toml\nthe system's; \\fBSOAKRIG_SYSTEM_CONFIG\\fR names another one\n\
                     .TP\n~/.config/soakrig/config.toml\nthe user's, below \\fBXDG_CONFIG_HOME\\fR where that is set\n\
                     .TP\nsoakrig.toml\nthe project's, in the working folder or above it\n";

pub(super) fn completions(args: &CompletionsArgs) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "soakrig", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

pub(super) fn manual() -> Outcome {
    let page =
        render_manual().map_err(|error| CliError::internal(format!("cannot make the manual: {error}")))?;
    print(&page)?;
    Ok(Exit::Done)
}

/// One page for the whole program: a section for each subcommand, then the exit codes.
fn render_manual() -> io::Result<String> {
    let mut command = Cli::command();
    command.build();
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    let mut page = String::from_utf8_lossy(&page).into_owned();
    for subcommand in command.get_subcommands().filter(|sub| sub.get_name() != "help" && !sub.is_hide_set()) {
        page.push_str(&render_subcommand(subcommand)?);
    }
    page.push_str(".SH FILES\n");
    page.push_str(FILES);
    page.push_str(".SH \"EXIT STATUS\"\n");
    page.push_str(EXIT_CODES);
    page.push('\n');
    Ok(page)
}

fn render_subcommand(subcommand: &Command) -> io::Result<String> {
    let man = Man::new(subcommand.clone());
    let mut section = Vec::new();
    man.render_synopsis_section(&mut section)?;
    man.render_description_section(&mut section)?;
    man.render_options_section(&mut section)?;
    // What is a section of a page of its own is a part of a section here.
    let parts = String::from_utf8_lossy(&section).replace(".SH ", ".SS ");
    Ok(format!(".SH \"SOAKRIG {}\"\n{parts}", subcommand.get_name().to_uppercase()))
}
