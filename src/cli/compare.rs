//! `soakrig compare`: what changed between groups of runs.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::analyze::check_page_place;
use super::args::{CompareArgs, PairChoice};
use super::exit::Exit;
use super::fold::print_prose;
use super::message::{CliError, Outcome, print, tell};
use super::places::check_places;
use crate::base::clock::{Clock as _, RealClock};
use crate::base::count::{counted, fitting};
use crate::base::names::in_order;
use crate::compare::effect::Pairing;
use crate::compare::gather::ReferenceRuns;
use crate::compare::quantity::Quantity;
use crate::compare::scores::add_load_regulation;
use crate::compare::spectra::{GroupSpectra, add_reference_bands, add_spectra};
use crate::compare::{Comparison, Gathering, Group, MOST_STEPS, Request, Stretches, compare};
use crate::record::baseline::{find_baseline, keep_baseline};
use crate::record::{Record, RecordError, export_csv, store};
use crate::report::compare::page::{self, ComparisonPage};
use crate::report::compare::{json, junit, text, words};
use crate::report::html::render_comparisons;

pub(super) fn run(args: &CompareArgs) -> Outcome {
    let places = [("--html", &args.html), ("--junit", &args.junit), ("--points", &args.points)];
    check_places(&places.map(|(option, path)| (option, path.as_deref())))?;
    args.html.as_deref().map_or(Ok(()), check_page_place)?;
    let mut gathering = Gathering { order: args.order.clone(), over: args.over, ..Gathering::default() };
    let mut groups = read_groups(args, &mut gathering)?;
    if let Some(path) = &args.points {
        write_points(path, &groups)?;
    }
    save_baseline(args, &groups)?;
    if groups.len() < 2 {
        if let Some(told) = words::left_out(&gathering.left_out) {
            tell(&told);
        }
        return Ok(Exit::Done);
    }
    add_load_regulation(&mut groups, &mut gathering.reference);
    let spectra = if looks_at_spectra(args) {
        read_spectra(&mut groups, &mut gathering.reference)?
    } else {
        Vec::new()
    };
    let request = Request {
        pairing: match args.pair {
            Some(PairChoice::Board) => Pairing::Board,
            None if args.stretch.is_some() => Pairing::Board,
            None => Pairing::None,
        },
        is_within_runs: args.stretch.is_some(),
        over: args.over,
        worse_than: args.worse_than.clone(),
        same_within: args.same_within.clone(),
        smallest: args.smallest.clone(),
        is_strict: args.strict,
        is_forced: args.force,
        seed: args.seed,
        reference: gathering.reference,
        turns: gathering.turns,
        left_out: gathering.left_out,
        baseline: gathering.baseline,
    };
    let made: Vec<Comparison> =
        groups.iter().skip(1).map(|other| compare(&groups[0], other, &request)).collect();
    if args.pair.is_some() && made.iter().all(|made| made.shared.is_empty()) {
        return Err(CliError::usage(
            "no board stands on both sides: --pair board compares boards of the same serial number with themselves",
        ));
    }
    for (other, made) in groups.iter().skip(1).zip(&made).filter(|_| args.pair.is_some()) {
        if made.shared.is_empty() {
            continue;
        }
        if let Some(told) = words::unpaired(&[&groups[0], other], &made.shared) {
            tell(&told);
        }
    }
    tell_all(args, (&groups, &spectra), (&made, &request))?;
    Ok(exit(&made, &request))
}

/// Whether anything is asked for that only the kept samples tell.
fn looks_at_spectra(args: &CompareArgs) -> bool {
    let mut named = args.worse_than.iter().chain(&args.same_within).chain(&args.smallest);
    args.spectra || args.html.is_some() || named.any(|named| matches!(named.quantity, Quantity::Band(_)))
}

