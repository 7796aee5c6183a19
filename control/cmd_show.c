// SPDX-License-Identifier: GPL-2.0-or-later
/* All that is known of one dump. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "control/commands.h"
#include "control/digest.h"
#include "control/dumps/log_file.h"
#include "control/dumps/records.h"
#include "control/dumps/symbols.h"
#include "control/text.h"
#include "lib/cleanup.h"
#include "lib/dump_dir.h"
#include "lib/log.h"
#include "lib/sha256.h"
#include "lib/util.h"

enum {
	OPT_VERIFY,
	OPT_LOG,
	OPT_DIR
};

const struct ctl_option show_options[] = {
	[OPT_VERIFY] = { "verify", 0, NULL, "read the dump, compare its SHA-256" },
	[OPT_LOG] = { "log", 0, NULL, "all of the log, not its end alone" },
	[OPT_DIR] = { "dir", 0, "DIR", "look into this directory only" },
	{ 0 },
};

/* What --verify found. */
enum verified {
	NOT_VERIFIED,
	VERIFIED,
	DIFFERS
};

struct show {
	const struct invocation *in;
	const struct dump *dump;
	enum verified verified;
	char *vmlinux; /* owned; NULL where it is not here */
	char hint[256];
	int log_fd; /* -1 for none */
};

static void line(const char *name, const char *value)
{
	if (!value)
		return;
	printf("%-10s ", name);
	text_put(stdout, value, strlen(value));
	putchar('\n');
}

static void print_dump(const struct show *s)
{
	const struct record *r = &s->dump->record;
	char size[TEXT_SIZE_SIZE];

	if (!*s->dump->file) {
		line("Dump:", "none");
		return;
	}
	printf("%-10s %s, %s (%" PRIu64 " bytes)", "Dump:", s->dump->file,
	       text_size(s->dump->bytes, size), s->dump->bytes);
	if (r->format) {
		fputs(", ", stdout);
		text_put(stdout, r->format, strlen(r->format));
		printf(", level %" PRIu64, r->level);
	}
	putchar('\n');
	if (r->has_pages)
		printf("%-10s %" PRIu64 " of %" PRIu64 " kept, %" PRIu64 " left out, %" PRIu64
		       " zero, %" PRIu64 " unreadable\n",
		       "Pages:", r->kept, r->present, r->dropped, r->zero, r->unreadable);
	if (r->scan_problem)
		line("Filter:", r->scan_problem);
	if (r->sha256)
		printf("%-10s %s%s\n", "SHA-256:", r->sha256,
		       s->verified == VERIFIED ? " (the file has it)" :
		       s->verified == DIFFERS  ? " (the file has ANOTHER)" :
						 "");
}

static void print_steps(const struct record *r)
{
	struct record_step step;

	for (size_t i = 0; i < r->nr_steps; i++) {
		if (!record_step(r, i, &step) || streq(step.outcome, "skipped"))
			continue;
		printf("%-10s ", i ? "" : "Steps:");
		printf("%6" PRIu64 ".%03u s  ", step.at_ms / 1000, (unsigned)(step.at_ms % 1000));
		text_put(stdout, step.name, strlen(step.name));
		printf(" (%" PRIu64 ".%03u s) ", step.ms / 1000, (unsigned)(step.ms % 1000));
		text_put(stdout, step.outcome, strlen(step.outcome));
		if (step.error) {
			fputs(": ", stdout);
			text_put(stdout, step.error, strlen(step.error));
		}
		putchar('\n');
	}
}

/* A flattened dump is what a pipe has carried: crash reads it too, most others do not. */
static void print_opening(const struct show *s)
{
	const struct dump *d = s->dump;

	if (!*d->file)
		return;
	if (!s->vmlinux && *s->hint)
		line("Symbols:", s->hint);
	printf("%-10s crash ", "Open:");
	if (s->vmlinux)
		text_put(stdout, s->vmlinux, strlen(s->vmlinux));
	else
		fputs("VMLINUX", stdout);
	putchar(' ');
	text_put(stdout, d->path, strlen(d->path));
	printf("/%s\n", d->file);
	if (streq(d->file, RECORD_DUMP_FLAT))
		printf("%-10s vmcore-save -R vmcore < %s makes a file for other readers of it\n",
		       "", d->file);
}

static void print_text(const struct show *s)
{
	const struct dump *d = s->dump;
	const struct record *r = &d->record;
	char when[TEXT_TIME_SIZE + 4];

	text_time(d->when, when);
	strcat(when, " UTC");
	line("Directory:", d->path);
	line("Crashed:", when);
	line("Verdict:", d->verdict);
	line("Problem:", *d->problem ? d->problem : NULL);
	line("Reason:", r->reason);
	line("Panic:", r->panic_line);
	line("Kernel:", r->kernel);
	line("Machine:", r->architecture);
	line("Target:", r->target);
	print_dump(s);
	if (r->mem_total_kib)
		printf("%-10s %" PRIu64 " KiB in the capture, %" PRIu64
		       " free at the lowest, %" PRIu64 " taken by the process\n",
		       "Memory:", r->mem_total_kib, r->mem_available_min_kib, r->peak_memory_kib);
	print_steps(r);
	print_opening(s);
}

