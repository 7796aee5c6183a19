# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that are not ours and open dumps: crash, makedumpfile, drgn, libkdumpfile."""

import os
import re
import subprocess

import vm
from harness import Failure

SUITES = ["bullseye", "bookworm", "trixie", "sid"]  # oldest first
# The oldest suite whose reader knows kernels of a suite. crash 8.0.2 sees three tasks and
# no VMAs in late 6.1 kernels (no maple tree); makedumpfile 1.7.6 finds no free page in
# kernels from 6.11 on (their page types).
NEWER = {("crash", "bookworm"): "trixie", ("makedumpfile", "trixie"): "sid"}
READER_TIMEOUT_S = 300

# makedumpfile up to 1.7.9 does not know page.compound_info (kernel 7.1), so it takes tail
# pages for pages of their own, and drops those whose words look like a user page's. Fixed by
# its commit f50c015, "Fix wrong exclusion of compound tail pages on Linux 7.1 and later".
TAILS_FIXED = (1, 7, 10)
# crash up to 9.0.2 ends on 7.1 and later kernels, on raw cores too, with "invalid structure
# member offset: module_num_gpl_syms": struct module lost the field to kernel commit
# b4760ff2a5e4. crash's commit 3a415c0 knows it, no release has it; until then it does without
# modules there, and says all the rest.
CRASH_OPTIONS = {"sid": ["--no_modules"]}

# makedumpfile 1.7.3 and later put who wrote a line, "[      T1] ", after its time.
CALLER = re.compile(rb"^(\[ *\d+\.\d+\] )(\[ *[TC]\d+\] )")

DRGN = """
import sys, drgn
prog = drgn.Program()
prog.set_core_dump(sys.argv[2])
try:
    prog.load_debug_info([sys.argv[1]])
except drgn.MissingDebugInfoError:
    pass  # of the modules
print("release", prog["init_uts_ns"].name.release.string_().decode())
thread = prog.crashed_thread()
print("comm", thread.object.comm.string_().decode())
try:
    print("trace", " ".join(str(frame.name) for frame in thread.stack_trace()))
except Exception as e:
    print("no trace:", e)
"""

LIBKDUMPFILE = """
import sys, kdumpfile
dump = kdumpfile.kdumpfile(sys.argv[1])
attr = dump.attr
attr["addrxlat.ostype"] = "linux"
print("libkdumpfile:", attr["file.description"], attr["arch.name"],
      attr["linux.uts.release"], attr["cpu.number"], "CPUs")
name = dump.read(kdumpfile.KDUMP_KVADDR, attr["linux.vmcoreinfo.SYMBOL.init_uts_ns"], 390)
print("memory:", " ".join(word.decode() for word in bytes(name).split(b"\\0") if word))
"""


def host_suite():
    with open("/etc/os-release", encoding="utf-8") as f:
        for line in f:
            if line.startswith("VERSION_CODENAME="):
                return line.split("=")[1].strip().strip('"')
    return ""


def tool(name, suite):
    """A reader that knows kernels of that suite: this machine's, or a newer suite's."""
    host = host_suite()
    if suite.endswith("-i386"):  # each of these reads dumps of its own architecture alone
        return os.path.join(vm.fetch("readers", suite), "bin-wrapped", name)
    suite = NEWER.get((name, suite), suite)
    if host in SUITES and SUITES.index(suite) <= SUITES.index(host):
        return name
    return os.path.join(vm.fetch("readers", suite), "bin-wrapped", name)


def rearrange(kernel, stream, out):
    """Makes a file of a flattened stream."""
    with open(stream, "rb") as f:
        vm.run([tool("makedumpfile", kernel.suite), "-R", out], stdin=f)


def read(argv, stdin=""):
    """Runs a reader; returns (exit status, stdout and stderr together)."""
    try:
        done = subprocess.run(argv, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              encoding="utf-8", errors="replace", timeout=READER_TIMEOUT_S,
                              env=dict(os.environ, HOME="/nonexistent", TERM="dumb"))
    except subprocess.TimeoutExpired:
        raise Failure("%s: no end after %d seconds" % (argv[0], READER_TIMEOUT_S)) from None
    return done.returncode, done.stdout


