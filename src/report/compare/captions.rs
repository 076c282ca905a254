//! What stands under the pictures of a quantity: what their marks mean, of those that they have.

use super::pictures::{ChangeMap, Dots, Forest, ForestRow, RowKind};
use crate::compare::effect::Pairing;
use crate::compare::quantity::Quantity;

const ARROW: &str = "Of what has an arrow only a bound is known: the truth lies on that side.";

/// Under the dots of every board; `over` tells of which points they are, where a bound is all that is known at some.
#[must_use]
pub fn dots(quantity: Quantity, over: Option<&str>, dots: &Dots) -> String {
    let (_, places) = quantity.places();
    let mut told = match over {
        None => format!(
            "Every board is a mark: its mean over the {places} that all boards have. The boards are what conclusions are drawn from."
        ),
        Some(over) if dots.rows.iter().any(|row| row.truth_is_more.is_some()) => format!(
            "Every board is a mark: its {over}, each bound in the place of a value. The boards are what the bound of the change is drawn \
             from. {ARROW}"
        ),
        Some(of) => format!(
            "Every board is a mark: its mean over the {of} with values on both sides. At the others a bound is all that is known, and the \
             change over all points is told as a bound."
        ),
    };
    if dots.is_paired {
        told.push_str(" A thin line joins the marks of one board.");
    }
    if dots.is_about_means {
        told.push_str(
            " The sides lie so far apart that each stands about its own mean; a unit is as long on both.",
        );
    }
    told
}

/// Over the pictures of the change in each step.
#[must_use]
pub fn steps<'f>(pictures: impl Iterator<Item = &'f Forest> + Clone) -> String {
    let mut told =
        "Each row of a picture is a step; hollow where it is not told from no change. The diamond is how far the difference moves."
            .to_owned();
    if pictures.flat_map(|picture| &picture.rows).any(|row| row.truth_is_more.is_some()) {
        told.push_str(&format!(" {ARROW}"));
    }
    told
}

/// Under a map of changes between those groups.
#[must_use]
pub fn map(groups: &str, map: &ChangeMap) -> String {
    let mut told = format!("The change of {groups} at each point, in {}.", map.unit);
    if map.cells.iter().flatten().any(|cell| cell.is_undecided) {
        told.push_str(if map.has_scatter {
            " A hatched cell is not told from no change when all points are claimed at once (Holm, 5 %)."
        } else {
            " No cell is told from no change, for nothing tells how far boards scatter."
        });
    }
    told
}

