#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds the smallest crashkernel= at which a real panic still ends in a complete dump.

Usage: tests/bench/crashkernel.py [--plain|--tight] [--busybox] [--from MIB] [KERNEL...] [-- CLASS...]
(names of tests/qemu/fetch list; classes as in CLASSES below)

The image is vmcore-mkimage's, with the drivers of the target's class alone, as for a host that
is known, and without the rescue shell, which no target needs: --busybox leaves it in. The
machine has 1 GiB. A size works when two panics in a row left a complete dump: the manifest on
the target says so, and libkdumpfile opens the dump. From the size that --from names the search
goes down, or up, in steps of STEP_MIB; it ends at a size that works, where one step less failed.
The capture command line is TRIMMED, with --tight TIGHT, with --plain that of the tests.
"""

import argparse
import os
import shutil
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "qemu"), os.path.dirname(HERE)]
import crash  # noqa: E402 pylint: disable=wrong-import-position
import readers  # noqa: E402 pylint: disable=wrong-import-position
import test_targets  # noqa: E402 pylint: disable=wrong-import-position
import vm  # noqa: E402 pylint: disable=wrong-import-position
from harness import Failure, expect, expect_in  # noqa: E402 pylint: disable=wrong-import-position

STEP_MIB = 4
LOW_MIB, HIGH_MIB = 60, 192
TIMEOUT_S = 240
# A virtual machine on a busy host may miss the timer's ticks; that says nothing about memory.
NO_TIMER, TRIES = "IO-APIC + timer doesn't work", 3
OUTSIDE = ("ext4", "raw")
PLAIN = crash.CRASH_APPEND
# docs/measurements.md tells administrators of these words, and what each is for.
TRIMMED = PLAIN + (" nokaslr numa=off hest_disable lsm= audit=0 cryptomgr.notests"
                   " cgroup_disable=memory cgroup.memory=nokmem percpu_alloc=page"
                   " kfence.sample_interval=0 no5lvl initramfs_async=0")
# Fit for a known machine alone: without bounce buffers a device that reaches 32 bits of address
# reads nothing above 4 GiB, and kernels were seen to crash without one initcall or another. Of
# the blacklisted, three are threads (merging of pages, compaction, the search for hung tasks),
# the others trees in tracefs and sysfs.
TIGHT = TRIMMED + (" swiotlb=noforce coherent_pool=16K"
                   " initcall_blacklist=tracer_init_tracefs,slab_sysfs_init,slab_late_init,"
                   "ksm_init,kcompactd_init,hung_task_init,param_sysfs_builtin_init")

# configuration, disk, modules ("?": where the kernel has it)
CLASSES = {
    "ext4-virtio": ("ext4 LABEL=TARGET", "virtio-blk", "?virtio_pci ?virtio_blk ?ext4"),
    "xfs-virtio": ("xfs LABEL=TARGET", "virtio-blk", "?virtio_pci ?virtio_blk ?xfs"),
    "btrfs-virtio": ("btrfs LABEL=TARGET", "virtio-blk", "?virtio_pci ?virtio_blk ?btrfs"),
    "ext4-nvme": ("ext4 LABEL=TARGET", "nvme", "?nvme ?ext4"),
    "ext4-ahci": ("ext4 LABEL=TARGET", "ahci", "?ahci ?sd_mod ?ext4"),
    "ext4-scsi": ("ext4 LABEL=TARGET", "virtio-scsi", "?virtio_pci ?virtio_scsi ?sd_mod ?ext4"),
    "raw-virtio": ("raw /dev/vdb", "virtio-blk", "?virtio_pci ?virtio_blk"),
}


def image_build(kernel, name, out, busybox=False):
    """What vmcore-mkimage makes of its own manifest, with other drivers."""
    conf, _, modules = CLASSES[name]
    leave = ("modules ",) if busybox else ("modules ", "file /bin/busybox ", "slink ")
    with open(os.path.join(vm.TOP, "initramfs", "image.manifest"), encoding="utf-8") as f:
        lines = [line for line in f if not line.startswith(leave)]
    at = next(i for i, line in enumerate(lines) if line.startswith("module-list"))
    lines.insert(at, "modules /lib/modules/vmcore-save %s\n" % modules)
    for path, text in ((out + ".manifest", "".join(lines)),
                       (out + ".conf", conf + "\npath /var/crash\n")):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    vm.run([os.path.join(vm.build_dir(), "vmcore-mkimage"), "-m", out + ".manifest", "-c",
            out + ".conf", "-D", "VMCORE_SAVE=" + os.path.join(vm.build_dir(), "vmcore-save"),
            "-D", "BUSYBOX=" + os.path.join(vm.build_dir(), "busybox"), "-k", kernel.modules,
            "--compress", "zstd", "-o", out])
    return out


def machine_make(directory, kernel, image, mib, append, fstype):
    """ext4 and raw are read from outside, so that the machine need not start again; others are
    copied by a last boot to the machine's own disk."""
    parameters = {"CRASH_APPEND": append}
    if fstype in OUTSIDE:
        machine = crash.Machine(directory, kernel, image=image, crashkernel="%dM" % mib,
                                parameters=parameters)
        machine.vm.argv += ["-no-reboot"]
        machine.prepare(size="512M")
        return machine
    parameters.update(FSTYPE=fstype, SOURCE="LABEL=" + test_targets.LABEL,
                      OPTIONS=test_targets.FILE_SYSTEMS[fstype][2])
    machine = crash.Machine(directory, kernel, script="report-target.sh", image=image,
                            crashkernel="%dM" % mib, parameters=parameters)
    machine.modules = (fstype,)
    machine.prepare(size="512M", files=[("test/panic", os.path.join(vm.HERE, "panic.sh"))])
    return machine


