# SPDX-License-Identifier: GPL-2.0-or-later
"""Secure Boot as a distribution does it: firmware with Microsoft's keys starts shim, that GRUB,
that a signed kernel, which is locked down. It takes its own signed kernel for a panic, and the
signed modules of our image; kexec_load(2) and unsigned kernels are refused."""

import os
import shutil

import cores
import crash
import readers
import test_loader_images
import vm
from harness import expect, expect_in, test
from worlds import image

KERNEL = cores.KERNELS[0]
FIRMWARE = "/usr/share/OVMF/OVMF_%s_4M.ms.fd"
GRUB_CFG = """linux /vmlinuz %s
initrd /guest.cpio
boot
"""


def esp_make(machine, append):
    """A folder that QEMU shows as a FAT disk: shim, GRUB, and what GRUB is to start."""
    signed = vm.fetch("shim", machine.kernel.suite)
    folder = os.path.join(machine.dir, "esp")
    os.makedirs(os.path.join(folder, "EFI", "BOOT"))
    os.makedirs(os.path.join(folder, "EFI", "debian"))
    for name, source in (("BOOTX64.EFI", "usr/lib/shim/shimx64.efi.signed"),
                         ("grubx64.efi", "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed")):
        shutil.copy(os.path.join(signed, source), os.path.join(folder, "EFI", "BOOT", name))
    shutil.copy(machine.kernel.vmlinuz, os.path.join(folder, "vmlinuz"))
    vm.initramfs_write(os.path.join(folder, "guest.cpio"), machine.kernel)
    with open(os.path.join(folder, "EFI", "debian", "grub.cfg"), "w", encoding="utf-8") as f:
        f.write(GRUB_CFG % append)
    return folder


def by_firmware(machine):
    """In place of QEMU's handing a kernel over: the firmware's own way from a disk."""
    argv = machine.vm.argv
    append = argv[argv.index("-append") + 1]
    for option in ("-kernel", "-initrd", "-append"):
        at = argv.index(option)
        del argv[at:at + 2]
    argv[argv.index("-M") + 1] = "q35,smm=on"
    variables = os.path.join(machine.dir, "variables.fd")
    shutil.copy(FIRMWARE % "VARS", variables)
    argv += ["-global", "driver=cfi.pflash01,property=secure,value=on",
             "-drive", "if=pflash,unit=0,format=raw,readonly=on,file=" + FIRMWARE % "CODE",
             "-drive", "if=pflash,unit=1,format=raw,file=" + variables,
             "-drive", "if=none,id=esp,format=raw,readonly=on,file=fat:" + esp_make(machine, append),
             "-device", "virtio-blk-pci,drive=esp,bootindex=1"]


def machine_make(name, script="panic.sh", files=(), **options):
    machine = crash.Machine(cores.out_dir("loader-" + name), cores.kernel(KERNEL), script=script,
                            accel=cores.accel(), **options)
    by_firmware(machine)
    machine.prepare(size="1G", files=files)
    return machine


def lockdowns(machine):
    return sum("Kernel is locked down from EFI Secure Boot" in text
               for _, text in machine.vm.lines)


@test("loader/secure-boot-capture", "loader signed", long=True)
def secure_boot_capture():
    """All three kernels are locked down; the dump is whole."""
    machine = machine_make("secure-boot", image=image())
    machine.run()
    expect(machine.vm.value("armed") == "1", "kexec_crash_loaded is %s after arming" %
           machine.vm.value("armed"))
    expect(lockdowns(machine) == 3, "%d kernels of three are locked down" % lockdowns(machine))
    folders = machine.extract()
    expect(len(folders) == 1, "%d folders under /var/crash, not one" % len(folders))
    out = readers.crash(machine.kernel, os.path.join(folders[0], "vmcore"), ["sys", "bt"])
    expect_in("sysrq triggered crash", out["sys"], "crash's sys")
    expect_in("sysrq_handle_crash", out["bt"], "crash's bt")
    os.unlink(machine.disk.path)


@test("loader/secure-boot-refuses", "loader signed", long=True)
def secure_boot_refuses():
    """What goes around the signature; the signed kernel that was armed stays, and one is started."""
    steps = {"signed": "-p /mnt/boot/vmlinuz --append=nr_cpus=1",
             "load-call": "-c -p /mnt/boot/vmlinuz",
             "automatic": "-a -l /mnt/test/unsigned",
             "fast": "-l /mnt/boot/vmlinuz --initrd=/mnt/boot/crash.img --reuse-cmdline "
                     "--append=vmtest.fast=1"}
    directory = vm.fresh_dir(cores.out_dir("loader-secure-boot-files"))
    paths = {name: os.path.join(directory, name) for name in ("steps", "unsigned")}
    with open(paths["steps"], "w", encoding="utf-8") as f:
        f.write("".join("%s %s\n" % item for item in steps.items()))
    with open(cores.kernel(KERNEL).vmlinuz, "rb") as f:
        unsigned = test_loader_images.without_signature(f.read())
    with open(paths["unsigned"], "wb") as f:
        f.write(unsigned)
    machine = machine_make("secure-boot-refuses", "loader-steps.sh",
                           [("test/" + name, path) for name, path in paths.items()])
    machine.run()
    for name, status, loaded, part in (("signed", 0, "01", ""),
                                       ("load-call", 1, "01", "locked down (integrity)"),
                                       ("automatic", 1, "01", "is not signed"),
                                       ("fast", 0, "11", "")):
        said = machine.vm.value(name) or ""
        expect(said.startswith("%d %s" % (status, loaded)), "%s: %s" % (name, said))
        expect_in(part, said, name)
    expect_in("vmtest.fast=1", machine.vm.value("cmdline") or "", "the new kernel's command line")
    expect(lockdowns(machine) == 2, "%d kernels of two are locked down" % lockdowns(machine))
    os.unlink(machine.disk.path)
