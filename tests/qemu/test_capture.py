# SPDX-License-Identifier: GPL-2.0-or-later
"""From panic to an openable dump: a stock kernel panics, our image saves, and readers
that are not ours judge what is on the disk."""

import hashlib
import json
import os

import cores
import crash
import kdump_format
import readers
import vm
from harness import Skip, expect, expect_in, once, test

BACK_WITHIN_S = 300
MARKER = "vmtest: a line before the panic"


class Captured:
    """What one panic left behind."""

    def __init__(self, name, crashkernel=crash.DEFAULT_CRASHKERNEL, level=31, codec="-z"):
        self.kernel = cores.kernel(name)
        directory = cores.out_dir("capture-%s-%s%s" % (name, crashkernel, codec))
        os.makedirs(os.path.dirname(directory), exist_ok=True)
        image = crash.image_build(self.kernel, directory + ".img", crash.CONF.replace(
            "-d 31 -c", "-d %d %s" % (level, codec)))
        self.machine = crash.Machine(directory, self.kernel, parameters={"FILL": "1"},
                                     image=image, crashkernel=crashkernel, accel=cores.accel())
        self.machine.prepare()
        self.machine.run()
        self.files = self.machine.saved_files()
        folders = self.machine.extract()
        expect(len(folders) == 1, "%d folders under /var/crash, not one" % len(folders))
        self.dir = folders[0]
        self.dump = os.path.join(self.dir, "vmcore")
        os.unlink(self.machine.disk.path)

    def manifest(self):
        with open(os.path.join(self.dir, "vmcore-save.json"), encoding="utf-8") as f:
            return json.load(f)

    def log(self):
        with open(os.path.join(self.dir, "vmcore-dmesg.txt"), "rb") as f:
            return f.read()


@once
def captured(name):
    # makedumpfile 1.7.2 of bookworm, which reads bullseye's as well, reads no zstd
    old = cores.kernel(name).suite in ("bullseye", "bookworm")
    return Captured(name, codec="-c" if old else "-z")


def comes_up_again(name):
    machine = captured(name).machine
    expect(machine.vm.value("armed") == "1", "kexec_crash_loaded is not 1 after arming")
    expect(machine.vm.value("rebooted"), "the first kernel did not come up again")
    console = "\n".join(text for _, text in machine.vm.lines)
    expect(console.count("Linux version ") == 3,
           "%d kernels booted, not three" % console.count("Linux version "))


def files_and_modes(name):
    """Only complete files under their final names, for root's eyes alone."""
    files = captured(name).files
    folders = [f for f, (mode, _) in files.items() if f.count("/") == 1]
    expect(len(folders) == 1, "folders: %s" % folders)
    expect(files[folders[0]][0] == "700", "the folder's mode is %s" % files[folders[0]][0])
    names = sorted(os.path.basename(f) for f in files if f not in folders)
    expect(names == ["vmcore", "vmcore-dmesg.txt", "vmcore-save.json"],
           "the files are %s" % names)
    for path, (mode, size) in files.items():
        if path not in folders:
            expect(mode == "600", "%s has mode %s" % (path, mode))
            expect(size > 0, "%s is empty" % path)


