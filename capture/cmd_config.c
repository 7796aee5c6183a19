// SPDX-License-Identifier: GPL-2.0-or-later
/* Looking for mistakes in a configuration, and telling scripts what it means. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "capture/commands.h"
#include "capture/output.h"
#include "lib/cleanup.h"
#include "lib/config.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

/* Standard error without a prefix: editors and scripts take "file:line:" at its start. */
static void print_mistake(void *ctx, const char *message)
{
	(void)ctx;
	fprintf(stderr, "%s\n", message);
}

/* Where the key stands; 0 for nowhere. */
static unsigned find_line(const char *path, const char *key)
{
	_free_ char *text = NULL;
	char *rest, *line;

	if (io_read_file(path, CONFIG_MAX_BYTES, &text, NULL))
		return 0;
	rest = text;
	for (unsigned nr = 1; (line = strsep(&rest, "\n")); nr++) {
		const char *behind = after_prefix(line + strspn(line, " \t"), key);

		if (behind && (*behind == ' ' || *behind == '\t'))
			return nr;
	}
	return 0;
}

/* The filter alone can judge its options, and has told what is wrong with them. */
static int check_collector(const char *path, const struct config *config)
{
	struct options o;

	if (!*config->core_collector || !save_options_parse_collector(config->core_collector, &o))
		return 0;
	fprintf(stderr, "%s:%u: core_collector: cannot be used; give vmcore-save's options\n", path,
		find_line(path, "core_collector"));
	return 1;
}

/* Return: 0, all well; -EBADMSG, or another -errno, told. */
static int read_config(const struct options *o, const char **path_ret, struct config *config)
{
	const char *path = o->nr_files ? o->files[0] : config_path();
	int found;

	config_init(config);
	found = config_read(path, config, print_mistake, NULL);
	if (found < 0) {
		log_error("%s: %s", path, strerror(-found));
		return found;
	}
	found += check_collector(path, config);
	*path_ret = path;
	return found ? -EBADMSG : 0;
}

static void print_summary(const char *path, const struct config *config)
{
	printf("%s: ", path);
	for (unsigned i = 0; i < config->nr_targets; i++) {
		const struct config_target *t = &config->targets[i];

		printf("%s%s %s", i ? ", else " : "", t->type, t->where);
		if (!streq(t->type, "raw"))
			printf(" path %s", t->path);
	}
	if (!config->nr_targets)
		printf("the file system that holds %s", config->path);
	printf("; then %s, after a failure %s\n", config_action_name(config->final_action),
	       config_action_name(config->failure_action));
}

enum filter_exit cmd_check_config(const struct options *o, struct core *core)
{
	struct config config;
	const char *path;

	(void)core;
	if (read_config(o, &path, &config))
		return FILTER_FAILED;
	print_summary(path, &config);
	return output_flush(stdout) ? FILTER_FAILED : FILTER_OK;
}

enum filter_exit cmd_print_config(const struct options *o, struct core *core)
{
	struct config config;
	const char *path;

	(void)core;
	if (read_config(o, &path, &config))
		return FILTER_FAILED;
	config_print(&config, stdout);
	return output_flush(stdout) ? FILTER_FAILED : FILTER_OK;
}
