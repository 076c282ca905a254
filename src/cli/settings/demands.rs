//! Options that do nothing without another one. Who types one alone is refused; one in a file waits until the other one is given.

use clap::Command;

/// Subcommand, option, and the option without which it does nothing.
const DEMANDS: [(&str, &str, &str); 6] = [
    ("plan", "boards", "compare"),
    ("plan", "design", "compare"),
    ("plan", "reference", "compare"),
    ("plan", "out", "compare"),
    ("check", "hang", "unattended"),
    ("check", "out", "unattended"),
];

/// The definition with these demands.
pub(super) fn with_demands(command: Command) -> Command {
    command.mut_subcommands(|sub| {
        let name = sub.get_name().to_owned();
        let own = DEMANDS.into_iter().filter(|(of, ..)| *of == name);
        own.fold(sub, |sub, (_, option, other)| sub.mut_arg(option, |arg| arg.requires(other)))
    })
}
