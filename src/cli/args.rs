//! What may be typed. One struct a subcommand; what it means is in the subcommand's own file.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::base::names::{BaselineName, OrderName, Revision, Serial};
use crate::base::units::Hertz;
use crate::compare::gate::Allowance;
use crate::compare::{Over, Stretches};
use crate::event::Turn;
use crate::notify::Level;
use crate::plan::design::{BoardList, RevisionList};
use crate::waveform::import::Format;

/// What the program's exit code means, as in `exit.rs` and in the README.
pub(super) const EXIT_CODES: &str = "Exit codes: 0 all limits met, 1 a limit failed, 2 usage or file, 3 link or \
                                     instrument,\n4 interlock tripped, 5 stopped by a person, 6 record damaged, 70 \
                                     our fault.";

/// Measures a power supply board on a bench of SCPI instruments (or on the simulated one) and writes a report.
#[derive(Debug, Parser)]
#[command(name = "soakrig", version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Cli {
    /// Heed no files of settings
    #[arg(long, global = true)]
    pub(super) no_config: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a profile on a rig, keep the record and write the report
    Run(RunArgs),
    /// Go on with a run that was cut off, at its first unfinished point
    Resume(ResumeArgs),
    /// Show the state of a run on one screen, from its journal, also while it goes on
    Status(StatusArgs),
    /// Follow a run until it ends; the exit code is that of the run
    Watch(WatchArgs),
    /// Try every way by which the settings tell people, with a message that says it is a test
    NotifyTest(NotifyTestArgs),
    /// Print what a run would do, its checks and how long it takes; touches nothing
    Plan(PlanArgs),
    /// Open the bench, identify every instrument, look at the wiring, say go or no-go
    Check(CheckArgs),
    /// Serve the simulated bench on loopback TCP ports and a pty until stopped
    Sim(SimArgs),
    /// Rebuild all products of a run from its journal and samples
    Report(ReportArgs),
    /// Measure a trace from a scope's file or from a run: ripple, spikes, frequency, each with its definition
    Analyze(AnalyzeArgs),
    /// Tell what changed between board revisions: by how much, with what certainty, at what price
    Compare(CompareArgs),
    /// List the runs in a folder
    List(ListArgs),
    /// Ask one instrument of a rig a question
    Scpi(ScpiArgs),
    /// Print the value of every option and where it comes from
    Config(ConfigArgs),
    /// Print the JSON Schema of a kind of file
    Schema(SchemaArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man,
    /// Started by a run: switches off when the run dies
    #[cfg(unix)]
    #[command(hide = true)]
    Deadman(DeadmanArgs),
    /// Started by a drill of the dead-man: energises the bench at low voltage and waits to be killed
    #[cfg(unix)]
    #[command(hide = true)]
    Drill(DrillArgs),
}

/// Who and what is measured; each overrides what the profile or the rig says.
#[derive(Debug, Args)]
pub(super) struct BoardArgs {
    /// Serial number of the board
    #[arg(long, value_name = "SERIAL")]
    pub(super) board: Option<Serial>,
    /// Revision of the board; on the simulated bench it chooses the output filter (A bridged, B fitted, C neither, D
    /// fitted with a smaller coil)
    #[arg(long, value_name = "REV")]
    pub(super) revision: Option<Revision>,
    /// Who runs it
    #[arg(long, value_name = "NAME")]
    pub(super) operator: Option<String>,
    /// A free note, kept with the run
    #[arg(long, value_name = "TEXT")]
    pub(super) note: Option<String>,
    /// Seed of a shuffled order and of the simulated bench
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
}

#[cfg(unix)]
#[derive(Debug, Args)]
pub(super) struct DeadmanArgs {
    /// The rig of the run
    #[arg(long)]
    pub(super) rig: PathBuf,
    /// The process that carries the run out
    #[arg(long)]
    pub(super) controller: u32,
    /// The file of settings that says whom to tell
    #[arg(long)]
    pub(super) notify: Option<PathBuf>,
    /// The run's profile
    #[arg(long, default_value = "")]
    pub(super) profile: String,
    /// The board's serial number
    #[arg(long, default_value = "")]
    pub(super) board: String,
}

#[cfg(unix)]
#[derive(Debug, Args)]
pub(super) struct DrillArgs {
    /// The rig that is drilled on
    #[arg(long)]
    pub(super) rig: PathBuf,
    /// Folder for the record that the dead-man writes into
    #[arg(long)]
    pub(super) folder: PathBuf,
}