fn tell_all(
    args: &CompareArgs,
    (groups, spectra): (&[Group], &[GroupSpectra]),
    (made, request): (&[Comparison], &Request),
) -> Result<(), CliError> {
    if let Some(path) = &args.html {
        let of = |place: usize| spectra.first().zip(spectra.get(place + 1));
        let page = |(place, made): (usize, &Comparison)| {
            page::build(made.clone(), (&groups[0], &groups[place + 1]), of(place), request)
        };
        let pages: Vec<ComparisonPage> = made.iter().enumerate().map(page).collect();
        write(path, render_comparisons(&pages).as_bytes())?;
        tell(&format!("page written to {}", path.display()));
    }
    if let Some(path) = &args.junit {
        write(path, junit::render(made, request)?.as_bytes())?;
    }
    for (name, told) in made.iter().filter_map(|made| Some((made, words::not_kept(made, args.strict)?))) {
        tell(&format!("{}: not met: {told}", words::groups(name)));
    }
    if args.json {
        let text = json::render(made, request).map_err(|error| CliError::internal(error.to_string()))?;
        return print(&text);
    }
    print_prose(&text::render(made, request), args.width)
}

const NOTHING: &str = "there is nothing to compare: name runs with --before (or --baseline) and --after, several revisions with \
                       --by revision, or two stretches of runs with --stretch";

/// What is not comparable is a fault of what was asked for; a broken limit is one of the boards.
fn exit(made: &[Comparison], request: &Request) -> Exit {
    let is_broken = |made: &Comparison| made.gates.iter().any(|gate| gate.is_broken(request.is_strict));
    if made.iter().any(Comparison::is_refused) {
        Exit::Usage
    } else if made.iter().any(is_broken) {
        Exit::LimitFailed
    } else {
        Exit::Done
    }
}

/// The groups, with the one in front that all others are held against.
fn read_groups(args: &CompareArgs, gathering: &mut Gathering) -> Result<Vec<Group>, CliError> {
    if let Some(stretches) = args.stretch {
        return read_stretches(args, stretches, gathering);
    }
    let mut before = find(args, &args.before, gathering)?;
    if let Some(name) = &args.baseline {
        let found = find_baseline(&args.out, name)?;
        before.extend(found.runs.iter().cloned());
        gathering.baseline = Some(found);
    }
    let wanted = if args.by.is_some() && args.after.is_empty() { &args.runs } else { &args.after };
    let mut after = find(args, wanted, gathering)?;
    if let (Some(name), Some(_)) = (&args.baseline, args.by) {
        // All runs may be named: those of the baseline stand on the first side alone.
        after.retain(|folder| !before.contains(folder));
        if after.is_empty() {
            return Err(CliError::usage(format!(
                "all of these runs are those of the baseline {name}: there is nothing to hold against it"
            )));
        }
    }
    if let Some(twice) = before.intersection(&after).next() {
        return Err(CliError::usage(format!(
            "{} stands on both sides: a run tells nothing against itself; --stretch holds two parts of a soak against each other",
            twice.display()
        )));
    }
    let is_saving_only = args.save_baseline.is_some() && before.is_empty() && args.by.is_none();
    if after.is_empty() || (before.is_empty() && args.by.is_none() && !is_saving_only) {
        let missing = match (before.is_empty(), after.is_empty(), args.runs.is_empty()) {
            (false, true, _) => "the side after is missing: name its runs with --after",
            (true, false, _) => {
                "the side before is missing: name its runs with --before, or a kept one with --baseline"
            }
            (true, true, false) => {
                "runs alone have no sides: say --by revision before them to make a side of each board revision, name the sides with \
                 --before and --after, or hold two stretches of the runs against each other with --stretch"
            }
            _ => NOTHING,
        };
        return Err(CliError::usage(missing));
    }
    let mut groups = Vec::new();
    if !before.is_empty() {
        groups.push(read_group("before", &before, gathering)?);
    }
    if args.by.is_some() {
        groups.extend(by_revision(&after, gathering)?);
    } else {
        groups.push(read_group("after", &after, gathering)?);
    }
    check_sides(args, &groups, gathering)?;
    if args.over.is_some() {
        check_steps(&groups)?;
    }
    look_beside(&groups, gathering)?;
    name_by_revision(&mut groups);
    Ok(groups)
}

