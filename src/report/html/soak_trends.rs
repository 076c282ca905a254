//! What changed over a soak: start against end, drift, changes of level, time to the limits, Allan deviation.

use std::time::Duration;

use maud::{Markup, html};

use super::picture;
use super::top::{sentence, signs, told};
use crate::base::span::{render_elapsed, render_span};
use crate::event::FigureName;
use crate::report::figure::Shown;
use crate::report::soak::SoakView;
use crate::report::soak::show::{change, is_sure, levels, long_span, outlook, reaches};
use crate::report::soak::sweeps::{COMPARED, Warmth};
use crate::report::soak::trends::{Outlooked, SettingTrends, Trend};
use crate::report::svg::render_allan;
use crate::trend::{AllanPoint, Change, Changes};

/// What was held for less than its span by this factor was held in pieces.
const OFTEN: f64 = 1.2;
/// So many times as far as the outlook goes, times to a limit are told.
const FARTHEST: f64 = 10.0;
/// Changes of level told at once of one quantity; the others stand folded up behind them.
const AT_ONCE: usize = 5;
/// Most of those.
const MOST_FOLDED: usize = 500;

pub(super) fn render(view: &SoakView) -> Markup {
    html! {
        h2 { "Start against end" }
        (sweeps(view))
        @if view.trends.is_empty() {
            p { "No setting was held for long enough, apart from warming up: there is no drift to tell." }
        }
        @for setting in &view.trends { (setting_trends(setting)) }
        (limits(view))
        (allan(view))
    }
}

fn sweeps(view: &SoakView) -> Markup {
    let (count, compared) = (view.sweeps.count, &view.sweeps.compared);
    let has = |name: FigureName| {
        compared.iter().any(|point| {
            point
                .figures
                .iter()
                .any(|(known, first, last, _)| *known == name && (first.is_some() || last.is_some()))
        })
    };
    let shown: Vec<FigureName> = COMPARED.into_iter().filter(|name| has(*name)).collect();
    html! {
        h3 { "Sweep against sweep" }
        @if compared.is_empty() {
            p { "There " @if count == 1 { "is only one sweep" } @else { "is no sweep" } " so far: there is nothing to compare." }
        } @else {
            div.scroll.far { table.slim.compared {
                thead { tr { th { "setting" } @for name in &shown { th.number { (heading(*name)) } } } }
                tbody { @for point in compared { tr {
                    td.nowrap { (point.setting.vin) ", " (point.setting.load) }
                    @for (name, first, last, jump) in point.figures.iter().filter(|(name, ..)| shown.contains(name)) {
                        td.number { (pair(*name, *first, *last)) @if let Some(jump) = jump { br; span.small.jump { (jump.told("sweep", name.unit())) } } }
                    }
                } } }
            } }
            p.small {
                @if let Some((first, last, warmth)) = view.sweeps.pair {
                    "Sweep " (first) " → sweep " (last) " of " (count) ", the last one, and the change under it. "
                    @if let Some(warmer_k) = view.sweeps.warmer_k() {
                        "At the last one the board was " b { (format!("{:.1} K ", warmer_k.abs())) @if warmer_k > 0.0 { "warmer" } @else { "cooler" } } ": what heat alone changes is in these differences. "
                    }
                    @else { @match warmth {
                        Warmth::WarmedUp => { "Sweep " (first) " is the first one behind the warm-up, so that warm is compared with warm. " }
                        Warmth::Underway => { "Sweep " (first) " is the first one after the phases had begun; one before that found the board cold. " }
                        Warmth::Cold => { "Sweep " (first) " was made before anything was held, and the board was cold: what heat alone changes is in these differences. " }
                    } }
                }
                "A point is one look each: of a single change it is not known whether it would come again. "
                "Where one change between two sweeps stands out of those of all settings, it stands there, too."
            }
        }
    }
}

/// As short as a column is narrow.
const fn heading(name: FigureName) -> &'static str {
    match name {
        FigureName::Vout => "output voltage",
        FigureName::RipplePp => "ripple",
        FigureName::NoisePp20Mhz => "noise, 20 MHz",
        FigureName::BoardTemperature => "board",
        other => other.title(),
    }
}

