# SPDX-License-Identifier: GPL-2.0-or-later
"""vmcore-save as a filter, on raw cores of panicked kernels: the same pages as
makedumpfile's, formats that others open, and plain words for bad input."""

import mmap
import os
import resource
import shutil
import struct

import cores
import kdump_format
import product
import readers
import vm
from harness import expect, expect_in, once, test

LEVELS = (0, 1, 15, 16, 31)


def group_of(name):
    return "filter " + name


def path_for(name, what):
    os.makedirs(cores.out_dir("filter-" + name), exist_ok=True)
    path = os.path.join(cores.out_dir("filter-" + name), what)
    if os.path.exists(path):
        os.unlink(path)
    return path


def refused(what, status, text, needle):
    """Bad input: a non-zero exit, no crash, and a sentence that names the matter."""
    expect(status != 0, "%s: exit status 0" % what)
    expect(0 < status < 126, "%s: died by signal %d\n%s" % (what, -status, text[-1500:]))
    expect_in(needle, text, "what is said of " + what)


def compare_level(name, level):
    core = cores.raw_core(name)
    ours, theirs = path_for(name, "ours%d" % level), path_for(name, "theirs%d" % level)
    product.must("-d", str(level), "-c", core, ours)
    readers.makedumpfile(cores.kernel(name), ["-c", "-d", str(level), core, theirs])
    problems = kdump_format.compare(ours, theirs)
    if level & 8:
        problems = readers.without_lost_tails(cores.kernel(name), problems)
    expect(not problems, "unlike makedumpfile's: " + "; ".join(problems))
    os.unlink(ours)
    os.unlink(theirs)


def opened_by_crash(name, args):
    dump = path_for(name, "open" + args[0])
    product.must("-d", "31", *args, cores.raw_core(name), dump)
    out = readers.crash(cores.kernel(name), dump, ["sys", "bt"])
    expect_in(cores.kernel(name).release, out["sys"], "sys")
    expect_in("sysrq_handle_crash", out["bt"], "bt")
    os.unlink(dump)


def zstd_like_zlib(name):
    """The same pages whatever packs them."""
    core = cores.raw_core(name)
    zlib, zstd = path_for(name, "zlib"), path_for(name, "zstd")
    product.must("-d", "31", "-c", core, zlib)
    product.must("-d", "31", "-z", core, zstd)
    problems = kdump_format.compare(zstd, zlib)
    expect(not problems, "; ".join(problems))
    os.unlink(zlib)
    os.unlink(zstd)


def elf_refiltered(name):
    """An ELF dump at level 0 holds all: filtering it gives what the core gives."""
    core = cores.raw_core(name)
    elf, ours, theirs = (path_for(name, x) for x in ("elf0", "elf0.ours", "elf0.theirs"))
    product.must("-d", "0", "-E", core, elf)
    product.must("-d", "31", "-c", elf, ours)
    readers.makedumpfile(cores.kernel(name), ["-c", "-d", "31", elf, theirs])
    problems = readers.without_lost_tails(cores.kernel(name), kdump_format.compare(ours, theirs))
    expect(not problems, "; ".join(problems))
    for path in (elf, ours, theirs):
        os.unlink(path)


def same_log(name):
    core = cores.raw_core(name)
    ours, theirs = path_for(name, "ours.log"), path_for(name, "theirs.log")
    product.must("--dump-dmesg", core, ours)
    readers.makedumpfile(cores.kernel(name), ["--dump-dmesg", core, theirs])
    with open(ours, "rb") as a, open(theirs, "rb") as b:
        a, b = a.read(), b.read()
    expect(b"sysrq: Trigger a crash" in b, "makedumpfile's log has no panic in it")
    b = readers.log_without_callers(b)
    expect(a == b, "the log is not makedumpfile's: %d and %d bytes" % (len(a), len(b)))


def bounded_memory(name):
    core = cores.raw_core(name)
    dump = path_for(name, "memory")
    text = vm.run(["/usr/bin/python3", "-c", "import resource, subprocess, sys\n"
                   "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL,"
                   " stderr=subprocess.DEVNULL)\n"
                   "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)",
                   product.path(), "-d", "31", "-c", core, dump])
    kib = int(text.split()[-1])
    expect(kib < 32 * 1024, "peak memory %d KiB" % kib)
    os.unlink(dump)


for _name in cores.KERNELS + cores.LONG_KERNELS:
    _long = _name in cores.LONG_KERNELS
    for _level in LEVELS:
        test("filter/%s/level-%d-like-makedumpfile" % (_name, _level), group_of(_name), _long)(
            lambda name=_name, level=_level: compare_level(name, level))
    for _args in (["-c"], ["-z"], ["-E"]):
        test("filter/%s/crash-opens%s" % (_name, _args[0]), group_of(_name), _long)(
            lambda name=_name, args=_args: opened_by_crash(name, args))
    for _what, _func in (("zstd-like-zlib", zstd_like_zlib), ("elf-filtered-again", elf_refiltered),
                         ("log-like-makedumpfile", same_log), ("bounded-memory", bounded_memory)):
        test("filter/%s/%s" % (_name, _what), group_of(_name), _long)(
            lambda name=_name, func=_func: func(name))

BAD = cores.KERNELS[0]


def bad(what):
    return test("bad-input/" + what, group_of(BAD))


@once
def core_head():
    """The first MiB of a core: its headers and notes."""
    with open(cores.raw_core(BAD), "rb") as f:
        return f.read(1 << 20)


