# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads kdump-compressed dumps and ELF cores, written from the formats' descriptions alone.

Format: makedumpfile's IMPLEMENTATION file and diskdump_mod.h. Shares no code with the
program under test, so that the two have to agree on the format, not on a mistake.

Where page data lies in the file is the descriptors' business alone: it may be in any
order, shared, with gaps, each page packed its own way. A descriptor of zeros stands for
a page that the dump should have and has not; only an incomplete dump may have these.
"""

import ctypes
import hashlib
import os
import struct
import tempfile
import zlib

ZLIB, LZO, SNAPPY, INCOMPLETE, EXCLUDED_VMEMMAP, ZSTD = 1, 2, 4, 8, 16, 32
DESC = struct.Struct("<QIIQ")
FLAT_MAGIC = b"makedumpfile\0\0\0\0"
FLAT_HEAD_SIZE = 4096
FLAT_RECORD = struct.Struct(">qq")
SHARED_MAX = 4096  # digests remembered by the place of their data: shared pages' come often
BITS = [tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(256)]


class FormatError(Exception):
    pass


def library(name, function, restype, *argtypes):
    """One entry point of a C library; Python's own has neither zstd, lzo nor snappy."""
    entry = getattr(ctypes.CDLL(name), function)
    entry.restype, entry.argtypes = restype, argtypes
    return entry


def unpacker_zlib():
    return lambda data, size: zlib.decompress(data)


def unpacker_zstd():
    call = library("libzstd.so.1", "ZSTD_decompress", ctypes.c_size_t, ctypes.c_char_p,
                   ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t)

    def unpack(data, size):
        out = ctypes.create_string_buffer(size)
        if call(out, size, data, len(data)) != size:
            raise FormatError("a zstd page does not unpack to %d bytes" % size)
        return out.raw
    return unpack


def unpacker_counted(name, library_name, function, *more):
    """lzo's and snappy's: the room's size goes in, the data's comes out, 0 is success."""
    call = library(library_name, function, ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t,
                   ctypes.c_char_p, ctypes.POINTER(ctypes.c_size_t), *more)

    def unpack(data, size):
        out, length = ctypes.create_string_buffer(size), ctypes.c_size_t(size)
        status = call(data, len(data), out, ctypes.byref(length), *[None for _ in more])
        if status != 0 or length.value != size:
            raise FormatError("a page by %s does not unpack to %d bytes (%d, status %d)" %
                              (name, size, length.value, status))
        return out.raw
    return unpack


UNPACKERS = {
    ZLIB: unpacker_zlib,
    LZO: lambda: unpacker_counted("lzo", "liblzo2.so.2", "lzo1x_decompress_safe", ctypes.c_void_p),
    SNAPPY: lambda: unpacker_counted("snappy", "libsnappy.so.1", "snappy_uncompress"),
    ZSTD: unpacker_zstd,
}


def unflatten(path):
    """The dump that a flattened file makes, as an open file without a name."""
    out = tempfile.TemporaryFile()  # pylint: disable=consider-using-with
    with open(path, "rb") as f:
        head = f.read(FLAT_HEAD_SIZE)
        if len(head) != FLAT_HEAD_SIZE or struct.unpack_from(">qq", head, 16) != (1, 1):
            raise FormatError("%s: a flattened file of another type or version" % path)
        while True:
            record = f.read(FLAT_RECORD.size)
            if len(record) != FLAT_RECORD.size:
                raise FormatError("%s: no end mark" % path)
            offset, size = FLAT_RECORD.unpack(record)
            if offset == -1 and size == -1:
                break
            data = f.read(size) if size > 0 else b""
            if offset < 0 or size <= 0 or len(data) != size:
                raise FormatError("%s: a record of %d bytes at %d" % (path, size, offset))
            out.seek(offset)
            out.write(data)
        if f.read(1):
            raise FormatError("%s: more after the end mark" % path)
    return out


def bits_of(bitmap, end):
    """The set bits of a bitmap, ascending, up to @end."""
    return [at * 8 + bit for at, byte in enumerate(bitmap) if byte for bit in BITS[byte]
            if at * 8 + bit < end]


