// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/cmdline.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"
#include "loader/loader.h"

/* No architecture takes a longer command line (s390: 4096 by default, 64 KiB at most). */
#define CMDLINE_MAX 65536

/* struct load - All that one load needs. */
struct load {
	const struct options *opts;
	bool crash;
	int kernel_fd;
	int initrd_fd; /* -1 without */
	struct image image;
	struct facts facts;
	char *cmdline;
};

/* The kernel reads whole regular files only; say which one is at fault, and how. */
static int open_input(const char *path, const char *role, int *fd_ret, uint64_t *size_ret)
{
	/* O_NONBLOCK: do not hang in the open of a FIFO. */
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		int err = errno;

		log_error("cannot open the %s %s: %s", role, path, strerror(err));
		return -err;
	}
	if (!S_ISREG(st.st_mode)) {
		log_error("the %s %s is no regular file", role, path);
		return -EINVAL;
	}
	if (st.st_size == 0) {
		log_error("the %s %s is empty", role, path);
		return -ENODATA;
	}
	*fd_ret = take_fd(&fd);
	*size_ret = st.st_size;
	return 0;
}

static int probe_kernel(struct load *l)
{
	_free_ uint8_t *head = malloc(IMAGE_HEAD_MAX);
	struct utsname uts;
	char why[512];
	ssize_t n;
	int err;

	if (!head)
		return -ENOMEM;
	n = io_pread_full(l->kernel_fd, head, IMAGE_HEAD_MAX, 0);
	if (n < 0) {
		log_error("cannot read the kernel %s: %s", l->opts->kernel, strerror(-n));
		return n;
	}
	image_probe(head, n, l->facts.kernel_size, &l->image);
	if (uname(&uts))
		return -errno;
	err = image_check(&l->image, uts.machine, l->opts->kernel, why, sizeof(why));
	if (err)
		log_error("%s", why);
	return err;
}

static int compose_cmdline(struct load *l)
{
	uint64_t limit = l->image.cmdline_size;
	_free_ char *running = NULL;
	int err = 0;

	if (l->opts->flags & OPT_REUSE_CMDLINE)
		err = io_read_file("/proc/cmdline", CMDLINE_MAX, &running, NULL);
	if (err) {
		log_error("cannot read /proc/cmdline for --reuse-cmdline: %s", strerror(-err));
		return err;
	}
	l->cmdline = malloc(CMDLINE_MAX);
	if (!l->cmdline)
		return -ENOMEM;
	err = command_line_compose(l->opts, running, l->cmdline, CMDLINE_MAX);
	/* The kernel counts the NUL and room for its own elfcorehdr= in both kinds of load. */
	if (!err && limit && strlen(l->cmdline) + 1 + CMDLINE_ELFCOREHDR_LEN > limit)
		err = -E2BIG;
	if (err)
		log_error("the command line is too long: %s takes %d bytes at most",
			  l->opts->kernel,
			  limit > CMDLINE_ELFCOREHDR_LEN ? (int)limit - 1 - CMDLINE_ELFCOREHDR_LEN :
							   CMDLINE_MAX - 1);
	return err;
}

static void warn_crashkernel(const struct load *l)
{
	const char *at = l->cmdline;
	struct cmdline_word w;

	while (l->crash && cmdline_next(&at, &w))
		if (cmdline_is(&w, "crashkernel"))
			log_warn("crashkernel= stands on the capture kernel's command line: it "
				 "will try to reserve memory out of its own reservation");
}

static int prepare(struct load *l)
{
	const struct options *opts = l->opts;
	int err;

	err = open_input(opts->kernel, "kernel", &l->kernel_fd, &l->facts.kernel_size);
	if (!err && opts->initrd)
		err = open_input(opts->initrd, "initrd", &l->initrd_fd, &l->facts.initrd_size);
	if (!err)
		err = probe_kernel(l);
	if (!err)
		err = compose_cmdline(l);
	if (err)
		return err;
	warn_crashkernel(l);
	l->facts.kernel = opts->kernel;
	l->facts.image = &l->image;
	facts_read("", l->crash, &l->facts);
	return 0;
}

