# SPDX-License-Identifier: GPL-2.0-or-later
"""32-bit machines: our programs built for them, stock kernels with and without PAE that
panic and are captured, and their raw cores filtered on either host."""

import json
import os

import cores
import crash
import kdump_format
import product
import readers
import test_static
import vm
from harness import expect, expect_in, once, suite, test

SUITE = "bookworm-i386"
KERNELS = {"686-pae": "6.1-686-pae", "686": "6.1-686"}
LEVELS = (0, 1, 2, 8, 31)
MEMORY = "512M"


@once
def build():
    """Builds for i386; returns the directory."""
    directory = os.path.join(vm.build_dir(), "i386")
    return test_static.build("CROSS_COMPILE=i686-linux-gnu-",
                             "SYSROOT=" + vm.fetch("sysroot", SUITE), "all",
                             os.path.join(directory, "unit-tests"),
                             os.path.join(directory, "memory-load"), out="i386")


@suite("i386/unit/", "i386 unit")
def unit_tests():
    yield from test_static.unit_results([os.path.join(build(), "unit-tests")], "i386/unit/")


@once
def captured(flavour):
    """The folder that our PID 1, of 32 bits, left; without KASLR, which crash does not know of
    i386."""
    build()
    kernel = cores.kernel(KERNELS[flavour])
    directory = cores.out_dir("i386-" + flavour)
    os.makedirs(cores.out_dir(), exist_ok=True)
    image = crash.image_build(kernel, directory + ".img")
    machine = crash.Machine(directory, kernel, parameters={"FILL": "1"}, memory=MEMORY, image=image,
                            append="nokaslr")
    machine.prepare()
    machine.run()
    dumps = machine.extract()
    os.unlink(machine.disk.path)
    expect(len(dumps) == 1, "%d dumps" % len(dumps))
    return dumps[0]


def manifest_is_complete(flavour):
    with open(os.path.join(captured(flavour), "vmcore-save.json"), encoding="utf-8") as f:
        manifest = json.load(f)
    expect(manifest["verdict"] == "complete", "verdict %s" % manifest["verdict"])
    expect(manifest["architecture"] == "i686", "architecture %s" % manifest["architecture"])
    expect(not manifest["dump"]["scan_problem"], manifest["dump"]["scan_problem"])
    expect(manifest["dump"]["pages"]["dropped"] > manifest["dump"]["pages"]["kept"],
           "hardly a page was dropped")


def crash_opens(flavour):
    kernel = cores.kernel(KERNELS[flavour])
    out = readers.crash(kernel, os.path.join(captured(flavour), "vmcore"), ["sys", "bt", "log"])
    expect_in(kernel.release, out["sys"], "sys")
    expect_in("sysrq triggered crash", out["sys"], "sys")
    expect_in("sysrq_handle_crash", out["bt"], "bt")
    expect_in("vmtest: a line before the panic", out["log"], "log")


def libkdumpfile_opens(flavour):
    text = readers.libkdumpfile_i386(os.path.join(captured(flavour), "vmcore"))
    expect_in("Compressed KDUMP ia32 %s 2 CPUs" % cores.kernel(KERNELS[flavour]).release, text,
              "libkdumpfile")
    expect_in("i686", text.splitlines()[1], "the memory that libkdumpfile reads")


def fast_reboot(flavour):
    build()
    crash.fast_reboots(crash.Machine(cores.out_dir("i386-fast-" + flavour),
                                     cores.kernel(KERNELS[flavour]), script="fast-reboot.sh",
                                     memory=MEMORY))


@once
def raw_core(flavour):
    """A plain copy of /proc/vmcore of a kernel that KASLR has moved."""
    build()
    name = KERNELS[flavour]
    directory = cores.out_dir("i386-raw-" + flavour)
    machine = crash.Machine(directory, cores.kernel(name), parameters={"FILL": "1"}, memory=MEMORY)
    machine.prepare(files=[("test/capture", os.path.join(vm.HERE, "capture-raw.sh"))])
    machine.run()
    path = machine.disk.extract_file("/vmcore.elf", os.path.join(directory, "vmcore.elf"))
    os.unlink(machine.disk.path)
    return path


def filter_with(program, args):
    vm.run([program, *args])


def like_makedumpfile(flavour):
    """The pages and the headers of makedumpfile's on i386, by either of our builds. makedumpfile
    leaves out the page that a load ends in the middle of."""
    core = raw_core(flavour)
    cut = kdump_format.ElfCore(core).cut_pfns()
    expect(len(cut) <= 2, "%d pages are cut" % len(cut))
    for level in LEVELS:
        ours, narrow, theirs = (core + end for end in (".ours", ".i386", ".theirs"))
        args = ["-f", "-c", "-d", str(level), core]
        filter_with(product.path(), [*args, ours])
        filter_with(os.path.join(build(), "vmcore-save"), [*args, narrow])
        readers.makedumpfile(cores.kernel(KERNELS[flavour]), [*args, theirs])
        problems = kdump_format.compare(ours, theirs, ignore=cut)
        expect(not problems, "level %d, unlike makedumpfile's: %s" % (level, "; ".join(problems)))
        with open(ours, "rb") as a, open(narrow, "rb") as b, open(theirs, "rb") as c:
            head = a.read(452)
            expect(head == c.read(452), "level %d: another header than makedumpfile's" % level)
            expect(head + a.read() == b.read(),
                   "level %d: the 32-bit build writes other bytes" % level)
        for path in (ours, narrow, theirs):
            os.unlink(path)


def same_log(flavour):
    core = raw_core(flavour)
    filter_with(product.path(), ["-f", "--dump-dmesg", core, core + ".ours"])
    readers.makedumpfile(cores.kernel(KERNELS[flavour]),
                         ["-f", "--dump-dmesg", core, core + ".theirs"])
    with open(core + ".ours", "rb") as a, open(core + ".theirs", "rb") as b:
        theirs = b.read()
        expect(b"sysrq: Trigger a crash" in theirs, "makedumpfile's log has no panic in it")
        expect(a.read() == readers.log_without_callers(theirs), "the log is not makedumpfile's")


def elf_of_32_bits(flavour):
    """Its kernel addresses lead libkdumpfile to the page tables."""
    core = raw_core(flavour)
    filter_with(product.path(), ["-f", "-E", "-d", "31", core, core + ".elf"])
    text = readers.libkdumpfile(core + ".elf")
    expect_in("ELF32 dump ia32 %s" % cores.kernel(KERNELS[flavour]).release, text, "libkdumpfile")
    expect_in("i686", text.splitlines()[1], "the memory that libkdumpfile reads")
    os.unlink(core + ".elf")


for _flavour in KERNELS:
    test("i386/%s/fast-reboot" % _flavour, "i386 fast " + _flavour, long=True)(
        lambda flavour=_flavour: fast_reboot(flavour))

# One of each in `make check`, the others in `make check-all`.
for _flavour in KERNELS:
    for _what, _func in (("manifest", manifest_is_complete), ("crash-opens", crash_opens),
                         ("libkdumpfile-opens", libkdumpfile_opens)):
        test("i386/%s/capture-%s" % (_flavour, _what), "i386 capture " + _flavour,
             _flavour != "686-pae")(lambda flavour=_flavour, func=_func: func(flavour))
    for _what, _func in (("like-makedumpfile", like_makedumpfile), ("same-log", same_log),
                         ("elf-of-32-bits", elf_of_32_bits)):
        test("i386/%s/%s" % (_flavour, _what), "i386 raw " + _flavour,
             _flavour != "686")(lambda flavour=_flavour, func=_func: func(flavour))
