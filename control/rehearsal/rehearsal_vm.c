// SPDX-License-Identifier: GPL-2.0-or-later
/* QEMU: how it is called, and what its console says. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "control/rehearsal/rehearsal.h"
#include "control/rehearsal/rehearsal_core.h"
#include "control/run.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/cmdline.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define CMDLINE_MAX    2048u  /* COMMAND_LINE_SIZE of x86 */
#define KVM_SILENCE_MS 20000u /* there are machines where a guest under KVM never begins */
#define AFTER_END_MS   15000u /* for QEMU's end behind the last word: halt has none */
#define SPARE_MIB      24u    /* behind core and image: the firmware's tables */
#define MAX_ARGS       48u

/* What the rehearsal says itself; targets there come before ours. */
static const char *const replaced[] = {
	"vmcore_save.ext2",
	"vmcore_save.ext3",
	"vmcore_save.ext4",
	"vmcore_save.xfs",
	"vmcore_save.btrfs",
	"vmcore_save.vfat",
	"vmcore_save.raw",
	"vmcore_save.nfs",
	"vmcore_save.nfs4",
	"vmcore_save.ssh",
	"vmcore_save.virtiofs",
	"vmcore_save.9p",
	"vmcore_save.path",
	"vmcore_save.mount_options",
	"vmcore_save.vmcore",
	"vmcore_save.report",
	"mem",
	"elfcorehdr",
	NULL,
};

static volatile sig_atomic_t asked_to_end;

static void note_signal(int signal)
{
	(void)signal;
	asked_to_end = 1;
}

/* struct watch - One run under way. @line: what of it has come so far */
struct watch {
	struct rehearsal_run *run;
	uint64_t start_ms, heard_ms;
	int log_fd;
	char line[REHEARSAL_LINE_SIZE];
	size_t len;
};

static uint64_t core_address(const struct rehearsal *r)
{
	return ROUND_UP((uint64_t)r->memory_mib << 20, (uint64_t)REHEARSAL_CORE_BYTES);
}

static int write_core(const struct rehearsal *r)
{
	_free_ void *core = rehearsal_core_make(core_address(r), time(NULL));
	_close_ int fd = -1;
	char path[160];
	int err = -ENOMEM;

	rehearsal_path(r, "core", path);
	if (core) {
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		err = fd < 0 ? -errno : io_write_full(fd, core, REHEARSAL_CORE_BYTES);
	}
	if (err)
		log_error("%s: %s", path, strerror(-err));
	return err;
}

/* Only what lies below @memory_mib counts as memory; a crashed kernel's lies behind. */
static int compose(const struct rehearsal *r, bool kvm, char cmdline[CMDLINE_MAX])
{
	const struct config_target *t = &r->stand_in;
	char kept[sizeof(r->armed.cmdline)];
	int n;

	if (cmdline_remove(r->armed.cmdline, replaced, kept, sizeof(kept)))
		return -E2BIG;
	n = snprintf(cmdline, CMDLINE_MAX,
		     "%s console=ttyS0%s mem=%uM elfcorehdr=%#" PRIx64
		     " vmcore_save.%s=%s vmcore_save.path=\"%s\"%s%s "
		     "vmcore_save.report=/dev/ttyS1",
		     kept, kvm ? "" : " no_timer_check", r->memory_mib, core_address(r), t->type,
		     t->where, t->path, *t->options ? " vmcore_save.mount_options=" : "",
		     t->options);
	if (n > 0 && n < (int)CMDLINE_MAX)
		return 0;
	log_error("the capture kernel's command line is too long to add to it");
	return -E2BIG;
}

/* @text: room for all that is not constant */
struct call {
	char memory[16], core[256], disk[256], report[176], image[160];
	char cmdline[CMDLINE_MAX];
	const char *argv[MAX_ARGS];
};

