// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs every registered test, or those whose "area/name" contains the first
 * argument. One line per test; exits 1 where any failed.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/log.h"
#include "tests/unit/test.h"

static struct test_case *tests;
static bool failed;

void test_register(struct test_case *t)
{
	struct test_case **at = &tests;

	while (*at && strcmp((*at)->name, t->name) < 0)
		at = &(*at)->next;
	t->next = *at;
	*at = t;
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	failed = true;
	printf("# %s:%d: ", file, line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

int main(int argc, char **argv)
{
	const char *pattern = argc > 1 ? argv[1] : "";
	int nr_passed = 0, nr_failed = 0;

	/* Tests feed bad input on purpose: what is logged about it is not news. */
	if (!getenv("V"))
		log_set_level(LOG_LVL_NONE);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (struct test_case *t = tests; t; t = t->next) {
		if (!strstr(t->name, pattern))
			continue;
		failed = false;
		t->run();
		printf("%s unit/%s\n", failed ? "FAIL" : "ok  ", t->name);
		nr_passed += !failed;
		nr_failed += failed;
	}
	printf("%d passed, %d failed\n", nr_passed, nr_failed);
	return nr_failed != 0;
}
