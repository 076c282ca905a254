//! The command tree.

use scpi::tree::Node;
use scpi::{Branch, Leaf};

use super::{figures, knobs, picture, wave};
use crate::sim::panel::{self, Answer, Verb};
use crate::sim::world::Bench;

macro_rules! channel {
    ($name:literal, $n:literal) => {
        Branch![$name;
            Leaf!(b"DISPlay" => &Verb::both($n, knobs::set_shown, knobs::shown)),
            Leaf!(b"SCALe" => &Verb::both($n, knobs::set_scale, knobs::scale)),
            Leaf!(b"RANGe" => &Verb::both($n, knobs::set_range, knobs::range)),
            Leaf!(b"OFFSet" => &Verb::both($n, knobs::set_offset, knobs::offset)),
            Leaf!(b"COUPling" => &Verb::both($n, knobs::set_coupling, knobs::coupling)),
            Leaf!(b"BWLimit" => &Verb::both($n, knobs::set_limited, knobs::limited)),
            Leaf!(b"PROBe" => &Verb::both($n, knobs::set_probe, knobs::probe)),
            Leaf!(b"INVert" => &Verb::both($n, knobs::set_inverted, knobs::inverted)),
            Leaf!(b"VERNier" => &Verb::both($n, knobs::set_vernier, knobs::vernier)),
            Leaf!(b"UNITs" => &Verb::both($n, knobs::set_unit, knobs::unit)),
            Leaf!(b"UNIT" => &Verb::both($n, knobs::set_unit, knobs::unit)),
            Leaf!(b"TCAL" => &Verb::both($n, panel::accept, |_, _, _| Ok(Answer::exponent(0.0))))
        ]
    };
}

macro_rules! edge {
    ($name:literal) => {
        Branch![$name;
            Leaf!(b"SOURce" => &Verb::both(0, knobs::set_edge_source, knobs::edge_source)),
            Leaf!(b"SLOPe" => &Verb::both(0, knobs::set_edge_slope, knobs::edge_slope)),
            Leaf!(b"LEVel" => &Verb::both(0, knobs::set_edge_level, knobs::edge_level))
        ]
    };
}

/// A fixed answer to something that cannot be changed here.
macro_rules! fixed {
    ($name:literal, $word:literal) => {
        Leaf!($name => &Verb::both(0, panel::accept, |_, _, _| Ok(Answer::word($word))))
    };
}

