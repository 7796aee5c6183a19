/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands themselves, for the table in commands.c; struct command has their contract. */
#ifndef CONTROL_COMMANDS_H
#define CONTROL_COMMANDS_H

#include "control/command.h"

extern const struct ctl_option setup_options[], estimate_options[];
extern const struct ctl_option start_options[], rebuild_options[], test_options[];
extern const struct ctl_option list_options[], show_options[], prune_options[], notice_options[];
extern const struct ctl_option migrate_options[];

int cmd_setup(const struct invocation *in);
int cmd_estimate(const struct invocation *in);
int cmd_start(const struct invocation *in);
int cmd_stop(const struct invocation *in);
int cmd_status(const struct invocation *in);
int cmd_rebuild(const struct invocation *in);
int cmd_check(const struct invocation *in);
int cmd_test(const struct invocation *in);
int cmd_list(const struct invocation *in);
int cmd_show(const struct invocation *in);
int cmd_prune(const struct invocation *in);
int cmd_notice(const struct invocation *in);
int cmd_migrate(const struct invocation *in);
int cmd_version(const struct invocation *in);

#endif
