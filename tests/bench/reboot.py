#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Seconds from `kexec-loader -e` to the new kernel's init, beside a reboot by the firmware.

Usage: tests/bench/reboot.py [--rounds N] [--kexec PATH] [KERNEL]   (of tests/qemu/fetch list)

One machine with SeaBIOS and one with OVMF leave their kernel by each way in turn, with the same
kernel, initrd and command line. Time starts where the loaded kernel is started or the reset is
asked for, by reboot(2) both times and with nothing to be stopped before; it ends at the new
kernel's "Run /init". The firmware has no boot loader to start and no disk to read from: QEMU
hands it the kernel. --kexec puts kexec(8) beside it, as that program is installed or unpacked.
Printed is the median of the rounds, to the new kernel's first line and to its init, of QEMU's CPU
time: nothing here waits, and the clock would say how busy the host is.
"""

import argparse
import os
import re
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "qemu"), os.path.dirname(HERE)]
import cores  # noqa: E402 pylint: disable=wrong-import-position
import crash  # noqa: E402 pylint: disable=wrong-import-position
import vm  # noqa: E402 pylint: disable=wrong-import-position

OVMF = "/usr/share/ovmf/OVMF.fd"
FIRMWARE = {"SeaBIOS": [], "OVMF": ["-bios", OVMF]}
OURS = ("firmware", "kexec-loader-s", "kexec-loader-c")
PEERS = ("kexec-s", "kexec-c")
REBOOT_TIMEOUT_S = 120


def peer_files(path):
    """kexec(8) and the libraries that it maps, for the machine's disk."""
    listed = vm.run(["ldd", path])
    files = [("kexec/kexec", path)]
    for library in re.findall(r"(/\S+) \(0x", listed):
        name = "ld.so" if "/ld-linux" in library else os.path.basename(library)
        files.append(("kexec/" + name, os.path.realpath(library)))
    return files


def children_cpu_s():
    """CPU time so far, user and system, of this process's children: proc(5), stat."""
    ticks = 0
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % name, encoding="utf-8", errors="replace") as f:
                fields = f.read().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        if int(fields[1]) == os.getpid():
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


class Watch:
    """Of a console as it comes: {way: [(seconds to the new kernel's first line, to its init)]}."""

    def __init__(self):
        self.found = {}
        self.way = self.left = self.first = None

    def line(self, text):
        if "vmtest: leaving by " in text:
            self.way, self.left, self.first = text.split()[-1], children_cpu_s(), None
        elif self.way and not self.first and "Linux version " in text:
            self.first = children_cpu_s()
        elif self.way and self.first and "Run /init as init process" in text:
            self.found.setdefault(self.way, []).append(
                (self.first - self.left, children_cpu_s() - self.left))
            self.way = None


def measure(kernel, firmware, ways, rounds, files):
    watch = Watch()
    machine = crash.Machine(os.path.join(vm.build_dir(), "bench", "reboot-" + firmware), kernel,
                            script="../bench/reboot-step", accel=cores.accel(),
                            on_line=watch.line, parameters={"WAYS": " ".join(ways * rounds)})
    machine.vm.argv += FIRMWARE[firmware]
    empty = os.path.join(machine.dir, "turns")
    with open(empty, "wb"):
        pass
    machine.prepare(size="1G", files=[("test/turns", empty), *files])
    machine.run(REBOOT_TIMEOUT_S * len(ways) * rounds)
    os.unlink(machine.disk.path)
    return watch.found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kexec", metavar="PATH")
    parser.add_argument("kernel", nargs="?", default=cores.KERNELS[0])
    args = parser.parse_args()
    kernel = vm.Kernel(args.kernel)
    ways, files = OURS, []
    if args.kexec:
        ways, files = OURS + PEERS, peer_files(args.kexec)
    for firmware in FIRMWARE:
        found = measure(kernel, firmware, ways, args.rounds, files)
        base = None
        for way in ways:
            kernel_s, init_s = (statistics.median(column) for column in zip(*found[way]))
            base = base or init_s
            print("%s %-8s %-15s kernel %5.2f s, init %5.2f s, %4.2f of the firmware's" % (
                kernel.release, firmware, way, kernel_s, init_s, init_s / base), flush=True)


if __name__ == "__main__":
    main()
