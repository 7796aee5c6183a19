# SPDX-License-Identifier: GPL-2.0-or-later
"""kexec_load(2): what kexec-loader places by itself, on machines of several kinds; and, of each
kernel, kexec_file_load(2). Each panics, is captured, comes up again, and crash says what is in
the dump."""

import os
import re
import socket

import cores
import crash
import readers
import vm
from harness import expect, expect_in, once, test
from worlds import image

KERNEL = cores.KERNELS[0]
OVMF = "/usr/share/ovmf/OVMF.fd"
TWO_NODES = ["-object", "memory-backend-ram,id=m0,size=3G",
             "-object", "memory-backend-ram,id=m1,size=3G",
             "-numa", "node,memdev=m0,cpus=0-1", "-numa", "node,memdev=m1,cpus=2-3"]
MIB = 1 << 20
CALLS = {"load": "-c", "file": "-s"}


@once
def image_of(name):
    """The crash image of a kernel, which its tests share."""
    if name == KERNEL:
        return image()
    os.makedirs(cores.out_dir(), exist_ok=True)
    return crash.image_build(cores.kernel(name), cores.out_dir("loader-%s.img" % name))


class Loaded:
    """A machine that was armed, with -c unless told otherwise, and what became of it."""

    def __init__(self, name, cpus=1, qemu=(), parameters=None, files=(), on_line=None, **options):
        self.name = name
        given = {"LOADER_OPTIONS": "-c -d"}
        given.update(parameters or {})
        kernel = cores.kernel(name.split("/")[0])
        directory = cores.out_dir("loader-" + name.replace("/", "-"))
        self.machine = crash.Machine(directory, kernel, image=image_of(kernel.name),
                                     parameters=given, accel=cores.accel(), on_line=on_line,
                                     **options)
        argv = self.machine.vm.argv
        argv[argv.index("-smp") + 1] = str(cpus)
        argv += qemu
        self.machine.prepare(size="1G", files=files)
        self.machine.run()

    def said(self, what):
        """Whether kexec-loader said so when it was armed."""
        return any(what in line for line in self.machine.vm.results if line.startswith("arm "))

    def segments(self):
        """{name: (start, end)} as -d told them."""
        found = {}
        for line in self.machine.vm.results:
            match = re.search(r"segment \d+: 0x([0-9a-f]+)-0x([0-9a-f]+), .*: (\S+)$", line)
            if match:
                found[match[3]] = (int(match[1], 16), int(match[2], 16))
        return found

    def kernels(self):
        return sum("Linux version " in text for _, text in self.machine.vm.lines)

    def captured(self, cpus=1, crash_cpu=None, mib=1024, call="load"):
        """The machine came up again, and what crash finds is the machine that panicked."""
        armed = self.machine.vm.value("armed")
        expect(armed == "1", "kexec_crash_loaded is %s after arming" % armed)
        expect(self.said("segment 0") == (call == "load"), "the %s call was not used" % call)
        expect(self.kernels() == 3, "%d kernels booted, not three" % self.kernels())
        folders = self.machine.extract()
        expect(len(folders) == 1, "%d folders under /var/crash, not one" % len(folders))
        dump = os.path.join(folders[0], "vmcore")
        out = readers.crash(self.machine.kernel, dump, ["sys", "bt", "kmem -i"])
        expect_in("CPUS: %d" % cpus, out["sys"], "crash's sys")
        expect_in("sysrq triggered crash", out["sys"], "crash's sys")
        expect_in("sysrq_handle_crash", out["bt"], "crash's bt")
        if crash_cpu is not None:
            expect_in("CPU: %d " % crash_cpu, out["bt"], "crash's bt")
        pages = int(re.search(r"TOTAL MEM\s+(\d+)", out["kmem -i"])[1])
        expect(mib * 0.7 < pages / 256 <= mib, "crash sees %d MiB of %d" % (pages / 256, mib))
        self.done()

    def done(self):
        os.unlink(self.machine.disk.path)


@test("loader/load-one-cpu", "loader")
def one_cpu():
    """Page tables have five levels here: QEMU's largest CPU has la57."""
    Loaded(KERNEL).captured()


@test("loader/load-two-nodes-high", "loader")
def two_nodes():
    """Two reservations, the one that is used above 4 GiB; the last of four CPUs panics."""
    shot = Loaded(KERNEL + "/nodes", cpus=4, qemu=TWO_NODES, memory="6G", crashkernel="192M,high",
                  parameters={"CRASH_CPU": "3"})
    expect(all(start >= 1 << 32 for start, _ in shot.segments().values()),
           "segments below 4 GiB: %s" % shot.segments())
    shot.captured(cpus=4, crash_cpu=3, mib=6144)


@test("loader/load-uefi", "loader uefi")
def uefi():
    """The capture kernel has the firmware's services, too: it says so."""
    shot = Loaded(KERNEL + "/uefi", cpus=2, qemu=["-bios", OVMF], parameters={"CRASH_CPU": "1"})
    efi = [text for _, text in shot.machine.vm.lines if "efi: EFI v" in text]
    expect(len(efi) == 3, "%d of three kernels found EFI" % len(efi))
    shot.captured(cpus=2, crash_cpu=1)


@test("loader/load-entry-32bit", "loader", long=True)
def entry_32():
    """The purgatory leaves 64-bit mode, as it does for a 32-bit kernel; it prints."""
    shot = Loaded(KERNEL + "/entry-32",
                  parameters={"LOADER_OPTIONS": "-c -d --entry-32bit --console-serial"})
    console = "\n".join(text for _, text in shot.machine.vm.lines)
    expect_in("purgatory: starting the kernel", console, "the console")
    shot.captured()


