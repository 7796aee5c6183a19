# SPDX-License-Identifier: GPL-2.0-or-later
"""vmcorectl test --vm: images, good and bad, that are told to be so without a crash."""

import hashlib
import json
import os
import subprocess

import cores
import crash
import vm
import worlds
from harness import expect, expect_in, once, test
from test_control import IMAGE, RELEASE, System, newc

KERNEL = "6.1-cloud"
MEMORY = 128
TIMEOUT_S = 300


@once
def built(conf, name):
    os.makedirs(cores.out_dir(), exist_ok=True)
    return crash.image_build(vm.Kernel(KERNEL), cores.out_dir("rehearsal-%s.img" % name), conf)


class Rehearsal(System):
    """A system below a directory that has armed a real kernel with a real image."""

    def __init__(self, name, crash_image, append=""):
        super().__init__("rehearsal-" + name, crash_size=MEMORY << 20)
        kernel = vm.Kernel(KERNEL)
        self.image = crash_image
        self.write("sys/kernel/kexec_crash_loaded", "1\n")
        os.symlink(kernel.modules, self.path("lib/modules/" + kernel.release))
        self.write("run/vmcore-save/armed.json", json.dumps({
            "kernel": kernel.vmlinuz, "kernel_sha256": self.digest(kernel.vmlinuz),
            "release": kernel.release, "image": crash_image,
            "image_sha256": self.digest(crash_image),
            "cmdline": "console=tty0 nr_cpus=1 reset_devices panic=5 " + append, "when": 1}))

    @staticmethod
    def digest(path):
        with open(path, "rb") as f:
            return hashlib.sha256(f.read()).hexdigest()

    def has_disk(self, driver):
        """The machine's own: below the directory that would hold a dump."""
        device = "sys/devices/pci0000:00/0000:00:03.0"
        block = os.path.join(device, "host0", "block", "sdx")
        os.makedirs(self.path(block))
        for name in ("sys/dev/block", "sys/bus/pci/drivers/" + driver):
            os.makedirs(self.path(name))
        os.symlink("../../../bus/pci/drivers/" + driver, self.path(device + "/driver"))
        number = os.stat(self.root).st_dev
        os.symlink(self.path(block), self.path("sys/dev/block/%d:%d" % (
            os.major(number), os.minor(number))))

    def rehearse(self, *args):
        """(exit status, what --json tells)"""
        before, folder = self.digest(self.image), vm.fresh_dir(self.path("tmp"))
        console = self.path("console.log")
        done = subprocess.run([os.path.join(vm.build_dir(), "vmcorectl"), "test", "--vm", "--json",
                               "--root=" + self.root, "--console=" + console, *args],
                              env=dict(os.environ, TMPDIR=folder), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                              timeout=TIMEOUT_S)
        expect(not os.listdir(folder), "it left %s" % os.listdir(folder))
        expect(self.digest(self.image) == before, "it changed the image")
        if not done.stdout:
            raise vm.VmError("exit status %d: %s" % (done.returncode, done.stderr), console)
        told = json.loads(done.stdout)
        self.results = {r["name"]: (r["verdict"], r["text"]) for r in told["results"]}
        return done.returncode, told

    def succeeds(self, *args):
        status, told = self.rehearse(*args)
        bad = {k: v for k, v in self.results.items() if v[0] != "ok"}
        expect(status == 0 and told["verdict"] == "ok" and not bad, "exit status %d: %s" % (
            status, bad))
        for name in ("boot", "modules", "core", "target", "mount", "log", "dump", "verdict",
                     "memory", "end"):
            expect(name in self.results, "nothing is told of %s: %s" % (name, self.results))
        expect_in("1020 of 2044 pages kept", self.results["verdict"][1], "the verdict")
        expect_in("reboot after", self.results["end"][1], "the end")
        expect(0 < told["mem_available_min_kib"] < told["mem_total_kib"] < MEMORY << 10,
               "the figures are %s" % told)
        return told


@test("rehearsal/vm", "rehearsal", long=True)
def good():
    """The image is as it was, all steps are told. No other is armed by now; KVM is tried first."""
    r = Rehearsal("vm", built(crash.CONF, "disk"))
    told = r.succeeds()
    expect(told["disk"] == "virtio_blk" and not told["driver_lent"] and told["armed"] and
           told["memory_mib"] == MEMORY, "it tells %s" % told)
    expect_in("the jump out of a crashed kernel", " ".join(told["not_shown"]), "what is not shown")
    with open(r.path("console.log"), encoding="utf-8", errors="replace") as f:
        text = f.read()
    expect_in("Linux version", text, "the console")
    expect_in("vmcore-save[", text, "the console")


