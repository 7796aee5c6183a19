// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/x86_builder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"

const char x86_iomem_bios[] = "00000000-00000fff : Reserved\n"
			      "00001000-0009fbff : System RAM\n"
			      "0009fc00-0009ffff : Reserved\n"
			      "000a0000-000bffff : PCI Bus 0000:00\n"
			      "000f0000-000fffff : Reserved\n"
			      "  000f0000-000fffff : System ROM\n"
			      "00100000-3ffdefff : System RAM\n"
			      "  0f200000-100025c7 : Kernel code\n"
			      "  10200000-109b7fff : Kernel rodata\n"
			      "  10a00000-10dfe67f : Kernel data\n"
			      "  112a6000-117fffff : Kernel bss\n"
			      "  37000000-3effffff : Crash kernel\n"
			      "3ffdf000-3fffffff : Reserved\n"
			      "b0000000-bfffffff : PCI MMCONFIG 0000 [bus 00-ff]\n"
			      "  b0000000-bfffffff : Reserved\n"
			      "    b0000000-bfffffff : pnp 00:04\n"
			      "fec00000-fec003ff : IOAPIC 0\n";

const char x86_iomem_high[] = "00000000-00000fff : Reserved\n"
			      "00001000-0009ffff : System RAM\n"
			      "000a0000-000fffff : Reserved\n"
			      "00100000-007fffff : System RAM\n"
			      "00800000-00807fff : ACPI Non-volatile Storage\n"
			      "00808000-0080afff : System RAM\n"
			      "00810000-7e8ecfff : System RAM\n"
			      "  6a000000-79ffffff : Crash kernel\n"
			      "7e8ed000-7eb6cfff : Reserved\n"
			      "7eb6d000-7eb7efff : ACPI Tables\n"
			      "7eb7f000-7ebfefff : ACPI Non-volatile Storage\n"
			      "7ebff000-7effffff : System RAM\n"
			      "100000000-1ffffffff : System RAM\n"
			      "  12fe00000-130e00eff : Kernel code\n"
			      "  1e0000000-1ebffffff : Crash kernel\n"
			      "200000000-20fffffff : Persistent Memory\n"
			      "  200000000-207ffffff : dax0.0\n"
			      "    200000000-207ffffff : System RAM (kmem)\n";

const char x86_iomem_686[] = "00000000-00000fff : Reserved\n"
			     "00001000-0009fbff : System RAM\n"
			     "0009fc00-0009ffff : Reserved\n"
			     "000f0000-000fffff : Reserved\n"
			     "00100000-1ffdffff : System RAM\n"
			     "  0d000000-0d9fffff : Kernel code\n"
			     "  14000000-1bffffff : Crash kernel\n"
			     "1ffe0000-1fffffff : Reserved\n";

size_t x86_bzimage(uint8_t *out, size_t code_len, uint32_t init_size, uint16_t xloadflags)
{
	memset(out, 0, X86_BUILDER_SETUP);
	out[0x1f1] = 1;
	put_le32(out + 0x1f4, code_len / 16);
	put_le16(out + 0x1fe, 0xaa55);
	out[0x200] = 0xeb;
	out[0x201] = 0x6a; /* the header ends at 0x26c */
	memcpy(out + 0x202, "HdrS", 4);
	put_le16(out + 0x206, 0x020f);
	out[0x211] = 1;
	put_le32(out + 0x22c, 0x7fffffff);
	put_le32(out + 0x230, 0x200000);
	out[0x234] = 1;
	put_le16(out + 0x236, xloadflags);
	put_le32(out + 0x238, 2047);
	put_le64(out + 0x258, 0x1000000);
	put_le32(out + 0x260, init_size);
	for (size_t i = 0; i < code_len; i++)
		out[X86_BUILDER_SETUP + i] = i * 7 + i / 251;
	return X86_BUILDER_SETUP + code_len;
}

int x86_machine(struct machine *m, const char *iomem)
{
	*m = (struct machine){
		.bits = 64,
		.text_vaddr = 0xffffffff9f200000,
		.text_paddr = 0x0f200000,
		.text_len = 0x2600000,
		.page_offset = 0xff11000000000000,
		.lowmem_end = UINT64_MAX,
		.has_boot_params = true,
		.rsdp = 0xf5a40,
		.nr_notes = 3,
	};
	m->notes = calloc(m->nr_notes, sizeof(*m->notes));
	if (!m->notes)
		return -ENOMEM;
	m->notes[0] = (struct elfcorehdr_note){ 0x3fa2e800, 352 };
	m->notes[1] = (struct elfcorehdr_note){ 0x3fa6e800, 352 };
	m->notes[2] = (struct elfcorehdr_note){ 0x3f2a000, 4096 };
	return iomem_parse(iomem, &m->iomem);
}
