# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks and file systems that fail: full, damaged, gone, late, or silent for ever."""

import threading

import cores
from harness import expect, expect_in
from test_failure import dump_incomplete, log_whole
from worlds import Target, World, fault, manifest

GROUP = "failure-disk"
FIRST = "vmcore_save.ext4=LABEL=first"
BOTH = FIRST + " vmcore_save.ext4=LABEL=vmcore-test"


def disk(name, **options):
    return Target(cores.out_dir("failure-%s.disk" % name), "first", **options)


def second_has_all(world):
    """The first target failed, the one after it has log and complete dump."""
    expect(world.names() == ["vmcore", "vmcore-dmesg.txt", "vmcore-save.json"],
           "the second target's files are %s" % world.names())
    told = manifest(world.folder())
    expect(told["verdict"] == "complete", "the verdict is %s" % told["verdict"])
    expect(told["reason"] is None, "the reason is %s" % told["reason"])
    log_whole(world.folder())
    world.ends("complete")
    return world


def first_points_there(world, verdict):
    """What the first target has says where the rest is."""
    folder = world.folder(world.targets[0])
    told = manifest(folder)
    expect(told["verdict"] == verdict, "the first target's verdict is %s" % told["verdict"])
    expect_in("LABEL=vmcore-test", str(told["reason"]), "the first target's reason")
    return folder


# Full disks.

@fault("failure/full-before-log", "The disk is full from the start", GROUP)
def full_before_log():
    first = disk("full-log", free_kib=0)
    world = World("full-log", FIRST, targets=[first])
    world.says("No space left").ends("failed", "No space left")
    return world


@fault("failure/full-then-next", "No room on the first target", GROUP)
def full_then_next():
    first = disk("full-next", free_kib=1024)
    world = World("full-next", BOTH, targets=[first])
    world.says("no room on LABEL=first")
    log_whole(first_points_there(world, "log-only"))
    return second_has_all(world)


# Errors of the device.

def bad_disk(name):
    """Some sectors of a 96 MiB disk fail when they are written, none of the first 3 MiB that
    are free: the log and the directory get through."""
    first = disk(name)
    start, end = first.free_sectors()
    return first, first.qemu_bad_writes(range(start + 6 * 2048, end, 4 * 2048))


@fault("failure/io-error", "Writes fail in the middle of the dump", GROUP)
def io_error():
    first = bad_disk("io-error")
    world = World("io-error", FIRST, targets=[first])
    world.says("Input/output error").ends("incomplete", "Input/output error")
    folder = world.folder(first[0])
    told = manifest(folder)
    expect(told["verdict"] == "incomplete", "the verdict is %s" % told["verdict"])
    log_whole(folder)
    dump_incomplete(folder)
    return world


@fault("failure/io-error-then-next", "Writes to the first target fail in the middle", GROUP)
def io_error_then_next():
    world = World("io-next", BOTH, targets=[bad_disk("io-next")])
    world.says("Input/output error")
    dump_incomplete(first_points_there(world, "incomplete"))
    return second_has_all(world)


def hang_at(text, target):
    """From the text until vmcore-save's last line."""
    return [(text, lambda monitor: monitor.hang(target)),
            ("] done: ", lambda monitor: monitor.heal(target))]


@fault("failure/disk-hangs-at-mount", "The first target's disk stops answering at mount", GROUP)
def disk_hangs_at_mount():
    first = disk("hang-mount")
    world = World("hang-mount", BOTH + " vmcore_save.timeout=15", targets=[first],
                  on_line=hang_at("target: found", first))
    world.says("no progress for 15 s", "stuck in the kernel")
    return second_has_all(world)


SCSI = ["-device", "virtio-scsi-pci,id=scsi"]


@fault("failure/disk-is-late", "The target's disk appears after 8 s", GROUP)
def disk_is_late():
    first = disk("late")

    def plug(monitor):
        threading.Timer(8, monitor.command, ["device_add"], {
            "driver": "scsi-hd", "drive": first.id, "bus": "scsi.0", "id": "late"}).start()

    world = World("late", FIRST, targets=[(first, first.qemu(device=None))], qemu=SCSI,
                  on_line=[("vmcore-save", plug)])
    world.says("found /dev/sda").ends("complete")
    return world


@fault("failure/disk-goes-away", "The first target's disk is unplugged in the dump", GROUP)
def disk_goes_away():
    first = disk("gone")
    plugged = first.qemu(device=None) + SCSI + [
        "-device", "scsi-hd,drive=%s,id=gone,bus=scsi.0" % first.id]
    world = World("gone", BOTH, targets=[(first, plugged)],
                  on_line=[("dmesg.txt saved", lambda m: m.command("device_del", id="gone"))])
    world.says("Input/output error")
    return second_has_all(world)


@fault("failure/wrong-uuid", "The configured UUID is no disk's", GROUP)
def wrong_uuid():
    uuid = "UUID=00000000-1111-2222-3333-444444444444"
    world = World("uuid", "vmcore_save.ext4=%s vmcore_save.device_timeout=5 "
                  "vmcore_save.ext4=LABEL=vmcore-test" % uuid)
    world.says(uuid + " did not appear", "there is /dev/vda")
    return second_has_all(world)


# Damaged file systems.

def overwrite(target, offset, data):
    with open(target.path, "r+b") as f:
        f.seek(offset)
        f.write(data)


@fault("failure/superblock-damaged", "The first target's superblock is overwritten", GROUP)
def superblock_damaged():
    first = disk("superblock")
    overwrite(first, 1024, b"\xa5" * 1024)
    world = World("superblock", BOTH + " vmcore_save.device_timeout=5", targets=[first])
    world.says("LABEL=first did not appear")
    return second_has_all(world)


@fault("failure/path-is-a-file", "path is a file on the first target", GROUP)
def path_is_a_file():
    world = World("path-file", BOTH, targets=[disk("path-file", tree={"var/crash": b"x"})])
    world.says("Not a directory")
    return second_has_all(world)


@fault("failure/path-is-a-loop", "path is a loop of symbolic links on the first target", GROUP,
       long=True)
def path_is_a_loop():
    tree = {"var/crash": ("link", "crush"), "var/crush": ("link", "crash")}
    world = World("path-loop", BOTH, targets=[disk("path-loop", tree=tree)])
    world.says("Too many levels of symbolic links")
    return second_has_all(world)


@fault("failure/path-leads-out", "path is a symbolic link out of the file system", GROUP)
def path_leads_out():
    """It stays within, as after a chroot: the dump is in /proc of the disk."""
    first = disk("path-out", tree={"var/crash": ("link", "../../../proc"), "proc": None})
    world = World("path-out", FIRST, targets=[first])
    world.ends("complete")
    names = first.listing("/proc")
    expect(":" in names, "no directory of a dump in the disk's /proc:\n" + names)
    return world
