# SPDX-License-Identifier: GPL-2.0-or-later
"""Raw cores of panicked stock kernels, copied by busybox's dd in the capture kernel."""

import os

import crash
import vm
from harness import once

KERNELS = ("6.1-cloud", "6.12-cloud")
LONG_KERNELS = ("5.10-cloud", "sid-cloud")


@once
def kernel(name):
    return vm.Kernel(name, debug=True)


def out_dir(*parts):
    return os.path.join(vm.build_dir(), "qemu", *parts)


@once
def accel():
    return vm.accel_choose(kernel(KERNELS[0]), out_dir("accel"))


@once
def raw_core(name):
    """Path of a plain copy of /proc/vmcore."""
    machine = crash.Machine(out_dir("raw-" + name), kernel(name), parameters={"FILL": "1"},
                            accel=accel())
    machine.prepare(files=[("test/capture", os.path.join(vm.HERE, "capture-raw.sh"))])
    machine.run()
    path = machine.disk.extract_file("/vmcore.elf", os.path.join(machine.dir, "vmcore.elf"))
    size = int(machine.vm.value("vmcore"))
    if os.path.getsize(path) != size:
        raise vm.VmError("the copy has %d bytes, /proc/vmcore had %d" %
                         (os.path.getsize(path), size), machine.vm.console)
    os.unlink(machine.disk.path)
    return path
