# SPDX-License-Identifier: GPL-2.0-or-later
"""Full images: dracut's own, in which vmcore-save runs as the last step. Each is a panic."""

import json
import os

import cores
import crash
import readers
import vm
from harness import Skip, expect, expect_in, once, test

KERNEL = "6.1-cloud"
MULTIPATH_KERNEL = "6.1-generic"
CRASHKERNEL = "384M"  # systemd, udev and the generic image's modules; not ours
CONF = crash.CONF + "device_timeout 60\n"


@once
def image(kernel=KERNEL):
    os.makedirs(cores.out_dir(), exist_ok=True)
    options = ["--image=full"]
    if kernel == MULTIPATH_KERNEL:
        conf = cores.out_dir("multipath.conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write("defaults {\n\tfind_multipaths no\n}\n")
        options += ["--add", "multipath", "--include", conf, "/etc/multipath.conf"]
    return crash.image_build(vm.Kernel(kernel), cores.out_dir("full-%s.img" % kernel), CONF,
                             options=options)


def panic(name, append="", qemu=(), kernel=KERNEL, built=None):
    machine = crash.Machine(
        cores.out_dir("image-" + name), vm.Kernel(kernel), image=built or image(kernel),
        parameters={"CRASH_APPEND": crash.CRASH_APPEND + " " + append}, accel=cores.accel(),
        crashkernel=CRASHKERNEL, memory="2G")
    machine.vm.argv += qemu
    machine.prepare(size="1G")
    machine.run()
    boots = [at for at, text in machine.vm.lines if "Linux version " in text]
    expect(len(boots) == 3, "%d kernels booted, not three" % len(boots))
    machine.console = "\n".join(t for at, t in machine.vm.lines if boots[1] <= at < boots[2])
    machine.seconds = boots[2] - boots[1]
    return machine


def complete(machine):
    """The one dump that is there is whole, and crash(8) opens it."""
    folders = machine.extract()
    expect(len(folders) == 1, "%d folders under /var/crash, not one" % len(folders))
    with open(os.path.join(folders[0], "vmcore-save.json"), encoding="utf-8") as f:
        told = json.load(f)
    expect(told["verdict"] == "complete", "the verdict is %s" % told["verdict"])
    _, out = readers.read(readers.libkdumpfile_argv(os.path.join(folders[0], "vmcore")))
    expect_in("x86_64 " + machine.kernel.release, out, "libkdumpfile")
    os.unlink(machine.disk.path)


@test("image/firmware", "image", long=True)
def firmware():
    """What a driver that the image is sure to need may ask for goes with it; of those of any machine
    it does not."""
    folder = vm.fresh_dir(cores.out_dir("firmware"))
    for name in ("tigon/tg3.bin", "tigon/tg3_tso.bin.xz", "bnx2/bnx2-mips-06-6.2.3.fw", "other.fw"):
        os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
        with open(os.path.join(folder, name), "w", encoding="ascii") as f:
            f.write("firmware")
    out = crash.image_build(vm.Kernel(MULTIPATH_KERNEL), cores.out_dir("firmware.img"),
                            CONF + "extra_modules tg3\nfence_kdump_nodes peer\n",
                            options=["--fwdir", folder])
    names = vm.run(["lsinitrd", out], env=dict(os.environ, LC_ALL="C"))
    for name in ("tigon/tg3.bin", "tigon/tg3_tso.bin.xz"):
        expect_in("lib/firmware/" + name, names, "the image")
    for name in ("bnx2", "other.fw"):
        expect("firmware/" + name not in names, "the image has firmware/" + name)
    expect_in("bnx2.ko", names, "the image")
    os.unlink(out)


@test("image/full", "image-full", long=True)
def full():
    """dracut with systemd brings up the disk, vmcore-save saves and reboots by itself."""
    machine = panic("full")
    expect_in("systemd", machine.console, "the capture kernel's console")
    expect_in("; reboot", machine.console, "the capture kernel's console")
    complete(machine)


@test("image/full-gives-up", "image-full", long=True)
def gives_up():
    """Where dracut's own boot ends in its emergency mode, the dump is saved all the same."""
    machine = panic("gives-up", "rd.break=initqueue")
    expect_in("Break", machine.console, "the capture kernel's console")
    complete(machine)


@test("image/hostonly", "image-full", long=True)
def hostonly():
    """Built for this host, whose target is a disk by a name that udev alone knows; the same disk
    then gets the dump of a machine that panics. Its driver there is not the one that it has here."""
    if os.geteuid() != 0:
        raise Skip("a loop device needs root")
    path, link = cores.out_dir("hostonly.disk"), "/dev/disk/by-id/vmcore-save-test"
    disk = vm.Disk(path)
    disk.LABEL = "hostonly"
    disk.create(vm.fresh_dir(cores.out_dir("empty-hostonly")), "256M")
    loop = vm.run(["losetup", "--find", "--show", path]).strip()
    os.makedirs(os.path.dirname(link), exist_ok=True)
    os.symlink(loop, link)
    try:
        built = crash.image_build(
            vm.Kernel(KERNEL), cores.out_dir("hostonly.img"),
            CONF.replace("ext4 LABEL=vmcore-test", "ext4 " + link) +
            "extra_modules virtio_pci virtio_blk\n", options=["--hostonly", "--image=tiny"])
    finally:
        os.unlink(link)
        vm.run(["losetup", "--detach", loop])
    expect_in("ext4 UUID=", vm.run(["lsinitrd", "-f", "etc/vmcore-save.conf", built]), "the image")
    machine = panic("hostonly", built=built, qemu=[
        "-drive", "if=none,id=target,format=raw,cache=unsafe,file=" + path,
        "-device", "virtio-blk-pci,drive=target,addr=0x1d"])
    machine.disk.path = path
    complete(machine)


@test("image/multipath", "image-multipath", long=True)
def multipath():
    """Two paths to one disk: the dump goes through the map that multipathd made of them."""
    path = cores.out_dir("multipath.img")
    disk = vm.Disk(path)
    disk.LABEL = "two-paths"
    disk.create(vm.fresh_dir(cores.out_dir("empty-multipath")), "256M")
    qemu = ["-device", "virtio-scsi-pci,id=scsi0", "-device", "virtio-scsi-pci,id=scsi1"]
    for way in ("0", "1"):
        qemu += ["-drive", "if=none,id=way%s,format=raw,cache=none,file.locking=off,file=%s" %
                 (way, path),
                 "-device", "scsi-hd,bus=scsi%s.0,drive=way%s,share-rw=on,serial=vmcore,"
                 "wwn=0x5000c50015ea71ac" % (way, way)]
    machine = panic("multipath", "vmcore_save.ext4=LABEL=two-paths", qemu, MULTIPATH_KERNEL)
    expect_in("/dev/dm-0", machine.console, "the capture kernel's console")
    expect_in("; reboot", machine.console, "the capture kernel's console")
    machine.disk.path = path
    complete(machine)
