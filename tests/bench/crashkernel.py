#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds the smallest crashkernel= at which a real panic still ends in a complete dump.

Usage: tests/bench/crashkernel.py [--plain] [--busybox] [KERNEL...] [-- CLASS...]
(names of tests/qemu/fetch list; classes as in CLASSES below)

The image is vmcore-mkimage's, with the drivers of the target's class alone, as for a host that
is known, and without the rescue shell, which no target needs: --busybox leaves it in. The
machine has 1 GiB. Sizes go upwards in steps of STEP_MIB from one that fails; a
size counts when two panics in a row ended in "complete". The capture command line is the
trimmed one, with --plain that of the tests.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "qemu"), os.path.dirname(HERE)]
import crash  # noqa: E402 pylint: disable=wrong-import-position
import test_targets  # noqa: E402 pylint: disable=wrong-import-position
import vm  # noqa: E402 pylint: disable=wrong-import-position

STEP_MIB = 4
LOW_MIB, HIGH_MIB = 60, 192
TIMEOUT_S = 240
PLAIN = crash.CRASH_APPEND
# The words up to no5lvl were each seen to help on some kernel; those from audit=0 on, nokmem and
# the last four initcalls were tried together only (docs/measurements.md). With
# no5lvl a kernel on a CPU with five levels of page tables spends 2 MiB less on its section
# table, and reads no memory above 64 TiB. Where kernel memory is accounted, and that
# cgroup_disable=memory leaves on, each chunk of per-CPU memory has a table of 512 KiB (kernel,
# mm/percpu.c, need_pcpuobj_ext()). With initramfs_async=0 the image is unpacked, and its packed
# form freed, before drivers take what it needs. Of the blacklisted, three are threads (merging
# of pages, compaction, the search for hung tasks), the others trees in tracefs and sysfs.
TRIMMED = PLAIN + (" nokaslr cgroup_disable=memory cgroup.memory=nokmem percpu_alloc=page lsm="
                   " cryptomgr.notests numa=off swiotlb=noforce hest_disable coherent_pool=16K"
                   " kfence.sample_interval=0 no5lvl audit=0 initramfs_async=0"
                   " initcall_blacklist=tracer_init_tracefs,slab_sysfs_init,slab_late_init,"
                   "ksm_init,kcompactd_init,hung_task_init,param_sysfs_builtin_init")

# configuration, disk, modules ("?": where the kernel has it)
CLASSES = {
    "ext4-virtio": ("ext4 LABEL=TARGET", "virtio-blk", "?virtio_pci ?virtio_blk ?ext4"),
    "xfs-virtio": ("xfs LABEL=TARGET", "virtio-blk", "?virtio_pci ?virtio_blk ?xfs"),
    "btrfs-virtio": ("btrfs LABEL=TARGET", "virtio-blk", "?virtio_pci ?virtio_blk ?btrfs"),
    "ext4-nvme": ("ext4 LABEL=TARGET", "nvme", "?nvme ?ext4"),
    "ext4-ahci": ("ext4 LABEL=TARGET", "ahci", "?ahci ?sd_mod ?ext4"),
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


def works(kernel, image, name, mib, append):
    """Whether a panic with this reservation gave a complete dump; says what else it gave."""
    conf, disk, _ = CLASSES[name]
    directory = os.path.join(vm.build_dir(), "bench", "crashkernel", kernel.name + "-" + name)
    machine = crash.Machine(directory, kernel, image=image, crashkernel="%dM" % mib,
                            parameters={"CRASH_APPEND": append})
    target = test_targets.blank(os.path.join(directory, "target.img"), 1 << 30)
    if not conf.startswith("raw"):
        test_targets.run_tool([*test_targets.FILE_SYSTEMS[conf.split()[0]][0], target])
    machine.vm.argv += test_targets.drive(target, disk)
    machine.prepare(size="512M")
    try:
        machine.run(TIMEOUT_S)
        said = [text for _, text in machine.vm.lines if "vmcore-save" in text and " done: " in text]
        good = bool(said) and "done: complete" in said[-1]
        print("    %dM: %s" % (mib, said[-1].split("done: ")[1] if said else last_words(machine)),
              flush=True)
    except vm.VmError as e:
        print("    %dM: %s" % (mib, str(e).splitlines()[0]), flush=True)
        good = False
    os.unlink(target)
    return good


def last_words(machine):
    """What kexec-loader said, or else the console line before the machine started again."""
    said = machine.vm.value("kexec-loader:")
    starts = [i for i, (_, text) in enumerate(machine.vm.lines) if "Linux version" in text]
    if said or len(starts) < 2:
        return said or "the capture kernel never started"
    before = [text for _, text in machine.vm.lines[:starts[-1]] if text.strip()]
    return before[-1]


def smallest(kernel, image, name, append):
    for mib in range(LOW_MIB, HIGH_MIB, STEP_MIB):
        if works(kernel, image, name, mib, append) and works(kernel, image, name, mib, append):
            return mib
    return None


def main():
    args = sys.argv[1:]
    append = PLAIN if "--plain" in args else TRIMMED
    busybox = "--busybox" in args
    args = [a for a in args if a not in ("--plain", "--busybox")]
    split = args.index("--") if "--" in args else len(args)
    out = os.path.join(vm.build_dir(), "bench")
    os.makedirs(out, exist_ok=True)
    for kernel_name in args[:split] or ("6.1-generic", "6.12-generic", "sid-cloud"):
        kernel = vm.Kernel(kernel_name)
        for name in args[split + 1:] or CLASSES:
            image = image_build(kernel, name, os.path.join(out, "%s-%s.img" % (kernel_name, name)),
                                busybox)
            print("%s %s: image %.1f MB" % (kernel.release, name, os.path.getsize(image) / 1e6),
                  flush=True)
            print("%s %s: %s MiB" % (kernel.release, name, smallest(kernel, image, name, append)),
                  flush=True)


if __name__ == "__main__":
    main()
