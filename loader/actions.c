// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>

#include "lib/util.h"
#include "loader/options.h"

/* The first row that fits is it. -S supersedes the other actions, as in kexec(8). */
static const struct action actions[] = {
	{ OPT_HELP, OPT_ACTIONS, false, cmd_help },
	{ OPT_VERSION, OPT_ACTIONS, false, cmd_version },
	{ OPT_STATUS, OPT_ACTIONS, false, cmd_status },
	{ OPT_PRINT_CKR_SIZE, OPT_ACTIONS, false, cmd_print_ckr_size },
	{ OPT_UNLOAD, OPT_PANIC | OPT_LOAD, false, cmd_unload },
	{ OPT_PANIC, OPT_LOAD, true, cmd_load },
	{ OPT_FORCE, OPT_LOAD | OPT_EXEC, true, cmd_load_exec },
	{ OPT_LOAD | OPT_EXEC, 0, true, cmd_load_exec },
	{ OPT_LOAD, 0, true, cmd_load },
	{ OPT_EXEC, 0, false, cmd_exec },
};

static const struct {
	unsigned flag;
	const char *name;
} action_names[] = {
	{ OPT_UNLOAD, "-u" }, { OPT_PANIC, "-p" }, { OPT_FORCE, "-f" },
	{ OPT_LOAD, "-l" },   { OPT_EXEC, "-e" },
};

static const char *action_name(unsigned flags)
{
	for (size_t i = 0; i < ARRAY_SIZE(action_names); i++)
		if (flags & action_names[i].flag)
			return action_names[i].name;
	return "?";
}

static int check_files(const struct options *opts, const struct action *a, char *why,
		       size_t why_size)
{
	if (!a->wants_kernel)
		return 0;
	if (opts->nr_files == 0)
		snprintf(why, why_size, "%s wants the kernel to load: name its file",
			 action_name(a->all));
	else if (opts->nr_files > 1)
		snprintf(why, why_size,
			 "%d files are named where one kernel is wanted; an initrd is given by "
			 "--initrd=FILE, and a command line with spaces wants quotes",
			 opts->nr_files);
	else
		return 0;
	return -EINVAL;
}

int action_find(const struct options *opts, const struct action **action_ret, char *why,
		size_t why_size)
{
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		const struct action *a = &actions[i];
		unsigned beside = opts->flags & OPT_ACTIONS & ~(a->all | a->with);
		int err;

		if ((opts->flags & a->all) != a->all)
			continue;
		if (beside) {
			snprintf(why, why_size, "%s and %s exclude each other", action_name(a->all),
				 action_name(beside));
			return -EINVAL;
		}
		err = check_files(opts, a, why, why_size);
		if (!err)
			*action_ret = a;
		return err;
	}
	snprintf(why, why_size,
		 "nothing to do: say -p or -l with a kernel, -e, -u or -S (--help lists them)");
	return -EINVAL;
}