def find_digests(value):
    """All values of keys called sha256, wherever they stand."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "sha256":
                yield item
            else:
                yield from find_digests(item)
    elif isinstance(value, list):
        for item in value:
            yield from find_digests(item)


def manifest_true(name):
    shot = captured(name)
    manifest = shot.manifest()
    expect(manifest["verdict"] == "complete", "the verdict is %s" % manifest["verdict"])
    size = os.path.getsize(shot.dump)
    expect(manifest["files"]["dump"] == "vmcore", "the dump's name is not vmcore")
    expect(manifest["files"]["dump_bytes"] == size,
           "dump_bytes is %s, the file has %d" % (manifest["files"]["dump_bytes"], size))
    with open(shot.dump, "rb") as f:
        digest = hashlib.file_digest(f, "sha256").hexdigest()
    expect(digest in list(find_digests(manifest)), "no sha256 in the manifest is the dump's")
    expect_in(shot.kernel.release, json.dumps(manifest), "the manifest")
    expect_in("sysrq triggered crash", json.dumps(manifest), "the manifest")
    failed = [s for s in manifest["steps"] if s["outcome"] == "failed"]
    expect(not failed, "failed steps: %s" % failed)


def dump_header(name):
    shot = captured(name)
    dump = kdump_format.KdumpFile(shot.dump)
    expect(dump.version == 6, "header version %d" % dump.version)
    expect(dump.utsname[2] == shot.kernel.release, "release %s" % dump.utsname[2])
    expect(dump.dump_level == 31, "dump level %d" % dump.dump_level)
    expect(not dump.status & kdump_format.INCOMPLETE, "marked incomplete")
    expect(dump.nr_cpus >= 2, "%d CPUs" % dump.nr_cpus)
    expect(sum(1 for _ in dump.pages()) > 5000, "hardly a page in it")
    dump.close()


@once
def crash_session(name):
    shot = captured(name)
    return readers.crash(shot.kernel, shot.dump,
                         ["sys", "log", "bt", "ps", "kmem -i", "files", "vm", "mod"])


def crash_sys(name):
    out = crash_session(name)["sys"]
    expect_in(cores.kernel(name).release, out, "sys")
    expect_in("sysrq triggered crash", out, "sys")
    expect("[PARTIAL DUMP]" in out or "partial" not in out.lower(), "odd: " + out)


def crash_bt(name):
    out = crash_session(name)["bt"]
    expect_in("sysrq_handle_crash", out, "bt")
    if cores.kernel(name).suite not in readers.CRASH_OPTIONS:  # it unwinds worse without modules
        expect_in("write_sysrq_trigger", out, "bt")
        expect_in("vfs_write", out, "bt")


def crash_ps(name):
    out = crash_session(name)["ps"]
    expect_in("swapper/0", out, "ps")
    expect_in("kthreadd", out, "ps")
    expect_in("memory-load", out, "ps")
    expect(out.count("\n") > 30, "only %d lines of ps" % out.count("\n"))


def crash_log(name):
    out = crash_session(name)["log"]
    expect_in("Linux version " + cores.kernel(name).release, out, "log")
    expect_in(MARKER, out, "log")
    expect_in("sysrq: Trigger a crash", out, "log")


def crash_memory(name):
    """Commands that walk memory that a filter must not have dropped."""
    out = crash_session(name)
    expect_in("TOTAL MEM", out["kmem -i"], "kmem -i")
    expect_in("SLAB", out["kmem -i"], "kmem -i")
    expect_in("sysrq-trigger", out["files"], "files")
    expect_in("PGD", out["vm"], "vm")
    unasked = ["log"]
    if cores.kernel(name).suite in readers.CRASH_OPTIONS:
        unasked.append("mod")
    else:
        expect_in("virtio_blk", out["mod"], "mod")
    for command, text in out.items():
        expect("cannot" not in text and "invalid" not in text and "seek error" not in text or
               command in unasked, "%s complains:\n%s" % (command, text[-800:]))


def by_drgn(name):
    shot = captured(name)
    out = readers.drgn(shot.kernel, shot.dump)
    expect_in("release " + shot.kernel.release, out, "drgn")
    expect_in("comm init", out, "drgn")
    if "no trace" not in out:  # an old drgn does not know the unwinding data of newer kernels
        expect_in("sysrq_handle_crash", out, "drgn's stack trace")


def by_libkdumpfile(name):
    shot = captured(name)
    out = readers.libkdumpfile(shot.dump)
    expect_in("Compressed KDUMP x86_64 " + shot.kernel.release, out, "libkdumpfile")
    # what comes before the name differs from kernel to kernel
    expect_in("Linux (none) " + shot.kernel.release, out, "libkdumpfile")


def by_makedumpfile(name):
    """It filters our dump again; the result opens and holds nothing new."""
    shot = captured(name)
    if readers.makedumpfile_loses_tails(shot.kernel.suite):
        raise Skip("this makedumpfile drops tail pages that crash needs")
    again = shot.dump + ".again"
    readers.makedumpfile(shot.kernel, ["-c", "-d", "31", shot.dump, again])
    out = readers.crash(shot.kernel, again, ["bt"])
    expect_in("sysrq_handle_crash", out["bt"], "bt of the dump filtered again")
    ours, theirs = kdump_format.KdumpFile(shot.dump), kdump_format.KdumpFile(again)
    pages = dict(ours.pages())
    for pfn, digest in theirs.pages():
        expect(pages.get(pfn) == digest, "page 0x%x came out otherwise" % pfn)
    os.unlink(again)


def log_by_makedumpfile(name):
    shot = captured(name)
    theirs = shot.dump + ".dmesg"
    readers.makedumpfile(shot.kernel, ["--dump-dmesg", shot.dump, theirs])
    with open(theirs, "rb") as f:
        want = f.read()
    os.unlink(theirs)
    want = readers.log_without_callers(want)
    expect(MARKER.encode() in want, "makedumpfile's log lacks the marker")
    expect(shot.log() == want, "vmcore-dmesg.txt has %d bytes, makedumpfile's log %d" %
           (len(shot.log()), len(want)))


def told_by_vmcorectl(name):
    shot = captured(name)
    program = os.path.join(vm.build_dir(), "vmcorectl")
    place = "--dir=" + os.path.dirname(shot.dir)
    told = json.loads(vm.run([program, "show", place, "--verify", "--json"]))
    expect(told["path"] == shot.dir and told["verdict"] == "complete" and
           told["sha256_matches"] is True and told["kernel"] == shot.kernel.release,
           "vmcorectl tells %s" % told)
    text = vm.run([program, "show", place])
    for want in (told["panic_line"], "sysrq_handle_crash", shot.dump):
        expect_in(want, text, "vmcorectl show")


def nothing_leaks(name):
    """The console tells of progress, not of the crashed kernel's log or memory."""
    lines = captured(name).machine.vm.lines
    capture_at = [at for at, text in lines if "Linux version " in text][1]
    shown = [text for at, text in lines if at > capture_at and MARKER in text]
    expect(not shown, "the crashed kernel's log is on the capture kernel's console")


