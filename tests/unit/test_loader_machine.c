// SPDX-License-Identifier: GPL-2.0-or-later
/* What is read of a machine, from a directory that stands for its root. */
#include <elf.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "arch/x86/purgatory.h"
#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/util.h"
#include "loader/machine.h"
#include "loader/place.h"
#include "tests/unit/test.h"
#include "tests/unit/x86_builder.h"

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void remove_root(char (*root)[32])
{
	nftw(*root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

#define ROOT(name)                                                                                 \
	__cleanup(remove_root) char name[32] = "/tmp/vmcore-test-XXXXXX";                          \
	CHECK(mkdtemp(name))

/* Writes a file below @root with the folders that it needs. */
static void put_data(const char *root, const char *path, const void *data, size_t len)
{
	char full[256];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *at = full + strlen(root) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(full, 0700);
		*at = '/';
	}
	f = fopen(full, "w");
	CHECK(f);
	CHECK_EQ(fwrite(data, 1, len, f), len);
	fclose(f);
}

static void put_text(const char *root, const char *path, const char *text)
{
	put_data(root, path, text, strlen(text));
}

static void put_notes(const char *root)
{
	put_text(root, "/sys/devices/system/cpu/cpu0/crash_notes", "3fa2e800\n");
	put_text(root, "/sys/devices/system/cpu/cpu0/crash_notes_size", "352\n");
	put_text(root, "/sys/devices/system/cpu/cpu3/crash_notes", "3fa6e800\n");
	put_text(root, "/sys/devices/system/cpu/cpu3/crash_notes_size", "352\n");
	put_text(root, "/sys/devices/system/cpu/cpufreq/policy", "\n");
	put_text(root, "/sys/kernel/vmcoreinfo", "0x0000000003f2a000 1024\n");
}

static void add_phdr(uint8_t *p, uint64_t vaddr, uint64_t paddr, uint64_t len)
{
	put_le32(p, PT_LOAD);
	put_le64(p + offsetof(Elf64_Phdr, p_vaddr), vaddr);
	put_le64(p + offsetof(Elf64_Phdr, p_paddr), paddr);
	put_le64(p + offsetof(Elf64_Phdr, p_memsz), len);
}

/* vsyscall and vmalloc without an address, kernel text, two ranges of memory. */
static size_t kcore(uint8_t *out)
{
	uint8_t *p = out + sizeof(Elf64_Ehdr);

	memset(out, 0, 512);
	memcpy(out, ELFMAG "\2\1\1", 7);
	put_le64(out + offsetof(Elf64_Ehdr, e_phoff), sizeof(Elf64_Ehdr));
	put_le16(out + offsetof(Elf64_Ehdr, e_phnum), 5);
	add_phdr(p, 0xffffffffff600000, UINT64_MAX, 0x1000);
	add_phdr(p + 56, 0xffffffff9f200000, 0x0f200000, 0x2600000);
	add_phdr(p + 112, 0xff55000000000000, UINT64_MAX, 0x1fffffffffff);
	add_phdr(p + 168, 0xff11000000001000, 0x1000, 0x9e000);
	add_phdr(p + 224, 0xff11000000100000, 0x100000, 0x3fedf000);
	return sizeof(Elf64_Ehdr) + 5 * 56;
}

TEST(machine, crash)
{
	uint8_t core[512], boot_params[BOOT_PARAMS_SIZE] = { 0 };
	char why[WHY_SIZE] = "";
	struct machine m;
	ROOT(root);

	put_text(root, "/proc/iomem", x86_iomem_bios);
	put_data(root, "/proc/kcore", core, kcore(core));
	put_text(root, "/proc/cpuinfo", "flags\t\t: fpu lmx la57 lm\n");
	put_text(root, "/sys/kernel/crash_elfcorehdr_size", "32768\n");
	put_le64(boot_params + 0x70, 0xf5a40);
	put_data(root, "/sys/kernel/boot_params/data", boot_params, sizeof(boot_params));
	put_notes(root);
	CHECK_EQ(machine_read(root, 64, true, &m, why), 0);
	CHECK_EQ(m.nr_notes, 3);
	CHECK_EQ(m.notes[1].paddr, 0x3fa6e800);
	CHECK_EQ(m.notes[1].len, 352);
	CHECK_EQ(m.notes[2].paddr, 0x3f2a000);
	CHECK_EQ(m.notes[2].len, 0x1024);
	CHECK_EQ(m.text_vaddr, 0xffffffff9f200000);
	CHECK_EQ(m.text_paddr, 0x0f200000);
	CHECK_EQ(m.text_len, 0x2600000);
	CHECK_EQ(m.page_offset, 0xff11000000000000);
	CHECK_EQ(m.lowmem_end, UINT64_MAX);
	CHECK_EQ(m.rsdp, 0xf5a40);
	CHECK_EQ(m.elfcorehdr_size, 32768);
	CHECK(m.la57);
	CHECK(m.long_mode);
	CHECK_EQ(m.efi.nr_map, 0);
	machine_free(&m);
}

TEST(machine, reboot)
{
	char why[WHY_SIZE] = "";
	struct machine m;
	ROOT(root);

	put_text(root, "/proc/iomem", x86_iomem_bios);
	put_text(root, "/proc/cpuinfo", "flags\t\t: fpu lmx la57x\n");
	put_text(root, "/sys/firmware/memmap/1/start", "0x100000\n");
	put_text(root, "/sys/firmware/memmap/1/end", "0x3ffdefff\n");
	put_text(root, "/sys/firmware/memmap/1/type", "System RAM\n");
	put_text(root, "/sys/firmware/memmap/0/start", "0x0\n");
	put_text(root, "/sys/firmware/memmap/0/end", "0x9fbff\n");
	put_text(root, "/sys/firmware/memmap/0/type", "System RAM\n");
	put_text(root, "/sys/firmware/memmap/2/start", "0x3ffdf000\n");
	put_text(root, "/sys/firmware/memmap/2/end", "0x3fff\n");
	put_text(root, "/sys/firmware/memmap/2/type", "Reserved\n");
	CHECK_EQ(machine_read(root, 64, false, &m, why), 0);
	CHECK(!m.la57);
	CHECK(!m.long_mode);
	CHECK_EQ(m.firmware.nr, 2); /* the third one ends before it begins */
	CHECK_EQ(m.firmware.ranges[0].end, 0x9fc00);
	CHECK_EQ(m.firmware.ranges[1].type, IOMEM_RAM);
	CHECK(!m.has_boot_params);
	machine_free(&m);
}

TEST(machine, efi)
{
	static const char *const files[][2] = {
		{ "fw_vendor", "0x7e9ec098\n" },
		{ "config_table", "0x7e9ec118\n" },
		{ "systab", "ACPI20=0x7eb7e014\nACPI=0x7eb7e000\nSMBIOS=0x7e9ca000\n" },
		{ "runtime-map/0/type", "0x5\n" },
		{ "runtime-map/0/phys_addr", "0x7e8ed000\n" },
		{ "runtime-map/0/virt_addr", "0xfffffffeffced000\n" },
		{ "runtime-map/0/num_pages", "0x100\n" },
		{ "runtime-map/0/attribute", "0x800000000000000f\n" },
		{ "runtime-map/1/type", "0xb\n" }, /* and nothing more: the map ends */
	};
	char why[WHY_SIZE] = "";
	struct machine m;
	ROOT(root);

	put_text(root, "/proc/iomem", x86_iomem_high);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char path[128];

		snprintf(path, sizeof(path), "/sys/firmware/efi/%s", files[i][0]);
		put_text(root, path, files[i][1]);
	}
	CHECK_EQ(machine_read(root, 64, false, &m, why), 0);
	CHECK_EQ(m.rsdp, 0x7eb7e014);
	CHECK_EQ(m.efi.smbios, 0x7e9ca000);
	CHECK_EQ(m.efi.fw_vendor, 0x7e9ec098);
	CHECK_EQ(m.efi.config_table, 0x7e9ec118);
	CHECK_EQ(m.efi.nr_map, 1);
	CHECK_EQ(m.efi.map[0].pages, 0x100);
	CHECK_EQ(m.efi.map[0].virt, 0xfffffffeffced000);
	machine_free(&m);
}