static int prepare(const struct rehearsal *r, bool kvm, struct call *c)
{
	const char *image = r->lent ? rehearsal_path(r, "image", c->image) : r->armed.image;
	char path[160];
	struct stat sb;
	size_t n = 0;
	int err = compose(r, kvm, c->cmdline);

	if (err)
		return err;
	if (stat(image, &sb))
		return -errno;
	snprintf(c->memory, sizeof(c->memory), "%" PRIu64 "M",
		 ((core_address(r) + REHEARSAL_CORE_BYTES) >> 20) +
			 DIV_ROUND_UP((uint64_t)sb.st_size, 1u << 20) + SPARE_MIB);
	snprintf(c->core, sizeof(c->core), "loader,file=%s,addr=%#" PRIx64 ",force-raw=on",
		 rehearsal_path(r, "core", path), core_address(r));
	snprintf(c->disk, sizeof(c->disk), "if=none,id=scratch,format=raw,cache=unsafe,file=%s",
		 rehearsal_path(r, "disk", path));
	snprintf(c->report, sizeof(c->report), "file:%s", rehearsal_path(r, "report", path));
	const char *const fixed[] = {
		REHEARSAL_QEMU,
		"-M",
		"q35",
		"-accel",
		kvm ? "kvm" : "tcg",
		"-cpu",
		kvm ? "host" : "max",
		"-m",
		c->memory,
		"-nodefaults",
		"-no-user-config",
		"-display",
		"none",
		"-monitor",
		"none",
		"-no-reboot",
		"-serial",
		"stdio",
		"-serial",
		c->report,
		"-kernel",
		r->armed.kernel,
		"-initrd",
		image,
		"-append",
		c->cmdline,
		"-device",
		c->core,
		"-drive",
		c->disk,
	};

	_Static_assert(ARRAY_SIZE(fixed) + 5 <= MAX_ARGS, "all arguments fit");
	memcpy(c->argv, fixed, sizeof(fixed));
	n = ARRAY_SIZE(fixed);
	for (size_t i = 0; i < ARRAY_SIZE(r->disk->args) && r->disk->args[i]; i++) {
		c->argv[n++] = "-device";
		c->argv[n++] = r->disk->args[i];
	}
	c->argv[n] = NULL;
	return 0;
}

/* "[    3.8] vmcore-save[  0.0] STEP: TEXT": what is behind STEP; NULL of others. */
static const char *said_in(const char *line, const char *step)
{
	const char *at = strstr(line, "vmcore-save[");

	at = at ? strchr(at, ']') : NULL;
	at = at ? after_prefix(at, "] ") : NULL;
	at = at ? after_prefix(at, step) : NULL;
	return at ? after_prefix(at, ": ") : NULL;
}

static void copy_line(char to[REHEARSAL_LINE_SIZE], const char *line)
{
	snprintf(to, REHEARSAL_LINE_SIZE, "%s", line);
}

static void take_line(struct watch *w)
{
	struct rehearsal_run *run = w->run;
	const uint64_t at = MAX(clock_ms() - w->start_ms, (uint64_t)1);
	const char *done, *panic = strstr(w->line, "Kernel panic - not syncing");

	w->line[w->len] = '\0';
	w->len = 0;
	copy_line(run->tail[run->nr_lines++ % REHEARSAL_TAIL_LINES], w->line);
	if (!run->init_ms && said_in(w->line, "start"))
		run->init_ms = at;
	done = said_in(w->line, "done") ?: said_in(w->line, "shell");
	if (done && !run->done_ms) {
		run->done_ms = at;
		copy_line(run->done, done);
	}
	if (panic && !*run->panic)
		copy_line(run->panic, panic);
}

