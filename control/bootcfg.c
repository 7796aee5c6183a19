// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/bootcfg.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "control/file.h"
#include "control/run.h"
#include "lib/cleanup.h"
#include "lib/cmdline.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define MAX_BYTES  (1u << 20)
#define WORD	   "crashkernel="
#define GRUB_FILE  "/etc/default/grub"
#define GRUB_DIR   "/etc/default/grub.d"
#define GRUB_OURS  GRUB_DIR "/vmcore-save.cfg"
#define KI_CMDLINE "/etc/kernel/cmdline"

/**
 * struct bootcfg_ops - A kind of boot loader.
 * @present: whether it is in force
 * @look: fills in bootcfg's @ours, @foreign and @foreign_value
 * @write: changes @file alone; @before is what it held, NULL where it was not there
 * @apply: runs what makes it count; NULL for none
 */
struct bootcfg_ops {
	const char *name, *file;
	bool (*present)(const struct invocation *in);
	int (*look)(const struct invocation *in, struct bootcfg *cfg);
	int (*write)(const char *path, const char *before, const char *value);
	int (*apply)(const char *value);
};

bool bootcfg_value_valid(const char *value)
{
	size_t n = strspn(value, "0123456789abcdefghijklmnopqrstuvwxyzKMGT:,@-");

	return n && !value[n] && n < BOOTCFG_VALUE_SIZE && isdigit((unsigned char)*value);
}

bool bootcfg_value_in(const char *text, char value[BOOTCFG_VALUE_SIZE])
{
	bool found = false;

	*value = '\0';
	while (*text) {
		const char *line = text + strspn(text, " \t");
		size_t len = strcspn(line, "\n");

		for (size_t i = 0; *line != '#' && i + strlen(WORD) <= len; i++) {
			const char *at = line + i + strlen(WORD);
			size_t used, n = strspn(at, "0123456789abcdefghijklmnopqrstuvwxyzKMGT:,@-");

			if (memcmp(line + i, WORD, strlen(WORD)) ||
			    (i && (isalnum((unsigned char)line[i - 1]) || line[i - 1] == '_')))
				continue;
			used = strlen(value);
			if (n + 2 > BOOTCFG_VALUE_SIZE - used)
				n = used = 0;
			snprintf(value + used, BOOTCFG_VALUE_SIZE - used, "%s%.*s", used ? " " : "",
				 (int)(n ? n : 1), n ? at : "?");
			found = true;
		}
		text = line + len;
		text += *text == '\n';
	}
	return found;
}

int bootcfg_words(const char *line, const char *value, char *out, size_t size)
{
	static const char *const names[] = { "crashkernel", NULL };
	int err = cmdline_remove(line, names, out, size);
	size_t len;

	if (err)
		return err;
	len = strlen(out);
	while (len && isspace((unsigned char)out[len - 1]))
		out[--len] = '\0';
	if (!value)
		return 0;
	return (size_t)snprintf(out + len, size - len, "%s" WORD "%s", len ? " " : "", value) <
			       size - len ?
		       0 :
		       -E2BIG;
}

static bool is_there(const struct invocation *in, const char *path)
{
	_free_ char *full = ctl_path(in, path);

	return full && access(full, F_OK) == 0;
}

/* Notes @file's crashkernel= as ours, or as somebody else's. One that cannot be read must not
 * pass for one without. */
static int look_in(const struct invocation *in, struct bootcfg *cfg, const char *file, bool ours)
{
	_free_ char *path = ctl_path(in, file), *text = NULL;
	char value[BOOTCFG_VALUE_SIZE];

	int err = path ? io_read_file(path, MAX_BYTES, &text, NULL) : -ENOMEM;

	if (err && err != -ENOENT) {
		log_error("%s: %s", file, strerror(-err));
		return err;
	}
	if (err || !bootcfg_value_in(text, value))
		return 0;
	if (ours) {
		memcpy(cfg->ours, value, sizeof(value));
		return 0;
	}
	snprintf(cfg->foreign, sizeof(cfg->foreign), "%s", file);
	memcpy(cfg->foreign_value, value, sizeof(value));
	return 0;
}

/* ---- Debian's GRUB: grub-mkconfig reads the .cfg files in /etc/default/grub.d as shell ---- */

static bool grub_present(const struct invocation *in)
{
	return is_there(in, GRUB_FILE) &&
	       (is_there(in, "/usr/sbin/update-grub") || is_there(in, GRUB_DIR));
}

static int is_cfg(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return *d->d_name != '.' && len > 4 && streq(d->d_name + len - 4, ".cfg");
}

static int grub_look(const struct invocation *in, struct bootcfg *cfg)
{
	_free_ char *directory = ctl_path(in, GRUB_DIR);
	struct dirent **list = NULL;
	int nr = directory ? scandir(directory, &list, is_cfg, alphasort) : 0;
	int err = look_in(in, cfg, GRUB_FILE, false);

	for (int i = 0; i < nr; i++) {
		char file[512];

		snprintf(file, sizeof(file), GRUB_DIR "/%s", list[i]->d_name);
		if (!err)
			err = look_in(in, cfg, file, streq(file, GRUB_OURS));
		free(list[i]);
	}
	free(list);
	return err;
}