/// Under a forest plot of which so many points are not shown.
#[must_use]
pub fn forest((quantity, pairing): (Quantity, Pairing), forest: &Forest, hidden: usize) -> String {
    let has = |is: &dyn Fn(&ForestRow) -> bool| forest.rows.iter().any(is);
    let of = |kind: RowKind| move |row: &ForestRow| row.kind == kind;
    let point = of(RowKind::Point);
    let (one, places) = quantity.places();
    let with_interval = |is: &dyn Fn(&ForestRow) -> bool| has(&|row| is(row) && row.interval.is_some());
    let mut told = "The diamond is all boards together".to_owned();
    told.push_str(if with_interval(&of(RowKind::All)) { " with its 95 % interval." } else { "." });
    if has(&of(RowKind::Board)) {
        told.push_str(match pairing {
            Pairing::Board => " Squares are boards, each after against itself before.",
            Pairing::None => " Squares are boards, each against the mean of the other side.",
        });
    }
    if has(&|row| point(row) && row.truth_is_more.is_none()) {
        told.push_str(&format!(" Discs are single {places}"));
        told.push_str(if with_interval(&point) { " with their 95 % intervals" } else { "" });
        if !with_interval(&point) {
            told.push_str(", hollow because nothing tells how far boards scatter");
        } else if has(&|row| point(row) && row.truth_is_more.is_none() && row.is_undecided) {
            told.push_str(&format!(
                "; a hollow one is not told from no change when every {one} is claimed at once (Holm, 5 %)"
            ));
        }
        told.push('.');
    }
    if has(&|row| row.truth_is_more.is_some()) {
        told.push_str(&format!(" {ARROW}"));
    }
    if hidden > 0 {
        told.push_str(&format!(
            " {hidden} {places} between the smallest and the largest changes are not shown."
        ));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::super::pictures::DotRow;
    use super::*;

    fn row(kind: RowKind, is_undecided: bool, truth_is_more: Option<bool>) -> ForestRow {
        let interval = truth_is_more.is_none().then_some((-2.0, 1.0));
        let (label, told) = (String::new(), String::new());
        ForestRow { kind, label, value: -1.0, interval, is_undecided, truth_is_more, told }
    }

    fn under(quantity: &str, pairing: Pairing, rows: Vec<ForestRow>) -> String {
        let made = Forest { axis: String::new(), worse_is_more: None, rows };
        forest((quantity.parse().unwrap(), pairing), &made, 0)
    }

    #[test]
    fn the_lines_between_the_marks_of_pairs_are_told() {
        let of = |is_paired| {
            let made = Dots { axis: String::new(), is_about_means: false, is_paired, rows: Vec::new() };
            dots("load_regulation_v".parse().unwrap(), None, &made)
        };
        assert!(
            of(true)
                .starts_with("Every board is a mark: its mean over the input voltages that all boards have.")
        );
        assert!(
            dots(
                "ripple_pp_v".parse().unwrap(),
                Some("5 of 20 points"),
                &Dots { axis: String::new(), is_about_means: false, is_paired: false, rows: Vec::new() }
            )
            .starts_with(
                "Every board is a mark: its mean over the 5 of 20 points with values on both sides. At the others a bound is all"
            )
        );
        let row = DotRow {
            name: String::new(),
            boards: Vec::new(),
            mean: 0.0,
            told: String::new(),
            truth_is_more: Some(false),
        };
        let bounds = Dots { axis: String::new(), is_about_means: false, is_paired: false, rows: vec![row] };
        assert_eq!(
            dots(
                "ripple_pp_v".parse().unwrap(),
                Some("mean over all 20 points, 15 of them with a bound alone"),
                &bounds
            ),
            "Every board is a mark: its mean over all 20 points, 15 of them with a bound alone, each bound in the place of a value. The \
             boards are what the bound of the change is drawn from. Of what has an arrow only a bound is known: the truth lies on that \
             side."
        );
        assert!(
            of(true).ends_with(" A thin line joins the marks of one board.") && !of(false).contains("line")
        );
    }

    #[test]
    fn a_caption_tells_the_marks_that_the_picture_has_and_no_others() {
        let all = row(RowKind::All, false, None);
        let board = ForestRow { interval: None, ..row(RowKind::Board, false, None) };
        let sure = vec![all.clone(), board.clone(), row(RowKind::Point, false, None)];
        assert_eq!(
            under("noise_pp_20mhz_v", Pairing::None, sure),
            "The diamond is all boards together with its 95 % interval. Squares are boards, each against the mean of the other \
             side. Discs are single points with their 95 % intervals."
        );
        let open = vec![all, board, row(RowKind::Point, true, None)];
        let told = under("load_regulation_v", Pairing::Board, open);
        assert!(
            told.contains(
                "Squares are boards, each after against itself before. Discs are single input voltages"
            ),
            "{told}"
        );
        assert!(
            told.contains("a hollow one is not told from no change when every input voltage is claimed"),
            "{told}"
        );
        // Of one board a side nothing is told apart, and no test is named.
        let one = ForestRow { interval: None, ..row(RowKind::Point, true, None) };
        assert_eq!(
            under("noise_pp_20mhz_v", Pairing::None, vec![one]),
            "The diamond is all boards together. Discs are single points, hollow because nothing tells how far boards scatter."
        );
        // A bound is hollow because no test is made of it, and not because it is not told from no change.
        let bounds = vec![row(RowKind::All, false, Some(false)), row(RowKind::Point, true, Some(false))];
        assert_eq!(
            under("ripple_pp_v", Pairing::None, bounds),
            "The diamond is all boards together. Of what has an arrow only a bound is known: the truth lies on that side."
        );
    }
}
