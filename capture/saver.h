/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What PID 1 does with a core: struct init_saver over the engine. */
#ifndef CAPTURE_SAVER_H
#define CAPTURE_SAVER_H

#include "capture/dump/estimate.h"
#include "capture/init/init.h"
#include "capture/options.h"
#include "capture/report/printk.h"
#include "lib/sha256.h"

/**
 * struct saver - One capture.
 * @core: NULL until opened
 * @log_tried, @dump_tried: whether @log, @stats hold anything
 * @log_errno, @dump_errno: how it ended, 0 or a positive errno
 * @sha256: of the file as read back from the device; empty before
 * @level: of @options' levels the one that was tried last
 * @first: index of the one to begin with
 * @estimated: whether @estimate holds anything
 * @out: what writes to @fd, while it does; NULL for a stream
 * @alive, @alive_ctx: during save_dump
 */
struct saver {
	struct options options;
	struct core *core;

	unsigned level, first;
	bool estimated;
	struct estimate estimate;
	bool log_tried, dump_tried;
	int log_errno, dump_errno;
	struct printk_stats log;
	struct dump_stats stats;
	char sha256[SHA256_HEX_BYTES];
	uint64_t dump_ms, verify_ms;

	int fd;
	struct output *out;
	void (*alive)(void *);
	void *alive_ctx;
	uint64_t start_ms, shown_ms, synced_ms;
	unsigned shown_percent;
};

/** saver_init() - Fill @ops to work on @s, which must live as long. */
void saver_init(struct saver *s, struct init_saver *ops);

#endif
