# SPDX-License-Identifier: GPL-2.0-or-later
"""The judge judged: kdump_format.py on small dumps made here, right ones and wrong ones."""

import ctypes
import os
import random
import struct
import zlib

import cores
import kdump_format
from harness import expect, test
from kdump_format import INCOMPLETE, LZO, SNAPPY, ZLIB, ZSTD

BLOCK = 4096
PAGES = 40


def contents(pfn):
    return bytes((pfn * 7 + i // 64) & 0xff for i in range(BLOCK)) if pfn % 5 else bytes(BLOCK)


def pack(page, flag):
    """A page by one of the C libraries, or not packed."""
    out, size = ctypes.create_string_buffer(2 * BLOCK), ctypes.c_size_t(2 * BLOCK)
    if flag == ZLIB:
        return zlib.compress(page, 1)
    if flag == ZSTD:
        call = ctypes.CDLL("libzstd.so.1").ZSTD_compress
        call.restype = ctypes.c_size_t
        length = call(out, size, page, ctypes.c_size_t(BLOCK), 1)
        return out.raw[:length]
    if flag == LZO:
        work = ctypes.create_string_buffer(1 << 18)
        ctypes.CDLL("liblzo2.so.2").lzo1x_1_compress(page, ctypes.c_size_t(BLOCK), out,
                                                     ctypes.byref(size), work)
        return out.raw[:size.value]
    if flag == SNAPPY:
        ctypes.CDLL("libsnappy.so.1").snappy_compress(page, ctypes.c_size_t(BLOCK), out,
                                                      ctypes.byref(size))
        return out.raw[:size.value]
    return page


class Dump:
    """A dump as bytes; each thing that a test may want otherwise is an argument."""

    def __init__(self, kept=range(2, PAGES, 3), flags=(0, ZLIB, LZO, SNAPPY, ZSTD), status=0,
                 missing=(), split=None, order=None, cut=0):
        self.kept = [pfn for pfn in kept if not split or split[0] <= pfn < split[1]]
        head = b"KDUMP   " + struct.pack("<i", 6) + bytes(412) + struct.pack(
            "<IiiIIIIIii", status, BLOCK, 1, 2, PAGES, 0, 0, 0, 0, 1)
        sub = struct.pack("<QiiQQQQQQQQQQQ", 0x1000000, 31, 1 if split else 0, 0, 0, 0, 0, 0, 0, 0,
                          0, *(split or (0, 0)), PAGES)
        bitmaps = b"".join(sum(1 << pfn for pfn in pfns).to_bytes(BLOCK, "little")
                           for pfns in (range(PAGES), kept))
        start = head.ljust(BLOCK, b"\0") + sub.ljust(BLOCK, b"\0") + bitmaps
        data_at = len(start) + kdump_format.DESC.size * len(self.kept)
        descs, data = {}, b""
        for i, pfn in enumerate(order or self.kept):
            if pfn in missing:
                continue
            flag = flags[i % len(flags)]
            page = pack(contents(pfn), flag)
            descs[pfn] = (data_at + len(data), len(page), flag, 0)
            data += page + bytes(i % 3)  # gaps
        table = b"".join(kdump_format.DESC.pack(*descs.get(pfn, (0, 0, 0, 0)))
                         for pfn in self.kept)
        self.bytes = start + table + data
        self.bytes = self.bytes[:len(self.bytes) - cut]

    def write(self, name):
        os.makedirs(cores.out_dir("format"), exist_ok=True)
        path = cores.out_dir("format", name)
        with open(path, "wb") as f:
            f.write(self.bytes)
        return path

    def flattened(self, name, end=True):
        """The same in records, out of order."""
        size = 1000
        places = list(range(0, len(self.bytes), size))
        random.Random(1).shuffle(places)
        out = b"makedumpfile".ljust(16, b"\0") + struct.pack(">qq", 1, 1)
        out = out.ljust(kdump_format.FLAT_HEAD_SIZE, b"\0")
        for at in places:
            record = self.bytes[at:at + size]
            out += kdump_format.FLAT_RECORD.pack(at, len(record)) + record
        if end:
            out += kdump_format.FLAT_RECORD.pack(-1, -1)
        path = cores.out_dir("format", name)
        with open(path, "wb") as f:
            f.write(out)
        return path


def right(path, pfns, missing=()):
    dump = kdump_format.KdumpFile(path)
    expect(dump.pfns() == list(pfns), "pfns: %s" % dump.pfns())
    expect(dump.missing_pfns() == list(missing), "missing: %s" % dump.missing_pfns())
    there = [(pfn, kdump_format.digest_of(contents(pfn))) for pfn in pfns if pfn not in missing]
    expect(list(dump.pages()) == there, "other contents")
    dump.close()


def wrong(path, word):
    try:
        dump = kdump_format.KdumpFile(path)
        list(dump.pages())
    except (kdump_format.FormatError, zlib.error) as e:
        expect(word in str(e), "'%s' does not name '%s'" % (e, word))
        return
    expect(False, "no error that names '%s'" % word)


def check(name):
    return test("format/" + name, "format")


@check("codecs-and-order")
def codecs_and_order():
    dump = Dump()
    right(dump.write("mixed"), dump.kept)
    order = list(dump.kept)
    random.Random(2).shuffle(order)
    shuffled = Dump(order=order).write("shuffled")
    right(shuffled, dump.kept)
    expect(not kdump_format.compare(shuffled, dump.write("mixed")), "the order made a difference")
    for flag in (0, ZLIB, LZO, SNAPPY, ZSTD):
        one = kdump_format.KdumpFile(Dump(flags=(flag,)).write("one"))
        expect(one.codecs() == {flag: len(dump.kept)}, "codecs: %s" % one.codecs())
        right(one.path, dump.kept)


@check("incomplete")
def incomplete():
    dump = Dump(status=INCOMPLETE, missing=(5, 11))
    right(dump.write("incomplete"), dump.kept, (5, 11))
    wrong(Dump(missing=(5, 11)).write("unmarked"), "not marked incomplete")
    wrong(Dump(cut=10).write("cut"), "the file has")
    wrong(Dump(status=INCOMPLETE, cut=10).write("cut-marked"), "the file has")
    early = Dump(status=INCOMPLETE, missing=range(PAGES), cut=100)
    right(early.write("descs-cut"), dump.kept, dump.kept)
    wrong(Dump(missing=range(PAGES), cut=100).write("descs-cut"), "descriptors end early")


@check("split")
def split():
    all_of = Dump()
    pfns = []
    for first, end in ((0, 10), (10, 11), (11, PAGES)):
        part = Dump(split=(first, end))
        right(part.write("split"), part.kept)
        pfns += part.kept
    expect(pfns == all_of.kept, "the parts are not the whole")


@check("flattened")
def flattened():
    dump = Dump()
    right(dump.flattened("flat"), dump.kept)
    wrong(dump.flattened("flat-endless", end=False), "no end mark")


@check("differences-are-seen")
def differences():
    base = Dump().write("base")
    for other, word in ((Dump(kept=range(2, PAGES, 2)), "more kept"),
                        (Dump(kept=range(2, PAGES, 6)), "not kept"),
                        (Dump(status=INCOMPLETE), "marked incomplete")):
        problems = kdump_format.compare(other.write("other"), base)
        expect(word in " ".join(problems), "'%s' not in %s" % (word, problems))
    swapped = bytearray(Dump(flags=(0,)).bytes)
    swapped[-2000] ^= 1
    with open(cores.out_dir("format", "other"), "wb") as f:
        f.write(swapped)
    problems = kdump_format.compare(cores.out_dir("format", "other"), base)
    expect(len(problems) == 1 and "1 pages with other contents" in problems[0],
           "a changed byte gave %s" % problems)
