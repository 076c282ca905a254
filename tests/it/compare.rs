//! Board revisions against each other, with runs of the simulated bench that are made once and shared.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::cli::{SIM, Told, arg, file, smoke_at, soakrig};

/// A folder with a run each of three boards of revision A and three others of revision B, and the smoke profile at 18 and 24 V.
pub(crate) fn reports() -> &'static Path {
    static REPORTS: OnceLock<TempDir> = OnceLock::new();
    let folder = REPORTS.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        let profile = file(&folder, "profile.toml", &smoke_at("[\"18 V\", \"24 V\"]"));
        for (serial, revision) in
            [("a1", "A"), ("a2", "A"), ("a3", "A"), ("b1", "B"), ("b2", "B"), ("b3", "B")]
        {
            run(&profile, (serial, revision), folder.path());
        }
        folder
    });
    folder.path()
}

/// How the output is captured so that it is not to be compared with what others captured: in the place of `samples = 60000`.
const OTHERWISE: &str = "samples = 60000\nripple_bandwidth_limit = false";

/// Measures a board; the run's folder.
pub(crate) fn run(profile: &Path, (serial, revision): (&str, &str), out: &Path) -> PathBuf {
    let told = soakrig(&[
        "run",
        arg(profile),
        "--rig",
        SIM,
        "--board",
        serial,
        "--revision",
        revision,
        "--out",
        arg(out),
        "--json",
        "-q",
    ])
    .assert_exit(0);
    PathBuf::from(told.json()["run"].as_str().unwrap())
}

pub(crate) fn compare(more: &[&str]) -> Told {
    let args = ["compare", "--width", "0", "--out", arg(reports())];
    let args: Vec<&str> = args.iter().chain(more).copied().collect();
    soakrig(&args)
}

/// The line that tells of a quantity.
#[track_caller]
pub(crate) fn line_of(told: &Told, words: &str) -> String {
    let found = told.out.lines().find(|line| line.contains(words));
    found.unwrap_or_else(|| panic!("`{words}` is not in:\n{}", told.out)).to_owned()
}

#[test]
fn the_filter_is_told_with_direction_interval_boards_and_spread_over_points() {
    let told = compare(&["--before", "*_a?", "--after", "*_b?"]).assert_exit(0);
    assert!(told.out.starts_with("COMPARABLE"), "{}", told.out);
    let noise = line_of(&told, "ripple and noise peak to peak, 20 MHz");
    for words in [
        "better",
        "revision B lowers",
        " dB (95 % interval ",
        "3 boards before, 3 after",
        "mean over 4 points",
    ] {
        assert!(noise.contains(words), "`{words}` is not in:\n{noise}");
    }
    let regulation = line_of(&told, "load regulation by");
    for words in [
        "mean over 2 input voltages, ",
        "; how far the output voltage moves between the smallest and the largest load; ",
    ] {
        assert!(regulation.contains(words), "`{words}` is not in:\n{regulation}");
    }
    let rise = line_of(&told, "temperature of the board over ambient");
    assert!(rise.contains("as far as the board had warmed up at each point"), "{rise}");
    // A spike that is less deep is told as lower in what is compared, its depth.
    assert!(line_of(&told, "revision B lowers the depth of the lowest spike by").contains("better"));
    // All boards of A were measured first.
    assert!(told.out.starts_with("COMPARABLE EXCEPT"), "{}", told.out);
    let order = line_of(&told, "run order");
    assert!(order.contains("matters") && order.contains("runs 1 to 3 before, runs 4 to 6 after"), "{order}");
    assert!(line_of(&told, "runs 1 to 3 are of revision A").contains("cannot be told apart"), "{}", told.out);
    assert!(line_of(&told, "with the drift taken off").contains(" a run (95 % interval "), "{}", told.out);
    let vout = line_of(&told, "output voltage at the board");
    assert!(vout.contains("does not surely change"), "boards scatter by more than the filter drops:\n{vout}");
}

