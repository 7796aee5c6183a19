// SPDX-License-Identifier: GPL-2.0-or-later
/* vmcorectl: what an administrator types and what the service runs. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "control/command.h"
#include "control/commands.h"
#include "lib/log.h"

int main(int argc, char **argv)
{
	struct invocation in;
	bool help, version;
	char why[256];
	int status;

	log_set_name(CTL_PROGRAM);
	if (invocation_parse(argc, argv, &in, &help, &version, why, sizeof(why))) {
		log_error("%s", why);
		return CTL_USAGE;
	}
	if (help)
		usage_print(stdout, in.command);
	else if (version)
		cmd_version(&in);
	else if (in.command->needs_root && !*in.root && geteuid())
		log_error("%s: only root may do that", in.command->name);
	else {
		status = in.command->run(&in);
		if (!fflush(stdout) || status)
			return status;
		log_error("standard output: %s", strerror(errno));
		return CTL_FAILED;
	}
	return help || version ? CTL_OK : CTL_FAILED;
}
