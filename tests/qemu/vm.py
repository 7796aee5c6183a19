# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots stock kernels in QEMU and lets a script in the guest report how it went.

A guest reports on a serial port of its own, never by its console. Its last line is
"END <exit status>"; a guest that ends or hangs without that line is lost, which is
another thing than a test that failed (VmLost, not VmFailed).
"""

import os
import shutil
import subprocess
import sys
import threading
import time

import harness

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.join(TOP, "tests", "qemu")
CONSOLE_TAIL_LINES = 25
POLL_S = 0.1

# What a guest needs for its disk; a kernel that has one built in, or not at all, is fine.
GUEST_MODULES = ("virtio_pci", "virtio_blk", "ext4", "crc32c")


class VmError(Exception):
    """What went wrong, with the console's tail where there is one."""

    def __init__(self, what, console=None):
        super().__init__(what)
        self.console = console

    def console_tail(self):
        if not self.console or not os.path.exists(self.console):
            return ""
        with open(self.console, encoding="utf-8", errors="replace") as f:
            lines = f.read().splitlines()
        return "\n".join("  | " + line for line in lines[-CONSOLE_TAIL_LINES:])


class VmLost(VmError):
    """The guest never said how it went."""


class VmFailed(VmError):
    """The guest said that it failed."""


def run(argv, **kwargs):
    """Runs a command, returns its stdout as text; its stderr is in the exception."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          encoding="utf-8", errors="replace", **kwargs)
    if done.returncode != 0:
        tail = (done.stderr or done.stdout).strip().splitlines()[-15:]
        raise VmError("%s: exit status %d: %s" % (argv[0], done.returncode, "\n".join(tail)))
    return done.stdout


def fetch(what, name):
    """tests/qemu/fetch; its progress goes to our stderr. Returns the directory."""
    done = subprocess.run([os.path.join(HERE, "fetch"), what, name],
                          stdout=subprocess.PIPE, encoding="utf-8")
    if done.returncode != 0:
        raise VmError("could not get %s %s" % (what, name))
    return done.stdout.splitlines()[-1]


class Kernel:
    """A stock distribution kernel in the cache."""

    def __init__(self, name, debug=False):
        self.name = name
        self.dir = fetch("vmlinux" if debug else "kernel", name)
        self.vmlinuz = os.path.join(self.dir, "vmlinuz")
        self.vmlinux = os.path.join(self.dir, "vmlinux")
        with open(os.path.join(self.dir, "kver"), encoding="utf-8") as f:
            self.release = f.read().strip()
        with open(os.path.join(self.dir, "suite"), encoding="utf-8") as f:
            self.suite = f.read().strip()
        self.modules = os.path.join(self.dir, "lib", "modules", self.release)
        self.is_i386 = self.suite.endswith("-i386")
        self.qemu = "qemu-system-i386" if self.is_i386 else "qemu-system-x86_64"

    @property
    def busybox(self):
        if not self.is_i386:
            return "/bin/busybox"
        return os.path.join(fetch("tools", self.suite), "bin", "busybox")

    @property
    def build_dir(self):
        """Where the programs are that this kernel can run."""
        return os.path.join(build_dir(), "i386") if self.is_i386 else build_dir()

    def module_files(self, names):
        """Paths of the modules and all they need, in load order."""
        paths = []
        for name in names:
            done = subprocess.run(["modprobe", "--show-depends", "-d", self.dir, "-S",
                                   self.release, name], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, encoding="utf-8",
                                  env=dict(os.environ, PATH=os.environ["PATH"] + ":/sbin:/usr/sbin"))
            for line in done.stdout.splitlines():
                words = line.split()
                if words[0] == "insmod" and words[1] not in paths:
                    paths.append(words[1])
        return paths


def unpack_module(path):
    tools = {".xz": "xz", ".zst": "zstd", ".gz": "gzip"}
    tool = tools.get(os.path.splitext(path)[1])
    if not tool:
        with open(path, "rb") as f:
            return f.read()
    return subprocess.run([tool, "-dc", path], stdout=subprocess.PIPE, check=True).stdout


def cpio_entry(name, mode, data, ino):
    """One member of a newc archive (kernel: buffer-format.rst in early-userspace)."""
    fields = (ino, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    entry = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    entry += b"\0" * (-len(entry) % 4)
    return entry + data + b"\0" * (-len(data) % 4)


def initramfs_write(path, kernel, init=None, extra=(), modules=()):
    """The guest's initramfs: busybox, modules in order, an init script, extra files."""
    files = [(d, 0o40755, b"") for d in
             ("bin", "dev", "proc", "sys", "mnt", "tmp", "modules")]
    with open(kernel.busybox, "rb") as f:
        files.append(("bin/busybox", 0o100755, f.read()))
    files.append(("bin/sh", 0o120777, b"busybox"))
    order = []
    for module in kernel.module_files((*GUEST_MODULES, *modules)):
        name = "modules/" + os.path.basename(module).split(".ko")[0] + ".ko"
        files.append((name, 0o100644, unpack_module(module)))
        order.append("/" + name)
    files.append(("modules/order", 0o100644, "".join(m + "\n" for m in order).encode()))
    with open(init or os.path.join(HERE, "guest-init"), "rb") as f:
        files.append(("init", 0o100755, f.read()))
    for name, source in extra:
        with open(source, "rb") as f:
            files.append((name, 0o100755, f.read()))
    with open(path + ".new", "wb") as out:
        for ino, (name, mode, data) in enumerate(files, 1):
            out.write(cpio_entry(name, mode, data, ino))
        out.write(cpio_entry("TRAILER!!!", 0, b"", 0))
    os.rename(path + ".new", path)