fn pair(name: FigureName, first: Option<f64>, last: Option<f64>) -> Markup {
    let largest = first.unwrap_or(0.0).abs().max(last.unwrap_or(0.0).abs());
    let shown = Shown::for_values(name, largest);
    let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| shown.digits(value));
    let change = first.zip(last).map(|(first, last)| last - first);
    let of_change = Shown::for_values(name, change.unwrap_or(0.0).abs());
    // A change of a temperature is told in kelvin, one of a ratio in points of a per cent.
    let unit = match of_change.unit {
        "°C" => "K",
        "%" => "%-points",
        unit => unit,
    };
    html! {
        (number(first)) " → " (number(last)) " " (shown.unit)
        br; span.small { @match change {
            Some(change) => { @if change > 0.0 { "+" } (of_change.digits(change)) " " (unit) }
            None => { "no change can be told" }
        } }
    }
}

fn setting_trends(setting: &SettingTrends) -> Markup {
    html! {
        h3 { (sentence(&setting.phase).trim_end_matches('.')) ": " (setting.setting.vin) ", " (setting.setting.load) ", held for " (render_span(Duration::from_secs_f64(setting.held_s))) }
        @if setting.span_s > OFTEN * setting.held_s {
            p { "Not in one piece: from its first to its last reading after settling it took " (long_span(setting.span_s)) ", with other settings, phases or gaps between." }
        }
        div.scroll { table.cards.trends {
            thead { tr {
                th { "quantity" } th.number { "start" } th.number { "end" } th { "change, 95 % interval" } th { "drift an hour, 95 % interval" } th { "changes of level" }
            } }
            tbody { @for trend in &setting.trends { (row(trend)) } }
        } }
        p.small {
            "Start and end are the means of what was read of it in the first and last " (long_span(setting.part_s)) " of the time between its first and its last reading after settling (settling: the first hour of each time the phase is gone through, or a quarter of it). "
            "Bold: the interval leaves zero out, as one in twenty does by chance. The meter's own drift comes on top."
        }
    }
}

fn row(trend: &Trend) -> Markup {
    let reasons = (&trend.change, &trend.drift, &trend.changes);
    html! {
        tr {
            td { b { (trend.title) } }
            @match reasons.0 {
                Ok(told) => {
                    @let [start, end] = levels(told.start, told.end, trend.unit);
                    td.number data-label="start" { (start) }
                    td.number data-label="end" { (end) }
                    td data-label="change" { span.sure[is_sure(told.change)] { (change(told.change, trend.unit)) } }
                },
                Err(reason) => { td.number data-label="start" { "–" } td.number data-label="end" { "–" } td data-label="change" { span.small { (sentence(reason)) } } },
            }
            td data-label="drift an hour" { @match reasons.1 {
                Ok(drift) => span.sure[is_sure(drift.per_hour)] { (change(drift.per_hour, trend.unit)) },
                Err(reason) => span.small { (sentence(reason)) },
            } }
            td data-label="changes of level" { @match reasons.2 {
                Ok(changes) => (changes_of_level(changes, trend.unit)),
                Err(reason) => span.small { (sentence(reason)) },
            } @if let Some(jump) = &trend.between_rounds { br; (jump.told("round", trend.unit)) } }
        }
    }
}

fn changes_of_level(changes: &Changes, unit: &str) -> Markup {
    let (first, others) = changes.found.split_at(changes.found.len().min(AT_ONCE));
    let listed = &others[..others.len().min(MOST_FOLDED)];
    html! {
        @if first.is_empty() { "none found" }
        @for (place, found) in first.iter().enumerate() { @if place > 0 { br; } (one_change(found, unit)) }
        @if !listed.is_empty() { details {
            summary { "and " (others.len()) " more" }
            @for (place, found) in listed.iter().enumerate() { @if place > 0 { br; } (one_change(found, unit)) }
            @if listed.len() < others.len() { br; "Only the first " (listed.len()) " of them are listed." }
        } }
        @if changes.more { br; span.small { "No more were looked for: there may be others." } }
    }
}

fn one_change(found: &Change, unit: &str) -> String {
    let at = render_elapsed(Duration::from_secs_f64(found.at_s.clamp(0.0, 1e9)));
    format!("after {at}: {}", change(found.size, unit))
}

