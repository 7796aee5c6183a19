# SPDX-License-Identifier: GPL-2.0-or-later
"""Targets that are put together from other devices. The distribution's tools make them in
the guest, the dracut module's functions record them there, and after the capture the same
tools say what state they are in."""

import json
import os
import shutil
import tarfile

import cores
import crash
import readers
import vm
from harness import expect, expect_in, once, test

KERNEL = cores.KERNELS[0]
DISK_BYTES = 400 << 20
PROGRAMS = ("bash", "basename", "cat", "env", "readlink", "sed", "stat", "tr", "blkid", "dmsetup",
            "lvm", "mdadm", "mkfs.ext4", "mkfs.xfs", "e2fsck", "xfs_repair")
GUEST_MODULES = ("dm_mod", "raid1", "xfs", "dm_snapshot", "dm_mirror",
                 "dm_crypt", "crypto_null", "ecb")
CONF = crash.CONF + "extra_modules dm_mod raid1 xfs\n"
SEARCH = "/usr/sbin:/usr/bin:/sbin:/bin"


def tools_of(program):
    """The program and the libraries that it is linked to."""
    path = shutil.which(program, path=SEARCH)
    expect(path, "no %s: run scripts/deps" % program)
    libraries = [word for word in vm.run(["ldd", path]).split() if word.startswith("/")]
    return [path] + libraries


@once
def tools(kernel):
    """A tar with a root folder for chroot: programs, libraries, modules in order."""
    os.makedirs(cores.out_dir(), exist_ok=True)
    path = cores.out_dir("stack-tools-%s.tar" % kernel.name)
    root = vm.fresh_dir(cores.out_dir("stack-tools-" + kernel.name))
    for folder in ("dev", "proc", "sys", "run", "tmp", "etc", "modules"):
        os.makedirs(os.path.join(root, folder))
    for name in sorted({name for program in PROGRAMS for name in tools_of(program)}):
        to = os.path.join(root, name.lstrip("/"))
        os.makedirs(os.path.dirname(to), exist_ok=True)
        shutil.copy(name, to)
    with open(os.path.join(root, "modules", "order"), "w", encoding="ascii") as order:
        for module in kernel.module_files(GUEST_MODULES):
            name = os.path.basename(module).split(".ko")[0] + ".ko"
            with open(os.path.join(root, "modules", name), "wb") as f:
                f.write(vm.unpack_module(module))
            order.write(name + "\n")
    with tarfile.open(path, "w") as tar:
        tar.add(root, "tools")
    shutil.rmtree(root)
    return path


@once
def image():
    os.makedirs(cores.out_dir(), exist_ok=True)
    return appendable(crash.image_build(cores.kernel(KERNEL), cores.out_dir("stack.img"), CONF))


def appendable(path):
    """An image that the guest appends an archive to."""
    with open(path, "ab") as f:
        f.write(b"\0" * (-f.tell() % 512))
    return path


def machine_make(directory, kernel, disks, parameters, **options):
    """One that puts a layout together when it runs; returns it and the disks' paths."""
    machine = crash.Machine(directory, kernel, script="stack.sh", parameters=parameters, **options)
    paths = []
    for nr in range(disks):
        paths.append(os.path.join(machine.dir, "member%d.img" % nr))
        with open(paths[-1], "wb") as f:
            f.truncate(DISK_BYTES)
        machine.vm.argv += ["-drive", "if=virtio,format=raw,cache=unsafe,file=" + paths[-1]]
    module = os.path.join(vm.TOP, "dracut-module", "99vmcore-save", "stack.sh")
    machine.prepare(files=[("test/tools.tar", tools(kernel)), ("test/stack-module", module)])
    return machine, paths


class Stack:
    """One layout: made, recorded, panicked on, and looked at again."""

    def __init__(self, layout, target="", fstype="ext4", disks=2, metadata="1.2", further=""):
        self.name = "stack-%s-%s-%s" % (layout, fstype, metadata)
        append = "%s vmcore_save.%s=%s%s vmcore_save.device_timeout=20" % (
            crash.CRASH_APPEND, fstype, target, further)
        self.machine, self.paths = machine_make(
            cores.out_dir(self.name), cores.kernel(KERNEL), disks,
            {"CRASH_APPEND": append, "LAYOUT": layout, "FSTYPE": fstype, "METADATA": metadata},
            image=image(), accel=cores.accel())
        self.machine.run()
        self.results = self.machine.vm.results
        self.console = "\n".join(t for _, t in self.machine.vm.lines if "vmcore-save" in t)

    def lines(self, key):
        return [line[len(key) + 1:] for line in self.results if line.startswith(key + " ")]

    def done(self):
        for path in [self.machine.disk.path] + self.paths:
            os.unlink(path)


def saved(stack):
    """The file system is sound, and the dump in it opens."""
    expect(stack.lines("copied") == ["0"], "nothing could be copied: %s" % stack.results)
    expect(stack.lines("fsck") == ["0"], "fsck says %s" % stack.lines("fsck"))
    folders = stack.machine.extract()
    expect(len(folders) == 1, "%d folders, not one" % len(folders))
    with open(os.path.join(folders[0], "vmcore-save.json"), encoding="utf-8") as f:
        expect(json.load(f)["verdict"] == "complete", "the verdict is not complete")
    dump = os.path.join(folders[0], "vmcore")
    expect_in("x86_64 " + stack.machine.kernel.release, readers.libkdumpfile(dump), "libkdumpfile")
    expect_in("sysrq_handle_crash", readers.crash(stack.machine.kernel, dump, ["bt"])["bt"], "bt")
    stack.done()


