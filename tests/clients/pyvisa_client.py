"""PyVISA with pyvisa-py takes the simulated bench for real instruments: set, measure, errors, waveform, pictures, serial."""

import struct

import pyvisa

from checks import check, finish, near, same, start, until

bench = start(60)
manager = pyvisa.ResourceManager("@py")


def open_socket(role, write_termination="\n"):
    link = manager.open_resource(bench[role], read_termination="\n", write_termination=write_termination)
    link.timeout = 3000
    return link


def number(link, query):
    return float(link.query(query))


def silent(link, query):
    """What comes within half a second, which should be nothing."""
    link.timeout = 500
    try:
        return link.query(query)
    except pyvisa.errors.VisaIOError as error:
        return error.abbreviation
    finally:
        link.timeout = 3000


def read_block(link, query):
    link.write(query)
    return link.read_binary_values(datatype="B", container=bytes, header_fmt="ieee")


def check_identity(links):
    for (role, link), name in zip(links.items(), ("DP832", "DL3021", "DS1104Z")):
        link.write("*CLS")
        answer = link.query("*IDN?")
        fields = answer.split(",")
        check(f"identity of the {role}", len(fields) == 4 and fields[:2] == ["RIGOL TECHNOLOGIES", name], answer, name)


def check_wording(supply):
    """Cases, long and short words, line ends, several commands a line."""
    supply.write(":APPL CH1,24,1")
    same("set voltage and current", supply.query(":APPL? CH1").split(",")[-2:], ["24.000", "1.0000"])
    same("lower case, as python-ivi writes", supply.query("instrument:nselect 1;:source:voltage?"), "24.000")
    same("short words without a colon", supply.query("sour1:volt?"), "24.000")
    same("long words", supply.query(":SOURce1:VOLTage:LEVel:IMMediate:AMPLitude?"), "24.000")
    same("an answer with ;*WAI behind it", supply.query(":SOUR1:CURR?;*WAI"), "1.0000")
    supply.write(":INSTrument:NSELect 2; :SOURce:VOLTage 3.3;:SOUR:CURR 0.25; :INST:NSEL 1")
    same("several commands a line", supply.query(":SOUR2:VOLT?;:SOUR2:CURR?;:INST:NSEL?"), "3.300;0.2500;1")
    same("bounds", supply.query(":SOUR1:VOLT? MAX"), "32.000")
    crlf = open_socket("source", "\r\n")
    same("lines that end in CR LF", crlf.query("*IDN?"), supply.query("*IDN?"))
    crlf.close()
    same("nothing was wrong with all that", supply.query(":SYST:ERR?"), '0,"No error"')


def check_errors(supply):
    supply.write(":NO:SUCH:HEADER")
    same("an unknown command", supply.query(":SYST:ERR?"), '-113,"Undefined header"')
    same("the queue is empty again", supply.query(":SYST:ERR?"), '0,"No error"')
    same("an unknown question gets no answer", silent(supply, ":NO:SUCH?"), "VI_ERROR_TMO")
    same("and an entry in the queue", supply.query(":SYST:ERR:NEXT?"), '-113,"Undefined header"')
    supply.write(":SOUR1:VOLT 99")
    check("a voltage out of range is refused", (told := supply.query(":SYST:ERR?")).startswith("-222,"), told, "-222")
    same("and changes nothing", supply.query(":SOUR1:VOLT?"), "24.000")
    for _ in range(25):
        supply.write(":NO:SUCH:HEADER")
    entries = [int(supply.query(":SYST:ERR?").split(",")[0]) for _ in range(21)]
    same("the queue holds twenty and ends in overflow", entries, [-113] * 19 + [-350, 0])
    supply.write(":NO:SUCH:HEADER;")
    supply.write("*RST")
    check("*RST keeps the queue", (told := supply.query(":SYST:ERR?")).startswith("-113,"), told, "-113")
    supply.write(":NO:SUCH:HEADER")
    supply.write("*CLS")
    same("*CLS empties it", supply.query(":SYST:ERR?"), '0,"No error"')


