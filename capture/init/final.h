/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How it ends. The guard is a process that does nothing but compare the clock with a
 * deadline in shared memory, which PID 1 moves on while it lives; it never logs,
 * allocates or touches a disk, so nothing that may hold up PID 1 holds it up.
 */
#ifndef CAPTURE_INIT_FINAL_H
#define CAPTURE_INIT_FINAL_H

#include "capture/init/state.h"

/** final_start_guard() - Fork the guard. Its first deadline is the same as final_beat()'s.
 * Return: its pid; -1 where there is none, which is logged. */
pid_t final_start_guard(struct init_state *st);

/** final_spare_guard() - Once /proc is there: where memory runs out, it is not killed. */
void final_spare_guard(pid_t guard);

/** final_beat() - Tell the guard and the hardware watchdog that PID 1 is well. */
void final_beat(struct init_state *st);

/** final_shell() - A shell on the console for config.shell_timeout at most. */
void final_shell(struct init_state *st);

/** final_detach() - After a worker's death: flush target @i and unmount it, in bounded time.
 * What fails is logged. */
void final_detach(struct init_state *st, unsigned i);

/** final_action_after() - What ends the machine where @action is configured: behind a shell and
 * behind the root file system's turn comes config.final_action, as kdump.conf(5) has it, and
 * CONFIG_REBOOT where that is one of the two itself. */
enum config_action final_action_after(const struct init_state *st, enum config_action action);

/** final_act() - Flush and let go of the target, say how it went, and reboot, halt or power
 * off: final_action_after(@action). Never fails and never returns. */
void final_act(struct init_state *st, enum config_action action) __attribute__((noreturn));

/** final_reset() - Reset the machine now, by any means. Never returns. */
void final_reset(void) __attribute__((noreturn));

#endif