/// Whether there is a run on each side.
fn check_sides(args: &CompareArgs, groups: &[Group], gathering: &mut Gathering) -> Result<(), CliError> {
    let count = groups.iter().map(|group| group.members.len()).sum::<usize>();
    let is_lacking =
        groups.iter().any(|group| group.members.is_empty()) || (args.by.is_some() && groups.len() < 2);
    // What would be there but for the damage is no fault of what was asked for.
    if let Some(fault) = gathering.fault.take_if(|_| is_lacking) {
        return Err(fault.into());
    }
    if let (true, Some(order)) = (groups.iter().any(|group| group.members.is_empty()), &args.order) {
        return Err(CliError::usage(format!("a side has no run of the order {order}")));
    }
    if args.by.is_some() && groups.len() < 2 {
        let order = args.order.as_ref().map_or_else(String::new, |order| format!(" of the order {order}"));
        let told = format!(
            "{}{order}, {} of one revision: there is nothing to hold it against",
            counted(count, "run"),
            fitting(count, "it is", "all are")
        );
        return Err(CliError::usage(told));
    }
    Ok(())
}

fn check_steps(groups: &[Group]) -> Result<(), CliError> {
    if groups.iter().any(|group| group.steps.is_empty()) {
        return Err(CliError::usage("--over goes through soaks, and a side has none"));
    }
    if groups.iter().any(|group| group.steps.len() > MOST_STEPS as usize) {
        return Err(CliError::usage(format!(
            "--over cuts these soaks into more than {MOST_STEPS} steps: take longer ones"
        )));
    }
    Ok(())
}

/// Two stretches of each run, each with those of all others.
fn read_stretches(
    args: &CompareArgs,
    stretches: Stretches,
    gathering: &mut Gathering,
) -> Result<Vec<Group>, CliError> {
    let wanted = [stretches.before, stretches.after];
    let mut groups = wanted.map(|stretch| Group::new(stretch.to_string()));
    let folders = find(args, &args.runs, gathering)?;
    if folders.is_empty() {
        return Err(CliError::usage(NOTHING));
    }
    for folder in folders {
        let runs = gathering.take_stretches(&folder, &wanted)?;
        if let [before, after] = runs.as_slice() {
            if !before.is_soak {
                return Err(CliError::usage(format!(
                    "the run {} is no soak but a sweep, whose start and end are of different points: --stretch holds two stretches \
                     of soaks against each other",
                    before.name
                )));
            }
            let overlap = before.window.zip(after.window).is_some_and(|(left, right)| left.overlaps(right));
            if overlap {
                let [left, right] = wanted;
                return Err(CliError::usage(format!(
                    "{left} and {right} overlap in the run {}",
                    before.name
                )));
            }
        }
        for (group, run) in groups.iter_mut().zip(runs) {
            if run.places.is_empty() {
                return Err(CliError::usage(format!(
                    "no point of the run {} lies in {}",
                    run.name, group.name
                )));
            }
            group.add(run);
        }
    }
    if let (true, Some(order)) = (groups[0].members.is_empty(), &args.order) {
        return Err(CliError::usage(format!("no run is of the order {order}")));
    }
    if let Some(fault) = gathering.fault.take_if(|_| groups[0].members.is_empty()) {
        return Err(fault.into());
    }
    if groups[0].members.is_empty() {
        return Err(CliError::usage("all these runs are of the reference board, which belongs to no group"));
    }
    Ok(groups.into())
}

/// The folders of all runs that are meant, each once.
fn find(
    args: &CompareArgs,
    wanted: &[String],
    gathering: &mut Gathering,
) -> Result<BTreeSet<PathBuf>, CliError> {
    let (mut runs, mut named) = (BTreeSet::new(), BTreeSet::new());
    for wanted in wanted {
        let found = store::find_all(&args.out, wanted)?;
        let known = if found.is_named { &mut named } else { &mut gathering.found };
        known.extend(found.runs.iter().cloned());
        gathering.left_out.extend(found.left_out);
        runs.extend(found.runs);
    }
    gathering.found.retain(|folder| !named.contains(folder));
    Ok(runs)
}

fn read_group(name: &str, folders: &BTreeSet<PathBuf>, gathering: &mut Gathering) -> Result<Group, CliError> {
    let mut group = Group::new(name);
    for folder in folders {
        if let Some(run) = gathering.take(folder)? {
            group.add(run);
        }
    }
    Ok(group)
}