def check_board(supply, load):
    supply.write(":APPL CH1,24,1")
    same("the output is off before it is switched on", supply.query(":OUTP? CH1"), "OFF")
    supply.write(":OUTP CH1,ON")
    same("complete", supply.query("*OPC?"), "1")
    load.write(":SOUR:FUNC CURR")
    load.write(":SOUR:CURR:LEV:IMM 0.2")
    load.write(":SOUR:INP:STAT ON")
    same("the load keeps its level", load.query(":SOUR:CURR:LEV:IMM?"), "0.200000")
    until("the load draws what was set", lambda: number(load, ":MEAS:CURR?"), lambda a: abs(a - 0.2) < 0.002, "0.2 A")
    until("the board regulates", lambda: number(load, "MEASURE:VOLTAGE:DC?"), lambda v: 4.8 < v < 5.2, "4.8 to 5.2 V")
    volts, amps, watts = (float(part) for part in supply.query(":MEAS:ALL? CH1").split(","))
    near("the supply measures what was set", volts, 24.0, 0.05)
    near("its power is the product", watts, volts * amps, 0.002)
    watts_out = number(load, ":MEAS:POW?")
    check("efficiency is a buck's", 0.75 < watts_out / watts < 0.95, f"{watts_out / watts:.3f}", "0.75 to 0.95")
    same("constant voltage", supply.query(":OUTP:MODE? CH1"), "CV")


def check_many_clients(supply):
    others = [open_socket("source") for _ in range(8)]
    for index, other in enumerate(others):
        other.write(f":SOUR2:VOLT {index + 1}")
        # Only its own answer tells a client that the command has been done.
        other.query("*OPC?")
        same(f"client {index + 1} of 8 sets and another sees it", supply.query(":SOUR2:VOLT?"), f"{index + 1}.000")
    for other in others:
        other.write(":SOUR1:VOLT?;:OUTP? CH1")
    same("all get their own answers", {other.read() for other in others}, {"24.000;ON"})
    for other in others:
        other.close()
    told = []
    for _ in range(10):
        again = open_socket("source")
        told.append(again.query(":SOUR2:VOLT?"))
        again.close()
    same("state survives ten reconnects", set(told), {"8.000"})


def check_vectors(scope):
    """One volt a division, 200 us a division, zero volts: figures known from real instruments and clients."""
    scope.write("*RST;*CLS")
    scope.write(":CHAN1:DISP ON;:CHAN1:PROB 10;:CHAN1:SCAL 1;:CHAN1:OFFS 0;:CHAN1:COUP GND")
    scope.write(":TIM:MAIN:SCAL 0.0002;:TIM:MAIN:OFFS 0")
    scope.write(":RUN;:WAV:SOUR CHAN1;:WAV:MODE NORM;:WAV:FORM BYTE;:WAV:STAR 1;:WAV:STOP 1200")
    same("preamble", scope.query(":WAV:PRE?"), "0,0,1200,1,2.000000e-06,-1.200000e-03,0,4.000000e-02,0,127")
    parts = [float(scope.query(f":WAV:{name}?")) for name in ("XINC", "XOR", "XREF", "YINC", "YOR", "YREF")]
    same("its parts one by one", parts, [2e-6, -1.2e-3, 0.0, 0.04, 0.0, 127.0])
    codes = read_block(scope, ":WAV:DATA?")
    same("length of a screen", len(codes), 1200)
    near("zero volts is code 127", sum(codes) / len(codes), 127.0, 0.2)
    scope.write(":WAV:FORM WORD")
    words = scope.query_binary_values(":WAV:DATA?", datatype="H", is_big_endian=False, container=list)
    same("words carry the code in their low byte", (len(words), max(words) < 256), (1200, True))
    scope.write(":WAV:FORM BYTE")
    scope.write(":CHAN1:OFFS -4")
    same("origin moves with the offset", scope.query(":WAV:YOR?"), "-100")
    codes = read_block(scope, ":WAV:DATA?")
    near("and so does zero: code 27", sum(codes) / len(codes), 27.0, 0.2)
    # Zero volts at the codes of a newline and a semicolon: no client may lose the last byte of a block.
    for offset in ("-4.68", "-2.72"):
        scope.write(f":CHAN1:OFFS {offset}")
        same(f"blocks at offset {offset} come whole", {len(read_block(scope, ":WAV:DATA?")) for _ in range(12)}, {1200})


