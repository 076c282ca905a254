//! What must agree before two groups of runs can be compared, and how heavily it weighs where it does not.

/// How heavily a difference weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It should be known, and changes nothing by itself.
    Slight,
    /// It may explain a part of a change.
    Matters,
    /// The figures mean something else: there is nothing to compare.
    Breaks,
}

impl Weight {
    /// One word for a list.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Slight => "slight",
            Self::Matters => "matters",
            Self::Breaks => "breaks",
        }
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $title:literal, $weight:ident, $why:literal;)*) => {
        /// What must agree.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            /// What a person calls it.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
            /// Why a difference weighs what it weighs.
            #[must_use]
            pub const fn why(self) -> &'static str {
                match self { $(Self::$name => $why,)* }
            }
            const fn weight(self) -> Weight {
                match self { $(Self::$name => Weight::$weight,)* }
            }
        }
    };
}

kinds! {
    /// A real or the simulated bench.
    Bench = "bench", Breaks, "a simulated board is no board";
    /// The output voltage it should have.
    Nominal = "nominal output voltage", Breaks, "these are boards for different outputs";
    /// Input voltages and loads.
    Points = "points", Breaks, "only what was measured at the same input voltage and load can be compared";
    /// The version of a figure's definition.
    Definition = "definition", Breaks, "the same samples give another figure";
    /// The scope's limiter.
    Bandwidth = "bandwidth", Breaks, "ripple and spikes depend on it";
    /// The channel's coupling.
    Coupling = "coupling", Breaks, "AC takes the mean away";
    /// The probe's ratio.
    Probe = "probe", Breaks, "another probe has another bandwidth and noise";
    /// How the probe touches the board.
    Fixture = "fixture", Breaks, "a ground lead adds spikes of its own";
    /// Samples of a record.
    Memory = "memory depth", Breaks, "peak to peak grows with the length of the record";
    /// Sample rate.
    SampleRate = "sample rate", Breaks, "peak to peak grows with the number of samples a second";
    /// How traces were captured, where neither a kept one nor a noise floor tells.
    Capture = "capture settings", Breaks, "neither a kept trace nor a noise floor tells how they were captured, only the profile does";
    /// Whether traces were kept.
    Traces = "kept traces", Slight, "the figures were taken before a trace was let go, but there are no spectra and no overlaid traces of it";
    /// Maker and model.
    Model = "model", Matters, "another instrument has other errors, which do not cancel in the change";
    /// Serial number.
    InstrumentSerial = "serial number", Slight, "another specimen has other errors";
    /// Firmware.
    Firmware = "firmware", Slight, "it may measure otherwise";
    /// The scope's channel.
    Channel = "channel", Matters, "the errors of two channels do not cancel in the change";
    /// When a point counts as settled.
    Settling = "settle rule", Matters, "figures taken sooner or later after a step are others";
    /// Sweep or soak.
    Work = "kind of run", Matters, "in a soak the board is warm";
    /// The profile's name.
    Profile = "profile", Matters, "points may have been reached in another order or another way";
    /// Air beside the board.
    Ambient = "ambient temperature", Matters, "losses and temperatures depend on it";
    /// Which revisions the boards of a side have, where they have several.
    Revisions = "board revisions on one side", Matters, "boards of two revisions differ by more than boards do, and no mean or interval of such a side says what a change is";
    /// How warm the boards were, of two stretches of the same runs.
    Warmth = "temperature of the boards", Matters, "a board that warms up or cools down changes by that alone";
    /// The phases of a soak.
    Phases = "phases", Matters, "the boards were held otherwise";
    /// How long a soak was planned to last.
    SoakTime = "planned length of the soak", Matters, "boards that age change with the hours";
    /// How much of a soak was read.
    Coverage = "coverage", Matters, "what happened in the gaps is not known";
    /// What cut into a soak.
    Interruptions = "interruptions", Matters, "a board that stood still meanwhile has cooled down and recovered";
    /// When the runs were made.
    RunOrder = "run order", Matters, "drift with time and a change cannot be told apart";
    /// Whether all runs of an order are here.
    MissingRuns = "missing runs", Matters, "the order was laid down to tell drift from a change, and what it balances is not all here";
    /// Whether the runs of an order were made in it.
    OutOfTurn = "runs out of turn", Matters, "the order was laid down to tell drift from a change, and another one was made, which nobody drew";
    /// Whether the boards that were measured are those of the order.
    OtherBoards = "other boards than those of the order", Matters, "the order was drawn for the boards it names";
    /// Whether the runs came to their end.
    Completeness = "completeness", Matters, "a run that was cut short lacks points, and not by chance";
    /// When instruments are to be calibrated next, and whether that is past.
    Calibration = "calibration", Slight, "the errors are not known to be those of the data sheet";
    /// Vertical range.
    Range = "range", Slight, "it is chosen by the size of the trace, and a narrower one has less noise";
    /// The profile's text.
    ProfileText = "text of the profile", Slight, "what matters of it is listed by itself";
    /// The rig's text.
    RigText = "text of the rig", Matters, "the resistances of leads stand there, by which readings are corrected, and are not listed by themselves";
    /// The same run, in folders of two names.
    Copies = "one run in two folders", Matters, "a run tells nothing against itself, and each folder counts";
    /// Boards that were out of regulation, or hardly anywhere in it.
    Regulation = "boards in regulation", Matters, "a point counts only where every board of both sides was in regulation, and by the times when it was: what was out of it is in no figure, and a board that never comes up leaves nothing to compare";
    /// Points that were measured before the board had settled.
    Unsettled = "settled points", Matters, "the figures of such points are of a board on the move";
    /// Starts of power cycles that failed.
    Starts = "failed starts", Matters, "a board that does not start has no figures, and those of its other starts do not show it";
    /// Whether any board was measured both ways, where boards are compared with themselves.
    Pairs = "boards measured both ways", Breaks, "--pair board compares each board with itself, and none stands on both sides";
    /// The seeds of the simulated bench.
    Seed = "seed of the simulated bench", Matters, "runs of one seed have the same noise of the instruments, point by point: no interval knows of it, and between two seeds it stands in the change";
    /// Program and version.
    Software = "software", Slight, "the versions of the definitions tell whether figures are the same";
}

/// Something that must agree, and of what: a role, a signal and its purpose, a figure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Aspect {
    /// What.
    pub kind: Kind,
    /// Of what; empty for the whole run.
    pub of: String,
}

impl Kind {
    /// This of a role, signal or figure.
    #[must_use]
    pub fn of(self, of: &str) -> Aspect {
        Aspect { kind: self, of: of.to_owned() }
    }
    /// This of the whole run.
    #[must_use]
    pub fn whole(self) -> Aspect {
        self.of("")
    }
}

impl Aspect {
    /// Whether captures tell it.
    pub(super) const fn is_of_captures(&self) -> bool {
        use Kind::{Bandwidth, Channel, Coupling, Fixture, Memory, Probe, Range, SampleRate};
        matches!(self.kind, Bandwidth | Coupling | Probe | Fixture | Memory | SampleRate | Channel | Range)
    }
    /// How heavily a difference weighs.
    #[must_use]
    pub fn weight(&self) -> Weight {
        // The errors of one scope cancel in a change of amplitudes, those of two do not; and spikes are at home in its front end.
        match (self.kind, self.of.as_str()) {
            (Kind::Model, "scope") => Weight::Breaks,
            (Kind::InstrumentSerial | Kind::Firmware, "scope") => Weight::Matters,
            (kind, _) => kind.weight(),
        }
    }
}
