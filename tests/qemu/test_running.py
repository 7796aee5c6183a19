# SPDX-License-Identifier: GPL-2.0-or-later
"""vmcore-save on a running kernel, in a VM that does not panic."""

import os
import re

import cores
import crash
import vm
from harness import expect, test

PAGE_KIB = 4


def figure(lines, pattern):
    """The number behind a word in what the guest reported."""
    for line in lines:
        found = re.match(r"usage " + pattern + r"\s+(\d+)", line)
        if found:
            return int(found.group(1))
    return None


def expect_near(what, got, want, tolerance):
    expect(got is not None and want is not None, "%s: not reported" % what)
    expect(abs(got - want) <= want * tolerance, "%s: %d KiB, the kernel says %d" %
           (what, got, want))


def mem_usage(name):
    """Its count of pages is what /proc/meminfo says, give or take what changed meanwhile."""
    machine = crash.Machine(cores.out_dir("usage-" + name), cores.kernel(name),
                            script="mem-usage.sh", accel=cores.accel())
    machine.prepare(files=[("sbin/vmcore-save", os.path.join(vm.build_dir(), "vmcore-save"))])
    machine.run()
    lines = machine.vm.results
    expect_near("free", figure(lines, "FREE") * PAGE_KIB, figure(lines, "MemFree:"), 0.05)
    expect_near("user", figure(lines, "USER") * PAGE_KIB, figure(lines, "AnonPages:"), 0.2)
    expect_near("cache", (figure(lines, "NON_PRI_CACHE") + figure(lines, "PRI_CACHE")) * PAGE_KIB,
                figure(lines, "Cached:") + figure(lines, "Buffers:"), 0.3)
    noise = [line for line in lines if "vmcore-save:" in line]
    expect(not noise, "it said: " + "; ".join(noise))
    os.unlink(machine.disk.path)


for _name in cores.KERNELS:
    test("mem-usage/" + _name, "running")(lambda name=_name: mem_usage(name))