def check_trace(scope, load):
    scope.write(":CHAN1:COUP DC;:CHAN1:SCAL 1;:CHAN1:OFFS 0;:TIM:MAIN:SCAL 0.00001")
    scope.write(":CHAN2:SCAL 10;:TRIG:EDGE:SOUR CHAN2;:TRIG:EDGE:LEV 10;:TRIG:SWE AUTO;:RUN")
    preamble = scope.query(":WAV:PRE?").split(",")
    codes = scope.query_binary_values(":WAV:DATA?", datatype="B", container=list)
    increment, origin, reference = (float(field) for field in preamble[7:])
    mean = sum((code - origin - reference) * increment for code in codes) / len(codes)
    vout = number(load, ":MEAS:VOLT?")
    near("the waveform shows Vout", mean, vout, 0.1)
    near("the scope's own average agrees", number(scope, ":MEAS:ITEM? VAVG,CHAN1"), mean, 0.05)
    scope.write(":ACQ:MDEP 12000")
    scope.write(":SING")
    until("a single acquisition ends", lambda: scope.query(":TRIG:STAT?"), lambda state: state == "STOP", "STOP")
    scope.write(":WAV:MODE RAW;:WAV:STAR 1;:WAV:STOP 12000")
    near("memory step is the sample rate's", number(scope, ":WAV:XINC?") * number(scope, ":ACQ:SRAT?"), 1.0, 1e-6)
    same("the memory comes whole", len(read_block(scope, ":WAV:DATA?")), 12000)
    scope.write(":WAV:MODE NORM;:WAV:STAR 1;:WAV:STOP 1200;:TRIG:SWE AUTO;:RUN")
    same("no error on the way", scope.query(":SYST:ERR?"), '0,"No error"')


def check_pictures(supply, scope):
    scope.timeout = 10000
    png = read_block(scope, ":DISP:DATA? ON,OFF,PNG")
    same("the scope's picture is a PNG", (png[:8], png[12:16]), (b"\x89PNG\r\n\x1a\n", b"IHDR"))
    same("of 800 by 480", struct.unpack(">II", png[16:24]), (800, 480))
    same("whole to its end", png[-8:-4], b"IEND")
    bmp = read_block(supply, ":SYST:PRINT? BMP")
    same("the supply's picture is a BMP as long as it says", (bmp[:2], struct.unpack("<I", bmp[2:6])[0]), (b"BM", len(bmp)))
    same("of 800 by 480 too", struct.unpack("<ii", bmp[18:26]), (800, 480))


def check_thermometer(supply):
    sensor = manager.open_resource(bench["thermometer"], read_termination="\n", baud_rate=9600)
    sensor.timeout = 3000
    # The first line may have begun before we listened.
    sensor.read()
    lines = [dict(part.split("=") for part in sensor.read().split()) for _ in range(3)]
    same("the pty sends three values a line", {tuple(line) for line in lines}, {("board", "ambient", "seq")})
    numbers = [int(line["seq"]) for line in lines]
    same("lines follow each other", numbers, list(range(numbers[0], numbers[0] + 3)))
    near("ambient is the rig's", float(lines[-1]["ambient"]), 23.0, 1.0)
    board, ambient = float(lines[-1]["board"]), float(lines[-1]["ambient"])
    check("the board is not colder than the air", ambient - 0.5 < board < 60, board, f"{ambient} to 60")
    sensor.close()


links = {role: open_socket(role) for role in ("source", "load", "scope")}
supply, load, scope = links.values()
check_identity(links)
check_wording(supply)
check_errors(supply)
check_board(supply, load)
check_many_clients(supply)
check_vectors(scope)
check_trace(scope, load)
check_pictures(supply, scope)
check_thermometer(supply)
load.write(":SOUR:INP:STAT OFF")
supply.write(":OUTP CH1,OFF")
same("outputs off at the end", (load.query(":SOUR:INP:STAT?"), supply.query(":OUTP? CH1")), ("0", "OFF"))
for link in links.values():
    link.close()
finish()
