#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Times vmcore-save beside makedumpfile on the same raw core: A B A B, medians and ratios.

Usage: tests/bench/filter.py [KERNEL]     (a name of tests/qemu/fetch list)

Both write to memory (/dev/shm), one thread each. Seconds are CPU seconds, user and system.
"""

import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "qemu"), os.path.dirname(HERE)]
import cores  # noqa: E402 pylint: disable=wrong-import-position
import readers  # noqa: E402 pylint: disable=wrong-import-position
import vm  # noqa: E402 pylint: disable=wrong-import-position

ROUNDS = 5
OUT = "/dev/shm/vmcore-save-bench"
CASES = (("-c", "-d", "31"), ("-c", "-d", "1"), ("-E", "-d", "31"))


def timed(argv):
    """One run: (CPU seconds, peak KiB, bytes on disk)."""
    # time(1) forks from a small process: a child of ours would start with our own peak.
    done = subprocess.run(["/usr/bin/time", "-f", "%U %S %M", *argv], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, encoding="utf-8", check=True)
    user, system, peak = done.stderr.splitlines()[-1].split()
    size = os.stat(OUT).st_blocks * 512
    os.unlink(OUT)
    return float(user) + float(system), int(peak), size


def main():
    name = sys.argv[1] if len(sys.argv) > 1 else "6.1-cloud"
    core = cores.raw_core(name)
    programs = (os.path.join(vm.build_dir(), "vmcore-save"),
                readers.tool("makedumpfile", cores.kernel(name).suite))
    print("%s, %d MiB; medians of %d runs each, in turn" %
          (name, os.path.getsize(core) >> 20, ROUNDS))
    print("%-10s %10s %10s %7s %16s %16s" % ("options", "ours s", "theirs s", "ratio",
                                             "peak KiB", "bytes ratio"))
    for case in CASES:
        runs = ([], [])
        for _ in range(ROUNDS):
            for which, program in enumerate(programs):
                runs[which].append(timed([program, *case, core, OUT]))
        ours, theirs = (tuple(statistics.median(run[i] for run in r) for i in range(3))
                        for r in runs)
        print("%-10s %10.2f %10.2f %7.2f %7d %8d %16.3f" %
              (" ".join(case), ours[0], theirs[0], theirs[0] / ours[0], ours[1], theirs[1],
               ours[2] / theirs[2]), flush=True)


if __name__ == "__main__":
    main()
