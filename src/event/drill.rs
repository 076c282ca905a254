//! A drill of the dead-man: a controller that had energised the bench at low voltage died, and what came of it.

use super::verdict::{DrillKind, DrillVerdict};
use crate::base::units::Volts;
use crate::waveform::{Figure, Unavailable};

/// What was done, seen and found at a drill.
#[derive(Debug, Clone, PartialEq)]
pub struct Drilled {
    /// How the controller died.
    pub kind: DrillKind,
    /// How the drill came out.
    pub verdict: DrillVerdict,
    /// Why it failed, or why it does not apply; empty where it passed.
    pub reason: String,
    /// What stood at the supply's terminals before the controller died, in volts.
    pub energised_v: Figure,
    /// Seconds from the controller's death to the dead-man's word that the outputs are verified off. A controller that was
    /// suspended dies when it has been silent for too long; its time begins with its suspension.
    pub off_after_s: Figure,
    /// What stood at the supply's terminals afterwards, asked over links of our own, in volts.
    pub supply_v: Figure,
    /// What stood at the load's terminals afterwards, asked over links of our own, in volts.
    pub vout_v: Figure,
}

impl Drilled {
    /// A bench that has no dead-man: no pass, and no failure either.
    #[must_use]
    pub fn not_applicable(kind: DrillKind, reason: &str) -> Self {
        let none = || Err(Unavailable::because(reason));
        Self {
            kind,
            verdict: DrillVerdict::NotApplicable,
            reason: reason.to_owned(),
            energised_v: none(),
            off_after_s: none(),
            supply_v: none(),
            vout_v: none(),
        }
    }

    /// Why a bench must not be left alone after this drill; `None` where nothing speaks against it.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        (self.verdict == DrillVerdict::Failed).then(|| {
            format!(
                "the drill of the dead-man failed, so this bench is not left alone: {}; find out why before \
                 anything is switched on",
                self.reason
            )
        })
    }

    /// The drill in a sentence, without its full stop.
    #[must_use]
    pub fn tell(&self) -> String {
        match self.verdict {
            DrillVerdict::NotApplicable => format!("not applicable: {}", self.reason),
            DrillVerdict::Failed => format!("FAILED: {}", self.reason),
            DrillVerdict::Passed => self.tell_passed(),
        }
    }

    fn tell_passed(&self) -> String {
        // A zero is shown without its sign.
        let volts = |figure: &Figure| match figure {
            Ok(volts) => Volts((volts * 1000.0).round() / 1000.0 + 0.0).to_string(),
            Err(reason) => format!("({reason})"),
        };
        let off_after = match &self.off_after_s {
            Ok(seconds) => format!("{seconds:.2} s"),
            Err(reason) => format!("({reason})"),
        };
        let died = match self.kind {
            DrillKind::Killed => "was killed; its dead-man had switched off and verified off",
            DrillKind::Suspended => "was suspended; its dead-man had ended it, switched off and verified off",
        };
        format!(
            "a controller that held {} at the supply {died} after {off_after}; found off over other links, {} at the \
             supply, Vout {}",
            volts(&self.energised_v),
            volts(&self.supply_v),
            volts(&self.vout_v)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drill_is_told_and_refuses_only_where_it_failed() {
        let passed = Drilled {
            kind: DrillKind::Killed,
            verdict: DrillVerdict::Passed,
            reason: String::new(),
            energised_v: Ok(0.999_96),
            off_after_s: Ok(0.274),
            supply_v: Ok(0.0014),
            vout_v: Ok(-0.000_2),
        };
        insta::assert_snapshot!(passed.tell(), @"a controller that held 1 V at the supply was killed; its dead-man had switched off and verified off after 0.27 s; found off over other links, 1 mV at the supply, Vout 0 V");
        assert_eq!(passed.refusal(), None);
        let none =
            Drilled::not_applicable(DrillKind::Killed, "the simulated instruments end with this process");
        insta::assert_snapshot!(none.tell(), @"not applicable: the simulated instruments end with this process");
        assert_eq!(none.refusal(), None);
        let reason = "the dead-man gave no word within 20 s".to_owned();
        let failed = Drilled { verdict: DrillVerdict::Failed, reason, ..passed };
        insta::assert_snapshot!(failed.tell(), @"FAILED: the dead-man gave no word within 20 s");
        insta::assert_snapshot!(failed.refusal().unwrap(), @"the drill of the dead-man failed, so this bench is not left alone: the dead-man gave no word within 20 s; find out why before anything is switched on");
    }
}
