//! The program's door: everything is in the library.

fn main() -> std::process::ExitCode {
    soakrig::cli::main()
}