def bad_core(what, data):
    path = path_for(BAD, "bad-" + what)
    with open(path, "wb") as f:
        f.write(data)
    return path


@bad("truncated-core")
def truncated_core():
    """What is there is saved, and the exit status says that it is not all."""
    path = path_for(BAD, "truncated")
    size = os.path.getsize(cores.raw_core(BAD))
    shutil.copyfile(cores.raw_core(BAD), path)
    os.truncate(path, size * 3 // 4)
    dump = path_for(BAD, "truncated.dump")
    status, text = product.run("-d", "0", "-c", path, dump)
    refused("a truncated core", status, text, "truncated")
    expect(len(kdump_format.KdumpFile(dump).pfns()) > 1000, "nothing of it was saved")
    os.unlink(path)
    os.unlink(dump)


@bad("garbage")
def garbage():
    status, text = product.run("-d", "31", bad_core("garbage", os.urandom(1 << 20)),
                        path_for(BAD, "garbage.dump"))
    refused("garbage", status, text, "ELF")


@bad("empty")
def empty():
    status, text = product.run("-d", "31", bad_core("empty", b""), path_for(BAD, "empty.dump"))
    refused("an empty file", status, text, "bad-empty")


@bad("headers-cut-off")
def headers_cut_off():
    status, text = product.run("-d", "31", bad_core("cut", core_head()[:100]), path_for(BAD, "cut.dump"))
    refused("a cut header", status, text, "bad-cut")


@bad("program-headers-far-away")
def headers_far_away():
    head = bytearray(core_head())
    struct.pack_into("<Q", head, 32, 1 << 62)  # e_phoff
    status, text = product.run("-d", "31", bad_core("far", bytes(head)), path_for(BAD, "far.dump"))
    refused("program headers out of the file", status, text, "bad-far")


@bad("no-such-file")
def no_such_file():
    status, text = product.run("-d", "31", "/nonexistent/vmcore", path_for(BAD, "none.dump"))
    refused("a core that is not there", status, text, "No such file")


def without_note(path):
    """A copy of the core without its VMCOREINFO note."""
    shutil.copyfile(cores.raw_core(BAD), path)
    with open(path, "r+b") as f:
        f.seek(core_head().index(b"VMCOREINFO\0"))
        f.write(b"XMCOREINFO")
    return path


@bad("core-without-note")
def without_note_found():
    """The kernel's own copy of vmcoreinfo is found in its memory, and does as well."""
    path, dump, want = (path_for(BAD, what) for what in ("nonote", "nonote.dump", "nonote.want"))
    product.must("-d", "31", "-c", without_note(path), dump)
    product.must("-d", "31", "-c", cores.raw_core(BAD), want)
    ours, theirs = kdump_format.KdumpFile(dump), kdump_format.KdumpFile(want)
    expect(ours.pfns() == theirs.pfns(), "other pages are kept than with the note")
    for name in (path, dump, want):
        os.unlink(name)


@bad("core-without-vmcoreinfo")
def without_vmcoreinfo():
    """Level 31 cannot be done without facts: all is kept, and it says why."""
    path, dump = path_for(BAD, "novi"), path_for(BAD, "novi.dump")
    without_note(path)
    with open(path, "r+b") as f, mmap.mmap(f.fileno(), 0) as memory:
        at = memory.find(b"OSRELEASE=")
        while at >= 0:
            memory[at:at + 1] = b"X"
            at = memory.find(b"OSRELEASE=", at + 1)
    status, text = product.run("-d", "31", "-c", path, dump)
    expect_in("vmcoreinfo", text.lower(), "what is said of a core without vmcoreinfo")
    expect(status == 0, "exit status %d" % status)
    present = len(kdump_format.KdumpFile(dump).present_pfns())
    expect(len(kdump_format.KdumpFile(dump).pfns()) == present,
           "pages were dropped without any fact to drop them by")
    os.unlink(path)
    os.unlink(dump)


@bad("full-disk")
def full_disk():
    """A limit on the file's size stands for the disk's end; SIGXFSZ is ignored by the child."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, 4 << 20))
    dump = path_for(BAD, "full.dump")
    status, text = product.run("-d", "31", "-c", cores.raw_core(BAD), dump, preexec_fn=limit,
                        restore_signals=False)
    refused("a full disk", status, text, "File too large")
    left = [f for f in (dump, dump + "-incomplete") if os.path.exists(f)]
    for name in left:  # what is left must say of itself that it is not all
        expect(kdump_format.KdumpFile(name).status & kdump_format.INCOMPLETE,
               "a dump that was cut short is not marked incomplete")


@bad("unwritable-directory")
def unwritable_directory():
    status, text = product.run("-d", "31", cores.raw_core(BAD), "/proc/nonexistent/dump")
    refused("an unwritable directory", status, text, "/proc/nonexistent")


@bad("existing-output")
def existing_output():
    dump = bad_core("existing", b"precious")
    status, text = product.run("-d", "31", cores.raw_core(BAD), dump)
    refused("an output file that exists", status, text, "exist")
    with open(dump, "rb") as f:
        expect(f.read() == b"precious", "the file that existed was overwritten")


@bad("levels-and-options")
def bad_options():
    for args, needle in ((["-d", "32"], "32"), (["-d", "x"], "x"), (["--bogus"], "bogus"),
                         (["-d", "31"], "an input")):
        status, text = product.run(*args, *([] if needle == "an input" else ["a", "b"]))
        refused(" ".join(args), status, text, needle)