fn limits(view: &SoakView) -> Markup {
    let now_s = view.last_reading.map_or(0.0, |(_, after)| after.as_secs_f64());
    let until_s = view.until.as_secs_f64();
    let rows: Vec<(&SettingTrends, &Trend, &Outlooked)> = view
        .trends
        .iter()
        .flat_map(|setting| setting.trends.iter().map(move |trend| (setting, trend)))
        .flat_map(|(setting, trend)| trend.outlooks.iter().map(move |outlooked| (setting, trend, outlooked)))
        .collect();
    html! {
        @if !rows.is_empty() {
            h3 { "Time to each limit" }
            div.scroll { table.slim.cards {
                thead { tr { th { "outlook" } th { "limit" } th { "held" } th { "bounds" } th { "reached" } } }
                tbody { @for (setting, trend, outlooked) in rows {
                    @let word = outlooked.projection.as_ref().map_or("undecided", |projection| outlook(projection.outlook));
                    tr {
                        td { span class={ "tag " (word) } { (word) } br; span.small { "up to " (long_span(until_s)) } }
                        td { b { (outlooked.name) } br; span.small { (trend.title) } }
                        td data-label="held" { (setting.phase) ", " (setting.setting.vin) ", " (setting.setting.load) }
                        td data-label="bounds" { (signs(&outlooked.bounds)) }
                        td data-label="reached" { @match &outlooked.projection {
                            Ok(projection) => { (reaches(projection, (now_s, FARTHEST * until_s))) }
                            Err(reason) => { span.small { (told(&sentence(reason))) } }
                        } }
                    }
                } }
            } }
            p.small {
                "The mean, carried on along its straight line with its 95 % interval. The outlook is asked up to " (long_span(until_s)) " after the begin and says nothing of later; "
                "reached: when, counted from the last reading, and nothing farther than " (long_span(FARTHEST * until_s)) " after the begin. "
                "It holds as long as the drift goes on like this; ageing rarely is a straight line. Single readings scatter about the mean."
            }
        }
    }
}

fn allan(view: &SoakView) -> Markup {
    let line = |setting: &'_ SettingTrends| {
        format!("{}: {}, {}", setting.phase, setting.setting.vin, setting.setting.load)
    };
    let lines: Vec<(String, &[AllanPoint])> = view
        .trends
        .iter()
        .filter_map(|setting| setting.allan.as_ref().ok().map(|points| (line(setting), points.as_slice())))
        .take(4)
        .collect();
    html! {
        section.figure {
            h3 { "Stability of the output voltage" }
            @match render_allan(&lines) {
                Some(svg) => {
                    div.row {
                        (picture(&svg, "curves", "Allan deviation of the output voltage"))
                        aside.small {
                            p { "Allan deviation: by how much two averages of that length, one after the other, differ." }
                            p { "It falls with 1/√τ as long as noise is white, lies flat where it flickers, and rises where the output drifts." }
                            p { "Bars: 95 % intervals; where one ends in an arrow it goes on, for too few averages of that length bound it." }
                        }
                    }
                },
                None => p { "There is no Allan deviation: "
                    (view.trends.iter().find_map(|setting| setting.allan.as_ref().err()).map_or("no setting was held for long enough", |reason| reason.as_str())) "." },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trend::Estimate;

    #[test]
    fn every_change_of_level_that_was_found_stands_on_the_page_up_to_a_bound_that_is_told() {
        let size = Estimate { value: 0.01, low: 0.009, high: 0.011, confidence: 0.95 };
        let at = |hour: usize| Change {
            at_s: hour as f64 * 3600.0,
            within_s: 60.0,
            size,
            before: 5.0,
            after: 5.01,
        };
        let shown = |count: usize| {
            let found: Vec<Change> = (1..=count).map(at).collect();
            let changes = Changes { found, blocks: 2048, block_s: 60.0, smallest: 0.001, more: false };
            changes_of_level(&changes, "V").into_string()
        };
        for (count, told) in
            [(0, "none found"), (5, "after"), (18, "and 13 more"), (600, "Only the first 500 of them")]
        {
            let page = shown(count);
            assert!(page.contains(told), "{count}: {page}");
            assert_eq!(page.matches("after ").count(), count.min(505), "{count}");
            assert_eq!(page.contains("<details>"), count > 5, "{count}");
        }
    }
}
