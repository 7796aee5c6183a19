#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Size and start-up time of kexec-loader beside kexec(8).

Usage: tests/bench/loader.py [KEXEC]     (without, the kexec that is installed)

The time is that of `-S`, which reads what is loaded and exits: the least of some hundred
runs, one of each program in turn, so that what else the machine does meets both.
"""

import os
import re
import shutil
import subprocess
import sys
import time

RUNS = 300
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def libraries(path):
    """The shared libraries that a program maps, the dynamic linker included."""
    out = subprocess.run(["ldd", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         text=True, check=False).stdout
    return [os.path.realpath(p) for p in re.findall(r"(/\S+) \(0x", out)]


def once(path):
    start = time.monotonic()
    subprocess.run([path, "-S"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   check=False)
    return time.monotonic() - start


def main(argv):
    ours = os.path.join(TOP, os.environ.get("O", "build"), "kexec-loader")
    peer = argv[1] if len(argv) > 1 else shutil.which("kexec", path="/sbin:/usr/sbin")
    if not peer:
        print("loader: no kexec is installed here (package kexec-tools)")
        return
    stripped = ours + ".stripped"
    subprocess.run(["strip", "-o", stripped, ours], check=True)
    times = {stripped: [], peer: []}
    for _ in range(RUNS):
        for path, runs in times.items():
            runs.append(once(path))
    for name, path in (("kexec-loader", stripped), ("kexec", peer)):
        needs = libraries(path)
        print("%-13s %5d KB, with %d libraries %5d KB; -S in %.2f ms at least" % (
            name, os.path.getsize(path) // 1000, len(needs),
            (os.path.getsize(path) + sum(map(os.path.getsize, needs))) // 1000,
            min(times[path]) * 1000))
    print("kexec takes %.2f times as long" % (min(times[peer]) / min(times[stripped])))
    os.unlink(stripped)


main(sys.argv)
