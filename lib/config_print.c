// SPDX-License-Identifier: GPL-2.0-or-later
/* The configuration as lines that a shell reads; vmcore-save(8) has the format. */
#include <inttypes.h>
#include <stdio.h>

#include "lib/config.h"
#include "lib/util.h"

/* As in fstab(5), so that it stays one word. */
static void print_word(FILE *to, const char *word)
{
	putc(' ', to);
	for (; *word; word++) {
		if (*word == ' ' || *word == '\\')
			fprintf(to, "\\%03o", (unsigned)*word);
		else
			putc(*word, to);
	}
}

static void print_target(FILE *to, const struct config_target *target)
{
	fprintf(to, "target %s", target->type);
	print_word(to, target->where);
	print_word(to, target->path);
	if (*target->options)
		print_word(to, target->options);
	putc('\n', to);
}

static void print_text(FILE *to, const char *key, const char *value)
{
	if (*value)
		fprintf(to, "%s %s\n", key, value);
}

static void print_number(FILE *to, const char *key, uint64_t value)
{
	fprintf(to, "%s %" PRIu64 "\n", key, value);
}

static void print_bool(FILE *to, const char *key, bool value)
{
	print_text(to, key, value ? "yes" : "no");
}

void config_print(const struct config *config, FILE *to)
{
	for (unsigned i = 0; i < config->nr_targets; i++)
		print_target(to, &config->targets[i]);
	print_text(to, "path", config->path);
	print_text(to, "sshkey", config->sshkey);
	print_text(to, "ip", config->ip);
	print_text(to, "nameserver", config->nameservers);
	print_text(to, "core_collector", config->core_collector);
	print_text(to, "kdump_pre", config->kdump_pre);
	print_text(to, "kdump_post", config->kdump_post);
	print_text(to, "kdump_emergency", config->kdump_emergency);
	print_text(to, "failure_action", config_action_name(config->failure_action));
	print_text(to, "final_action", config_action_name(config->final_action));
	print_number(to, "timeout", config->timeout);
	print_number(to, "max_time", config->max_time);
	print_number(to, "device_timeout", config->device_timeout);
	print_number(to, "hook_timeout", config->hook_timeout);
	print_number(to, "shell_timeout", config->shell_timeout);
	print_bool(to, "watchdog", config->watchdog);
	print_number(to, "keep_dumps", config->keep_dumps);
	print_number(to, "keep_size", config->keep_bytes);
	print_text(to, "fence_kdump_nodes", config->fence_kdump_nodes);
	print_text(to, "fence_kdump_args", config->fence_kdump_args);
	print_text(to, "extra_modules", config->extra_modules);
	print_text(to, "extra_bins", config->extra_bins);
	print_text(to, "image", config->image);
	print_text(to, "dracut_args", config->dracut_args);
	print_bool(to, "force_rebuild", config->force_rebuild);
	print_bool(to, "force_no_rebuild", config->force_no_rebuild);
	print_bool(to, "auto_reset_crashkernel", config->auto_reset_crashkernel);
}
