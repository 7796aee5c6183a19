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
import nfsd  # noqa: E402 pylint: disable=wrong-import-position
import readers  # noqa: E402 pylint: disable=wrong-import-position
import sshd  # noqa: E402 pylint: disable=wrong-import-position
import test_stack  # noqa: E402 pylint: disable=wrong-import-position
import test_targets  # noqa: E402 pylint: disable=wrong-import-position
import vm  # noqa: E402 pylint: disable=wrong-import-position
from harness import Failure, expect, expect_in  # noqa: E402 pylint: disable=wrong-import-position

STEP_MIB = 4
LOW_MIB, HIGH_MIB = 60, 192
TIMEOUT_S = 240
# A virtual machine on a busy host may miss the timer's ticks; that says nothing about memory.
NO_TIMER, TRIES = "IO-APIC + timer doesn't work", 3
CRASH_PATH = "/var/crash"
HOST = "10.0.2.2"  # this machine's loopback, as QEMU's user network has it
NETWORK = ("-netdev", "user,id=net0", "-device", "virtio-net-pci,netdev=net0,romfile=")
NET_MODULES = "?virtio_pci ?virtio_net ?af_packet ?ipv6"
IP = "ip 10.0.2.15::10.0.2.2:255.255.255.0::eth0:none"  # DHCP's client is in the busybox
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


class Disk:
    """A file system, or none, on a disk of its own. ext4 and raw are read from outside, so that
    the machine need not start again; others are copied by a last boot to the machine's own disk."""

    path = CRASH_PATH

    def __init__(self, fstype, disk, modules):
        self.fstype, self.disk = fstype, disk
        self.conf = fstype + (" /dev/vdb" if fstype == "raw" else " LABEL=" + test_targets.LABEL)
        self.modules, self.files = modules, ()
        self.outside = fstype in ("ext4", "raw")

    def machine(self, directory, kernel, **options):
        if self.outside:
            machine = machine_make(directory, kernel, **options)
        else:
            options["parameters"].update(FSTYPE=self.fstype,
                                         SOURCE="LABEL=" + test_targets.LABEL,
                                         OPTIONS=test_targets.FILE_SYSTEMS[self.fstype][2])
            machine = crash.Machine(directory, kernel, script="report-target.sh", **options)
            machine.modules = (self.fstype, "nls_cp437", "nls_ascii")
            machine.prepare(size="512M",
                            files=[("test/panic", os.path.join(vm.HERE, "panic.sh"))])
        target = test_targets.blank(os.path.join(directory, "target.img"), 1 << 30)
        if self.fstype != "raw":
            test_targets.run_tool([*test_targets.FILE_SYSTEMS[self.fstype][0], target])
        machine.vm.argv += test_targets.drive(target, self.disk)
        return machine

    def panic(self, machine):
        target, out = os.path.join(machine.dir, "target.img"), os.path.join(machine.dir, "saved")
        if not self.outside:
            machine.run(TIMEOUT_S)
            return machine.extract()
        run_once(machine)
        if self.fstype == "raw":
            test_targets.fetch(target, vm.fresh_dir(out))
        else:
            out = vm.Disk(target).extract(CRASH_PATH, vm.fresh_dir(out))
        return folders_in(out)


class Layers:
    """ext4 on devices that are put together; test_stack.py tells how. A last boot copies."""

    path = CRASH_PATH

    def __init__(self, layout, node, modules):
        self.layout = layout
        self.conf = "ext4 " + node
        self.modules, self.files = modules, ()

    def machine(self, directory, kernel, parameters, image, crashkernel):
        parameters.update(LAYOUT=self.layout, FSTYPE="ext4")
        return test_stack.machine_make(directory, kernel, 2, parameters, crashkernel=crashkernel,
                                       image=test_stack.appendable(image))[0]

    def panic(self, machine):
        machine.run(TIMEOUT_S)
        return machine.extract()


class Nfs:
    """To a server on this machine. Version 4.0, since kernels from 6.6 on use 4.2's READ_PLUS,
    which NFS-Ganesha answers wrongly before its 6.2 (its issue 1188): input/output errors."""

    path = CRASH_PATH

    def __init__(self):
        self.conf = "nfs %s:/dumps\nmount_options vers=4.0\n%s" % (HOST, IP)
        self.modules, self.files = NET_MODULES + " nfs ?nfsv3 ?nfsv4", ()

    def machine(self, directory, kernel, **options):
        return machine_make(directory, kernel, NETWORK, **options)

    def panic(self, machine):
        with nfsd.Server(os.path.join(machine.dir, "nfsd")) as server:
            machine.vm.argv[:0] = server.around()
            run_once(machine)
            return folders_in(server.dumps + CRASH_PATH)


