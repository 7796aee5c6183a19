// SPDX-License-Identifier: GPL-2.0-or-later
/* What came of a rehearsal, and how it is told. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "control/rehearsal/rehearsal.h"
#include "control/text.h"
#include "lib/json.h"
#include "lib/util.h"

#define TIGHT_KIB (8u << 10) /* free at the lowest: less is luck */

void rehearsal_tell(struct rehearsal *r, enum rehearsal_verdict verdict, const char *name,
		    const char *fmt, ...)
{
	struct rehearsal_result *result = &r->results[r->nr_results];
	va_list ap;

	if (r->nr_results == ARRAY_SIZE(r->results))
		return;
	r->nr_results++;
	result->name = name;
	result->verdict = verdict;
	va_start(ap, fmt);
	vsnprintf(result->text, sizeof(result->text), fmt, ap);
	va_end(ap);
}

void rehearsal_hide(struct rehearsal *r, const char *fmt, ...)
{
	va_list ap;

	if (r->nr_hidden == ARRAY_SIZE(r->hidden))
		return;
	va_start(ap, fmt);
	vsnprintf(r->hidden[r->nr_hidden++], sizeof(r->hidden[0]), fmt, ap);
	va_end(ap);
}

static void judge_boot(struct rehearsal *r)
{
	const struct rehearsal_run *run = &r->run;

	if (run->init_ms)
		rehearsal_tell(r, REHEARSAL_OK, "boot", "vmcore-save runs after %.1f s",
			       (double)run->init_ms / 1000);
	else if (*run->panic)
		rehearsal_tell(r, REHEARSAL_FAIL, "boot", "the capture kernel went down: %s",
			       run->panic);
	else if (run->spoke_ms)
		rehearsal_tell(r, REHEARSAL_FAIL, "boot",
			       "the capture kernel came up, vmcore-save did not: \"" CTL_PROGRAM
			       " rebuild --force\", or more memory (\"" CTL_PROGRAM " estimate\")");
	else
		rehearsal_tell(r, REHEARSAL_FAIL, "boot", "%s did not say a word in %.0f s",
			       r->armed.kernel, (double)run->end_ms / 1000);
}

/* What is no failure of a capture that has neither network nor hardware of this machine. */
static bool may_fail(const char *step)
{
	static const char *const steps[] = { "network", "pstore", "pre", "post", "retain" };

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (streq(step, steps[i]))
			return true;
	}
	return false;
}

static void judge_steps(struct rehearsal *r)
{
	struct record_step step;

	for (size_t i = 0; i < r->record.nr_steps; i++) {
		if (!record_step(&r->record, i, &step) || streq(step.outcome, "skipped"))
			continue;
		if (streq(step.outcome, "ok"))
			rehearsal_tell(r, REHEARSAL_OK, step.name, "%.1f s",
				       (double)step.ms / 1000);
		else
			rehearsal_tell(r, may_fail(step.name) ? REHEARSAL_WARN : REHEARSAL_FAIL,
				       step.name, "%s", step.error ?: step.outcome);
	}
}

static void judge_dump(struct rehearsal *r)
{
	const struct record *rec = &r->record;

	if (!streq(rec->verdict, "complete"))
		rehearsal_tell(r, REHEARSAL_FAIL, "verdict", "%s: %s", rec->verdict,
			       rec->reason ?: "it does not say why");
	else if (!rec->sha256)
		rehearsal_tell(r, REHEARSAL_FAIL, "verdict", "complete, but not read back");
	else
		rehearsal_tell(r, REHEARSAL_OK, "verdict",
			       "complete: %" PRIu64 " bytes, read back; %" PRIu64 " of %" PRIu64
			       " pages kept, at level %" PRIu64,
			       rec->dump_bytes, rec->kept, rec->present, rec->level);
}

static void judge_memory(struct rehearsal *r)
{
	const struct record *rec = &r->record;
	const bool tight = rec->mem_available_min_kib < TIGHT_KIB;

	if (!rec->mem_total_kib)
		return;
	rehearsal_tell(r, tight ? REHEARSAL_WARN : REHEARSAL_OK, "memory",
		       "%" PRIu64 " MiB free at the lowest, of %" PRIu64
		       " that %u MiB leave to programs; vmcore-save took %.1f MiB%s",
		       rec->mem_available_min_kib >> 10, rec->mem_total_kib >> 10, r->memory_mib,
		       (double)rec->peak_memory_kib / 1024,
		       tight ? ": reserve more, see \"" CTL_PROGRAM " estimate\"" : "");
}