/// What the DS1104Z understands here.
pub(crate) const TREE: Node<'static, Bench> = panel::tree![
    system: [],
    channel!(b"CHANnel1", 1),
    channel!(b"CHANnel2", 2),
    channel!(b"CHANnel3", 3),
    channel!(b"CHANnel4", 4),
    Branch![b"TIMebase";
        Leaf!(b"MODE" => &Verb::both(0, knobs::set_time_mode, |_, _, _| Ok(Answer::word("MAIN")))),
        Branch![b"DELay";
            Leaf!(b"ENABle" => &Verb::ask(0, |_, _, _| Ok(Answer::bit(false)))),
            Leaf!(b"SCALe" => &Verb::ask(0, |_, _, _| Ok(Answer::exponent(5e-7)))),
            Leaf!(b"OFFSet" => &Verb::ask(0, |_, _, _| Ok(Answer::exponent(0.0))))
        ],
        Branch![default b"MAIN";
            Leaf!(b"SCALe" => &Verb::both(0, knobs::set_time_scale, knobs::time_scale)),
            Leaf!(b"OFFSet" => &Verb::both(0, knobs::set_time_offset, knobs::time_offset))
        ]
    ],
    Branch![b"TRIGger";
        Leaf!(b"MODE" => &Verb::both(0, knobs::set_trigger_mode, |_, _, _| Ok(Answer::word("EDGE")))),
        Leaf!(b"STATus" => &Verb::ask(0, knobs::trigger_status)),
        Leaf!(b"SWEep" => &Verb::both(0, knobs::set_sweep, knobs::sweep)),
        Leaf!(b"COUPling" => &Verb::both(0, knobs::set_trigger_coupling, knobs::trigger_coupling)),
        Leaf!(b"HOLDoff" => &Verb::both(0, knobs::set_holdoff, knobs::holdoff)),
        Leaf!(b"NREJect" => &Verb::both(0, knobs::set_noise_reject, knobs::noise_reject)),
        edge!(b"EDGe")
    ],
    Branch![b"ACQuire";
        Leaf!(b"SRATe" => &Verb::ask(0, knobs::rate)),
        Leaf!(b"MDEPth" => &Verb::both(0, knobs::set_depth, knobs::depth)),
        Leaf!(b"TYPE" => &Verb::both(0, knobs::set_acquisition, knobs::acquisition)),
        Leaf!(b"AVERages" => &Verb::both(0, knobs::set_averages, knobs::averages))
    ],
    Branch![b"WAVeform";
        Leaf!(b"SOURce" => &Verb::both(0, wave::set_source, wave::source)),
        Leaf!(b"MODE" => &Verb::both(0, wave::set_mode, wave::mode)),
        Leaf!(b"FORMat" => &Verb::both(0, wave::set_format, wave::format)),
        Leaf!(b"STARt" => &Verb::both(0, wave::set_start, wave::start)),
        Leaf!(b"STOP" => &Verb::both(0, wave::set_stop, wave::stop)),
        Leaf!(b"POINts" => &Verb::both(0, panel::accept, wave::points)),
        Leaf!(b"RESet" => &Verb::set(0, panel::accept)),
        Leaf!(b"BEGin" => &Verb::set(0, panel::accept)),
        Leaf!(b"END" => &Verb::set(0, panel::accept)),
        Leaf!(b"PREamble" => &Verb::ask(0, wave::preamble)),
        Leaf!(b"XINCrement" => &Verb::ask(0, wave::field)),
        Leaf!(b"XORigin" => &Verb::ask(1, wave::field)),
        Leaf!(b"XREFerence" => &Verb::ask(2, wave::field)),
        Leaf!(b"YINCrement" => &Verb::ask(3, wave::field)),
        Leaf!(b"YORigin" => &Verb::ask(4, wave::field)),
        Leaf!(b"YREFerence" => &Verb::ask(5, wave::field)),
        Leaf!(b"DATA" => &Verb::ask(0, wave::data))
    ],
    Branch![b"MEASure";
        Leaf!(b"ITEM" => &Verb::both(0, panel::accept, figures::item)),
        Branch![b"STATistic"; Leaf!(b"ITEM" => &Verb::both(0, panel::accept, figures::statistic))]
    ],
    Branch![b"DISPlay";
        Leaf!(b"DATA" => &Verb::ask(0, picture::data)),
        fixed!(b"TYPE", "VECT"),
        fixed!(b"GRID", "FULL"),
        fixed!(b"WBRightness", "50"),
        fixed!(b"GBRightness", "50"),
        Branch![b"GRADing"; fixed!(b"TIME", "MIN")]
    ],
    Branch![b"MATH"; Leaf!(b"DISPlay" => &Verb::ask(0, |_, _, _| Ok(Answer::bit(false))))],
    Branch![b"KEY"; Leaf!(b"LOCK" => &Verb::set(0, panel::accept))],
    Leaf!(b"RUN" => &Verb::set(0, knobs::run)),
    Leaf!(b"STOP" => &Verb::set(0, knobs::stop)),
    Leaf!(b"SINGle" => &Verb::set(0, knobs::single)),
    Leaf!(b"TFORce" => &Verb::set(0, knobs::force)),
    Leaf!(b"AUToscale" => &Verb::set(0, knobs::auto_scale)),
    Leaf!(b"CLEar" => &Verb::set(0, knobs::clear))
];
