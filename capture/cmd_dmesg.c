// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "capture/commands.h"
#include "capture/output.h"
#include "capture/report/printk.h"
#include "lib/io.h"
#include "lib/log.h"

static int emit_text(void *ctx, const char *text, size_t len)
{
	return io_write_full(*(int *)ctx, text, len);
}

static enum filter_exit write_log(const char *path, int fd, struct core *core)
{
	struct printk_stats stats;
	int err = printk_dump(core, emit_text, &fd, &stats);

	if (!err && fsync(fd) && errno != EINVAL && errno != EROFS)
		err = -errno;
	if (err) {
		log_error("%s is incomplete: %s; it holds %" PRIu64 " records", path,
			  strerror(-err), stats.records);
		return FILTER_FAILED;
	}
	if (stats.bad_records)
		log_warn("%" PRIu64 " records of the log could not be read", stats.bad_records);
	log_info("%" PRIu64 " records written to %s", stats.records, path);
	return stats.bad_records ? FILTER_PARTIAL : FILTER_OK;
}

enum filter_exit cmd_dmesg(const struct options *o, struct core *core)
{
	enum filter_exit result;
	int fd;

	if (output_open(o->files[1], o->files, 1, o->force, &fd))
		return FILTER_FAILED;
	result = write_log(o->files[1], fd, core);
	output_discard(o->files[1], o->force, fd);
	return result;
}
