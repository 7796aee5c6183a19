// SPDX-License-Identifier: GPL-2.0-or-later
/* Walks the memory map of a core ROUNDS times and tells what it found and how long it took:
 * the part of vmcore-save that grows with the crashed machine's RAM. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "capture/mm/scan.h"

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int walk(const char *path, uint64_t pages[PAGE_NR_CLASSES])
{
	static struct scan_window win;
	struct core *core;
	struct scan *scan;

	if (core_open(path, &core))
		return -1;
	if (scan_create(core, true, &scan)) {
		core_close(core);
		return -1;
	}
	if (scan_problem(scan))
		fprintf(stderr, "%s: %s\n", path, scan_problem(scan));
	while (scan_next(scan, &win))
		for (uint32_t i = 0; i < win.nr; i++)
			pages[win.class[i]]++;
	scan_destroy(scan);
	core_close(core);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 2 ? (unsigned)atoi(argv[2]) : 1;
	uint64_t pages[PAGE_NR_CLASSES] = { 0 };
	struct rusage u;

	if (argc < 2 || !rounds) {
		fprintf(stderr, "usage: %s CORE [ROUNDS]\n", argv[0]);
		return 2;
	}
	for (unsigned i = 0; i < rounds; i++)
		if (walk(argv[1], pages))
			return 1;
	for (int c = PAGE_KEPT; c < PAGE_NR_CLASSES; c++)
		printf("%s %" PRIu64 "\n", page_class_name(c), pages[c] / rounds);
	getrusage(RUSAGE_SELF, &u);
	printf("seconds %.4f\npeak_kib %ld\n", cpu_seconds() / rounds, u.ru_maxrss);
	return 0;
}
