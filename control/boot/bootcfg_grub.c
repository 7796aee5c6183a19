// SPDX-License-Identifier: GPL-2.0-or-later
/* GRUB without entries: grub-mkconfig makes its configuration of /etc/default/grub. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/boot/bootcfg_private.h"
#include "control/run.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/util.h"

#define MAX_INFO (1u << 20)

static const char *const default_first[] = { "GRUB_CMDLINE_LINUX_DEFAULT", "GRUB_CMDLINE_LINUX",
					     NULL };
static const char *const linux_first[] = { "GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT",
					   NULL };

/* ---- Debian's: it reads the .cfg files in /etc/default/grub.d as well */

/* Debian's patch default_grub_d.patch; other distributions' GRUB does not. */
static bool reads_directory(const struct invocation *in)
{
	static const char *const scripts[] = { "/usr/sbin/grub-mkconfig",
					       "/usr/bin/grub-mkconfig" };

	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		_free_ char *text = NULL;

		if (bootcfg_is_there(in, scripts[i]) && !bootcfg_load(in, scripts[i], &text, NULL))
			return strstr(text, "default/grub.d") != NULL;
	}
	return !bootcfg_is_there(in, "/usr/sbin/grub2-mkconfig") &&
	       (bootcfg_is_there(in, "/usr/sbin/update-grub") || bootcfg_is_there(in, GRUB_DIR));
}

static bool debian_present(const struct invocation *in)
{
	return bootcfg_is_there(in, GRUB_FILE) && reads_directory(in);
}

/* Notes a crashkernel= that is somebody else's. */
static int look_for_foreign(const struct invocation *in, struct bootcfg *cfg, const char *path)
{
	_free_ char *text = NULL;
	char value[BOOTCFG_VALUE_SIZE];
	int err = bootcfg_load(in, path, &text, NULL);

	if (err)
		return err == -ENOENT ? 0 : err;
	if (bootcfg_value_in(text, value)) {
		snprintf(cfg->foreign, sizeof(cfg->foreign), "%s", path);
		memcpy(cfg->foreign_value, value, sizeof(value));
	}
	return 0;
}

static int debian_list(const struct invocation *in, struct bootcfg *cfg)
{
	struct bootcfg_file *ours = bootcfg_add(cfg, GRUB_OURS, &bootcfg_form_shell, default_first,
						BOOTCFG_INSERT | BOOTCFG_OURS);
	struct bootcfg_paths paths = { 0 };
	int err = look_for_foreign(in, cfg, GRUB_FILE);

	bootcfg_scan(in, GRUB_DIR, "", ".cfg", &paths);
	for (size_t i = 0; !err && i < paths.nr; i++) {
		if (!streq(paths.path[i], GRUB_OURS))
			err = look_for_foreign(in, cfg, paths.path[i]);
	}
	bootcfg_paths_deinit(&paths);
	if (err || !ours)
		return err ? err : -ENOMEM;
	ours->seed = strdup("# Written by \"" CTL_PROGRAM " setup\"; \"" CTL_PROGRAM
			    " setup --remove\" takes it away.\n"
			    "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT\"\n");
	if (!ours->seed ||
	    !bootcfg_add(cfg, "/boot/grub/grub.cfg", &bootcfg_form_grubcfg, NULL, BOOTCFG_LOOK))
		return -ENOMEM;
	return 0;
}

static int make(const char *program, const char *cfg)
{
	const char *const argv[] = { program, "-o", cfg, NULL };

	return run(argv);
}

static int debian_apply(const struct invocation *in, const char *value)
{
	static const char *const argv[] = { "update-grub", NULL };
	int err = run(argv);

	(void)in, (void)value;
	return err == -ENOENT ? make("grub-mkconfig", "/boot/grub/grub.cfg") : err;
}

/* A file that is read after ours and forgets it. Return: whether there is one, and it was told. */
static bool tell_culprit(const struct invocation *in, const char *value)
{
	struct bootcfg_paths paths = { 0 };
	bool found = false;

	bootcfg_scan(in, GRUB_DIR, "", ".cfg", &paths);
	for (size_t i = 0; !found && i < paths.nr; i++) {
		_free_ char *text = NULL;
		unsigned line = 0;

		if (strcmp(paths.path[i], GRUB_OURS) > 0 &&
		    !bootcfg_load(in, paths.path[i], &text, NULL))
			line = bootcfg_grubcfg_resets(text);
		found = line != 0;
		if (found)
			log_error("%s:%u sets GRUB_CMDLINE_LINUX_DEFAULT anew, after " GRUB_OURS
				  " has put " BOOTCFG_WORD "%s there: begin its value with "
				  "$GRUB_CMDLINE_LINUX_DEFAULT, and run \"" CTL_PROGRAM
				  " setup\" again",
				  paths.path[i], line, value);
	}
	bootcfg_paths_deinit(&paths);
	return found;
}