TESTS = (
    ("comes-up-again", comes_up_again),
    ("files-and-modes", files_and_modes),
    ("manifest", manifest_true),
    ("dump-header", dump_header),
    ("crash-sys", crash_sys),
    ("crash-bt", crash_bt),
    ("crash-ps", crash_ps),
    ("crash-log", crash_log),
    ("crash-memory", crash_memory),
    ("drgn", by_drgn),
    ("libkdumpfile", by_libkdumpfile),
    ("makedumpfile-filters-again", by_makedumpfile),
    ("log-like-makedumpfile", log_by_makedumpfile),
    ("told-by-vmcorectl", told_by_vmcorectl),
    ("console-keeps-secrets", nothing_leaks),
)

for _name in cores.KERNELS + cores.LONG_KERNELS:
    for _what, _func in TESTS:
        test("capture/%s/%s" % (_name, _what), "capture " + _name, _name in cores.LONG_KERNELS)(
            lambda name=_name, func=_func: func(name))


@test("capture/6.1-generic/zlib-opened-by-crash", "capture generic", long=True)
def generic_kernel():
    shot = Captured("6.1-generic", crashkernel="192M", codec="-c")
    expect_in("sysrq_handle_crash", readers.crash(shot.kernel, shot.dump, ["bt"])["bt"], "bt")


def fast_reboot(name):
    """-l and -e come up in the new kernel; -no-reboot makes firmware impossible."""
    kernel = cores.kernel(name)
    machine = crash.Machine(cores.out_dir("fast-" + name), kernel, script="fast-reboot.sh",
                            accel=cores.accel())
    machine.vm.argv += ["-no-reboot"]
    machine.prepare()
    machine.run(BACK_WITHIN_S)
    expect(machine.vm.value("loaded") == "1", "kexec_loaded is not 1 after -l")
    expect(machine.vm.value("unloaded") == "0", "kexec_loaded is not 0 after -u")
    cmdline = machine.vm.value("cmdline") or ""
    expect_in("vmtest.fast=1", cmdline, "the new kernel's command line")
    expect_in("panic=5", cmdline, "the command line that --reuse-cmdline takes over")
    os.unlink(machine.disk.path)


for _name in cores.KERNELS:
    test("fast-reboot/" + _name, "capture " + _name)(lambda name=_name: fast_reboot(name))