#[test]
fn runs_are_found_by_folder_by_the_beginning_of_a_name_and_by_pattern() {
    let folders: Vec<PathBuf> = fs::read_dir(reports()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let of = |end: &str| folders.iter().find(|folder| arg(folder).ends_with(end)).unwrap();
    let by_folder =
        compare(&["--before", arg(of("_a1")), arg(of("_a2")), "--after", arg(of("_b1")), arg(of("_b2"))]);
    let name = |end: &str| of(end).file_name().unwrap().to_str().unwrap().to_owned();
    let (a1, a2, b1, b2) = (name("_a1"), name("_a2"), name("_b1"), name("_b2"));
    let by_name = compare(&["--before", &a1, &a2, "--after", &b1, &b2]);
    let by_pattern = compare(&["--before", "*a[12]", "--after", "*b1"]);
    by_pattern.assert_exit(2).assert_told(&["no run in", "is called `*a[12]`"]);
    assert_eq!(by_folder.out, by_name.out);
    let all = compare(&["--by", "revision", arg(reports())]).assert_exit(0);
    assert_eq!(all.out, compare(&["--before", "*_a?", "--after", "*_b*"]).out);
}

#[test]
fn a_limit_on_the_change_is_broken_only_where_the_interval_lies_beyond_it() {
    let limit = ["--worse-than", "noise_pp_20mhz_v:1dB"];
    let with = |sides: [&str; 4]| compare(&[&sides[..], &limit[..]].concat());
    let better = with(["--before", "*_a?", "--after", "*_b?"]).assert_exit(0);
    assert!(line_of(&better, "not worse than").contains("met"), "{}", better.out);
    let worse = with(["--before", "*_b?", "--after", "*_a?"]).assert_exit(1);
    assert!(line_of(&worse, "not worse than").contains("broken"), "{}", worse.out);
    let wide =
        compare(&["--before", "*_a?", "--after", "*_b?", "--worse-than", "vout_v:10mV"]).assert_exit(0);
    assert!(line_of(&wide, "not worse than").contains("undecided"), "{}", wide.out);
    compare(&["--before", "*_a?", "--after", "*_b?", "--worse-than", "vout_v:10mV", "--strict"])
        .assert_exit(1);
}

#[test]
fn a_limit_that_is_not_kept_is_told_before_everything_else_in_lines_on_stderr_and_on_the_page() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("page.html");
    let limits = ["--worse-than", "load_regulation_v:1mV", "--same-within", "vout_v:1V"];
    let told = sides(&[&limits[..], &["--html", arg(&path)]].concat()).assert_exit(1);
    let first = "1 of 2 limits on the change; broken: load_regulation_v not worse than 1 mV: +";
    assert!(told.out.starts_with(&format!("NOT MET  {first}")), "{}", told.out);
    let told = told.assert_told(&[format!("revision B against revision A: not met: {first}").as_str()]);
    // That something is the same is judged by the 90 % interval, and that one is told.
    assert!(line_of(&told, "vout_v the same within").contains(" (90 % interval "), "{}", told.out);
    let page = fs::read_to_string(path).unwrap();
    assert!(page.find("LIMIT NOT MET").unwrap() < page.find("COMPARABLE").unwrap());
    let kept = sides(&["--worse-than", "noise_pp_20mhz_v:1dB"]).assert_exit(0);
    assert!(kept.out.starts_with("COMPARABLE") && !kept.err.contains("not met"), "{}", kept.out);
}

