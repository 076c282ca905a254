//! The pictures of a comparison: what is written in them and what they are drawn of.

use soakrig::compare::cell::Kind;
use soakrig::report::compare::pictures::{
    ChangeCell, ChangeMap, DotRow, Dots, Forest, ForestRow, OverlaidSpectra, OverlaidTraces, RowKind,
    SpectrumOver, Stretch, TraceOver,
};
use soakrig::report::svg::{
    render_change_map, render_dots, render_forest, render_overlaid_spectra, render_overlaid_traces,
};
use soakrig::waveform::Bound;

/// The texts of a picture in their order, and how many shapes of each kind it is drawn of.
fn structure(svg: &str) -> String {
    let texts: Vec<&str> = svg
        .split("<text")
        .skip(1)
        .filter_map(|rest| rest.split_once('>')?.1.split_once("</text>"))
        .map(|(text, _)| text.trim())
        .collect();
    let shapes = ["circle", "rect", "polyline", "polygon", "line ", "path"];
    let counts: Vec<String> = shapes
        .iter()
        .map(|shape| (shape, svg.matches(&format!("<{shape}")).count()))
        .filter(|(_, count)| *count > 0)
        .map(|(shape, count)| format!("{count} {}", shape.trim()))
        .collect();
    assert!(!svg.contains("NaN") && !svg.contains("http://www.w3.org/1999"), "{svg}");
    format!("{}\n{}", texts.join(" | "), counts.join(", "))
}

/// Kind, label, change, interval; of a bound whether the truth is more.
type Row<'a> = (RowKind, &'a str, f64, Option<(f64, f64)>, Option<bool>);

fn forest(rows: &[Row<'_>]) -> Forest {
    let row = |(kind, label, value, interval, truth_is_more): &Row<'_>| ForestRow {
        kind: *kind,
        label: (*label).to_owned(),
        value: *value,
        interval: *interval,
        is_undecided: truth_is_more.is_some(),
        truth_is_more: *truth_is_more,
        told: format!("{value:.1} dB"),
    };
    let rows = rows.iter().map(row).collect();
    Forest { axis: "change in dB".to_owned(), worse_is_more: Some(true), rows }
}

