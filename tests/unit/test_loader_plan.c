// SPDX-License-Identifier: GPL-2.0-or-later
/* Loads planned on machines written down as text, and judged from what the new kernel gets. */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>

#include "arch/x86/purgatory.h"
#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/sha256.h"
#include "lib/util.h"
#include "loader/kexec_load.h"
#include "tests/unit/test.h"
#include "tests/unit/x86_builder.h"

#define CODE_LEN  (1 << 20)
#define INIT_SIZE (40 << 20)
#define XLF_ALL	  (BZIMAGE_KERNEL_64 | BZIMAGE_ABOVE_4G | BZIMAGE_5LEVEL)

/* struct fixture - A machine, an image and what was planned of them. */
struct fixture {
	struct machine m;
	struct kexec_request req;
	struct kexec_plan plan;
	uint8_t image[X86_BUILDER_SETUP + CODE_LEN];
	uint8_t initrd[300000];
	char why[WHY_SIZE];
};

static int fixture_init(struct fixture *f, const char *iomem)
{
	memset(f, 0, sizeof(*f));
	memset(f->initrd, 0x5a, sizeof(f->initrd));
	f->req = (struct kexec_request){
		.crash = true,
		.kernel = f->image,
		.kernel_len = x86_bzimage(f->image, CODE_LEN, INIT_SIZE, XLF_ALL),
		.initrd = f->initrd,
		.initrd_len = sizeof(f->initrd),
		.cmdline = "nr_cpus=1 reset_devices",
	};
	return x86_machine(&f->m, iomem);
}

static void fixture_free(struct fixture **f)
{
	if (!*f)
		return;
	kexec_plan_free(&(*f)->plan);
	machine_free(&(*f)->m);
	free(*f);
}

#define FIXTURE(name, iomem)                                                                       \
	__cleanup(fixture_free) struct fixture *name = malloc(sizeof(*name));                      \
	CHECK(name && !fixture_init(name, iomem))

static int plan(struct fixture *f)
{
	return kexec_plan_x86(&f->req, &f->m, &f->plan, f->why);
}

static const struct kexec_plan_segment *segment(const struct fixture *f, const char *name)
{
	for (unsigned i = 0; i < f->plan.nr_segments; i++)
		if (streq(f->plan.segments[i].name, name))
			return &f->plan.segments[i];
	return NULL;
}

/* What the kernel checks of segments, and that they lie in [min, max). */
static void check_segments(const struct fixture *f, uint64_t min, uint64_t max)
{
	for (unsigned i = 0; i < f->plan.nr_segments; i++) {
		const struct kexec_plan_segment *a = &f->plan.segments[i];

		CHECK_EQ(a->addr % PLACE_PAGE, 0);
		CHECK_EQ(a->mem_len % PLACE_PAGE, 0);
		CHECK(a->len <= a->mem_len && a->mem_len);
		CHECK(a->addr >= min && a->addr + a->mem_len <= max);
		for (unsigned j = 0; j < i; j++) {
			const struct kexec_plan_segment *b = &f->plan.segments[j];

			CHECK(a->addr + a->mem_len <= b->addr || b->addr + b->mem_len <= a->addr);
		}
	}
}

/* The purgatory's parameters, and that their digest is that of the regions' contents. */
static void check_purgatory(const struct fixture *f, unsigned nr_regions)
{
	const struct kexec_plan_segment *seg = segment(f, "purgatory");
	uint8_t digest[SHA256_DIGEST_BYTES];
	struct purgatory_params p;
	struct sha256 sha;

	CHECK(seg);
	memcpy(&p, seg->data, sizeof(p));
	CHECK_EQ(p.nr_regions, nr_regions);
	CHECK_EQ(f->plan.entry, seg->addr + p.entry);
	CHECK(seg->mem_len >= p.memory_size);
	sha256_init(&sha);
	for (unsigned i = 0; i < p.nr_regions; i++) {
		const struct kexec_plan_segment *s = f->plan.segments;

		while (s->addr != p.regions[i].start)
			s++;
		CHECK_EQ(s->len, p.regions[i].len);
		sha256_update(&sha, s->data, s->len);
	}
	sha256_final(&sha, digest);
	CHECK(!memcmp(digest, p.digest, sizeof(digest)));
	CHECK_EQ(p.boot_params, segment(f, "boot_params")->addr);
}

