/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration of a capture: kdump.conf(5)'s grammar, "key value" lines and
 * '#' comments, and the same keys as vmcore_save.KEY=value on the kernel command
 * line. See docs/man/vmcore-save.conf.5 for the keys.
 *
 * Strict where a person checks a file, tolerant where PID 1 reads it: every mistake
 * is reported with file, line and key and its line has no effect, and all other
 * lines still count.
 */
#ifndef LIB_CONFIG_H
#define LIB_CONFIG_H

#include <stddef.h>

#define CONFIG_PATH	 "/etc/vmcore-save.conf"
#define CONFIG_MAX_BYTES (64u << 10)
#define CONFIG_LINE_MAX	 2048u

enum config_action {
	CONFIG_REBOOT,
	CONFIG_HALT,
	CONFIG_POWEROFF,
	CONFIG_SHELL, /* on the console, for shell_timeout, then reboot */
};

/**
 * struct config - All strings are NUL-terminated; times are in seconds.
 * @fstype: empty where no target is configured
 * @device: "/dev/…", or UUID=, LABEL=, PARTUUID= or PARTLABEL= with the value behind it
 * @path: absolute, no ".." in it; within the file system of @device
 * @core_collector: empty for the default
 * @timeout: longest time without progress
 * @max_time: longest time for the whole capture
 * @device_timeout: longest wait for @device to appear
 * @shell_timeout: life of the shell that CONFIG_SHELL opens
 * @extra_modules, @extra_bins: for building the image; words with one space between
 * @vmcore: the core to read; only the kernel command line sets it
 */
struct config {
	char fstype[16];
	char device[256];
	char path[256];
	char core_collector[512];
	enum config_action failure_action;
	enum config_action final_action;
	unsigned timeout;
	unsigned max_time;
	unsigned device_timeout;
	unsigned shell_timeout;
	char extra_modules[1024];
	char extra_bins[1024];
	char vmcore[256];
};

/** config_report_fn - Gets one sentence for each mistake: "file:line: key: what is wrong". */
typedef void config_report_fn(void *ctx, const char *message);

/** config_init() - All defaults. */
void config_init(struct config *config);

/**
 * config_parse() - Read the text of a configuration file into @config.
 * @text, @len: the text; may hold anything
 * @name: file name for messages
 * @config: initialised; keys that @text does not set keep their values
 * @report: called for each mistake, in line order; may be NULL
 *
 * Return: the number of mistakes; 0 for a good file.
 */
int config_parse(const char *text, size_t len, const char *name, struct config *config,
		 config_report_fn *report, void *ctx);

/**
 * config_override() - Take vmcore_save.KEY=value parameters from a kernel command line.
 * A parameter that is given twice counts as the last says.
 *
 * Parameters and return value as for config_parse().
 */
int config_override(const char *cmdline, struct config *config, config_report_fn *report,
		    void *ctx);

/** config_action_name() - "reboot", "halt" … */
const char *config_action_name(enum config_action action);

#endif