static int grub_write(const char *path, const char *before, const char *value)
{
	char text[512];

	(void)before;
	if (!value)
		return unlink(path) && errno != ENOENT ? -errno : 0;
	snprintf(text, sizeof(text),
		 "# Written by \"" CTL_PROGRAM " setup\"; \"" CTL_PROGRAM
		 " setup --remove\" takes it away.\n"
		 "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT " WORD "%s\"\n",
		 value);
	return file_replace(path, text, strlen(text), 0644);
}

static int grub_apply(const char *value)
{
	static const char *const argv[] = { "update-grub", NULL };

	(void)value;
	return run(argv);
}

/* ---- grubby: it knows GRUB's entries, whatever their form, and /etc/default/grub ---- */

static bool grubby_present(const struct invocation *in)
{
	return is_there(in, "/usr/sbin/grubby") || is_there(in, "/sbin/grubby");
}

static int grubby_look(const struct invocation *in, struct bootcfg *cfg)
{
	return look_in(in, cfg, GRUB_FILE, true);
}

static int grubby_write(const char *path, const char *before, const char *value)
{
	(void)path, (void)before, (void)value; /* grubby does */
	return 0;
}

static int grubby_apply(const char *value)
{
	char args[BOOTCFG_VALUE_SIZE + 32];
	const char *const argv[] = { "grubby", "--update-kernel=ALL", args, NULL };

	if (value)
		snprintf(args, sizeof(args), "--args=" WORD "%s", value);
	else
		snprintf(args, sizeof(args), "--remove-args=crashkernel");
	return run(argv);
}

/* ---- kernel-install(8): one line, for the entries that it writes ---- */

static bool cmdline_present(const struct invocation *in)
{
	return is_there(in, KI_CMDLINE);
}

static int cmdline_look(const struct invocation *in, struct bootcfg *cfg)
{
	return look_in(in, cfg, KI_CMDLINE, true);
}

/* Several lines count as one, as kernel-install reads them. */
static int cmdline_write(const char *path, const char *before, const char *value)
{
	char line[BOOTCFG_LINE_MAX], out[BOOTCFG_LINE_MAX + BOOTCFG_VALUE_SIZE];
	int err;

	if (strlen(before ? before : "") >= sizeof(line))
		return -E2BIG;
	snprintf(line, sizeof(line), "%s", before ? before : "");
	for (char *p = line; *p; p++) {
		if (*p == '\n')
			*p = ' ';
	}
	err = bootcfg_words(line, value, out, sizeof(out) - 1);
	if (err)
		return err;
	strcat(out, "\n");
	return file_replace(path, out, strlen(out), 0644);
}

/* For the running kernel; others get it when they are installed again. */
static int cmdline_apply(const char *value)
{
	const char *argv[] = { "kernel-install", "add", NULL, NULL, NULL };
	char paths[2][128];
	struct utsname u;

	(void)value;
	if (uname(&u))
		return -errno;
	snprintf(paths[0], sizeof(paths[0]), "/usr/lib/modules/%.64s/vmlinuz", u.release);
	snprintf(paths[1], sizeof(paths[1]), "/boot/vmlinuz-%.64s", u.release);
	argv[2] = u.release;
	argv[3] = paths[access(paths[0], R_OK) ? 1 : 0];
	return run(argv);
}

static const struct bootcfg_ops loaders[] = {
	{ "grubby", GRUB_FILE, grubby_present, grubby_look, grubby_write, grubby_apply },
	{ "GRUB", GRUB_OURS, grub_present, grub_look, grub_write, grub_apply },
	{ "kernel-install", KI_CMDLINE, cmdline_present, cmdline_look, cmdline_write,
	  cmdline_apply },
};

int bootcfg_find(const struct invocation *in, struct bootcfg *cfg_ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(loaders); i++) {
		const struct bootcfg_ops *ops = &loaders[i];

		if (!ops->present(in))
			continue;
		*cfg_ret = (struct bootcfg){ .ops = ops,
					     .name = ops->name,
					     .file = strdup(ops->file) };
		if (!cfg_ret->file)
			return -ENOMEM;
		return ops->look(in, cfg_ret);
	}
	return -ENODEV;
}

void bootcfg_deinit(struct bootcfg *cfg)
{
	free(cfg->file);
	*cfg = (struct bootcfg){ 0 };
}

static void put_back(const char *path, const char *before)
{
	if (!before)
		unlink(path);
	else
		file_replace(path, before, strlen(before), 0644);
}

int bootcfg_set(const struct invocation *in, struct bootcfg *cfg, const char *value)
{
	_free_ char *path = ctl_path(in, cfg->file), *before = NULL;
	int err = path ? io_read_file(path, MAX_BYTES, &before, NULL) : -ENOMEM;

	if (err == -ENOENT)
		err = 0;
	if (!err)
		err = cfg->ops->write(path, before, value);
	if (err) {
		log_error("%s: %s", cfg->file, strerror(-err));
		return err;
	}
	if (!*in->root && cfg->ops->apply) {
		err = cfg->ops->apply(value);
		if (err == -ENOENT)
			log_error("the program that writes the configuration of %s is not in PATH",
				  cfg->name);
		if (err) {
			put_back(path, before);
			log_error("%s is as it was", cfg->file);
			return err;
		}
	}
	snprintf(cfg->ours, sizeof(cfg->ours), "%s", value ? value : "");
	return 0;
}
