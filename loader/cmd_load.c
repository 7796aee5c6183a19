// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/cmdline.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"
#include "loader/input.h"
#include "loader/kexec_load.h"
#include "loader/loader.h"

/* No architecture takes a longer command line (s390: 4096 by default, 64 KiB at most). */
#define CMDLINE_MAX 65536

/* struct load - All that one load needs. */
struct load {
	const struct options *opts;
	bool crash;
	struct input in;
	struct facts facts;
	char *cmdline;
};

static int compose_cmdline(struct load *l)
{
	uint64_t limit = l->in.image.cmdline_size;
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
	err = command_line_compose(l->opts, running, l->in.cmdline, l->cmdline, CMDLINE_MAX);
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

	err = input_open(opts, &l->in);
	if (!err)
		err = compose_cmdline(l);
	if (err)
		return err;
	warn_crashkernel(l);
	l->facts.kernel = opts->kernel;
	l->facts.kernel_size = l->in.kernel_size;
	l->facts.initrd_size = l->in.initrd_size;
	l->facts.image = &l->in.image;
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

static const char *initrd_name(const struct load *l)
{
	if (l->opts->initrd)
		return l->opts->initrd;
	if (l->in.initrd_fd < 0)
		return "(none)";
	return l->opts->flags & OPT_REUSE_INITRD ? "(the one in use)" : "(the image's own)";
}

static void debug_plan(const struct load *l)
{
	char kernel[32], initrd[32], needs[32];

	log_debug("kernel %s: %s, %s, boot protocol %u.%u, %s", l->opts->kernel, l->in.image.what,
		  errors_format_size(l->facts.kernel_size, kernel, sizeof(kernel)),
		  l->in.image.protocol >> 8, l->in.image.protocol & 0xff,
		  l->in.image.has_signature ? "signed" : "not signed");
	if (l->in.wrapping)
		log_debug("it was taken out of %s", l->in.wrapping);
	log_debug("initrd %s: %s", initrd_name(l),
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

static void explain(const struct load *l, int err, const char *why)
{
	struct kexec_status now;
	char table[1024];

	if (!*why)
		errors_explain(l->crash ? OP_LOAD_PANIC : OP_LOAD, -err, &l->facts, table,
			       sizeof(table));
	log_error("%s", *why ? why : table);
	status_read("", &now);
	if (l->crash && l->facts.status.crash_loaded == 1 && now.crash_loaded == 0)
		log_warn("the capture kernel that was loaded before is gone: until one is loaded, "
			 "a panic leaves no dump");
}

/* struct mapped - A file in memory, until unmap(). */
struct mapped {
	void *data;
	size_t len;
};

static int map(int fd, uint64_t size, struct mapped *ret)
{
	void *data;

	if (size > SIZE_MAX)
		return -EFBIG;
	data = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	*ret = (struct mapped){ data, size };
	return 0;
}

static void unmap(struct mapped *m)
{
	if (m->data)
		munmap(m->data, m->len);
}

/* The port that a PC has first; --serial= names another. */
#define COM1 0x3f8

static unsigned request_flags(unsigned opts)
{
	return (opts & OPT_NO_CHECKS ? KEXEC_LOAD_NO_CHECK : 0) |
	       (opts & OPT_NO_EFI ? KEXEC_LOAD_NO_EFI : 0) |
	       (opts & OPT_HOTPLUG ? KEXEC_LOAD_HOTPLUG : 0) |
	       (opts & OPT_ENTRY_32 ? KEXEC_LOAD_ENTRY_32 : 0);
}

/*
 * What is about kexec_load(2), in which there is no file that a policy could look at. EPERM is
 * lockdown's. EACCES is IMA's, which is asked before it under Secure Boot, and without lockdown,
 * too (kernel: ima_load_data() in security/integrity/ima/ima_main.c).
 */
static void explain_load_call(const struct facts *facts, int err, char *why)
{
	char who[64] = "";

	if (*facts->lockdown && !streq(facts->lockdown, "none"))
		snprintf(who, sizeof(who), "the kernel is locked down (%s) and", facts->lockdown);
	else if (err == -EACCES)
		snprintf(who, sizeof(who), "a security policy (IMA or SELinux)");
	if (*who)
		snprintf(why, WHY_SIZE,
			 "%s takes nothing by kexec_load(2), signed or not: load a signed kernel "
			 "by kexec_file_load(2), without -c and what asks for it",
			 who);
}

/* @why: WHY_SIZE bytes, gets a sentence or nothing */
static int load_segments(const struct load *l, char *why)
{
	__cleanup(unmap) struct mapped kernel = { 0 }, initrd = { 0 };
	const struct options *opts = l->opts;
	struct kexec_request req = {
		.crash = l->crash,
		.flags = request_flags(opts->flags),
		.cmdline = l->cmdline,
		.mem_min = opts->mem_min,
		.mem_max = opts->mem_max == UINT64_MAX ? 0 : opts->mem_max + 1,
		.serial_port = opts->serial_port,
		.serial_baud = opts->serial_baud,
	};
	int err = map(l->in.kernel_fd, l->in.kernel_size, &kernel);

	if (!err && l->in.initrd_fd >= 0)
		err = map(l->in.initrd_fd, l->in.initrd_size, &initrd);
	if (err)
		return err;
	if (!req.serial_port && (opts->flags & OPT_CONSOLE_SERIAL))
		req.serial_port = COM1;
	req.kernel = kernel.data;
	req.kernel_len = kernel.len;
	req.initrd = initrd.data;
	req.initrd_len = initrd.len;
	err = kexec_load(&req, why);
	if ((err == -EPERM || err == -EACCES) && !*why)
		explain_load_call(&l->facts, err, why);
	return err;
}

static int load_files(const struct load *l)
{
	unsigned long flags = 0;

	if (l->crash)
		flags |= KEXEC_FILE_ON_CRASH;
	if (l->in.initrd_fd < 0)
		flags |= KEXEC_FILE_NO_INITRAMFS;
	if (l->opts->flags & OPT_DEBUG)
		flags |= KEXEC_FILE_DEBUG;
	return syscall_kexec_file(l->in.kernel_fd, l->in.initrd_fd, l->cmdline, flags);
}

/*
 * What says that this call cannot load this, not that nobody may. A signature that is missing
 * or refused has other numbers: the load call checks none, and would let it pass.
 */
static bool may_fall_back(int err)
{
	return err == -ENOSYS || err == -EINVAL || err == -ENOEXEC || err == -EOPNOTSUPP;
}

static int load_by_call(const struct load *l, char *why)
{
	unsigned calls = input_calls(l->opts, &l->in.image, why, WHY_SIZE);
	int err;

	if (!calls)
		return -EOPNOTSUPP;
	*why = '\0';
	if (!(calls & IMAGE_FILE_CALL))
		return load_segments(l, why);
	err = load_files(l);
	if (!err || !(calls & IMAGE_LOAD_CALL) || !may_fall_back(err))
		return err;
	log_debug("kexec_file_load: %s; trying kexec_load", strerror(-err));
	return load_segments(l, why);
}

static int load(struct load *l)
{
	uint64_t start, ms;
	char why[WHY_SIZE] = "";
	int err = prepare(l);

	if (err)
		return err;
	debug_plan(l);
	start = clock_ms();
	err = foresee(l);
	if (!err)
		err = load_by_call(l, why);
	if (err) {
		explain(l, err, why);
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
		.in = { .kernel_fd = -1, .initrd_fd = -1 },
	};
	int err = load(&l);

	input_close(&l.in);
	free(l.cmdline);
	return err ? EXIT_FAILED : EXIT_DONE;
}

int cmd_load_exec(const struct options *opts)
{
	int status = cmd_load(opts);

	return status ? status : cmd_exec(opts);
}
