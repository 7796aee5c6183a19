// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/saver.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/dump/flattened.h"
#include "capture/figures.h"
#include "capture/output.h"
#include "capture/progress.h"
#include "capture/target/target.h"
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

/* What vmcoreinfo says may be anything; the console is to get letters. */
static const char *release_of(const struct core *core)
{
	const struct vmcoreinfo *vi = core_vmcoreinfo(core);
	const char *release = vi ? vmcoreinfo_string(vi, "OSRELEASE") : NULL;

	for (const char *p = release; p && *p; p++) {
		if (*p <= ' ' || *p > '~')
			return NULL;
	}
	return release;
}

static int saver_open(void *ctx, const char *path)
{
	struct saver *s = ctx;
	const struct core_segment *segments;
	const char *release;
	uint64_t bytes = 0;
	size_t nr;
	int err;

	core_close(s->core);
	s->core = NULL;
	err = core_open(path, &s->core);
	if (err)
		return err;
	segments = core_segments(s->core, &nr);
	for (size_t i = 0; i < nr; i++)
		bytes += segments[i].memsz;
	release = release_of(s->core);
	log_info("kernel %.64s crashed, with %" PRIu64 " MiB of memory",
		 release ? release : "of an unknown release", bytes >> 20);
	return 0;
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

static int show_progress(void *ctx, const struct dump_stats *stats)
{
	struct saver *s = ctx;
	uint64_t now = clock_ms();
	unsigned percent = progress_percent(stats);
	char line[80];

	s->alive(s->alive_ctx);
	if (s->out && now - s->synced_ms >= SYNC_MS) {
		output_settle(s->out);
		s->synced_ms = clock_ms();
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

/* What all tries have in common. A thread costs memory, of which a capture kernel has little. */
static struct dump_options dump_options_of(const struct saver *s, unsigned level)
{
	return (struct dump_options){
		.level = level,
		.format = s->options.format,
		.codec = s->options.codec,
		.codec_level = s->options.codec_level,
		.threads = MIN(save_options_threads(&s->options), save_options_cpus()),
	};
}

static int keep_alive(void *ctx, const struct dump_stats *stats)
{
	struct saver *s = ctx;

	(void)stats;
	s->alive(s->alive_ctx);
	return 0;
}

static int make_estimate(struct saver *s)
{
	struct dump_options options = dump_options_of(s, DUMP_LEVEL_MAX);
	uint64_t start_ms = clock_ms();
	int err;

	if (s->estimated)
		return 0;
	options.progress = keep_alive;
	options.progress_ctx = s;
	err = estimate_make(s->core, &options, &s->estimate);
	s->estimated = !err;
	if (!err)
		log_info("about %" PRIu64 " MiB at dump level %u, as looked at for %" PRIu64 " ms",
			 estimate_bytes(&s->estimate, s->options.levels[0]) >> 20,
			 s->options.levels[0], clock_ms() - start_ms);
	return err;
}

/* What an estimate may be off by, and what the file system needs for itself. */
static uint64_t need_at(const struct saver *s, unsigned level)
{
	uint64_t bytes = estimate_bytes(&s->estimate, level);

	return bytes + bytes / 16 + (1u << 20);
}

static bool find_level(struct saver *s, uint64_t space)
{
	for (unsigned i = 0; i < s->options.nr_levels; i++) {
		if (need_at(s, s->options.levels[i]) > space)
			continue;
		s->first = i;
		if (i)
			log_warn("no room at dump level %u, so it is %u", s->options.levels[0],
				 s->options.levels[i]);
		return true;
	}
	return false;
}

/* Nothing else is left: more is dropped than was asked for, and what fits is saved. */
static void take_least(struct saver *s, uint64_t space)
{
	struct options *o = &s->options;

	if (o->levels[o->nr_levels - 1] != DUMP_LEVEL_MAX && o->nr_levels < OPTIONS_LEVELS_MAX)
		o->levels[o->nr_levels++] = DUMP_LEVEL_MAX;
	s->first = o->nr_levels - 1;
	log_warn("no room for the dump at any level that was asked for: level %u, about %" PRIu64
		 " MiB, into %" PRIu64 " MiB; the most valuable pages come first",
		 o->levels[s->first], estimate_bytes(&s->estimate, o->levels[s->first]) >> 20,
		 space >> 20);
}

static int saver_fit(void *ctx, uint64_t space, bool last, uint64_t *need_ret,
		     void (*alive)(void *), void *alive_ctx)
{
	struct saver *s = ctx;
	int err;

	if (!s->core)
		return -ENODATA;
	s->first = 0;
	s->alive = alive;
	s->alive_ctx = alive_ctx;
	if (s->options.limit)
		space = MIN(space, s->options.limit);
	if (estimate_most(s->core) <= space)
		return 0;
	err = make_estimate(s);
	if (err || find_level(s, space))
		return err;
	if (last) {
		take_least(s, space);
		return 0;
	}
	*need_ret = need_at(s, s->options.levels[s->options.nr_levels - 1]);
	return -ENOSPC;
}

/* One try at @level. */
static int write_dump(struct saver *s, const struct dump_sink *sink, unsigned level)
{
	struct dump_options options = dump_options_of(s, level);
	int err;

	options.progress = show_progress;
	options.progress_ctx = s;
	s->level = level;
	s->shown_ms = s->synced_ms = clock_ms();
	s->shown_percent = 0;
	err = dump_write(s->core, sink, 1, &options, &s->stats);
	if (err)
		log_error("the dump cannot be written: %s", strerror(-err));
	return err;
}

/* The next level where there is no room at one. */
static int write_file(struct saver *s, struct target_file *file)
{
	struct output out = {
		.fd = s->fd,
		.limit = s->options.limit,
		.stale = file->stale,
		.alive = s->alive,
		.alive_ctx = s->alive_ctx,
	};
	const struct dump_sink sink = output_sink(&out);
	int err;

	if (file->limit && (!out.limit || file->limit < out.limit))
		out.limit = file->limit;
	s->out = &out;
	for (unsigned i = s->first;; i++) {
		err = write_dump(s, &sink, s->options.levels[i]);
		file->end = out.end;
		if (!output_is_full(err) || i + 1 == s->options.nr_levels || output_restart(&out))
			break;
		log_warn("once more, at dump level %u", s->options.levels[i + 1]);
	}
	s->out = NULL;
	/* What has a beginning and no page is no dump that could be opened. */
	if (err && !s->stats.kept_pages && output_restart(&out) == 0)
		file->end = out.end;
	return err ? err : verify(s);
}

/* What goes through a stream cannot be read back: its digest is of what was sent. */
struct stream {
	struct saver *saver;
	struct sha256 sha;
};

static int emit_dump(void *ctx, const void *buf, size_t len)
{
	struct stream *stream = ctx;
	int err = io_write_full(stream->saver->fd, buf, len);

	if (err)
		return err;
	sha256_update(&stream->sha, buf, len);
	stream->saver->alive(stream->saver->alive_ctx);
	return 0;
}

static int write_stream(struct saver *s)
{
	struct stream stream = { .saver = s };
	struct flat_stream flat = { .emit = emit_dump, .ctx = &stream };
	const struct dump_sink sink = flat_sink(&flat);
	uint8_t digest[SHA256_DIGEST_BYTES];
	int err;

	sha256_init(&stream.sha);
	err = flat_begin(&flat);
	if (!err)
		err = write_dump(s, &sink, s->options.levels[s->first]);
	if (!err)
		err = flat_end(&flat);
	if (err)
		return err;
	sha256_final(&stream.sha, digest);
	sha256_hex(digest, s->sha256);
	return 0;
}

static int saver_save_dump(void *ctx, struct target_file *file, void (*alive)(void *),
			   void *alive_ctx)
{
	struct saver *s = ctx;
	int err;

	if (!s->core)
		return -ENODATA;
	s->fd = file->fd;
	s->alive = alive;
	s->alive_ctx = alive_ctx;
	s->start_ms = clock_ms();
	s->dump_tried = true;
	s->sha256[0] = '\0';
	s->verify_ms = 0;
	err = file->stream ? write_stream(s) : write_file(s, file);
	s->dump_ms = clock_ms() - s->start_ms - s->verify_ms;
	if (s->stats.scan_problem[0])
		log_warn("pages could not be told apart, so all were kept: %s",
			 s->stats.scan_problem);
	progress_log_total(&s->stats, s->dump_ms);
	s->dump_errno = -err;
	return err;
}

static void saver_lose_dump(void *ctx, int err)
{
	struct saver *s = ctx;

	s->dump_errno = -err;
	s->sha256[0] = '\0';
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

static void describe_dump(const struct saver *s, struct json *j)
{
	json_object(j, "dump");
	json_bool(j, "complete", s->dump_tried && !s->dump_errno && !s->stats.unreadable_pages);
	if (s->dump_errno)
		json_string(j, "error", strerror(s->dump_errno));
	if (s->estimated)
		json_u64(j, "estimated_bytes", estimate_bytes(&s->estimate, s->level));
	figures_dump(&s->options, s->level, &s->stats, j);
	json_string(j, "sha256", s->sha256[0] ? s->sha256 : NULL);
	json_millis(j, "seconds", s->dump_ms);
	json_millis(j, "verify_seconds", s->verify_ms);
	json_end(j, '}');
}

static void saver_describe(void *ctx, struct json *j)
{
	const struct saver *s = ctx;

	figures_kernel(s->core, j);
	json_string(j, "panic_line", s->log.panic_line[0] ? s->log.panic_line : NULL);
	describe_log(s, j);
	describe_dump(s, j);
}

void saver_init(struct saver *s, struct init_saver *ops)
{
	*s = (struct saver){ .fd = -1 };
	save_options_parse_collector(NULL, &s->options);
	s->level = s->options.levels[0];
	*ops = (struct init_saver){
		.configure = saver_configure,
		.open = saver_open,
		.save_log = saver_save_log,
		.fit = saver_fit,
		.save_dump = saver_save_dump,
		.lose_dump = saver_lose_dump,
		.describe = saver_describe,
		.ctx = s,
	};
}