/// Looks beside the runs for those that their order lacks.
fn look_beside(groups: &[Group], gathering: &mut Gathering) -> Result<(), CliError> {
    if !gathering.lacks_runs() {
        return Ok(());
    }
    let members = || groups.iter().flat_map(|group| &group.members).map(|member| &member.folder);
    let taken: BTreeSet<&PathBuf> = members().collect();
    let places: BTreeSet<&Path> = members().filter_map(|folder| folder.parent()).collect();
    for place in places {
        let beside = store::run_folders(place)?;
        beside.iter().filter(|folder| !taken.contains(folder)).for_each(|run| gathering.look_beside(run));
    }
    Ok(())
}

/// Sides of one revision each are called by it, where it tells them apart.
fn name_by_revision(groups: &mut [Group]) {
    let names: BTreeSet<String> = groups
        .iter()
        .filter(|group| group.revisions.len() == 1)
        .flat_map(|group| group.revisions.iter().map(ToString::to_string))
        .collect();
    if names.len() == groups.len() {
        for group in groups {
            group.name = group.revisions.iter().map(|revision| format!("revision {revision}")).collect();
        }
    }
}

fn by_revision(folders: &BTreeSet<PathBuf>, gathering: &mut Gathering) -> Result<Vec<Group>, CliError> {
    let mut groups: Vec<Group> = Vec::new();
    for folder in folders {
        let Some(run) = gathering.take(folder)? else { continue };
        let revision = run.board.revision.clone();
        match groups.iter_mut().find(|group| group.revisions.contains(&revision)) {
            Some(group) => group.add(run),
            None => {
                let mut group = Group::new(format!("revision {revision}"));
                group.add(run);
                groups.push(group);
            }
        }
    }
    // Each group is of one revision here.
    let name = |group: &Group| group.revisions.first().map(ToString::to_string).unwrap_or_default();
    groups.sort_by(|a, b| in_order(&name(a), &name(b)));
    Ok(groups)
}

/// Keeps the runs of the last group; of several revisions it would not be told which.
fn save_baseline(args: &CompareArgs, groups: &[Group]) -> Result<(), CliError> {
    let Some(name) = &args.save_baseline else { return Ok(()) };
    let Some(group) = groups.last().filter(|_| args.by.is_none()) else {
        return Err(CliError::usage("--save-baseline keeps the runs of --after: name them"));
    };
    let runs: Vec<PathBuf> = group.members.iter().map(|member| member.folder.clone()).collect();
    let revisions: Vec<_> = group.revisions.iter().cloned().collect();
    let path = keep_baseline(&args.out, name, (&runs, &revisions), RealClock::new().utc())?;
    tell(&format!("{} kept as the baseline {name} in {}", counted(runs.len(), "run"), path.display()));
    Ok(())
}

/// What the kept samples show, at the points that all boards of all groups have.
fn read_spectra(groups: &mut [Group], reference: &mut ReferenceRuns) -> Result<Vec<GroupSpectra>, CliError> {
    let mut places = groups.iter().map(Group::common_places);
    let first = places.next().unwrap_or_default();
    let common = places.fold(first, |common, places| common.intersection(&places).copied().collect());
    add_reference_bands(reference, &common)?;
    let spectra: Result<Vec<_>, RecordError> =
        groups.iter_mut().map(|group| add_spectra(group, &common)).collect();
    Ok(spectra?)
}

/// All points as one table, a run at a time.
fn write_points(path: &Path, groups: &[Group]) -> Result<(), CliError> {
    let fault = |error| cannot_write(path, &error);
    let mut file = BufWriter::new(File::create(path).map_err(fault)?);
    file.write_all(export_csv::joined_header().as_bytes()).map_err(fault)?;
    for group in groups {
        for member in &group.members {
            let rows = export_csv::render_joined(&Record::open(&member.folder)?, &group.name, |at| {
                member.holds(at)
            })?;
            file.write_all(rows.as_bytes()).map_err(fault)?;
        }
    }
    file.flush().map_err(fault)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    std::fs::write(path, bytes).map_err(|error| cannot_write(path, &error))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> CliError {
    CliError::usage(format!("cannot write {}: {error}", path.display()))
}
