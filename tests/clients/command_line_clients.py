"""sigrok-cli (scpi-pps, rigol-ds, siglent-sdl10x0 where it has it) and lxi (raw) take the simulated bench for real ones."""

import re
import subprocess
import sys

from checks import becomes, bench_of, check, finish, near, same, start, until

bench = start(75)


def run(*command):
    """What a client prints; one that hangs is ended after ten seconds and says so."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except subprocess.TimeoutExpired:
        return f"(no end within 10 s: {' '.join(command)})"
    return done.stdout + done.stderr


def lxi(role, command):
    _, host, port, _ = bench[role].split("::")
    return run("lxi", "scpi", "--raw", "--address", host, "--port", port, "--timeout", "3", command).strip()


def sigrok(driver, role, *arguments):
    _, host, port, _ = bench[role].split("::")
    return run("sigrok-cli", "--driver", f"{driver}:conn=tcp-raw/{host}/{port}", *arguments)


def check_lxi():
    for role, name in (("source", "DP832"), ("load", "DL3021"), ("scope", "DS1104Z")):
        told = lxi(role, "*IDN?")
        check(f"lxi: identity of the {role}", told.startswith(f"RIGOL TECHNOLOGIES,{name},"), told, name)
        lxi(role, "*CLS")
    lxi("source", ":APPL CH1,18,0.8")
    becomes("lxi reads back the voltage it set", lambda: lxi("source", ":SOUR1:VOLT?"), "18.000")
    becomes("lxi reads back the current limit it set", lambda: lxi("source", ":SOUR1:CURR?"), "0.8000")
    lxi("source", ":NO:SUCH:HEADER")
    becomes("lxi reads the error queue", lambda: lxi("source", ":SYST:ERR?"), '-113,"Undefined header"')
    lxi("source", ":OUTP CH1,ON")
    measured = until("lxi measures", lambda: lxi("source", ":MEAS:VOLT? CH1"), lambda told: told.startswith("18.0"), "18.0 V")
    same("four decimals", len(measured.partition(".")[2]), 4)


def shown(told, name):
    """A figure in base units as sigrok-cli prints it: `V1: 17.9994 V DC`."""
    found = re.search(rf"^{name}: (-?[0-9.]+) (m?)[VAW]\b", told, re.M)
    return float(found[1]) * (1e-3 if found[2] else 1.0) if found else float("nan")


def check_sigrok_supply():
    told = sigrok("scpi-pps", "source", "--scan")
    check("sigrok-cli scpi-pps finds the supply", "Rigol DP832" in told and "V3 I3 P3" in told, told.strip(), "a DP832 of nine channels")
    told = sigrok("scpi-pps", "source", "--samples", "1")
    near("sigrok-cli scpi-pps measures the voltage", shown(told, "V1"), 18.0, 0.05)
    near("and power that is the product", shown(told, "P1"), shown(told, "V1") * shown(told, "I1"), 0.003)
    near("and nothing on a channel that is off", shown(told, "V3"), 0.0, 0.002)
    for key, value, query, wanted in (
        ("voltage_target", "12.5", ":SOUR1:VOLT?", "12.500"),
        ("current_limit", "0.75", ":SOUR1:CURR?", "0.7500"),
        ("enabled", "off", ":OUTP? CH1", "OFF"),
        ("enabled", "on", ":OUTP? CH1", "ON"),
    ):
        sigrok("scpi-pps", "source", "--channel-group", "1", "--config", f"{key}={value}", "--set")
        becomes(f"sigrok-cli scpi-pps sets {key} {value}", lambda query=query: lxi("source", query), wanted)
    for key, wanted in (("voltage_target", 12.5), ("current_limit", 0.75)):
        told = sigrok("scpi-pps", "source", "--channel-group", "1", "--get", key)
        check(f"sigrok-cli scpi-pps reads {key} back", re.match(rf"{wanted}0*$", told, re.M), told.strip(), wanted)
    same("it asked nothing that a DP832 does not know", lxi("source", ":SYST:ERR?"), '0,"No error"')


def frame(told):
    return [float(line) for line in told.splitlines() if re.fullmatch(r"-?[0-9.]+(e[-+]?[0-9]+)?", line.strip())]


def check_sigrok_scope():
    lxi("source", ":APPL CH1,24,1")
    lxi("scope", "*RST;:CHAN1:DISP ON;:CHAN1:COUP DC;:CHAN1:SCAL 1;:CHAN1:OFFS 0;:TIM:MAIN:SCAL 0.0002")
    told = sigrok("rigol-ds", "scope", "--scan")
    check("sigrok-cli rigol-ds finds the scope", "Rigol DS1104Z" in told and "CH1 CH2 CH3 CH4" in told, told.strip(), "a DS1104Z of four channels")
    arguments = ("--channels", "CH1", "--frames", "1", "--output-format", "csv")
    samples = frame(sigrok("rigol-ds", "scope", *arguments))
    same("sigrok-cli rigol-ds reads a screen", len(samples), 1200)
    near("and sees Vout", sum(samples) / max(len(samples), 1), float(lxi("load", ":MEAS:VOLT?")), 0.1)
    lxi("scope", ":CHAN1:COUP GND")
    becomes("lxi grounds the input", lambda: lxi("scope", ":CHAN1:COUP?"), "GND")
    samples = frame(sigrok("rigol-ds", "scope", *arguments))
    near("and zero volts when grounded", sum(samples) / max(len(samples), 1), 0.0, 0.02)
    sigrok("rigol-ds", "scope", "--config", "timebase=50us", "--set")
    becomes("sigrok-cli rigol-ds sets the time base", lambda: lxi("scope", ":TIM:SCAL?"), "5.000000e-05")
    same("it asked nothing that a DS1104Z does not know", lxi("scope", ":SYST:ERR?"), '0,"No error"')


def check_load():
    lxi("load", ":FUNC CURR;:CURR 0.3;:INP ON")
    until("lxi: the load draws what it was told", lambda: lxi("load", ":MEAS:CURR?"), lambda told: abs(float(told or "nan") - 0.3) < 0.003, "0.3 A")
    lxi("load", ":INP OFF")
    becomes("lxi: the load is off", lambda: lxi("load", ":INP?"), "0")


def check_sigrok_load():
    bench["siglent"] = bench_of(sys.argv[3])["load"]
    told = lxi("siglent", "*IDN?")
    check("lxi: the load under Siglent's name", told.startswith("Siglent Technologies,SDL1020X-E,"), told, "an SDL1020X-E")
    if "siglent-sdl10x0" not in run("sigrok-cli", "--list-supported"):
        version = run("sigrok-cli", "--version").split("\n")[0]
        print(f"skipped sigrok-cli siglent-sdl10x0: this {version} has no such driver", flush=True)
        return
    told = sigrok("siglent-sdl10x0", "siglent", "--scan")
    check("sigrok-cli siglent-sdl10x0 finds the load", "SDL1020X-E" in told, told.strip(), "an SDL1020X-E")
    sigrok("siglent-sdl10x0", "siglent", "--config", "current_limit=0.25", "--set")
    becomes("sigrok-cli siglent-sdl10x0 sets the current", lambda: lxi("siglent", ":CURR:LEV?"), "0.250000")


check_lxi()
check_sigrok_supply()
check_sigrok_scope()
check_load()
check_sigrok_load()
lxi("source", ":OUTP CH1,OFF")
becomes("lxi switches the output off", lambda: lxi("source", ":OUTP? CH1"), "OFF")
finish()
