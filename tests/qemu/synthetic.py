# SPDX-License-Identifier: GPL-2.0-or-later
"""Cores of machines that nobody here has: sparse files, made without a VM.

A machine of any size whose sections all look alike: each 128 MiB of memory has KEPT pages
that a dump keeps at every level, then page cache, then free blocks. All of vmemmap is one
2 MiB page of struct pages, mapped again and again, so the file stays some MiB large.
"""

import struct

PAGE = 4096
SECTION_PAGES = 32768
STRUCT_PAGE = 64
KEPT, CACHE = 16, 1008  # pages of each section; the rest is free, in blocks of 1024
FREE = SECTION_PAGES - KEPT - CACHE

HEADERS = 1 << 20
PGD, PUD_DIRECT, PUD_VMEMMAP, PMD_VMEMMAP, PUD_IMAGE, PMD_IMAGE = range(0x1000, 0x7000, 0x1000)
UTSNAME, ROOTS, SECTIONS, STRUCT_PAGES = 0x8000, 0x100000, 0x180000, 0x200000
DIRECT_MAP, VMEMMAP, IMAGE = 0xffff888000000000, 0xffffea0000000000, 0xffffffff80000000
SECTION_BYTES, SECTIONS_PER_ROOT = 16, 256

VMCOREINFO = """OSRELEASE=6.12.57-synthetic
PAGESIZE=4096
SYMBOL(init_uts_ns)=%x
OFFSET(uts_namespace.name)=0
SYMBOL(_stext)=ffffffff80000000
SYMBOL(swapper_pg_dir)=%x
SYMBOL(init_top_pgt)=%x
NUMBER(phys_base)=0
NUMBER(pgtable_l5_enabled)=0
SYMBOL(mem_section)=%x
LENGTH(mem_section)=2048
SIZE(mem_section)=16
OFFSET(mem_section.section_mem_map)=0
NUMBER(SECTION_SIZE_BITS)=27
NUMBER(MAX_PHYSMEM_BITS)=46
SIZE(page)=64
SIZE(list_head)=16
OFFSET(list_head.next)=0
OFFSET(list_head.prev)=8
OFFSET(page.flags)=0
OFFSET(page._refcount)=52
OFFSET(page.mapping)=24
OFFSET(page.lru)=8
OFFSET(page._mapcount)=48
OFFSET(page.private)=40
OFFSET(page.compound_head)=8
LENGTH(zone.free_area)=11
NUMBER(PG_lru)=5
NUMBER(PG_private)=14
NUMBER(PG_swapcache)=10
NUMBER(PG_swapbacked)=17
NUMBER(PG_hwpoison)=20
NUMBER(PG_head_mask)=64
NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=-184549376
NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-268435456
NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)=-201326592
NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-251658240
NUMBER(KERNEL_IMAGE_SIZE)=1073741824
KERNELOFFSET=0
CRASHTIME=1700000000
""" % (IMAGE + UTSNAME, IMAGE + PGD, IMAGE + PGD, DIRECT_MAP + ROOTS)


def note(name, kind, desc):
    name = name.encode() + b"\0"
    return struct.pack("<III", len(name), len(desc), kind) + name.ljust(-(-len(name) // 4) * 4,
                                                                        b"\0") + \
        desc.ljust(-(-len(desc) // 4) * 4, b"\0")


def struct_page(flags=0, mapping=0, private=0, mapcount=0xffffffff):
    page = bytearray(STRUCT_PAGE)
    struct.pack_into("<Q", page, 0, flags)
    struct.pack_into("<Q", page, 24, mapping)
    struct.pack_into("<Q", page, 40, private)
    struct.pack_into("<I", page, 48, mapcount)
    return bytes(page)


def struct_pages():
    """Those of one section."""
    buddy = struct_page(private=10, mapcount=0xf0000000) + struct_page() * 1023
    return (struct_page() * KEPT + struct_page(flags=1 << 5) * CACHE + buddy * (FREE // 1024))


def memory(nr_sections):
    """What is not zero: {physical address: bytes}. Entries: 0x3 present and writable, 0x80 large."""
    nr_pmds = -(-nr_sections // 512)

    def table(entries):
        data = bytearray(PAGE)
        for index, value in entries:
            struct.pack_into("<Q", data, index * 8, value)
        return bytes(data)

    def index(vaddr, level):
        return vaddr >> (12 + 9 * (level - 1)) & 511

    section = struct.pack("<QQ", VMEMMAP | 3, 0)  # the same for all, see sparse_encode_mem_map()
    nr_roots = -(-nr_sections // SECTIONS_PER_ROOT)
    return {
        PGD: table([(index(DIRECT_MAP, 4), PUD_DIRECT | 3), (index(VMEMMAP, 4), PUD_VMEMMAP | 3),
                    (index(IMAGE, 4), PUD_IMAGE | 3)]),
        PUD_DIRECT: table([(index(DIRECT_MAP, 3) + i, i << 30 | 0x83) for i in range(4)]),
        PUD_VMEMMAP: table([(index(VMEMMAP, 3) + i, PMD_VMEMMAP | 3) for i in range(nr_pmds)]),
        PMD_VMEMMAP: table([(i, STRUCT_PAGES | 0x83) for i in range(512)]),
        PUD_IMAGE: table([(index(IMAGE, 3), PMD_IMAGE | 3)]),
        PMD_IMAGE: table([(i, i << 21 | 0x83) for i in range(8)]),
        ROOTS: struct.pack("<Q", DIRECT_MAP + SECTIONS) * nr_roots,
        SECTIONS: section * SECTIONS_PER_ROOT,
        UTSNAME: b"".join(s.encode().ljust(65, b"\0") for s in
                          ("Linux", "synthetic", "6.12.57-synthetic", "#1", "x86_64", "")),
        STRUCT_PAGES: struct_pages(),
    }


def write_core(path, gib):
    """A core of a machine of that size. Returns how many pages a dump at level 31 keeps."""
    size = gib << 30
    nr_sections = size // (SECTION_PAGES * PAGE)
    notes = note("CORE", 1, bytes(336)) + note("VMCOREINFO", 0, VMCOREINFO.encode())
    with open(path, "wb") as f:
        f.write(struct.pack("<4sBBBB8xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 4, 62, 1, 0, 64, 0,
                            0, 64, 56, 2, 0, 0, 0))
        f.write(struct.pack("<IIQQQQQQ", 4, 0, 64 + 2 * 56, 0, 0, len(notes), len(notes), 0))
        f.write(struct.pack("<IIQQQQQQ", 1, 7, HEADERS, DIRECT_MAP, 0, size, size, 0))
        f.write(notes)
        for paddr, data in memory(nr_sections).items():
            f.seek(HEADERS + paddr)
            f.write(data)
        f.truncate(HEADERS + size)
    return KEPT * nr_sections