#[test]
fn of_several_revisions_a_limit_that_the_last_one_breaks_is_told_before_the_first_one() {
    let (folder, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let own = smoke_at("[\"18 V\", \"24 V\"]");
    let measure = |profile: &str, folder: &TempDir, (board, revision): (&str, &str)| {
        run(&file(folder, "profile.toml", profile), (board, revision), folder.path());
    };
    measure(&own, &folder, ("d1", "D"));
    let path = folder.path().join("page.html");
    let groups = ["--before", "*_a?", "--by", "revision", "--after", "*_b?"];
    let limit = ["--worse-than", "noise_pp_20mhz_v:1dB", "--html", arg(&path)];
    let told = compare(&[&groups[..], &[arg(folder.path())], &limit].concat()).assert_exit(1);
    // B is better. Of D there is one board, which shows nothing.
    let first = "revision D against revision A: 1 of 1 limit on the change; not judged: noise_pp_20mhz_v";
    assert!(told.out.starts_with(&format!("NOT MET  {first}")), "{}", told.out);
    assert!(told.out.lines().any(|line| line.starts_with("  met ")), "{}", told.out);
    let page = fs::read_to_string(&path).unwrap();
    let top = &page[page.find("<main>").unwrap()..page.find("<h1>").unwrap()];
    assert!(top.contains("LIMIT NOT MET") && top.contains(&first[1..]), "{top}");
    // A revision that may not be compared is told there, too.
    let otherwise = own.replace("samples = 60000", OTHERWISE);
    measure(&otherwise, &other, ("d1", "D"));
    let told = compare(&[&groups[..], &[arg(other.path())]].concat()).assert_exit(2);
    assert!(told.out.starts_with("NOT COMPARABLE  revision D against revision A: "), "{}", told.out);
}

#[test]
fn a_board_that_never_comes_up_leaves_nothing_to_compare() {
    let folder = TempDir::new().unwrap();
    // Neither bridged nor fitted: nothing reaches the terminals, and a limit of the profile is broken.
    let profile = file(&folder, "profile.toml", &smoke_at("[\"18 V\", \"24 V\"]"));
    let fixed = ["run", arg(&profile), "--rig", SIM, "-q", "--out", arg(folder.path())];
    soakrig(&[&fixed[..], &["--board", "c1", "--revision", "C"]].concat()).assert_exit(1);
    let sides = ["--before", "*_a?", "--after", "*_b?", arg(folder.path())];
    let told = compare(&[&sides[..], &["--worse-than", "vout_v:1V"]].concat()).assert_exit(2);
    assert!(told.out.starts_with("NOT COMPARABLE"), "{}", told.out);
    let entry = "  breaks   boards in regulation of both sides, which have no point together: every board before, c1 in regulation at 0 of 4";
    line_of(&told, entry);
    assert!(!told.out.contains("what it bought"), "{}", told.out);
    // Where it is forced, that is told once and not of every figure.
    let page = folder.path().join("page.html");
    let told = compare(&[&sides[..], &["--force", "--html", arg(&page)]].concat()).assert_exit(0);
    let once = "othing can be compared: no point has a value on every board of both sides";
    for told in [&told.out, &fs::read_to_string(&page).unwrap()] {
        assert!(told.matches(once).count() == 1 && !told.contains("cannot be compared in"), "{told}");
    }
}

#[test]
fn three_revisions_show_that_half_of_the_coil_costs_half_of_the_drop() {
    let folder = TempDir::new().unwrap();
    let profile = file(&folder, "profile.toml", &smoke_at("[\"18 V\", \"24 V\"]"));
    for board in ["d1", "d2", "d3"] {
        run(&profile, (board, "D"), folder.path());
    }
    let runs = ["--by", "revision", "--after", "*_a?", "*_b?", arg(folder.path()), "--json"];
    let json = compare(&runs).assert_exit(0).json();
    let pairs: Vec<(&str, &str)> = (json["groups"].as_array().unwrap().iter())
        .map(|row| (row["before"].as_str().unwrap(), row["after"].as_str().unwrap()))
        .collect();
    assert_eq!(pairs, [("revision A", "revision B"), ("revision A", "revision D")]);
    let of = |group: &str, figure: &str| {
        let rows = json["changes"].as_array().unwrap();
        let row = rows.iter().find(|row| row["after_group"] == group && row["figure"] == figure).unwrap();
        let number = |key: &str| row[key].as_f64().unwrap_or_else(|| panic!("{key} is not in {row}"));
        (number("change"), number("low"), number("high"))
    };
    // Spikes get past either coil by what is stray; what the coil's resistance costs is half.
    let (large, small) = (of("revision B", "noise_pp_20mhz_v"), of("revision D", "noise_pp_20mhz_v"));
    assert!(large.2 < -30.0 && small.2 < -30.0, "{large:?} {small:?}");
    let (large, small) = (of("revision B", "load_regulation_v"), of("revision D", "load_regulation_v"));
    assert!(small.1 > 0.0 && small.2 < large.1, "{large:?} {small:?}");
    let part = small.0 / large.0;
    assert!((0.4..0.6).contains(&part), "{large:?} {small:?}");
}

#[test]
fn a_single_board_on_both_sides_is_told_of_as_one() {
    let folder = TempDir::new().unwrap();
    let again = folder.path().join("again_a1");
    fs::create_dir(&again).unwrap();
    fs::copy(run_of("a1").join("journal.jsonl"), again.join("journal.jsonl")).unwrap();
    let told = compare(&["--before", "*_a?", "--after", "*_b?", arg(&again)]).assert_exit(0);
    assert!(told.out.contains("  1 board stands on both sides: --pair board"), "{}", told.out);
    assert!(told.out.starts_with("COMPARABLE EXCEPT"), "{}", told.out);
    let mixed = line_of(&told, "board revisions on one side");
    assert!(mixed.contains('A') && mixed.contains("A; B"), "{mixed}");
}

#[test]
fn lines_are_folded_at_a_hundred_columns_in_a_pipe_and_at_the_width_that_is_asked_for() {
    let whole = sides(&[]).assert_exit(0).out;
    let folded = |more: &[&str]| {
        let args = ["compare", "--out", arg(reports()), "--before", "*_a?", "--after", "*_b?"];
        soakrig(&[&args, more].concat()).assert_exit(0).out
    };
    let longest = |text: &str| text.lines().map(|line| line.chars().count()).max().unwrap();
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert!(longest(&whole) > 200, "{whole}");
    for (more, width) in [(&[][..], 100), (&["--width", "72"], 72)] {
        let text = folded(more);
        assert!((width - 12..=width).contains(&longest(&text)), "{}:\n{text}", longest(&text));
        assert_eq!(words(&text), words(&whole));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_lines_are_folded_at_its_width() {
    let line = format!(
        "stty rows 40 cols 84; {} compare --out {} --before '*_a?' --after '*_b?'",
        crate::cli::PROGRAM,
        arg(reports())
    );
    let mut script = crate::cli::program_by("script");
    let shown = script.args(["-qec", &line, "/dev/null"]).stdin(std::process::Stdio::null()).output();
    // Without util-linux there is no terminal to be had.
    let Ok(shown) = shown else { return };
    let shown = String::from_utf8_lossy(&shown.stdout).replace('\r', "");
    let longest = shown.lines().map(|line| line.chars().count()).max().unwrap();
    assert!((70..=84).contains(&longest), "{longest} columns:\n{shown}");
}

#[test]
fn one_board_a_side_gives_no_interval_and_no_limit_can_be_judged() {
    let told = compare(&["--before", "*_a1", "--after", "*_b1", "--worse-than", "noise_pp_20mhz_v:1dB"])
        .assert_exit(1);
    assert!(line_of(&told, "not worse than").contains("not judged"), "{}", told.out);
    assert!(line_of(&told, "ripple and noise peak to peak, 20 MHz").contains("no interval"), "{}", told.out);
}

#[test]
fn runs_that_were_captured_otherwise_are_not_compared_unless_it_is_forced() {
    let folder = TempDir::new().unwrap();
    let other = smoke_at("[\"18 V\", \"24 V\"]").replace("samples = 60000", OTHERWISE);
    let profile = file(&folder, "profile.toml", &other);
    run(&profile, ("b1", "B"), folder.path());
    let sides = ["--before", "*_a?", "--after", arg(folder.path())];
    let refused = compare(&sides).assert_exit(2);
    assert!(refused.out.starts_with("NOT COMPARABLE"), "{}", refused.out);
    // No trace was kept, but the noise floors tell how the output was captured.
    let bandwidth = line_of(&refused, "bandwidth of vout, ripple: 20 MHz before, full after");
    assert!(bandwidth.contains("breaks"), "{bandwidth}");
    assert!(!refused.out.contains("what it bought"), "{}", refused.out);
    let forced = compare(&[&sides[..], &["--force"]].concat()).assert_exit(0);
    assert!(
        forced.out.starts_with("NOT COMPARABLE") && forced.out.contains("what it bought"),
        "{}",
        forced.out
    );
}

#[test]
fn a_run_on_both_sides_and_a_side_without_runs_are_refused() {
    compare(&["--before", "*_a?", "--after", "*_a1"]).assert_exit(2).assert_told(&["stands on both sides"]);
    for (words, told) in [
        (&["--before", "*_a?"][..], "name its runs with --after"),
        (&["--after", "*_a?"], "name its runs with --before"),
        (&["*_a?"], "runs alone have no sides: say --by revision"),
    ] {
        compare(words).assert_exit(2).assert_told(&[told]);
    }
    compare(&["--before", "*_a?"]).assert_exit(2).assert_told(&["--after"]);
    compare(&["--by", "revision", "*_a?"]).assert_exit(2).assert_told(&["of one revision"]);
    compare(&["--before", "nothing", "--after", "*_a1"]).assert_exit(2).assert_told(&["no run in"]);
    compare(&["--before", "*_a?", "--after", "*_b?", "--worse-than", "noise_pp_20mhz:1dB"])
        .assert_exit(2)
        .assert_told(&["the nearest is `noise_pp_20mhz_v`"]);
}

/// Both sides with more arguments.
fn sides(more: &[&str]) -> Told {
    compare(&[&["--before", "*_a?", "--after", "*_b?"], more].concat())
}

#[test]
fn what_probe_and_scope_alone_show_stands_beside_all_that_rides_on_the_output_and_nowhere_else() {
    let folder = TempDir::new().unwrap();
    let keeping = smoke_at("[\"18 V\"]").replace("samples = 60000", "samples = 60000\nkeep = true").replace(
        "\"noise_pp_20mhz_v\"",
        "\"noise_pp_20mhz_v\", \"noise_rms_20mhz_v\", \"rms_ac_v\", \"spike_pos_v\"",
    );
    let profile = file(&folder, "profile.toml", &keeping);
    let sides = [("a1", "A"), ("b1", "B")].map(|board| run(&profile, board, folder.path()));
    let sides = ["compare", "--width", "0", "--before", arg(&sides[0]), "--after", arg(&sides[1])];
    let told = soakrig(&sides).assert_exit(0);
    let noise = line_of(&told, "ripple and noise peak to peak, 20 MHz");
    assert!(
        noise.contains("probe and scope alone show ") && noise.contains(" after, not taken off)"),
        "{noise}"
    );
    let rms = line_of(&told, "ripple and noise rms, 20 MHz");
    assert!(rms.contains(" after, taken off in power)"), "{rms}");
    let rms = line_of(&told, "rms of the AC part");
    assert!(rms.contains("probe and scope alone show ") && rms.contains("taken off in power)"), "{rms}");
    let spike = line_of(&told, "the highest spike by");
    assert!(spike.contains("probe and scope alone show ") && spike.contains("not taken off)"), "{spike}");
    let ripple = line_of(&told, "ripple without spikes, peak to peak by");
    assert!(ripple.contains("no floor of probe and scope, for it is found by the edges"), "{ripple}");
    let spectra = soakrig(&[&sides[..], &["--spectra"]].concat()).assert_exit(0);
    let band = line_of(&spectra, "rms from 50 to 200 kHz");
    assert!(band.contains("probe and scope alone show ") && band.contains("not taken off)"), "{band}");
    // A limit on a band has the samples read without being told to.
    let limited =
        soakrig(&[&sides[..], &["--worse-than", "spectrum_50khz_200khz_v:1dB"]].concat()).assert_exit(1);
    assert_eq!(line_of(&limited, "rms from 50 to 200 kHz"), band);
    let loss = line_of(&told, "revision B raises the loss");
    assert!(!loss.contains("probe and scope"), "{loss}");
    let json = soakrig(&[&sides[..], &["--json"]].concat()).assert_exit(0).json();
    let changes = json["changes"].as_array().unwrap();
    let row = |figure: &str| changes.iter().find(|row| row["figure"] == figure).unwrap();
    let noise = row("noise_pp_20mhz_v");
    let number = |key: &str| noise[key].as_f64().unwrap();
    for side in ["before", "after"] {
        let [low, high, level] =
            [format!("floor_{side}_low"), format!("floor_{side}_high"), format!("level_{side}")]
                .map(|key| number(&key));
        assert!(0.0 < low && low <= high && high < level, "{side}: {low} to {high} under {level}");
    }
    // Without the filter spikes leave the range of the ripple: the figure comes from the wide capture, and so does its floor.
    assert!(number("floor_before_low") > 10.0 * number("floor_after_high"), "{noise}");
    assert!(row("loss_w")["floor_before_low"].is_null(), "{json}");
}

#[test]
fn what_three_boards_a_side_cannot_tell_is_told_in_text_json_and_page() {
    let folder = TempDir::new().unwrap();
    let page = folder.path().join("page.html");
    let told = sides(&["--html", arg(&page)]).assert_exit(0);
    let ranks =
        "can never reach 5 %, whatever was measured; its smallest p is 0.10, and it takes 4 boards a side";
    assert!(line_of(&told, ranks).contains("with 3 boards before and 3 after"), "{}", told.out);
    let interval = line_of(&told, "that a 95 % interval is right 95 times in 100");
    assert!(
        interval.contains("with 3 boards a side")
            && interval.contains("it may be right only 90.9 times in 100"),
        "{interval}"
    );
    let vout = line_of(&told, "whether the output voltage at the board changes by 5 mV or more");
    assert!(vout.contains("more on each than there are"), "{vout}");
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains(ranks) && page.contains("What cannot be concluded"));
    // All that was bought and all that it costs has its pictures; a map only what has points over input voltage and load.
    for (price, places, has_map) in [
        ("Load regulation", "input voltages", false),
        ("Temperature of the board over ambient", "points", true),
        ("Loss", "points", true),
    ] {
        let (_, drawn) = page.split_once(&format!("<h2>{price}</h2>")).unwrap();
        let drawn = drawn.split("<h2>").next().unwrap();
        assert!(drawn.contains(&format!("its mean over the {places} that all boards have")), "{price}");
        assert!(drawn.contains("\na1\n") && drawn.contains("\nb3\n"), "{price}: a board is missing");
        assert!(drawn.contains("picture curves forest"), "{price}");
        assert_eq!(drawn.contains("picture map"), has_map, "{price}");
    }
    // The other methods, each with the level and the way that it really has.
    let (_, others) = page.split_once("<h2>The same by other methods</h2>").unwrap();
    let others = others.split("<h2>").next().unwrap();
    assert!(
        others.contains("the widest one, from the lowest to the highest difference, has 90.0 %"),
        "{others}"
    );
    assert!(others.contains("<span class=\"small\">90.0 %</span>") && others.contains("≥ 0.10"), "{others}");
    assert!(
        others.contains(
            "4000 times from seed 1; 95 % by expanded percentiles. A bootstrap of 3 boards is coarse"
        ),
        "{others}"
    );
    let json = sides(&["--json"]).assert_exit(0).json();
    let noise =
        json["changes"].as_array().unwrap().iter().find(|row| row["figure"] == "noise_pp_20mhz_v").unwrap();
    assert!((noise["rank_confidence"].as_f64().unwrap() - 0.9).abs() < 1e-12, "{noise}");
    assert_eq!(
        (&noise["resampled_method"], &noise["resampled_draws"]),
        (&"expanded percentile".into(), &4000.into())
    );
    assert!(noise["resampled_seed"].is_u64() && noise["resampled_warning"].is_string(), "{noise}");
    let missing = json["not_concluded"].as_array().unwrap();
    assert!(missing[0]["figure"].is_null() && missing[0]["what"].as_str().unwrap().contains(ranks), "{json}");
    assert!(missing.iter().any(|row| row["figure"] == "vout_v"), "{missing:?}");
    let one = compare(&["--before", "*_a1", "--after", "*_b1"]).assert_exit(0);
    assert!(
        line_of(&one, "it takes 2 boards a side at the least").contains("one board on a side"),
        "{}",
        one.out
    );
}

#[test]
fn where_the_next_boards_lie_is_told_and_no_cpk_of_three_boards() {
    let told = sides(&[]).assert_exit(0);
    let noise = line_of(&told, "20 MHz: revision B: 95 % of all boards stay below");
    assert!(noise.contains("95 % sure, 3 boards"), "{noise}");
    assert!(told.out.contains("95 % of all boards lie between"), "{}", told.out);
    let limit = line_of(&told, "revision A, output voltage (vout_v at least 4.8 V): no Cpk");
    assert!(limit.ends_with("no Cpk, for this needs at least 5 boards of a side, there are 3"), "{limit}");
    let json = sides(&["--json"]).assert_exit(0).json();
    let row = |rows: &str, figure: &str| {
        let found = json[rows].as_array().unwrap().iter().find(|row| row["figure"] == figure).cloned();
        found.unwrap_or_else(|| panic!("no {figure} in {rows}"))
    };
    let noise = row("next_boards", "noise_pp_20mhz_v");
    assert!(noise["low"].is_null() && noise["high"].as_f64().unwrap() > 1.0, "before, in volts: {noise}");
    let vout = row("capabilities", "vout_v");
    assert!(
        vout["cpk"].is_null() && vout["no_cpk"].as_str().unwrap().contains("at least 5 boards"),
        "{vout}"
    );
}

#[test]
fn a_change_is_told_by_whether_it_matters_and_what_matters_can_be_named() {
    let sense = |more: &[&str], figure: &str| {
        let json = sides(&[&["--json"], more].concat()).assert_exit(0).json();
        let rows = json["changes"].as_array().unwrap().clone();
        let row = rows.into_iter().find(|row| row["figure"] == figure).unwrap();
        (row["sense"].as_str().unwrap().to_owned(), row["smallest"].as_f64())
    };
    assert_eq!(sense(&[], "noise_pp_20mhz_v"), ("better".to_owned(), Some(0.5)));
    assert_eq!(
        sense(&["--smallest", "noise_pp_20mhz_v:60dB"], "noise_pp_20mhz_v"),
        ("too small to matter".to_owned(), Some(60.0))
    );
    assert_eq!(
        sense(&["--smallest", "noise_pp_20mhz_v:0dB"], "noise_pp_20mhz_v"),
        ("better".to_owned(), None)
    );
    assert_eq!(sense(&[], "vout_v"), ("no change shown".to_owned(), Some(0.005)));
    assert_eq!(sense(&["--smallest", "vout_v:1V"], "vout_v"), ("too small to matter".to_owned(), Some(1.0)));
    let told = sides(&["--smallest", "noise_pp_20mhz_v:60dB"]).assert_exit(0);
    let noise = line_of(&told, "ripple and noise peak to peak, 20 MHz by");
    for words in ["too small to matter", "lowers", "which is too little to matter", "within ±60 dB"] {
        assert!(noise.contains(words), "`{words}` is not in:\n{noise}");
    }
    sides(&["--smallest", "noise_pp_20mhz_v:1V"]).assert_exit(2).assert_told(&["a number in dB is expected"]);
}

#[test]
fn the_gate_has_an_exit_code_and_a_junit_case_for_each_way_a_limit_comes_out() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("gate.xml");
    let gate = |limits: &[&str], code: i32| {
        sides(&[&["--junit", arg(&path)], limits].concat()).assert_exit(code);
        fs::read_to_string(&path).unwrap()
    };
    let met = gate(&["--worse-than", "noise_pp_20mhz_v:1dB", "--same-within", "vout_v:1V"], 0);
    assert!(met.contains("tests=\"3\" skipped=\"0\" failures=\"0\" errors=\"0\""), "{met}");
    // A name holds nothing that was measured; what was stands beside it.
    for words in ["name=\"noise_pp_20mhz_v not worse than 1 dB\"", "name=\"vout_v the same within 1 V\""] {
        assert!(met.contains(words), "`{words}` is not in:\n{met}");
    }
    assert!(met.contains("(90 % interval "), "{met}");
    let broken = gate(&["--worse-than", "load_regulation_v:1mV"], 1);
    assert!(
        broken.contains("failures=\"1\"") && broken.contains("classname=\"load_regulation_v\""),
        "{broken}"
    );
    assert!(broken.contains("<failure message=\"broken\" type=\"soakrig\">"), "{broken}");
    // What is not decided is skipped; of what must be shown to be the same it is a failure.
    let open = gate(&["--worse-than", "vout_v:10mV"], 0);
    assert!(
        open.contains("skipped=\"1\"") && open.contains("<skipped message=\"not decided: vout_v"),
        "{open}"
    );
    let strict = gate(&["--worse-than", "vout_v:10mV", "--strict"], 1);
    assert!(strict.contains("failures=\"1\" errors=\"0\""), "{strict}");
    let not_shown = gate(&["--same-within", "vout_v:10mV"], 1);
    assert!(
        not_shown.contains("failures=\"1\"") && not_shown.contains("<failure message=\"undecided\""),
        "{not_shown}"
    );
    // A figure that no run has cannot be judged, which is an error and no pass.
    let impossible = gate(&["--worse-than", "harmonic_1_v:1dB"], 1);
    assert!(
        impossible.contains("errors=\"1\"")
            && impossible.contains("no run of either side has the figure harmonic_1_v"),
        "{impossible}"
    );
}

#[test]
fn that_a_comparison_was_forced_stands_in_front_of_everything_and_what_is_refused_shows_nothing() {
    let folder = TempDir::new().unwrap();
    let other = smoke_at("[\"18 V\", \"24 V\"]").replace("samples = 60000", OTHERWISE);
    let profile = file(&folder, "profile.toml", &other);
    run(&profile, ("b1", "B"), folder.path());
    let (page, junit) = (folder.path().join("page.html"), folder.path().join("gate.xml"));
    let against = |more: &[&str]| {
        let fixed =
            ["--before", "*_a?", "--after", arg(folder.path()), "--html", arg(&page), "--junit", arg(&junit)];
        let told = compare(&[&fixed[..], more].concat());
        (told, fs::read_to_string(&page).unwrap(), fs::read_to_string(&junit).unwrap())
    };
    let (told, refused, xml) = against(&[]);
    told.assert_exit(2);
    assert!(refused.contains("NOT COMPARABLE") && refused.contains("nothing was compared"));
    assert!(!refused.contains("What it costs") && refused.contains("bandwidth of vout, ripple"));
    assert!(xml.contains("errors=\"1\"") && xml.contains("message=\"not comparable\""), "{xml}");
    let (told, forced, xml) = against(&["--force"]);
    told.assert_exit(0);
    let warning = forced.find("because that was forced").unwrap();
    assert!(
        forced.find("NOT COMPARABLE").unwrap() < warning && warning < forced.find("What it costs").unwrap()
    );
    // Nobody's board failed, but green would say that they are comparable.
    let skipped = "<skipped message=\"not comparable, and compared all the same because --force was given: bandwidth of vout, ripple";
    for words in ["errors=\"0\"", "skipped=\"1\"", skipped, "breaks: bandwidth of vout, ripple"] {
        assert!(xml.contains(words), "`{words}` is not in:\n{xml}");
    }
}

/// The folder of a shared run.
fn run_of(serial: &str) -> PathBuf {
    let entries = fs::read_dir(reports()).unwrap().map(|entry| entry.unwrap().path());
    entries.into_iter().find(|folder| arg(folder).ends_with(&format!("_{serial}"))).unwrap()
}

/// A folder in which the runs of two boards stand so many times each, without their samples.
fn many(count: usize) -> TempDir {
    let folder = TempDir::new().unwrap();
    for serial in ["a1", "b1"] {
        let journal = run_of(serial).join("journal.jsonl");
        for at in 0..count {
            let copy = folder.path().join(format!("lot7-{at:05}_{serial}"));
            fs::create_dir(&copy).unwrap();
            fs::copy(&journal, copy.join("journal.jsonl")).unwrap();
        }
    }
    folder
}

/// The most memory that a comparison of so many runs held, in KiB, and how many lines its table of points has.
#[cfg(target_os = "linux")]
fn memory_of(count: usize) -> (u64, usize) {
    let folder = many(count);
    let points = folder.path().join("points.csv");
    let args =
        ["compare", "--out", arg(folder.path()), "--before", "lot7-*_a1", "--after", "lot7-*_b1", "--points"];
    let mut child =
        crate::cli::program().args(args).arg(&points).stdout(std::process::Stdio::null()).spawn().unwrap();
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut most = 0;
    // The high-water mark only rises, so that the last look before the end is what is wanted.
    while child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let told = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        most = told.unwrap_or(most).max(most);
        std::thread::yield_now();
    }
    assert!(child.wait().unwrap().success());
    let lines = std::io::BufRead::lines(std::io::BufReader::new(fs::File::open(&points).unwrap())).count();
    (most, lines)
}

