#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a core small enough to be kept in git: what a filter looks at, and no more.

    reduce.py RAW REDUCED       a raw core of a small guest to tests/data/NAME.core.xz
    reduce.py --all             panics each kernel of REDUCED and renews tests/data
    reduce.py --expand REDUCED CORE   back to an ELF core

Kept as they are: the ELF headers and notes with vmcoreinfo; of memory the kernel's page
tables, mem_section, init_uts_ns, the nodes' descriptors and the printk ring buffer; and the
struct pages, of which the fields that vmcoreinfo does not tell of and the links of lists
are made zero. Each other page of zeros stays one, and each other page gets, when the core
is expanded, a content that is made of its pfn and unlike any other's. So kept pfns and the
log are those of the raw core at every level, and pages that are mixed up are seen.

The file, below xz: a line of JSON; the ELF core's head, up to its first load; a state for
each page of memory, in the order of pfns (0 zero, 1 made of the pfn, 2 kept); the kept
pages' contents. There is nothing of the host in it, only of a guest that ran nothing but
busybox and tests/qemu/memory-load.
"""

import json
import lzma
import os
import struct
import sys

sys.dont_write_bytecode = True
sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                os.path.dirname(os.path.abspath(__file__))]
import cores  # noqa: E402 pylint: disable=wrong-import-position
import kdump_format  # noqa: E402 pylint: disable=wrong-import-position
import vm  # noqa: E402 pylint: disable=wrong-import-position

PAGE = 4096
ZERO, MADE, KEPT = 0, 1, 2
KERNEL_MAP = 0xffffffff80000000  # __START_KERNEL_map, where phys_base tells the place of
ADDR_MASK = 0x000ffffffffff000
DATA = os.path.join(vm.TOP, "tests", "data")


class Info:
    """vmcoreinfo's lines by key."""

    def __init__(self, text):
        self.lines = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    def number(self, kind, name, default=None):
        text = self.lines.get("%s(%s)" % (kind, name))
        if text is None:
            if default is None:
                raise KeyError("vmcoreinfo has no %s(%s)" % (kind, name))
            return default
        return int(text, 16 if kind == "SYMBOL" else 0)

    def symbol(self, name, default=None):
        return self.number("SYMBOL", name, default)

    def offset(self, name):
        return self.number("OFFSET", name)

    def size(self, name):
        return self.number("SIZE", name)


def vmcoreinfo_of(notes):
    at = 0
    while at + 12 <= len(notes):
        namesz, descsz, _ = struct.unpack_from("<III", notes, at)
        name = notes[at + 12:at + 12 + namesz].rstrip(b"\0")
        desc = at + 12 + (namesz + 3) // 4 * 4
        if name == b"VMCOREINFO":
            return Info(notes[desc:desc + descsz].rstrip(b"\0").decode())
        at = desc + (descsz + 3) // 4 * 4
    raise ValueError("no vmcoreinfo note")


