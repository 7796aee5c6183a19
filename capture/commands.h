/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vmcore-save does from a shell, one function for each mode of the options. */
#ifndef CAPTURE_COMMANDS_H
#define CAPTURE_COMMANDS_H

#include "capture/core/core.h"
#include "capture/filter.h"
#include "capture/options.h"

enum filter_exit cmd_dump(const struct options *o, struct core *core);
enum filter_exit cmd_dry_run(const struct options *o, struct core *core);
enum filter_exit cmd_dmesg(const struct options *o, struct core *core);
enum filter_exit cmd_mem_usage(const struct options *o, struct core *core);
enum filter_exit cmd_rearrange(const struct options *o, struct core *core);
enum filter_exit cmd_reassemble(const struct options *o, struct core *core);
enum filter_exit cmd_check_config(const struct options *o, struct core *core);
enum filter_exit cmd_print_config(const struct options *o, struct core *core);
enum filter_exit cmd_fetch(const struct options *o, struct core *core);

#endif