class Disk:
    """An ext4 disk image; written by mke2fs -d and read by debugfs, so nothing mounts."""

    LABEL = "vmcore-test"

    def __init__(self, path):
        self.path = path

    def create(self, tree, size, options=()):
        if os.path.exists(self.path):
            os.unlink(self.path)
        run(["/sbin/mke2fs", "-q", "-t", "ext4", "-m", "0", "-L", self.LABEL, "-d", tree, *options,
             self.path, size])

    def extract(self, name, outdir):
        """Copies a folder of the disk, modes and times included, into outdir."""
        os.makedirs(outdir, exist_ok=True)
        run(["/sbin/debugfs", "-R", 'rdump "%s" "%s"' % (name, outdir), self.path])
        return os.path.join(outdir, os.path.basename(name))

    def extract_file(self, name, out):
        run(["/sbin/debugfs", "-R", 'dump "%s" "%s"' % (name, out), self.path])
        if not os.path.exists(out):
            raise VmError("no %s on %s" % (name, self.path))
        return out

    def listing(self, name):
        return run(["/sbin/debugfs", "-R", 'ls -l "%s"' % name, self.path])


class Vm:
    """One run of QEMU, from power-on until the guest powers off. Without no_timer_check a stock
    kernel panics at boot now and then on a busy machine: it takes its timer for broken."""

    def __init__(self, directory, kernel, initrd, append, memory="1G", cpus=2, disk=None,
                 accel="tcg", reboots=True, on_line=None, qemu="qemu-system-x86_64"):
        self.dir = directory
        self.console = os.path.join(directory, "console.log")
        self.port = os.path.join(directory, "result")
        self.on_line = on_line
        self.start_time = None
        self.lines = []  # of the console: (seconds since power-on, text)
        self.results = []
        self.argv = [qemu, "-M", "q35", "-accel", accel, "-cpu", "max",
                     "-m", memory, "-smp", str(cpus), "-nodefaults", "-no-user-config",
                     "-display", "none", "-monitor", "none", "-serial", "stdio",
                     "-serial", "file:" + self.port, "-kernel", kernel, "-initrd", initrd,
                     "-append", "console=ttyS0 no_timer_check " + append]
        if disk:
            self.argv += ["-drive", "if=virtio,format=raw,cache=unsafe,file=" + disk.path]
        if not reboots:
            self.argv += ["-no-reboot"]

    def _read_console(self, pipe):
        with open(self.console, "w", encoding="utf-8") as log:
            for raw in iter(pipe.readline, b""):
                text = raw.decode("utf-8", "replace").rstrip("\r\n")
                at = time.monotonic() - self.start_time
                self.lines.append((at, text))
                log.write("[%7.2f] %s\n" % (at, text))
                log.flush()
                if self.on_line:
                    self.on_line(text)

    def _read_results(self):
        if os.path.exists(self.port):
            with open(self.port, encoding="utf-8", errors="replace") as f:
                self.results = [line.strip("\r\n") for line in f]
        return self.results

    def _wait(self, qemu, timeout, silence):
        """Until QEMU ends. A console that says nothing for @silence seconds is no sign of life."""
        while True:
            now = time.monotonic() - self.start_time
            spoke = self.lines[-1][0] if self.lines else 0
            if now >= timeout:
                raise VmLost("lost the VM: no end after %d seconds" % timeout, self.console)
            if silence and now - spoke >= silence:
                raise VmLost("lost the VM: its console is silent for %d seconds" % silence,
                             self.console)
            try:
                qemu.wait(min(timeout - now, 1))
                return
            except subprocess.TimeoutExpired:
                pass

    def run(self, timeout, silence=None):
        """Waits until QEMU ends; raises VmLost or VmFailed. Returns the result lines."""
        harness.machine_ran()
        os.makedirs(self.dir, exist_ok=True)
        if os.path.exists(self.port):
            os.unlink(self.port)
        self.lines = []
        self.start_time = time.monotonic()
        with subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) as qemu:
            reader = threading.Thread(target=self._read_console, args=(qemu.stdout,))
            reader.start()
            try:
                self._wait(qemu, timeout, silence)
            except BaseException:
                qemu.kill()
                reader.join()
                raise
            reader.join()
        results = self._read_results()
        if not results or not results[-1].startswith("END "):
            raise VmLost("lost the VM: it ended without saying how it went", self.console)
        if results[-1] != "END 0":
            raise VmFailed("; ".join(results[-4:]), self.console)
        return results[:-1]

    def value(self, key):
        """What the guest reported as KEY, or None."""
        for line in self.results:
            if line.startswith(key + " "):
                return line[len(key) + 1:]
        return None

    def first_time(self, needle, after=0.0):
        """When the console first showed the text, in seconds since power-on, or None."""
        for at, text in self.lines:
            if at >= after and needle in text:
                return at
        return None


