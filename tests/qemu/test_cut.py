# SPDX-License-Identifier: GPL-2.0-or-later
"""Dumps that ended early, and every form that a dump can have: who opens them.

A dump cut short has to open from its first tenth on and to answer what is asked first:
which vital pages come first is the program's promise, not the format's.
"""

import hashlib
import os
import random
import resource
import signal
import subprocess
import time

import cores
import kdump_format
import product
import readers
from harness import Skip, expect, expect_in, once, test

LEVEL = ("-d", "31")
TENTHS_SHORT = (1, 5, 9)  # in plain `make check`
KILLS = 5
# crash needs 2 to 4 MB of any dump. A machine of 1 GiB that has nothing to do comes to 17 MB
# with 5.10 and to 25 MB with 7.2, so a tenth is too little there.
FIRST_TENTH = {"5.10-cloud": 2, "sid-cloud": 2}
ASKED = ("sys", "log", "bt", "ps", "mod")

# Who opens which form, from the readers' sources:
#   crash         diskdump.c: zlib; lzo, snappy and zstd as it was built, Debian's has all.
#                 makedumpfile.c: flattened ones; of ELF only by luck ("cannot realloc resized
#                 ELF header buffer", 8.0.2), so not tried
#   libkdumpfile  src/kdumpfile/diskdump.c: all four (USE_LZO, USE_SNAPPY, USE_ZSTD); flattened
#                 ones since 0.5.3, Debian 12 has 0.5.1 ("Unknown file format")
#   drgn          kdump-compressed through libkdumpfile, ELF by itself
#   makedumpfile  reads its own as input, with the codecs it was built with: Debian's never has
#                 snappy, and zstd only since 1.7.3; flattened ones only through -R
# False in the table: it says no to it, or cannot tell; the reason is above.
FORMS = {
    #  form           options         crash, libkdumpfile, drgn, makedumpfile
    "default":       ([],             True, True, True, True),
    "zlib":          (["-c"],         True, True, True, True),
    "lzo":           (["-l"],         True, True, True, True),
    "snappy":        (["-p"],         True, True, True, False),
    "zstd":          (["-z"],         True, True, True, "zstd"),
    "elf":           (["-E"],         True, True, True, True),
    "flattened":     (["-F", "-c"],   True, False, False, False),
}


def group_of(name):
    return "cut " + name


def path_for(name, what):
    os.makedirs(cores.out_dir("cut-" + name), exist_ok=True)
    path = os.path.join(cores.out_dir("cut-" + name), what)
    for left in (path, path + "-incomplete"):
        if os.path.exists(left):
            os.unlink(left)
    return path


def written(path):
    """The file that a capture which did not end left behind."""
    left = [p for p in (path, path + "-incomplete") if os.path.exists(p)]
    expect(left, "nothing was left behind")
    return left[0]


@once
def whole(name):
    """(path, size, seconds) of the complete dump."""
    path = path_for(name, "whole")
    started = time.monotonic()
    product.must(*LEVEL, cores.raw_core(name), path)
    return path, os.path.getsize(path), time.monotonic() - started


@once
def answers(name):
    """What crash says of the complete dump."""
    return readers.crash(cores.kernel(name), whole(name)[0], ASKED)


def column(text, at):
    return sorted(line.split()[at] for line in text.splitlines()[1:] if len(line.split()) > at)


def vital_first():
    """Whether the program writes what readers need first; it does since it has -L."""
    return product.promises("-L")


def opens_cut(name, path):
    """A dump that ended early: says so, opens, and lies in no page."""
    dump, kept = kdump_format.KdumpFile(path), kdump_format.KdumpFile(whole(name)[0])
    expect(dump.incomplete, "it is not marked incomplete")
    expect(not dump.kept_bits & ~kept.kept_bits, "it has pages that the complete one has not")
    missing, unknown = len(dump.missing_pfns()), kept.kept_bits & ~dump.kept_bits
    expect(missing or unknown, "it is marked incomplete, and no page is missing")
    dump.close()
    kept.close()
    pages, unlike = kdump_format.compare_with_core(path, cores.raw_core(name))
    expect(not unlike, "; ".join(unlike))
    if not vital_first():
        return
    expect(pages > 100, "%d pages are there" % pages)
    expect(not unknown, "%d kept pages have no descriptor" % unknown.bit_count())
    kernel = cores.kernel(name)
    out, right = readers.crash(kernel, path, ASKED), answers(name)
    expect_in("[INCOMPLETE]", out["sys"], "sys")
    for command in ("log", "bt"):
        expect(out[command] == right[command], "'%s' answers otherwise:\n%s" %
               (command, out[command][-1500:]))
    pids = [[line.lstrip("> ").split()[0] for line in text["ps"].splitlines()[1:]]
            for text in (out, right)]
    expect(pids[0] == pids[1], "'ps' shows %d tasks, not %d" % (len(pids[0]), len(pids[1])))
    expect(column(out["mod"], 1) == column(right["mod"], 1), "'mod' answers otherwise:\n" +
           out["mod"])
    expect_in(kernel.release, readers.libkdumpfile(path), "what libkdumpfile says")
    expect_in(kernel.release, readers.drgn(kernel, path), "what drgn says")


