# SPDX-License-Identifier: GPL-2.0-or-later
"""Broken worlds: a panic into a capture that has a problem, and a record of how it went.

A test of one is a function under @fault, which returns its World. What broke, what the
console said, the verdict, the reason and the seconds until the reboot go to failures.jsonl in
the output directory; tests/qemu/faults-table writes docs/failures.md from that.
"""

import functools
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading

import cores
import crash
import harness
import vm
from harness import expect, expect_in, once

KERNEL = cores.KERNELS[0]
BOUND_S = 150  # from the capture kernel's first line to its reboot, on a slow emulator
FAULTS = {}  # name of a test: what it breaks
LINE = re.compile(r"vmcore-save\[ *([0-9.]+)\] ([a-z]+): (.*)")
DONE = re.compile(r"(complete|incomplete|log-only|failed)(: (/.*?))?(: (?!/)(.*))?; ([a-z]+)$")
DOC = os.path.join(vm.TOP, "docs", "failures.md")
ROW = re.compile(r"^\|.*\| (\S+/\S+) \|$")

# Runs beside vmcore-save in the capture kernel, before its script. The workers of the init
# process are its children of the same name, so is what it forks for a moment's work.
PRELUDE = """#!/bin/busybox sh
export PATH=/bin
/bin/busybox sh -c '
	worker() {
		for stat in /proc/[0-9]*/stat; do
			read -r pid name state parent rest <"$stat" || continue
			[ "$name $parent" = "(init) 1" ] && echo "$pid" && return 0
		done
		return 1
	}
	# It spins, for there is no telling how short a file is there.
	until_there() {
		set -- $1
		until [ -e "$1" ]; do set -- $1; done
	}
	# A dump that holds so many KiB has all that comes before its pages.
	until_holds() {
		until_there "$1"
		set -- $1 "$2"
		until [ "$(/bin/busybox du -k "$1" | /bin/busybox cut -f 1)" -ge "$2" ]; do :; done
	}
	until_said() {
		until /bin/busybox dmesg 2>/dev/null | /bin/busybox grep -q "$1"; do
			/bin/busybox sleep 0.3
		done
	}
	%s
' &
exec /init
"""


def record_path():
    return cores.out_dir("failures.jsonl")


def fault(name, broken, group="failure", long=False):
    """Registers a test whose World has a row in the table: @broken is its first column."""
    FAULTS[name] = broken

    def register(func):
        @functools.wraps(func)
        def run():
            world = func()
            row = {"test": name, "broken": broken, "seconds": round(world.seconds),
                   **world.outcome()}
            with open(record_path(), "a", encoding="utf-8") as f:
                f.write(json.dumps(row) + "\n")
            world.done()
        harness.test(name, group, long=long)(run)
        return func
    return register


def rows_of_doc():
    """{name of a test: its row} in the table as it is."""
    if not os.path.exists(DOC):
        return {}
    with open(DOC, encoding="utf-8") as f:
        matches = [ROW.match(line.rstrip("\n")) for line in f]
    return {found[1]: found[0] for found in matches if found}


@once
def image():
    """The crash image that the worlds share; they differ by the kernel command line, and by
    what an archive behind it puts over its files."""
    os.makedirs(cores.out_dir(), exist_ok=True)
    return crash.image_build(cores.kernel(KERNEL), cores.out_dir("failure.img"))


@once
def image_files():
    """{name: contents} of the shared image."""
    directory = vm.fresh_dir(cores.out_dir("failure-image"))
    with open(image(), "rb") as f:
        packed = subprocess.Popen(["zstd", "-dcq"], stdin=f, stdout=subprocess.PIPE)
        subprocess.run(["cpio", "-idm", "--quiet", "--no-absolute-filenames"], cwd=directory,
                       stdin=packed.stdout, check=True)
        packed.stdout.close()
        packed.wait()
    files = {}
    for base, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(base, name)
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as f:
                    files[os.path.relpath(path, directory)] = f.read()
    shutil.rmtree(directory)
    return files


def image_overlaid(path, entries, base=None):
    """The shared image, or @base, at @path with (name, mode, contents) put over it."""
    shutil.copyfile(base or image(), path)
    with open(path, "r+b") as f:
        f.seek(0, os.SEEK_END)
        f.write(b"\0" * (-f.tell() % 512))
        for ino, entry in enumerate([*entries, ("TRAILER!!!", 0, b"")], 900):
            name, mode, data = entry
            f.write(vm.cpio_entry(name, mode, data, ino))
    return path


