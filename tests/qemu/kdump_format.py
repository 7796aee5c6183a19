# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads kdump-compressed dumps, written from the format's description alone.

Format: makedumpfile's IMPLEMENTATION file and diskdump_mod.h. Shares no code with the
program under test, so that the two have to agree on the format, not on a mistake.
"""

import ctypes
import hashlib
import struct
import zlib

ZLIB, LZO, SNAPPY, INCOMPLETE, EXCLUDED_VMEMMAP, ZSTD = 1, 2, 4, 8, 16, 32
DESC = struct.Struct("<QIIQ")


class FormatError(Exception):
    pass


def zstd_decompressor():
    """Python's library has no zstd; the C library's entry points are few."""
    lib = ctypes.CDLL("libzstd.so.1")
    lib.ZSTD_decompress.restype = ctypes.c_size_t
    lib.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p,
                                    ctypes.c_size_t]

    def decompress(data, size):
        out = ctypes.create_string_buffer(size)
        if lib.ZSTD_decompress(out, size, data, len(data)) != size:
            raise FormatError("a zstd page does not unpack to %d bytes" % size)
        return out.raw

    return decompress


class KdumpFile:
    """An open dump; its pages are read on demand."""

    def __init__(self, path):
        self.file = open(path, "rb")  # pylint: disable=consider-using-with
        head = self.file.read(464)
        if len(head) != 464 or head[:8] != b"KDUMP   ":
            raise FormatError("%s is no kdump-compressed dump" % path)
        self.version = struct.unpack_from("<i", head, 8)[0]
        self.utsname = [head[12 + 65 * i:77 + 65 * i].split(b"\0")[0].decode() for i in range(6)]
        (self.status, self.block_size, sub_blocks, bitmap_blocks, max_mapnr, _, _, _, _,
         self.nr_cpus) = struct.unpack_from("<IiiIIIIIii", head, 424)
        self.file.seek(self.block_size)
        sub = self.file.read(104)
        (self.phys_base, self.dump_level, self.split, _, _, self.vmcoreinfo_at,
         self.vmcoreinfo_size, self.note_at, self.note_size) = struct.unpack_from("<QiiQQQQQQ", sub)
        self.max_mapnr = struct.unpack_from("<Q", sub, 96)[0] if self.version >= 6 else max_mapnr
        start = (1 + sub_blocks) * self.block_size
        self.file.seek(start)
        bitmaps = self.file.read(bitmap_blocks * self.block_size)
        half = len(bitmaps) // 2
        self.present, self.dumped = bitmaps[:half], bitmaps[half:]
        self.desc_at = start + len(bitmaps)
        self.unzstd = None

    def close(self):
        self.file.close()

    def _at(self, offset, size):
        self.file.seek(offset)
        return self.file.read(size)

    @property
    def vmcoreinfo(self):
        return self._at(self.vmcoreinfo_at, self.vmcoreinfo_size)

    @property
    def notes(self):
        return self._at(self.note_at, self.note_size)

    @staticmethod
    def _bits(bitmap, end):
        for at, byte in enumerate(bitmap):
            if byte:
                for bit in range(8):
                    if byte >> bit & 1 and at * 8 + bit < end:
                        yield at * 8 + bit

    def pfns(self):
        """The pfns that are in the dump, ascending."""
        return list(self._bits(self.dumped, self.max_mapnr))

    def present_pfns(self):
        return list(self._bits(self.present, self.max_mapnr))

    def _page(self, data, flags):
        if flags & ZLIB:
            data = zlib.decompress(data)
        elif flags & ZSTD:
            self.unzstd = self.unzstd or zstd_decompressor()
            data = self.unzstd(data, self.block_size)
        elif flags & (LZO | SNAPPY):
            raise FormatError("page with flags 0x%x" % flags)
        if len(data) != self.block_size:
            raise FormatError("a page of %d bytes" % len(data))
        return data

    def pages(self):
        """(pfn, digest of the page's contents) for each page in the dump."""
        pfns = self.pfns()
        descs = self._at(self.desc_at, DESC.size * len(pfns))
        if len(descs) != DESC.size * len(pfns):
            raise FormatError("the page descriptors end early")
        digests = {}
        for i, pfn in enumerate(pfns):
            offset, size, flags, _ = DESC.unpack_from(descs, i * DESC.size)
            key = (offset, size, flags)
            if key not in digests:
                page = self._page(self._at(offset, size), flags)
                digest = hashlib.blake2b(page, digest_size=12).digest()
                if len(digests) < 4096:  # shared pages, the zero page above all
                    digests[key] = digest
            else:
                digest = digests[key]
            yield pfn, digest


def compare(ours, theirs, first=3):
    """What differs between two dumps, as sentences; empty where nothing does."""
    a, b = KdumpFile(ours), KdumpFile(theirs)
    problems = []
    for what in ("block_size", "max_mapnr", "phys_base", "dump_level", "vmcoreinfo", "nr_cpus"):
        if getattr(a, what) != getattr(b, what):
            problems.append("%s: %.60r, not %.60r" % (what, getattr(a, what), getattr(b, what)))
    if a.status & INCOMPLETE:
        problems.append("marked incomplete")
    for what, ours_set, theirs_set in (
            ("present", set(a.present_pfns()), set(b.present_pfns())),
            ("kept", set(a.pfns()), set(b.pfns()))):
        more, less = sorted(ours_set - theirs_set), sorted(theirs_set - ours_set)
        if more:
            problems.append("%d pages more %s, from pfn 0x%x on" % (len(more), what, more[0]))
        if less:
            problems.append("%d pages not %s, from pfn 0x%x on" % (len(less), what, less[0]))
    pages = dict(b.pages())
    unlike = [pfn for pfn, digest in a.pages() if pfn in pages and pages[pfn] != digest]
    if unlike:
        problems.append("%d pages with other contents: pfn %s" %
                        (len(unlike), ", ".join("0x%x" % pfn for pfn in unlike[:first])))
    a.close()
    b.close()
    return problems
