// SPDX-License-Identifier: GPL-2.0-or-later
/* A dump from a shell: into a file, into several, or as a stream; or only counted. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "capture/commands.h"
#include "capture/dump/flattened.h"
#include "capture/figures.h"
#include "capture/output.h"
#include "capture/progress.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/log.h"

/* What is shown meanwhile. */
struct shown {
	bool wanted, begun;
	size_t page_size;
	uint64_t start_ms, last_ms;
};

static int show_progress(void *ctx, const struct dump_stats *stats)
{
	struct shown *s = ctx;
	uint64_t now = clock_ms();
	char line[80];

	if (!s->wanted || (s->begun && now - s->last_ms < 1000))
		return 0;
	progress_line(line, sizeof(line), stats, s->page_size, now - s->start_ms);
	fprintf(stderr, "\r%-60s", line);
	s->begun = true;
	s->last_ms = now;
	return 0;
}

static void end_progress(struct shown *s)
{
	if (s->begun)
		fprintf(stderr, "\r%-60s\r", "");
	s->begun = false;
}

static struct shown shown_init(const struct options *o, struct core *core)
{
	return (struct shown){
		.wanted = isatty(STDERR_FILENO) && !o->no_progress,
		.page_size = core_page_size(core),
		.start_ms = clock_ms(),
	};
}

static struct dump_options dump_options_of(const struct options *o, unsigned level, struct shown *s)
{
	return (struct dump_options){
		.level = level,
		.format = o->format,
		.codec = o->codec,
		.codec_level = o->codec_level,
		.threads = save_options_threads(o),
		.progress = show_progress,
		.progress_ctx = s,
	};
}

static int write_json(const struct options *o, unsigned level, struct core *core,
		      const struct dump_stats *stats, uint64_t ms, FILE *to)
{
	struct json j;

	json_init(&j, to);
	json_object(&j, NULL);
	figures_kernel(core, &j);
	figures_dump(o, level, stats, &j);
	json_millis(&j, "seconds", ms);
	json_end(&j, '}');
	fputc('\n', to);
	return output_flush(to);
}

/* What there is to be said, whatever became of it. Return: 0 or -errno, logged. */
static int tell_stats(const struct options *o, unsigned level, struct core *core,
		      const struct dump_stats *stats, uint64_t ms)
{
	if (stats->scan_problem[0])
		log_warn("pages could not be told apart, so all were kept: %s",
			 stats->scan_problem);
	if (o->show_stats)
		progress_log_stats(stats);
	if (!o->json)
		return 0;
	return write_json(o, level, core, stats, ms, o->mode == MODE_FLATTENED ? stderr : stdout);
}

static enum filter_exit tell_outcome(const struct options *o, struct core *core, const char *name,
				     const struct dump_stats *stats, int err, uint64_t ms)
{
	const uint64_t cut = core_truncated_bytes(core);

	if (err && !stats->bytes_out) {
		log_error("nothing of %s could be written: %s", name, strerror(-err));
		return FILTER_FAILED;
	}
	if (err) {
		log_error("%s is incomplete, and marked so: %s; it holds %" PRIu64 " of %" PRIu64
			  " pages",
			  name, strerror(-err), stats->kept_pages, stats->planned_pages);
		return FILTER_FAILED;
	}
	if (stats->unreadable_pages)
		log_error("%s lacks %" PRIu64 " of the pages: they could not be read from %s%s",
			  name, stats->unreadable_pages, o->files[0],
			  cut ? ", which is cut off" : "");
	if (core_incomplete(core))
		log_error("%s lacks what %s lacks, which is marked incomplete", name, o->files[0]);
	progress_log_total(stats, ms);
	return stats->unreadable_pages || cut || core_incomplete(core) ? FILTER_PARTIAL : FILTER_OK;
}

/* ---- into files ---- */

static int restart(struct output *outputs, unsigned nr)
{
	int err = 0;

	for (unsigned i = 0; !err && i < nr; i++)
		err = output_restart(&outputs[i]);
	return err;
}

static enum filter_exit write_files(const struct options *o, struct core *core,
				    struct output *outputs, unsigned nr)
{
	struct dump_sink sinks[DUMP_SPLITS_MAX];
	struct dump_stats stats;
	struct shown s = shown_init(o, core);
	enum filter_exit result;
	unsigned i = 0;
	uint64_t ms;
	int err, told;