#[test]
fn a_forest_shows_no_change_and_where_it_is_worse_unless_that_lies_far_off() {
    let near = forest(&[
        (RowKind::All, "all boards", -1.0, Some((-2.0, 0.5)), None),
        (RowKind::Board, "b1", -1.2, None, None),
        (RowKind::Point, "24 V, 30 mA", -0.8, Some((-3.0, 1.0)), None),
        (RowKind::Point, "24 V, 500 mA", -2.0, None, Some(false)),
    ]);
    insta::assert_snapshot!(structure(&render_forest(&near).unwrap()), @r"
    worse | −3 | −2 | −1 | 0 | 1 | change in dB | all boards | -1.0 dB | b1 | -1.2 dB | 24 V, 30 mA | -0.8 dB | 24 V, 500 mA | -2.0 dB
    3 circle, 2 rect, 16 polyline, 2 polygon
    ");
    let far = forest(&[
        (RowKind::All, "all boards", -39.1, Some((-40.7, -37.4)), None),
        (RowKind::Board, "b1", -38.0, None, None),
    ]);
    insta::assert_snapshot!(structure(&render_forest(&far).unwrap()), @r"
    no change: far off on this side → | −40.5 | −40.0 | −39.5 | −39.0 | −38.5 | −38.0 | −37.5 | change in dB | all boards | -39.1 dB | b1 | -38.0 dB
    1 rect, 12 polyline, 1 polygon
    ");
    assert_eq!(render_forest(&forest(&[])), None);
}

#[test]
fn a_dot_plot_names_every_board_also_where_they_stand_close() {
    let row = |name: &str, at: f64| DotRow {
        name: name.to_owned(),
        boards: (0..5).map(|number| (format!("{name}{number}"), at + 0.01 * f64::from(number))).collect(),
        mean: at + 0.02,
        told: format!("mean {at} mV"),
        truth_is_more: None,
    };
    let dots = Dots {
        axis: "noise in dB".to_owned(),
        is_about_means: true,
        is_paired: false,
        rows: vec![row("A", 67.0), row("B", 28.0)],
    };
    insta::assert_snapshot!(structure(&render_dots(&dots).unwrap()), @r"
    −0.02 | −0.01 | 0.00 | 0.01 | 0.02 | noise in dB | A | mean 67 mV | A0 | A1 | A2 | A3 | A4 | B | mean 28 mV | B0 | B1 | B2 | B3 | B4
    5 circle, 10 rect, 10 polyline
    ");
}

#[test]
fn a_map_of_changes_marks_what_is_not_decided_bounds_and_what_is_missing() {
    let cell = |value: f64, is_undecided: bool, told: &str| {
        Some(ChangeCell { value, is_undecided, told: told.to_owned() })
    };
    let map = ChangeMap {
        vins: vec![18.0, 24.0],
        loads: vec![0.03, 0.5],
        cells: vec![cell(-2.0, false, "−2.0"), cell(0.5, true, "+0.5"), cell(-3.0, false, "≤−3.0"), None],
        has_scatter: true,
        unit: "dB",
        ends: (-3.0, 3.0),
        told: ("−3.0 dB".to_owned(), "+3.0 dB".to_owned()),
    };
    insta::assert_snapshot!(structure(&render_change_map(&map)), @r"
    −2.0 | +0.5 | ≤−3.0 | 30 mA | 500 mA | 18 | 24 | input voltage in V | −3.0 dB | +3.0 dB | not decided | ≤ ≥ | a bound | not on both sides
    25 rect, 21 polyline
    ");
}

#[test]
fn traces_and_spectra_lie_over_one_another_on_the_same_axes_with_their_names() {
    let line = |at: f64| vec![(0.0, at), (1e-6, at + 0.01), (2e-6, at)];
    let side = |name: &str, at: f64| TraceOver {
        name: name.to_owned(),
        band: line(at).into_iter().map(|(time, volts)| (time, volts - 0.01, volts + 0.01)).collect(),
        line: line(at),
        clipped_v: if at > 0.0 { vec![0.05] } else { Vec::new() },
    };
    let traces = OverlaidTraces {
        time_title: "time from the rising edge",
        volts_title: "output less its mean",
        sides: vec![side("revision A, board A1", 0.04), side("revision B, board B1", -0.04)],
    };
    insta::assert_snapshot!(structure(&render_overlaid_traces(&traces)), @r"
    −50 | 0 | 50 | output less its mean in mV | 0.0 | 0.5 | 1.0 | 1.5 | 2.0 | time from the rising edge in µs | clipped | revision A, board A1 | revision B, board B1
    3 circle, 6 rect, 107 polyline, 2 polygon
    ");
    let density = |volts: f64| [1e4, 1e5, 1e6, 1e7].map(|hz| (hz, volts)).to_vec();
    let side = |name: &str, volts: f64, floor: f64| SpectrumOver {
        name: name.to_owned(),
        line: density(volts),
        floor: density(floor),
    };
    let at = |kind: Kind, hz: (f64, f64)| Stretch { kind, hz, change: vec![(hz.0, -20.0), (hz.1, -20.0)] };
    let spectra = OverlaidSpectra {
        sides: [side("revision A", 1e-6, 0.5e-6), side("revision B", 1e-7, 0.9e-7)],
        change: vec![
            Stretch { kind: Kind::Nothing, hz: (1e4, 1e5), change: Vec::new() },
            at(Kind::Bound(Bound::Upper), (1.1e5, 1e6)),
            at(Kind::Value, (1.1e6, 3e6)),
            at(Kind::Bound(Bound::Lower), (3.1e6, 1e7)),
        ],
    };
    insta::assert_snapshot!(structure(&render_overlaid_spectra(&spectra)), @r"
    100 nV | 1 µV | density in V/√Hz | revision A | its probe and scope alone | revision B | its probe and scope alone | change | revision B at its noise: truly lower | revision A at its noise: truly higher | both at their noise: not known | not known | −20 | −10 | 0 | change in dB | 10 kHz | 100 kHz | 1 MHz | 10 MHz | frequency
    4 circle, 15 rect, 831 polyline, 4 polygon
    ");
}
