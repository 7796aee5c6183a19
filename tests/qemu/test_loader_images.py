# SPDX-License-Identifier: GPL-2.0-or-later
"""kexec-loader on a running stock kernel: what it takes a kernel out of, what it refuses."""

import gzip
import os
import struct

import cores
import crash
from harness import expect, expect_in, test

RUN_WITHIN_S = 300
SECTION_ALIGN = 512
UKI_CMDLINE = "console=ttyS0 panic=5 vmtest.fast=1 vmtest.uki=1"


def uki(sections):
    """A unified kernel image of (name, bytes): a PE file of sections; no stub runs here."""
    header = bytearray(1024)
    header[0:2] = b"MZ"
    struct.pack_into("<I", header, 0x3c, 0x80)
    struct.pack_into("<4sHH", header, 0x80, b"PE\0\0", 0x8664, len(sections))
    struct.pack_into("<HH", header, 0x94, 0xf0, 0x22e)
    struct.pack_into("<H", header, 0x98, 0x20b)
    body = b""
    for i, (name, data) in enumerate(sections):
        padded = data + bytes(-len(data) % SECTION_ALIGN)
        struct.pack_into("<8sIIII", header, 0x98 + 0xf0 + 40 * i, name.encode(), len(data),
                         0x100000 * (i + 1), len(padded), len(header) + len(body))
        body += padded
    return bytes(header) + body


def without_signature(bzimage):
    """The same kernel, its certificate table taken out of the header."""
    data = bytearray(bzimage)
    pe = struct.unpack_from("<I", data, 0x3c)[0]
    struct.pack_into("<II", data, pe + 24 + 144, 0, 0)
    return bytes(data)


class Loader:
    """A machine that runs steps: {name: arguments}; files are {name below /mnt/test: bytes}."""

    def __init__(self, name, kernel, steps, files, append=""):
        self.machine = crash.Machine(cores.out_dir("loader-" + name), kernel,
                                     script="loader-steps.sh", accel=cores.accel())
        self.machine.vm.argv += ["-no-reboot"]
        if append:
            at = self.machine.vm.argv.index("-append") + 1
            self.machine.vm.argv[at] += " " + append
        lines = "".join("%s %s\n" % item for item in steps.items()).encode()
        files = dict(files, steps=lines)
        sources = []
        for file_name, data in files.items():
            path = os.path.join(self.machine.dir, file_name)
            with open(path, "wb") as f:
                f.write(data)
            sources.append(("test/" + file_name, path))
        self.machine.prepare("1G", sources)
        self.machine.run(RUN_WITHIN_S)
        os.unlink(self.machine.disk.path)

    def expect(self, name, status, loaded, part=""):
        """loaded: for -e and for a panic, as two digits"""
        said = self.machine.vm.value(name)
        expect(said is not None, "%s did not report" % name)
        expect(said.startswith("%d %s" % (status, loaded)),
               "%s: %s, not status %d and loaded %s" % (name, said, status, loaded))
        expect_in(part, said, name)


@test("loader/images", "capture 6.1-cloud")
def images():
    """Each way to wrap a kernel; what is damaged leaves what was armed before."""
    kernel = cores.kernel("6.1-cloud")
    with open(kernel.vmlinuz, "rb") as f:
        vmlinuz = f.read()
    machine = crash.Machine(cores.out_dir("loader-initrd"), kernel)
    crash.vm.initramfs_write(machine.initrd, kernel, modules=())
    with open(machine.initrd, "rb") as f:
        initrd = f.read()
    image = uki([(".osrel", b"ID=test\n"), (".cmdline", UKI_CMDLINE.encode() + b"\n"),
                 (".initrd", initrd), (".linux", vmlinuz), (".uname", b"6.1")])
    packed = gzip.compress(vmlinuz, 1)
    steps = {
        # what systemd runs for `systemctl kexec` (load_kexec_kernel() of systemctl)
        "systemctl": "--load /mnt/boot/vmlinuz --append root=/dev/vda --initrd "
                     "/mnt/boot/crash.img",
        "unload": "-u",
        "packed": "-l /mnt/test/packed --reuse-cmdline -t bzImage",
        "again": "-u",
        # kdump-config of Debian and kdumpctl of kdump-utils
        "kdump": "-s -d -p --command-line=nr_cpus=1 --initrd=/mnt/boot/crash.img "
                 "/mnt/test/uki",
        "cut-uki": "-p /mnt/test/cut-uki",
        "cut-packed": "-p /mnt/test/cut-packed",
        "type": "-p -t elf-x86_64 /mnt/boot/vmlinuz",
        "reuse": "-p --reuseinitrd /mnt/boot/vmlinuz",
        "dtb": "-p --dtb=/x /mnt/boot/vmlinuz",
        "ckr-size": "--print-ckr-size",
        "uki": "-l /mnt/test/uki",
    }
    run = Loader("images", kernel, steps,
                 {"packed": packed, "uki": image, "cut-uki": image[:len(image) // 2],
                  "cut-packed": packed[:len(packed) // 2]})
    run.expect("systemctl", 0, "10")
    run.expect("unload", 0, "00")
    run.expect("packed", 0, "10")
    run.expect("again", 0, "00")
    run.expect("kdump", 0, "01", "is loaded for a panic")
    run.expect("cut-uki", 1, "01", "cut off: a section reaches beyond its end")
    run.expect("cut-packed", 1, "01", "gzip-compressed data that is damaged or cut off")
    run.expect("type", 1, "01", "not what --type=elf-x86_64 says")
    run.expect("reuse", 1, "01", "retain_initrd")
    run.expect("dtb", 2, "01", "ACPI")
    run.expect("ckr-size", 0, "01", run.machine.vm.value("reserved"))
    run.expect("uki", 0, "11")
    # It was started: with the image's command line and, since it got here, its initrd.
    expect_in("vmtest.uki=1", run.machine.vm.value("cmdline") or "", "the UKI's command line")


@test("loader/lockdown", "capture 6.1-cloud")
def lockdown():
    """Nothing gets around the signature, which no key of a machine without UEFI holds."""
    kernel = cores.kernel("6.1-cloud")
    with open(kernel.vmlinuz, "rb") as f:
        vmlinuz = f.read()
    unsigned = without_signature(vmlinuz)
    untrusted = "locked down (integrity) and does not trust the signature of"
    not_signed = "is not signed: install the distribution's signed kernel"
    steps = {
        "signed": ("-p /mnt/boot/vmlinuz --append=nr_cpus=1", untrusted),
        "unsigned": ("-p /mnt/test/unsigned --append=nr_cpus=1", not_signed),
        "uki": ("-l /mnt/test/uki", untrusted),
        "unsigned-uki": ("-a -l /mnt/test/unsigned-uki", not_signed),
        "load-call": ("-c -l /mnt/boot/vmlinuz", "locked down (integrity)"),
    }
    run = Loader("lockdown", kernel, {name: args for name, (args, _) in steps.items()},
                 {"unsigned": unsigned,
                  "uki": uki([(".linux", vmlinuz), (".cmdline", b"quiet")]),
                  "unsigned-uki": uki([(".linux", unsigned)])},
                 append="lockdown=integrity")
    for name, (_, part) in steps.items():
        run.expect(name, 1, "00", part)