	for (unsigned n = 0; n < nr; n++)
		sinks[n] = output_sink(&outputs[n]);
	for (;; i++) {
		const struct dump_options options = dump_options_of(o, o->levels[i], &s);

		err = dump_write(core, sinks, nr, &options, &stats);
		end_progress(&s);
		if (!output_is_full(err) || i + 1 == o->nr_levels || restart(outputs, nr))
			break;
		log_warn("there is no room at dump level %u (%s): once more at level %u",
			 o->levels[i], strerror(-err), o->levels[i + 1]);
	}
	ms = clock_ms() - s.start_ms;
	told = tell_stats(o, o->levels[i], core, &stats, ms);
	result = tell_outcome(o, core, o->files[1], &stats, err, ms);
	return told ? FILTER_FAILED : result;
}

static enum filter_exit dump_to_files(const struct options *o, struct core *core)
{
	struct output outputs[DUMP_SPLITS_MAX] = { 0 };
	enum filter_exit result = FILTER_FAILED;
	unsigned nr = 0;

	for (unsigned i = 1; i < o->nr_files; i++) /* before one is emptied */
		if (output_check(o->files[i], o->files, i, o->force))
			return FILTER_FAILED;
	while (nr + 1 < o->nr_files) {
		outputs[nr].limit = o->limit;
		if (output_open(o->files[nr + 1], o->files, nr + 1, o->force, &outputs[nr].fd))
			break;
		nr++;
	}
	if (nr + 1 == o->nr_files)
		result = write_files(o, core, outputs, nr);
	for (; nr; nr--)
		output_discard(o->files[nr], o->force, outputs[nr - 1].fd);
	return result;
}

/* ---- as a stream ---- */

static int emit_stream(void *ctx, const void *buf, size_t len)
{
	return io_write_full(*(int *)ctx, buf, len);
}

static enum filter_exit dump_to_stream(const struct options *o, struct core *core)
{
	int fd = STDOUT_FILENO;
	struct flat_stream stream = { .emit = emit_stream, .ctx = &fd };
	const struct dump_sink sink = flat_sink(&stream);
	struct shown s = shown_init(o, core);
	const struct dump_options options = dump_options_of(o, o->levels[0], &s);
	struct dump_stats stats = { 0 };
	enum filter_exit result;
	uint64_t ms;
	int err, told;

	if (isatty(fd)) {
		log_error("-F writes the dump to standard output, which is a terminal");
		return FILTER_FAILED;
	}
	if (o->nr_levels > 1)
		log_warn("-F cannot begin again where there is no room: only dump level %u is "
			 "tried",
			 o->levels[0]);
	err = flat_begin(&stream);
	if (!err)
		err = dump_write(core, &sink, 1, &options, &stats);
	if (!err)
		err = flat_end(&stream);
	end_progress(&s);
	ms = clock_ms() - s.start_ms;
	told = tell_stats(o, o->levels[0], core, &stats, ms);
	result = tell_outcome(o, core, "the stream", &stats, err, ms);
	return told ? FILTER_FAILED : result;
}

enum filter_exit cmd_dump(const struct options *o, struct core *core)
{
	return o->mode == MODE_FLATTENED ? dump_to_stream(o, core) : dump_to_files(o, core);
}

/* ---- counted ---- */

enum filter_exit cmd_dry_run(const struct options *o, struct core *core)
{
	for (unsigned i = 0; i < o->nr_levels; i++) {
		struct shown s = shown_init(o, core);
		const struct dump_options options = dump_options_of(o, o->levels[i], &s);
		struct dump_stats stats;
		int err = dump_count(core, &options, &stats);

		end_progress(&s);
		if (tell_stats(o, o->levels[i], core, &stats, clock_ms() - s.start_ms) || err)
			return FILTER_FAILED;
		log_info("dump level %u would keep %" PRIu64 " of %" PRIu64 " pages, %" PRIu64
			 " MB before compression",
			 o->levels[i], stats.planned_pages, stats.present_pages,
			 stats.planned_pages * s.page_size / 1000000);
	}
	return FILTER_OK;
}
