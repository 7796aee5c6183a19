/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine's hardware watchdog, which resets it where even PID 1 and the guard are not
 * running any more. Only PID 1 opens and feeds it, from the same places in which it tells
 * the guard that it is well: while the capture keeps within its limits, and in steps
 * that are bounded themselves.
 */
#ifndef CAPTURE_INIT_WATCHDOG_H
#define CAPTURE_INIT_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#define WATCHDOG_PATH "/dev/watchdog0"

/* Above the longest time that PID 1 is held up without being stuck; see KILL_LIMIT_MS of
 * child.c. A driver that cannot count that far gets what it can. */
#define WATCHDOG_TIMEOUT_S 60

/**
 * struct watchdog - It may lie in memory that others can write to: nothing done with @fd
 * harms another file.
 * @fd: 0 (the console's) while it is not open
 * @problem: the last errno of opening it, said once
 * @timeout_s: how long it waits to be fed
 * @fed_ms, @tried_ms: when it was fed, or looked for, the last time
 */
struct watchdog {
	int fd;
	int problem;
	unsigned timeout_s;
	uint64_t fed_ms;
	uint64_t tried_ms;
};

/**
 * watchdog_try() - Open it, if it is there, not open yet and was not looked for just now.
 * From then on it runs: where it ran already, since before the crash, this goes on.
 * @path: WATCHDOG_PATH but in tests
 */
void watchdog_try(struct watchdog *w, const char *path);

/** watchdog_feed() - Put the reset off; as often as one likes. */
void watchdog_feed(struct watchdog *w);

/** watchdog_stop() - Switch it off, for a machine that is to stay halted; a driver with
 * "nowayout" refuses, which is logged. */
void watchdog_stop(struct watchdog *w);

#endif
