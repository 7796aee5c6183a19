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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CONFIG_PATH	  "/etc/vmcore-save.conf"
#define CONFIG_KDUMP_PATH "/etc/kdump.conf" /* read where ours is absent; not in the image */
#define CONFIG_MAX_BYTES  (64u << 10)
#define CONFIG_LINE_MAX	  2048u

/* As many as anyone will list; each takes its turn within max_time. */
#define CONFIG_MAX_TARGETS 8u

enum config_action {
	CONFIG_REBOOT,
	CONFIG_HALT,
	CONFIG_POWEROFF,
	CONFIG_SHELL,	       /* on the console, for shell_timeout, then final_action */
	CONFIG_DUMP_TO_ROOTFS, /* the root file system as one more target, then final_action */
};

/**
 * struct config_target - A place for dumps.
 * @type: the key: a file system ("ext4", "nfs", "virtiofs" …), "raw" or "ssh"
 * @where: "/dev/…", or UUID=, LABEL=, PARTUUID= or PARTLABEL= with the value behind it, of raw
 *	no UUID= or LABEL=; HOST:/export of nfs, an IPv6 address in brackets; USER@HOST of
 *	ssh, an IPv6 address without; the tag of virtiofs and 9p. Users, hosts and tags are
 *	letters, digits and . _ - (: and % in addresses) and do not begin with '-'.
 * @path: absolute, no ".." in it, no needless '/'; within the target
 * @options: further mount options, comma-separated; of ssh, NAME=VALUE for ssh_config(5),
 *	also "Port=" where the configuration says USER@HOST:PORT. Nothing that a shell takes
 *	for its own.
 */
struct config_target {
	char type[16];
	char where[256];
	char path[256];
	char options[256];
};

/**
 * struct config - All strings are NUL-terminated; times are in seconds.
 * @targets, @nr_targets: in the order in which they are tried; 0 where none is configured
 * @path: the path of targets that have none of their own; also of the root file system
 * @core_collector: empty for the default
 * @timeout: longest time without progress
 * @max_time: longest time for the whole capture
 * @device_timeout: longest wait for a device, or for an answer of a network, to appear
 * @hook_timeout: longest life of a hook
 * @shell_timeout: life of the shell that CONFIG_SHELL opens
 * @ip: of the network, dracut.cmdline(7)'s ip= values with one space between; empty where
 *	the network is not configured
 * @nameservers: addresses, one space between
 * @sshkey: the private key's file, on the system that builds the image
 * @kdump_pre, @kdump_post, @kdump_emergency: a program's path; empty for none
 * @keep_dumps: how many dumps stay in the directory of a target; 0 for all
 * @keep_bytes: bytes that dumps in it may take up together; 0 for no limit
 * @fence_kdump_nodes, @fence_kdump_args: as kdump.conf(5) has them
 * @watchdog: a hardware watchdog is opened, where there is one
 * @extra_modules, @extra_bins: for building the image; words with one space between
 * @image: "auto", "tiny" or "full", for building it
 * @dracut_args: for building it
 * @force_rebuild, @force_no_rebuild, @auto_reset_crashkernel: for the service
 * @vmcore: the core to read; only the kernel command line sets it
 * @report: a file, such as a serial port, that gets the last manifest as well; empty for none;
 *	only the kernel command line sets it
 */
struct config {
	struct config_target targets[CONFIG_MAX_TARGETS + 1]; /* room for one that init adds */
	unsigned nr_targets;
	char path[256];
	char core_collector[512];
	enum config_action failure_action;
	enum config_action final_action;
	unsigned timeout;
	unsigned max_time;
	unsigned device_timeout;
	unsigned hook_timeout;
	unsigned shell_timeout;
	char ip[512];
	char nameservers[256];
	char sshkey[256];
	char kdump_pre[256];
	char kdump_post[256];
	char kdump_emergency[256];
	unsigned keep_dumps;
	uint64_t keep_bytes;
	char fence_kdump_nodes[512];
	char fence_kdump_args[256];
	bool watchdog;
	char extra_modules[1024];
	char extra_bins[1024];
	char image[8];
	char dracut_args[512];
	bool force_rebuild;
	bool force_no_rebuild;
	bool auto_reset_crashkernel;
	char vmcore[256];
	char report[256];
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

/**
 * config_choose_path() - Which of two files counts.
 * Return: @ours, unless it is absent and @kdumps is there.
 */
const char *config_choose_path(const char *ours, const char *kdumps);

/** config_path() - Where the configuration of this system is. */
static inline const char *config_path(void)
{
	return config_choose_path(CONFIG_PATH, CONFIG_KDUMP_PATH);
}

/**
 * config_read() - config_parse() of a file.
 * Return: the number of mistakes; -errno where the file cannot be read, not reported.
 */
int config_read(const char *path, struct config *config, config_report_fn *report, void *ctx);

/**
 * config_print() - Write everything that is set, also by default, as "KEY VALUE" lines.
 * vmcore-save(8), --print-config, has the format. Errors stay with @to.
 */
void config_print(const struct config *config, FILE *to);

/** config_path_prefix() - A path of a target's, to put "/NAME" behind: "" for "/". */
static inline const char *config_path_prefix(const char *path)
{
	return path[0] == '/' && !path[1] ? "" : path;
}

/** config_action_name() - "reboot", "halt" … */
const char *config_action_name(enum config_action action);

#endif
