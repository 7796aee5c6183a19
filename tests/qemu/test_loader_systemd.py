# SPDX-License-Identifier: GPL-2.0-or-later
"""`systemctl kexec` of a real systemd, on a machine where kexec(8) is a link to kexec-loader:
what it loads, what it starts, and what is left where the link is not there."""

import os
import re
import shutil

import cores
import crash
import vm
from harness import expect, expect_in, test

RUN_WITHIN_S = 240
OPTIONS = "console=ttyS0 panic=5 vmtest.fast=1"
# systemctl takes the default entry of the boot loader; systemd-boot's folder may also be here.
ENTRY = """title test
linux /boot/vmlinuz
initrd /boot/crash.img
options %s
""" % OPTIONS
SERVICE = """[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
StandardOutput=file:/dev/ttyS1
StandardError=file:/dev/ttyS1
ExecStart=/bin/sh /test/step
"""
# The link to /boot, since the entry's files are looked for below its root.
STEP = """#!/bin/sh
mkdir -p /run/boot-loader-entries/loader/entries
ln -s /boot /run/boot-loader-entries/boot
cp /test/entry /run/boot-loader-entries/loader/entries/test.conf
systemctl --version | head -n 1
%s
systemctl kexec
echo "systemctl $?"
echo "loaded $(cat /sys/kernel/kexec_loaded)"
"""


class SystemDisk(vm.Disk):
    LABEL = "vmcore-system"


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def system_make(machine, suite, step, link):
    """The disk with systemd of @suite, our loader and the service; @link: what kexec(8) is."""
    tree = os.path.join(machine.dir, "system")
    shutil.copytree(vm.fetch("systemd", suite), tree, symlinks=True)
    for folder in ("boot", "dev", "proc", "run", "sys", "tmp"):
        os.makedirs(os.path.join(tree, folder), exist_ok=True)
    for name, source in (("boot/vmlinuz", machine.kernel.vmlinuz),
                         ("boot/crash.img", machine.initrd), ("bin/busybox", "/bin/busybox"),
                         ("sbin/kexec-loader", os.path.join(vm.build_dir(), "kexec-loader"))):
        shutil.copy(source, os.path.join(tree, name))
    for applet in ("sh", "cat", "cp", "head", "ln", "mkdir"):
        os.symlink("busybox", os.path.join(tree, "bin", applet))
    if link:
        os.symlink("kexec-loader", os.path.join(tree, "sbin/kexec"))
    write(os.path.join(tree, "etc/systemd/system/vmtest.service"), SERVICE)
    write(os.path.join(tree, "etc/os-release"), "ID=test\n")
    write(os.path.join(tree, "test/entry"), ENTRY)
    write(os.path.join(tree, "test/step"), STEP % step)
    disk = SystemDisk(os.path.join(machine.dir, "system.img"))
    disk.create(tree, "512M")
    shutil.rmtree(tree)
    machine.vm.argv += ["-drive", "if=virtio,format=raw,cache=unsafe,file=" + disk.path]
    return disk


def run(kernel, suite, name, step=":", link=True):
    machine = crash.Machine(cores.out_dir("loader-systemd-%s-%s" % (suite, name)),
                            cores.kernel(kernel), script="systemctl-kexec.sh",
                            accel=cores.accel(), append="systemd.unit=vmtest.service")
    machine.prepare(size="256M")
    disk = system_make(machine, suite, step, link)
    machine.run(RUN_WITHIN_S)
    for left in (disk, machine.disk):
        os.unlink(left.path)
    said = "\n".join(machine.vm.results)
    console = "\n".join(text for _, text in machine.vm.lines)
    for line in ("systemctl 0", "loaded 1"):
        expect(line in said.splitlines(), "no '%s' in\n%s" % (line, said))
    expect_in("Rebooting with kexec.", console, "the console")
    expect(console.count("Linux version ") == 2, "%d kernels booted, not two" %
           console.count("Linux version "))
    expect("came back" not in console + said, "the kernel was not started by the first try")
    return machine, said


def loads_and_starts(kernel, suite):
    """Nothing is loaded: systemctl has kexec(8) load the boot loader's entry."""
    machine, said = run(kernel, suite, "loads")
    expect(re.search(r'sbin/kexec --load "\S+/boot/vmlinuz" --append "%s" --initrd '
                     r'"\S+/boot/crash.img"' % OPTIONS, said), "systemctl ran another line:\n" + said)
    expect((machine.vm.value("cmdline") or "").endswith(OPTIONS),
           "the new kernel's command line is %s" % machine.vm.value("cmdline"))


def without_link(kernel, suite):
    """kexec-loader -l has loaded one, and there is no kexec(8): systemd starts it itself."""
    machine, said = run(kernel, suite, "without-link", link=False, step=(
        "kexec-loader -l /boot/vmlinuz --initrd=/boot/crash.img --append='%s vmtest.ours=1'" %
        OPTIONS))
    expect("--load" not in said, "systemctl loaded what was loaded already")
    expect_in("vmtest.ours=1", machine.vm.value("cmdline") or "", "the new kernel's command line")


for _kernel, _suite in (("6.1-cloud", "bookworm"), ("6.12-cloud", "trixie")):
    for _what, _func in (("loads", loads_and_starts), ("without-link", without_link)):
        test("loader/systemctl-%s-%s" % (_suite, _what), "loader systemd", long=True)(
            lambda kernel=_kernel, suite=_suite, func=_func: func(kernel, suite))
