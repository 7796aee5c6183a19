# SPDX-License-Identifier: GPL-2.0-or-later
"""Raw cores of panicked stock kernels, copied by busybox's dd in the capture kernel."""

import os

import crash
import vm
from harness import once

KERNELS = ("6.1-cloud", "6.12-cloud")
LONG_KERNELS = ("5.10-cloud", "sid-cloud")
REDUCED = ("5.10-cloud", "6.1-cloud", "6.12-cloud", "sid-cloud", "6.1-rt", "6.12-rt",
           "6.12-generic")
CORE_TIMEOUT_S = 900  # an emulated guest copies its memory at some 20 MB/s


@once
def kernel(name):
    return vm.Kernel(name, debug=True)


def out_dir(*parts):
    return os.path.join(vm.build_dir(), "qemu", *parts)


@once
def accel():
    return vm.accel_choose(kernel(KERNELS[0]), out_dir("accel"))


def core_take(directory, name, **machine_options):
    """Panics a guest that holds a bit of everything; returns the path of its /proc/vmcore."""
    machine = crash.Machine(directory, kernel(name), parameters={"FILL": "1"}, accel=accel(),
                            **machine_options)
    machine.prepare(files=[("test/capture", os.path.join(vm.HERE, "capture-raw.sh"))])
    machine.run(CORE_TIMEOUT_S)
    path = machine.disk.extract_file("/vmcore.elf", os.path.join(machine.dir, "vmcore.elf"))
    size = int(machine.vm.value("vmcore"))
    if os.path.getsize(path) != size:
        raise vm.VmError("the copy has %d bytes, /proc/vmcore had %d" %
                         (os.path.getsize(path), size), machine.vm.console)
    os.unlink(machine.disk.path)
    return path


@once
def raw_core(name):
    """Path of a plain copy of /proc/vmcore."""
    return core_take(out_dir("raw-" + name), name)


@once
def small_core(name):
    """The same of a guest with little memory."""
    return core_take(out_dir("small-" + name), name, memory="512M")
