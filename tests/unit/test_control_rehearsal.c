// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "capture/core/core.h"
#include "capture/core/vmcoreinfo.h"
#include "capture/report/printk.h"
#include "control/rehearsal/rehearsal_core.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "tests/unit/test.h"

static int collect(void *ctx, const char *text, size_t len)
{
	strncat(ctx, text, len);
	return 0;
}

/* At address 0 its addresses are offsets, as in a core that is a file. */
TEST(control, a_made_up_core_is_one)
{
	_free_ void *memory = rehearsal_core_make(0, 1796000000);
	char path[] = "/tmp/vmcore-test-XXXXXX", log[1024] = "";
	struct printk_stats stats;
	struct core *core;
	uint64_t paddr;
	int fd = mkstemp(path);

	CHECK(memory && fd >= 0);
	CHECK_EQ(io_write_full(fd, memory, REHEARSAL_CORE_BYTES), 0);
	close(fd);
	CHECK_EQ(core_open(path, &core), 0);
	unlink(path);
	CHECK_STR(vmcoreinfo_string(core_vmcoreinfo(core), "OSRELEASE"), "6.12.0-rehearsal");
	CHECK_EQ(core_crash_time(core), 1796000000);
	CHECK_EQ(core_end_paddr(core), REHEARSAL_CORE_BYTES);
	CHECK_EQ(printk_dump(core, collect, log, &stats), 0);
	CHECK(strstr(log, "[    4.000000] " REHEARSAL_CORE_PANIC "\n") != NULL);
	CHECK_EQ(stats.bad_records, 0);
	CHECK_EQ(core_vaddr_to_paddr(core, 0xffffffff80400000, &paddr), 0);
	CHECK_EQ(paddr, 4u << 20);
	/* The memory map of the first page, by its own tables. */
	CHECK_EQ(core_vaddr_to_paddr(core, 0xffffea0000000000, &paddr), 0);
	CHECK_EQ(paddr, 2u << 20);
	core_close(core);
}

/* Wherever it lies: no page of its own is behind its end, nor is one of its tables. */
TEST(control, a_made_up_core_lies_anywhere)
{
	for (uint64_t paddr = 0; paddr <= 2048ull << 20; paddr += 120ull << 20) {
		_free_ uint8_t *m = rehearsal_core_make(paddr, 0);
		uint32_t last;

		CHECK(m != NULL);
		/* _mapcount of the struct page of the last page, within the map's own 2 MiB. */
		memcpy(&last,
		       m + (2u << 20) + (paddr / 64) % (2u << 20) +
			       (REHEARSAL_CORE_BYTES / 4096 - 1) * 64 + 48,
		       sizeof(last));
		CHECK_EQ(last, 0xffffffffu);
	}
}
