// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/saver.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/dump/codec.h"
#include "capture/progress.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/util.h"

#define SHOW_MS	     10000 /* a console may run at 9600 baud */
#define SHOW_PERCENT 5
#define SYNC_MS	     10000 /* what a reset in the middle may cost at most */
#define VERIFY_BYTES (256u * 1024)

static int saver_configure(void *ctx, const char *core_collector)
{
	struct saver *s = ctx;
	int err = save_options_parse_collector(core_collector, &s->options);

	/* A typing error must not cost the dump: the default stands ready. */
	if (err && save_options_parse_collector(NULL, &s->options) == 0)
		log_warn("core_collector \"%s\" cannot be used, so it is \"%s\"", core_collector,
			 OPTIONS_DEFAULT_COLLECTOR);
	return err;
}

static int saver_open(void *ctx, const char *path)
{
	struct saver *s = ctx;

	core_close(s->core);
	s->core = NULL;
	return core_open(path, &s->core);
}

static int emit_text(void *ctx, const char *text, size_t len)
{
	int err = io_write_full(*(int *)ctx, text, len);

	if (err)
		log_error("the log cannot be written: %s", strerror(-err));
	return err;
}

static int saver_save_log(void *ctx, int fd)
{
	struct saver *s = ctx;
	int err;

	if (!s->core)
		return -ENODATA;
	err = printk_dump(s->core, emit_text, &fd, &s->log);
	s->log_tried = true;
	s->log_errno = -err;
	if (s->log.bad_records)
		log_warn("%" PRIu64 " records of the log could not be read", s->log.bad_records);
	return err;
}

static int sink_write(void *ctx, uint64_t offset, const void *buf, size_t len)
{
	struct saver *s = ctx;
	int err = io_pwrite_full(s->fd, buf, len, offset);

	if (err)
		log_error("the dump cannot be written: %s", strerror(-err));
	else
		s->alive(s->alive_ctx);
	return err;
}

static int sink_sync(void *ctx)
{
	struct saver *s = ctx;
	int err = fsync(s->fd) ? -errno : 0;

	if (err)
		log_error("the dump cannot be synced: %s", strerror(-err));
	else
		s->alive(s->alive_ctx);
	return err;
}

static int show_progress(void *ctx, const struct dump_stats *stats)
{
	struct saver *s = ctx;
	uint64_t now = clock_ms();
	unsigned percent = progress_percent(stats);
	char line[80];

	s->alive(s->alive_ctx);
	if (now - s->synced_ms >= SYNC_MS) {
		/* An error will come back with the sync at the end. */
		fdatasync(s->fd);
		s->synced_ms = clock_ms();
		s->alive(s->alive_ctx);
	}
	if (now - s->shown_ms < 1000 ||
	    (percent < s->shown_percent + SHOW_PERCENT && now - s->shown_ms < SHOW_MS))
		return 0;
	progress_line(line, sizeof(line), stats, core_page_size(s->core), now - s->start_ms);
	log_info("%s", line);
	s->shown_ms = now;
	s->shown_percent = percent;
	return 0;
}

/* Read the whole file back from the device, not from the page cache. */
static int digest_file(struct saver *s, char hex[SHA256_HEX_BYTES])
{
	_free_ uint8_t *buf = malloc(VERIFY_BYTES);
	uint8_t digest[SHA256_DIGEST_BYTES];
	struct sha256 sha;
	uint64_t at = 0;

	if (!buf)
		return -ENOMEM;
	sha256_init(&sha);
	while (at < s->stats.file_size) {
		size_t want = MIN(s->stats.file_size - at, (uint64_t)VERIFY_BYTES);
		ssize_t n = io_pread_full(s->fd, buf, want, at);

		if (n < 0)
			return (int)n;
		if ((size_t)n != want)
			return -EIO;
		sha256_update(&sha, buf, n);
		at += n;
		/* Keep the capture kernel's memory free of what will not be read again. */
		posix_fadvise(s->fd, at - n, n, POSIX_FADV_DONTNEED);
		s->alive(s->alive_ctx);
	}
	sha256_final(&sha, digest);
	sha256_hex(digest, hex);
	return 0;
}

static int verify(struct saver *s)
{
	uint64_t start_ms = clock_ms();
	char hex[SHA256_HEX_BYTES];
	struct stat st;
	int err;

	if (fstat(s->fd, &st))
		return -errno;
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size != s->stats.file_size) {
		log_error("the dump's file has %" PRIu64 " bytes and should have %" PRIu64,
			  (uint64_t)st.st_size, s->stats.file_size);
		return -EIO;
	}
	posix_fadvise(s->fd, 0, 0, POSIX_FADV_DONTNEED);
	err = digest_file(s, hex);
	s->verify_ms = clock_ms() - start_ms;
	if (err) {
		log_error("the dump cannot be read back: %s", strerror(-err));
		return err;
	}
	memcpy(s->sha256, hex, sizeof(hex));
	return 0;
}

