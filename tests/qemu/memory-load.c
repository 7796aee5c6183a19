// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs in the guest before it panics and holds memory of many kinds, so that the
 * dump has something of each to be classified: anonymous pages (some zero, some
 * locked, in a fork shared with a child), transparent and explicit huge pages,
 * shared memory and the pages of a pipe. Prints "ready" and stays.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB	  (1024 * 1024UL)
#define PAGE	  4096UL
#define HUGE_PAGE (2 * MIB)

/* Every @step-th page is left zero (but present); the others get unlike contents. */
static void fill(uint8_t *p, size_t len, size_t step)
{
	uint64_t x = 0x9e3779b97f4a7c15ULL ^ len;

	for (size_t page = 0; page < len / PAGE; page++) {
		uint64_t *q = (uint64_t *)(p + page * PAGE);

		*(volatile uint64_t *)q = 0;
		if (step && page % step == 0)
			continue;
		for (size_t i = 0; i < PAGE / sizeof(*q); i += 1 + page % 7) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			q[i] = x;
		}
	}
}

static uint8_t *map(const char *what, size_t len, int flags)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, -1, 0);

	if (p == MAP_FAILED) {
		perror(what);
		return NULL;
	}
	return p;
}

int main(void)
{
	uint8_t *anon = map("anonymous", 32 * MIB, MAP_PRIVATE | MAP_ANONYMOUS);
	uint8_t *thp = map("huge", 24 * MIB, MAP_PRIVATE | MAP_ANONYMOUS);
	uint8_t *tlb = map("hugetlb", 8 * MIB, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB);
	uint8_t *shared = map("shared", 4 * MIB, MAP_SHARED | MAP_ANONYMOUS);
	int fds[2];

	if (anon) {
		fill(anon, 32 * MIB, 5);
		if (mlock(anon, 2 * MIB))
			perror("mlock");
		madvise(anon + 16 * MIB, 4 * MIB, MADV_DONTNEED);
		munmap(anon + 24 * MIB, 3 * PAGE);
	}
	if (thp) {
		uint8_t *aligned = (uint8_t *)(((uintptr_t)thp + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));

		madvise(aligned, 20 * MIB, MADV_HUGEPAGE);
		fill(aligned, 20 * MIB, 9);
		munmap(aligned + 4 * MIB, 16 * PAGE); /* splits the mapping of one */
	}
	if (tlb)
		fill(tlb, 6 * MIB, 3); /* one huge page stays in the pool */
	if (shared)
		fill(shared, 4 * MIB, 4);
	if (pipe(fds) == 0 && fcntl(fds[1], F_SETPIPE_SZ, (int)MIB) > 0) {
		static uint8_t block[PAGE];

		memset(block, 0x5a, sizeof(block));
		for (int i = 0; i < 100; i++)
			if (write(fds[1], block, sizeof(block)) < 0)
				perror("pipe");
	}
	if (fork() == 0) {
		if (anon)
			memset(anon + 8 * MIB, 0xc3, MIB); /* copied, the rest stays shared */
		pause();
	}
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