#[cfg(target_os = "linux")]
#[test]
#[allow(clippy::print_stdout)]
fn a_thousand_runs_take_no_more_memory_than_their_names_and_their_points_are_one_table() {
    let (few, many) = (memory_of(25), memory_of(500));
    // Four points a run, and a head.
    assert_eq!((few.1, many.1), (25 * 2 * 4 + 1, 500 * 2 * 4 + 1));
    let journal_kib = fs::metadata(run_of("a1").join("journal.jsonl")).unwrap().len() / 1024;
    let each_kib = many.0.saturating_sub(few.0) as f64 / 950.0;
    println!(
        "{} KiB for 50 runs, {} KiB for 1000: {each_kib:.2} KiB a run, whose journal has {journal_kib} KiB",
        few.0, many.0
    );
    assert!(few.0 > 1000, "nothing was seen of its memory");
    assert!(each_kib < 3.0 && each_kib < journal_kib as f64 / 4.0, "{each_kib} KiB a run");
}

#[test]
fn a_baseline_is_kept_by_name_and_found_again_by_name_and_by_board_revision() {
    let folder = TempDir::new().unwrap();
    for serial in ["a1", "a2", "b1", "b2"] {
        let (from, to) = (run_of(serial), folder.path().join(format!("run_{serial}")));
        fs::create_dir(&to).unwrap();
        fs::copy(from.join("journal.jsonl"), to.join("journal.jsonl")).unwrap();
    }
    let compare =
        |more: &[&str]| soakrig(&[&["compare", "--width", "0", "--out", arg(folder.path())], more].concat());
    compare(&["--after", "run_a?", "--save-baseline", "first-lot"])
        .assert_exit(0)
        .assert_told(&["2 runs kept"]);
    let plain = compare(&["--before", "run_a?", "--after", "run_b?"]).assert_exit(0);
    // Which one it is stands in the lines; beside that nothing differs.
    let with_baseline = |more: &[&str]| {
        let told = compare(more).assert_exit(0);
        let line = line_of(&told, "  held against the baseline first-lot (revision A, kept 20");
        assert!(line.ends_with(" UTC, 2 runs)"), "{line}");
        told.out.replace(&format!("{line}\n"), "")
    };
    for name in ["first-lot", "A"] {
        assert_eq!(with_baseline(&["--baseline", name, "--after", "run_b?"]), plain.out, "{name}");
    }
    // All runs may be named: those of the baseline stand on its side alone.
    assert_eq!(with_baseline(&["--baseline", "A", "--by", "revision", "run_*"]), plain.out);
    compare(&["--baseline", "A", "--by", "revision", "run_a?"])
        .assert_exit(2)
        .assert_told(&["all of these runs are those of the baseline A"]);
    compare(&["--baseline", "B", "--after", "run_b?"]).assert_exit(2).assert_told(&[
        "no baseline in ",
        "is called `B` or is of the board revision B; kept are first-lot (revision A)",
    ]);
    // Of two of one revision the one kept last is taken, and both are named: in lines, JSON and on the page.
    compare(&["--after", "run_a1", "--save-baseline", "second-lot"]).assert_exit(0);
    let page = folder.path().join("page.html");
    let told = compare(&["--baseline", "A", "--after", "run_b?", "--html", arg(&page)]).assert_exit(0);
    let line = line_of(&told, "held against the baseline second-lot (revision A, kept 20");
    let end = " UTC, 1 run), the one of revision A that was kept last; before it: first-lot";
    assert!(line.ends_with(end), "{line}");
    assert!(fs::read_to_string(&page).unwrap().contains(&format!("Held against{}.", &line[14..])));
    let json =
        |more: &[&str]| compare(&[more, &["--json"]].concat()).assert_exit(0).json()["baseline"].clone();
    let found = json(&["--baseline", "A", "--after", "run_b?"]);
    let kept = found["kept"].as_str().unwrap();
    assert_eq!(
        found,
        serde_json::json!({
            "name": "second-lot", "revisions": ["A"], "kept": kept, "runs": 1, "by_revision": true,
            "older": ["first-lot"]
        })
    );
    assert_eq!(json(&["--baseline", "first-lot", "--after", "run_b?"])["by_revision"], false);
    assert!(json(&["--before", "run_a?", "--after", "run_b?"]).is_null());
    // The same name is not kept twice, and a journal that is another one now is refused.
    compare(&["--after", "run_a?", "--save-baseline", "first-lot"]).assert_exit(2);
    let journal = folder.path().join("run_a2/journal.jsonl");
    fs::copy(run_of("b3").join("journal.jsonl"), &journal).unwrap();
    compare(&["--baseline", "first-lot", "--after", "run_b?"])
        .assert_exit(6)
        .assert_told(&["is not the one that was kept"]);
}

