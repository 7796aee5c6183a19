# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures that cannot succeed: each ends in a reboot within a bound, says in a sentence
what was wrong, and leaves nothing that claims to be more than it is."""

import json
import os
import shutil

import cores
import crash
import kdump_format
import readers
import vm
from harness import expect, expect_in, once, test

KERNEL = cores.KERNELS[0]
BOUND_S = 150  # from the capture kernel's first line to its reboot, on a slow emulator
KILLER = """#!/bin/sh
# Does %(signal)s to the process that saves, as soon as it writes the dump. It spins, for
# there is no telling how short the dump is.
/bin/busybox sh -c '
	set -- /target/var/crash/*/vmcore-incomplete
	until [ -e "$1" ]; do
		set -- /target/var/crash/*/vmcore-incomplete
	done
	for stat in /proc/[0-9]*/stat; do
		read -r pid name state parent rest <"$stat"
		[ "$name $parent" = "(init.real) 1" ] && kill -%(signal)s "$pid"
	done
' &
exec /init.real
"""


@once
def image():
    os.makedirs(cores.out_dir(), exist_ok=True)
    return crash.image_build(cores.kernel(KERNEL), cores.out_dir("failure.img"))


def image_with_killer(signal):
    """The crash image with another /init put over it: a second archive, appended."""
    path = cores.out_dir("failure-%s.img" % signal)
    shutil.copyfile(image(), path)
    with open(os.path.join(vm.build_dir(), "vmcore-save"), "rb") as f:
        program = f.read()
    entries = [("init", 0o100755, (KILLER % {"signal": signal}).encode()),
               ("init.real", 0o100755, program),
               ("dev/null", 0o100644, b""),  # the shell wants one, before there is a /dev
               ("TRAILER!!!", 0, b"")]
    with open(path, "r+b") as f:
        f.seek(0, os.SEEK_END)
        f.write(b"\0" * (-f.tell() % 512))
        for ino, (name, mode, data) in enumerate(entries, 900):
            f.write(vm.cpio_entry(name, mode, data, ino))
    return path


class World:
    """One panic into a capture that has a problem."""

    def __init__(self, what, append="", parameters=None, crash_image=None, qemu=()):
        settings = {"CRASH_APPEND": crash.CRASH_APPEND + " " + append}
        settings.update(parameters or {})
        self.machine = crash.Machine(cores.out_dir("failure-" + what), cores.kernel(KERNEL),
                                     parameters=settings, image=crash_image or image(),
                                     accel=cores.accel())
        self.machine.vm.argv += qemu
        self.machine.prepare(size="1G")
        self.machine.run()
        self.files = self.machine.saved_files()
        times = [at for at, text in self.machine.vm.lines if "Linux version " in text]
        expect(len(times) == 3, "%d kernels booted, not three" % len(times))
        self.seconds = times[2] - times[1]
        expect(self.seconds < BOUND_S, "the reboot came after %.0f s" % self.seconds)
        self.console = "\n".join(t for at, t in self.machine.vm.lines
                                 if times[1] <= at < times[2] and "vmcore-save" in t)

    def names(self):
        return sorted(os.path.basename(f) for f in self.files if f.count("/") == 2)

    def folder(self):
        folders = self.machine.extract()
        expect(len(folders) == 1, "%d folders under /var/crash, not one" % len(folders))
        return folders[0]

    def manifest(self, folder):
        with open(os.path.join(folder, "vmcore-save.json"), encoding="utf-8") as f:
            return json.load(f)

    def done(self):
        os.unlink(self.machine.disk.path)


def nothing_saved(world, *sentences):
    for sentence in sentences:
        expect_in(sentence, world.console, "what the capture kernel's console says")
    expect("vmcore" not in world.names(), "a vmcore came from nowhere")
    world.done()


def cut_short(world, reason):
    """The log is whole, the dump is there as far as it came and says so, the manifest too."""
    expect(world.names() == ["vmcore-dmesg.txt", "vmcore-incomplete", "vmcore-save.json"],
           "the files are %s" % world.names())
    folder = world.folder()
    manifest = world.manifest(folder)
    expect(manifest["verdict"] == "incomplete", "the verdict is %s" % manifest["verdict"])
    expect_in(reason, str(manifest["reason"]), "the manifest's reason")
    expect(manifest["files"]["dump"] == "vmcore-incomplete", "the manifest claims %s" %
           manifest["files"]["dump"])
    with open(os.path.join(folder, "vmcore-dmesg.txt"), encoding="utf-8", errors="replace") as f:
        expect_in("sysrq: Trigger a crash", f.read(), "the saved log")
    world.done()
    return folder


@test("failure/target-never-appears", "failure")
def target_never_appears():
    nothing_saved(World("absent", "vmcore_save.ext4=LABEL=absent vmcore_save.device_timeout=5"),
                  "LABEL=absent", "there is")


@test("failure/read-only-target", "failure")
def read_only_target():
    path = cores.out_dir("read-only.img")
    empty = vm.fresh_dir(cores.out_dir("empty"))
    disk = vm.Disk(path)
    disk.LABEL = "vmcore-ro"
    disk.create(empty, "64M")
    world = World("read-only", "vmcore_save.ext4=LABEL=vmcore-ro",
                  qemu=["-drive", "if=virtio,format=raw,readonly=on,file=" + path])
    nothing_saved(world, "read-only")
    os.unlink(path)


@test("failure/no-core", "failure")
def no_core():
    world = World("no-core", "vmcore_save.vmcore=/nonexistent")
    expect_in("/nonexistent", world.console, "the console")
    expect("vmcore" not in world.names(), "a vmcore came from nowhere")
    manifest = world.manifest(world.folder())
    expect(manifest["verdict"] == "failed", "the verdict is %s" % manifest["verdict"])
    world.done()


@test("failure/full-disk", "failure")
def full_disk():
    world = World("full", parameters={"FILL": "1", "PAGE_CACHE_MIB": "8", "LEAVE_MIB": "12"})
    expect_in("no room for the dump", world.console, "the console")
    folder = cut_short(world, "No space left")
    dump = kdump_format.KdumpFile(os.path.join(folder, "vmcore-incomplete"))
    expect(dump.status & kdump_format.INCOMPLETE, "the dump is not marked incomplete")
    dump.close()
    # It opens; the pages that a translation needs may be among those that are missing.
    _, out = readers.read(readers.libkdumpfile_argv(os.path.join(folder, "vmcore-incomplete")))
    expect_in("x86_64 " + cores.kernel(KERNEL).release, out, "libkdumpfile")


@test("failure/saver-killed", "failure")
def saver_killed():
    world = World("killed", parameters={"FILL": "1"}, crash_image=image_with_killer("KILL"))
    folder = cut_short(world, "signal 9")
    dump = kdump_format.KdumpFile(os.path.join(folder, "vmcore-incomplete"))
    expect(dump.status & kdump_format.INCOMPLETE, "the dump is not marked incomplete")
    dump.close()


@test("failure/saver-hangs", "failure")
def saver_hangs():
    """No progress for the configured time: the supervisor ends it."""
    world = World("hangs", "vmcore_save.timeout=10", parameters={"FILL": "1"},
                  crash_image=image_with_killer("STOP"))
    cut_short(world, "10 s")


@test("failure/time-is-up", "failure", long=True)
def time_is_up():
    """The limit on the whole capture, with a saver that is stopped."""
    world = World("time", "vmcore_save.timeout=600 vmcore_save.max_time=30",
                  parameters={"FILL": "1"}, crash_image=image_with_killer("STOP"))
    cut_short(world, "30 s")


@test("failure/no-reservation", "failure")
def no_reservation():
    """Without crashkernel= nothing can be armed, and kexec-loader says what to do."""
    machine = crash.Machine(cores.out_dir("failure-unreserved"), cores.kernel(KERNEL),
                            image=image(), accel=cores.accel())
    at = machine.vm.argv.index("-append") + 1
    machine.vm.argv[at] = machine.vm.argv[at].replace("crashkernel=", "nothing=")
    machine.prepare(size="1G")
    try:
        machine.run()
    except vm.VmFailed as e:
        expect_in("crashkernel", str(e), "what kexec-loader says without a reservation")
        os.unlink(machine.disk.path)
        return
    expect(False, "arming without a reservation succeeded")
