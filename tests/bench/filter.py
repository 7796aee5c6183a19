#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Times vmcore-save beside makedumpfile on the same raw core: A B A B, medians and ratios.

Usage: tests/bench/filter.py [KERNEL | CORE SUITE]     (a name of tests/qemu/fetch list)

Both write to memory (/dev/shm), one thread each. Seconds are CPU seconds, user and system;
the last table's are of the clock. A ratio of seconds above 1 says that vmcore-save is faster,
one of bytes below 1 that its file is smaller. Beside the default, which is this program's own
choice, stand the two that one would choose from at makedumpfile.
"""

import collections
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "qemu"), os.path.dirname(HERE)]
import cores  # noqa: E402 pylint: disable=wrong-import-position
import product  # noqa: E402 pylint: disable=wrong-import-position
import readers  # noqa: E402 pylint: disable=wrong-import-position

ROUNDS = int(os.environ.get("ROUNDS") or 5)
OUT = "/dev/shm/vmcore-save-bench"
LEVELS = ("31", "1")
# ours, theirs
CASES = ((["-c"], ["-c"]), ([], ["-c"]), ([], ["-l"]), (["-l"], ["-l"]), (["-p"], ["-p"]),
         (["-z"], ["-z"]), (["-E"], ["-E"]), (["--dry-run"], ["--dry-run"]))
CODECS = {"-l": "lzo", "-p": "snappy", "-z": "zstd"}

Run = collections.namedtuple("Run", "cpu peak size wall")


def timed(argv):
    """One run: CPU seconds, peak KiB, bytes on disk, seconds."""
    if os.path.exists(OUT):
        os.unlink(OUT)
    # time(1) forks from a small process: a child of ours would start with our own peak.
    done = subprocess.run(["/usr/bin/time", "-f", "%U %S %M %e", *argv], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, encoding="utf-8", errors="replace", check=True)
    user, system, peak, wall = done.stderr.splitlines()[-1].split()
    size = 0
    if os.path.exists(OUT):
        size = os.stat(OUT).st_blocks * 512
        os.unlink(OUT)
    return Run(float(user) + float(system), int(peak), size, float(wall))


def in_turn(*commands):
    """The medians of each command's runs, A B A B."""
    runs = [[] for _ in commands]
    for _ in range(ROUNDS):
        for mine, argv in zip(runs, commands):
            mine.append(timed(argv))
    return [Run(*(statistics.median(run[i] for run in mine) for i in range(4))) for mine in runs]


def ratio(a, b):
    return "%.3f" % (a / b) if a and b else "-"


def memory_bandwidth():
    """MB/s of memcpy between two buffers that no cache holds."""
    source, rates = bytearray(os.urandom(1 << 20) * 256), []
    target = memoryview(bytearray(len(source)))
    for _ in range(ROUNDS):
        started = time.perf_counter()
        target[:] = source
        rates.append(len(source) / (time.perf_counter() - started) / 1e6)
    return statistics.median(rates)


def refusal(program, options):
    """Why a program does not take these options, or None."""
    if program == product.path():
        return None if product.supports(*options) else "not supported"
    text = subprocess.run([program, "-v"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding="utf-8", check=False).stdout
    for option in options:
        if option in CODECS and CODECS[option] + "\tenabled" not in text:
            return "not built in"
    return None


def compare(core, peer, level):
    print("\n%-9s %-9s %9s %9s %7s %9s %9s %13s %13s %7s" % (
        "-d " + level, "theirs", "ours s", "theirs s", "ratio", "ours KiB", "theirs", "ours bytes",
        "theirs", "ratio"))
    for ours, theirs in CASES:
        row = "%-9s %-9s" % (" ".join(ours) or "(none)", " ".join(theirs))
        commands, absent = [], []
        for who, program, options in (("ours", product.path(), ours), ("theirs", peer, theirs)):
            why = refusal(program, options)
            if why:
                absent.append("%s %s" % (who, why))
            else:
                one = ["--num-threads", "1"] if who == "ours" else []
                commands.append([program, *options, *one, "-d", level, core, OUT])
        if not commands or absent and "ours" in absent[0]:
            print("%s %s" % (row, ", ".join(absent)), flush=True)
            continue
        runs = in_turn(*commands)
        a, b = runs[0], runs[1] if len(runs) > 1 else Run(0, 0, 0, 0)
        print("%s %9.2f %9.2f %7s %9d %9d %13d %13d %7s %s" % (
            row, a.cpu, b.cpu, ratio(b.cpu, a.cpu), a.peak, b.peak, a.size, b.size,
            ratio(a.size, b.size), ", ".join(absent)), flush=True)


def threads(core):
    print("\n-d 31 threads: seconds by the clock (and of the CPU)")
    for options in ([], ["-c"], ["-z"]):
        row = "%-9s" % (" ".join(options) or "(none)")
        if not product.supports(*options, "--num-threads", "2"):
            print("%s not supported" % row)
            continue
        one, two = in_turn(*([product.path(), *options, "--num-threads", n, "-d", "31", core, OUT]
                             for n in ("1", "2")))
        print("%s 1: %.2f (%.2f)  2: %.2f (%.2f)  ratio %s" % (
            row, one.wall, one.cpu, two.wall, two.cpu, ratio(one.wall, two.wall)), flush=True)


def main():
    if len(sys.argv) == 3:
        core, suite = sys.argv[1:]
    else:
        name = sys.argv[1] if len(sys.argv) > 1 else "6.1-cloud"
        core, suite = cores.raw_core(name), cores.kernel(name).suite
    peer = readers.tool("makedumpfile", suite)
    print("%s, %d MiB; medians of %d runs each, in turn; memcpy %.0f MB/s; load %.1f" %
          (core, os.path.getsize(core) >> 20, ROUNDS, memory_bandwidth(), os.getloadavg()[0]))
    for level in LEVELS:
        compare(core, peer, level)
    threads(core)


if __name__ == "__main__":
    main()
