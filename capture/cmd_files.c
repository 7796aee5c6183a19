// SPDX-License-Identifier: GPL-2.0-or-later
/* Making one ordinary dump of what was streamed or split. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "capture/commands.h"
#include "capture/dump/flattened.h"
#include "capture/dump/reassemble.h"
#include "capture/output.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"

static ssize_t read_stream(void *ctx, void *buf, size_t len)
{
	return io_read_full(*(int *)ctx, buf, len);
}

enum filter_exit cmd_rearrange(const struct options *o, struct core *core)
{
	struct output out = {.limit = o->limit};
	const struct dump_sink sink = output_sink(&out);
	int in = STDIN_FILENO, err;
	_close_ int fd = -1;

	(void)core;
	if (output_open(o->files[0], NULL, 0, o->force, &fd))
		return FILTER_FAILED;
	out.fd = fd;
	err = flat_rearrange(read_stream, &in, &sink);
	if (!err)
		return FILTER_OK;
	log_error("%s is incomplete: %s", o->files[0], strerror(-err));
	return FILTER_FAILED;
}

static enum filter_exit assemble(const struct options *o, struct reassemble_input *inputs,
				 unsigned nr)
{
	const char *path = o->files[o->nr_files - 1];
	struct output out = {.limit = o->limit};
	const struct dump_sink sink = output_sink(&out);
	struct dump_stats stats;
	_close_ int fd = -1;
	bool incomplete;
	int err;

	if (output_open(path, o->files, nr, o->force, &fd))
		return FILTER_FAILED;
	out.fd = fd;
	err = reassemble(inputs, nr, &sink, &incomplete, &stats);
	if (err) {
		log_error("%s is incomplete: %s", path, strerror(-err));
		return FILTER_FAILED;
	}
	if (stats.unreadable_pages)
		log_error("%s lacks %" PRIu64 " of the pages: they could not be read (%s)", path,
			  stats.unreadable_pages, strerror(stats.first_read_errno));
	log_info("%" PRIu64 " of %" PRIu64 " pages from %u files", stats.kept_pages,
		 stats.planned_pages, nr);
	if (incomplete) {
		log_error("%s is marked incomplete, as one of the files that it is made of", path);
		return FILTER_FAILED;
	}
	return stats.kept_pages == stats.planned_pages ? FILTER_OK : FILTER_PARTIAL;
}

enum filter_exit cmd_reassemble(const struct options *o, struct core *core)
{
	struct reassemble_input inputs[DUMP_SPLITS_MAX];
	enum filter_exit result = FILTER_FAILED;
	unsigned nr = 0;

	(void)core;
	while (nr + 1 < o->nr_files) {
		int fd = open(o->files[nr], O_RDONLY | O_CLOEXEC);

		if (fd < 0) {
			log_error("%s: cannot open: %s", o->files[nr], strerror(errno));
			break;
		}
		inputs[nr] = (struct reassemble_input){fd, o->files[nr]};
		nr++;
	}
	if (nr + 1 == o->nr_files)
		result = assemble(o, inputs, nr);
	while (nr)
		close(inputs[--nr].fd);
	return result;
}
