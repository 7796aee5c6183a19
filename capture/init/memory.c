// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/init/memory.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/util.h"

bool memory_field(const char *text, const char *name, uint64_t *value_ret)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		const char *rest;

		line += *line == '\n';
		rest = after_prefix(line, name);
		if (rest && (*rest == ':' || *rest == ' '))
			return sscanf(rest + 1, "%" SCNu64, value_ret) == 1;
	}
	return false;
}

/* Without allocation: this runs when memory may be what is missing. */
static bool read_proc(const char *path, char *buf, size_t size)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : io_read_full(fd, buf, size - 1);

	buf[n > 0 ? n : 0] = '\0';
	return n > 0;
}

void memory_sample(struct init_state *st, pid_t worker)
{
	char buf[4096], path[48];
	uint64_t value;

	if (read_proc("/proc/meminfo", buf, sizeof(buf))) {
		if (memory_field(buf, "MemTotal", &value))
			st->mem_total_kib = value;
		if (memory_field(buf, "MemAvailable", &value) &&
		    (!st->mem_available_min_kib || value < st->mem_available_min_kib))
			st->mem_available_min_kib = value;
	}
	snprintf(path, sizeof(path), "/proc/%d/status", (int)worker);
	if (read_proc(path, buf, sizeof(buf)) && memory_field(buf, "VmHWM", &value))
		st->worker_peak_kib = MAX(st->worker_peak_kib, value);
}

uint64_t memory_oom_kills(void)
{
	char buf[16384];
	uint64_t value;

	if (!read_proc("/proc/vmstat", buf, sizeof(buf)) || !memory_field(buf, "oom_kill", &value))
		return 0;
	return value;
}
