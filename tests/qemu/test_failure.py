# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures that cannot succeed as they should: each ends in a reboot within a bound, says in a
sentence what was wrong, and leaves nothing that claims to be more than it is."""

import os
import re

import cores
import crash
import kdump_format
import readers
import vm
from harness import expect, expect_in, test
from worlds import FAULTS, KERNEL, Target, World, fault, image, image_files, manifest, rows_of_doc

ABSENT = "vmcore_save.ext4=LABEL=absent vmcore_save.device_timeout=5"
SIGNAL_IN_DUMP = """
	until_there "/target/var/crash/*/vmcore-incomplete"
	kill -%s "$(worker)"
"""
MEMORY_HOG = """
	until_there "/target/var/crash/*/vmcore-incomplete"
	pid=$(worker)
	mkdir /hog
	mount -t ramfs ramfs /hog
	i=0
	while [ -e "/proc/$pid" ]; do
		dd if=/dev/zero of=/hog/$i bs=64k count=4 2>/dev/null
		i=$((i + 1))
	done
"""


def nothing_saved(world, *sentences):
    world.says(*sentences)
    world.ends("failed", sentences[0])
    expect("vmcore" not in world.names(), "a vmcore came from nowhere")
    return world


def log_whole(folder):
    with open(os.path.join(folder, "vmcore-dmesg.txt"), encoding="utf-8", errors="replace") as f:
        expect_in("sysrq: Trigger a crash", f.read(), "the saved log")


def dump_incomplete(folder):
    """What is there of the dump says that it is not all, and opens."""
    path = os.path.join(folder, "vmcore-incomplete")
    dump = kdump_format.KdumpFile(path)
    expect(dump.status & kdump_format.INCOMPLETE, "the dump is not marked incomplete")
    dump.close()
    # It opens; the pages that a translation needs may be among those that are missing.
    _, out = readers.read(readers.libkdumpfile_argv(path))
    expect_in("x86_64 " + cores.kernel(KERNEL).release, out, "libkdumpfile")


def cut_short(world, reason):
    """The log is whole, the dump is there as far as it came and says so, the manifest too."""
    expect(world.names() == ["vmcore-dmesg.txt", "vmcore-incomplete", "vmcore-save.json"],
           "the files are %s" % world.names())
    folder = world.folder()
    told = manifest(folder)
    expect(told["verdict"] == "incomplete", "the verdict is %s" % told["verdict"])
    expect_in(reason, str(told["reason"]), "the manifest's reason")
    expect(told["files"]["dump"] == "vmcore-incomplete", "the manifest claims %s" %
           told["files"]["dump"])
    log_whole(folder)
    dump_incomplete(folder)
    world.ends("incomplete", reason)
    return world


@fault("failure/target-never-appears", "The target's disk is not there")
def target_never_appears():
    return nothing_saved(World("absent", ABSENT), "LABEL=absent did not appear", "there is")


@fault("failure/read-only-target", "The target's disk is write-protected")
def read_only_target():
    disk = Target(cores.out_dir("read-only.img"), "vmcore-ro")
    world = World("read-only", "vmcore_save.ext4=LABEL=vmcore-ro",
                  targets=[(disk, disk.qemu("readonly=on"))])
    return nothing_saved(world, "read-only")


@fault("failure/no-core", "There is no core to read")
def no_core():
    world = World("no-core", "vmcore_save.vmcore=/nonexistent")
    nothing_saved(world, "cannot open /nonexistent")
    verdict = manifest(world.folder())["verdict"]
    expect(verdict == "failed", "the verdict is %s" % verdict)
    return world


@fault("failure/full-disk", "The disk is full before the dump is complete")
def full_disk():
    world = World("full", parameters={"FILL": "1", "PAGE_CACHE_MIB": "8", "LEAVE_MIB": "12"})
    world.says("no room for the dump", "No space left")
    return cut_short(world, "No space left")


@fault("failure/saver-killed", "What saves is killed while it writes the dump")
def saver_killed():
    world = World("killed", parameters={"FILL": "1"}, script=SIGNAL_IN_DUMP % "KILL")
    return cut_short(world.says("signal 9"), "signal 9")


@fault("failure/saver-hangs", "What saves makes no progress for timeout, 10 s")
def saver_hangs():
    """The supervisor ends it."""
    world = World("hangs", "vmcore_save.timeout=10", parameters={"FILL": "1"},
                  script=SIGNAL_IN_DUMP % "STOP")
    return cut_short(world.says("no progress for 10 s"), "10 s")


@fault("failure/time-is-up", "The capture takes longer than max_time, 30 s", long=True)
def time_is_up():
    """The limit on the whole capture, with a saver that is stopped."""
    world = World("time", "vmcore_save.timeout=600 vmcore_save.max_time=30",
                  parameters={"FILL": "1"}, script=SIGNAL_IN_DUMP % "STOP")
    return cut_short(world.says("more than max_time"), "30 s")


@fault("failure/saver-crashes", "What saves dies of a bad access while it writes the dump")
def saver_crashes():
    world = World("segv", script=SIGNAL_IN_DUMP % "SEGV")
    return cut_short(world.says("signal 11"), "signal 11")


@fault("failure/core-damaged", "The core is no core", long=True)
def core_damaged():
    world = World("core-damaged", "vmcore_save.vmcore=/core",
                  overlay=[("core", 0o100600, b"\x7fELF\2\1\1" + b"\xa5" * 8000)])
    return nothing_saved(world, "cannot open /core")


def overlay_module(name, change):
    """Entries that put a changed module over the one of the image."""
    files = image_files()
    path = next(p for p in files if p.endswith("/%s.ko" % name))
    return [(path, 0o100644, change(files[path]))]


@fault("failure/module-truncated", "The disk driver's module is cut off in the image")
def module_truncated():
    world = World("module-cut", "vmcore_save.device_timeout=5",
                  overlay=overlay_module("virtio_blk", lambda data: data[:len(data) // 2]))
    return nothing_saved(world, "did not appear within 5 s", "virtio_blk.ko",
                         "is the disk's driver in the image?")


@fault("failure/no-memory", "Memory runs out while the dump is written")
def no_memory():
    """The kernel ends what saves, and what had taken the memory gives it back."""
    world = World("no-memory", script=MEMORY_HOG + "rm /hog/*")
    world.says("crashkernel is too small")
    return cut_short(world, "crashkernel is too small")


@fault("failure/no-memory-ever", "Memory runs out while the dump is written, and stays away",
       long=True)
def no_memory_ever():
    world = World("no-memory-ever", script=MEMORY_HOG + """
		while :; do dd if=/dev/zero of=/hog/more.$RANDOM bs=64k; done
