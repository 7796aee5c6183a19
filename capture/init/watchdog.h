/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine's hardware watchdog, which resets it where even PID 1 and the guard are not
 * running any more.
 *
 * A process of its own opens and feeds it, since an open or an ioctl of a broken driver may
 * hang for ever, and PID 1 must not. It feeds only after PID 1 has told that it is well,
 * from the same places in which it tells the guard: while the capture keeps within its
 * limits, and in steps that are bounded themselves.
 */
#ifndef CAPTURE_INIT_WATCHDOG_H
#define CAPTURE_INIT_WATCHDOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define WATCHDOG_PATH "/dev/watchdog0"

/* Above the longest time that PID 1 is held up without being stuck; see KILL_LIMIT_MS of
 * child.c. A driver that cannot count that far gets what it can. */
#define WATCHDOG_TIMEOUT_S 60

/**
 * struct watchdog - In memory that PID 1 and the process share.
 * @pid: of the process; 0 before it is started
 * @tried_ms: when it was looked for the last time
 * @beats: counted up by PID 1; a count that the process has not seen lets it feed once
 * @stop: PID 1 wants it switched off
 * @stopped: the process has said what became of that
 */
struct watchdog {
	pid_t pid;
	uint64_t tried_ms;
	atomic_uint beats;
	atomic_bool stop;
	atomic_bool stopped;
};

/**
 * watchdog_try() - Start the process once the device is there, or again where it has died;
 * looks at most every second. From then on the watchdog runs: where it ran already, since
 * before the crash, this goes on.
 * @w: in shared memory
 * @path: WATCHDOG_PATH but in tests
 */
void watchdog_try(struct watchdog *w, const char *path);

/** watchdog_feed() - Put the reset off; as often as one likes. Cannot block. */
void watchdog_feed(struct watchdog *w);

/** watchdog_stop() - Switch it off, for a machine that is to stay halted, within seconds; a
 * driver with "nowayout" refuses. What fails is logged. */
void watchdog_stop(struct watchdog *w);

#endif
