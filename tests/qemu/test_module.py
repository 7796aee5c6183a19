# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions of the dracut module by themselves, with hosts that this machine is not."""

import os
import subprocess

import cores
import vm
from harness import expect, test

MODULE = os.path.join(vm.TOP, "dracut-module", "99vmcore-save")
STUBS = """
for file in "$MODULE"/*.sh; do
	[[ $file == */module-setup.sh ]] || . "$file"
done
vmcore_problem() { echo "$vmcore_severity: $*"; }
dwarn() { echo "dwarn: $*"; }
vmcore_need() { echo "need $*"; }
vmcore_want() { echo "want $*"; }
vmcore_setting() { printf '%s\\n' "${settings[@]}"; }
initdir=$PWD/image hostonly=yes vmcore_severity=dfatal vmcore_full=
mkdir -p "$initdir/etc/vmcore-save"
"""


def run(folder, script, *args):
    """Returns (exit status, lines) of a script in a folder of its own."""
    done = subprocess.run(["bash", "-c", STUBS + script, "bash", *args], cwd=folder,
                          env=dict(os.environ, MODULE=MODULE), encoding="utf-8",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.splitlines()


def place(name):
    return vm.fresh_dir(cores.out_dir("module-" + name))


def is_same(what, got, want):
    expect(got == want, "%s: %r, not %r" % (what, got, want))


@test("module/nvme-with-several-controllers", "module")
def nvme():
    """Its disk is a virtual device in sysfs; the drivers are those of the controllers."""
    root = place("nvme")
    sys = os.path.join(root, "sys/devices")
    disk = os.path.join(sys, "virtual/nvme-subsystem/nvme-subsys0/nvme0n1/nvme0n1p2")
    ctrl = os.path.join(sys, "pci0000:00/0000:00:04.0/nvme/nvme0")
    for folder in (disk, ctrl, os.path.join(root, "sys/module/nvme"),
                   os.path.join(root, "sys/bus/pci/drivers/nvme")):
        os.makedirs(folder)
    with open(os.path.join(ctrl, "transport"), "w", encoding="ascii") as f:
        f.write("pcie\n")
    os.symlink(ctrl, os.path.join(sys, "virtual/nvme-subsystem/nvme-subsys0/nvme0"))
    os.symlink(os.path.join(root, "sys/bus/pci/drivers/nvme"),
               os.path.join(sys, "pci0000:00/0000:00:04.0/driver"))
    os.symlink(os.path.join(root, "sys/module/nvme"),
               os.path.join(root, "sys/bus/pci/drivers/nvme/module"))
    is_same("drivers", run(root, 'vmcore_sys=$1; vmcore_drivers "$2"', sys, disk),
            (0, ["need nvme"]))


@test("module/interfaces", "module")
def interfaces():
    """Which the image of vmcore-save alone can use, told from the kernel's own word for them."""
    root = place("interfaces")
    for name, kind, number, hardware, problem in (
            ("eth0", "", 1, True, []),
            ("bond0", "bond", 1, False, ["the bond bond0"]),
            ("br0", "bridge", 1, False, ["the bridge br0"]),
            ("eth0.5", "vlan", 1, False, ["the vlan eth0.5"]),
            ("wlan0", "wlan", 1, True, ["the wlan wlan0"]),
            ("ib0", "", 32, True, ["ib0 (no Ethernet)"]),
            ("team0", "", 1, False,
             ["team0 (a team, a tunnel or the like: no hardware is behind it)"])):
        folder = os.path.join(root, name)
        os.makedirs(os.path.join(folder, "device") if hardware else folder)
        with open(os.path.join(folder, "type"), "w", encoding="ascii") as f:
            f.write("%d\n" % number)
        with open(os.path.join(folder, "uevent"), "w", encoding="ascii") as f:
            f.write("DEVTYPE=%s\n" % kind if kind else "")
            f.write("INTERFACE=%s\nIFINDEX=2\n" % name)
        is_same(name, run(root, 'vmcore_network_problem "$1"', folder), (0, problem))


@test("module/a-further-target-only-warns", "module")
def further():
    """It must not cost the machine its crash image, whatever is wrong with it."""
    root = place("further")
    network = """
settings=("target %s" "target ssh root@second /x" "fence_kdump_nodes peer")
vmcore_want() { :; }
vmcore_network_to() { vmcore_problem "$1"; return 1; }
vmcore_part_network
"""
    is_same("a disk first", run(root, network % "ext4 LABEL=x /x")[1][:2],
            ["dwarn: peer", "dwarn: second"])
    is_same("nfs first", run(root, network % "nfs first:/x /x"), (1, ["dfatal: first"]))
    is_same("ssh first", run(root, network % "ssh a@first /x"), (1, ["dfatal: first"]))
    stack = """
settings=("target %s")
stat() { echo 7:0; }
readlink() { echo here; }
vmcore_stack_walk() {
	vmcore_stack+="$nr "
	[[ $((nr++)) != "$bad" ]] || { vmcore_problem no; return 1; }
}
nr=0 bad=$1
vmcore_nodes=(a b c)
vmcore_part_stack && cat image/etc/vmcore-save/stack
"""
    is_same("the first", run(root, stack % "ext4 LABEL=x /x", "0"), (1, ["dfatal: no"]))
    is_same("the second", run(root, stack % "ext4 LABEL=x /x", "1"), (0, ["dwarn: no", "0 2 "]))
    is_same("behind ssh", run(root, stack % "ssh a@b /x", "0"), (0, ["dwarn: no", "1 2 "]))


@test("module/names-of-devices", "module")
def names():
    """What the crash kernel may call otherwise goes by its UUID in the image."""
    script = """
vmcore_type=$1 vmcore_where=$2 vmcore_place=conf
readlink() { echo "$node"; }
blkid() { [[ $3 == "$has" ]] && echo 12-ab; }
printf '%s\\n' "ext4 /dev/sdb11" "  ext4 /dev/sdb1 # here" "raw /dev/sdb2" > image/etc/vmcore-save.conf
vmcore_settle_name "$2" && cat image/etc/vmcore-save.conf
"""
    for kind, where, node, has, want in (
            ("ext4", "/dev/sdb1", "/dev/sdb1", "UUID",
             (0, ["ext4 /dev/sdb11", "ext4 UUID=12-ab", "raw /dev/sdb2"])),
            ("raw", "/dev/sdb2", "/dev/sdb2", "PART_ENTRY_UUID",
             (0, ["ext4 /dev/sdb11", "  ext4 /dev/sdb1 # here", "raw PARTUUID=12-ab"])),
            ("ext4", "/dev/sdb1", "/dev/dm-0", "UUID",
             (0, ["ext4 /dev/sdb11", "  ext4 /dev/sdb1 # here", "raw /dev/sdb2"])),
            ("raw", "/dev/sdb2", "/dev/sdb2", "",
             (0, ["dwarn: vmcore-save: conf: in the crash kernel another device may have this name; "
                  "PARTUUID=... would be safe",
                  "ext4 /dev/sdb11", "  ext4 /dev/sdb1 # here", "raw /dev/sdb2"]))):
        is_same("%s %s" % (kind, where),
                run(place("names"), "node=%s has=%s\n" % (node, has) + script, kind, where),
                want)
    root = place("names")
    is_same("udev's name", run(root, """
vmcore_type=raw vmcore_where=/dev/fd vmcore_place=conf # a link in any system
readlink() { echo /dev/sdb; }
blkid() { :; }
: > image/etc/vmcore-save.conf
vmcore_settle_name /dev/sdb
"""), (1, ["dfatal: this name is udev's, which the image does not have: write PARTUUID=..."]))


@test("module/names-that-only-udev-has", "module")
def udev_names():
    """Refused in a tiny image for any host, but for those that say what is on the disk."""
    script = """
hostonly='' vmcore_full=$2 vmcore_type=ext4 vmcore_where=$1 vmcore_disks=disks
vmcore_target_block
"""
    there = (0, ["want disks", "need fs-ext4"])
    refused = (1, ["dfatal: there is no udev in the image to give this name: UUID= or PARTUUID= "
                   "needs none"])
    for where, full, want in (("/dev/disk/by-uuid/1-2", "", there),
                              ("/dev/disk/by-partlabel/x", "", there),
                              ("/dev/sda1", "", there),
                              ("UUID=1-2", "", there),
                              ("/dev/disk/by-id/ata-x", "", refused),
                              ("/dev/disk/by-path/pci-x", "", refused),
                              ("/dev/disk/by-id/ata-x", "yes", there)):
        is_same(where, run(place("udev"), script, where, full), want)


@test("module/firmware", "module")
def firmware():
    """What a module asks for is taken from the first folder that has it, packed or not."""
    root = place("firmware")
    for name in ("first/a.bin", "second/a.bin", "second/dir/b.fw.zst"):
        os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
        with open(os.path.join(root, name), "w", encoding="ascii") as f:
            f.write("x")
    is_same("firmware", run(root, """
fw_dir=first:second
modinfo() { printf '%s\\n' a.bin dir/b.fw absent.bin; }
vmcore_install() { echo "$1 $2"; }
vmcore_install_firmware x.ko
"""), (0, ["first/a.bin /lib/firmware/a.bin", "second/dir/b.fw.zst /lib/firmware/dir/b.fw.zst"]))


@test("module/interpreters-of-hooks", "module")
def interpreters():
    """What a script's first line starts is in the image; busybox's env knows no -S."""
    root = place("interpreters")
    script = 'type() { echo "/found/$2"; }; vmcore_interpreters "$1"'
    for line, want in (
            ("#!/bin/sh", ["/bin/sh"]),
            ("#! /bin/bash -eu", ["/bin/bash"]),
            ("#!/usr/bin/env python3", ["/usr/bin/env", "/found/python3"]),
            ("#!/usr/bin/env -S python3 -u", ["real /usr/bin/env", "/found/python3"]),
            ("#!/usr/bin/env -Spython3", ["real /usr/bin/env", "/found/python3"]),
            ("#!/usr/bin/env --split-string=perl -w", ["real /usr/bin/env", "/found/perl"]),
            ("#!/usr/bin/env -iS -u HOME A=b perl", ["real /usr/bin/env", "/found/perl"]),
            ("#!/usr/bin/env A=b perl", ["/usr/bin/env", "/found/perl"]),
            ("#!/usr/bin/env", ["/usr/bin/env"]),
            ("\x7fELF", [])):
        with open(os.path.join(root, "hook"), "w", encoding="ascii") as f:
            f.write(line + "\necho\n")
        is_same(line, run(root, script, "hook"), (0, want))
    is_same("env that busybox cannot be", run(root, """
vmcore_install() { echo "install $1"; : > "$initdir$1"; }
vmcore_install_program() { vmcore_install "$1"; }
mkdir -p "$initdir/usr/bin"
vmcore_install_interpreter /usr/bin/env; readlink "$initdir/usr/bin/env"
vmcore_install_interpreter real /usr/bin/env
vmcore_install_interpreter real /usr/bin/env; vmcore_install_interpreter /usr/bin/env
[[ -L $initdir/usr/bin/env ]] || echo is real
"""), (0, ["/bin/busybox", "install /usr/bin/env", "is real"]))


@test("module/folders-of-hooks", "module")
def folders():
    """A file that is no program, such as a README, does not keep the image from being built."""
    root = place("hooks")
    os.makedirs(os.path.join(root, "pre.d"))
    for name, mode in (("10-run", 0o755), ("README", 0o644)):
        path = os.path.join(root, "pre.d", name)
        with open(path, "w", encoding="ascii") as f:
            f.write("#!/bin/sh\n")
        os.chmod(path, mode)
    is_same("hooks", run(root, """
vmcore_hook_folders=$PWD
vmcore_install_hook() { echo "hook $1"; }
vmcore_part_hooks
"""), (0, ["hook %s/pre.d/10-run" % root,
           "dwarn: vmcore-save: %s/pre.d/README is not executable: it is left out" % root]))