#[test]
fn what_a_comparison_writes_lies_neither_over_a_record_nor_over_something_else_that_it_writes() {
    let out = TempDir::new().unwrap();
    let page = out.path().join("page.html");
    let sides = ["--before", "*_a?", "--after", "*_b?"];
    let run = run_of("a1");
    let journal = run.join("journal.jsonl");
    let before = fs::read(&journal).unwrap();
    for (more, told) in [
        (["--html", arg(&page), "--junit", arg(&page)], "would be written over each other"),
        (["--points", arg(&journal), "--over", "1 h"], "belongs to the record of a run"),
        (["--html", arg(&run.join("report.html")), "--over", "1 h"], "belongs to the record of a run"),
    ] {
        compare(&[&sides[..], &more[..]].concat()).assert_exit(2).assert_told(&[told]);
    }
    assert!(!page.exists());
    assert_eq!(fs::read(&journal).unwrap(), before);
}

#[test]
fn a_board_without_a_pair_is_named_and_how_it_was_measured_does_not_count() {
    let out = TempDir::new().unwrap();
    let text = smoke_at("[\"18 V\", \"24 V\"]").replace("samples = 60000", OTHERWISE);
    let alone = run(&file(&out, "otherwise.toml", &text), ("zz", "A"), out.path());
    let again = out.path().join("again_a1");
    fs::create_dir(&again).unwrap();
    fs::copy(run_of("a1").join("journal.jsonl"), again.join("journal.jsonl")).unwrap();
    let sides = ["--before", "*_a1", arg(&alone), "--after", arg(&again)];
    compare(&sides).assert_exit(2);
    let told = compare(&[&sides[..], &["--pair", "board"]].concat()).assert_exit(0);
    told.assert_told(&["left out, for they were not measured both ways: zz of "]);
}

