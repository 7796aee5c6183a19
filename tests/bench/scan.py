#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Times the walk over the memory map beside makedumpfile --dry-run: A B A B, medians.

Usage: tests/bench/scan.py [KERNEL]     (a name of tests/qemu/fetch list)

On a real core of 1 GiB, and on two of 29 GiB that are made of it (grow_core.py): one like it,
and the worst case, in which all pages are order-0 pages on an LRU list. Seconds are CPU
seconds, user and system. -d 30 leaves makedumpfile no page data to look at.
"""

import os
import resource
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "qemu"), os.path.dirname(HERE)]
import cores  # noqa: E402 pylint: disable=wrong-import-position
import readers  # noqa: E402 pylint: disable=wrong-import-position
import vm  # noqa: E402 pylint: disable=wrong-import-position

ROUNDS = 7
GROWN = "/dev/shm/vmcore-save-bench.elf"


def seconds(argv):
    """CPU seconds of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(what, core, ours, theirs):
    """One line of figures."""
    theirs_options = [theirs, "--dry-run", "-d", "30", core, "/dev/null/nowhere"]
    runs = [(seconds([ours, core]), seconds(theirs_options)) for _ in range(ROUNDS)]
    a, b = (statistics.median(run[i] for run in runs) for i in range(2))
    print("%-26s %8.4f %8.4f %6.1f" % (what, a, b, b / a), flush=True)


def main():
    """All cores in turn."""
    name = sys.argv[1] if len(sys.argv) > 1 else "6.12-cloud"
    core = cores.raw_core(name)
    ours = os.path.join(vm.build_dir(), "bench-scan")
    theirs = readers.tool("makedumpfile", cores.kernel(name).suite)
    print("%-26s %8s %8s %6s" % ("core", "ours s", "theirs s", "ratio"))
    compare(name, core, ours, theirs)
    for what, more in (("29 GiB like it", []), ("29 GiB, the worst case", ["busy"])):
        subprocess.run([os.path.join(HERE, "grow_core.py"), core, GROWN, "28", *more], check=True)
        compare(what, GROWN, ours, theirs)
        os.unlink(GROWN)


if __name__ == "__main__":
    main()
