"""One line a check, and the count of them at the end."""

import json
import os
import signal
import sys
import time

passed = 0
failed = 0


def check(what, good, told="", wanted=""):
    """Prints `ok what: told`, or what was expected and what came."""
    global passed, failed
    told = " | ".join(str(told).split("\n"))
    if good:
        passed += 1
        print(f"ok {what}{': ' if told else ''}{told}", flush=True)
    else:
        failed += 1
        print(f"FAILED {what}: expected {wanted or 'something else'}, got {told or 'nothing'}", flush=True)


def same(what, told, wanted):
    check(what, told == wanted, repr(told), repr(wanted))


def near(what, value, wanted, slack):
    check(what, abs(value - wanted) <= slack, f"{value:.6g}", f"{wanted:.6g} within {slack:.3g}")


def until(what, look, good, wanted, limit=5.0):
    """Looks again until it is good or the time is over: how long settling takes depends on the machine."""
    end = time.monotonic() + limit
    told = look()
    while not good(told) and time.monotonic() < end:
        time.sleep(0.05)
        told = look()
    check(what, good(told), told, wanted)
    return told


def becomes(what, look, wanted):
    """For what one connection set and another reads: a client that ends right after its last write is done before the
    instrument has read it."""
    return until(what, look, lambda told: told == wanted, repr(wanted))


def start(limit_s):
    """Addresses of the bench by role; the whole run is given up after `limit_s`."""

    def give_up(*_):
        sys.exit(f"FAILED {os.path.basename(sys.argv[0])}: expected an end within {limit_s} s, got none")

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(limit_s)
    return bench_of(sys.argv[1])


def bench_of(path):
    """Addresses by role, of what `soakrig sim --json` printed."""
    with open(path) as file:
        return json.load(file)["addresses"]


def finish():
    """Leaves the counts where the script adds them up."""
    with open(sys.argv[2], "a") as file:
        file.write(f"{passed} {failed}\n")
    sys.exit(1 if failed else 0)
