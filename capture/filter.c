// SPDX-License-Identifier: GPL-2.0-or-later
/* vmcore-save from a shell: which of its commands is meant, and what it needs. */
#include "capture/filter.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "capture/commands.h"
#include "capture/output.h"
#include "lib/log.h"

static const char usage[] =
	"Usage:\n"
	"  vmcore-save [-d LEVEL[,LEVEL...]] [-c|-l|-p|-z|-E] [-f] VMCORE DUMPFILE\n"
	"      copy the memory in VMCORE without what LEVEL leaves out\n"
	"  vmcore-save --split [OPTIONS] VMCORE DUMPFILE DUMPFILE...\n"
	"      the same, shared out to several files\n"
	"  vmcore-save --reassemble DUMPFILE DUMPFILE... DUMPFILE\n"
	"      make one dump, the last, of the files of a split one\n"
	"  vmcore-save -F [OPTIONS] VMCORE >STREAM\n"
	"      the dump in the flattened format, for pipes\n"
	"  vmcore-save -R [-f] DUMPFILE <STREAM\n"
	"      make a dump of that\n"
	"  vmcore-save --dry-run [-d LEVEL] VMCORE\n"
	"      count what a dump would hold\n"
	"  vmcore-save --dump-dmesg [-f] VMCORE LOGFILE\n"
	"      write the crashed kernel's log as text\n"
	"  vmcore-save --mem-usage /proc/kcore\n"
	"      count what a dump of the running kernel would hold\n"
	"  vmcore-save --check-config [FILE]\n"
	"      look for mistakes in a configuration; without FILE, this system's\n"
	"  vmcore-save --print-config [FILE]\n"
	"      the same, and print what it means, for scripts\n"
	"  vmcore-save --capture, vmcore-save --guard SECONDS\n"
	"      for a full initramfs: do what is done as PID 1; reset unless that begins\n"
	"  vmcore-save --fetch [--erase] DEVICE DIRECTORY\n"
	"      take a dump from a raw partition into a new directory in DIRECTORY; --erase\n"
	"      then lets go of it. Without DIRECTORY, --list only shows what there is\n"
	"\n"
	"VMCORE is an ELF core or a dump that is to be filtered again.\n"
	"\n"
	"  -d LEVEL            leave out: 1 zero pages, 2 page cache, 4 page cache with\n"
	"                      private data, 8 user pages, 16 free pages; add them up.\n"
	"                      Without it, 0: everything is kept. Of several levels the\n"
	"                      next is tried where there was no room\n"
	"  -c, -l, -p, -z      pages packed with zlib, lzo, snappy, zstd; without them, in\n"
	"                      zlib's format, fast and smaller than by lzo\n"
	"  --codec NAME[:N]    fast, zlib, lzo, snappy, zstd or none, at its level N\n"
	"  -E                  ELF format, not packed\n"
	"  -L SIZE             no file may get larger; K, M, G and T can be used\n"
	"  -f                  overwrite an existing file\n"
	"  --num-threads N     that read and pack; without it, one for each CPU\n"
	"  --show-stats        count pages by class at the end\n"
	"  --json              all figures, on standard output\n"
	"  --non-mmap          read VMCORE with read(2) only\n"
	"  --check-params      only see whether these options can be used\n"
	"  --message-level N   1 shows progress, 2 results, 4 problems, 8 says more, 16\n"
	"                      counts pages; add them up\n"
	"  -D                  say more\n"
	"  -h, --help          this text\n"
	"  -v, --version       the version\n"
	"\n"
	"Exit codes: 0 complete; 1 failed, and what was written is marked incomplete;\n"
	"2 the dump is whole, but the core itself lacked pages. See vmcore-save(8).\n";

static enum filter_exit show_help(const struct options *o, struct core *core)
{
	(void)o;
	(void)core;
	fputs(usage, stdout);
	return output_flush(stdout) ? FILTER_FAILED : FILTER_OK;
}

static enum filter_exit show_version(const struct options *o, struct core *core)
{
	(void)o;
	(void)core;
	puts("vmcore-save " VMCORE_SAVE_VERSION);
	return output_flush(stdout) ? FILTER_FAILED : FILTER_OK;
}

/*
 * @core: whether the first file is a core to be opened
 * @min, @max: files
 * @needs: what they are
 */
static const struct command {
	enum filter_exit (*run)(const struct options *o, struct core *core);
	bool core;
	unsigned min, max;
	const char *needs;
} commands[] = {
	[MODE_DUMP] = { cmd_dump, true, 2, 2, "an input and an output file are needed" },
	[MODE_SPLIT] = { cmd_dump, true, 3, OPTIONS_FILES_MAX,
			 "--split needs an input and at least two output files" },
	[MODE_FLATTENED] = { cmd_dump, true, 1, 1, "-F needs an input file, and only that" },
	[MODE_REARRANGE] = { cmd_rearrange, false, 1, 1,
			     "-R needs an output file, and reads standard input" },
	[MODE_REASSEMBLE] = { cmd_reassemble, false, 3, OPTIONS_FILES_MAX,
			      "--reassemble needs at least two input files and an output file" },
	[MODE_DRY_RUN] = { cmd_dry_run, true, 1, OPTIONS_FILES_MAX,
			   "--dry-run needs an input file" },
	[MODE_DMESG] = { cmd_dmesg, true, 2, 2, "an input and an output file are needed" },
	[MODE_MEM_USAGE] = { cmd_mem_usage, true, 1, 1, "--mem-usage needs /proc/kcore" },
	[MODE_CHECK_CONFIG] = { cmd_check_config, false, 0, 1,
				"--check-config takes one file at most" },
	[MODE_PRINT_CONFIG] = { cmd_print_config, false, 0, 1,
				"--print-config takes one file at most" },
	[MODE_FETCH] = { cmd_fetch, false, 1, 2, "--fetch needs a device and a directory" },
	[MODE_HELP] = { show_help, false, 0, OPTIONS_FILES_MAX, "" },
	[MODE_VERSION] = { show_version, false, 0, OPTIONS_FILES_MAX, "" },
};

/* Whatever is opened next must not become standard output or error. What is written to an
 * output that is closed fails all the same. */
static void open_standard_files(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY);
}

enum filter_exit filter_main(int argc, char **argv)
{
	const struct command *command;
	struct core *core = NULL;
	struct options o;
	enum filter_exit result;

	open_standard_files();
	log_set_name("vmcore-save");
	/* A reader that went away, a limit of the shell: an error is told, a signal would not be.
	 */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (save_options_parse(argc, argv, &o))
		return FILTER_FAILED;
	command = &commands[o.mode];
	if (o.nr_files < command->min || o.nr_files > command->max) {
		log_error("%s; vmcore-save --help tells more", command->needs);
		return FILTER_FAILED;
	}
	if (o.check_params)
		return FILTER_OK;
	if (command->core && core_open(o.files[0], &core))
		return FILTER_FAILED;
	if (core && o.non_mmap)
		core_set_access(core, CORE_ACCESS_READ);
	result = command->run(&o, core);
	core_close(core);
	return result;
}