def bitmap_of(pfns):
    """A list of pfns, ascending, as one number with a bit for each."""
    bits = bytearray(pfns[-1] // 8 + 1 if pfns else 0)
    for pfn in pfns:
        bits[pfn >> 3] |= 1 << (pfn & 7)
    return int.from_bytes(bits, "little")


def digest_of(page):
    return hashlib.blake2b(page, digest_size=12).digest()


class KdumpFile:
    """An open dump, flattened or not; its pages are read on demand."""

    def __init__(self, path):
        self.path = path
        self.file = open(path, "rb")  # pylint: disable=consider-using-with
        self.flattened = self.file.read(16) == FLAT_MAGIC
        if self.flattened:
            self.file.close()
            self.file = unflatten(path)
        self.size = self.file.seek(0, os.SEEK_END)
        head = self._at(0, 464)
        if len(head) != 464 or head[:8] != b"KDUMP   ":
            raise FormatError("%s is no kdump-compressed dump" % path)
        self.version = struct.unpack_from("<i", head, 8)[0]
        self.utsname = [head[12 + 65 * i:77 + 65 * i].split(b"\0")[0].decode() for i in range(6)]
        self.narrow = self.utsname[4] in ("i386", "i486", "i586", "i686")
        (self.status, self.block_size, sub_blocks, bitmap_blocks, max_mapnr, _, _, _, _,
         self.nr_cpus) = struct.unpack_from("<IiiIIIIIii", head, 412 if self.narrow else 424)
        sub = self._at(self.block_size, 104)
        (self.phys_base, self.dump_level, self.split, start, end, self.vmcoreinfo_at,
         self.vmcoreinfo_size, self.note_at, self.note_size) = struct.unpack_from(
             "<IiiIIQIQI" if self.narrow else "<QiiQQQQQQ", sub)
        if self.version >= 6:
            start, end, max_mapnr = struct.unpack_from("<QQQ", sub, 56 if self.narrow else 80)
        self.max_mapnr = max_mapnr
        # Of a set of split dumps each has all of the bitmaps and the pages of a range.
        self.range = (start, end) if self.split else (0, max_mapnr)
        start = (1 + sub_blocks) * self.block_size
        bitmaps = self._at(start, bitmap_blocks * self.block_size)
        if len(bitmaps) != bitmap_blocks * self.block_size:
            raise FormatError("%s: the bitmaps end early" % path)
        half = len(bitmaps) // 2
        self.present, self.dumped = bitmaps[:half], bitmaps[half:]
        self.desc_at = start + len(bitmaps)
        self.unpackers = {}

    def close(self):
        self.file.close()

    @property
    def incomplete(self):
        return bool(self.status & INCOMPLETE)

    def _at(self, offset, size):
        self.file.seek(offset)
        return self.file.read(size)

    @property
    def vmcoreinfo(self):
        return self._at(self.vmcoreinfo_at, self.vmcoreinfo_size)

    @property
    def notes(self):
        return self._at(self.note_at, self.note_size)

    def _int(self, bitmap):
        """A bitmap as one number, to compare at once; without what lies beyond the end."""
        return int.from_bytes(bitmap, "little") & ((1 << self.max_mapnr) - 1)

    @property
    def kept_bits(self):
        return self._int(self.dumped)

    @property
    def present_bits(self):
        return self._int(self.present)

    def pfns(self):
        """The pfns that this file should have the pages of, ascending."""
        first, end = self.range
        pfns = bits_of(self.dumped, min(end, self.max_mapnr))
        return [pfn for pfn in pfns if pfn >= first] if first else pfns

    def present_pfns(self):
        return bits_of(self.present, self.max_mapnr)

    def descs(self):
        """(pfn, offset, size, flags) for each pfn of pfns(); offset 0: it is not there."""
        pfns = self.pfns()
        table = self._at(self.desc_at, DESC.size * len(pfns))
        if len(table) != DESC.size * len(pfns):
            if not self.incomplete:
                raise FormatError("%s: the page descriptors end early" % self.path)
            table += bytes(DESC.size * len(pfns) - len(table))
        for pfn, (offset, size, flags, _) in zip(pfns, DESC.iter_unpack(table)):
            if offset == 0 and not self.incomplete:
                raise FormatError("pfn 0x%x is not there, and the dump is not marked incomplete" %
                                  pfn)
            if offset and (offset + size > self.size or not 0 < size <= self.block_size):
                raise FormatError("pfn 0x%x: %d bytes at %d, the file has %d" %
                                  (pfn, size, offset, self.size))
            yield pfn, offset, size, flags

    def missing_pfns(self):
        return [pfn for pfn, offset, _, _ in self.descs() if not offset]

    def codecs(self):
        """How many pages are packed by each codec: {flag, 0 for none: pages}."""
        counts = {}
        for _, offset, _, flags in self.descs():
            if offset:
                counts[flags] = counts.get(flags, 0) + 1
        return counts

    def _page(self, data, flags):
        if flags:
            if flags not in self.unpackers:
                if flags not in UNPACKERS:
                    raise FormatError("page with flags 0x%x" % flags)
                self.unpackers[flags] = UNPACKERS[flags]()
            data = self.unpackers[flags](data, self.block_size)
        if len(data) != self.block_size:
            raise FormatError("a page of %d bytes" % len(data))
        return data

    def pages(self):
        """(pfn, digest of the page's contents) for each page that is there."""
        digests = {}
        for pfn, offset, size, flags in self.descs():
            if not offset:
                continue
            key = (offset, size, flags)
            digest = digests.get(key)
            if digest is None:
                digest = digest_of(self._page(self._at(offset, size), flags))
                if len(digests) < SHARED_MAX:
                    digests[key] = digest
            yield pfn, digest


class ElfCore:
    """A raw core, or an ELF dump: its memory by pfn."""

    def __init__(self, path, page_size=4096):
        self.file = open(path, "rb")  # pylint: disable=consider-using-with
        self.page_size = page_size
        head = self.file.read(64)
        if head[:4] != b"\x7fELF" or head[4] not in (1, 2) or head[5] != 1:
            raise FormatError("%s is no little-endian ELF file" % path)
        self.narrow = head[4] == 1
        at = struct.unpack_from(*("<I", head, 28) if self.narrow else ("<Q", head, 32))[0]
        size, number = struct.unpack_from("<HH", head, 42 if self.narrow else 54)
        self.file.seek(at)
        table = self.file.read(size * number)
        self.loads = []  # (physical address, offset, bytes in the file, bytes in memory)
        self.notes_at = (0, 0)
        for i in range(number):
            if self.narrow:
                kind, offset, _, paddr, filesz, memsz = struct.unpack_from("<6I", table, i * size)
            else:
                kind, _, offset, _, paddr, filesz, memsz = struct.unpack_from("<IIQQQQQ", table,
                                                                              i * size)
            if kind == 1:
                self.loads.append((paddr, offset, filesz, memsz))
            elif kind == 4:
                self.notes_at = (offset, filesz)

    def close(self):
        self.file.close()

    def read(self, paddr, size):
        """Memory as the core has it, zeros where it has none."""
        out = bytearray(size)
        for start, offset, filesz, _ in self.loads:
            first, end = max(start, paddr), min(start + filesz, paddr + size)
            if first < end:
                self.file.seek(offset + first - start)
                out[first - paddr:end - paddr] = self.file.read(end - first)
        return bytes(out)

    def page(self, pfn):
        return self.read(pfn * self.page_size, self.page_size)

    def cut_pfns(self):
        """The pages that a load ends in the middle of, and no other one goes on with."""
        ends = {paddr + filesz for paddr, _, filesz, _ in self.loads}
        starts = {paddr for paddr, _, _, _ in self.loads}
        return [end // self.page_size for end in ends - starts if end % self.page_size]

    def pfns(self, in_memory=False):
        """The pages that the file has all or a part of; @in_memory: also those without data."""
        pfns = set()
        for start, _, filesz, memsz in self.loads:
            size = memsz if in_memory else filesz
            if size:
                pfns.update(range(start // self.page_size,
                                  (start + size - 1) // self.page_size + 1))
        return sorted(pfns)


def differ(what, ours, theirs):
    """What two sets of pages, as numbers, do not have in common, as sentences."""
    problems = []
    for pages, sentence in ((ours & ~theirs, "%d pages more %s, from pfn 0x%x on"),
                            (theirs & ~ours, "%d pages not %s, from pfn 0x%x on")):
        if pages:
            lowest = (pages & -pages).bit_length() - 1
            problems.append(sentence % (pages.bit_count(), what, lowest))
    return problems


def unlike_sentence(pfns, first=3):
    return "%d pages with other contents: pfn %s" % (
        len(pfns), ", ".join("0x%x" % pfn for pfn in pfns[:first]))


def compare_headers(a, b):
    """What the headers of two open dumps say differently, as sentences."""
    problems = []
    for what in ("block_size", "max_mapnr", "phys_base", "dump_level", "vmcoreinfo", "nr_cpus"):
        if getattr(a, what) != getattr(b, what):
            problems.append("%s: %.60r, not %.60r" % (what, getattr(a, what), getattr(b, what)))
    if a.incomplete:
        problems.append("marked incomplete")
    return problems


def compare(ours, theirs, contents=True, ignore=()):
    """What differs between two dumps but for some pages, as sentences; empty where nothing does."""
    mask = ~bitmap_of(sorted(ignore))
    a, b = KdumpFile(ours), KdumpFile(theirs)
    problems = compare_headers(a, b)
    problems += differ("present", a.present_bits & mask, b.present_bits & mask)
    problems += differ("kept", a.kept_bits & mask, b.kept_bits & mask)
    if contents:
        pages = dict(b.pages())
        unlike = [pfn for pfn, digest in a.pages() if pfn in pages and pages[pfn] != digest]
        if unlike:
            problems.append(unlike_sentence(unlike))
    a.close()
    b.close()
    return problems


def compare_with_core(dump, core):
    """(pages that are there, problems): each page that is there has the core's contents."""
    a, raw = KdumpFile(dump), ElfCore(core)
    number, unlike = 0, []
    for pfn, digest in a.pages():
        number += 1
        if digest_of(raw.page(pfn)) != digest:
            unlike.append(pfn)
    a.close()
    raw.close()
    return number, [unlike_sentence(unlike)] if unlike else []