PROBE_TIMEOUT_S = 15  # a kernel under KVM is there in two or three


def kvm_works(kernel, directory):
    """Whether a stock kernel really boots under KVM here; tried once for each boot of this
    machine, since finding out that it hangs takes the whole timeout."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as f:
        known = os.path.join(cache_dir(), "kvm-" + f.read().strip())
    if os.path.exists(known):
        with open(known, encoding="ascii") as f:
            return f.read() == "works"
    print("trying KVM, for %d s at most ..." % PROBE_TIMEOUT_S, file=sys.stderr, flush=True)
    os.makedirs(directory, exist_ok=True)
    initrd = os.path.join(directory, "probe.cpio")
    initramfs_write(initrd, kernel)
    try:
        Vm(directory, kernel.vmlinuz, initrd, "vmtest.probe panic=-1", accel="kvm",
           reboots=False).run(PROBE_TIMEOUT_S)
        works = True
    except VmError:
        works = False
    with open(known, "w", encoding="ascii") as f:
        f.write("works" if works else "hangs")
    return works


def accel_choose(kernel, directory):
    """tcg, unless a probe boot proves that KVM works; $ACCEL=tcg does not ask."""
    if os.environ.get("ACCEL") == "tcg" or not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    return "kvm" if kvm_works(kernel, directory) else "tcg"


def cache_dir():
    return os.environ.get("CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "vmcore-save")


def build_dir():
    return os.path.abspath(os.environ.get("O", os.path.join(TOP, "build")))


def fresh_dir(path):
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path
