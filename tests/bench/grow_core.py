#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the core of a larger machine out of a real one of 1 GiB, for measuring.

Usage: tests/bench/grow_core.py CORE GROWN [GIB [BUSY]]

GIB (1 to 28) more RAM is added at 4 GiB: a PT_LOAD, sections in the section table, 2 MiB
mappings in vmemmap's page tables, and struct pages that repeat those of the real machine or,
where BUSY is given, those of its order-0 LRU pages alone. The rest of the added RAM is a hole
in the file. What the added pages hold makes no sense; the walk over the memory map does.
x86_64 with vmemmap only.
"""

import re
import struct
import sys

BASE = 1 << 32
SECTION = 1 << 27
PAGE = 64
SECTION_PAGES = SECTION >> 12
ADDRESS = 0x000FFFFFFFFFF000


class Core:
    """An ELF core whose memory is read and written in place."""

    def __init__(self, path):
        self.file = open(path, "r+b")  # pylint: disable=consider-using-with
        header = self.file.read(64)
        self.phoff, = struct.unpack_from("<Q", header, 32)
        self.phnum, = struct.unpack_from("<H", header, 56)
        self.loads, note = [], b""
        for i in range(self.phnum):
            self.file.seek(self.phoff + 56 * i)
            kind, _, off, _, paddr, size, _, _ = struct.unpack("<IIQQQQQQ", self.file.read(56))
            if kind == 1:
                self.loads.append((paddr, off, size))
            else:
                self.file.seek(off)
                note = self.file.read(size)
        self.info = dict(re.findall(rb"^([^=\n\0]+)=([^\n]*)$", note, re.M))

    def add_load(self, size):
        """One more PT_LOAD, at BASE and the end of the file; room for it is in the first page."""
        end = self.file.seek(0, 2) + 4095 & ~4095
        self.file.truncate(end + size)
        self.file.seek(self.phoff + 56 * self.phnum)
        self.file.write(struct.pack("<IIQQQQQQ", 1, 7, end, 2**64 - 1, BASE, size, size, 0))
        self.phnum += 1
        self.file.seek(56)
        self.file.write(struct.pack("<H", self.phnum))
        self.loads.append((BASE, end, size))

    def seek(self, paddr):
        """To a physical address."""
        for start, off, size in self.loads:
            if start <= paddr < start + size:
                self.file.seek(off + paddr - start)
                return
        sys.exit("0x%x is not in the core" % paddr)

    def read(self, paddr, size):
        """Physical memory."""
        self.seek(paddr)
        return self.file.read(size)

    def write(self, paddr, data):
        """Physical memory."""
        self.seek(paddr)
        self.file.write(data)

    def word(self, paddr):
        """A long of physical memory."""
        return struct.unpack("<Q", self.read(paddr, 8))[0]

    def walk(self, vaddr, last=1):
        """(physical address, address of the entry) of a mapping, or of a table of level @last."""
        table = int(self.info[b"SYMBOL(init_top_pgt)"], 16) - 0xFFFFFFFF80000000
        table += int(self.info[b"NUMBER(phys_base)"])
        top = 5 if int(self.info.get(b"NUMBER(pgtable_l5_enabled)", b"0")) else 4
        for level in range(top, 0, -1):
            shift = 12 + 9 * (level - 1)
            at = table + (vaddr >> shift & 511) * 8
            entry = self.word(at)
            table = entry & ADDRESS
            if level == last or level < 4 and entry & 0x80:
                return (table & -1 << shift) + (vaddr & (1 << shift) - 1), at
        return table + (vaddr & 4095), at


def main():
    """Copies CORE, then adds to the copy."""
    source, target = sys.argv[1:3]
    gib = int(sys.argv[3]) if len(sys.argv) > 3 else 28
    with open(source, "rb") as src, open(target, "wb") as dst:
        while chunk := src.read(1 << 24):
            dst.write(chunk)
    core = Core(target)
    core.add_load(gib << 30)
    roots = int(core.info[b"SYMBOL(mem_section)"], 16)
    sections = core.walk(core.word(core.walk(roots)[0]))[0]
    section0 = core.word(sections)
    vmemmap = section0 & ~4095

    models = [core.read(core.walk(vmemmap + nr * SECTION_PAGES * PAGE)[0], SECTION_PAGES * PAGE)
              for nr in range(1, 6)]
    if len(sys.argv) > 4:
        lru = 1 << int(core.info[b"NUMBER(PG_lru)"])
        head = int(core.info[b"NUMBER(PG_head_mask)"])
        pages = [m[i:i + PAGE] for m in models for i in range(0, len(m), PAGE)]
        pages = [p for p in pages if struct.unpack_from("<Q", p)[0] & (lru | head) == lru]
        many = b"".join(pages) * (1 + 5 * SECTION_PAGES // len(pages))
        models = [many[i * SECTION_PAGES * PAGE:(i + 1) * SECTION_PAGES * PAGE] for i in range(5)]

    model_entry = core.word(core.walk(vmemmap + SECTION_PAGES * PAGE, last=2)[1])
    for i in range((gib << 30) // SECTION):
        nr = BASE // SECTION + i
        pages = BASE + i * SECTION_PAGES * PAGE
        core.write(pages, models[i % 5])
        core.write(core.walk(vmemmap + nr * SECTION_PAGES * PAGE, last=2)[1],
                   struct.pack("<Q", pages | model_entry & ~ADDRESS))
        core.write(sections + 16 * nr, struct.pack("<Q", section0))


if __name__ == "__main__":
    main()