def must_read(argv, stdin=""):
    status, text = read(argv, stdin)
    if status != 0:
        tail = "\n".join("  | " + line for line in text.strip().splitlines()[-12:])
        raise Failure("%s: exit status %d\n%s" % (os.path.basename(argv[0]), status, tail))
    return text


def crash_vmlinux(kernel):
    """The vmlinux for crash. On i386, crash up to 9.0.2 ends without a symbol sys_open, which
    kernels since 4.17 call __ia32_sys_open: there, a copy that has both."""
    if not kernel.is_i386:
        return kernel.vmlinux
    path = os.path.join(kernel.dir, "vmlinux-crash")
    if not os.path.exists(path):
        symbols = dict(reversed(line.split()[::2]) for line in vm.run(
            ["nm", kernel.vmlinux]).splitlines()
                       if line.split()[-1] in ("_text", "__ia32_sys_open"))
        at = int(symbols["__ia32_sys_open"], 16) - int(symbols["_text"], 16)
        vm.run(["objcopy", "--add-symbol", "sys_open=.text:0x%x,function,global" % at,
                kernel.vmlinux, path + ".new"])
        os.rename(path + ".new", path)
    return path


def crash(kernel, dump, commands):
    """Runs commands in one crash session on a dump, or on a set of split ones; returns
    {command: its output}."""
    script = "".join("!echo '#cmd %s'\n%s\n" % (c, c) for c in commands) + "quit\n"
    dumps = [dump] if isinstance(dump, str) else dump
    text = must_read([tool("crash", kernel.suite), "-s", *CRASH_OPTIONS.get(kernel.suite, []),
                      crash_vmlinux(kernel), *dumps], script)
    out, current = {}, None
    for line in text.splitlines():
        if line.startswith("#cmd "):
            current = line[5:]
            out[current] = ""
        elif current is not None:
            out[current] += line + "\n"
    missing = [c for c in commands if c not in out]
    if missing:
        raise Failure("crash did not get to '%s':\n%s" % (missing[0], text[-1500:]))
    return out


def log_without_callers(text):
    """A log without who wrote each line, continuation lines moved left as far."""
    lines, width = [], 0
    for line in text.split(b"\n"):
        caller = CALLER.match(line)
        if caller:
            width = len(caller.group(2))
            line = caller.group(1) + line[caller.end():]
        elif line.startswith(b" " * width):
            line = line[width:]
        lines.append(line)
    return b"\n".join(lines)


def makedumpfile_loses_tails(suite):
    """Whether that suite has kernels whose tail pages its makedumpfile does not know."""
    text = must_read([tool("makedumpfile", suite), "-v"])
    version = tuple(int(part) for part in re.search(r"version ([\d.]+)", text)[1].split("."))
    return suite == "sid" and version < TAILS_FIXED


def without_lost_tails(kernel, problems):
    """Of what kdump_format.compare() found, what is not makedumpfile's loss of tail pages."""
    if not makedumpfile_loses_tails(kernel.suite):
        return problems
    return [p for p in problems if "pages more kept" not in p and "pages not kept" not in p]


def makedumpfile(kernel, args):
    return must_read([tool("makedumpfile", kernel.suite), *args])


def drgn(kernel, dump):
    return must_read(["/usr/bin/python3", "-c", DRGN, kernel.vmlinux, dump])


# Where a page table is, libkdumpfile wants to look up through that page table itself, in any
# kdump-compressed dump of i386: the linear map's physical address does as well.
LIBKDUMPFILE_I386 = LIBKDUMPFILE.replace(
    "kdumpfile.KDUMP_KVADDR, attr[\"linux.vmcoreinfo.SYMBOL.init_uts_ns\"]",
    "kdumpfile.KDUMP_MACHPHYSADDR, attr[\"linux.vmcoreinfo.SYMBOL.init_uts_ns\"] - 0xc0000000")


def libkdumpfile_i386(dump):
    return must_read(["/usr/bin/python3", "-c", LIBKDUMPFILE_I386, dump])


def libkdumpfile_argv(dump):
    return ["/usr/bin/python3", "-c", LIBKDUMPFILE, dump]


def libkdumpfile(dump):
    return must_read(libkdumpfile_argv(dump))