/// A run that is there.
#[derive(Debug, Args)]
pub(super) struct WhichArgs {
    /// The run: its folder, or its name (or the beginning of it) in the folder given with --out
    pub(super) run: String,
    /// Folder in which runs are looked for by name
    #[arg(long, value_name = "FOLDER", default_value = "reports")]
    pub(super) out: PathBuf,
}

/// What is told and kept of a run that is begun or gone on with.
#[derive(Debug, Args)]
pub(super) struct TellingArgs {
    /// Keep every byte of long answers (waveforms, screens) in the tapes too; they are otherwise kept once, as samples
    #[arg(long)]
    pub(super) full_tapes: bool,
    /// Print summary.json when the run is over; `run` in it is the folder's path
    #[arg(long)]
    pub(super) json: bool,
    /// No progress on stderr
    #[arg(long, short)]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// The profile: what to do
    pub(super) profile: PathBuf,
    /// The rig: what is wired to what
    #[arg(long)]
    pub(super) rig: PathBuf,
    #[command(flatten)]
    pub(super) board: BoardArgs,
    /// Folder in which the run's own folder is made
    #[arg(long, value_name = "FOLDER", default_value = "reports")]
    pub(super) out: PathBuf,
    /// On the simulated bench: let this seed's faults happen (links drop, instruments reboot, answers are late or garbled, ...)
    #[arg(long, value_name = "SEED")]
    pub(super) faults: Option<u64>,
    /// Take the points of a pass in an order shuffled by --seed, whatever the profile says
    #[arg(long)]
    pub(super) shuffle: bool,
    /// The run's place in an order of runs, as `soakrig plan --compare` gives it; kept with the run
    #[arg(long, value_name = "ORDER:N/M")]
    pub(super) turn: Option<Turn>,
    #[command(flatten)]
    pub(super) telling: TellingArgs,
}

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    /// The profile: what to do
    pub(super) profile: PathBuf,
    /// The rig: what is wired to what
    #[arg(long)]
    pub(super) rig: PathBuf,
    #[command(flatten)]
    pub(super) board: BoardArgs,
    /// Take the points of a pass in an order shuffled by --seed, whatever the profile says
    #[arg(long)]
    pub(super) shuffle: bool,
    #[command(flatten)]
    pub(super) design: DesignArgs,
    /// Print the plan as JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// An order of runs instead of one run.