#[test]
fn the_notes_of_the_joined_points_are_those_of_the_runs_own_tables() {
    let out = TempDir::new().unwrap();
    let path = out.path().join("points.csv");
    sides(&["--points", arg(&path)]).assert_exit(0);
    let cells = |path: &Path, wanted: &[&str]| -> Vec<Vec<String>> {
        let mut reader = csv::Reader::from_path(path).unwrap();
        let heads = reader.headers().unwrap().clone();
        let at = |name: &str| heads.iter().position(|head| head == name).unwrap();
        let at: Vec<usize> = wanted.iter().map(|name| at(name)).collect();
        let rows = reader.records().map(|row| row.unwrap());
        rows.map(|row| at.iter().map(|at| row[*at].to_owned()).collect()).collect()
    };
    let joined = cells(&path, &["run", "point", "notes", "more_notes"]);
    let mut compared = 0;
    for run in
        fs::read_dir(reports()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir())
    {
        let name = run.file_name().unwrap().to_str().unwrap();
        for own in cells(&run.join("points.csv"), &["point", "notes"]) {
            let row = joined.iter().find(|row| row[0] == name && row[1] == own[0]).unwrap();
            assert_eq!(row[2], own[1], "{name}");
            compared += 1;
        }
    }
    assert_eq!(compared, joined.len());
}

