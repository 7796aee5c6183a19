# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine that panics: crash image by dracut, disk, arming, panic, and what is left."""

import os
import shutil
import sys

import vm
from harness import expect, expect_in

# QEMU is slow on a busy machine: without the last one a stock kernel takes its timer for broken.
CRASH_APPEND = "console=ttyS0 nr_cpus=1 reset_devices irqpoll panic=5 no_timer_check"
CONF = """ext4 LABEL=vmcore-test
path /var/crash
core_collector vmcore-save -d 31 -c
failure_action reboot
final_action reboot
"""
DEFAULT_CRASHKERNEL = "128M"
PANIC_TIMEOUT_S = 600
SILENCE_S = 200  # a disk that hangs is given up after 110


def image_build(kernel, out, conf=CONF, options=(), home=None):
    """The crash image as an administrator, whose home may be another, builds it: dracut and our
    module."""
    conf_path = out + ".conf"
    with open(conf_path, "w", encoding="utf-8") as f:
        f.write(conf)
    env = dict(os.environ, VMCORE_SAVE_BIN=os.path.join(kernel.build_dir, "vmcore-save"),
               VMCORE_SAVE_CONF=conf_path,
               PATH=os.environ["PATH"] + ":/sbin:/usr/sbin")
    if home:
        env["HOME"] = home
    busybox = os.path.join(vm.build_dir(), "busybox")
    if kernel.is_i386:
        env["VMCORE_SAVE_BUSYBOX"] = kernel.busybox
    elif os.path.exists(busybox):
        env["VMCORE_SAVE_BUSYBOX"] = busybox
    vm.run([os.path.join(vm.TOP, "dracut-module", "vmcore-save-dracut"), "--no-hostonly",
            *options, "--kmoddir", kernel.modules, "--force", out,
            kernel.release], env=env)
    return out


class Machine:
    """A VM with a disk that holds kernel, crash image, kexec-loader and a script."""

    def __init__(self, directory, kernel, script="panic.sh", parameters=None, image=None,
                 crashkernel=DEFAULT_CRASHKERNEL, memory="1G", on_line=None, accel="tcg",
                 append=""):
        self.dir = vm.fresh_dir(directory)
        self.kernel = kernel
        self.script = script
        self.parameters = {"CRASH_APPEND": CRASH_APPEND}
        self.parameters.update(parameters or {})
        self.initrd = os.path.join(self.dir, "guest.cpio")
        self.image = image
        self.modules = ()
        self.disk = vm.Disk(os.path.join(self.dir, "disk.img"))
        self.vm = vm.Vm(self.dir, kernel.vmlinuz, self.initrd,
                        "panic=5 crashkernel=%s %s" % (crashkernel, append), memory=memory,
                        disk=self.disk, on_line=on_line, accel=accel, qemu=kernel.qemu)

    def prepare(self, size="3G", files=()):
        """Writes initramfs and disk; files are (name on the disk, source)."""
        vm.initramfs_write(self.initrd, self.kernel, modules=self.modules)
        tree = os.path.join(self.dir, "tree")
        for folder in ("boot", "sbin", "test", "var/crash"):
            os.makedirs(os.path.join(tree, folder))
        os.chmod(os.path.join(tree, "var/crash"), 0o755)
        entries = [("boot/vmlinuz", self.kernel.vmlinuz),
                   ("boot/crash.img", self.image or self.initrd),
                   ("sbin/kexec-loader", os.path.join(self.kernel.build_dir, "kexec-loader")),
                   ("sbin/memory-load", os.path.join(self.kernel.build_dir, "memory-load")),
                   ("test/script", os.path.join(vm.HERE, self.script)), *files]
        for name, source in entries:
            os.makedirs(os.path.dirname(os.path.join(tree, name)), exist_ok=True)
            shutil.copy(source, os.path.join(tree, name))
        with open(os.path.join(tree, "test", "parameters"), "w", encoding="utf-8") as f:
            for key, value in self.parameters.items():
                f.write("%s='%s'\n" % (key, value))
        self.disk.create(tree, size)
        shutil.rmtree(tree)

    def run(self, timeout=PANIC_TIMEOUT_S):
        """Once more, where the kernel that comes after the capture hangs at its own boot, which
        an emulator's does now and then: it is only to say what is on the disk. The console's
        lines stay those of the first run."""
        try:
            return self.vm.run(timeout, SILENCE_S)
        except vm.VmLost as lost:
            lines = self.vm.lines
            if sum("Linux version " in text for _, text in lines) != 3:
                raise
            print("%s: %s at the third kernel's boot; once more" % (self.dir, lost),
                  file=sys.stderr, flush=True)
        results = self.vm.run(timeout, SILENCE_S)
        self.vm.lines = lines
        return results

    def saved_files(self):
        """What stood under /var/crash after the reboot: {path: (mode, size)}."""
        files = {}
        for line in self.vm.results:
            if line.startswith("file "):
                mode, size, name = line[5:].split(" ", 2)
                files[name] = (mode, int(size))
        return files

    def extract(self):
        """Copies /var/crash out of the disk; returns the folders of the dumps in it."""
        out = self.disk.extract("/var/crash", os.path.join(self.dir, "var"))
        return sorted(os.path.join(out, name) for name in os.listdir(out))


def fast_reboots(machine):
    """-l, -u, -l and -e by fast-reboot.sh; the new kernel runs the script once more."""
    machine.prepare(size="1G")
    machine.run()
    for key, want in (("loaded", "1"), ("unloaded", "0")):
        expect(machine.vm.value(key) == want, "%s: kexec_loaded is %s" %
               (key, machine.vm.value(key)))
    expect_in("vmtest.fast=1", machine.vm.value("cmdline") or "", "the new kernel's command line")
    os.unlink(machine.disk.path)
