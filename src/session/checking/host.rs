//! What the machine says of itself, and what that means: read in one place, taken apart by pure functions. What it does not
//! say is not guessed.

use std::fs;
use std::path::{Path, PathBuf};

use super::Grade;

/// What is known of the machine; each with why it is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Host {
    /// Bytes that may still be written where the run is kept.
    pub(super) free: Result<u64, String>,
    /// Whether a run's folder can be made there.
    pub(super) may_write: Result<(), String>,
    /// Whether the clock is held by a time server.
    pub(super) is_synchronised: Result<bool, String>,
    /// Whether it may go to sleep.
    pub(super) sleep: Sleep,
    /// What feeds it.
    pub(super) power: Result<Power, String>,
}

/// What speaks for and against the machine's going to sleep.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Sleep {
    /// The kernel's list of states, as `/sys/power/state` has it.
    pub(super) states: Option<String>,
    /// Whether the kernel goes to sleep by itself, as `/sys/power/autosleep` has it.
    pub(super) auto: Option<String>,
    /// What `systemctl is-enabled` says of the targets for sleep.
    pub(super) targets: Option<String>,
    /// What `systemd-inhibit --list` says.
    pub(super) inhibitors: Option<String>,
    /// Whether there is a lid.
    pub(super) has_lid: bool,
}

/// What feeds the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Power {
    /// It knows of no battery.
    NoBattery,
    /// It has a battery, and is on the mains.
    Mains,
    /// It is on its battery, with so many per cent left if it says so.
    Battery(Option<u8>),
}

/// One entry of `/sys/class/power_supply`, its files as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct PowerSupply {
    kind: String,
    /// `Device` is the battery of a mouse.
    scope: String,
    online: String,
    status: String,
    capacity: String,
}

/// Reads what this machine says; a question to the system waits no longer than some seconds.
pub(super) fn look_at_host(out: &Path) -> Host {
    let [targets, inhibitors, synchronised] = ask_system();
    let flag = Path::new("/run/systemd/timesync/synchronized").exists();
    Host {
        free: free_bytes(&nearest_folder(out)),
        may_write: try_writing(out).map_err(|error| error.to_string()),
        is_synchronised: if flag { Ok(true) } else { synchronised.and_then(|text| read_synchronised(&text)) },
        sleep: Sleep {
            states: read(Path::new("/sys/power/state")),
            auto: read(Path::new("/sys/power/autosleep")),
            targets: targets.ok(),
            inhibitors: inhibitors.ok(),
            has_lid: fs::read_dir("/proc/acpi/button/lid").is_ok_and(|mut lids| lids.next().is_some()),
        },
        power: power_supplies(Path::new("/sys/class/power_supply")).map(|supplies| judge_power(&supplies)),
    }
}

/// What the service manager says: of the targets for sleep, of who keeps the machine awake, of its clock.
#[cfg(unix)]
fn ask_system() -> [Result<String, String>; 3] {
    use super::host_unix::ask;
    [
        ask("systemctl", &["is-enabled", "sleep.target", "suspend.target"]),
        ask("systemd-inhibit", &["--list", "--no-legend", "--no-pager"]),
        ask("timedatectl", &["show", "--property=NTPSynchronized", "--value"]),
    ]
}

#[cfg(not(unix))]
fn ask_system() -> [Result<String, String>; 3] {
    [(); 3].map(|()| Err("this system is not asked".to_owned()))
}

/// Bytes that may still be written into a folder by whoever is no administrator.
///
/// # Errors
/// The system does not say.
#[cfg(unix)]
pub fn free_bytes(folder: &Path) -> Result<u64, String> {
    super::host_unix::free_bytes(folder)
}

/// Bytes that may still be written into a folder by whoever is no administrator.
///
/// # Errors
/// The system does not say.
#[cfg(not(unix))]
pub fn free_bytes(_: &Path) -> Result<u64, String> {
    Err("this system is not asked".to_owned())
}

