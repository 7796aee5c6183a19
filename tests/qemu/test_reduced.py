# SPDX-License-Identifier: GPL-2.0-or-later
"""Which pages are kept, at every level, on the reduced cores of tests/data: the same as
makedumpfile's. No VM, and nothing to download but a makedumpfile that knows the kernel."""

import os

import cores
import kdump_format
import product
import readers
import reduce
from harness import expect, once, test

LEVELS = range(32)
LEVELS_CONTENTS = (0, 31)
USER_DATA = 8  # the level's bit
SUITES = {"5.10": "bullseye", "6.1": "bookworm", "6.12": "trixie", "sid": "sid"}

# How many tail pages makedumpfile drops, see readers.makedumpfile_loses_tails().
TAILS_LOST = {"sid-cloud": 444}


def suite_of(name):
    return SUITES[name.split("-", maxsplit=1)[0]]


def path_for(name, what):
    directory = cores.out_dir("reduced-" + name)
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, what)
    if os.path.exists(path):
        os.unlink(path)
    return path


@once
def core(name):
    path = path_for(name, "core")
    reduce.expand(os.path.join(reduce.DATA, name + ".core.xz"), path)
    return path


@once
def present(name):
    """The pages that the core has, by its program headers, as a number."""
    raw = kdump_format.ElfCore(core(name))
    bits = kdump_format.bitmap_of(raw.pfns())
    raw.close()
    return bits


@once
def tail_pages(name):
    """The tail pages of compound ones, by the core's struct pages, as a number."""
    memory = reduce.Memory(core(name))
    bits = kdump_format.bitmap_of(reduce.tail_pfns(memory))
    memory.core.close()
    return bits


@once
def tails_lost(name):
    """How many tail pages this makedumpfile drops wrongly at level 8."""
    lost = TAILS_LOST.get(name, 0)
    return lost if lost and readers.makedumpfile_loses_tails(suite_of(name)) else 0


def save(name, level, *options):
    out = path_for(name, "ours%d" % level)
    product.must("-d", str(level), *(options or [product.fast()]), core(name), out)
    return out


@once
def theirs(name, level):
    """makedumpfile's dump; lzo, since that is soon done."""
    out = path_for(name, "theirs%d" % level)
    readers.must_read([readers.tool("makedumpfile", suite_of(name)), "-l", "-d", str(level),
                       core(name), out])
    return out


@once
def lost_by_makedumpfile(name):
    """Tail pages that it takes for user pages, as a number; all of them and nothing else."""
    expected = tails_lost(name)
    if not expected:
        return 0
    ours = kdump_format.KdumpFile(save(name, USER_DATA))
    peer = kdump_format.KdumpFile(theirs(name, USER_DATA))
    lost = ours.kept_bits & ~peer.kept_bits
    expect(lost & ~tail_pages(name) == 0, "other than tail pages are kept")
    expect(lost.bit_count() == expected, "%d tail pages more are kept, not %d" %
           (lost.bit_count(), expected))
    ours.close()
    peer.close()
    return lost


def like_makedumpfile(name, level):
    lost = lost_by_makedumpfile(name) if level & USER_DATA else 0
    ours, peer = save(name, level), theirs(name, level)
    a, b = kdump_format.KdumpFile(ours), kdump_format.KdumpFile(peer)
    problems = kdump_format.compare_headers(a, b)
    problems += kdump_format.differ("present", a.present_bits, b.present_bits)
    problems += kdump_format.differ("present in the core", a.present_bits, present(name))
    problems += kdump_format.differ("kept", a.kept_bits & ~lost, b.kept_bits)
    if a.kept_bits & ~a.present_bits:
        problems.append("pages are kept that are not there")
    a.close()
    b.close()
    if level in LEVELS_CONTENTS:
        problems += kdump_format.compare_with_core(ours, core(name))[1]
    expect(not problems, "; ".join(problems))
    os.unlink(ours)


def same_log(name):
    ours, peer = path_for(name, "ours.log"), path_for(name, "theirs.log")
    product.must("--dump-dmesg", core(name), ours)
    readers.must_read([readers.tool("makedumpfile", suite_of(name)), "--dump-dmesg", core(name),
                       peer])
    with open(ours, "rb") as a, open(peer, "rb") as b:
        a, b = a.read(), readers.log_without_callers(b.read())
    expect(b"sysrq: Trigger a crash" in b, "makedumpfile's log has no panic in it")
    expect(a == b, "the log is not makedumpfile's: %d and %d bytes" % (len(a), len(b)))


def levels_differ(name):
    """The core has something of each kind to drop: every bit of the level drops pages. But
    zero pages: these stay in the dump and share one page's data."""
    kept, places = [], []
    for level in (0, 1, 2, 4, 8, 16):
        peer = kdump_format.KdumpFile(theirs(name, level))
        kept.append(peer.kept_bits.bit_count())
        places.append(len({offset for _, offset, _, _ in peer.descs()}))
        peer.close()
    expect(all(kept[0] - n > 50 for n in kept[2:]), "pages kept at 0, 1, 2, 4, 8, 16: %s" % kept)
    expect(places[0] - places[1] > 50, "pages stored at 0 and 1: %s" % places[:2])


for _name in cores.REDUCED:
    for _level in LEVELS:
        test("reduced/%s/level-%d" % (_name, _level), "reduced " + _name)(
            lambda name=_name, level=_level: like_makedumpfile(name, level))
    test("reduced/%s/log" % _name, "reduced " + _name)(lambda name=_name: same_log(name))
    test("reduced/%s/levels-differ" % _name, "reduced " + _name)(
        lambda name=_name: levels_differ(name))
