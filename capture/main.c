// SPDX-License-Identifier: GPL-2.0-or-later
#include <unistd.h>

#include "capture/filter.h"
#include "capture/init/init.h"
#include "capture/saver.h"

int main(int argc, char **argv)
{
	if (getpid() == 1) {
		static struct saver saver;
		struct init_saver ops;

		saver_init(&saver, &ops);
		init_main(&ops);
	}
	return filter_main(argc, argv);
}