/// The folder, or the nearest one above it that is there already.
pub(in crate::session) fn nearest_folder(out: &Path) -> PathBuf {
    let whole = std::path::absolute(out).unwrap_or_else(|_| out.to_owned());
    whole.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("/")).to_owned()
}

/// Makes a folder where a run's folder would be, or where its parents would, and takes it away again.
fn try_writing(out: &Path) -> std::io::Result<()> {
    if out.exists() && !out.is_dir() {
        return Err(std::io::Error::from(std::io::ErrorKind::NotADirectory));
    }
    let trial = nearest_folder(out).join(format!(".soakrig-trial-{}", std::process::id()));
    fs::create_dir(&trial)?;
    fs::remove_dir(&trial)
}

/// A short file of the kernel's, without its line end.
fn read(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

fn power_supplies(folder: &Path) -> Result<Vec<PowerSupply>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let text = |path: &Path, name: &str| read(&path.join(name)).unwrap_or_default();
    let supply = |path: PathBuf| PowerSupply {
        kind: text(&path, "type"),
        scope: text(&path, "scope"),
        online: text(&path, "online"),
        status: text(&path, "status"),
        capacity: text(&path, "capacity"),
    };
    Ok(entries.flatten().map(|entry| supply(entry.path())).collect())
}

fn read_synchronised(text: &str) -> Result<bool, String> {
    match text.trim() {
        "yes" => Ok(true),
        "no" => Ok(false),
        other => Err(format!("the system says `{}`", other.escape_debug())),
    }
}

fn judge_power(supplies: &[PowerSupply]) -> Power {
    let batteries = || supplies.iter().filter(|supply| supply.kind == "Battery" && supply.scope != "Device");
    if batteries().next().is_none() {
        return Power::NoBattery;
    }
    let is_fed = supplies.iter().any(|supply| supply.kind != "Battery" && supply.online == "1");
    // A machine whose supply is not listed still says whether its battery gives.
    match batteries().find(|battery| battery.status == "Discharging") {
        Some(battery) if !is_fed => Power::Battery(battery.capacity.parse().ok()),
        _ => Power::Mains,
    }
}