@test("loader/load-four-levels", "loader", long=True)
def four_levels():
    Loaded(KERNEL + "/levels", qemu=["-cpu", "max,-la57"]).captured()


@test("loader/load-hotplug", "loader", long=True)
def hotplug():
    """A kernel that keeps the list of CPUs and memory itself does so for what --hotplug loaded, and
    without it says that it does not."""
    for options, kept in (("-c -d", "0"), ("-c -d --hotplug", "1")):
        shot = Loaded("sid-cloud/hotplug" + kept, cpus=2,
                      parameters={"LOADER_OPTIONS": options, "CPU_AGAIN": "1"})
        for key, want in (("crash_hotplug", kept), ("online", "0"), ("online again", "0-1")):
            told = shot.machine.vm.value(key)
            expect(told == want, "%s: %s is %s" % (options, key, told))
        shot.captured(cpus=2)


@test("loader/load-vmlinux", "loader", long=True)
def vmlinux():
    """The capture kernel needs no room to unpack itself."""
    kernel = cores.kernel(KERNEL)
    stripped = cores.out_dir("loader-vmlinux")
    vm.run(["objcopy", "--strip-all", kernel.vmlinux, stripped])
    shot = Loaded(KERNEL + "/vmlinux", parameters={"KERNEL": "/mnt/boot/vmlinux"},
                  files=[("boot/vmlinux", stripped)])
    shot.captured()


def generic(name, call):
    """Either call on a kernel, which panics on a CPU that it was not booted on."""
    shot = Loaded("%s/%s" % (name, call), cpus=2, parameters={
        "CRASH_CPU": "1", "LOADER_OPTIONS": CALLS[call] + " -d"})
    shot.captured(cpus=2, crash_cpu=1, call=call)


for _name in cores.KERNELS + cores.LONG_KERNELS:
    for _call in CALLS:
        test("loader/%s-%s" % (_call, _name), "loader", long=True)(
            lambda name=_name, call=_call: generic(name, call))


def sized(gib, cpus):
    """The last CPU panics; from 4 GiB on memory lies on both sides of the PCI hole."""
    shot = Loaded("%s/%dG-%d" % (KERNEL, gib, cpus), cpus=cpus, memory="%dG" % gib,
                  parameters={"CRASH_CPU": str(cpus - 1)})
    shot.captured(cpus=cpus, crash_cpu=cpus - 1, mib=gib * 1024)


for _gib in (1, 2, 3, 4, 6):
    for _cpus in (1, 4):
        test("loader/memory-%dG-%d-cpus" % (_gib, _cpus), "loader", long=True)(
            lambda gib=_gib, cpus=_cpus: sized(gib, cpus))


class Gdb:
    """As much of gdb's protocol as it takes to write physical memory of a guest."""

    def __init__(self, path):
        """Whatever comes first stops the guest and is not looked at; it says that it stopped."""
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.seen = b""
        self.socket.connect(path)
        self.socket.sendall(b"\x03")
        self.answer()

    def answer(self):
        while True:
            packet = re.search(rb"\$([^#]*)#..", self.seen)
            if packet:
                self.seen = self.seen[packet.end():]
                self.socket.sendall(b"+")
                return packet[1].decode()
            data = self.socket.recv(4096)
            expect(data, "QEMU closed gdb's connection")
            self.seen += data

    def command(self, text):
        self.socket.sendall(b"$%s#%02x" % (text.encode(), sum(text.encode()) & 0xff))
        return self.answer()

    def write(self, paddr, data):
        expect(self.command("Qqemu.PhyMemMode:1") == "OK", "QEMU writes no physical memory")
        answer = self.command("M%x,%x:%s" % (paddr, len(data), data.hex()))
        expect(answer == "OK", "writing to 0x%x: %s" % (paddr, answer))

    def detach(self):
        self.command("D")
        self.socket.close()


@test("loader/overwritten", "loader")
def overwritten():
    """One byte of the loaded kernel changes before the panic: it is not started, the purgatory
    says so, the machine comes up by its firmware."""
    path = os.path.join("/tmp", "vmcore-save-gdb-%d" % os.getpid())
    written = []

    def on_line(text):
        if "vmtest: a line before the panic" not in text or written:
            return
        results = os.path.join(cores.out_dir("loader-%s-overwritten" % KERNEL), "result")
        with open(results, encoding="utf-8") as f:
            start = int(re.search(r"segment 0: 0x([0-9a-f]+)-", f.read())[1], 16)
        gdb = Gdb(path)
        try:
            gdb.write(start + 5 * MIB, b"\xa5")
            written.append(start)
        finally:  # or the guest would stand still
            gdb.detach()

    shot = Loaded(KERNEL + "/overwritten", qemu=["-gdb", "unix:%s,server=on,wait=off" % path],
                  parameters={"LOADER_OPTIONS": "-c -d --serial=ttyS0"}, on_line=on_line)
    expect(written, "nothing was overwritten")
    console = "\n".join(text for _, text in shot.machine.vm.lines)
    expect_in("purgatory: the loaded kernel was overwritten", console, "the console")
    expect(shot.machine.vm.value("rebooted"), "the machine did not come up again")
    expect(shot.kernels() == 2, "%d kernels booted, not two" % shot.kernels())
    saved = [name for name in shot.machine.saved_files() if name.endswith("vmcore")]
    expect(not saved, "a dump was saved: %s" % saved)
    shot.done()


@test("loader/fast-reboot", "loader")
def fast_reboot():
    """By this call."""
    crash.fast_reboots(crash.Machine(cores.out_dir("loader-fast"), cores.kernel(KERNEL),
                                     script="fast-reboot.sh", parameters={"LOADER_OPTIONS": "-c"},
                                     accel=cores.accel()))
