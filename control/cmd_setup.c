// SPDX-License-Identifier: GPL-2.0-or-later
/* setup: from an installed package to an armed machine, and back. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "control/boot/bootcfg.h"
#include "control/commands.h"
#include "control/reserve.h"
#include "control/run.h"
#include "control/system.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/util.h"

enum {
	SETUP_CRASHKERNEL,
	SETUP_REMOVE,
	SETUP_DRY_RUN,
};

const struct ctl_option setup_options[] = {
	[SETUP_CRASHKERNEL] = { "crashkernel", 'c', "SIZE",
				"reserve so much, in the kernel's words; default 192M" },
	[SETUP_REMOVE] = { "remove", 0, NULL, "undo: reserve what was before, arm no more" },
	[SETUP_DRY_RUN] = { "dry-run", 'n', NULL, "only say what would be done" },
	{ 0 },
};

/* Room for a stock kernel with any driver in a tiny image: docs/measurements.md. */
#define DEFAULT_VALUE "192M"
#define DEFAULT_MIB   192

/* struct outcome - What there is to tell. */
struct outcome {
	struct bootcfg cfg;
	char value[BOOTCFG_VALUE_SIZE]; /* in force from the next boot on; "" for none */
	bool known;			/* the boot loader is */
	bool changed, reboot;
	char left[512]; /* what is still to be done, "" for nothing */
};

static bool dry(const struct invocation *in)
{
	return in->value[SETUP_DRY_RUN];
}

static void set_value(struct outcome *o, const char *value)
{
	snprintf(o->value, sizeof(o->value), "%s", value);
}

/* @value: NULL for what was there before. */
static int change(const struct invocation *in, struct outcome *o, const char *value)
{
	const char *path;

	if (streq(o->cfg.ours, value ? value : "") && !o->cfg.mixed)
		return 0;
	o->changed = !o->cfg.by_hand;
	if (!dry(in) || o->cfg.by_hand)
		return bootcfg_set(in, &o->cfg, value);
	for (size_t i = 0; i < o->cfg.nr_files; i++) {
		path = bootcfg_path(&o->cfg, i);
		if (path && value)
			log_info("%s would get crashkernel=%s", path, value);
		else if (path)
			log_info("%s would get what it had before", path);
	}
	return 0;
}

/* Somebody else's word counts unless another one is asked for, and then it has to go first. */
static int reserve_beside(const struct invocation *in, struct outcome *o, const char *wanted)
{
	if (wanted && !streq(wanted, o->cfg.foreign_value)) {
		log_error("%s sets crashkernel=%s: take it out there first", o->cfg.foreign,
			  o->cfg.foreign_value);
		return -EEXIST;
	}
	log_info("%s sets crashkernel=%s already: it stays", o->cfg.foreign, o->cfg.foreign_value);
	set_value(o, o->cfg.foreign_value);
	return change(in, o, NULL);
}

static int reserve(const struct invocation *in, struct outcome *o)
{
	const char *wanted = in->value[SETUP_CRASHKERNEL];

	if (wanted && !bootcfg_value_valid(wanted)) {
		log_error("--crashkernel=%s: a size such as 192M, or what the kernel's "
			  "documentation has for crashkernel=",
			  wanted);
		return -EINVAL;
	}
	if (!wanted && o->cfg.mixed && strchr(o->cfg.ours, '?')) {
		log_error("%s has a crashkernel= that is not understood, and not everywhere: say "
			  "which one is to be there by --crashkernel=SIZE",
			  o->cfg.name);
		return -EINVAL;
	}
	if (*o->cfg.foreign)
		return reserve_beside(in, o, wanted);
	set_value(o, wanted ? wanted : *o->cfg.ours ? o->cfg.ours : DEFAULT_VALUE);
	return o->known ? change(in, o, o->value) : 0;
}

static int service(const struct invocation *in, bool on)
{
	const char *const systemd[] = { "systemctl", on ? "enable" : "disable",
					"vmcore-save.service", NULL };
	const char *const sysv[] = { "update-rc.d", "vmcore-save", on ? "defaults" : "remove",
				     NULL };
	const char *const *argv = access("/run/systemd/system", F_OK) ? sysv : systemd;
	int err;

	if (*in->root || dry(in)) {
		log_info("the service %s be %s%s", dry(in) ? "would" : "is still to",
			 on ? "enabled" : "disabled", *in->root ? " on the system itself" : "");
		return 0;
	}
	err = run(argv);
	if (err == -ENOENT) {
		log_warn("neither systemctl nor update-rc.d: have \"" CTL_PROGRAM
			 " start\" run at boot yourself");
		err = 0;
	}
	return err;
}

/* Another command, as if it had been typed. */
static int call(const struct invocation *in, const char *name)
{
	struct invocation other = { .command = command_find(name), .root = in->root };

	return other.command->run(&other) == CTL_OK ? 0 : -EIO;
}

static bool reserved(const struct invocation *in)
{
	struct system sys;
	bool is = !system_init(&sys, in, NULL) && sys.reserved;

	system_deinit(&sys);
	return is;
}