static void judge_end(struct rehearsal *r)
{
	const struct rehearsal_run *run = &r->run;

	if (!run->done_ms && run->ended)
		rehearsal_tell(r, REHEARSAL_FAIL, "end",
			       "the machine was reset before its last word, after %.1f s",
			       (double)run->end_ms / 1000);
	else if (!run->done_ms)
		rehearsal_tell(r, REHEARSAL_FAIL, "end",
			       "it was not at its end after %.0f s: see its console, or give it "
			       "longer by --timeout",
			       (double)run->end_ms / 1000);
	else
		rehearsal_tell(
			r, REHEARSAL_OK, "end", "%s after %.1f s, %.1f s of them in vmcore-save",
			strrchr(run->done, ';') ? strrchr(run->done, ';') + 2 : run->done,
			(double)run->done_ms / 1000, (double)(run->done_ms - run->init_ms) / 1000);
}

void rehearsal_judge(struct rehearsal *r)
{
	judge_boot(r);
	if (!r->run.init_ms)
		return;
	if (r->recorded) {
		judge_steps(r);
		judge_dump(r);
		judge_memory(r);
	} else {
		rehearsal_tell(r, REHEARSAL_FAIL, "verdict",
			       "vmcore-save did not get as far as to tell what it did");
	}
	judge_end(r);
}

static const char *verdict_name(enum rehearsal_verdict verdict)
{
	static const char *const names[] = {
		[REHEARSAL_OK] = "ok", [REHEARSAL_WARN] = "warn", [REHEARSAL_FAIL] = "FAIL"
	};

	return names[verdict];
}

static void put(const char *s)
{
	text_put(stdout, s, strlen(s));
	putchar('\n');
}

/* Its console's end says more than the verdict, where that is not good. */
static void print_tail(const struct rehearsal *r)
{
	const struct rehearsal_run *run = &r->run;
	unsigned first =
		run->nr_lines > REHEARSAL_TAIL_LINES ? run->nr_lines - REHEARSAL_TAIL_LINES : 0;

	puts("\nThe end of its console (--console=FILE has all of it):");
	for (unsigned i = first; i < run->nr_lines; i++) {
		fputs("  | ", stdout);
		put(run->tail[i % REHEARSAL_TAIL_LINES]);
	}
}

static void print_text(const struct rehearsal *r, enum rehearsal_verdict worst)
{
	printf("%s with %s, %s; %u MiB, %s, in QEMU%s\n\n", r->armed.kernel, r->armed.image,
	       r->is_armed ? "which is armed" : "which would be armed", r->memory_mib,
	       r->disk->driver, r->run.kvm ? " with KVM" : "");
	for (unsigned i = 0; i < r->nr_results; i++) {
		printf("%-4s  %-12s ", verdict_name(r->results[i].verdict), r->results[i].name);
		put(r->results[i].text);
	}
	if (worst == REHEARSAL_FAIL)
		print_tail(r);
	puts("\nA rehearsal cannot show:");
	for (unsigned i = 0; i < r->nr_hidden; i++) {
		fputs("- ", stdout);
		put(r->hidden[i]);
	}
}

static void print_json(const struct rehearsal *r, enum rehearsal_verdict worst)
{
	struct json j;

	json_init(&j, stdout);
	json_object(&j, NULL);
	json_string(&j, "verdict", verdict_name(worst));
	json_string(&j, "kernel", r->armed.kernel);
	json_string(&j, "image", r->armed.image);
	json_bool(&j, "armed", r->is_armed);
	json_u64(&j, "memory_mib", r->memory_mib);
	json_string(&j, "disk", r->disk->driver);
	json_bool(&j, "driver_lent", r->lent);
	json_bool(&j, "kvm", r->run.kvm);
	json_array(&j, "results");
	for (unsigned i = 0; i < r->nr_results; i++) {
		json_object(&j, NULL);
		json_string(&j, "name", r->results[i].name);
		json_string(&j, "verdict", verdict_name(r->results[i].verdict));
		json_string(&j, "text", r->results[i].text);
		json_end(&j, '}');
	}
	json_end(&j, ']');
	json_millis(&j, "seconds", r->run.end_ms);
	json_u64(&j, "mem_total_kib", r->record.mem_total_kib);
	json_u64(&j, "mem_available_min_kib", r->record.mem_available_min_kib);
	json_u64(&j, "peak_memory_kib", r->record.peak_memory_kib);
	json_array(&j, "not_shown");
	for (unsigned i = 0; i < r->nr_hidden; i++)
		json_string(&j, NULL, r->hidden[i]);
	json_end(&j, ']');
	json_end(&j, '}');
}

enum rehearsal_verdict rehearsal_print(const struct rehearsal *r)
{
	enum rehearsal_verdict worst = REHEARSAL_OK;

	for (unsigned i = 0; i < r->nr_results; i++)
		worst = MAX(worst, r->results[i].verdict);
	if (r->in->json)
		print_json(r, worst);
	else
		print_text(r, worst);
	return worst;
}
