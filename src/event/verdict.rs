//! The words for how a point and a run came out.

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
        }
        impl $name {
            /// The word in files.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    other => Err(format!("`{other}` is not one of {:?}", [$($word),*])),
                }
            }
        }
    };
}

words!(
    /// A point's verdict; a later one is worse.
    PointVerdict {
        /// No limit applies here.
        NotApplicable = "not_applicable",
        /// Every limit that applies is met.
        Pass = "pass",
        /// Met, but within a marginal band.
        Marginal = "marginal",
        /// A figure that a limit needs could not be had.
        NotMeasured = "not_measured",
        /// A limit is broken.
        Fail = "fail",
    }
);

words!(
    /// In which state the board was at a point.
    Region {
        /// No output: below start-up, or nothing reaches the node.
        Off = "off",
        /// The output stands where it should.
        Regulated = "regulated",
        /// There is an output, but outside regulation: drop-out, hiccup, starting.
        Unregulated = "unregulated",
        /// The output voltage could not be measured, or the board was not at the setting.
        Unknown = "unknown",
    }
);

impl Region {
    /// Under this share of its nominal voltage an output is off.
    pub const OFF_BELOW: f64 = 0.1;
}

words!(
    /// How the supply's output was regulated at a moment.
    Regulation {
        /// Constant voltage.
        ConstantVoltage = "constant_voltage",
        /// Constant current: the limit is reached.
        ConstantCurrent = "constant_current",
        /// Neither (or the output is off).
        Unregulated = "unregulated",
    }
);

words!(
    /// How a run came out.
    RunVerdict {
        /// All limits met at all points they apply to.
        Pass = "pass",
        /// There was no limit to judge by, or none applied at a point: neither a pass nor a fail.
        NotJudged = "not_judged",
        /// A limit failed.
        Fail = "fail",
        /// Not every planned point was finished, or a needed figure was not available.
        Incomplete = "incomplete",
        /// An interlock tripped.
        Tripped = "tripped",
        /// A person stopped it.
        Stopped = "stopped",
        /// An instrument, a link or the record failed.
        Error = "error",
    }
);

words!(
    /// How the controller of a drill died.
    DrillKind {
        /// It was killed: the pipe to the dead-man closed without a word.
        Killed = "killed",
        /// It was suspended: no beat came any more, and the dead-man had to end it.
        Suspended = "suspended",
    }
);

words!(
    /// How a drill of the dead-man came out.
    DrillVerdict {
        /// The dead-man switched off in time, and the outputs were found off.
        Passed = "passed",
        /// It did not, or that could not be shown.
        Failed = "failed",
        /// There is no dead-man on this bench.
        NotApplicable = "not_applicable",
    }
);

impl RunVerdict {
    /// The word as it stands at the head of a report: in capitals, its parts with a blank between them.
    #[must_use]
    pub fn in_capitals(word: &str) -> String {
        word.to_uppercase().replace('_', " ")
    }
}