TEST(machine, says_what_is_missing)
{
	char why[WHY_SIZE] = "";
	struct machine m;
	ROOT(root);

	CHECK_EQ(machine_read(root, 64, true, &m, why), -ENOENT);
	CHECK(strstr(why, "/proc/iomem"));
	put_text(root, "/proc/iomem", "00000000-00000000 : System RAM\n");
	CHECK_EQ(machine_read(root, 64, true, &m, why), -EACCES);
	CHECK(strstr(why, "CAP_SYS_ADMIN"));
	put_text(root, "/proc/iomem", x86_iomem_bios);
	CHECK_EQ(machine_read(root, 64, true, &m, why), -ENODATA);
	CHECK(strstr(why, "crash_notes"));
	put_notes(root);
	put_text(root, "/sys/kernel/vmcoreinfo", "\n");
	CHECK_EQ(machine_read(root, 64, true, &m, why), -EBADMSG);
	CHECK(strstr(why, "vmcoreinfo"));
	put_text(root, "/sys/kernel/vmcoreinfo", "3f2a000 1024\n");
	CHECK_EQ(machine_read(root, 64, true, &m, why), 0);
	CHECK_EQ(m.text_len, 0);
	CHECK_EQ(m.page_offset, ELFCOREHDR_UNMAPPED);
	machine_free(&m);
}

