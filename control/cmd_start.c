// SPDX-License-Identifier: GPL-2.0-or-later
/* start, stop and rebuild: what the service does. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "control/armed.h"
#include "control/commands.h"
#include "control/image.h"
#include "control/run.h"
#include "control/settings.h"
#include "control/system.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/util.h"

enum {
	START_KERNEL,
	START_RELOAD,
};

enum {
	REBUILD_KERNEL,
	REBUILD_FORCE,
};

const struct ctl_option start_options[] = {
	[START_KERNEL] = { "kernel", 'k', "VERSION", "capture with this one, not the running one" },
	[START_RELOAD] = { "reload", 'r', NULL, "load it also where nothing changed" },
	{ 0 },
};

const struct ctl_option rebuild_options[] = {
	[REBUILD_KERNEL] = { "kernel", 'k', "VERSION", "the image of this one" },
	[REBUILD_FORCE] = { "force", 'f', NULL, "also where nothing changed" },
	{ 0 },
};

#define MAX_ARGS    32u	 /* of KEXEC_ARGS */
#define LOCK_WAIT_S 900u /* as the unit has it: longer than any build */

/* struct plan - What start and rebuild have in common. */
struct plan {
	struct system sys;
	struct config config;
	char *config_path;
	struct inputs now;
	enum image_state state;
	int lock_fd;
};

static int wait_for_lock(int fd)
{
	static const struct timespec step = { .tv_nsec = 100000000 };

	for (unsigned i = 0; flock(fd, LOCK_EX | LOCK_NB); i++) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (i == LOCK_WAIT_S * 10)
			return -ETIMEDOUT;
		if (!i)
			log_info("waiting for another " CTL_PROGRAM " that is at work");
		nanosleep(&step, NULL);
	}
	return 0;
}

/* The service, a hook of the kernel's package and a person do not build at once. */
static int lock(const struct invocation *in, int *fd_ret)
{
	_free_ char *directory = ctl_path(in, RUN_DIR), *path = ctl_path(in, RUN_DIR "/lock");
	int fd, err = 0;

	if (!directory || !path)
		return -ENOMEM;
	if (mkdir(directory, 0755) && errno != EEXIST)
		err = -errno;
	fd = err ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (!err && fd < 0)
		err = -errno;
	if (!err)
		err = wait_for_lock(fd);
	if (err) {
		log_error("%s: %s", path, strerror(-err));
		if (fd >= 0)
			close(fd);
		return err;
	}
	*fd_ret = fd;
	return 0;
}

static void say_difference(void *ctx, const char *name, const char *what)
{
	(void)ctx;
	log_info("%s: %s", what, name);
}

static void plan_deinit(struct plan *p)
{
	system_deinit(&p->sys);
	inputs_deinit(&p->now);
	free(p->config_path);
	if (p->lock_fd >= 0)
		close(p->lock_fd);
}

static int plan_init(struct plan *p, const struct invocation *in, const char *release)
{
	int err;

	*p = (struct plan){ .lock_fd = -1 };
	err = lock(in, &p->lock_fd);
	if (!err)
		err = system_init(&p->sys, in, release);
	if (!err)
		err = image_config(in, &p->config, &p->config_path);
	if (!err)
		err = image_look(&p->sys, &p->config, &p->now, &p->state, say_difference, NULL);
	return err;
}

/* Builds where it must be. An old image is better than none. */
static int refresh(struct plan *p, bool force)
{
	bool there = p->state != IMAGE_ABSENT;
	int err;

	if (p->state == IMAGE_FRESH && !force && !p->config.force_rebuild)
		return 0;
	if (there && !force && p->config.force_no_rebuild) {
		log_warn("%s is not built again, as force_no_rebuild says", p->sys.image);
		return 0;
	}
	if (!there)
		log_info("there is no crash image of %s yet", p->sys.release);
	err = image_build(&p->sys, p->config_path, &p->now);
	if (err && there)
		log_warn("the crash image stays as it was");
	else if (err)
		log_warn("there is no crash image, and so no dump: mend what is said above, then "
			 "\"" CTL_PROGRAM " start\"");
	return err;
}