static int saver_save_dump(void *ctx, int fd, void (*alive)(void *), void *alive_ctx)
{
	struct saver *s = ctx;
	const struct dump_sink sink = { .write = sink_write, .sync = sink_sync, .ctx = s };
	const struct dump_options options = {
		.level = s->options.level,
		.format = s->options.format,
		.codec = s->options.codec,
		.progress = show_progress,
		.progress_ctx = s,
	};
	int err;

	if (!s->core)
		return -ENODATA;
	s->fd = fd;
	s->alive = alive;
	s->alive_ctx = alive_ctx;
	s->start_ms = s->shown_ms = s->synced_ms = clock_ms();
	s->dump_tried = true;
	err = dump_write(s->core, &sink, 1, &options, &s->stats);
	s->dump_ms = clock_ms() - s->start_ms;
	if (s->stats.scan_problem[0])
		log_warn("pages could not be told apart, so all were kept: %s",
			 s->stats.scan_problem);
	progress_log_total(&s->stats, s->dump_ms);
	if (!err)
		err = verify(s);
	s->dump_errno = -err;
	return err;
}

static void describe_kernel(const struct saver *s, struct json *j)
{
	const struct vmcoreinfo *vi = s->core ? core_vmcoreinfo(s->core) : NULL;
	const char *time = vi ? vmcoreinfo_string(vi, "CRASHTIME") : NULL;

	json_string(j, "kernel_release", vi ? vmcoreinfo_string(vi, "OSRELEASE") : NULL);
	json_string(j, "architecture", s->core ? core_arch(s->core)->name : NULL);
	if (time)
		json_u64(j, "crash_time", strtoull(time, NULL, 10));
	json_string(j, "panic_line", s->log.panic_line[0] ? s->log.panic_line : NULL);
	if (s->core)
		json_u64(j, "core_truncated_bytes", core_truncated_bytes(s->core));
}

static void describe_log(const struct saver *s, struct json *j)
{
	json_object(j, "log");
	json_bool(j, "complete", s->log_tried && !s->log_errno && !s->log.bad_records);
	json_u64(j, "records", s->log.records);
	json_u64(j, "bad_records", s->log.bad_records);
	if (s->log_errno)
		json_string(j, "error", strerror(s->log_errno));
	json_end(j, '}');
}

static void describe_pages(const struct dump_stats *st, struct json *j)
{
	json_object(j, "pages");
	json_u64(j, "present", st->present_pages);
	json_u64(j, "scanned", st->scanned_pages);
	json_u64(j, "kept", st->kept_pages);
	json_u64(j, "zero", st->zero_pages);
	json_u64(j, "dropped", st->dropped_pages);
	json_u64(j, "unreadable", st->unreadable_pages);
	if (st->unreadable_pages) {
		json_u64(j, "first_unreadable_pfn", st->first_unreadable_pfn);
		json_string(j, "first_unreadable_error", strerror(st->first_read_errno));
	}
	json_object(j, "by_class");
	for (int class = PAGE_KEPT; class < PAGE_NR_CLASSES; class++)
		json_u64(j, page_class_name(class), st->pages[class]);
	json_end(j, '}');
	json_end(j, '}');
}

static void describe_dump(const struct saver *s, struct json *j)
{
	const struct dump_stats *st = &s->stats;

	json_object(j, "dump");
	json_bool(j, "complete", s->dump_tried && !s->dump_errno && !st->unreadable_pages);
	json_u64(j, "level", s->options.level);
	json_string(j, "format", s->options.format == DUMP_FORMAT_ELF ? "elf" : "kdump-compressed");
	json_string(j, "codec", s->options.codec ? s->options.codec->name : "none");
	if (s->dump_errno)
		json_string(j, "error", strerror(s->dump_errno));
	json_string(j, "scan_problem", st->scan_problem[0] ? st->scan_problem : NULL);
	json_u64(j, "size_bytes", st->file_size);
	json_u64(j, "written_bytes", st->bytes_out);
	json_u64(j, "memory_bytes", st->bytes_in);
	json_string(j, "sha256", s->sha256[0] ? s->sha256 : NULL);
	json_millis(j, "seconds", s->dump_ms);
	json_millis(j, "verify_seconds", s->verify_ms);
	describe_pages(st, j);
	json_end(j, '}');
}

static void saver_describe(void *ctx, struct json *j)
{
	const struct saver *s = ctx;

	describe_kernel(s, j);
	describe_log(s, j);
	describe_dump(s, j);
}

void saver_init(struct saver *s, struct init_saver *ops)
{
	*s = (struct saver){ .fd = -1 };
	save_options_parse_collector(NULL, &s->options);
	*ops = (struct init_saver){
		.configure = saver_configure,
		.open = saver_open,
		.save_log = saver_save_log,
		.save_dump = saver_save_dump,
		.describe = saver_describe,
		.ctx = s,
	};
}