class Ssh:
    """To OpenSSH's server on this machine, by this machine's client and its libraries."""

    def __init__(self):
        self.home = vm.fresh_dir(os.path.join(vm.build_dir(), "bench", "ssh"))
        self.path = self.home + CRASH_PATH
        self.key, self.host_key = (sshd.key_make(os.path.join(self.home, name))
                                   for name in ("key", "host"))
        self.port = sshd.free_port()
        self.conf = "ssh %s@%s:%d\nsshkey %s\n%s" % (sshd.user(), HOST, self.port, self.key, IP)
        self.modules, self.files = NET_MODULES, self._files()

    def _files(self):
        texts = {"/etc/vmcore-save/ssh/known_hosts": "[%s]:%d %s" % (
                     HOST, self.port, sshd.public(self.host_key)),
                 "/etc/passwd": "root:x:0:0::/:/bin/sh\n",
                 "/etc/nsswitch.conf": "passwd: files\nhosts: files dns\n"}
        files = {"/etc/vmcore-save/ssh/key": self.key}
        for name, text in texts.items():
            files[name] = os.path.join(self.home, os.path.basename(name))
            with open(files[name], "w", encoding="ascii") as f:
                f.write(text)
        for name in test_stack.tools_of("ssh"):
            files[name] = name
        return files

    def machine(self, directory, kernel, **options):
        return machine_make(directory, kernel, NETWORK, **options)

    def panic(self, machine):
        out = os.path.join(machine.dir, "saved")
        with sshd.Server(self.port, self.path, sshd.public(self.key),
                         self.host_key) as server:
            run_once(machine)
            for folder in server.folders():
                shutil.copytree(folder, os.path.join(out, os.path.basename(folder)))
        for folder in folders_in(out):
            readers.rearrange(machine.kernel, os.path.join(folder, "vmcore.flat"),
                              os.path.join(folder, "vmcore"))
        return folders_in(out)


VIRTIO = "?virtio_pci ?virtio_blk"
# of modules: "?" where the kernel has it
CLASSES = {
    "ext4-virtio": lambda: Disk("ext4", "virtio-blk", VIRTIO + " ?ext4"),
    "xfs-virtio": lambda: Disk("xfs", "virtio-blk", VIRTIO + " ?xfs"),
    "btrfs-virtio": lambda: Disk("btrfs", "virtio-blk", VIRTIO + " ?btrfs"),
    "vfat-virtio": lambda: Disk("vfat", "virtio-blk", VIRTIO + " ?vfat ?nls_cp437 ?nls_ascii"),
    "ext4-nvme": lambda: Disk("ext4", "nvme", "?nvme ?ext4"),
    "ext4-ahci": lambda: Disk("ext4", "ahci", "?ahci ?sd_mod ?ext4"),
    "ext4-scsi": lambda: Disk("ext4", "virtio-scsi", "?virtio_pci ?virtio_scsi ?sd_mod ?ext4"),
    "raw-virtio": lambda: Disk("raw", "virtio-blk", VIRTIO),
    "lvm": lambda: Layers("linear", "/dev/vmtest-vg/dump", VIRTIO + " ?dm_mod ?ext4"),
    "md": lambda: Layers("raid1", "/dev/md127", VIRTIO + " ?raid1 ?ext4"),
    "nfs": Nfs,
    "ssh": Ssh,
}


def manifest_lines(place, busybox):
    """vmcore-mkimage's own manifest, with other drivers, and files more."""
    leave = ("modules ",) if busybox else ("modules ", "?BUSYBOX ")
    with open(os.path.join(vm.TOP, "initramfs", "image.manifest"), encoding="utf-8") as f:
        lines = [line for line in f if not line.startswith(leave)]
    folders = [line.split()[1] for line in lines if line.startswith("dir ")]
    for name, source in dict(place.files).items():
        parts = name.split("/")
        for folder in ("/".join(parts[:i]) for i in range(2, len(parts))):
            if folder not in folders:
                folders.append(folder)
                lines.append("dir %s 0755\n" % folder)
        lines.append("file %s %s 0%o\n" % (name, source, os.stat(source).st_mode & 0o755))
    at = next(i for i, line in enumerate(lines) if line.startswith("module-list"))
    return lines[:at] + ["modules /lib/modules/vmcore-save %s\n" % place.modules] + lines[at:]


