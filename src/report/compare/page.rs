//! Everything that the page of a comparison shows: the comparison, and the data of its pictures.

use super::draw;
use super::parts::{Part, part};
use super::pictures::{ChangeMap, Dots, Forest, OverlaidSpectra};
use super::traces::{self, Overlaid, Sides};
use super::words;
use crate::compare::comparison::{Comparison, Request};
use crate::compare::effect::Effect;
use crate::compare::group::Group;
use crate::compare::quantity::Quantity;
use crate::compare::spectra::GroupSpectra;
use crate::event::FigureName as F;

/// The pictures of a quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantityView {
    /// Which.
    pub quantity: Quantity,
    /// Changes with their intervals, and how many points are not shown.
    pub forest: Option<(Forest, usize)>,
    /// Every board.
    pub dots: Option<Dots>,
    /// The change over input voltage and load.
    pub map: Option<ChangeMap>,
}

/// A comparison with its pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparisonPage {
    /// The comparison.
    pub comparison: Comparison,
    /// The limits that are not kept, in words.
    pub not_kept: Option<String>,
    /// The baseline that stands on the first side, in words: of all comparisons of a page alike.
    pub baseline: Option<String>,
    /// The folders that were meant and are no runs, in words: of all comparisons of a page alike.
    pub left_out: Option<String>,
    /// What is drawn over boards, points and settings.
    pub views: Vec<QuantityView>,
    /// A folded period of both sides, or why there is none.
    pub folded: Result<Overlaid, String>,
    /// The worst spike of both sides, or why there is none.
    pub spikes: Result<Overlaid, String>,
    /// Spectra of both sides.
    pub spectra: Option<OverlaidSpectra>,
}

/// Builds the page. Samples are read for the traces of one point of one board a side.
#[must_use]
pub fn build(
    comparison: Comparison,
    groups: (&Group, &Group),
    spectra: Option<(&GroupSpectra, &GroupSpectra)>,
    request: &Request,
) -> ComparisonPage {
    let not_kept = words::not_kept(&comparison, request.is_strict);
    let baseline = request.baseline.as_ref().map(words::baseline);
    let left_out = words::left_out(&request.left_out);
    // What was bought and what it costs; the rest stands in the table of all changes.
    let drawn = |effect: &&Effect| matches!(part(effect.quantity()), Part::Bought | Part::Price);
    let views = comparison.effects.iter().filter(drawn).map(|effect| QuantityView {
        quantity: effect.quantity(),
        forest: draw::forest(&comparison, effect),
        dots: draw::dots(&comparison, effect),
        map: draw::change_map(effect),
    });
    // A heading with nothing under it tells nothing that the first page has not told.
    let views = views.filter(|view| view.forest.is_some() || view.dots.is_some() || view.map.is_some());
    let views = views.collect();
    let of = |name: F, make: fn(&Sides<'_>) -> _| -> Result<Overlaid, String> {
        let effect = comparison.effect(Quantity::Figure(name));
        let none = || {
            format!("No trace of both sides belongs to a point at which the {} was compared.", name.title())
        };
        let made: Result<Option<Overlaid>, crate::record::RecordError> =
            make(&Sides { effect: effect.ok_or_else(none)?, groups, pairing: comparison.pairing });
        made.map_err(|error| format!("The traces cannot be shown: {error}."))?.ok_or_else(none)
    };
    let (folded, spikes) = (of(F::RipplePp, traces::folded), of(F::SpikePos, traces::spikes));
    let names = (groups.0.name.as_str(), groups.1.name.as_str());
    let spectra = spectra.and_then(|(before, after)| traces::spectra(names, before, after));
    ComparisonPage { comparison, baseline, not_kept, left_out, views, folded, spikes, spectra }
}
