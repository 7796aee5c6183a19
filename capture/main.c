// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <unistd.h>

#include "capture/filter.h"
#include "capture/init/full.h"
#include "capture/init/init.h"
#include "capture/saver.h"
#include "lib/log.h"
#include "lib/util.h"

#define GUARD_MAX_S 86400

static int guard(const char *text)
{
	char *end;
	unsigned long seconds = strtoul(text, &end, 10);

	if (*end || end == text || seconds < 1 || seconds > GUARD_MAX_S) {
		log_error("--guard takes seconds, 1 to %d", GUARD_MAX_S);
		return 1;
	}
	return full_guard((unsigned)seconds) ? 1 : 0;
}

int main(int argc, char **argv)
{
	if (getpid() == 1 || (argc == 2 && streq(argv[1], "--capture"))) {
		static struct saver saver;
		struct init_saver ops;

		saver_init(&saver, &ops);
		if (getpid() == 1)
			init_main(&ops, NULL);
		return full_capture(&ops) ? 1 : 0;
	}
	if (argc == 3 && streq(argv[1], "--guard"))
		return guard(argv[2]);
	return filter_main(argc, argv);
}
