// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/log.h"
#include "loader/loader.h"

int main(int argc, char **argv)
{
	const struct action *action;
	struct options opts;
	char why[512];

	log_set_name("kexec-loader");
	if (options_parse(argc, argv, &opts, why, sizeof(why)) ||
	    action_find(&opts, &action, why, sizeof(why))) {
		log_error("%s", why);
		return EXIT_USAGE;
	}
	if (opts.flags & OPT_DEBUG)
		log_set_level(LOG_LVL_DEBUG);
	return action->run(&opts);
}
