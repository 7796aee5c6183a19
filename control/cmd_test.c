// SPDX-License-Identifier: GPL-2.0-or-later
/* test: a capture tried out, in a virtual machine or in earnest. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/cmd_test.h"
#include "control/commands.h"
#include "control/rehearsal/rehearsal.h"
#include "control/reserve.h"
#include "control/run.h"
#include "control/settings.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/util.h"

#define TIMEOUT_S     600u
#define MAX_TIMEOUT_S 86400u
#define DEVICES_MAX   (256u << 10)

enum {
	OPT_VM,
	OPT_MEMORY,
	OPT_TIMEOUT,
	OPT_TCG,
	OPT_CONSOLE,
	OPT_CRASH,
	OPT_YES,
	OPT_FORCE,
	OPT_RESULT,
};

const struct ctl_option test_options[] = {
	[OPT_VM] = { "vm", 0, NULL, "rehearse a capture in QEMU" },
	[OPT_MEMORY] = { "memory", 0, "MIB", "--vm: another memory than is reserved" },
	[OPT_TIMEOUT] = { "timeout", 0, "SECONDS", "--vm: longest time, 600" },
	[OPT_TCG] = { "tcg", 0, NULL, "--vm: do not try KVM" },
	[OPT_CONSOLE] = { "console", 0, "FILE", "--vm: write the console's text there" },
	[OPT_CRASH] = { "crash", 0, NULL, "crash this machine, now" },
	[OPT_YES] = { "yes", 0, NULL, "--crash: do not ask" },
	[OPT_FORCE] = { "force", 0, NULL, "--crash: also where check fails" },
	[OPT_RESULT] = { "result", 0, NULL, "tell what came of --crash" },
	{ 0 },
};

/* Which options go with which of --vm, --crash and --result. */
static const struct {
	int what;
	int options[4];
	unsigned nr_options;
} modes[] = {
	{ OPT_VM, { OPT_MEMORY, OPT_TIMEOUT, OPT_TCG, OPT_CONSOLE }, 4 },
	{ OPT_CRASH, { OPT_YES, OPT_FORCE }, 2 },
	{ OPT_RESULT, { 0 }, 0 },
};

/* An option's number; @value stays where it was not given. Return: 0 or -EINVAL, logged. */
static int number_of(const struct invocation *in, int opt, unsigned min, unsigned max,
		     unsigned *value)
{
	const char *text = in->value[opt];
	char *end;
	unsigned long n;

	if (!text)
		return 0;
	n = strtoul(text, &end, 10);
	if (strspn(text, "0123456789") != strlen(text) || end == text || n < min || n > max) {
		log_error("--%s takes a number from %u to %u", test_options[opt].name, min, max);
		return -EINVAL;
	}
	*value = (unsigned)n;
	return 0;
}

/* What is armed, or what start would arm if it had nothing to build. */
static int choose_image(struct rehearsal *r)
{
	_free_ char *path = ctl_path(r->in, SETTINGS_PATH);
	struct settings settings;
	bool known = !armed_read(r->in, &r->armed);
	int err = system_init(&r->sys, r->in, known && *r->armed.release ? r->armed.release : NULL);

	if (err)
		return err;
	r->is_armed = known && r->sys.loaded;
	if (r->is_armed)
		return 0;
	if (access(r->sys.image, F_OK)) {
		log_error("there is no crash image yet: \"" CTL_PROGRAM " rebuild\"");
		return -ENOENT;
	}
	if (!r->sys.vmlinuz) {
		log_error("no file of kernel %s in /boot or /lib/modules", r->sys.release);
		return -ENOENT;
	}
	err = path ? settings_read(path, &settings) : -ENOMEM;
	return err ? err : armed_compose(&r->sys, &settings, NULL, &r->armed);
}

static void compare_with_armed(struct rehearsal *r)
{
	char kernel[SHA256_HEX_BYTES], image[SHA256_HEX_BYTES];

	if (!armed_digest(r->armed.kernel, kernel) && !armed_digest(r->armed.image, image) &&
	    streq(kernel, r->armed.kernel_sha256) && streq(image, r->armed.sha256))
		return;
	rehearsal_tell(r, REHEARSAL_WARN, "image",
		       "it is not what was armed any more: \"" CTL_PROGRAM " start\"");
}

static int choose_memory(struct rehearsal *r)
{
	struct reserve need;
	uint64_t bytes = r->sys.reserved;

	if (r->in->value[OPT_MEMORY])
		return 0;
	if (!bytes) {
		if (reserve_of(&r->sys, &need)) {
			log_error("no memory is reserved here; --memory=MIB says how much it is to "
				  "be");
			return -EINVAL;
		}
		bytes = need.recommended;
		log_info("no memory is reserved here: %" PRIu64 " MiB, as \"" CTL_PROGRAM
			 " estimate\" recommends",
			 bytes >> 20);
	}
	r->memory_mib = (unsigned)MIN(bytes >> 20, (uint64_t)REHEARSAL_MAX_MIB);
	if (r->memory_mib < REHEARSAL_MIN_MIB) {
		log_error("%u MiB are too little for any kernel: --memory=MIB", r->memory_mib);
		return -EINVAL;
	}
	return 0;
}

