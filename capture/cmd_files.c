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
#include "lib/io.h"
#include "lib/log.h"

static ssize_t read_stream(void *ctx, void *buf, size_t len)
{
	return io_read_full(*(int *)ctx, buf, len);
}

/* An output that is made at the first write: an existing file is not emptied, and no new one
 * stays, where what is read turns out to be no dump. @out.fd: -1 until then */
struct late {
	const struct options *o;
	const char *path;
	struct output out;
};

static int late_write(void *ctx, uint64_t offset, const void *buf, size_t len)
{
	struct late *l = ctx;
	const struct dump_sink sink = output_sink(&l->out);

	if (l->out.fd < 0) {
		int err = output_open(l->path, l->o->files, l->o->nr_files - 1, l->o->force,
				      &l->out.fd);

		if (err)
			return err;
	}
	return sink.write(sink.ctx, offset, buf, len);
}

static int late_sync(void *ctx)
{
	struct late *l = ctx;
	const struct dump_sink sink = output_sink(&l->out);

	return l->out.fd < 0 ? 0 : sink.sync(sink.ctx);
}

static struct late late_init(const struct options *o)
{
	return (struct late){
		.o = o,
		.path = o->files[o->nr_files - 1],
		.out = { .fd = -1, .limit = o->limit },
	};
}

static struct dump_sink late_sink(struct late *l)
{
	return (struct dump_sink){ .write = late_write, .sync = late_sync, .ctx = l };
}

/* What there is to be said of @err, and the file is closed. */
static enum filter_exit late_end(struct late *l, int err)
{
	if (l->out.fd < 0) {
		if (!err)
			log_error("there is nothing in it that could be written to %s", l->path);
		return FILTER_FAILED; /* why has been told */
	}
	if (err)
		log_error("%s is incomplete: %s", l->path, strerror(-err));
	output_discard(l->path, l->o->force, l->out.fd);
	return err ? FILTER_FAILED : FILTER_OK;
}

enum filter_exit cmd_rearrange(const struct options *o, struct core *core)
{
	struct late late = late_init(o);
	const struct dump_sink sink = late_sink(&late);
	int in = STDIN_FILENO;

	(void)core;
	return late_end(&late, flat_rearrange(read_stream, &in, &sink));
}

static enum filter_exit assemble(const struct options *o, struct reassemble_input *inputs,
				 unsigned nr)
{
	struct late late = late_init(o);
	const struct dump_sink sink = late_sink(&late);
	struct dump_stats stats;
	bool incomplete;

	if (late_end(&late, reassemble(inputs, nr, &sink, &incomplete, &stats)))
		return FILTER_FAILED;
	if (stats.unreadable_pages)
		log_error("%s lacks %" PRIu64 " of the pages: they could not be read (%s)",
			  late.path, stats.unreadable_pages, strerror(stats.first_read_errno));
	log_info("%" PRIu64 " of %" PRIu64 " pages from %u files", stats.kept_pages,
		 stats.planned_pages, nr);
	if (incomplete) {
		log_error("%s is marked incomplete, as one of the files that it is made of",
			  late.path);
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
		inputs[nr] = (struct reassemble_input){ fd, o->files[nr] };
		nr++;
	}
	if (nr + 1 == o->nr_files)
		result = assemble(o, inputs, nr);
	while (nr)
		close(inputs[--nr].fd);
	return result;
}