def clean(stack, members):
    states = stack.lines("state")
    expect(states == ["clean"] * members, "mdadm --examine says %s" % states)


@test("stack/lvm-linear-ext4", "stack")
def lvm_linear():
    """Over two disks, so that the table has two rows."""
    stack = Stack("linear", "/dev/vmtest-vg/dump")
    expect("changed since the image" not in stack.console, "the map differs from the kernel's")
    rows = [line for line in stack.lines("stack") if line.startswith("table")]
    expect(len(rows) == 2 and all(" linear UUID=" in row for row in rows), "recorded %s" % rows)
    saved(stack)


@test("stack/lvm-striped-xfs", "stack")
def lvm_striped():
    stack = Stack("striped", "/dev/mapper/vmtest--vg-dump", fstype="xfs")
    expect("changed since the image" not in stack.console, "the map differs from the kernel's")
    expect_in(" striped 2 128 UUID=", "\n".join(stack.lines("stack")), "what was recorded")
    saved(stack)


@test("stack/md-raid1", "stack")
def md_raid1():
    stack = Stack("raid1", "/dev/md127")
    clean(stack, 2)
    expect(stack.lines("mismatches") == ["0"], "the halves differ: %s" % stack.lines("mismatches"))
    saved(stack)


@test("stack/md-raid1-degraded", "stack", long=True)
def md_degraded():
    stack = Stack("degraded", "LABEL=vmtest-dump")
    expect_in("1 of its 2 members", stack.console, "the console")
    clean(stack, 1)
    saved(stack)


@test("stack/lvm-on-md-raid1", "stack", long=True)
def lvm_on_md():
    """The older superblock, which lies at the end."""
    stack = Stack("raid1-lvm", "LABEL=vmtest-dump", metadata="0.90")
    clean(stack, 2)
    expect(stack.lines("mismatches") == ["0"], "the halves differ: %s" % stack.lines("mismatches"))
    saved(stack)


@test("stack/lvm-moved-meanwhile", "stack")
def lvm_moved():
    """Extended and moved after the image was built; where it was lies another volume. A second
    volume on the disk that it moved to is put together beside it."""
    stack = Stack("moved", "/dev/vmtest-vg/dump")
    expect_in("vmtest--vg-dump: changed since the image was built", stack.console, "the console")
    expect_in("vmtest--vg-next is put together", stack.console, "the console")
    expect(stack.lines("foreign") == ["/dev/vmtest-vg/foreign: OK"],
           "another volume was written to: %s" % stack.lines("foreign"))
    saved(stack)


@test("stack/lvm-remade-meanwhile", "stack")
def lvm_remade():
    """A volume of the same name at the same place is not the one that was meant."""
    stack = Stack("remade", "/dev/vmtest-vg/dump", further=" vmcore_save.ext4=/dev/vmtest-vg/next")
    expect_in("vmtest--vg-dump: it was removed or made anew since the image was built",
              stack.console, "the console")
    expect("vmtest--vg-next: changed" not in stack.console, "the next one has not changed")
    expect(stack.lines("foreign") == ["/dev/vmtest-vg/dump: OK"],
           "the new volume was written to: %s" % stack.lines("foreign"))
    saved(stack)


@test("stack/lvm-snapshot-meanwhile", "stack", long=True)
def lvm_snapshot():
    """A backup was running: what is written below its snapshot would show in that."""
    stack = Stack("snapshot", "/dev/vmtest-vg/dump")
    expect_in("vmtest--vg-dump: another volume, such as a snapshot, builds on it", stack.console,
              "the console")
    expect(stack.lines("foreign") == ["/dev/vmtest-vg/backup: OK"],
           "the snapshot has changed: %s" % stack.lines("foreign"))
    stack.done()


@test("stack/lvm-metadata-damaged", "stack")
def lvm_damaged():
    stack = Stack("damaged", "/dev/vmtest-vg/dump")
    expect_in("LVM's metadata are damaged on UUID=", stack.console, "the console")
    expect("is put together" not in stack.console, "it was put together all the same")
    expect("rebooted" in stack.results, "no reboot: %s" % stack.results)
    stack.done()


@test("stack/two-disks-claim-to-be-one", "stack")
def clone():
    stack = Stack("clone", "/dev/vmtest-vg/dump", disks=3)
    expect_in("more than one device is UUID=", stack.console, "the console")
    expect("is put together" not in stack.console, "it was put together all the same")
    stack.done()


@test("stack/refused-when-recorded", "stack")
def refused():
    stack = Stack("refused")
    said = "\n".join(stack.lines("record"))
    expect_in("problem: secret: it is encrypted, and the crash kernel has no key", said, "it")
    expect_in("problem: changing: its map changes while the system runs", said, "it")
    expect("was taken" not in said and "left a file" not in said, said)
    stack.done()
