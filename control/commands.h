/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands themselves, for the table in commands.c; struct command has their contract. */
#ifndef CONTROL_COMMANDS_H
#define CONTROL_COMMANDS_H

struct invocation;

int cmd_version(const struct invocation *in);

#endif
