// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/dump/codec.h"
#include "capture/options.h"
#include "capture/progress.h"
#include "capture/report/printk.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

static const char usage[] =
	"Usage:\n"
	"  vmcore-save [-d LEVEL] [-c|-z|-E] [-f] [--show-stats] VMCORE DUMPFILE\n"
	"      copy the memory in VMCORE without what LEVEL leaves out\n"
	"  vmcore-save --dump-dmesg [-f] VMCORE LOGFILE\n"
	"      write the crashed kernel's log as text\n"
	"\n"
	"  -d LEVEL            leave out: 1 zero pages, 2 page cache, 4 page cache with\n"
	"                      private data, 8 user pages, 16 free pages; add them up.\n"
	"                      Without it, 0: everything is kept\n"
	"  -c                  kdump-compressed format, zlib pages (the default)\n"
	"  -z                  kdump-compressed format, zstd pages\n"
	"  -E                  ELF format, not compressed\n"
	"  -f                  overwrite an existing file\n"
	"  -D                  say more\n"
	"  --show-stats        count pages by class at the end\n"
	"  --message-level N   1 shows progress, 8 says more, 16 counts pages; add them up\n"
	"  --num-threads N     0 or 1\n"
	"  -h, --help          this text\n"
	"  -v, --version       the version\n"
	"\n"
	"Exit codes: 0 complete; 1 failed, and what was written is marked incomplete;\n"
	"2 the dump is whole, but the core itself lacked pages. See vmcore-save(8).\n";

/* The output file, and what is shown meanwhile. */
struct filter {
	const struct options *options;
	int fd;
	bool show_progress, shown;
	size_t page_size;
	uint64_t start_ms, shown_ms;
};

static int sink_write(void *ctx, uint64_t offset, const void *buf, size_t len)
{
	struct filter *f = ctx;

	return io_pwrite_full(f->fd, buf, len, offset);
}

static int sink_sync(void *ctx)
{
	struct filter *f = ctx;

	/* A pipe or /dev/null cannot be synced, and need not. */
	return fsync(f->fd) && errno != EINVAL && errno != EROFS ? -errno : 0;
}

static int show_progress(void *ctx, const struct dump_stats *stats)
{
	struct filter *f = ctx;
	uint64_t now = clock_ms();
	char line[80];

	if (!f->show_progress || (f->shown && now - f->shown_ms < 1000))
		return 0;
	progress_line(line, sizeof(line), stats, f->page_size, now - f->start_ms);
	fprintf(stderr, "\r%-60s", line);
	f->shown = true;
	f->shown_ms = now;
	return 0;
}

static void end_progress(struct filter *f)
{
	if (f->shown)
		fprintf(stderr, "\r%-60s\r", "");
}

/* Never write over what is being read. */
static int check_output(const char *input, const char *output, bool force)
{
	struct stat in, out;

	if (stat(output, &out))
		return 0; /* open() will tell */
	if (S_ISDIR(out.st_mode)) {
		log_error("%s is a directory", output);
		return -EISDIR;
	}
	if (stat(input, &in) == 0 && in.st_dev == out.st_dev && in.st_ino == out.st_ino) {
		log_error("%s and %s are the same file", input, output);
		return -EINVAL;
	}
	if (force && !S_ISREG(out.st_mode)) {
		log_error("%s is not a regular file", output);
		return -EINVAL;
	}
	return 0;
}

static int open_output(const struct options *o, int *fd_ret)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (o->force ? O_TRUNC : O_EXCL);
	int fd, err = check_output(o->input, o->output, o->force);

	if (err)
		return err;
	fd = open(o->output, flags, 0600);
	if (fd < 0) {
		err = -errno;
		if (err == -EEXIST)
			log_error("%s exists; -f overwrites it", o->output);
		else
			log_error("%s cannot be written: %s", o->output, strerror(-err));
		return err;
	}
	*fd_ret = fd;
	return 0;
}