/* Whether the e820 map in the zero page has @addr as @type. */
static bool e820_has(const struct fixture *f, uint64_t addr, uint32_t type)
{
	const uint8_t *zero = segment(f, "boot_params")->data;

	for (unsigned i = 0; i < zero[0x1e8]; i++) {
		const uint8_t *e = zero + 0x2d0 + 20 * i;

		if (addr >= get_le64(e) && addr - get_le64(e) < get_le64(e + 8))
			return get_le32(e + 16) == type;
	}
	return type == 0;
}

TEST(kexec_plan, crash_bios)
{
	FIXTURE(f, x86_iomem_bios);
	const struct kexec_plan_segment *kernel, *zero, *backup, *core;

	CHECK_EQ(plan(f), 0);
	CHECK_EQ(f->plan.nr_segments, 6);
	check_segments(f, 0x37000000, 0x3f000000);
	check_purgatory(f, 4);
	kernel = segment(f, "kernel");
	zero = segment(f, "boot_params");
	backup = segment(f, "backup");
	core = segment(f, "elfcorehdr");
	CHECK_EQ(kernel->addr, 0x37000000);
	CHECK_EQ(kernel->mem_len, INIT_SIZE);
	CHECK(!memcmp(kernel->data, f->image + X86_BUILDER_SETUP, kernel->len));
	CHECK_EQ(backup->mem_len, 0x9f000);

	CHECK_EQ(get_le32(zero->data + 0x218), segment(f, "initrd")->addr);
	CHECK_EQ(get_le32(zero->data + 0x21c), sizeof(f->initrd));
	CHECK_EQ(get_le32(zero->data + 0x228), zero->addr + 4096);
	CHECK_EQ(get_le32(zero->data + 0x214), kernel->addr);
	CHECK_EQ(zero->data[0x210], 0xd0);
	CHECK_EQ(get_le64(zero->data + 0x70), 0xf5a40);
	CHECK_STR((const char *)zero->data + 4096, "elfcorehdr=0x3ef60000 nr_cpus=1 reset_devices");
	CHECK_EQ(core->addr, 0x3ef60000);

	CHECK(e820_has(f, 0x1000, 1));
	CHECK(e820_has(f, 0x9fbff, 1));
	CHECK(e820_has(f, 0x9fc00, 2));
	CHECK(e820_has(f, 0x100000, 0));
	CHECK(e820_has(f, 0x36ffffff, 0));
	CHECK(e820_has(f, 0x37000000, 1));
	CHECK(e820_has(f, core->addr - 1, 1));
	CHECK(e820_has(f, core->addr, 0));
	CHECK(e820_has(f, backup->addr, 0));
	CHECK(e820_has(f, backup->addr + backup->mem_len - 1, 0));
	CHECK(e820_has(f, 0x3ffdf000, 2));
	CHECK(e820_has(f, 0xb0000000, 2));
}

/* struct load - A PT_LOAD as the tests name it. */
struct load {
	uint64_t offset, vaddr, paddr, len;
};