""")
    expect("vmcore" not in world.names(), "the dump is called complete")
    told = manifest(world.folder())
    expect(told["verdict"] in ("incomplete", "log-only"), "the verdict is %s" % told["verdict"])
    log_whole(world.folder())
    return world


@fault("failure/clock-at-1970", "The clock stands at 1970, and earlier dumps have the names")
def clock_at_1970():
    world = World("clock", qemu=["-rtc", "base=1970-01-01T00:00:00"],
                  tree=["var/crash/1970-01-01-00:%02d" % minute for minute in range(10)])
    world.ends("complete")
    made = [f for f in world.folders() if os.path.exists(os.path.join(f, "vmcore"))]
    expect(len(made) == 1 and re.search(r"1970-01-01-00:0\d-1$", made[0]), "made: %s" % made)
    return world.says("1970-01-01-00:")


@fault("failure/second-panic", "The capture kernel panics in the middle of the dump")
def second_panic():
    """What is on the disk by then is not called complete, and opens. A slow disk makes time for
    the sync that comes every ten seconds."""
    slow = Target(cores.out_dir("failure-panic.disk"), "slow")
    world = World("panic", "vmcore_save.ext4=LABEL=slow",
                  targets=[(slow, slow.qemu("throttling.bps-write=1000000"))],
                  script="""
	until_there "/target/var/crash/*/vmcore-incomplete"
	sleep 14
	echo c >/proc/sysrq-trigger
""")
    slow.recover()
    folder = world.folder(slow)
    names = sorted(os.listdir(folder))
    expect(names == ["vmcore-dmesg.txt", "vmcore-incomplete", "vmcore-save.json"],
           "the files are %s" % names)
    told = manifest(folder)
    expect(told["verdict"] == "incomplete", "the verdict is %s" % told["verdict"])
    expect_in("still under way", str(told["reason"]), "the manifest's reason")
    log_whole(folder)
    dump_incomplete(folder)
    return world


@fault("failure/early-second-panic", "The capture kernel panics before there is a target",
       long=True)
def early_second_panic():
    world = World("panic-early", ABSENT, script="""
	until_said "modules:"
	echo c >/proc/sysrq-trigger
""")
    expect(not world.names(), "files came from nowhere: %s" % world.names())
    return world


@fault("failure/shell", "A failure with failure_action shell, and nobody comes", long=True)
def shell():
    world = World("shell", ABSENT + " vmcore_save.failure_action=shell "
                  "vmcore_save.shell_timeout=5")
    world.says("LABEL=absent did not appear", "a shell on this console", "time is up after 5 s")
    world.ends("failed", "LABEL=absent")
    return world


@fault("failure/poweroff", "A failure with failure_action poweroff", long=True)
def poweroff():
    world = World("poweroff", ABSENT + " vmcore_save.failure_action=poweroff", kernels=2)
    world.ends("failed", "LABEL=absent")
    expect(any("reboot: Power down" in line for line in world.lines), "no power-off")
    return world.says("LABEL=absent did not appear")


@fault("failure/halt", "A failure with failure_action halt", long=True)
def halt():
    world = World("halt", ABSENT + " vmcore_save.failure_action=halt", kernels=2,
                  on_line=[("reboot: System halted", lambda monitor: monitor.command("quit"))])
    world.ends("failed", "LABEL=absent")
    return world.says("LABEL=absent did not appear")


@fault("failure/dump-to-rootfs", "The target is not there, failure_action is dump_to_rootfs")
def dump_to_rootfs():
    world = World("rootfs", ABSENT + " vmcore_save.failure_action=dump_to_rootfs",
                  overlay=[("etc/vmcore-save/rootfs", 0o100644, b"ext4 LABEL=vmcore-test\n")])
    world.says("LABEL=absent did not appear").ends("complete")
    expect(manifest(world.folder())["verdict"] == "complete", "the manifest is not complete")
    return world


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


@test("failure/table", "static")
def table():
    """docs/failures.md has a row of each such test, and no other."""
    rows = rows_of_doc()
    for name in FAULTS:
        expect(name in rows, "%s has no row in docs/failures.md: run the test, then "
               "tests/qemu/faults-table" % name)
    for name in rows:
        expect(name in FAULTS, "docs/failures.md has a row of %s, which is no test" % name)