static void say_what_is_missing(const struct options *o, struct core *core,
				const struct dump_stats *stats)
{
	uint64_t cut = core_truncated_bytes(core);

	if (stats->scan_problem[0])
		log_warn("pages could not be told apart, so all were kept: %s",
			 stats->scan_problem);
	if (stats->unreadable_pages)
		log_error("%s lacks %" PRIu64 " of the pages: they could not be read from %s%s",
			  o->output, stats->unreadable_pages, o->input,
			  cut ? ", which is cut off" : "");
}

static enum filter_exit dump_outcome(struct filter *f, struct core *core, int err,
				     const struct dump_stats *stats)
{
	const struct options *o = f->options;

	end_progress(f);
	if (o->show_stats)
		progress_log_stats(stats);
	if (err) {
		log_error("%s is incomplete, and marked so: %s; it holds %" PRIu64 " of %" PRIu64
			  " pages",
			  o->output, strerror(-err), stats->kept_pages, stats->present_pages);
		return FILTER_FAILED;
	}
	say_what_is_missing(o, core, stats);
	progress_log_total(stats, clock_ms() - f->start_ms);
	return stats->unreadable_pages || core_truncated_bytes(core) ? FILTER_PARTIAL : FILTER_OK;
}

static enum filter_exit run_dump(const struct options *o, struct core *core, int fd)
{
	struct filter f = {
		.options = o,
		.fd = fd,
		.show_progress = isatty(STDERR_FILENO) && !o->no_progress,
		.page_size = core_page_size(core),
		.start_ms = clock_ms(),
	};
	const struct dump_sink sink = { .write = sink_write, .sync = sink_sync, .ctx = &f };
	const struct dump_options options = {
		.level = o->level,
		.format = o->format,
		.codec = o->codec,
		.progress = show_progress,
		.progress_ctx = &f,
	};
	struct dump_stats stats;
	int err = dump_write(core, &sink, 1, &options, &stats);

	return dump_outcome(&f, core, err, &stats);
}

static int emit_text(void *ctx, const char *text, size_t len)
{
	return io_write_full(*(int *)ctx, text, len);
}

static enum filter_exit run_dmesg(const struct options *o, struct core *core, int fd)
{
	struct printk_stats stats;
	int err = printk_dump(core, emit_text, &fd, &stats);

	if (!err && fsync(fd) && errno != EINVAL && errno != EROFS)
		err = -errno;
	if (err) {
		log_error("%s is incomplete: %s; it holds %" PRIu64 " records", o->output,
			  strerror(-err), stats.records);
		return FILTER_FAILED;
	}
	if (stats.bad_records)
		log_warn("%" PRIu64 " records of the log could not be read", stats.bad_records);
	log_info("%" PRIu64 " records written to %s", stats.records, o->output);
	return stats.bad_records ? FILTER_PARTIAL : FILTER_OK;
}

enum filter_exit filter_main(int argc, char **argv)
{
	struct core *core = NULL;
	struct options o;
	_close_ int fd = -1;
	enum filter_exit result;

	log_set_name("vmcore-save");
	if (save_options_parse(argc, argv, &o))
		return FILTER_FAILED;
	if (o.help || o.version) {
		fputs(o.help ? usage : "vmcore-save " VMCORE_SAVE_VERSION "\n", stdout);
		return fflush(stdout) ? FILTER_FAILED : FILTER_OK;
	}
	if (!o.input || !o.output) {
		log_error("an input and an output file are needed; vmcore-save --help tells more");
		return FILTER_FAILED;
	}
	if (core_open(o.input, &core))
		return FILTER_FAILED;
	if (open_output(&o, &fd))
		result = FILTER_FAILED;
	else
		result = o.dump_dmesg ? run_dmesg(&o, core, fd) : run_dump(&o, core, fd);
	core_close(core);
	return result;
}
