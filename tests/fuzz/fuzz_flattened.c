// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Flattened files: the input is the records, which stand for a small ELF core at first.
 * The header of 4 KiB before them, which nothing is read from but a few numbers, is put there.
 */
#include <elf.h>

#include "capture/core/flattened.h"
#include "lib/bytes.h"
#include "tests/fuzz/core_target.h"
#include "tests/unit/core_builder.h"
#include "tests/unit/core_builder_kdump.h"

static size_t make_seed(uint8_t *data, size_t max_size)
{
	struct core_builder b;
	ssize_t n;
	int fd;

	core_builder_init(&b);
	b.end = 1024;
	core_builder_ram(&b, 0x1000, 0x800);
	b.end = 2048;
	core_builder_ram(&b, 0x4000, 0x400);
	core_builder_vmcoreinfo(&b, "OSRELEASE=x\n");
	core_builder_put64(&b, 0x1000, 1);
	core_builder_put64(&b, 0x4000, 2);
	/* Out of order, one part twice. */
	fd = flatten(core_builder_finish(&b),
		     (struct flat_piece[]){ { 1024, 1500 }, { 0, 512 }, { 512, 512 }, { 64, 56 } },
		     4);
	n = io_pread_full(fd, data, max_size, FLAT_HEADER_BYTES);
	close(fd);
	return n > 0 ? (size_t)n : 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	(void)seed;
	if (size < FLAT_RECORD_BYTES)
		return make_seed(data, max_size);
	return LLVMFuzzerMutate(data, size, max_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t head[FLAT_HEADER_BYTES] = FLAT_SIGNATURE;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	put_be64(head + 16, 1);
	put_be64(head + 24, 1);
	if (fd < 0 || io_write_full(fd, head, sizeof(head)) || io_write_full(fd, data, size))
		abort();
	feed_core(fd);
	return 0;
}