/* What nobody chose becomes larger where this kernel or a full image needs it. */
static int enlarge(const struct invocation *in, struct outcome *o)
{
	struct reserve need = { 0 };
	struct system sys;

	if (in->value[SETUP_CRASHKERNEL] || *o->cfg.foreign || !streq(o->value, DEFAULT_VALUE))
		return 0;
	if (!system_init(&sys, in, NULL) && !reserve_of(&sys, &need)) {
		log_info("this kernel and image take about %" PRIu64 " MiB, %" PRIu64
			 " are recommended",
			 need.smallest >> 20, need.recommended >> 20);
	}
	system_deinit(&sys);
	if (need.recommended >> 20 <= DEFAULT_MIB)
		return 0;
	snprintf(o->value, sizeof(o->value), "%" PRIu64 "M", need.recommended >> 20);
	return o->known ? change(in, o, o->value) : 0;
}

/* What no program does here. */
static void note_left(const struct invocation *in, struct outcome *o)
{
	_free_ char *words = bootcfg_words(o->value);

	memcpy(o->left, o->cfg.left, sizeof(o->left));
	if (o->known)
		return;
	if (!in->value[SETUP_REMOVE])
		snprintf(o->left, sizeof(o->left),
			 "no boot loader whose configuration is known here: add %s to the kernel's "
			 "command line yourself",
			 words ? words : "crashkernel=");
	else if (reserved(in))
		snprintf(o->left, sizeof(o->left),
			 "no boot loader whose configuration is known here: take crashkernel= out "
			 "of the kernel's command line yourself");
}

static int set_up(const struct invocation *in, struct outcome *o)
{
	int err = reserve(in, o);

	if (!err)
		err = service(in, true);
	if (!err && !dry(in) && !*in->root)
		err = call(in, reserved(in) ? "start" : "rebuild");
	if (!err)
		err = enlarge(in, o);
	o->reboot = o->changed || !reserved(in);
	if (!err)
		note_left(in, o);
	if (err || dry(in) || *in->root)
		return err;
	if (o->reboot)
		log_info("%sreboot, so that the memory is reserved; \"" CTL_PROGRAM
			 " status\" then says armed",
			 *o->left ? "then " : "");
	return err;
}

/* What we have not set is somebody else's, and stays. */
static int take_down(const struct invocation *in, struct outcome *o)
{
	int err = o->cfg.remembered || o->cfg.by_hand ? change(in, o, NULL) : 0;
	const char *file = o->cfg.nr_files ? bootcfg_path(&o->cfg, 0) : NULL;

	if (*o->cfg.foreign || (!o->changed && *o->cfg.ours && !o->cfg.by_hand))
		log_warn("%s sets crashkernel=%s, and not by " CTL_PROGRAM ": it stays",
			 *o->cfg.foreign ? o->cfg.foreign : file,
			 *o->cfg.foreign ? o->cfg.foreign_value : o->cfg.ours);
	if (!dry(in) || !o->changed)
		set_value(o, *o->cfg.foreign ? o->cfg.foreign_value : o->cfg.ours);
	o->reboot = o->changed;
	note_left(in, o);
	if (!err)
		err = service(in, false);
	if (!err && !dry(in) && !*in->root && reserved(in))
		err = call(in, "stop");
	return err;
}

static void print_json(const struct outcome *o)
{
	const char *file = NULL;
	struct json j;

	json_init(&j, stdout);
	json_object(&j, NULL);
	json_string(&j, "boot_loader", o->known ? o->cfg.name : NULL);
	for (size_t i = 0; i < o->cfg.nr_files && !file; i++)
		file = bootcfg_path(&o->cfg, i);
	json_string(&j, "file", file);
	json_array(&j, "files");
	for (size_t i = 0; i < o->cfg.nr_files; i++) {
		if (bootcfg_path(&o->cfg, i))
			json_string(&j, NULL, bootcfg_path(&o->cfg, i));
	}
	json_end(&j, ']');
	json_string(&j, "crashkernel", *o->value ? o->value : NULL);
	json_string(&j, "left_to_do", *o->left ? o->left : NULL);
	json_bool(&j, "changed", o->changed);
	json_bool(&j, "reboot_needed", o->reboot);
	json_end(&j, '}');
}

static void print_text(const struct outcome *o)
{
	if (*o->left)
		printf("still to be done: %s\n", o->left);
	else
		printf("%s%s%s\n", *o->value ? "crashkernel=" : "no crashkernel=", o->value,
		       o->reboot ? ", from the next boot on" : "");
}

int cmd_setup(const struct invocation *in)
{
	struct outcome o = { 0 };
	int err = bootcfg_find(in, &o.cfg);

	o.known = !err;
	if (err == -ENODEV)
		err = 0;
	if (!err)
		err = in->value[SETUP_REMOVE] ? take_down(in, &o) : set_up(in, &o);
	if (!err && in->json)
		print_json(&o);
	else if (!err)
		print_text(&o);
	bootcfg_deinit(&o.cfg);
	if (err)
		return CTL_FAILED;
	return *o.left && (in->value[SETUP_REMOVE] || !reserved(in)) ? CTL_NO : CTL_OK;
}