def image_build(kernel, place, out, busybox=False):
    conf = "%s\npath %s\n" % (place.conf, place.path)
    for path, text in ((out + ".manifest", "".join(manifest_lines(place, busybox))),
                       (out + ".conf", conf)):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    vm.run([os.path.join(vm.build_dir(), "vmcore-mkimage"), "-m", out + ".manifest", "-c",
            out + ".conf", "-D", "VMCORE_SAVE=" + os.path.join(vm.build_dir(), "vmcore-save"),
            "-D", "BUSYBOX=" + os.path.join(vm.build_dir(), "busybox"), "-k", kernel.modules,
            "--compress", "zstd", "-o", out])
    return out


def machine_make(directory, kernel, qemu=(), **options):
    """One that need not start again after the capture."""
    machine = crash.Machine(directory, kernel, **options)
    machine.vm.argv += ["-no-reboot", *qemu]
    machine.prepare(size="512M")
    return machine


def run_once(machine):
    """It ends without saying how it went."""
    started = time.monotonic()
    try:
        machine.run(TIMEOUT_S)
    except vm.VmLost:
        if time.monotonic() - started >= TIMEOUT_S:
            raise


def folders_in(path):
    return [os.path.join(path, name) for name in os.listdir(path)] if os.path.isdir(path) else []


def judge(kernel, saved):
    """Ends in an exception unless there is one dump, complete and readable."""
    expect(len(saved) == 1, "%d dumps on the target" % len(saved))
    verdict = test_targets.manifest_of(saved[0])["verdict"]
    expect(verdict == "complete", "the verdict is " + verdict)
    expect_in("x86_64 " + kernel.release,
              readers.libkdumpfile(os.path.join(saved[0], "vmcore")), "libkdumpfile")


class Cell:
    """One kernel, one class of target, one command line."""

    def __init__(self, kernel, name, append, busybox):
        out = os.path.join(vm.build_dir(), "bench")
        os.makedirs(out, exist_ok=True)
        self.kernel, self.append = kernel, append
        self.title = "%s-%s" % (kernel.name, name)
        self.place = CLASSES[name]()
        self.image = image_build(kernel, self.place, os.path.join(out, self.title + ".img"),
                                 busybox)

    def attempt(self, mib):
        """One panic: whether the dump is complete, and what was told otherwise."""
        directory = os.path.join(vm.build_dir(), "bench", "crashkernel", self.title)
        machine = self.place.machine(directory, self.kernel, image=self.image,
                                     crashkernel="%dM" % mib,
                                     parameters={"CRASH_APPEND": self.append})
        try:
            judge(self.kernel, self.place.panic(machine))
            good, told = True, "complete"
        except (vm.VmError, Failure) as e:
            good, told = False, "%s; %s" % (str(e).splitlines()[0], last_words(machine))
            os.replace(machine.vm.console, "%s-%dM.log" % (directory, mib))
        shutil.rmtree(directory)
        return good, told

    def works(self, mib):
        """Whether a panic with this reservation gave a complete dump; says what else it gave."""
        for _ in range(TRIES):
            good, told = self.attempt(mib)
            print("    %dM: %s" % (mib, told), flush=True)
            if good or NO_TIMER not in told:
                return good
        raise Failure("%d times no timer: the host is too busy" % TRIES)

    def pair(self, mib):
        return self.works(mib) and self.works(mib)

    def smallest(self, mib):
        if self.pair(mib):
            while mib > LOW_MIB and self.pair(mib - STEP_MIB):
                mib -= STEP_MIB
            return mib
        while mib < HIGH_MIB:
            mib += STEP_MIB
            if self.pair(mib):
                return mib
        return None


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
    for kernel_name in kernels:
        kernel = vm.Kernel(kernel_name)
        for name in classes:
            cell = Cell(kernel, name, append, options.busybox)
            title = "%s %s" % (kernel.release, name)
            print("%s: image %.1f MB" % (title, os.path.getsize(cell.image) / 1e6), flush=True)
            print("%s: %s MiB" % (title, cell.smallest(options.start)), flush=True)


if __name__ == "__main__":
    main()
