"""PyVISA with pyvisa-py takes the simulated bench for real instruments: set, measure, errors, waveform, screenshot, serial."""

import json
import sys
import time

import pyvisa


def check(what, good, told=""):
    if not good:
        sys.exit(f"FAILED pyvisa: {what}: {told}")
    print(f"ok pyvisa {what} {told}".rstrip())


def near(value, wanted, slack):
    return abs(value - wanted) <= slack


bench = json.load(open(sys.argv[1]))["addresses"]
manager = pyvisa.ResourceManager("@py")


def open_socket(role):
    link = manager.open_resource(bench[role], read_termination="\n", write_termination="\n")
    link.timeout = 3000
    return link


supply, load, scope = (open_socket(role) for role in ("source", "load", "scope"))

for link, name in ((supply, "RIGOL TECHNOLOGIES,DP832,"), (load, "RIGOL TECHNOLOGIES,DL3021,"), (scope, "RIGOL TECHNOLOGIES,DS1104Z,")):
    answer = link.query("*IDN?")
    check("identity", answer.startswith(name), answer)

supply.write("*CLS")
supply.write(":APPL CH1,24,1")
check("set voltage", supply.query(":APPL? CH1").split(",")[-2:] == ["24.000", "1.0000"], supply.query(":APPL? CH1"))
supply.write(":OUTP CH1,ON")
load.write(":SOUR:FUNC CURR")
load.write(":SOUR:CURR:LEV:IMM 0.2")
load.write(":SOUR:INP:STAT ON")
time.sleep(1.0)
volts, amps, watts = (float(part) for part in supply.query(":MEAS:ALL? CH1").split(","))
check("supply measures what was set", near(volts, 24.0, 0.1), f"{volts} V {amps} A {watts} W")
check("supply's power is its product", near(watts, volts * amps, 0.05))
check("load draws what was set", near(float(load.query(":MEAS:CURR?")), 0.2, 0.005), load.query(":MEAS:CURR?"))
vout = float(load.query("MEASURE:VOLTAGE:DC?"))
check("the board regulates", near(vout, 5.0, 0.25), f"{vout} V")

supply.write(":NO:SUCH:HEADER")
first, second = supply.query(":SYST:ERR?"), supply.query(":SYST:ERR?")
check("error queue", first.startswith("-113") and second.startswith("0"), f"{first} then {second}")
supply.timeout = 500
try:
    supply.query(":NO:SUCH?")
    check("an unknown question gets no answer", False)
except pyvisa.errors.VisaIOError:
    check("an unknown question gets no answer", supply.query(":SYST:ERR?").startswith("-113"))

second_client = open_socket("source")
check("state is seen by a second client", second_client.query(":OUTP? CH1") == "ON")
second_client.close()

scope.write(":CHAN1:DISP ON;:CHAN1:PROB 10;:CHAN1:COUP DC;:CHAN1:SCAL 1;:CHAN1:OFFS 0")
scope.write(":TIM:MAIN:SCAL 0.00001")
scope.write(":RUN")
time.sleep(0.3)
scope.write(":WAV:SOUR CHAN1;:WAV:MODE NORM;:WAV:FORM BYTE")
preamble = scope.query(":WAV:PRE?").split(",")
codes = scope.query_binary_values(":WAV:DATA?", datatype="B", container=list)
increment, origin, reference = float(preamble[7]), float(preamble[8]), float(preamble[9])
mean = sum((code - origin - reference) * increment for code in codes) / len(codes)
check("waveform block", len(codes) == int(preamble[2]) == 1200, f"{len(codes)} points")
check("waveform shows Vout", near(mean, vout, 0.15), f"{mean:.3f} V")

scope.timeout = 5000
scope.write(":DISP:DATA? ON,OFF,PNG")
png = scope.read_binary_values(datatype="B", container=bytes, header_fmt="ieee")
check("screenshot", png.startswith(b"\x89PNG\r\n\x1a\n"), f"{len(png)} bytes")

load.write(":SOUR:INP:STAT OFF")
supply.write(":OUTP CH1,OFF")
check("outputs off", load.query(":SOUR:INP:STAT?") == "0" and supply.query(":OUTP? CH1") == "OFF")

sensor = manager.open_resource(bench["thermometer"], read_termination="\n", baud_rate=9600)
sensor.timeout = 3000
line = sensor.read()
line = sensor.read()
pairs = dict(part.split("=") for part in line.split())
check("thermometer over the pty", 0.0 < float(pairs["board"]) < 100.0 and "ambient" in pairs, line)
for link in (supply, load, scope, sensor):
    link.close()
