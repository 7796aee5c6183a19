// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "lib/log.h"
#include "loader/loader.h"

/* Unloading what is not loaded is no error to the kernel, and none here. */
int cmd_unload(const struct options *opts)
{
	bool crash = opts->flags & OPT_PANIC;
	int err = syscall_kexec_file(-1, -1, NULL,
				     KEXEC_FILE_UNLOAD | (crash ? KEXEC_FILE_ON_CRASH : 0));
	struct facts facts = { 0 };
	char why[1024];

	if (err == -ENOSYS) /* the call that a 32-bit kernel has */
		err = syscall_kexec_load(0, 0, NULL, crash ? KEXEC_ON_CRASH : 0);
	if (!err) {
		log_debug("no %s is loaded now", crash ? "capture kernel" : "kernel for -e");
		return EXIT_DONE;
	}
	facts_read("", crash, &facts);
	errors_explain(crash ? OP_UNLOAD_PANIC : OP_UNLOAD, -err, &facts, why, sizeof(why));
	log_error("%s", why);
	return EXIT_FAILED;
}