static void check_loads(const struct fixture *f, const struct load *want, size_t nr)
{
	const uint8_t *core = segment(f, "elfcorehdr")->data;
	const Elf64_Ehdr *ehdr = (const void *)core;
	const Elf64_Phdr *phdr = (const void *)(core + sizeof(*ehdr));
	size_t n = 0;

	CHECK(!memcmp(core, ELFMAG "\2\1\1", 7));
	CHECK_EQ(ehdr->e_type, ET_CORE);
	CHECK_EQ(ehdr->e_phoff, sizeof(*ehdr));
	CHECK_EQ(ehdr->e_phnum, nr + f->m.nr_notes);
	for (size_t i = 0; i < f->m.nr_notes; i++, phdr++) {
		CHECK_EQ(phdr->p_type, PT_NOTE);
		CHECK_EQ(phdr->p_offset, f->m.notes[i].paddr);
		CHECK_EQ(phdr->p_filesz, f->m.notes[i].len);
	}
	for (; n < nr; n++, phdr++) {
		CHECK_EQ(phdr->p_type, PT_LOAD);
		CHECK_EQ(phdr->p_offset, want[n].offset);
		CHECK_EQ(phdr->p_vaddr, want[n].vaddr);
		CHECK_EQ(phdr->p_paddr, want[n].paddr);
		CHECK_EQ(phdr->p_filesz, want[n].len);
		CHECK_EQ(phdr->p_memsz, want[n].len);
	}
}

TEST(kexec_plan, elfcorehdr_bios)
{
	FIXTURE(f, x86_iomem_bios);
	uint64_t base = 0xff11000000000000, backup;

	CHECK_EQ(plan(f), 0);
	backup = segment(f, "backup")->addr;
	check_loads(f,
		    (struct load[]){
			    { 0x0f200000, 0xffffffff9f200000, 0x0f200000, 0x2600000 },
			    { backup, base + 0x1000, 0x1000, 0x9ec00 },
			    { 0x100000, base + 0x100000, 0x100000, 0x36f00000 },
			    { 0x3f000000, base + 0x3f000000, 0x3f000000, 0xfdf000 },
		    },
		    4);
}

/* Two reservations: all goes into the upper one, the lower stays for DMA, neither is saved. */
TEST(kexec_plan, high_and_low)
{
	FIXTURE(f, x86_iomem_high);
	uint64_t base = 0xff11000000000000, backup;

	CHECK_EQ(plan(f), 0);
	check_segments(f, 0x1e0000000, 0x1ec000000);
	CHECK(e820_has(f, 0x6a000000, 1));
	CHECK(e820_has(f, 0x79ffffff, 1));
	CHECK(e820_has(f, 0x7eb6d000, 3));
	CHECK(e820_has(f, 0x800000, 4));
	CHECK(e820_has(f, 0x208000000, 7));
	backup = segment(f, "backup")->addr;
	check_loads(f,
		    (struct load[]){
			    { 0x0f200000, 0xffffffff9f200000, 0x0f200000, 0x2600000 },
			    { backup, base + 0x1000, 0x1000, 0x9f000 },
			    { 0x100000, base + 0x100000, 0x100000, 0x700000 },
			    { 0x808000, base + 0x808000, 0x808000, 0x3000 },
			    { 0x810000, base + 0x810000, 0x810000, 0x697f0000 },
			    { 0x7a000000, base + 0x7a000000, 0x7a000000, 0x48ed000 },
			    { 0x7ebff000, base + 0x7ebff000, 0x7ebff000, 0x401000 },
			    { 0x100000000, base + 0x100000000, 0x100000000, 0xe0000000 },
			    { 0x1ec000000, base + 0x1ec000000, 0x1ec000000, 0x1c000000 },
		    },
		    9);
}

