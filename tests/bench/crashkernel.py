#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds the smallest crashkernel= at which a real panic still ends in a complete dump.

Usage: tests/bench/crashkernel.py KERNEL...     (names of tests/qemu/fetch list)

The capture image is dracut's, for an ext4 file system on virtio-blk; the machine has 1 GiB.
Sizes are tried downwards from 192 MiB in steps of STEP_MIB, by bisection, once with a plain
capture command line and once with the trimmed one. A size counts when two panics in a row
gave the verdict "complete".
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "qemu"), os.path.dirname(HERE)]
import crash  # noqa: E402 pylint: disable=wrong-import-position
import vm  # noqa: E402 pylint: disable=wrong-import-position

STEP_MIB = 4
LOW_MIB, HIGH_MIB = 44, 192
TIMEOUT_S = 240
PLAIN = crash.CRASH_APPEND
# Each word was seen to help on some kernel; none is known to hurt on those measured here.
TRIMMED = PLAIN + (" nokaslr cgroup_disable=memory percpu_alloc=page lsm= cryptomgr.notests"
                   " numa=off swiotlb=noforce hest_disable coherent_pool=16K"
                   " initcall_blacklist=tracer_init_tracefs,slab_sysfs_init,slab_late_init")


def works(kernel, image, mib, append):
    """Whether a panic with this reservation gave a complete dump; says what else it gave."""
    directory = os.path.join(vm.build_dir(), "bench", "crashkernel", kernel.name)
    machine = crash.Machine(directory, kernel, image=image, crashkernel="%dM" % mib,
                            parameters={"CRASH_APPEND": append})
    machine.prepare(size="1G")
    try:
        machine.run(TIMEOUT_S)
    except vm.VmError as e:
        print("    %dM: %s" % (mib, str(e).splitlines()[0]), flush=True)
        return False
    names = [os.path.basename(name) for name in machine.saved_files()]
    saved = sorted(n for n in names if "vmcore" in n)
    print("    %dM: %s" % (mib, " ".join(saved) or "nothing saved: " + last_words(machine)),
          flush=True)
    return "vmcore" in names


def last_words(machine):
    """What kexec-loader said, or else the console line before the machine started again."""
    said = machine.vm.value("kexec-loader:")
    starts = [i for i, (_, text) in enumerate(machine.vm.lines) if "Linux version" in text]
    if said or len(starts) < 2:
        return said or "the capture kernel never started"
    before = [text for _, text in machine.vm.lines[:starts[-1]] if text.strip()]
    return before[-1]


def smallest(kernel, image, append):
    low, high = LOW_MIB, HIGH_MIB
    while high - low > STEP_MIB:
        middle = (low + high) // 2 // STEP_MIB * STEP_MIB
        if works(kernel, image, middle, append) and works(kernel, image, middle, append):
            high = middle
        else:
            low = middle
    return high


def main():
    for name in sys.argv[1:] or ("6.1-cloud", "6.12-cloud"):
        kernel = vm.Kernel(name)
        out = vm.fresh_dir(os.path.join(vm.build_dir(), "bench", name))
        image = crash.image_build(kernel, os.path.join(out, "crash.img"))
        for what, append in (("plain", PLAIN), ("trimmed", TRIMMED)):
            print("%s, %s command line" % (kernel.release, what), flush=True)
            print("%s %s: %d MiB" % (kernel.release, what, smallest(kernel, image, append)),
                  flush=True)


if __name__ == "__main__":
    main()
