// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as a dump's manifest, and its strings on a terminal. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/dumps/log_file.h"
#include "control/dumps/record.h"
#include "control/text.h"
#include "lib/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is printed has no control character, be it one byte or C1's two. */
static void check_text(const char *s)
{
	_free_ char *text = s ? text_clean(s) : NULL;

	for (const unsigned char *p = (const unsigned char *)text; p && *p; p++) {
		if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0))
			abort();
	}
}

static void check(const struct record *r)
{
	char when[TEXT_TIME_SIZE];

	if (r->when < 0 || r->when > RECORD_MAX_TIME || strlen(text_time(r->when, when)) != 19)
		abort();
	if (r->sha256 && strlen(r->sha256) != 64)
		abort();
	check_text(r->verdict);
	check_text(r->reason);
	check_text(r->panic_line);
	check_text(r->kernel);
	for (size_t i = 0; i < r->nr_steps; i++) {
		struct record_step step;

		if (!record_step(r, i, &step))
			continue;
		check_text(step.name);
		check_text(step.outcome);
		check_text(step.error);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_free_ char *text = strndup((const char *)data, size);
	struct record r;
	const char *why;

	check_text(text);
	if (log_file_end((const char *)data, size, "Oops") > size)
		abort();
	if (!record_parse((const char *)data, size, &r, &why)) {
		check(&r);
		record_deinit(&r);
	}
	return 0;
}
