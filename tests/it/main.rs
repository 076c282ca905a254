//! One integration binary; each module is a room or a promise.
// Clippy allows these in test functions only; what the tests share is test code, too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

// Figures of made-up traces against their closed forms, every measuring trap, hostile traces.
mod waveform;
// Files of scopes: one of each format, odd and hostile ones, bounds.
mod import;
// How near the figures come to the truth: the frozen table of worst errors.
mod accuracy;
// Links over real sockets and a real pty, and everything that goes wrong on them.
mod link;

// What is kept of a run, and what becomes of it when it breaks off.
mod record;
// Rig and profile to plan: every fault told at its place, and no plan that leaves an output on.
mod plan;
// The simulated bench: conversations, physics, faults.
mod sim;
// What the page, the terminal and a CI server are told of a record.
mod report;
// What the page says of a soak: hours, gaps, drift, starts, with and without an end.
mod soak_report;
// A board that changes in the middle of a soak, and what the report finds of it.
mod soak_change;
mod soak_compare;
// What hours of readings show, handed to the reference script.
mod trend;
// Board scores and what a comparison says of them, handed to the reference script.
mod comparison;
// Runs that were cut off and are gone on with.
mod resume;
// Runs looked at from another terminal, while they are written.
mod watching;
// People who are told: a real HTTP server that fails in every way, real programs that do.
#[cfg(unix)]
mod notify;
// What the service manager is told, over a real socket.
#[cfg(target_os = "linux")]
mod service;

// Every verb of every family, spoken and answered; faulty family files; the files against the simulated bench.
mod families;

// Who may use whom, and where the outside world may appear.
mod tidy;

// One trace from any file or run: every format, keys, reasons, pages, exit codes.
mod analyze;
// The program as a person and a script use it: words, files, exit codes.
mod cli;
// Board revisions against each other: what is compared, what is refused, limits on the change.
mod compare;
// What a comparison takes its spectra and traces from, where captures are clipped.
mod compare_clipped;
mod compare_incomplete;
// What is written and drawn in the pictures of a comparison.
mod compare_pictures;
// An order of runs for a comparison, laid down, followed and found again.
mod run_order;
// Files of settings: layers, origins, faults, odd files.
mod settings;
mod swarm;
// Everything that can come in wrong, and the outputs off after it.
#[cfg(unix)]
mod bad_input;

// Whatever happens to a run, the outputs are off when it is over, and it says so truly.
mod safety;