#[test]
fn a_revision_without_a_board_in_common_is_told_as_not_comparable_and_the_others_stand() {
    let out = TempDir::new().unwrap();
    let profile = file(&out, "profile.toml", &smoke_at("[\"18 V\", \"24 V\"]"));
    for (board, revision) in [("a1", "B"), ("a2", "B"), ("d1", "D")] {
        run(&profile, (board, revision), out.path());
    }
    let groups = ["--by", "revision", "--pair", "board", "--after", "*_a?", arg(out.path())];
    let told = compare(&groups).assert_exit(2);
    let first = "NOT COMPARABLE  revision D against revision A: boards measured both ways";
    assert!(told.out.starts_with(first), "{}", told.out);
    let of_d = line_of(&told, "  breaks   boards measured both ways: a1; a2; a3 before, d1 after (");
    assert!(of_d.contains("none stands on both sides"), "{of_d}");
    line_of(&told, "COMPARABLE EXCEPT  revision B (2 boards, 2 runs) against revision A (2 boards, 2 runs)");
    assert!(
        line_of(&told, "lowers the ripple and noise peak to peak, 20 MHz")
            .contains("2 boards measured both ways")
    );
    // There is nothing that could be forced.
    let forced = compare(&[&groups[..], &["--force"]].concat()).assert_exit(2);
    assert!(!forced.out.contains("compared all the same"), "{}", forced.out);
    let json = compare(&[&groups[..], &["--json"]].concat()).assert_exit(2).json();
    let compared = |at: usize| json["groups"][at]["compared"].as_bool().unwrap();
    assert!(compared(0) && !compared(1), "{}", json["groups"]);
    // Where no revision has one there is nothing to compare at all.
    compare(&["--before", "*_b?", "--after", "*_a?", "--pair", "board"])
        .assert_exit(2)
        .assert_told(&["no board stands on both sides"]);
}