/// Whether the machine may go to sleep while nobody is there, and how to keep it awake.
pub(super) fn judge_sleep(sleep: &Sleep) -> (Grade, String) {
    if let Some(auto) = sleep.auto.as_deref().filter(|auto| !matches!(*auto, "" | "off")) {
        let told = format!("the kernel goes to sleep by itself (/sys/power/autosleep is `{auto}`)");
        return (Grade::Refusal, told);
    }
    if sleep.states.as_deref().is_some_and(|states| states.split_whitespace().next().is_none()) {
        return (Grade::Good, "this machine has no sleep state".to_owned());
    }
    let are_masked = |targets: &str| {
        targets.split_whitespace().next().is_some() && targets.split_whitespace().all(|word| word == "masked")
    };
    if sleep.targets.as_deref().is_some_and(are_masked) {
        return (Grade::Good, "sleep.target and suspend.target are masked".to_owned());
    }
    // `WHO UID USER PID COMM WHAT WHY MODE`; a delay only holds it up for a moment.
    let keeps_awake = |line: &&str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.last() == Some(&"block") && words.iter().any(|word| word.split(':').any(|what| what == "sleep"))
    };
    if let Some(line) = sleep.inhibitors.as_deref().and_then(|list| list.lines().find(keeps_awake)) {
        let who = line.split_whitespace().next().unwrap_or_default();
        return (Grade::Good, format!("`{who}` keeps it awake, as long as it runs"));
    }
    let lid = if sleep.has_lid { ", and closing its lid may do it" } else { "" };
    let known = if sleep.states.is_some() {
        format!("this machine may go to sleep{lid}, and then nobody watches the bench")
    } else {
        format!("whether this machine goes to sleep is not known{lid}")
    };
    (Grade::Warning, format!("{known}; `systemctl mask sleep.target suspend.target` keeps it awake"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_is_judged_by_what_the_machine_says_and_never_guessed() {
        let some = |text: &str| Some(text.to_owned());
        let states = some("freeze mem disk");
        let table = [
            Sleep::default(),
            Sleep { states: some(""), ..Sleep::default() },
            Sleep { states: states.clone(), ..Sleep::default() },
            Sleep {
                states: states.clone(),
                has_lid: true,
                targets: some("static\nstatic"),
                ..Sleep::default()
            },
            Sleep { states: states.clone(), targets: some("masked\nstatic"), ..Sleep::default() },
            Sleep { states: states.clone(), targets: some("masked\nmasked"), ..Sleep::default() },
            Sleep { states: states.clone(), targets: some(""), ..Sleep::default() },
            Sleep {
                inhibitors: some(
                    "NetworkManager 0 root 1 nm sleep needs time delay\nsoakd 0 root 9 s idle:sleep soak block",
                ),
                ..Sleep::default()
            },
            Sleep {
                inhibitors: some(
                    "UPower 0 root 1 upowerd sleep Pause delay\ngnome 0 u 2 g handle-lid-switch x block",
                ),
                ..Sleep::default()
            },
            Sleep { states: some(""), auto: some("mem"), ..Sleep::default() },
            Sleep { states, auto: some("off"), ..Sleep::default() },
        ];
        let told: Vec<String> = table
            .iter()
            .map(|sleep| {
                let (grade, told) = judge_sleep(sleep);
                format!("{}: {told}", grade.as_str())
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        warning: whether this machine goes to sleep is not known; `systemctl mask sleep.target suspend.target` keeps it awake
        good: this machine has no sleep state
        warning: this machine may go to sleep, and then nobody watches the bench; `systemctl mask sleep.target suspend.target` keeps it awake
        warning: this machine may go to sleep, and closing its lid may do it, and then nobody watches the bench; `systemctl mask sleep.target suspend.target` keeps it awake
        warning: this machine may go to sleep, and then nobody watches the bench; `systemctl mask sleep.target suspend.target` keeps it awake
        good: sleep.target and suspend.target are masked
        warning: this machine may go to sleep, and then nobody watches the bench; `systemctl mask sleep.target suspend.target` keeps it awake
        good: `soakd` keeps it awake, as long as it runs
        warning: whether this machine goes to sleep is not known; `systemctl mask sleep.target suspend.target` keeps it awake
        refusal: the kernel goes to sleep by itself (/sys/power/autosleep is `mem`)
        warning: this machine may go to sleep, and then nobody watches the bench; `systemctl mask sleep.target suspend.target` keeps it awake
        ");
    }

    #[test]
    fn a_machine_is_on_its_battery_only_where_the_battery_gives_and_nothing_feeds_it() {
        let battery = |status: &str| PowerSupply {
            kind: "Battery".to_owned(),
            status: status.to_owned(),
            capacity: "83".to_owned(),
            ..PowerSupply::default()
        };
        let mains = |online: &str| PowerSupply {
            kind: "Mains".to_owned(),
            online: online.to_owned(),
            ..PowerSupply::default()
        };
        let mouse = PowerSupply { scope: "Device".to_owned(), ..battery("Discharging") };
        let dumb = PowerSupply { capacity: String::new(), ..battery("Discharging") };
        for (supplies, power) in [
            (vec![], Power::NoBattery),
            (vec![mains("1")], Power::NoBattery),
            (vec![mouse, mains("0")], Power::NoBattery),
            (vec![mains("1"), battery("Charging")], Power::Mains),
            (vec![mains("1"), battery("Discharging")], Power::Mains),
            (vec![mains("0"), battery("Discharging")], Power::Battery(Some(83))),
            (vec![dumb], Power::Battery(None)),
            (vec![battery("Full")], Power::Mains),
        ] {
            assert_eq!(judge_power(&supplies), power, "{supplies:?}");
        }
    }

    #[test]
    fn only_yes_and_no_say_whether_the_clock_is_synchronised() {
        assert_eq!(read_synchronised("yes\n"), Ok(true));
        assert_eq!(read_synchronised("no"), Ok(false));
        assert!(read_synchronised("").is_err() && read_synchronised("maybe").is_err());
    }
}