class Memory:
    """A raw core's memory by virtual address; notes which pages were asked for."""

    def __init__(self, path):
        self.core = kdump_format.ElfCore(path)
        self.core.file.seek(self.core.notes_at[0])
        self.info = vmcoreinfo_of(self.core.file.read(self.core.notes_at[1]))
        self.kept = set()
        self.root = self.paddr_of_image(self.info.symbol("swapper_pg_dir"))
        self.levels = 5 if self.info.number("NUMBER", "pgtable_l5_enabled", 0) else 4

    def paddr_of_image(self, vaddr):
        return vaddr - KERNEL_MAP + self.info.number("NUMBER", "phys_base")

    def keep(self, paddr, size):
        self.kept.update(range(paddr // PAGE, (paddr + size - 1) // PAGE + 1))

    def table(self, paddr):
        self.keep(paddr, PAGE)
        return struct.unpack("<512Q", self.core.page(paddr // PAGE))

    def keep_tables(self):
        """All page tables of the kernel's half."""
        todo = [(self.root, self.levels)]
        seen = set()
        while todo:
            paddr, level = todo.pop()
            if paddr in seen:
                continue
            seen.add(paddr)
            for i, entry in enumerate(self.table(paddr)):
                if level == self.levels and i < 256 or level == 1:
                    continue
                if entry & 1 and not (level <= 3 and entry & 0x80):
                    todo.append((entry & ADDR_MASK, level - 1))

    def translate(self, vaddr):
        """(physical address, bytes that follow it without a gap)."""
        paddr = self.root
        for level in range(self.levels, 0, -1):
            shift = 12 + 9 * (level - 1)
            entry = self.table(paddr)[vaddr >> shift & 511]
            if not entry & 1:
                raise ValueError("0x%x is not mapped" % vaddr)
            paddr = entry & ADDR_MASK
            if level == 1 or (level <= 3 and entry & 0x80):
                inside = vaddr & ((1 << shift) - 1)
                return (paddr & ~((1 << shift) - 1)) + inside, (1 << shift) - inside
        raise AssertionError

    def read(self, vaddr, size):
        """Memory at a virtual address; its pages will be kept."""
        out = b""
        while len(out) < size:
            paddr, room = self.translate(vaddr + len(out))
            part = min(room, size - len(out))
            self.keep(paddr, part)
            out += self.core.read(paddr, part)
        return out

    def word(self, vaddr):
        return struct.unpack("<Q", self.read(vaddr, 8))[0]


def keep_log(memory):
    """The lockless ring buffer (kernel 5.10, kernel/printk/printk_ringbuffer.h)."""
    info = memory.info
    ring = memory.word(info.symbol("prb"))
    memory.read(ring, info.size("printk_ringbuffer"))
    descs = ring + info.offset("printk_ringbuffer.desc_ring")
    text = ring + info.offset("printk_ringbuffer.text_data_ring")
    count = 1 << memory.word(descs + info.offset("prb_desc_ring.count_bits")) % 2**32
    for name, of in (("descs", "prb_desc"), ("infos", "printk_info")):
        memory.read(memory.word(descs + info.offset("prb_desc_ring." + name)),
                    count * info.size(of))
    memory.read(memory.word(text + info.offset("prb_data_ring.data")),
                1 << memory.word(text + info.offset("prb_data_ring.size_bits")) % 2**32)


def keep_nodes(memory):
    info = memory.info
    memory.read(info.symbol("init_uts_ns"), 512)
    memory.read(info.symbol("_stext"), 64)
    memory.read(info.symbol("node_online_map"), info.size("nodemask_t"))
    node = memory.word(info.symbol("node_data"))  # one node
    memory.read(node, info.size("pglist_data"))


def struct_pages(memory):
    """(pfn, vaddr) of the first struct page of each section, and how many pages it has."""
    info = memory.info
    section_pages = 1 << info.number("NUMBER", "SECTION_SIZE_BITS") >> 12
    per_root = PAGE // info.size("mem_section")
    roots = info.symbol("mem_section")  # the pointer's value, for it is of an array
    last = memory.core.pfns(in_memory=True)[-1]
    for number in range(last // section_pages + 1):
        root = memory.word(roots + number // per_root * 8)
        if not root:
            continue
        coded = memory.word(root + number % per_root * info.size("mem_section") +
                            info.offset("mem_section.section_mem_map"))
        # SECTION_MARKED_PRESENT, SECTION_HAS_MEM_MAP; the address is less the first pfn's.
        if coded & 3 == 3:
            first = number * section_pages
            yield first, (coded & ~0x3f) + first * info.size("page"), section_pages


def head_offset(info):
    """Of the word that tells a tail page; compound_info since kernel 7.1."""
    return int(info.lines.get("OFFSET(page.compound_head)") or
               info.lines["OFFSET(page.compound_info)"])


def tail_pfns(memory):
    """The pages whose struct page is a tail of a compound page, ascending."""
    size, at = memory.info.size("page"), head_offset(memory.info)
    pfns = []
    for first, vaddr, number in struct_pages(memory):
        for i in range(0, number, PAGE // size):
            try:
                paddr, _ = memory.translate(vaddr + i * size)
            except ValueError:
                continue
            page = memory.core.page(paddr // PAGE)
            pfns += [first + i + j for j in range(PAGE // size) if page[j * size + at] & 1]
    return pfns


def plain_struct_page(info, page):
    """A struct page with only what tells of its use; the tail pages' words stay."""
    if page[head_offset(info)] & 1 or not any(page):
        return page
    out = bytearray(len(page))
    for name, size in (("flags", 8), ("_refcount", 4), ("_mapcount", 4), ("private", 8)):
        at = info.offset("page." + name)
        out[at:at + size] = page[at:at + size]
    at = info.offset("page.mapping")
    mapping = struct.unpack_from("<Q", page, at)[0]
    struct.pack_into("<Q", out, at, mapping and (mapping & 7 | 1 << 63))
    return bytes(out)


def map_of_pages(memory):
    """The contents of the pages that hold the struct pages: {pfn: bytes}."""
    info, contents = memory.info, {}
    size = info.size("page")
    for _, vaddr, number in struct_pages(memory):
        for at in range(vaddr, vaddr + number * size, PAGE):
            try:
                paddr, _ = memory.translate(at)
            except ValueError:
                continue  # a hole of the section without a map
            page = memory.core.page(paddr // PAGE)
            contents[paddr // PAGE] = b"".join(
                plain_struct_page(info, page[i:i + size]) for i in range(0, PAGE, size))
    return contents


def made_page(pfn):
    """Contents that no other page has."""
    page = bytearray(PAGE)
    struct.pack_into("<QQ", page, pfn * 16 % PAGE, pfn | 1 << 63, pfn)
    return bytes(page)


def reduce(raw, out):
    memory = Memory(raw)
    memory.keep_tables()
    keep_nodes(memory)
    keep_log(memory)
    contents = map_of_pages(memory)
    pfns = memory.core.pfns()
    states, kept = bytearray(), []
    for pfn in pfns:
        page = contents.get(pfn) or memory.core.page(pfn)
        states.append(ZERO if not any(page) else
                      KEPT if pfn in contents or pfn in memory.kept else MADE)
        if states[-1] == KEPT:
            kept.append(page)
    head_size = min(offset for _, offset, _, _ in memory.core.loads)
    memory.core.file.seek(0)
    head = memory.core.file.read(head_size)
    line = {"release": memory.info.lines["OSRELEASE"], "head": head_size,
            "size": os.path.getsize(raw), "pages": len(pfns), "kept": len(kept)}
    body = json.dumps(line).encode() + b"\n" + head + states + b"".join(kept)
    with open(out + ".new", "wb") as f:
        f.write(lzma.compress(body, preset=9 | lzma.PRESET_EXTREME))
    os.rename(out + ".new", out)
    return line


def expand(reduced, out):
    """Writes the ELF core that a reduced file stands for; sparse. Returns its first line."""
    with lzma.open(reduced) as f:
        body = f.read()
    end = body.index(b"\n") + 1
    line = json.loads(body[:end])
    head = body[end:end + line["head"]]
    states_at = end + line["head"]
    kept_at = states_at + line["pages"]
    with open(out, "wb") as f:
        f.write(head)
        f.truncate(line["size"])
    core = kdump_format.ElfCore(out)
    pages = {}
    for pfn, state in zip(core.pfns(), body[states_at:kept_at]):
        if state == KEPT:
            pages[pfn] = body[kept_at:kept_at + PAGE]
            kept_at += PAGE
        elif state == MADE:
            pages[pfn] = made_page(pfn)
    with open(out, "r+b") as f:
        for start, offset, filesz, _ in core.loads:
            for pfn in range(start // PAGE, (start + filesz - 1) // PAGE + 1):
                if pfn in pages:
                    first = max(start, pfn * PAGE)
                    last = min(start + filesz, (pfn + 1) * PAGE)
                    f.seek(offset + first - start)
                    f.write(pages[pfn][first - pfn * PAGE:last - pfn * PAGE])
    core.close()
    return line


def main(args):
    if len(args) == 3 and args[0] == "--expand":
        print(expand(args[1], args[2]))
    elif args == ["--all"]:
        for name in cores.REDUCED:
            out = os.path.join(DATA, name + ".core.xz")
            print(name, reduce(cores.small_core(name), out), os.path.getsize(out), flush=True)
    elif len(args) == 2:
        print(reduce(args[0], args[1]), os.path.getsize(args[1]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