static void print_json_steps(struct json *j, const struct record *r)
{
	struct record_step step;

	json_array(j, "steps");
	for (size_t i = 0; i < r->nr_steps; i++) {
		if (!record_step(r, i, &step))
			continue;
		json_object(j, NULL);
		json_string(j, "name", step.name);
		json_string(j, "outcome", step.outcome);
		json_string(j, "error", step.error);
		json_millis(j, "at", step.at_ms);
		json_millis(j, "seconds", step.ms);
		json_end(j, '}');
	}
	json_end(j, ']');
}

static void print_json_pages(struct json *j, const struct record *r)
{
	json_object(j, "pages");
	json_u64(j, "present", r->present);
	json_u64(j, "kept", r->kept);
	json_u64(j, "dropped", r->dropped);
	json_u64(j, "zero", r->zero);
	json_u64(j, "unreadable", r->unreadable);
	json_end(j, '}');
}

static void print_json(const struct show *s)
{
	const struct record *r = &s->dump->record;
	struct json j;

	json_init(&j, stdout);
	json_object(&j, NULL);
	dump_json(&j, s->dump);
	json_string(&j, "reason", r->reason);
	json_string(&j, "architecture", r->architecture);
	json_string(&j, "target_type", r->target_type);
	json_string(&j, "target", r->target);
	json_string(&j, "format", r->format);
	json_string(&j, "codec", r->codec);
	json_string(&j, "sha256", r->sha256);
	if (s->verified != NOT_VERIFIED)
		json_bool(&j, "sha256_matches", s->verified == VERIFIED);
	if (r->has_pages)
		print_json_pages(&j, r);
	json_u64(&j, "mem_total_kib", r->mem_total_kib);
	json_u64(&j, "mem_available_min_kib", r->mem_available_min_kib);
	json_u64(&j, "peak_memory_kib", r->peak_memory_kib);
	print_json_steps(&j, r);
	json_string(&j, "vmlinux", s->vmlinux);
	json_end(&j, '}');
}

static int verify(struct show *s)
{
	const struct dump *d = s->dump;
	char hex[SHA256_HEX_BYTES];
	_free_ char *path = NULL;
	int err;

	if (!d->record.sha256 || !*d->file) {
		log_error("--verify: there is no digest of this dump: it is %s", d->verdict);
		return -ENODATA;
	}
	if (asprintf(&path, "%s/%s", d->path, d->file) < 0)
		return -ENOMEM;
	err = digest_file(path, hex);
	if (!err)
		s->verified = streq(hex, d->record.sha256) ? VERIFIED : DIFFERS;
	return err;
}

static void open_log(struct show *s)
{
	_free_ char *path = NULL;

	if (!*s->dump->log || asprintf(&path, "%s/%s", s->dump->path, s->dump->log) < 0)
		return;
	s->log_fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (s->log_fd < 0)
		log_warn("%s: %s", s->dump->log, strerror(errno));
}

static int show(struct show *s)
{
	const struct dump *d = s->dump;
	int err = s->in->value[OPT_VERIFY] ? verify(s) : 0;

	if (err)
		return CTL_FAILED;
	if (d->record.kernel) {
		s->vmlinux = symbols_find(s->in, d->record.kernel);
		symbols_hint(s->in, d->record.kernel, s->hint, sizeof(s->hint));
	}
	if (s->in->json) {
		print_json(s);
	} else {
		print_text(s);
		open_log(s);
		err = s->log_fd < 0 ? 0 :
				      log_file_print(s->log_fd, s->in->value[OPT_LOG] != NULL,
						     d->record.panic_line, stdout);
	}
	if (err)
		log_error("%s: %s", d->log, strerror(-err));
	return err ? CTL_FAILED : s->verified == DIFFERS ? CTL_NO : CTL_OK;
}

int cmd_show(const struct invocation *in)
{
	struct show s = { .in = in, .log_fd = -1 };
	int status = CTL_FAILED;
	struct dumps dumps;

	if (!dumps_find(in, in->value[OPT_DIR], &dumps))
		s.dump = dumps_choose(&dumps, in->nr_args ? in->args[0] : NULL);
	if (s.dump)
		status = show(&s);
	cleanup_close(&s.log_fd);
	free(s.vmlinux);
	dumps_deinit(&dumps);
	return status;
}
