"""sigrok-cli (scpi-pps, rigol-ds) and lxi (raw) take the simulated bench for real instruments."""

import json
import re
import subprocess
import sys

bench = json.load(open(sys.argv[1]))["addresses"]


def check(what, good, told=""):
    if not good:
        sys.exit(f"FAILED {what}: {told}")
    print(f"ok {what} {told}".rstrip())


def place(role):
    _, host, port, _ = bench[role].split("::")
    return host, port


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


def lxi(role, command):
    host, port = place(role)
    return run("lxi", "scpi", "--raw", "--address", host, "--port", port, "--timeout", "3", command).strip()


def sigrok(driver, role, *arguments):
    host, port = place(role)
    return run("sigrok-cli", "--driver", f"{driver}:conn=tcp-raw/{host}/{port}", *arguments)


# lxi sets, sigrok looks.
check("lxi identity", lxi("source", "*IDN?").startswith("RIGOL TECHNOLOGIES,DP832"), lxi("source", "*IDN?"))
lxi("source", ":APPL CH1,18,0.8")
check("lxi reads back what it set", lxi("source", ":SOUR1:VOLT?") == "18.000", lxi("source", ":SOUR1:VOLT?"))
lxi("source", ":OUTP CH1,ON")

told = sigrok("scpi-pps", "source", "--scan")
check("sigrok-cli scpi-pps finds the supply", "DP832" in told, told.strip())
told = sigrok("scpi-pps", "source", "--samples", "1")
volts = [float(value) for value in re.findall(r"^(?:V)?1[^:]*: *([0-9.]+) *V", told, re.M)] or [
    float(value) for value in re.findall(r"([0-9.]+) V", told)
]
check("sigrok-cli scpi-pps measures it", any(abs(value - 18.0) < 0.1 for value in volts), told.strip().replace("\n", " | "))
told = sigrok("scpi-pps", "source", "--channel-group", "1", "--config", "voltage_target=12", "--set")
check("sigrok-cli scpi-pps sets", lxi("source", ":SOUR1:VOLT?") == "12.000", lxi("source", ":SOUR1:VOLT?"))
lxi("source", ":SOUR1:VOLT 24")

lxi("scope", ":CHAN1:DISP ON;:CHAN1:COUP DC;:CHAN1:SCAL 1;:TIM:MAIN:SCAL 0.0001")
told = sigrok("rigol-ds", "scope", "--scan")
check("sigrok-cli rigol-ds finds the scope", "DS1104Z" in told, told.strip())
told = sigrok("rigol-ds", "scope", "--channels", "CH1", "--frames", "1", "--output-format", "csv")
samples = [float(line) for line in told.splitlines() if re.fullmatch(r"-?[0-9.]+(e-?[0-9]+)?", line.strip())]
check("sigrok-cli rigol-ds reads a frame", len(samples) >= 1200, f"{len(samples)} samples")
mean = sum(samples) / len(samples)
check("sigrok-cli rigol-ds sees Vout", abs(mean - 5.0) < 0.3, f"{mean:.3f} V")

check("lxi on the load", lxi("load", "*IDN?").startswith("RIGOL TECHNOLOGIES,DL3021"))
lxi("source", ":OUTP CH1,OFF")
check("lxi switches off", lxi("source", ":OUTP? CH1") == "OFF")
