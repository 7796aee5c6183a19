# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks and file systems that fail: damaged, gone, late, or silent for ever."""

import os
import threading

import cores
import reduce
import vm
from harness import expect, expect_in
from test_failure import dump_incomplete, log_whole
from worlds import KERNEL, Target, World, fault, manifest, module_entries

GROUP = "failure-disk"
FIRST = "vmcore_save.ext4=LABEL=first"
BOTH = FIRST + " vmcore_save.ext4=LABEL=vmcore-test"
JOURNAL_GOOD = 90  # blocks, which is what comes before the dump

# Something for the journal all through the dump, however short that is.
SYNCS = """
	until_there "/target/var/crash/*/vmcore-incomplete"
	n=0
	while [ $n -lt 60 ]; do
		n=$((n + 1))
		dd if=/dev/zero of=/target/$n bs=1 count=1 conv=fsync 2>/dev/null
	done
"""


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


@fault("failure/disk-hangs-in-dump", "The first target's disk stops answering in the dump", GROUP,
       long=True)
def disk_hangs_in_dump():
    first = disk("hang-dump")
    world = World("hang-dump", BOTH + " vmcore_save.timeout=15", targets=[first],
                  on_line=hang_at("dmesg.txt saved", first))
    world.says("no progress for 15 s")
    return second_has_all(world)


@fault("failure/only-disk-hangs", "The only target's disk stops answering in the dump", GROUP,
       long=True)
def only_disk_hangs():
    first = disk("hang-only")
    world = World("hang-only", FIRST + " vmcore_save.timeout=15", targets=[first],
                  on_line=hang_at("dmesg.txt saved", first))
    world.says("no progress for 15 s").ends("incomplete", "no progress for 15 s")
    folder = world.folder(first)
    expect("vmcore" not in os.listdir(folder), "the files are %s" % os.listdir(folder))
    log_whole(folder)
    return world


SCSI = ["-device", "virtio-scsi-pci,id=scsi"]


def scsi(target, name):
    return target.qemu(device=None) + SCSI + [
        "-device", "scsi-hd,drive=%s,id=%s,bus=scsi.0" % (target.id, name)]


@fault("failure/module-hangs", "A disk that does not answer keeps its driver's module from loading",
       GROUP)
def module_hangs():
    """A driver looks for partitions while its module loads; no signal ends that."""
    stuck = Target(cores.out_dir("failure-stuck.disk"), "stuck")
    first = disk("beside")
    world = World("module-hangs", FIRST + " vmcore_save.timeout=15",
                  targets=[stuck, (first, scsi(first, "beside"))],
                  on_line=hang_at("start: version", stuck))
    world.says("modules: no progress for 15 s", "stuck in the kernel",
               "going on behind /lib/modules/vmcore-save/virtio_blk.ko").ends("complete")
    told = manifest(world.folder(first))
    expect(told["verdict"] == "complete", "the verdict is %s" % told["verdict"])
    return world


# Runs before vmcore-save, and makes a core of a file.
CORE_ON_A_DISK = """#!/bin/busybox sh
export PATH=/bin
mkdir -p /dev /cores
mount -t devtmpfs dev /dev
for module in %s; do insmod "/usr/lib/modules/vmcore-save/$module"; done
until [ -b /dev/vda ]; do sleep 0.1; done
mount -t ext4 -o ro,noload /dev/vda /cores
exec /init
"""


@fault("failure/core-hangs", "Reading the core never ends", GROUP, long=True)
def core_hangs():
    """It is on a disk, which stops answering: /proc/vmcore cannot be made to."""
    packed = os.path.join(reduce.DATA, KERNEL + ".core.xz")
    core = Target(cores.out_dir("failure-core.disk"), "core", size="600M",
                  tree={"core": lambda path: reduce.expand(packed, path)})
    entries = module_entries("virtio_pci", "virtio_blk")
    modules = [os.path.basename(name) for name, _, _ in entries if name.endswith(".ko")]
    entries.append(("world", 0o100755, (CORE_ON_A_DISK % " ".join(modules)).encode()))
    world = World("core-hangs", "vmcore_save.vmcore=/cores/core vmcore_save.timeout=15 "
                  "rdinit=/world", targets=[core], overlay=entries,
                  on_line=hang_at("dmesg.txt saved", core))
    world.says("no progress for 15 s").ends("incomplete", "no progress for 15 s")
    told = manifest(world.folder())
    expect(told["verdict"] == "incomplete", "the verdict is %s" % told["verdict"])
    expect("vmcore" not in world.names(), "the files are %s" % world.names())
    return world


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
    world = World("gone", BOTH, targets=[(first, scsi(first, "gone"))],
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


def journal(target):
    """Offsets of the journal's blocks."""
    shown = vm.run(["/sbin/debugfs", "-R", "blocks <8>", target.path])
    size = int(target.header("Block size"))
    return [int(block) * size for block in shown.split()]


@fault("failure/journal-damaged", "The first target's journal is overwritten", GROUP)
def journal_damaged():
    first = disk("journal")
    overwrite(first, journal(first)[0], b"\xa5" * 4096)
    world = World("journal", BOTH, targets=[first])
    world.says("cannot mount /dev/vda as ext4")
    return second_has_all(world)


@fault("failure/directory-damaged", "A directory on the first target's way is damaged", GROUP)
def directory_damaged():
    """With this the kernel makes the file system read-only."""
    first = disk("directory", tree={"var/crash": None}, options=["-e", "remount-ro"])
    shown = vm.run(["/sbin/debugfs", "-R", "blocks /var/crash", first.path])
    overwrite(first, int(shown.split()[0]) * int(first.header("Block size")), b"\xa5" * 512)
    world = World("directory", BOTH, targets=[first])
    world.says("cannot make a directory in /var/crash")
    return second_has_all(world)


@fault("failure/fs-turns-read-only", "The first target's file system turns read-only in the dump",
       GROUP)
def fs_turns_read_only():
    """Its journal cannot be written from some block on."""
    first = disk("remount")
    sectors = [offset // 512 for offset in journal(first)[JOURNAL_GOOD:JOURNAL_GOOD + 40]]
    world = World("remount", BOTH, targets=[(first, first.qemu_bad_writes(sectors))], script=SYNCS)
    world.says("Read-only file system")
    folder = world.folder(first)
    log_whole(folder)
    expect("vmcore" not in os.listdir(folder), "the files are %s" % os.listdir(folder))
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
