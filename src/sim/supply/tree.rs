//! The command tree.

use scpi::tree::Node;
use scpi::{Branch, Leaf};

use super::protection::{
    clear_over_a, clear_over_v, listed_over_a, listed_over_a_on, listed_over_v, listed_over_v_on, over_a,
    over_a_on, over_a_tripped, over_v, over_v_on, over_v_tripped, set_listed_over_a, set_listed_over_a_on,
    set_listed_over_v, set_listed_over_v_on, set_over_a, set_over_a_on, set_over_v, set_over_v_on,
};
use super::{
    amps, applied, beeper, condition, measured_all, measured_amps, measured_volts, measured_watts, output,
    over_temperature, print, regulation, select, selected_name, selected_number, set_amps, set_applied,
    set_beeper, set_output, set_over_temperature, set_volts, volts,
};
use crate::sim::panel::{self, Answer, Verb, word_of};
use crate::sim::world::Bench;

/// What stands under `[:SOURce[n]]`; 0 is the selected channel.
macro_rules! levels {
    ($branch:ident, $n:literal, $name:literal, $level:ident, $set_level:ident, $over:ident, $set_over:ident, $over_on:ident, $set_over_on:ident) => {
        Branch![$name;
            Branch![default b"LEVel"; Branch![default b"IMMediate"; Leaf!(default b"AMPLitude" => &Verb::both($n, $set_level, $level))]],
            Branch![b"PROTection";
                Leaf!(default b"LEVel" => &Verb::both($n, $set_over, $over)),
                Leaf!(b"STATe" => &Verb::both($n, $set_over_on, $over_on))
            ]
        ]
    };
}

macro_rules! volts_branch {
    ($n:literal) => {
        levels!(x, $n, b"VOLTage", volts, set_volts, over_v, set_over_v, over_v_on, set_over_v_on)
    };
}

macro_rules! amps_branch {
    ($n:literal) => {
        levels!(x, $n, b"CURRent", amps, set_amps, over_a, set_over_a, over_a_on, set_over_a_on)
    };
}

macro_rules! summary {
    ($n:literal, $name:literal) => {
        Branch![$name; Leaf!(b"CONDition" => &Verb::ask($n, condition))]
    };
}

/// What `OUTPut:OVP` and `OUTPut:OCP` have.
macro_rules! protection {
    ($name:literal, $value:ident, $set_value:ident, $on:ident, $set_on:ident, $tripped:ident, $clear:ident) => {
        Branch![$name;
            Leaf!(default b"STATe" => &Verb::both(0, $set_on, $on)),
            Leaf!(b"VALue" => &Verb::both(0, $set_value, $value)),
            Leaf!(b"QUES" => &Verb::ask(0, $tripped)),
            Leaf!(b"CLEAR" => &Verb::set(0, $clear))
        ]
    };
}

/// The command tree.
pub(crate) const TREE: Node<'static, Bench> = panel::tree![
    system: [
        Leaf!(b"REMote" => &Verb::set(0, panel::accept)),
        Leaf!(b"LOCal" => &Verb::set(0, panel::accept)),
        Leaf!(b"RWLock" => &Verb::set(0, panel::accept)),
        Branch![b"BEEPer"; Leaf!(default b"STATe" => &Verb::both(0, set_beeper, beeper))],
        Leaf!(b"OTP" => &Verb::both(0, set_over_temperature, over_temperature)),
        Leaf!(b"PRINT" => &Verb::ask(0, print))
    ],
    Branch![b"MEASure";
        Leaf!(b"ALL" => &Verb::ask(0, measured_all)),
        Branch![default b"SCALar";
            Branch![b"VOLTage"; Leaf!(default b"DC" => &Verb::ask(0, measured_volts))],
            Branch![b"CURRent"; Leaf!(default b"DC" => &Verb::ask(0, measured_amps))],
            Branch![b"POWEr"; Leaf!(default b"DC" => &Verb::ask(0, measured_watts))],
            Branch![b"POW"; Leaf!(default b"DC" => &Verb::ask(0, measured_watts))]
        ]
    ],
    Branch![b"INSTrument";
        Leaf!(b"NSELect" => &Verb::both(0, select, selected_number)),
        Leaf!(default b"SELEct" => &Verb::both(0, select, selected_name)),
        Leaf!(b"SELect" => &Verb::both(0, select, selected_name))
    ],
    Leaf!(b"APPLy" => &Verb::both(0, set_applied, applied)),
    volts_branch!(0),
    amps_branch!(0),
    Branch![b"SOURce1"; volts_branch!(1), amps_branch!(1)],
    Branch![b"SOURce2"; volts_branch!(2), amps_branch!(2)],
    Branch![b"SOURce3"; volts_branch!(3), amps_branch!(3)],
    Branch![b"OUTPut";
        Leaf!(default b"STATe" => &Verb::both(0, set_output, output)),
        Leaf!(b"MODE" => &Verb::ask(0, regulation)),
        Leaf!(b"CVCC" => &Verb::ask(0, regulation)),
        protection!(b"OVP", listed_over_v, set_listed_over_v, listed_over_v_on, set_listed_over_v_on, over_v_tripped, clear_over_v),
        protection!(b"OCP", listed_over_a, set_listed_over_a, listed_over_a_on, set_listed_over_a_on, over_a_tripped, clear_over_a),
        Leaf!(b"SENSe" => &Verb::both(0, panel::accept, |_, _, p| { word_of(p.next_token()?)?; Ok(Answer::word("NONE")) }))
    ],
    Branch![b"STATus"; Branch![b"QUEStionable"; Branch![b"INSTrument";
        summary!(1, b"ISUMmary1"), summary!(2, b"ISUMmary2"), summary!(3, b"ISUMmary3")
    ]]]
];