def module_entries(*names, kernel=KERNEL):
    """Entries that put modules and what they need into the shared image, over those of the same
    name or behind all."""
    listed = image_files()["etc/vmcore-save/modules"]
    entries, lines = [], []
    for path in cores.kernel(kernel).module_files(names):
        name = "lib/modules/vmcore-save/%s.ko" % os.path.basename(path).split(".ko")[0]
        entries.append(("usr/" + name, 0o100644, vm.unpack_module(path)))
        if ("/" + name).encode() not in listed:
            lines.append("/%s\n" % name)
    return [*entries, ("etc/vmcore-save/modules", 0o100644, listed + "".join(lines).encode())]


def script_entries(script):
    """Entries of an image whose first process starts @script and becomes vmcore-save."""
    return [("world", 0o100755, (PRELUDE % script).encode()),
            ("dev/null", 0o100644, b"")]  # the shell wants one, before there is a /dev


class Target(vm.Disk):
    """One more disk with a file system for dumps. @free_kib: what is left of it; @tree: {name:
    contents}, a directory for None, a symbolic link for ("link", where to); or a function that
    writes the file."""

    def __init__(self, path, label, size="96M", tree=None, free_kib=None, options=(), edit=()):
        super().__init__(path)
        self.LABEL = label
        self.id = label.replace("-", "_")
        staging = vm.fresh_dir(path + ".tree")
        for name, contents in (tree or {}).items():
            name = os.path.join(staging, name)
            os.makedirs(os.path.dirname(name), exist_ok=True)
            if contents is None:
                os.makedirs(name)
            elif isinstance(contents, tuple):
                os.symlink(contents[1], name)
            elif callable(contents):
                contents(name)
            else:
                with open(name, "wb") as f:
                    f.write(contents)
        with open(os.path.join(staging, "filler"), "wb"):
            pass
        self.create(staging, size, options)
        shutil.rmtree(staging)
        if free_kib is not None:
            self.fill(free_kib)
        if edit:
            self.edit(*edit)

    def edit(self, *commands):
        """debugfs(8) commands that write."""
        done = subprocess.run(["/sbin/debugfs", "-w", "-f", "-", self.path], check=True,
                              input="".join(c + "\n" for c in commands), encoding="ascii",
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        said = done.stderr.splitlines()[1:]  # behind the version; its status is always 0
        expect(not said, "debugfs says %s" % said)

    def recover(self):
        """What the next mount does with a file system that was left as it was. Nothing is to be
        wrong with it then, or a journal would not have held."""
        status = subprocess.run(["/sbin/e2fsck", "-y", "-E", "journal_only", self.path],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        expect(status in (0, 1), "e2fsck ends with %d" % status)
        vm.run(["/sbin/e2fsck", "-fn", self.path])

    def header(self, field):
        text = vm.run(["/sbin/dumpe2fs", "-h", self.path])
        return re.search(r"^%s: +(\S+)" % field, text, re.MULTILINE)[1]

    def features(self):
        return vm.run(["/sbin/dumpe2fs", "-h", self.path])

    def fill(self, free_kib):
        block_kib = int(self.header("Block size")) // 1024
        # The kernel keeps 2 %, 4096 blocks at most, for itself (ext4_calculate_resv_clusters()).
        kept = min(int(self.header("Block count")) // 50, 4096)
        blocks = int(self.header("Free blocks")) - kept - free_kib // block_kib
        self.edit("fallocate filler 0 %d" % (blocks - 1))
        left = (int(self.header("Free blocks")) - kept) * block_kib
        expect(abs(left - free_kib) <= 64, "%d KiB are left, not %d" % (left, free_kib))

    def free_sectors(self):
        """(first, last) sector of the longest run of free blocks."""
        text = vm.run(["/sbin/dumpe2fs", self.path])
        runs = [(int(a), int(b or a)) for line in re.findall(r"^  Free blocks: (.*)$", text,
                                                           re.MULTILINE)
                for a, b in re.findall(r"(\d+)(?:-(\d+))?", line)]
        first, last = max(runs, key=lambda r: r[1] - r[0])
        per_block = int(self.header("Block size")) // 512
        return first * per_block, last * per_block

    def qemu(self, drive="", device="virtio-blk-pci", file_options=None):
        """Options that plug it in. @drive: more of the drive's options."""
        what = file_options or "file=" + self.path
        options = ["-drive", "if=none,id=%s,format=raw,cache=unsafe,%s%s" %
                   (self.id, what, "," + drive if drive else "")]
        if device:
            options += ["-device", "%s,drive=%s,id=dev_%s" % (device, self.id, self.id)]
        return options

    def qemu_bad_writes(self, sectors, drive=""):
        """Plugged in so that writing any of the sectors fails (QEMU: block/blkdebug.c)."""
        rules = "".join(",file.inject-error.%d.event=none,file.inject-error.%d.iotype=write,"
                        "file.inject-error.%d.errno=5,file.inject-error.%d.sector=%d" %
                        (i, i, i, i, sector) for i, sector in enumerate(sectors))
        return self.qemu(drive, file_options="file.driver=blkdebug,"
                         "file.image.driver=file,file.image.filename=%s%s" % (self.path, rules))


class Monitor:
    """QEMU's control socket (QMP)."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="vmcore-save-")
        self.path = os.path.join(self.dir, "qmp")
        self.lock = threading.Lock()
        self.socket = None

    def qemu(self):
        return ["-qmp", "unix:%s,server=on,wait=off" % self.path]

    def _answer(self):
        for line in self.file:
            answer = json.loads(line)
            if "return" in answer or "error" in answer:
                return answer
        return {"error": "QEMU has gone"}

    def command(self, name, **arguments):
        with self.lock:
            if not self.socket:
                self.socket = socket.socket(socket.AF_UNIX)
                self.socket.connect(self.path)
                self.file = self.socket.makefile("r", encoding="utf-8")
                self.file.readline()
                self.socket.sendall(b'{"execute":"qmp_capabilities"}\n')
                self._answer()
            self.socket.sendall((json.dumps({"execute": name, "arguments": arguments}) +
                                 "\n").encode())
            answer = self._answer()
        if "error" in answer:
            raise vm.VmError("QMP %s: %s" % (name, answer["error"]))
        return answer["return"]

    def hang(self, target):
        """From now on the disk answers nothing, as good as: a byte each second."""
        self.command("block_set_io_throttle", device=target.id, bps=1, bps_rd=0, bps_wr=0,
                     iops=0, iops_rd=0, iops_wr=0)
        # The first request is on credit, however large.
        self.command("human-monitor-command",
                     **{"command-line": 'qemu-io %s "aio_read 0 64k"' % target.id})

    def heal(self, target):
        """For QEMU's reset, which waits for what the disk has not answered."""
        self.command("block_set_io_throttle", device=target.id, bps=0, bps_rd=0, bps_wr=0,
                     iops=0, iops_rd=0, iops_wr=0)

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def done(self):
        self.close()
        shutil.rmtree(self.dir, ignore_errors=True)


class World:
    """One panic into a capture that has a problem.

    @what: names its directory
    @append: to the capture kernel's command line
    @parameters: of panic.sh
    @overlay: (name, mode, contents) put over the crash image
    @tree: directories that are made on the disk that boots
    @script: shell that runs beside vmcore-save
    @targets: Target disks, or (Target, its QEMU options)
    @on_line: [(text, function of a Monitor)]: called once, when the capture kernel's console
    shows the text
    @kernels: how many of them boot: 2 where the capture kernel is not to reboot
    @kernel, @base: another kernel than the usual one, and its crash image
    @around: what QEMU's command line begins with
    """

    def __init__(self, what, append="", parameters=None, overlay=(), script="", targets=(),
                 on_line=(), qemu=(), kernels=3, bound=BOUND_S, size="1G", kernel=KERNEL, base=None,
                 around=(), tree=(), **machine):
        directory = cores.out_dir("failure-" + what)
        entries = list(overlay)
        if script:
            entries += script_entries(script)
            append += " rdinit=/world"
        settings = {"CRASH_APPEND": crash.CRASH_APPEND + " " + append}
        settings.update(parameters or {})
        path = base or image()
        if entries:
            path = image_overlaid(directory + ".img", entries, base)
        self.monitor = Monitor()
        self.waiting = list(on_line)
        self.nr_kernels = 0
        self.machine = crash.Machine(directory, cores.kernel(kernel), parameters=settings,
                                     image=path, accel=cores.accel(), on_line=self._look_at,
                                     **machine)
        self.machine.vm.argv = [*around, *self.machine.vm.argv, *qemu, *self.monitor.qemu()]
        self.targets = [t[0] if isinstance(t, tuple) else t for t in targets]
        for target in targets:
            self.machine.vm.argv += target[1] if isinstance(target, tuple) else target.qemu()
        self.machine.prepare(size=size)
        for name in tree:
            vm.run(["/sbin/debugfs", "-w", "-R", "mkdir " + name, self.machine.disk.path])
        if entries:
            os.unlink(path)
        self._run(kernels, bound)

    def _look_at(self, text):
        self.nr_kernels += "Linux version " in text
        if self.nr_kernels != 2:
            return
        for entry in [e for e in self.waiting if e[0] in text]:
            self.waiting.remove(entry)
            entry[1](self.monitor)

    def _run(self, kernels, bound):
        try:
            self.machine.run()
            ended = None
        except vm.VmLost:
            if kernels == 3:
                raise
            ended = self.machine.vm.lines[-1][0]
        finally:
            self.monitor.close()
        times = [at for at, text in self.machine.vm.lines if "Linux version " in text]
        expect(len(times) == kernels, "%d kernels booted, not %d" % (len(times), kernels))
        last = times[2] if kernels == 3 else ended
        self.seconds = last - times[1]
        self.lines = [t for at, t in self.machine.vm.lines if times[1] <= at <= last]
        expect(self.seconds < bound, "the reboot came after %.0f s" % self.seconds)
        expect(not self.waiting, "the console never said %s" % [e[0] for e in self.waiting])
        if kernels == 2:  # and once more, to see what is on the disk
            self.machine.run()
        self.console = "\n".join(t for t in self.lines if "vmcore-save" in t)
        self.files = self.machine.saved_files()
        self.said = []

    def says(self, *sentences):
        """The console says each of them; the lines go into the table."""
        for sentence in sentences:
            expect_in(sentence, self.console, "what the capture kernel's console says")
            line = next(t for t in self.lines if sentence in t and "vmcore-save" in t)
            found = LINE.search(line)
            self.said.append(found[2] + ": " + found[3] if found else line)
        return self

    def final(self):
        """(verdict, path, reason, action) of the last line; Nones where none was said."""
        for text in reversed(self.lines):
            found = LINE.search(text)
            if found and found[2] == "done":
                done = DONE.match(found[3])
                expect(done, "the last line is '%s'" % found[3])
                return done[1], done[3], done[5], done[6]
        return None, None, None, None

    def outcome(self):
        verdict, _, reason, action = self.final()
        return {"says": self.said, "verdict": verdict or "no last word", "reason": reason or "",
                "action": action or "reset"}

    def ends(self, verdict, reason=None):
        """The last line has this verdict and this in its reason; None: it has no reason."""
        got, _, why, _ = self.final()
        expect(got == verdict, "the verdict is %s: %s" % (got, why))
        if reason is None:
            expect(why is None, "the reason is '%s'" % why)
        else:
            expect_in(reason, str(why), "the last line's reason")
        return self

    def names(self):
        return sorted(os.path.basename(f) for f in self.files if f.count("/") == 2)

    def folders(self, disk=None):
        """Directories of dumps on a disk, the one that boots where none is given."""
        disk = disk or self.machine.disk
        if disk in self.targets and "needs_recovery" in disk.features():
            disk.recover()
        out = vm.fresh_dir(os.path.join(self.machine.dir, "got-" + disk.LABEL))
        crash_dir = disk.extract("/var/crash", out)
        return sorted(os.path.join(crash_dir, name) for name in os.listdir(crash_dir))

    def folder(self, disk=None):
        folders = self.folders(disk)
        expect(len(folders) == 1, "%d folders under /var/crash, not one" % len(folders))
        return folders[0]

    def done(self):
        self.monitor.done()
        for disk in [self.machine.disk, *self.targets]:
            if os.path.exists(disk.path):
                os.unlink(disk.path)


def manifest(folder):
    with open(os.path.join(folder, "vmcore-save.json"), encoding="utf-8") as f:
        return json.load(f)
