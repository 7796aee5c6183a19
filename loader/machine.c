// SPDX-License-Identifier: GPL-2.0-or-later
#include "loader/machine.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/util.h"
#include "loader/loader.h"
#include "loader/place.h"

#define IOMEM_MAX    (4 << 20)
#define NUMBER_MAX   4096
#define KCORE_HEAD   65536
#define CPUINFO_HEAD 16384

/* Above it the 64-bit kernel maps its own image (__START_KERNEL_map). */
#define X86_64_IMAGE 0xffffffff80000000ULL

static int full_path(const char *root, const char *path, char full[PATH_MAX])
{
	return snprintf(full, PATH_MAX, "%s%s", root, path) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int machine_text(const char *root, const char *path, size_t max, char **text_ret)
{
	char full[PATH_MAX];
	int err = full_path(root, path, full);

	return err ? err : io_read_file(full, max, text_ret, NULL);
}

int machine_hex(const char *root, const char *path, uint64_t *value_ret)
{
	_free_ char *text = NULL;
	char *end;
	int err = machine_text(root, path, NUMBER_MAX, &text);
	uint64_t value;

	if (err)
		return err;
	errno = 0;
	value = strtoull(text, &end, 16);
	if (end == text || errno)
		return -EBADMSG;
	*value_ret = value;
	return 0;
}

/* The first bytes of a file. Return: how many, or -errno. */
static ssize_t read_head(const char *root, const char *path, void *buf, size_t size)
{
	_close_ int fd = -1;
	char full[PATH_MAX];
	int err = full_path(root, path, full);

	if (err)
		return err;
	fd = open(full, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : io_read_full(fd, buf, size);
}

/* ---- memory ---- */

static int read_iomem(const char *root, struct machine *m, char *why)
{
	_free_ char *text = NULL;
	int err = machine_text(root, "/proc/iomem", IOMEM_MAX, &text);

	if (!err)
		err = iomem_parse(text, &m->iomem);
	if (err == -EACCES)
		snprintf(
			why, WHY_SIZE,
			"/proc/iomem shows no addresses: kexec_load(2) needs CAP_SYS_ADMIN in the "
			"first user namespace to see them; run it as root, outside of a container");
	else if (err)
		snprintf(why, WHY_SIZE, "cannot read /proc/iomem: %s",
			 err == -EBADMSG ? "a line is malformed" : strerror(-err));
	return err;
}

/* One folder of /sys/firmware/memmap: start, end (the last address), type. */
static int read_firmware_range(const char *root, const char *name, struct iomem *to)
{
	_free_ char *type = NULL;
	uint64_t start, last;
	char path[128];

	snprintf(path, sizeof(path), "/sys/firmware/memmap/%.16s/start", name);
	if (machine_hex(root, path, &start))
		return 0;
	snprintf(path, sizeof(path), "/sys/firmware/memmap/%.16s/end", name);
	if (machine_hex(root, path, &last) || last < start || last == UINT64_MAX)
		return 0;
	snprintf(path, sizeof(path), "/sys/firmware/memmap/%.16s/type", name);
	if (machine_text(root, path, NUMBER_MAX, &type))
		return 0;
	return iomem_add(to, start, last + 1, iomem_type(type, strcspn(type, "\n")));
}

static int read_firmware(const char *root, struct machine *m)
{
	_closedir_ DIR *dir = NULL;
	char full[PATH_MAX];
	struct dirent *e;
	int err = full_path(root, "/sys/firmware/memmap", full);

	dir = err ? NULL : opendir(full);
	while (!err && dir && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			err = read_firmware_range(root, e->d_name, &m->firmware);
	iomem_sort(&m->firmware);
	return err;
}

/* ---- the kernel's own mappings ---- */

struct load {
	uint64_t vaddr, paddr, len;
};

/* Program header @i of a core of either class. Return: whether it is memory with an address. */
static bool kcore_load(const uint8_t *head, size_t len, size_t i, struct load *ret)
{
	bool is_64 = head[EI_CLASS] == ELFCLASS64;
	uint64_t phoff = is_64 ? get_le64(head + offsetof(Elf64_Ehdr, e_phoff)) :
				 get_le32(head + offsetof(Elf32_Ehdr, e_phoff));
	size_t size = is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	const uint8_t *p;

	if (phoff > len || !range_within(phoff + i * size, size, len))
		return false;
	p = head + phoff + i * size;
	if (get_le32(p) != PT_LOAD)
		return false;
	if (is_64) {
		ret->vaddr = get_le64(p + offsetof(Elf64_Phdr, p_vaddr));
		ret->paddr = get_le64(p + offsetof(Elf64_Phdr, p_paddr));
		ret->len = get_le64(p + offsetof(Elf64_Phdr, p_memsz));
		return ret->paddr != UINT64_MAX;
	}
	ret->vaddr = get_le32(p + offsetof(Elf32_Phdr, p_vaddr));
	ret->paddr = get_le32(p + offsetof(Elf32_Phdr, p_paddr));
	ret->len = get_le32(p + offsetof(Elf32_Phdr, p_memsz));
	return ret->paddr != UINT32_MAX;
}

/* p_paddr of what is neither memory nor kernel text is -1 since 4.20 (37e949bd5293). */
void machine_kcore(struct machine *m, const uint8_t *head, size_t len)
{
	bool is_64;
	unsigned nr;

	if (len < sizeof(Elf64_Ehdr) || memcmp(head, ELFMAG, SELFMAG))
		return;
	is_64 = head[EI_CLASS] == ELFCLASS64;
	nr = is_64 ? get_le16(head + offsetof(Elf64_Ehdr, e_phnum)) :
		     get_le16(head + offsetof(Elf32_Ehdr, e_phnum));
	for (unsigned i = 0; i < nr; i++) {
		struct load l;

		if (!kcore_load(head, len, i, &l))
			continue;
		if (is_64 && l.vaddr >= X86_64_IMAGE) {
			m->text_vaddr = l.vaddr;
			m->text_paddr = l.paddr;
			m->text_len = l.len;
		} else {
			m->page_offset = l.vaddr - l.paddr;
			if (!is_64)
				m->lowmem_end = l.paddr + l.len;
		}
	}
}

static int read_kcore(const char *root, struct machine *m)
{
	_free_ uint8_t *head = malloc(KCORE_HEAD);
	ssize_t n;

	if (!head)
		return -ENOMEM;
	n = read_head(root, "/proc/kcore", head, KCORE_HEAD);
	if (n > 0)
		machine_kcore(m, head, n);
	return 0;
}

/* ---- notes ---- */

static int add_note(struct machine *m, uint64_t paddr, uint64_t len)
{
	struct elfcorehdr_note *more = realloc(m->notes, (m->nr_notes + 1) * sizeof(*m->notes));

	if (!more)
		return -ENOMEM;
	m->notes = more;
	m->notes[m->nr_notes++] = (struct elfcorehdr_note){ paddr, len };
	return 0;
}

/* A CPU that is there and offline has its note, too; numbers may have gaps. */
static int read_cpus(const char *root, struct machine *m, size_t nr_cpus)
{
	for (size_t i = 0, seen = 0; i < MACHINE_CPUS_MAX && seen < nr_cpus; i++) {
		_free_ char *size = NULL;
		uint64_t paddr;
		char path[96];
		int err;

		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%zu/crash_notes", i);
		if (machine_hex(root, path, &paddr))
			continue;
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%zu/crash_notes_size", i);
		if (machine_text(root, path, NUMBER_MAX, &size))
			continue;
		err = add_note(m, paddr, strtoull(size, NULL, 10));
		if (err)
			return err;
		seen++;
	}
	return 0;
}

static size_t count_cpus(const char *root)
{
	_closedir_ DIR *dir = NULL;
	char full[PATH_MAX];
	struct dirent *e;
	size_t nr = 0;

	if (full_path(root, "/sys/devices/system/cpu", full))
		return 0;
	dir = opendir(full);
	while (dir && (e = readdir(dir))) {
		const char *digits = after_prefix(e->d_name, "cpu");

		nr += digits && *digits && !digits[strspn(digits, "0123456789")];
	}
	return nr;
}

/* "0x0000000003f2a000 1000": where it is, and how much of it there is, both in hex. */
static int read_vmcoreinfo(const char *root, struct machine *m, char *why)
{
	_free_ char *text = NULL;
	int err = machine_text(root, "/sys/kernel/vmcoreinfo", NUMBER_MAX, &text);
	uint64_t paddr = 0, len = 0;
	char *end;

	if (!err) {
		paddr = strtoull(text, &end, 16);
		len = strtoull(end, NULL, 16);
	}
	if (!err && paddr && len)
		return add_note(m, paddr, len);
	snprintf(why, WHY_SIZE, "/sys/kernel/vmcoreinfo does not say where the note is: %s",
		 err ? strerror(-err) : "it is malformed");
	return err ?: -EBADMSG;
}

static int read_notes(const char *root, struct machine *m, char *why)
{
	size_t nr_cpus = count_cpus(root);
	int err = read_cpus(root, m, nr_cpus);

	if (!err && !m->nr_notes) {
		snprintf(why, WHY_SIZE,
			 "no CPU below /sys/devices/system/cpu says where its "
			 "crash_notes are: the kernel is built without CONFIG_CRASH_DUMP");
		return -ENODATA;
	}
	return err ? err : read_vmcoreinfo(root, m, why);
}

/* ---- the rest ---- */

/* @flag: with a space in front */
static bool cpu_has(const char *root, const char *flag)
{
	char head[CPUINFO_HEAD + 1];
	ssize_t n = read_head(root, "/proc/cpuinfo", head, CPUINFO_HEAD);

	if (n <= 0)
		return false;
	head[n] = '\0';
	for (const char *at = head; (at = strstr(at, flag)); at++)
		if (strchr(" \n", at[strlen(flag)]))
			return true;
	return false;
}

static uint64_t read_elfcorehdr_size(const char *root)
{
	int64_t size = facts_either(root, "/sys/kernel/kexec/crash_elfcorehdr_size",
				    "/sys/kernel/crash_elfcorehdr_size");

	return size < 0 ? 0 : size;
}

static int read_all(const char *root, bool crash, struct machine *m, char *why)
{
	int err = read_iomem(root, m, why);

	if (err)
		return err;
	*why = '\0';
	if (read_head(root, "/sys/kernel/boot_params/data", m->boot_params, BOOT_PARAMS_SIZE) ==
	    BOOT_PARAMS_SIZE) {
		m->has_boot_params = true;
		m->rsdp = boot_params_rsdp(m->boot_params);
	}
	m->la57 = cpu_has(root, " la57");
	m->long_mode = cpu_has(root, " lm");
	m->has_seed = getrandom(m->seed, sizeof(m->seed), GRND_NONBLOCK) == sizeof(m->seed);
	err = machine_efi(root, m);
	if (!err)
		err = crash ? read_kcore(root, m) : read_firmware(root, m);
	if (!err && crash)
		err = read_notes(root, m, why);
	if (crash)
		m->elfcorehdr_size = read_elfcorehdr_size(root);
	return err;
}

int machine_read(const char *root, unsigned bits, bool crash, struct machine *ret, char *why)
{
	int err;

	*ret = (struct machine){
		.bits = bits,
		.page_offset = ELFCOREHDR_UNMAPPED,
		.lowmem_end = UINT64_MAX,
	};
	err = read_all(root, crash, ret, why);
	if (err) {
		if (!*why)
			snprintf(why, WHY_SIZE, "cannot find out about this machine: %s",
				 strerror(-err));
		machine_free(ret);
	}
	return err;
}

void machine_free(struct machine *m)
{
	iomem_free(&m->iomem);
	iomem_free(&m->firmware);
	free(m->notes);
	free(m->efi.map);
}