TEST(machine, kcore_32)
{
	uint8_t core[128] = { 0 };
	uint8_t *p = core + sizeof(Elf32_Ehdr);
	struct machine m = { .page_offset = ELFCOREHDR_UNMAPPED, .lowmem_end = UINT64_MAX };

	memcpy(core, ELFMAG "\1\1\1", 7);
	put_le32(core + offsetof(Elf32_Ehdr, e_phoff), sizeof(Elf32_Ehdr));
	put_le16(core + offsetof(Elf32_Ehdr, e_phnum), 200); /* more than there are */
	put_le32(p, PT_LOAD);
	put_le32(p + offsetof(Elf32_Phdr, p_vaddr), 0xc0000000);
	put_le32(p + offsetof(Elf32_Phdr, p_memsz), 0x377fe000);
	put_le32(p + 32, PT_LOAD);
	put_le32(p + 32 + offsetof(Elf32_Phdr, p_vaddr), 0xf7ffe000);
	put_le32(p + 32 + offsetof(Elf32_Phdr, p_paddr), 0xffffffff);
	machine_kcore(&m, core, sizeof(Elf32_Ehdr) + 64);
	CHECK_EQ(m.page_offset, 0xc0000000);
	CHECK_EQ(m.lowmem_end, 0x377fe000);
	CHECK_EQ(m.text_len, 0);
}

TEST(machine, purgatory)
{
	for (unsigned bits = 32; bits <= 64; bits += 32) {
		struct purgatory_blob blob = purgatory_find(bits);
		uint8_t junk[sizeof(struct purgatory_params)] = { 0 };
		uint32_t entry;
		size_t size;

		CHECK_EQ(purgatory_memory_size((struct purgatory_blob){ junk, sizeof(junk) }, &size,
					       &entry),
			 -EBADMSG);
		if (!blob.len) { /* built for another architecture */
			CHECK_EQ(purgatory_memory_size(blob, &size, &entry), -EOPNOTSUPP);
			continue;
		}
		CHECK_EQ(purgatory_memory_size(blob, &size, &entry), 0);
		CHECK(size >= blob.len + 4096 && size < 16384);
		CHECK(entry >= sizeof(struct purgatory_params) && entry < blob.len);
	}
}