@test("rehearsal/driver-missing", "rehearsal", long=True)
def driver_missing():
    """An image without the driver of this machine's disk, and one with a damaged driver: told."""
    listed = worlds.image_files()["etc/vmcore-save/modules"]
    lines = [m for m in listed.splitlines(True) if b"virtio_blk" not in m]
    expect(len(lines) + 1 == len(listed.splitlines()), "no virtio_blk in the list")
    # Without a target in the configuration it is the root file system, whose disk this one has.
    path = worlds.image_overlaid(cores.out_dir("rehearsal-missing.img"), [
        ("etc/vmcore-save.conf", 0o100644, b"path /var/crash\n"),
        ("etc/vmcore-save/rootfs", 0o100644, b"ext4 LABEL=vmcore-test\n"),
        ("etc/vmcore-save/modules", 0o100644, b"".join(lines))])
    r = Rehearsal("missing", path, "vmcore_save.device_timeout=3")
    r.has_disk("virtio_blk")
    status, told = r.rehearse("--tcg")
    expect(status == 3 and told["verdict"] == "FAIL", "%d: %s" % (status, r.results))
    expect(r.results["boot"][0] == "ok" and r.results["target"][0] == "FAIL" and
           r.results["verdict"][0] == "FAIL", "it tells %s" % r.results)
    expect_in("the image lacks one of virtio_pci virtio_blk", r.results["driver"][1], "the driver")

    name = [m for m in listed.decode().split() if "virtio_blk" in m][0]
    path = worlds.image_overlaid(cores.out_dir("rehearsal-damaged.img"), [
        ("usr" + name, 0o100644, b"no module")])
    r = Rehearsal("damaged", path, "vmcore_save.device_timeout=3")
    status, told = r.rehearse("--tcg")
    expect(status == 3 and r.results["modules"][0] == "FAIL", "%d: %s" % (status, r.results))
    expect_in("1 modules could not be loaded", r.results["modules"][1], "the modules")


@test("rehearsal/lent", "rehearsal", long=True)
def lent():
    """An image for a server has no disk's driver: one is lent, and said to be."""
    r = Rehearsal("lent", built("nfs 192.0.2.1:/export\npath /crash\n", "nfs"))
    # This kernel has one for NVMe in itself; nothing tells of it now.
    modules = r.path("lib/modules/" + vm.Kernel(KERNEL).release)
    os.unlink(modules)
    os.mkdir(modules)
    for name in ("kernel", "modules.dep"):
        os.symlink(os.path.join(vm.Kernel(KERNEL).modules, name), os.path.join(modules, name))
    told = r.succeeds("--tcg")
    expect(told["driver_lent"], "it tells %s" % told)
    hidden = " ".join(told["not_shown"])
    for sentence in ("the way to 192.0.2.1:/export", "was lent to it"):
        expect_in(sentence, hidden, "what is not shown")


@test("rehearsal/disks", "rehearsal", long=True)
def disks():
    """The disk is of the kind that this machine has, and the file system that of the target."""
    conf = "xfs UUID=%s\npath /var/crash\nextra_modules nvme\n" % ("0" * 8 + "-0000" * 3 + "-" +
                                                                  "0" * 12)
    r = Rehearsal("nvme", built(conf, "xfs"))
    expect(r.succeeds("--tcg")["disk"] == "virtio_blk", "another disk than the first")
    r = Rehearsal("too-small", built(conf, "xfs"))
    status, _ = r.rehearse("--tcg", "--memory=40")
    expect(status == 3 and r.results["boot"][0] == "FAIL", "%d: %s" % (status, r.results))


@test("control/test-refusals", "control")
def refusals():
    system = System("test-refusals")
    for args in ((), ("--vm", "--memory=1"), ("--vm", "--memory=0x80"), ("--vm", "--memory=9999"),
                 ("--vm", "--timeout=never")):
        status, _, said = system.ctl("test", *args)
        expect(status == 2, "%s: exit status %d: %s" % (args, status, said))
    system.refuses("there is no crash image yet", "test", "--vm")
    system.does("start", "--kernel=" + RELEASE)
    system.refuses("it holds no configuration", "test", "--vm")
    with open(system.path(IMAGE[1:]), "wb") as f:
        f.write(newc({"etc/vmcore-save.conf": "path /var/crash\n"}))
    system.refuses("no target is configured in it", "test", "--vm")
    system.write("etc/default/vmcore-save", "KERNEL_APPEND='vmcore_save.ext4=/dev/x'\n")
    system.does("start", "--kernel=" + RELEASE)
    with open(system.path(IMAGE[1:]), "wb") as f:
        f.write(newc({"etc/vmcore-save.conf": "path /var/crash\n"})[:-100])
    system.refuses("damaged", "test", "--vm")
    with open(system.path(IMAGE[1:]), "wb") as f:
        f.write(newc({"etc/vmcore-save.conf": "path /var/crash\n"}))
    system.write("sys/kernel/kexec_crash_loaded", "1\n")
    armed = system.read("run/vmcore-save/armed.json")
    system.write("run/vmcore-save/armed.json", armed.replace("vmlinuz-", "gone-"))
    system.refuses('"vmcorectl start" arms what is there now', "test", "--vm")
    system.write("run/vmcore-save/armed.json", armed)
    system.write("bin/qemu-system-x86_64", "#!/bin/sh\nexit 1\n")
    os.chmod(system.path("bin/qemu-system-x86_64"), 0o755)
    system.refuses("qemu-system-x86_64: ended with status 1", "test", "--vm")
    system.write("bin/qemu-system-x86_64", "#!/bin/sh\nexit 0\n")
    system.refuses("has no disk that could be used", "test", "--vm")
    system.write("sys/kernel/kexec_crash_size", "0\n")
    system.refuses("--memory=MIB says how much", "test", "--vm")
