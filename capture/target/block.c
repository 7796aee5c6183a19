// SPDX-License-Identifier: GPL-2.0-or-later
/* What targets share that are on a block device. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "capture/target/stack.h"
#include "capture/target/target.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/udev_link.h"

#define POLL_MS	      150
#define LOOK_AGAIN_MS 3000

static void describe(struct target *target, uint64_t waited_ms)
{
	const struct find_device *dev = &target->device;

	snprintf(target->description, sizeof(target->description), "%.100s (%s%s%s) after %u.%u s",
		 dev->node, *dev->type ? dev->type : "type unknown", *dev->uuid ? ", UUID=" : "",
		 dev->uuid, (unsigned)(waited_ms / 1000), (unsigned)(waited_ms % 1000 / 100));
}

/* NULL where there is nothing to say. */
static const char *why_absent(const struct stack *stack, const char *spec)
{
	char linked[UDEV_SPEC_SIZE];

	return udev_link_spec(spec, linked) == -EOPNOTSUPP ? UDEV_LINK_PROBLEM :
							     stack_problem(stack);
}

int block_wait(struct target *target)
{
	uint64_t start = clock_ms(), last_full = start, now = start;
	const char *spec = target->where->where, *why;
	_free_ struct stack *stack = stack_read();
	struct find_seen seen = { .nr = 0 };
	int err;

	for (;;) {
		target->alive(target->alive_ctx);
		stack_assemble(stack, clock_ms() - start, target->wait_s * UINT64_C(1000));
		err = find_device(&find_system_places, spec, &seen, &target->device);
		now = clock_ms();
		if (!err)
			break;
		if (now - start >= target->wait_s * UINT64_C(1000)) {
			find_log_devices(&find_system_places);
			why = err == -ENOENT ? why_absent(stack, spec) : strerror(-err);
			return target_fail(target, err == -ENOENT ? -ENODEV : err,
					   "%.100s did not appear within %u s%s%s", spec,
					   target->wait_s, why ? ": " : "", why ? why : "");
		}
		/* A disk may get its contents, or its medium, after its name. */
		if (now - last_full >= LOOK_AGAIN_MS) {
			seen.nr = 0;
			last_full = now;
		}
		clock_sleep_ms(POLL_MS);
	}
	describe(target, now - start);
	return 0;
}