/*
 * The kernel throws the loaded capture kernel away before it looks for room for the new
 * one, and has the OOM killer make room for the files: what can be known to fail is not
 * tried. Return: 0 or the -errno to come.
 */
static int foresee(const struct load *l)
{
	const struct facts *f = &l->facts;
	int64_t size = f->status.crash_size;

	if (l->crash && size >= 0 && (!size || (uint64_t)size < facts_needed(f)))
		return -EADDRNOTAVAIL;
	if (f->memory >= 0 && (uint64_t)f->memory < facts_buffers(f, l->crash))
		return -ENOMEM;
	return 0;
}

static void debug_plan(const struct load *l)
{
	char kernel[32], initrd[32], needs[32];

	log_debug("kernel %s: %s, %s, boot protocol %u.%u, %s", l->opts->kernel, l->image.what,
		  errors_format_size(l->facts.kernel_size, kernel, sizeof(kernel)),
		  l->image.protocol >> 8, l->image.protocol & 0xff,
		  l->image.has_signature ? "signed" : "not signed");
	log_debug("initrd %s: %s", l->opts->initrd ? l->opts->initrd : "(none)",
		  errors_format_size(l->facts.initrd_size, initrd, sizeof(initrd)));
	log_debug("needs %s at least; reserved for a capture kernel: %s",
		  errors_format_size(facts_needed(&l->facts), needs, sizeof(needs)),
		  l->facts.status.crash_size < 0 ?
			  "unknown" :
			  errors_format_size(l->facts.status.crash_size, kernel, sizeof(kernel)));
	log_debug("command line: %s", l->cmdline);
}

/* The kernel said yes; have it say so twice. */
static int verify(const struct load *l)
{
	struct kexec_status now;
	int loaded;

	status_read("", &now);
	loaded = l->crash ? now.crash_loaded : now.loaded;
	if (loaded)
		return 0; /* or the kernel does not say */
	log_error("the kernel took %s but says now that nothing is loaded: something unloaded it, "
		  "try again",
		  l->opts->kernel);
	return -EIO;
}

static void explain(const struct load *l, int err)
{
	struct kexec_status now;
	char why[1024];

	errors_explain(l->crash ? OP_LOAD_PANIC : OP_LOAD, -err, &l->facts, why, sizeof(why));
	log_error("%s", why);
	status_read("", &now);
	if (l->crash && l->facts.status.crash_loaded == 1 && now.crash_loaded == 0)
		log_warn("the capture kernel that was loaded before is gone: until one is loaded, "
			 "a panic leaves no dump");
}

static int load(struct load *l)
{
	unsigned long flags = 0;
	uint64_t start, ms;
	int err = prepare(l);

	if (err)
		return err;
	debug_plan(l);
	if (l->crash)
		flags |= KEXEC_FILE_ON_CRASH;
	if (l->initrd_fd < 0)
		flags |= KEXEC_FILE_NO_INITRAMFS;
	if (l->opts->flags & OPT_DEBUG)
		flags |= KEXEC_FILE_DEBUG;
	start = clock_ms();
	err = foresee(l);
	if (!err)
		err = syscall_kexec_file(l->kernel_fd, l->initrd_fd, l->cmdline, flags);
	if (err) {
		explain(l, err);
		return err;
	}
	ms = clock_ms() - start;
	err = verify(l);
	if (!err)
		log_debug("%s is loaded%s, in %u.%u seconds", l->opts->kernel,
			  l->crash ? " for a panic" : "", (unsigned)(ms / 1000),
			  (unsigned)(ms % 1000 / 100));
	return err;
}

int cmd_load(const struct options *opts)
{
	struct load l = {
		.opts = opts,
		.crash = opts->flags & OPT_PANIC,
		.kernel_fd = -1,
		.initrd_fd = -1,
	};
	int err = load(&l);

	cleanup_close(&l.kernel_fd);
	cleanup_close(&l.initrd_fd);
	free(l.cmdline);
	return err ? EXIT_FAILED : EXIT_DONE;
}

int cmd_load_exec(const struct options *opts)
{
	int status = cmd_load(opts);

	return status ? status : cmd_exec(opts);
}
