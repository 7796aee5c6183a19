// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>

#include "lib/log.h"
#include "lib/util.h"
#include "loader/loader.h"

static const char *loaded_text(int loaded)
{
	return loaded < 0 ? "unknown, the kernel does not say" : loaded ? "loaded" : "not loaded";
}

static void print_reservation(int64_t size)
{
	char buf[32];

	if (size < 0)
		puts("reserved memory: unknown, the kernel does not say");
	else if (!size)
		puts("reserved memory: none (no crashkernel= on the kernel command line)");
	else
		printf("reserved memory: %s\n", errors_format_size(size, buf, sizeof(buf)));
}

static void print_facts(bool crash)
{
	struct facts facts = { 0 };

	facts_read("", crash, &facts);
	printf("may load: %s\n", facts.no_cap	     ? "no, CAP_SYS_BOOT is missing" :
				 facts.load_disabled ? "no, kernel.kexec_load_disabled is 1" :
						       "yes");
	printf("lockdown: %s\n", *facts.lockdown ? facts.lockdown : "unknown");
}

/* As kexec(8): about the capture kernel unless -l (and not -p) says otherwise. */
int cmd_status(const struct options *opts)
{
	bool crash = !(opts->flags & OPT_LOAD) || (opts->flags & OPT_PANIC);
	bool debug = opts->flags & OPT_DEBUG;
	struct kexec_status st;
	int loaded;

	status_read("", &st);
	loaded = crash ? st.crash_loaded : st.loaded;
	if (crash || debug)
		printf("capture kernel: %s\n", loaded_text(st.crash_loaded));
	if (!crash || debug)
		printf("kernel for -e: %s\n", loaded_text(st.loaded));
	if (debug) {
		print_reservation(st.crash_size);
		print_facts(crash);
	}
	return loaded < 0 ? EXIT_UNKNOWN : loaded ? EXIT_LOADED : EXIT_DONE;
}

/* As kexec(8): a number alone, for scripts, and 0 where nothing is reserved. */
int cmd_print_ckr_size(const struct options *opts)
{
	struct kexec_status st;

	(void)opts;
	status_read("", &st);
	if (st.crash_size < 0) {
		log_error("the running kernel does not say how much memory is reserved");
		return EXIT_FAILED;
	}
	printf("%" PRId64 "\n", st.crash_size);
	return EXIT_DONE;
}

int cmd_help(const struct options *opts)
{
	(void)opts;
	options_help();
	return EXIT_DONE;
}

int cmd_version(const struct options *opts)
{
	(void)opts;
	puts("kexec-loader " VMCORE_SAVE_VERSION);
	return EXIT_DONE;
}