static int grub_check(const struct invocation *in, struct bootcfg *cfg, const char *value)
{
	if (!value || (!*in->root && !cfg->mixed))
		return 0;
	if (cfg->ops == &bootcfg_grub_debian && tell_culprit(in, value))
		return -EEXIST;
	if (!cfg->mixed)
		return 0;
	log_error("GRUB's configuration has been made, but not all its lines for Linux "
		  "have " BOOTCFG_WORD "%s: look into %s and /etc/grub.d for what takes it away",
		  value, GRUB_FILE);
	return -EIO;
}

const struct bootcfg_ops bootcfg_grub_debian = {
	.name = "GRUB",
	.present = debian_present,
	.list = debian_list,
	.apply = debian_apply,
	.check = grub_check,
};

/* ---- openSUSE's, Arch's and others: /etc/default/grub alone */

static bool is_grub2(const struct invocation *in)
{
	return bootcfg_is_there(in, "/boot/grub2/grub.cfg") ||
	       bootcfg_is_there(in, "/usr/sbin/grub2-mkconfig");
}

static bool mkconfig_present(const struct invocation *in)
{
	return bootcfg_is_there(in, GRUB_FILE) &&
	       (is_grub2(in) || bootcfg_is_there(in, "/boot/grub/grub.cfg") ||
		bootcfg_is_there(in, "/usr/bin/grub-mkconfig") ||
		bootcfg_is_there(in, "/usr/sbin/grub-mkconfig"));
}

static int mkconfig_list(const struct invocation *in, struct bootcfg *cfg)
{
	const char *made = is_grub2(in) ? "/boot/grub2/grub.cfg" : "/boot/grub/grub.cfg";

	if (!bootcfg_add(cfg, GRUB_FILE, &bootcfg_form_shell, default_first, BOOTCFG_INSERT) ||
	    !bootcfg_add(cfg, made, &bootcfg_form_grubcfg, NULL, BOOTCFG_LOOK))
		return -ENOMEM;
	return 0;
}

static int mkconfig_apply(const struct invocation *in, const char *value)
{
	(void)value;
	return is_grub2(in) ? make("grub2-mkconfig", "/boot/grub2/grub.cfg") :
			      make("grub-mkconfig", "/boot/grub/grub.cfg");
}

const struct bootcfg_ops bootcfg_grub_mkconfig = {
	.name = "GRUB",
	.present = mkconfig_present,
	.list = mkconfig_list,
	.apply = mkconfig_apply,
	.check = grub_check,
};

/* ---- grubby(8), where there are no entries: it knows what it changes */

static bool grubby_present(const struct invocation *in)
{
	return bootcfg_is_there(in, "/usr/sbin/grubby") || bootcfg_is_there(in, "/sbin/grubby");
}

static int grubby_list(const struct invocation *in, struct bootcfg *cfg)
{
	int err = bootcfg_add_seen(in, cfg, GRUB_FILE, &bootcfg_form_shell, linux_first,
				   BOOTCFG_INSERT);

	return err ? err : bootcfg_add_cmdline(in, cfg);
}

/* What is in force, whatever /etc/default/grub says. */
static int grubby_look(const struct invocation *in, struct bootcfg *cfg)
{
	static const char *const argv[] = { "grubby", "--info=ALL", NULL };
	static const char *const names[] = { "args", NULL };
	char value[BOOTCFG_VALUE_SIZE];
	_free_ char *text = NULL;
	bool mixed = false;
	size_t len;
	int err = run_read(argv, MAX_INFO, &text, &len);

	(void)in;
	if (!err)
		err = bootcfg_text_get(&bootcfg_form_args, names, text, len, value, &mixed, NULL);
	if (err) {
		log_error("grubby --info=ALL: %s", strerror(-err));
		return err;
	}
	cfg->mixed |= mixed || (cfg->nr_files && !streq(cfg->ours, value));
	memcpy(cfg->ours, value, sizeof(value));
	return 0;
}

static int grubby_apply(const struct invocation *in, const char *value)
{
	_free_ char *words = value ? bootcfg_words(value) : NULL, *args = NULL;
	const char *argv[] = { "grubby", "--update-kernel=ALL", "--remove-args=crashkernel", NULL };

	(void)in;
	if (value && (!words || asprintf(&args, "--args=%s", words) < 0)) {
		args = NULL;
		return -ENOMEM;
	}
	if (value)
		argv[2] = args;
	return run(argv);
}

const struct bootcfg_ops bootcfg_grubby = {
	.name = "grubby",
	.present = grubby_present,
	.list = grubby_list,
	.look = grubby_look,
	.apply = grubby_apply,
};
