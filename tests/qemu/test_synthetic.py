# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines larger than any test machine: what a dump of them costs, and whether it is right."""

import json
import os
import subprocess

import cores
import kdump_format
import readers
import synthetic
import vm
from harness import expect, expect_in, once, test

MAX_PEAK_KIB = 12 * 1024
PEAK = """import resource, subprocess, sys
done = subprocess.run(sys.argv[2:], stdout=open(sys.argv[1], "wb"), stderr=subprocess.PIPE)
sys.stdout.buffer.write(done.stderr)
print("PEAK_KIB", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(done.returncode)
"""


def path_for(what):
    path = os.path.join(vm.build_dir(), "synthetic")
    os.makedirs(path, exist_ok=True)
    path = os.path.join(path, what)
    if os.path.exists(path):
        os.unlink(path)
    return path


@once
def core(gib):
    path = path_for("%dG.elf" % gib)
    return path, synthetic.write_core(path, gib)


def save(*args, stdout=os.devnull):
    """Runs vmcore-save; returns (what it said, its peak in KiB). A process between: a child of
    ours would begin with our own peak."""
    done = subprocess.run(["/usr/bin/python3", "-c", PEAK, stdout,
                           os.path.join(vm.build_dir(), "vmcore-save"), *args],
                          stdout=subprocess.PIPE, encoding="utf-8", timeout=300)
    expect(done.returncode == 0, "vmcore-save %s: exit status %d:\n%s" %
           (" ".join(args), done.returncode, done.stdout[-1500:]))
    text, _, peak = done.stdout.rpartition("PEAK_KIB ")
    return text, int(peak)


def expect_modest(peak):
    expect(peak < MAX_PEAK_KIB, "peak memory %d KiB" % peak)


@test("synthetic/terabyte-dump", "synthetic")
def terabyte_dump():
    elf, kept = core(1024)
    dump, figures = path_for("1T.dump"), path_for("1T.json")
    _, peak = save("-d", "31", "--num-threads", "1", "--json", elf, dump, stdout=figures)
    expect_modest(peak)
    with open(figures, encoding="utf-8") as f:
        pages = json.load(f)["pages"]
    expect(pages["kept"] == kept, "%d pages kept, not %d" % (pages["kept"], kept))
    expect(pages["present"] == 1 << 28, "%d pages present" % pages["present"])
    expect_in("synthetic 6.12.57-synthetic", readers.libkdumpfile(dump), "libkdumpfile")
    expect(kdump_format.KdumpFile(dump).max_mapnr == 1 << 28, "max_mapnr")
    os.unlink(dump)


@test("synthetic/terabyte-stream", "synthetic")
def terabyte_stream():
    """To a pipe: nothing can be read back, so windows are classified again."""
    elf, _ = core(1024)
    dump, stream, again = path_for("1T.dump"), path_for("1T.flat"), path_for("1T.again")
    save("-d", "31", elf, dump)
    _, peak = save("-F", "-d", "31", "--num-threads", "1", elf, stdout=stream)
    expect_modest(peak)
    with open(stream, "rb") as f:
        subprocess.run([os.path.join(vm.build_dir(), "vmcore-save"), "-R", again], stdin=f,
                       check=True, timeout=300)
    expect(subprocess.run(["cmp", dump, again], timeout=300).returncode == 0,
           "the stream, rearranged, is another dump")
    for path in (dump, stream, again):
        os.unlink(path)


@test("synthetic/like-makedumpfile", "synthetic")
def like_makedumpfile():
    elf, kept = core(2)
    ours, theirs = path_for("2G.ours"), path_for("2G.theirs")
    save("-c", "-d", "31", elf, ours)
    readers.makedumpfile(cores.kernel("6.12-cloud"), ["-c", "-d", "31", elf, theirs])
    problems = kdump_format.compare(ours, theirs)
    expect(not problems, "; ".join(problems))
    expect(len(kdump_format.KdumpFile(ours).pfns()) == kept, "not %d pages kept" % kept)
    os.unlink(ours)
    os.unlink(theirs)
