// SPDX-License-Identifier: GPL-2.0-or-later
/* What comes before the targets: configuration, modules, network, core. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "capture/init/modules.h"
#include "capture/init/pstore.h"
#include "capture/init/record.h"
#include "capture/init/worker_private.h"
#include "capture/net/net.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"

#define CMDLINE_MAX (64u << 10)

static void report(void *ctx, const char *message)
{
	(void)ctx;
	log_error("%s", message);
}

static void read_config(struct config *config)
{
	_free_ char *cmdline = NULL;
	int err;

	config_init(config);
	err = config_read(CONFIG_PATH, config, report, NULL);
	if (err < 0)
		log_error("cannot read %s: %s", CONFIG_PATH, strerror(-err));
	err = io_read_file("/proc/cmdline", CMDLINE_MAX, &cmdline, NULL);
	if (err)
		log_error("cannot read the kernel command line: %s", strerror(-err));
	else
		config_override(cmdline, config, report, NULL);
}

/* The image's builder wrote down where the root file system is.
 * Return: whether it is one more target than those that were configured. */
static bool add_rootfs(struct config *config)
{
	struct config rootfs;

	if (config->nr_targets && config->failure_action != CONFIG_DUMP_TO_ROOTFS)
		return false;
	config_init(&rootfs);
	if (config_read(WORKER_ROOTFS_PATH, &rootfs, report, NULL) < 0) {
		log_error("no %s in the image: the root file system cannot be a target",
			  WORKER_ROOTFS_PATH);
		return false;
	}
	if (!rootfs.nr_targets)
		return false;
	strcpy(rootfs.targets[0].path, config->path);
	config->targets[config->nr_targets++] = rootfs.targets[0];
	return config->nr_targets > 1;
}

int worker_step_config(void *ctx)
{
	struct worker *w = ctx;
	struct config config;
	bool fallback;

	read_config(&config);
	fallback = add_rootfs(&config);
	w->st->config = config;
	if (fallback)
		w->st->targets[config.nr_targets - 1].fallback = true;
	atomic_store(&w->st->configured, true);
	if (!config.nr_targets)
		return steps_fail(&w->st->progress, -ENODATA, "no target is configured");
	for (unsigned i = 0; i < config.nr_targets; i++)
		log_info("target %u: %s %s, path %s", i + 1, config.targets[i].type,
			 config.targets[i].where, config.targets[i].path);
	log_info("at the end: %s; after a failure: %s", config_action_name(config.final_action),
		 config_action_name(config.failure_action));
	return 0;
}

int worker_step_modules(void *ctx)
{
	struct worker *w = ctx;
	struct modules_count count;
	int err = modules_load_list(MODULES_LIST, &w->st->modules_at, worker_alive, w, &count);

	if (err == -ENOENT) {
		log_info("no list of modules: the kernel has to have what is needed");
		return STEPS_SKIP;
	}
	if (err)
		return err;
	log_info("%u loaded, %u there already, %u not needed here, %u failed", count.loaded,
		 count.present, count.unneeded, count.failed);
	if (count.failed) {
		snprintf(w->st->progress.state[steps_current(&w->steps)].error, STEPS_ERROR_SIZE,
			 "%u modules could not be loaded", count.failed);
		return -EIO;
	}
	return 0;
}

/* The network is for who needs it: without one, a dump to a disk must not wait for DHCP. */
static bool wants_network(const struct config *config)
{
	struct target target = { .ops = NULL };

	for (unsigned i = 0; i < config->nr_targets; i++)
		if (target_init(&target, config, &config->targets[i], STATE_MOUNT_POINT) == 0 &&
		    target.ops->network)
			return true;
	return *config->fence_kdump_nodes;
}

int worker_step_network(void *ctx)
{
	struct worker *w = ctx;
	const struct config *config = &w->st->config;
	struct net net = {
		.ip = config->ip,
		.nameservers = config->nameservers,
		.wait_s = config->device_timeout,
		.alive = worker_alive,
		.alive_ctx = w,
	};
	int err;

	if (!wants_network(config))
		return STEPS_SKIP;
	err = net_up(&net);
	if (*net.description)
		log_info("%s", net.description);
	return err ? steps_fail(&w->st->progress, err, "%s", net.error) : 0;
}

int worker_step_core(void *ctx)
{
	struct worker *w = ctx;
	const struct config *config = &w->st->config;
	const char *collector = *config->core_collector ? config->core_collector : NULL;
	int err = w->saver->configure(w->saver->ctx, collector);

	if (err && collector) /* a mistake there must not lose the dump */
		err = w->saver->configure(w->saver->ctx, NULL);
	if (err)
		return err;
	err = w->saver->open(w->saver->ctx, config->vmcore);
	if (err)
		return steps_fail(&w->st->progress, err, "cannot open %.120s: %s", config->vmcore,
				  strerror(-err));
	w->core_open = true;
	record_describe(w->st, w->saver);
	return 0;
}

static int save_log(void *ctx, int fd)
{
	const struct init_saver *saver = ctx;

	return saver->save_log(saver->ctx, fd);
}

int worker_step_pstore(void *ctx)
{
	struct worker *w = ctx;
	size_t saved;
	int err;

	if (!w->core_open || w->st->pstore_done)
		return STEPS_SKIP;
	w->st->pstore_done = true; /* before it is: if it kills a worker, then one */
	err = pstore_save(PSTORE_DEVICE, save_log, (void *)w->saver, pstore_room(), &saved);
	if (err == -ENOENT)
		return STEPS_SKIP;
	if (err)
		return steps_fail(&w->st->progress, err, "cannot write the log to %s: %s",
				  PSTORE_DEVICE, strerror(-err));
	log_info("the log's last %zu bytes are in pstore", saved);
	return 0;
}