/* A kernel that is entered in 32 bits can be in the lower one only. */
TEST(kexec_plan, entry_32_goes_low)
{
	static const struct {
		unsigned flags;
		uint16_t xloadflags;
		bool la57, low;
	} cases[] = {
		{ 0, XLF_ALL, true, false },
		{ KEXEC_LOAD_ENTRY_32, XLF_ALL, false, true },
		{ 0, BZIMAGE_KERNEL_64 | BZIMAGE_ABOVE_4G, false, false },
		{ 0, BZIMAGE_KERNEL_64 | BZIMAGE_ABOVE_4G, true, true },
		{ 0, BZIMAGE_KERNEL_64, false, true },
		{ 0, 0, false, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		FIXTURE(f, x86_iomem_high);
		const struct purgatory_params *p;
		bool entry_32 = cases[i].low && (cases[i].flags || cases[i].la57 ||
						 !(cases[i].xloadflags & BZIMAGE_KERNEL_64));

		x86_bzimage(f->image, CODE_LEN, INIT_SIZE, cases[i].xloadflags);
		f->req.flags = cases[i].flags;
		f->m.la57 = cases[i].la57;
		CHECK_EQ(plan(f), 0);
		check_segments(f, cases[i].low ? 0x6a000000 : 0x1e0000000,
			       cases[i].low ? 0x7a000000 : 0x1ec000000);
		p = (const void *)segment(f, "purgatory")->data;
		CHECK_EQ(p->flags, entry_32 ? PURGATORY_ENTRY_32 : 0);
		CHECK_EQ(p->kernel, segment(f, "kernel")->addr + (entry_32 ? 0 : 0x200));
	}
}

TEST(kexec_plan, pae)
{
	FIXTURE(f, x86_iomem_686);
	const struct kexec_plan_segment *core;

	x86_bzimage(f->image, CODE_LEN, INIT_SIZE, 0);
	f->m.bits = 32;
	f->m.text_len = 0;
	f->m.page_offset = 0xc0000000;
	f->m.lowmem_end = 0x18000000;
	CHECK_EQ(plan(f), 0);
	check_segments(f, 0x14000000, 0x1c000000);
	check_purgatory(f, 4);
	core = segment(f, "elfcorehdr");
	CHECK(!memcmp(core->data, ELFMAG "\1\1\1", 7));
	CHECK_EQ(get_le16(core->data + 18), EM_386);
	CHECK_EQ(get_le16(core->data + 44), f->m.nr_notes + 3);
	/* The last one is memory that this kernel does not map. */
	CHECK_EQ(get_le32(core->data + 52 + 5 * 32 + 8), 0xffffffff);
	CHECK_EQ(get_le32(core->data + 52 + 4 * 32 + 8), 0xc0100000);
}

/* Addresses end where the kernel's mapping does, in the middle of a range of memory, too. */
TEST(kexec_plan, pae_lowmem_end)
{
	FIXTURE(f, x86_iomem_686);
	const uint8_t *phdrs;

	x86_bzimage(f->image, CODE_LEN, INIT_SIZE, 0);
	f->m.bits = 32;
	f->m.text_len = 0;
	f->m.page_offset = 0xc0000000;
	f->m.lowmem_end = 0x1000000;
	CHECK_EQ(plan(f), 0);
	CHECK_EQ(get_le16(segment(f, "elfcorehdr")->data + 44), f->m.nr_notes + 4);
	phdrs = segment(f, "elfcorehdr")->data + 52 + 4 * 32;
	CHECK_EQ(get_le32(phdrs + 4), 0x100000);
	CHECK_EQ(get_le32(phdrs + 8), 0xc0100000);
	CHECK_EQ(get_le32(phdrs + 16), 0xf00000);
	CHECK_EQ(get_le32(phdrs + 32 + 4), 0x1000000);
	CHECK_EQ(get_le32(phdrs + 32 + 8), 0xffffffff);
}

TEST(kexec_plan, a_64_bit_kernel_from_32_bits)
{
	static const struct {
		bool crash, long_mode;
		const char *why;
	} cases[] = {
		{ true, true, "cannot read the memory of a 32-bit one" },
		{ true, false, "cannot read the memory of a 32-bit one" },
		{ false, false, "the processor runs 32-bit ones only" },
		{ false, true, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		FIXTURE(f, x86_iomem_686);

		f->m.bits = 32;
		f->m.text_len = 0;
		f->m.long_mode = cases[i].long_mode;
		f->req.crash = cases[i].crash;
		CHECK_EQ(plan(f), cases[i].why ? -ENOEXEC : 0);
		if (cases[i].why)
			CHECK(strstr(f->why, cases[i].why));
	}
}

TEST(kexec_plan, reboot)
{
	FIXTURE(f, x86_iomem_high);

	f->req.crash = false;
	CHECK_EQ(iomem_add(&f->m.firmware, 0, 0xa0000, IOMEM_RAM), 0);
	CHECK_EQ(iomem_add(&f->m.firmware, 0x100000, 0x7e8ed000, IOMEM_RAM), 0);
	CHECK_EQ(plan(f), 0);
	CHECK_EQ(f->plan.nr_segments, 4);
	check_segments(f, 0x1000000, 0x100000000);
	check_purgatory(f, 3);
	CHECK_EQ(segment(f, "kernel")->addr, 0x1000000);
	CHECK_STR((const char *)segment(f, "boot_params")->data + 4096, f->req.cmdline);
	CHECK(e820_has(f, 0x6a000000, 1));
	CHECK(e820_has(f, 0x7eb6d000, 0));
	/* Nothing lies in a reservation, which may hold a capture kernel. */
	for (unsigned i = 0; i < f->plan.nr_segments; i++)
		CHECK(f->plan.segments[i].addr + f->plan.segments[i].mem_len <= 0x6a000000 ||
		      f->plan.segments[i].addr >= 0x7a000000);
}

TEST(kexec_plan, limits)
{
	FIXTURE(f, x86_iomem_high);

	f->req.mem_min = 0x6c000000;
	f->req.mem_max = 0x78000000;
	CHECK_EQ(plan(f), 0);
	check_segments(f, 0x6c000000, 0x78000000);
}

TEST(kexec_plan, hotplug)
{
	FIXTURE(f, x86_iomem_bios);

	f->req.flags = KEXEC_LOAD_HOTPLUG;
	f->m.elfcorehdr_size = 123456;
	CHECK_EQ(plan(f), 0);
	check_purgatory(f, 3);
	CHECK_EQ(segment(f, "elfcorehdr")->mem_len, ROUND_UP(123456, 4096));
}

TEST(kexec_plan, efi)
{
	struct boot_efi_range map[2] = {
		{ 0x7e8ed000, 0xfffffffeffced000, 16, 0x800000000000000f, 5 },
		{ 0xffc00000, 0xfffffffeff000000, 1024, 0x8000000000000001, 11 },
	};
	FIXTURE(f, x86_iomem_high);
	const struct kexec_plan_segment *zero;
	const uint8_t *data;

	memcpy(f->m.boot_params + 0x1c0, "EL64", 4);
	put_le32(f->m.boot_params + 0x1c4, 0x7e9ec018);
	put_le32(f->m.boot_params + 0x1c8, 48);
	put_le32(f->m.boot_params + 0x1cc, 1);
	f->m.efi = (struct boot_efi){ map, 2, 0x1111, 0x2222, 0x3333 };
	CHECK_EQ(plan(f), 0);
	f->m.efi.map = NULL;
	zero = segment(f, "boot_params");
	CHECK(!memcmp(zero->data + 0x1c0, "EL64", 4));
	CHECK_EQ(get_le32(zero->data + 0x1c4), 0x7e9ec018);
	CHECK_EQ(get_le32(zero->data + 0x1d4), 2 * 48);
	data = zero->data + (get_le32(zero->data + 0x1d0) +
			     ((uint64_t)get_le32(zero->data + 0x1dc) << 32) - zero->addr);
	CHECK_EQ(get_le32(data), 5);
	CHECK_EQ(get_le64(data + 48 + 8), 0xffc00000);
	CHECK_EQ(get_le64(data + 48 + 16), (int64_t)0xfffffffeff000000);
	data = zero->data + (get_le64(zero->data + 0x250) - zero->addr);
	CHECK_EQ(get_le32(data + 8), 4);
	CHECK_EQ(get_le64(data + 16), 0x1111);
	CHECK_EQ(get_le64(data + 32), 0x2222);
	CHECK_EQ(get_le64(data + 40), 0x3333);

	kexec_plan_free(&f->plan);
	f->m.efi.map = map;
	f->req.flags = KEXEC_LOAD_NO_EFI;
	CHECK_EQ(plan(f), 0);
	f->m.efi.map = NULL;
	CHECK_EQ(get_le32(segment(f, "boot_params")->data + 0x1c0), 0);
}

/* More ranges than the zero page holds go on in a setup_data. */
TEST(kexec_plan, e820_ext)
{
	FIXTURE(f, x86_iomem_bios);
	const struct kexec_plan_segment *zero;
	const uint8_t *ext;

	for (uint64_t i = 0; i < 200; i++)
		CHECK_EQ(iomem_add(&f->m.iomem, 0x4000000000 + i * 0x10000,
				   0x4000001000 + i * 0x10000, IOMEM_RESERVED),
			 0);
	CHECK_EQ(plan(f), 0);
	zero = segment(f, "boot_params");
	CHECK_EQ(zero->data[0x1e8], 128);
	ext = zero->data + (get_le64(zero->data + 0x250) - zero->addr);
	CHECK_EQ(get_le32(ext + 8), 1);
	CHECK_EQ(get_le32(ext + 12) % 20, 0);
	CHECK_EQ(get_le64(ext + 16 + get_le32(ext + 12) - 20), 0x4000000000 + 199 * 0x10000);
}

TEST(kexec_plan, refused)
{
	static const struct {
		const char *iomem;
		uint32_t init_size;
		uint64_t mem_max;
		int err;
		const char *says;
	} cases[] = {
		{ "00001000-0009fbff : System RAM\n", INIT_SIZE, 0, -EADDRNOTAVAIL,
		  "crashkernel=" },
		{ x86_iomem_bios, 200 << 20, 0, -EADDRNOTAVAIL, "128 MiB" },
		{ x86_iomem_high, 200 << 20, 0, 0, "" },
		{ x86_iomem_high, 300 << 20, 0, -EADDRNOTAVAIL, "192 MiB" },
		{ x86_iomem_bios, INIT_SIZE, 0x38000000, -EADDRNOTAVAIL, "0x38000000" },
		/* The kernel fits, the rest does not. */
		{ x86_iomem_bios, 128 << 20, 0, -EADDRNOTAVAIL, "the backup" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		FIXTURE(f, cases[i].iomem);

		x86_bzimage(f->image, CODE_LEN, cases[i].init_size, XLF_ALL);
		f->req.mem_max = cases[i].mem_max;
		CHECK_EQ(plan(f), cases[i].err);
		CHECK(strstr(f->why, cases[i].says));
	}
}

TEST(kexec_plan, cmdline_too_long)
{
	FIXTURE(f, x86_iomem_bios);
	char cmdline[2100];

	memset(cmdline, 'a', sizeof(cmdline));
	cmdline[2047 - strlen("elfcorehdr=0x3ef60000 ")] = '\0';
	f->req.cmdline = cmdline;
	CHECK_EQ(plan(f), 0);
	kexec_plan_free(&f->plan);
	cmdline[strlen(cmdline)] = 'a';
	cmdline[2048] = '\0';
	CHECK_EQ(plan(f), -E2BIG);
	CHECK(strstr(f->why, "2047"));
}

TEST(kexec_plan, damaged_image)
{
	FIXTURE(f, x86_iomem_bios);

	f->req.kernel_len--;
	CHECK_EQ(plan(f), -EBADMSG);
	f->req.kernel_len = 0x263;
	CHECK_EQ(plan(f), -ENOEXEC);
	f->req.kernel_len = X86_BUILDER_SETUP + CODE_LEN;
	put_le32(f->image + 0x230, 0x300000); /* no power of two */
	CHECK_EQ(plan(f), -EBADMSG);
}

/* ---- a vmlinux ---- */

/* Two PT_LOADs at 16 MiB, the second with .bss. Return: its length. */
static size_t vmlinux(uint8_t *out)
{
	static const uint8_t ident[] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
	static const struct {
		uint64_t offset, vaddr, paddr, filesz, memsz;
	} loads[] = {
		{ 0x200, 0xffffffff81000000, 0x1000000, 0x3000, 0x3000 },
		{ 0x3200, 0xffffffff81400000, 0x1400000, 0x100, 0x20000 },
	};

	memset(out, 0, 0x4000);
	memcpy(out, ident, sizeof(ident));
	put_le16(out + offsetof(Elf64_Ehdr, e_type), ET_EXEC);
	put_le16(out + offsetof(Elf64_Ehdr, e_machine), EM_X86_64);
	put_le64(out + offsetof(Elf64_Ehdr, e_entry), 0x1000040);
	put_le64(out + offsetof(Elf64_Ehdr, e_phoff), 64);
	put_le16(out + offsetof(Elf64_Ehdr, e_phentsize), 56);
	put_le16(out + offsetof(Elf64_Ehdr, e_phnum), 2);
	for (size_t i = 0; i < 2; i++) {
		uint8_t *p = out + 64 + 56 * i;

		put_le32(p, PT_LOAD);
		put_le64(p + 8, loads[i].offset);
		put_le64(p + 16, loads[i].vaddr);
		put_le64(p + 24, loads[i].paddr);
		put_le64(p + 32, loads[i].filesz);
		put_le64(p + 40, loads[i].memsz);
		put_le64(p + 48, 0x200000);
		memset(out + loads[i].offset, 0x11 * (i + 1), loads[i].filesz);
	}
	return 0x4000;
}

TEST(kexec_plan, vmlinux)
{
	FIXTURE(f, x86_iomem_bios);
	const struct kexec_plan_segment *kernel;
	const struct purgatory_params *p;

	f->req.kernel_len = vmlinux(f->image);
	CHECK_EQ(plan(f), 0);
	check_segments(f, 0x37000000, 0x3f000000);
	check_purgatory(f, 4);
	kernel = segment(f, "kernel");
	p = (const void *)segment(f, "purgatory")->data;
	CHECK_EQ(kernel->addr, 0x37000000);
	CHECK_EQ(kernel->mem_len, 0x420000);
	CHECK_EQ(kernel->len, 0x400100);
	CHECK_EQ(kernel->data[0x2fff], 0x11);
	CHECK_EQ(kernel->data[0x3000], 0);
	CHECK_EQ(kernel->data[0x400000], 0x22);
	CHECK_EQ(p->kernel, 0x37000040);
	CHECK(!memcmp(segment(f, "boot_params")->data + 0x202, "HdrS", 4));
}

TEST(kexec_plan, vmlinux_refused)
{
	static const struct {
		size_t at;
		unsigned size;
		uint64_t value;
		int err;
	} cases[] = {
		{ offsetof(Elf64_Ehdr, e_machine), 2, EM_AARCH64, -ENOEXEC },
		{ offsetof(Elf64_Ehdr, e_type), 2, ET_CORE, -ENOEXEC },
		{ offsetof(Elf64_Ehdr, e_entry), 8, 0x2000000, -EBADMSG },
		{ offsetof(Elf64_Ehdr, e_phoff), 8, UINT64_MAX - 63, -EBADMSG },
		{ offsetof(Elf64_Ehdr, e_phnum), 2, 0xffff, -EBADMSG },
		{ offsetof(Elf64_Ehdr, e_phnum), 2, 0, -EBADMSG },
		{ 64 + 8, 8, 0x3000, -EBADMSG }, /* contents beyond the file */
		{ 64 + 8, 8, UINT64_MAX, -EBADMSG },
		{ 64 + 24, 8, 0xffffffff81000000, -EBADMSG }, /* far from the other */
		{ 64 + 40, 8, 0x100, -EBADMSG },	      /* less memory than contents */
		{ 64 + 40, 8, 1ULL << 62, -EBADMSG },
		/* Alignment that its address does not have: it must run there, and cannot. */
		{ 64 + 48, 8, 0x10000000, -EADDRNOTAVAIL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		FIXTURE(f, x86_iomem_bios);

		f->req.kernel_len = vmlinux(f->image);
		if (cases[i].size == 2)
			put_le16(f->image + cases[i].at, cases[i].value);
		else
			put_le64(f->image + cases[i].at, cases[i].value);
		CHECK_EQ(plan(f), cases[i].err);
		CHECK(strlen(f->why) > 20);
	}
}
