/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the command test share; not for others. All return an enum ctl_exit. */
#ifndef CONTROL_CMD_TEST_H
#define CONTROL_CMD_TEST_H

#include <stdbool.h>

#include "control/command.h"

/**
 * test_crash() - Crash this machine. Returns only where that does not come about.
 * @sure: do not ask
 * @force: also where check says that the crash would not be captured
 */
int test_crash(const struct invocation *in, bool sure, bool force);

/** test_result() - Tell what came of it, and forget it. */
int test_result(const struct invocation *in);

#endif
