// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kdump-compressed dumps. Their parts are blocks apart; the input has them one after the
 * other, so that it stays small, and they are put where they belong.
 */
#include "capture/core/kdump_layout.h"
#include "tests/fuzz/core_target.h"
#include "tests/unit/core_builder_kdump.h"

/* @offset: in the file; @len: of the input, the last one as long as there is any */
static const struct {
	uint64_t offset;
	size_t len;
} parts[] = {
	{ 0, sizeof(struct kdump_header) },
	{ 4096, sizeof(struct kdump_sub_header) },
	{ 2 * 4096, 64 }, /* vmcoreinfo, in a note */
	{ 3 * 4096, 16 }, /* bitmaps */
	{ 4 * 4096, 16 },
	{ 5 * 4096, SIZE_MAX }, /* descriptors and data */
};

#define NR_PARTS (sizeof(parts) / sizeof(parts[0]))

static size_t make_seed(uint8_t *data, size_t max_size)
{
	static const struct kdump_recipe recipe = { .pages = " ccl.z0  pccl.zzl",
						    .vmcoreinfo = "OSRELEASE=x\n" };
	int fd = kdump_build(&recipe);
	size_t size = 0;

	for (size_t i = 0; i < NR_PARTS && size < max_size; i++) {
		size_t len = parts[i].len < max_size - size ? parts[i].len : max_size - size;
		ssize_t n = io_pread_full(fd, data + size, len, parts[i].offset);

		if (n < 0)
			abort();
		size += (size_t)n;
	}
	close(fd);
	return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	(void)seed;
	if (size < sizeof(struct kdump_header) || memcmp(data, KDUMP_SIGNATURE, 8))
		return make_seed(data, max_size);
	return LLVMFuzzerMutate(data, size, max_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	for (size_t i = 0; i < NR_PARTS && size; i++) {
		size_t len = parts[i].len < size ? parts[i].len : size;

		if (io_pwrite_full(fd, data, len, parts[i].offset))
			abort();
		data += len;
		size -= len;
	}
	feed_core(fd);
	return 0;
}
