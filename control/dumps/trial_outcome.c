// SPDX-License-Identifier: GPL-2.0-or-later
/* What came of a crash on purpose, by the dumps that are there. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/dumps/records.h"
#include "control/dumps/trial.h"
#include "control/text.h"
#include "lib/util.h"

/* The time of a crash is that of the kernel that crashed, by the clock that the marker has. */
enum trial_outcome trial_judge(const struct invocation *in, const struct trial *trial,
			       const struct dumps *dumps, const struct dump **dump_ret)
{
	*dump_ret = NULL;
	if (trial_is_pending(in, trial))
		return TRIAL_PENDING;
	for (unsigned i = 0; i < dumps->nr; i++) {
		const struct dump *d = &dumps->list[i];

		/* Newest first: the last one that fits is the first crash since then. */
		if (d->ours && d->when >= trial->when)
			*dump_ret = d;
	}
	if (!*dump_ret)
		return TRIAL_LOST;
	return streq((*dump_ret)->verdict, "complete") ? TRIAL_CAPTURED : TRIAL_PARTLY;
}

const char *trial_outcome_name(enum trial_outcome outcome)
{
	static const char *const names[] = {
		[TRIAL_PENDING] = "pending",
		[TRIAL_CAPTURED] = "captured",
		[TRIAL_PARTLY] = "partly",
		[TRIAL_LOST] = "lost",
	};

	return names[outcome];
}

static void put_outcome(FILE *to, const struct trial *trial, enum trial_outcome outcome,
			const struct dump *dump)
{
	char when[TEXT_TIME_SIZE];

	fprintf(to, "Test crash at %s UTC: ", text_time(trial->when, when));
	if (outcome == TRIAL_PENDING) {
		fputs("the kernel that was to crash still runs", to);
		return;
	}
	if (!dump) {
		fputs("NO DUMP came of it that could be found from here", to);
	} else {
		fprintf(to, "%s: %s, in ",
			outcome == TRIAL_CAPTURED ? "captured" : "NOT wholly captured",
			dump->verdict);
		text_put(to, dump->path, strlen(dump->path));
	}
	if (trial->seconds)
		fprintf(to, "; %" PRIu64 " s from the crash to the start of the next kernel",
			trial->seconds);
}

char *trial_line(const struct trial *trial, enum trial_outcome outcome, const struct dump *dump)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	if (!to)
		return NULL;
	put_outcome(to, trial, outcome, dump);
	if (!fclose(to))
		return text;
	free(text);
	return NULL;
}