def folders(machine, target, fstype):
    """The folders that the capture left on the target."""
    out = vm.fresh_dir(os.path.join(machine.dir, "saved"))
    if fstype == "raw":
        test_targets.fetch(target, out)
    elif fstype == "ext4":
        out = vm.Disk(target).extract("/var/crash", out)
    else:
        return machine.extract()
    return [os.path.join(out, name) for name in os.listdir(out)] if os.path.isdir(out) else []


def judge(kernel, saved):
    """Ends in an exception unless there is one dump, complete and readable."""
    expect(len(saved) == 1, "%d dumps on the target" % len(saved))
    verdict = test_targets.manifest_of(saved[0])["verdict"]
    expect(verdict == "complete", "the verdict is " + verdict)
    expect_in("x86_64 " + kernel.release,
              readers.libkdumpfile(os.path.join(saved[0], "vmcore")), "libkdumpfile")


def panic(machine, fstype):
    """One panic; a machine that may not start again ends without saying how it went."""
    started = time.monotonic()
    try:
        machine.run(TIMEOUT_S)
    except vm.VmLost:
        if fstype not in OUTSIDE or time.monotonic() - started >= TIMEOUT_S:
            raise


def works(kernel, image, name, mib, append):
    """Whether a panic with this reservation gave a complete dump; says what else it gave."""
    for _ in range(TRIES):
        good, told = attempt(kernel, image, name, mib, append)
        print("    %dM: %s" % (mib, told), flush=True)
        if good or NO_TIMER not in told:
            return good
    raise Failure("%d times no timer: the host is too busy" % TRIES)


def attempt(kernel, image, name, mib, append):
    """One panic: whether the dump is complete, and what was told otherwise."""
    conf, disk, _ = CLASSES[name]
    fstype = conf.split()[0]
    directory = os.path.join(vm.build_dir(), "bench", "crashkernel", kernel.name + "-" + name)
    machine = machine_make(directory, kernel, image, mib, append, fstype)
    target = test_targets.blank(os.path.join(directory, "target.img"), 1 << 30)
    if fstype != "raw":
        test_targets.run_tool([*test_targets.FILE_SYSTEMS[fstype][0], target])
    machine.vm.argv += test_targets.drive(target, disk)
    try:
        panic(machine, fstype)
        judge(kernel, folders(machine, target, fstype))
        good, told = True, "complete"
    except (vm.VmError, Failure) as e:
        good, told = False, "%s; %s" % (str(e).splitlines()[0], last_words(machine))
        os.replace(machine.vm.console, "%s-%dM.log" % (directory, mib))
    shutil.rmtree(directory)
    return good, told


def last_words(machine):
    """Of the capture kernel: its own panic, or else what vmcore-save said last, or anything."""
    lines = [text for _, text in machine.vm.lines if text.strip()]
    starts = [i for i, text in enumerate(lines) if "Linux version" in text] + [None, None]
    lines = lines[starts[1]:starts[2]] if starts[1] else lines
    for word in ("not syncing: ", "watch: the kernel killed", "done: "):
        said = [text for text in lines if word in text]
        if said:
            return said[-1][said[-1].index(word):]
    return (lines or [""])[-1]


def smallest(kernel, image, name, append, mib):
    def pair(size):
        return works(kernel, image, name, size, append) and works(kernel, image, name, size, append)

    if pair(mib):
        while mib > LOW_MIB and pair(mib - STEP_MIB):
            mib -= STEP_MIB
        return mib
    while mib < HIGH_MIB:
        mib += STEP_MIB
        if pair(mib):
            return mib
    return None


def arguments():
    """The options by name, the kernels, and the classes."""
    parser = argparse.ArgumentParser(add_help=False, usage=__doc__)
    for option in ("--plain", "--tight", "--busybox"):
        parser.add_argument(option, action="store_true")
    parser.add_argument("--from", dest="start", type=int, default=LOW_MIB)
    parser.add_argument("kernels", nargs="*")
    args = sys.argv[1:]
    split = args.index("--") if "--" in args else len(args)
    options = parser.parse_args(args[:split])
    return (options, options.kernels or ["6.1-generic", "6.12-generic", "sid-cloud"],
            args[split + 1:] or list(CLASSES))


def main():
    options, kernels, classes = arguments()
    append = PLAIN if options.plain else TIGHT if options.tight else TRIMMED
    out = os.path.join(vm.build_dir(), "bench")
    os.makedirs(out, exist_ok=True)
    for kernel_name in kernels:
        kernel = vm.Kernel(kernel_name)
        for name in classes:
            image = image_build(kernel, name, os.path.join(out, "%s-%s.img" % (kernel_name, name)),
                                options.busybox)
            print("%s %s: image %.1f MB" % (kernel.release, name, os.path.getsize(image) / 1e6),
                  flush=True)
            print("%s %s: %s MiB" % (kernel.release, name,
                                     smallest(kernel, image, name, append, options.start)),
                  flush=True)


if __name__ == "__main__":
    main()