#[derive(Debug, Args)]
pub(super) struct DesignArgs {
    /// Lay down an order of runs that compares these revisions, so that drift does not look like a change; prints a table and
    /// the commands
    #[arg(long, value_name = "REV,REV", conflicts_with_all = ["board", "revision"])]
    pub(super) compare: Option<RevisionList>,
    /// With --compare: the boards of a revision, once for each; without a revision, boards that are measured as every one
    #[arg(long, value_name = "REV=SERIAL,…")]
    pub(super) boards: Vec<BoardList>,
    /// With --compare: how the revisions take turns
    #[arg(long, value_enum, default_value_t = DesignChoice::Abba)]
    pub(super) design: DesignChoice,
    /// With --compare: a board that is measured first and last, for drift; with REV= where it stands in no list of one
    #[arg(long, value_name = "REV=SERIAL")]
    pub(super) reference: Option<BoardList>,
    /// With --compare: the folder of the runs
    #[arg(long, value_name = "FOLDER", default_value = "reports")]
    pub(super) out: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum DesignChoice {
    /// A B B A: what drifts evenly falls out by itself
    Abba,
    /// A B A B
    Interleaved,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// The rig: what is wired to what
    pub(super) rig: PathBuf,
    /// Look at everything that must hold before the bench is left alone with this profile: drills the dead-man at 1 V, looks
    /// at disk, clock, power and sleep
    #[arg(long, value_name = "PROFILE")]
    pub(super) unattended: Option<PathBuf>,
    /// With --unattended: drill a controller that hangs, too, which takes some 15 s
    #[arg(long)]
    pub(super) hang: bool,
    /// With --unattended: the folder in which the run will be kept
    #[arg(long, value_name = "FOLDER", default_value = "reports")]
    pub(super) out: PathBuf,
    /// Print the findings as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct SimArgs {
    /// A rig whose addresses are `SIM::…`
    pub(super) rig: PathBuf,
    #[command(flatten)]
    pub(super) board: BoardArgs,
    /// First TCP port: supply, load and scope take three in a row; 0 lets the system choose
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(super) port: u16,
    /// Print addresses and rig file as JSON on one line
    #[arg(long)]
    pub(super) json: bool,
    /// Write the ready rig file here as well as to stdout
    #[arg(long, value_name = "FILE")]
    pub(super) write_rig: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ResumeArgs {
    #[command(flatten)]
    pub(super) which: WhichArgs,
    /// Serial number of the board on the bench; refused where the run was begun with another one
    #[arg(long, value_name = "SERIAL")]
    pub(super) board: Option<Serial>,
    /// Revision of the board on the bench; refused where the run was begun with another one
    #[arg(long, value_name = "REV")]
    pub(super) revision: Option<Revision>,
    /// Another rig file than that in the run folder; it must be the same, byte by byte
    #[arg(long)]
    pub(super) rig: Option<PathBuf>,
    /// Go on although an interlock ended it: somebody has looked at bench and board
    #[arg(long)]
    pub(super) after_trip: bool,
    #[command(flatten)]
    pub(super) telling: TellingArgs,
}

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    pub(super) which: WhichArgs,
    /// Print the state as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct WatchArgs {
    #[command(flatten)]
    pub(super) which: WhichArgs,
}

#[derive(Debug, Args)]
pub(super) struct NotifyTestArgs {
    /// Which level the message has
    #[arg(long, value_enum, default_value_t = LevelChoice::Warn)]
    pub(super) level: LevelChoice,
    /// Print what came back as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum LevelChoice {
    /// The run goes on
    Alive,
    /// Something a person should know
    Warn,
    /// An interlock tripped
    Trip,
    /// The run is over
    Finish,
}

impl From<LevelChoice> for Level {
    fn from(choice: LevelChoice) -> Self {
        match choice {
            LevelChoice::Alive => Self::Alive,
            LevelChoice::Warn => Self::Warn,
            LevelChoice::Trip => Self::Trip,
            LevelChoice::Finish => Self::Finish,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    #[command(flatten)]
    pub(super) which: WhichArgs,
    /// Print summary.json
    #[arg(long)]
    pub(super) json: bool,
    /// Make the figures anew from the samples and say which differ from the recorded ones; exit code 1 if any does
    #[arg(long, conflicts_with = "json")]
    pub(super) recompute: bool,
}

#[derive(Debug, Args)]
pub(super) struct AnalyzeArgs {
    /// The samples: a scope's CSV, an .npy file, a capture of a run (its scale comes from the journal), a run folder with
    /// --point, or - for standard input
    pub(super) file: PathBuf,
    /// The channel of the output
    #[arg(long, value_name = "NAME")]
    pub(super) vout: Option<String>,
    /// The channel of the switch node
    #[arg(long, value_name = "NAME")]
    pub(super) lx: Option<String>,
    /// Samples a second, for a file that holds no time: `100 MHz` or `100 MSa/s`
    #[arg(long, value_name = "RATE")]
    pub(super) sample_rate: Option<Hertz>,
    /// The bandwidth limiter that the record was taken with
    #[arg(long, value_name = "CORNER")]
    pub(super) bandwidth: Option<Hertz>,
    /// How the output's channel was coupled; a file does not tell, and AC coupling takes the mean away
    #[arg(long, value_enum, ignore_case = true, value_name = "dc|ac")]
    pub(super) coupling: Option<CouplingChoice>,
    /// The format, where it is not to be recognised from the content
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<Format>,
    /// Which point of a run folder
    #[arg(long, value_name = "N")]
    pub(super) point: Option<u32>,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
    /// Write a page with pictures to this file
    #[arg(long, value_name = "OUT")]
    pub(super) html: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum CouplingChoice {
    /// Direct
    Dc,
    /// Through a capacitor
    Ac,
}

#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// With --by and --stretch: the runs
    #[arg(value_name = "RUN", conflicts_with_all = ["before", "after"])]
    pub(super) runs: Vec<String>,
    /// In the place of --before: the runs that were kept under that name, or else of that board revision
    #[arg(long, value_name = "NAME", conflicts_with = "before")]
    pub(super) baseline: Option<String>,
    /// Keep the runs of --after under that name; without --before or --baseline nothing is compared
    #[arg(long, value_name = "NAME")]
    pub(super) save_baseline: Option<BaselineName>,
    /// The runs that are held against: folders, folders of runs, beginnings of names, or patterns with * and ?
    #[arg(long, value_name = "RUN", num_args = 1..)]
    pub(super) before: Vec<String>,
    /// The runs in which something may have changed
    #[arg(long, value_name = "RUN", num_args = 1..)]
    pub(super) after: Vec<String>,
    /// Make a group of each board revision; the first one by name (r9 before r10), or that of --baseline, is held against all
    /// others (runs of the baseline that are named, too, stand on its side alone)
    #[arg(long, value_enum)]
    pub(super) by: Option<GroupChoice>,
    /// Hold one stretch of each run against another one, board by board: the beginning of a soak against its end. A stretch is
    /// `start` or `end` (a tenth of the run), `start:2h`, `end:2h`, or `4h..8h` behind the first point
    #[arg(long, value_name = "START,END",
          conflicts_with_all = ["before", "after", "by", "baseline", "save_baseline", "pair"])]
    pub(super) stretch: Option<Stretches>,
    /// Hold soaks against each other step by step, too: in steps so long, or phase by phase; and tell whether the difference grows
    #[arg(long, value_name = "6h|phase", conflicts_with_all = ["stretch"])]
    pub(super) over: Option<Over>,
    /// Only runs of this order of runs, as `soakrig plan --compare` named it
    #[arg(long, value_name = "ORDER")]
    pub(super) order: Option<OrderName>,
    /// The same boards stand on both sides: compare each with itself
    #[arg(long, value_enum)]
    pub(super) pair: Option<PairChoice>,
    /// Folder in which runs are looked for by name
    #[arg(long, value_name = "FOLDER", default_value = "reports")]
    pub(super) out: PathBuf,
    /// Exit with 1 where the figure has surely become worse by more, e.g. noise_pp_20mhz_v:1dB or efficiency:2%
    #[arg(long, value_name = "FIGURE:AMOUNT")]
    pub(super) worse_than: Vec<Allowance>,
    /// Exit with 1 unless the figure is shown to be the same within this margin (two one-sided tests at 5 %), e.g. vout_v:100mV
    #[arg(long, value_name = "FIGURE:AMOUNT")]
    pub(super) same_within: Vec<Allowance>,
    /// The smallest change of a figure that matters, in the place of 0.5 dB, 5 mV, 5 mW, 0.5 K or 0.2 per cent points; 0 where
    /// every change does
    #[arg(long, value_name = "FIGURE:AMOUNT")]
    pub(super) smallest: Vec<Allowance>,
    /// A limit of --worse-than that is not decided counts as broken, too
    #[arg(long)]
    pub(super) strict: bool,
    /// Compare what is not comparable; it stands on the first page
    #[arg(long)]
    pub(super) force: bool,
    /// Seed of the resampling
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// Write a page with pictures to this file; reads the kept samples for spectra
    #[arg(long, value_name = "OUT")]
    pub(super) html: Option<PathBuf>,
    /// Tell in which bands of frequency the change lies, too, from the kept samples; --html and a limit on a band do, too
    #[arg(long)]
    pub(super) spectra: bool,
    /// Write the limits on the change for a CI server to this file
    #[arg(long, value_name = "OUT")]
    pub(super) junit: Option<PathBuf>,
    /// Write the points of all runs as one table, a row a point of a run, with every figure of the records; with --stretch those of the
    /// two stretches
    #[arg(long, value_name = "OUT.csv")]
    pub(super) points: Option<PathBuf>,
    /// Print one JSON object; `soakrig schema comparison` prints its schema
    #[arg(long)]
    pub(super) json: bool,
    /// Fold the lines at this many columns, 0 not at all; else at the width of the terminal, and at 100 in a pipe or a file
    #[arg(long, value_name = "COLUMNS")]
    pub(super) width: Option<u16>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum GroupChoice {
    /// The board's revision, as the runs say
    Revision,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum PairChoice {
    /// By the board's serial number
    Board,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Folder in which the runs are
    #[arg(long, value_name = "FOLDER", default_value = "reports")]
    pub(super) out: PathBuf,
    /// Print the list as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ScpiArgs {
    /// The rig: what is wired to what
    pub(super) rig: PathBuf,
    /// The instrument's role: source, load or scope
    pub(super) role: String,
    /// The question, e.g. '*IDN?'. Only questions: settings go through the hard limits of a run
    pub(super) query: String,
    /// Print role, question and answer as JSON; an answer that is not text stands there in hex
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    /// Print it as JSON
    #[arg(long)]
    pub(super) json: bool,
    /// A command line to be explained, e.g. `run profile.toml --seed 7`; without one, the options of all subcommands are told
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    pub(super) command: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// Which kind of file
    pub(super) kind: SchemaKind,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum SchemaKind {
    /// A rig: what is wired to what
    Rig,
    /// A profile: what to do
    Profile,
    /// A family of instruments that speak alike
    Family,
    /// What a comparison prints as JSON
    Comparison,
    /// Settings: values of options
    Settings,
}

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// For which shell
    pub(super) shell: clap_complete::Shell,
}