int cmd_rebuild(const struct invocation *in)
{
	struct plan p;
	int err = plan_init(&p, in, in->value[REBUILD_KERNEL]);

	if (!err)
		err = refresh(&p, in->value[REBUILD_FORCE]);
	if (!err && p.state == IMAGE_FRESH && !in->value[REBUILD_FORCE] && !p.config.force_rebuild)
		log_info("%s is up to date", p.sys.image);
	plan_deinit(&p);
	return err ? CTL_FAILED : CTL_OK;
}

static int load(const struct armed *armed, char *args)
{
	_free_ char *initrd = NULL, *append = NULL;
	const char *argv[MAX_ARGS + 6];
	size_t n = 0;

	if (asprintf(&initrd, "--initrd=%s", armed->image) < 0 ||
	    asprintf(&append, "--append=%s", armed->cmdline) < 0)
		return -ENOMEM;
	argv[n++] = "kexec-loader";
	argv[n++] = "-p";
	argv[n++] = armed->kernel;
	argv[n++] = initrd;
	argv[n++] = append;
	for (char *save = NULL, *word = strtok_r(args, " \t", &save); word;
	     word = strtok_r(NULL, " \t", &save)) {
		if (n == MAX_ARGS + 5) {
			log_error(SETTINGS_PATH ": KEXEC_ARGS has more than %u words", MAX_ARGS);
			return -E2BIG;
		}
		argv[n++] = word;
	}
	argv[n] = NULL;
	n = (size_t)-run(argv);
	if (n == ENOENT)
		log_error("kexec-loader is not installed, or not in PATH");
	return -(int)n;
}

/* Whether what is to be armed is what is armed. */
static bool is_armed(const struct plan *p, const struct armed *armed)
{
	struct armed now;

	return p->sys.loaded && !armed_read(p->sys.in, &now) && streq(now.kernel, armed->kernel) &&
	       streq(now.kernel_sha256, armed->kernel_sha256) && streq(now.sha256, armed->sha256) &&
	       streq(now.cmdline, armed->cmdline);
}

static int arm(struct plan *p)
{
	_free_ char *path = ctl_path(p->sys.in, SETTINGS_PATH);
	struct settings settings;
	struct armed armed;
	int err = path ? settings_read(path, &settings) : -ENOMEM;

	if (err)
		return err;
	err = armed_compose(&p->sys, &settings, &p->now, &armed);
	if (err)
		return err;
	if (!p->sys.in->value[START_RELOAD] && is_armed(p, &armed)) {
		log_info("armed already: %s with %s", armed.kernel, armed.image);
		return 0;
	}
	armed_forget(p->sys.in);
	err = load(&armed, settings.kexec_args);
	if (!err)
		err = armed_write(p->sys.in, &armed);
	if (!err)
		log_info("armed: %s with %s", armed.kernel, armed.image);
	return err;
}

int cmd_start(const struct invocation *in)
{
	struct plan p;
	int err = plan_init(&p, in, in->value[START_KERNEL]);

	if (!err && !p.sys.reserved) {
		log_error("no memory is reserved for a capture kernel: \"" CTL_PROGRAM
			  " setup\", then reboot");
		err = -ENOMEM;
	}
	if (!err && !p.sys.vmlinuz) {
		log_error("no file of kernel %s in /boot or /lib/modules; --kernel=VERSION names "
			  "another",
			  p.sys.release);
		err = -ENOENT;
	}
	if (!err && refresh(&p, false) && p.state == IMAGE_ABSENT)
		err = -EIO;
	if (!err)
		err = arm(&p);
	plan_deinit(&p);
	return err ? CTL_FAILED : CTL_OK;
}

int cmd_stop(const struct invocation *in)
{
	static const char *const argv[] = { "kexec-loader", "-p", "-u", NULL };
	int fd, err = lock(in, &fd);

	if (err)
		return CTL_FAILED;
	err = run(argv);
	if (err == -ENOENT)
		log_error("kexec-loader is not installed, or not in PATH");
	if (!err) {
		armed_forget(in);
		log_info("nothing is armed any more");
	}
	close(fd);
	return err ? CTL_FAILED : CTL_OK;
}