const char *rehearsal_path(const struct rehearsal *r, const char *name, char buf[160])
{
	snprintf(buf, 160, "%s/%s", r->dir, name);
	return buf;
}

/* A ',' would mean something to QEMU. */
static int make_directory(struct rehearsal *r)
{
	const char *parent = getenv("TMPDIR");
	int err;

	if (!parent || *parent != '/' || strchr(parent, ',') || strlen(parent) > 64)
		parent = "/var/tmp";
	snprintf(r->dir, sizeof(r->dir), "%s/vmcorectl-test-XXXXXX", parent);
	if (mkdtemp(r->dir))
		return 0;
	err = -errno;
	log_error("%s: %s", r->dir, strerror(-err));
	*r->dir = '\0';
	return err;
}

static void remove_directory(const struct rehearsal *r)
{
	static const char *const names[] = { "core", "disk", "image", "report" };
	char path[160];

	if (!*r->dir)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unlink(rehearsal_path(r, names[i], path));
	rmdir(r->dir);
}

/* Programs that make file systems are often where only root's PATH leads. */
static int extend_path(void)
{
	const char *path = getenv("PATH");
	_free_ char *longer = NULL;

	if (asprintf(&longer, "%s:/usr/sbin:/sbin", path ?: "/usr/bin:/bin") < 0) {
		longer = NULL;
		return -ENOMEM;
	}
	return setenv("PATH", longer, 1) ? -errno : 0;
}

static int ask_qemu(char **devices_ret)
{
	static const char *const argv[] = { REHEARSAL_QEMU, "-device", "help", NULL };
	int err = extend_path();

	if (!err)
		err = run_read(argv, DEVICES_MAX, devices_ret, NULL);
	if (err == -ENOENT)
		log_error(REHEARSAL_QEMU " is not in PATH: install qemu-system-x86 (Fedora: "
					 "qemu-system-x86-core)");
	return err;
}

/* QEMU would say it less clearly. */
static int look_at_kernel(const struct rehearsal *r)
{
	int err = access(r->armed.kernel, R_OK) ? -errno : 0;

	if (err)
		log_error("%s: %s%s", r->armed.kernel, strerror(-err),
			  err == -EACCES ? "; try it as root" :
					   ": \"" CTL_PROGRAM " start\" arms what is there now");
	return err;
}

static int rehearse(struct rehearsal *r)
{
	_free_ char *devices = NULL;
	int err = choose_image(r);

	if (err)
		return err;
	kmod_init(&r->kmod, r->in->root, r->armed.release);
	err = look_at_kernel(r);
	if (!err)
		err = choose_memory(r);
	if (!err)
		err = rehearsal_image_look(r);
	if (!err)
		err = ask_qemu(&devices);
	if (!err)
		err = rehearsal_disk_choose(r, devices);
	if (!err)
		err = make_directory(r);
	if (!err)
		err = rehearsal_disk_make(r);
	if (!err && r->lent)
		err = rehearsal_lend(r);
	if (!err && r->is_armed)
		compare_with_armed(r);
	if (!err)
		err = rehearsal_vm_run(r);
	return err;
}

static int test_vm(const struct invocation *in)
{
	_free_ struct rehearsal *r = calloc(1, sizeof(*r));
	int err, status = CTL_FAILED;

	if (!r)
		return CTL_FAILED;
	r->in = in;
	r->timeout_s = TIMEOUT_S;
	r->tcg = in->value[OPT_TCG];
	r->console = in->value[OPT_CONSOLE];
	if (number_of(in, OPT_MEMORY, REHEARSAL_MIN_MIB, REHEARSAL_MAX_MIB, &r->memory_mib) ||
	    number_of(in, OPT_TIMEOUT, 10, MAX_TIMEOUT_S, &r->timeout_s))
		return CTL_USAGE;
	err = rehearse(r);
	remove_directory(r);
	if (!err) {
		rehearsal_judge(r);
		status = rehearsal_print(r) == REHEARSAL_FAIL ? CTL_NO : CTL_OK;
	}
	record_deinit(&r->record);
	kmod_deinit(&r->kmod);
	content_deinit(&r->content);
	system_deinit(&r->sys);
	return status;
}

/* Return: OPT_VM, OPT_CRASH or OPT_RESULT; -1 where it is not clear, logged. */
static int mode_of(const struct invocation *in)
{
	int what = -1;
	unsigned nr = 0;

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (in->value[modes[i].what]) {
			what = modes[i].what;
			nr++;
		}
	}
	if (nr != 1) {
		log_error("one of --vm, --crash and --result is needed; see --help");
		return -1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		for (unsigned k = 0; k < modes[i].nr_options && modes[i].what != what; k++) {
			if (!in->value[modes[i].options[k]])
				continue;
			log_error("--%s goes with --%s", test_options[modes[i].options[k]].name,
				  test_options[modes[i].what].name);
			return -1;
		}
	}
	return what;
}

int cmd_test(const struct invocation *in)
{
	switch (mode_of(in)) {
	case OPT_VM:
		return test_vm(in);
	case OPT_CRASH:
		return test_crash(in, in->value[OPT_YES], in->value[OPT_FORCE]);
	case OPT_RESULT:
		return test_result(in);
	default:
		return CTL_USAGE;
	}
}
