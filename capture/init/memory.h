/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_INIT_MEMORY_H
#define CAPTURE_INIT_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "capture/init/state.h"

/** memory_field() - The number behind "NAME:" at the start of a line of @text, as in
 * /proc/meminfo. Return: true with *@value_ret. */
bool memory_field(const char *text, const char *name, uint64_t *value_ret);

/** memory_sample() - Note the machine's free memory and the peak of @worker in the state. */
void memory_sample(struct init_state *st, pid_t worker);

/** memory_oom_kills() - How many processes the kernel has killed for lack of memory. */
uint64_t memory_oom_kills(void);

#endif