/* Return: false at the end. */
static bool hear(struct watch *w, int fd)
{
	char buf[4096];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n <= 0)
		return n < 0 && errno == EINTR;
	if (w->log_fd >= 0 && io_write_full(w->log_fd, buf, (size_t)n)) {
		log_warn("the console's text cannot be written: %s", strerror(errno));
		cleanup_close(&w->log_fd);
		w->log_fd = -1;
	}
	w->heard_ms = clock_ms() - w->start_ms;
	if (!w->run->spoke_ms)
		w->run->spoke_ms = MAX(w->heard_ms, (uint64_t)1);
	for (ssize_t i = 0; i < n; i++) {
		if (buf[i] == '\n')
			take_line(w);
		else if (buf[i] && buf[i] != '\r' && w->len < sizeof(w->line) - 1)
			w->line[w->len++] = buf[i];
	}
	return true;
}

/* Whether it has to be ended. */
static bool is_over(const struct rehearsal *r, const struct watch *w, uint64_t now_ms)
{
	const struct rehearsal_run *run = w->run;

	if (asked_to_end || now_ms >= r->timeout_s * UINT64_C(1000))
		return true;
	if (run->kvm && !run->init_ms && now_ms - w->heard_ms >= KVM_SILENCE_MS)
		return true;
	if (*run->panic && now_ms - w->heard_ms >= AFTER_END_MS)
		return true;
	return run->done_ms && now_ms - run->done_ms >= AFTER_END_MS;
}

static void watch(const struct rehearsal *r, struct watch *w, int fd, pid_t pid)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	for (;;) {
		const uint64_t now_ms = clock_ms() - w->start_ms;

		if (is_over(r, w, now_ms)) {
			kill(pid, SIGKILL);
			break;
		}
		if (poll(&p, 1, 200) > 0 && !hear(w, fd)) {
			w->run->ended = true;
			break;
		}
	}
	if (w->len)
		take_line(w);
	w->run->end_ms = clock_ms() - w->start_ms;
}

static int open_log(const struct rehearsal *r, int *fd_ret)
{
	int err;

	*fd_ret = -1;
	if (!r->console)
		return 0;
	*fd_ret = open(r->console, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (*fd_ret >= 0)
		return 0;
	err = -errno;
	log_error("%s: %s", r->console, strerror(-err));
	return err;
}

static int run_once(struct rehearsal *r, bool kvm)
{
	_free_ struct call *call = calloc(1, sizeof(*call));
	struct watch w = { .run = &r->run, .start_ms = clock_ms() };
	int fds[2], err = call ? prepare(r, kvm, call) : -ENOMEM, status;
	pid_t pid;

	r->run = (struct rehearsal_run){ .kvm = kvm };
	if (!err)
		err = open_log(r, &w.log_fd);
	if (err)
		return err;
	if (pipe2(fds, O_CLOEXEC)) {
		err = -errno;
		cleanup_close(&w.log_fd);
		return err;
	}
	err = run_start(call->argv, fds[1], &pid);
	close(fds[1]);
	if (!err) {
		watch(r, &w, fds[0], pid);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	close(fds[0]);
	cleanup_close(&w.log_fd);
	return err;
}

static void read_report(struct rehearsal *r)
{
	_free_ char *text = NULL;
	const char *begin, *why;
	char path[160];

	if (io_read_file(rehearsal_path(r, "report", path), RECORD_MAX_BYTES, &text, NULL))
		return;
	begin = strchr(text, '{');
	r->recorded = begin && !record_parse(begin, strlen(begin), &r->record, &why);
}

int rehearsal_vm_run(struct rehearsal *r)
{
	const struct sigaction action = { .sa_handler = note_signal };
	const bool kvm = !r->tcg && !access("/dev/kvm", R_OK | W_OK);
	int err = write_core(r);

	if (err)
		return err;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	err = run_once(r, kvm);
	if (!err && kvm && !r->run.init_ms && !asked_to_end) {
		log_info("under KVM nothing starts here: once more without, which is slower");
		err = run_once(r, false);
	}
	if (!err && asked_to_end)
		err = -EINTR;
	if (!err)
		read_report(r);
	return err;
}
