// SPDX-License-Identifier: GPL-2.0-or-later
/* Which dumps there are. */
#include <string.h>

#include "control/commands.h"
#include "control/dumps/records.h"
#include "control/text.h"
#include "lib/util.h"

enum {
	OPT_DIR
};

const struct ctl_option list_options[] = {
	[OPT_DIR] = { "dir", 0, "DIR", "look into this directory only" },
	{ 0 },
};

static void print_text(const struct dumps *dumps)
{
	if (dumps->nr)
		printf("%3s  %-16s  %-10s  %-24s  %10s  %s\n", "#", "CRASHED (UTC)", "VERDICT",
		       "KERNEL", "SIZE", "DIRECTORY");
	else
		puts("No dumps.");
	for (unsigned i = 0; i < dumps->nr; i++) {
		const struct dump *d = &dumps->list[i];
		char when[TEXT_TIME_SIZE], size[TEXT_SIZE_SIZE];
		const char *kernel = d->record.kernel ?: d->ours ? "-" : "foreign";

		printf("%3u  %.16s  %-10s  ", i + 1, text_time(d->when, when), d->verdict);
		text_put(stdout, kernel, strlen(kernel));
		printf("%*s  %10s  ", strlen(kernel) < 24 ? 24 - (int)strlen(kernel) : 0, "",
		       *d->file ? text_size(d->bytes, size) : "-");
		text_put(stdout, d->path, strlen(d->path));
		fputs("\n     ", stdout);
		text_put(stdout, *d->problem ? d->problem : dump_panic_line(d),
			 strlen(*d->problem ? d->problem : dump_panic_line(d)));
		fputc('\n', stdout);
	}
	for (unsigned i = 0; i < dumps->nr_elsewhere; i++) {
		const struct dumps_elsewhere *e = &dumps->elsewhere[i];

		printf("Not looked at: %s, which %s; try: %s\n", e->target, e->why, e->hint);
	}
}

static void print_json(const struct dumps *dumps)
{
	struct json j;

	json_init(&j, stdout);
	json_object(&j, NULL);
	json_array(&j, "dumps");
	for (unsigned i = 0; i < dumps->nr; i++) {
		json_object(&j, NULL);
		dump_json(&j, &dumps->list[i]);
		json_end(&j, '}');
	}
	json_end(&j, ']');
	json_array(&j, "elsewhere");
	for (unsigned i = 0; i < dumps->nr_elsewhere; i++) {
		json_object(&j, NULL);
		json_string(&j, "target", dumps->elsewhere[i].target);
		json_string(&j, "why", dumps->elsewhere[i].why);
		json_string(&j, "hint", dumps->elsewhere[i].hint);
		json_end(&j, '}');
	}
	json_end(&j, ']');
	json_end(&j, '}');
}

int cmd_list(const struct invocation *in)
{
	struct dumps dumps;
	int err = dumps_find(in, in->value[OPT_DIR], &dumps);

	if (!err && in->json)
		print_json(&dumps);
	else if (!err)
		print_text(&dumps);
	dumps_deinit(&dumps);
	return err ? CTL_FAILED : CTL_OK;
}
