# SPDX-License-Identifier: GPL-2.0-or-later
"""File systems that run full at one place of a capture after the other, and others than ext4."""

import os
import re

import cores
import vm
from harness import expect, expect_in
from test_failure import dump_incomplete, log_whole
from test_failure_disk import BOTH, FIRST, disk, first_points_there, second_has_all
from worlds import Target, World, fault, manifest, module_entries

GROUP = "failure-full"

# Somebody else takes what the estimate had counted on.
EATER = """
	until_holds "/target/var/crash/*/vmcore-incomplete" 1024
	pid=$(worker)
	kill -STOP "$pid"
	dd if=/dev/zero of=/target/eaten bs=64k 2>/dev/null
	kill -CONT "$pid"
"""


def files_of(folder):
    return sorted(os.listdir(folder))


def told_truly(world, verdict):
    """The manifest, although written on a full disk, is whole; what it names is there."""
    folder = world.folder(world.targets[0])
    told = manifest(folder)
    expect(told["verdict"] == verdict, "the verdict is %s" % told["verdict"])
    expect_in("No space left", str(told["reason"]), "the manifest's reason")
    named = {name for name in (told["files"]["log"], told["files"]["dump"]) if name}
    expect(named <= set(files_of(folder)), "of %s there is %s" % (named, files_of(folder)))
    expect("vmcore" not in files_of(folder), "a vmcore came from nowhere")
    return told, folder


@fault("failure/full-before-log", "The disk is full from the start", GROUP)
def full_before_log():
    first = disk("full-log", free_kib=0)
    world = World("full-log", FIRST, targets=[first])
    world.says("No space left").ends("failed", "No space left")
    return world


@fault("failure/full-in-log", "The disk is full in the middle of the log", GROUP)
def full_in_log():
    first = disk("full-in-log", free_kib=84)
    world = World("full-in-log", FIRST, targets=[first])
    world.says("the log cannot be written: No space left").ends("failed", "No space left")
    told, folder = told_truly(world, "failed")
    expect(told["files"]["log"] is None, "the manifest claims a log")
    path = os.path.join(folder, "vmcore-dmesg-incomplete.txt")
    expect("vmcore-dmesg.txt" not in files_of(folder) and os.path.getsize(path),
           "the files are %s" % files_of(folder))
    return world


@fault("failure/full-in-bitmap", "The disk is full at the dump's page bitmaps", GROUP)
def full_in_bitmap():
    first = disk("full-bitmap", free_kib=160)
    world = World("full-bitmap", FIRST, targets=[first])
    world.says("No space left").ends("log-only", "No space left")
    told, folder = told_truly(world, "log-only")
    expect(told["files"]["dump"] is None, "the manifest claims a dump")
    log_whole(folder)
    return world


@fault("failure/full-meanwhile", "Somebody else fills the disk during the dump", GROUP)
def full_meanwhile():
    world = World("full-meanwhile", FIRST, targets=[disk("full-meanwhile")], script=EATER)
    world.says("No space left").ends("incomplete", "No space left")
    _, folder = told_truly(world, "incomplete")
    log_whole(folder)
    dump_incomplete(folder)
    return world


@fault("failure/full-then-next", "No room on the first target", GROUP)
def full_then_next():
    first = disk("full-next", free_kib=1024)
    world = World("full-next", BOTH, targets=[first])
    world.says("no room on LABEL=first")
    log_whole(first_points_there(world, "log-only"))
    return second_has_all(world)


class Other(Target):
    """A target's disk with another file system, which is looked at by its own tools."""

    def __init__(self, fstype, size):
        self.fstype = fstype
        super().__init__(cores.out_dir("failure-%s.disk" % fstype), "first", size)

    def create(self, tree, size, options=()):
        with open(self.path, "wb") as f:
            f.truncate(size)
        vm.run(["/sbin/mkfs." + self.fstype, "-q", "-L", self.LABEL, self.path])

    def names(self):
        """What is in the directories of dumps."""
        if self.fstype == "xfs":
            shown = vm.run(["/sbin/xfs_db", "-r", "-c", "path /var/crash", "-c", "ls", self.path])
            day = re.search(r"\d{4}-\d\d-\d\d-\d\d:\d\d", shown)[0]
            shown = vm.run(["/sbin/xfs_db", "-r", "-c", "path /var/crash/" + day, "-c", "ls",
                            self.path])
            return sorted(line.split()[5] for line in shown.splitlines())
        shown = vm.run(["/sbin/btrfs", "restore", "-D", "-v", self.path, "/nowhere"])
        return sorted(os.path.basename(line) for line in shown.splitlines())

    def check(self):
        vm.run({"xfs": ["/sbin/xfs_repair", "-n", self.path],
                "btrfs": ["/sbin/btrfs", "check", "--readonly", self.path]}[self.fstype])


def other_runs_full(fstype, size):
    first = Other(fstype, size)
    world = World("full-" + fstype, BOTH.replace("ext4", fstype, 1), targets=[first],
                  overlay=module_entries(fstype), script=EATER)
    world.says("No space left")
    names = first.names()
    expect("vmcore" not in names and "vmcore-dmesg.txt" in names and "vmcore-incomplete" in names,
           "the first target's files are %s" % names)
    first.check()
    second_has_all(world)
    verdicts = [t["verdict"] for t in manifest(world.folder())["targets"]]
    expect(verdicts == ["incomplete", "complete"], "the verdicts are %s" % verdicts)
    return world


@fault("failure/full-xfs", "The first target, an XFS, runs full in the dump", GROUP)
def full_xfs():
    return other_runs_full("xfs", 320 << 20)