def limited(name, size):
    """A full disk, by a limit on the file's size; SIGXFSZ is ignored by the child."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    path = path_for(name, "limited")
    status, text = product.run(*LEVEL, cores.raw_core(name), path, preexec_fn=limit,
                               restore_signals=False)
    expect(0 < status < 126, "exit status %d:\n%s" % (status, text[-1000:]))
    return written(path)


def cut_at(name, tenth):
    size = whole(name)[1] * tenth // 10
    if tenth == 10:
        size -= 1
    path = limited(name, size)
    expect(os.path.getsize(path) <= size, "the limit was passed")
    opens_cut(name, path)
    os.unlink(path)


def limit_kept(name, tenth):
    """The program's own limit: as well, and within it."""
    product.needs("-L")
    path, size = path_for(name, "own-limit"), whole(name)[1] * tenth // 10
    status, text = product.run(*LEVEL, "-L", str(size), cores.raw_core(name), path)
    expect(status != 0, "exit status 0:\n" + text[-1000:])
    path = written(path)
    expect(os.path.getsize(path) <= size, "%d bytes with a limit of %d" %
           (os.path.getsize(path), size))
    opens_cut(name, path)
    os.unlink(path)


def kill_at(name, size):
    """SIGKILL as soon as so much is in the file; its path, or None where it ended before."""
    path = path_for(name, "killed")
    with subprocess.Popen([product.path(), *LEVEL, cores.raw_core(name), path],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        while child.poll() is None:
            left = [p for p in (path, path + "-incomplete") if os.path.exists(p)]
            if left and os.stat(left[0]).st_blocks * 512 >= size:
                child.send_signal(signal.SIGKILL)
                break
            time.sleep(0.001)
    return written(path) if child.returncode == -signal.SIGKILL else None


def killed(name, number):
    """At a random moment while pages are written."""
    if not vital_first():
        raise Skip("vmcore-save writes no dump that opens at every moment: it has no -L")
    size = whole(name)[1] * random.Random("%s %d" % (name, number)).uniform(0.05, 0.95)
    path = None
    while not path:  # what is written in one go near the end may come too fast to be caught
        expect(size > 1 << 16, "it always ended before it could be killed")
        path = kill_at(name, size)
        size /= 2
    opens_cut(name, path)
    os.unlink(path)


def makedumpfile_has(name, codec):
    text = readers.must_read([readers.tool("makedumpfile", cores.kernel(name).suite), "-v"])
    return codec + "\tenabled" in text


def form(name, what):
    """A form of the dump: the pages of the default one, and opened by each that can."""
    options, by_crash, by_libkdumpfile, by_drgn, by_makedumpfile = FORMS[what]
    product.needs(*options)
    kernel, path = cores.kernel(name), path_for(name, what)
    if what == "flattened":
        with open(path, "wb") as f:
            done = subprocess.run([product.path(), *LEVEL, *options, cores.raw_core(name)],
                                  stdin=subprocess.DEVNULL, stdout=f, stderr=subprocess.PIPE,
                                  encoding="utf-8", errors="replace")
        expect(done.returncode == 0, "exit status %d:\n%s" % (done.returncode,
                                                             done.stderr[-1000:]))
    else:
        product.must(*LEVEL, *options, cores.raw_core(name), path)
    if what != "elf":
        problems = kdump_format.compare(path, whole(name)[0])
        expect(not problems, "; ".join(problems))
    if by_crash:
        out = readers.crash(kernel, path, ["sys", "bt"])
        expect_in(kernel.release, out["sys"], "sys")
        expect_in("sysrq_handle_crash", out["bt"], "bt")
    if by_libkdumpfile:
        expect_in(kernel.release, readers.libkdumpfile(path), "what libkdumpfile says")
    if by_drgn:
        expect_in(kernel.release, readers.drgn(kernel, path), "what drgn says")
    if by_makedumpfile is True or by_makedumpfile and makedumpfile_has(name, by_makedumpfile):
        again = path_for(name, "again")
        readers.makedumpfile(kernel, ["-l", *LEVEL, path, again])
        if what != "elf":
            problems = kdump_format.compare(again, whole(name)[0])
            problems = readers.without_lost_tails(kernel, problems)
            expect(not problems, "filtered again: " + "; ".join(problems))
        os.unlink(again)
    os.unlink(path)


def unflattened(name, by):
    """-F through -R: ours to makedumpfile's, makedumpfile's to ours, and what comes out."""
    product.needs("-F", "-R")
    peer = readers.tool("makedumpfile", cores.kernel(name).suite)
    writer, reader = (product.path(), peer) if by == "makedumpfile" else (peer, product.path())
    flat, out, direct = (path_for(name, what) for what in ("flat", "unflattened", "direct"))
    with open(flat, "wb") as f:
        subprocess.run([writer, "-F", "-c", *LEVEL, cores.raw_core(name)], stdout=f, check=True,
                       stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(flat, "rb") as f:
        done = subprocess.run([reader, "-R", out], stdin=f, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding="utf-8", errors="replace")
    expect(done.returncode == 0, "-R: exit status %d:\n%s" % (done.returncode, done.stdout[-800:]))
    subprocess.run([writer, "-c", *LEVEL, cores.raw_core(name), direct], check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    problems = kdump_format.compare(out, direct)
    expect(not problems, "; ".join(problems))
    for path in (flat, out, direct):
        os.unlink(path)


def split_parts(name):
    parts = [path_for(name, "part%d" % i) for i in range(3)]
    product.must(*LEVEL, "-c", "--split", cores.raw_core(name), *parts)
    return parts


def split(name):
    """Into three: together all pages, and crash opens them together."""
    product.needs("--split")
    parts, pages = split_parts(name), []
    for part in parts:
        dump = kdump_format.KdumpFile(part)
        expect(dump.split, "a part is not marked as one")
        expect(len(dump.pfns()) > 1000, "a part of %d pages" % len(dump.pfns()))
        pages += dump.pages()
        dump.close()
    whole_dump = kdump_format.KdumpFile(whole(name)[0])
    expect(pages == list(whole_dump.pages()), "the parts are not the whole")
    whole_dump.close()
    out = readers.crash(cores.kernel(name), parts, ["sys", "bt"])
    expect_in("sysrq_handle_crash", out["bt"], "bt")


def reassembled(name, by):
    product.needs("--split", *(["--reassemble"] if by == "vmcore-save" else []))
    parts, out = split_parts(name), path_for(name, "reassembled")
    if by == "makedumpfile":
        readers.makedumpfile(cores.kernel(name), ["--reassemble", *parts, out])
    else:
        product.must("--reassemble", *parts, out)
    problems = kdump_format.compare(out, whole(name)[0])
    expect(not problems, "; ".join(problems))
    for path in (*parts, out):
        os.unlink(path)


def threads(name, codec):
    """How many threads pack makes no difference to the file."""
    if not product.supports("--num-threads", "2"):
        raise Skip("vmcore-save has no more than one thread")
    product.needs(codec)
    sums = {}
    for number in (1, 2, 4):
        path = path_for(name, "threads")
        product.must(*LEVEL, codec, "--num-threads", str(number), cores.raw_core(name), path)
        with open(path, "rb") as f:
            sums[number] = hashlib.sha256(f.read()).hexdigest()
        os.unlink(path)
    expect(len(set(sums.values())) == 1, "by threads: %s" % sums)


def add(name, what, func, *args, long=False):
    test("cut/%s/%s" % (name, what), group_of(name), long)(lambda: func(name, *args))


for _name in cores.KERNELS + cores.LONG_KERNELS:
    _first, _long = _name == cores.KERNELS[0], _name in cores.LONG_KERNELS
    for _tenth in range(FIRST_TENTH.get(_name, 1), 11):
        add(_name, "limit-%d0%%" % _tenth, cut_at, _tenth,
            long=not _first or _tenth not in TENTHS_SHORT)
    for _tenth in (FIRST_TENTH.get(_name, 1), 5):
        add(_name, "own-limit-%d0%%" % _tenth, limit_kept, _tenth, long=_long or _tenth != 1)
    for _number in range(KILLS):
        add(_name, "killed-%d" % _number, killed, _number, long=not _first or _number > 0)
    for _form in FORMS:
        add(_name, "form-" + _form, form, _form, long=not _first)
    for _by in ("makedumpfile", "vmcore-save"):
        add(_name, "unflattened-by-" + _by, unflattened, _by, long=not _first)
        add(_name, "reassembled-by-" + _by, reassembled, _by, long=not _first)
    add(_name, "split", split, long=not _first)
    for _codec in ("-c", "-l", "-z"):
        add(_name, "threads" + _codec, threads, _codec, long=not _first)
