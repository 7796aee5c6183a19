// SPDX-License-Identifier: GPL-2.0-or-later
/* Entries that a program of the distribution writes, and would write again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/boot/bootcfg_private.h"
#include "control/run.h"
#include "lib/cleanup.h"
#include "lib/cmdline.h"
#include "lib/log.h"
#include "lib/util.h"

#define SYSCONFIG "/etc/sysconfig/bootloader"

/* ---- ostree: it keeps the words with each deployment, and writes the entries itself */

static bool ostree_present(const struct invocation *in)
{
	struct bootcfg_paths paths = { 0 };
	bool is = bootcfg_is_there(in, "/run/ostree-booted");

	bootcfg_scan(in, BOOTCFG_ENTRIES, "ostree-", ".conf", &paths);
	is |= paths.nr && bootcfg_is_there(in, "/ostree/repo");
	bootcfg_paths_deinit(&paths);
	return is;
}

static int ostree_list(const struct invocation *in, struct bootcfg *cfg)
{
	struct bootcfg_paths paths = { 0 };
	int err = 0;

	bootcfg_scan(in, BOOTCFG_ENTRIES, "ostree-", ".conf", &paths);
	for (size_t i = 0; !err && i < paths.nr; i++)
		err = bootcfg_add(cfg, paths.path[i], &bootcfg_form_key, bootcfg_options, 0) ?
			      0 :
			      -ENOMEM;
	bootcfg_paths_deinit(&paths);
	return err;
}

/* Several words, each in an option of its own. */
static void ostree_left(const struct invocation *in, struct bootcfg *cfg, const char *value)
{
	_free_ char *words = bootcfg_words(value);
	size_t used = (size_t)snprintf(cfg->left, sizeof(cfg->left),
				       "rpm-ostree kargs --delete-if-present=crashkernel");

	(void)in;
	for (char *save, *word = words ? strtok_r(words, " ", &save) : NULL;
	     word && used < sizeof(cfg->left); word = strtok_r(NULL, " ", &save))
		used += (size_t)snprintf(cfg->left + used, sizeof(cfg->left) - used, " --append=%s",
					 word);
}

const struct bootcfg_ops bootcfg_ostree = {
	.name = "ostree",
	.present = ostree_present,
	.list = ostree_list,
	.by_hand = true,
	.left = ostree_left,
};

/* ---- openSUSE's sdbootutil: entries on the EFI partition, made of /etc/kernel/cmdline, and the
 * TPM's predictions with them */

static bool sdbootutil_present(const struct invocation *in)
{
	_free_ char *text = NULL;
	size_t len = 0;

	if (!bootcfg_is_there(in, "/usr/bin/sdbootutil"))
		return false;
	if (bootcfg_is_there(in, SYSCONFIG) && !bootcfg_load(in, SYSCONFIG, &text, &len) &&
	    (bootcfg_shell_is(text, len, "LOADER_TYPE", "systemd-boot") ||
	     bootcfg_shell_is(text, len, "LOADER_TYPE", "grub2-bls")))
		return true;
	/* It may be installed beside a GRUB of the other kind. */
	return !bootcfg_is_there(in, "/boot/grub2/grub.cfg") &&
	       bootcfg_count_boot(in, "loader/entries", "", ".conf");
}

/* Whether a command line has a word. */
static bool has_word(const char *line, size_t len, const char *word)
{
	_free_ char *copy = strndup(line, len);
	const char *cursor = copy;
	struct cmdline_word w;
	bool has = false;

	while (copy && !has && cmdline_next(&cursor, &w))
		has = w.raw_len == strlen(word) && !memcmp(w.raw, word, w.raw_len);
	return has;
}

/* The entries of this snapshot: those of others keep the command line that they had. */
static int look_at_snapshot(const struct invocation *in, struct bootcfg *cfg, const char *path,
			    const char *subvolume)
{
	_free_ char *text = NULL;
	const char *at;
	size_t len, n;
	int err = bootcfg_load(in, path, &text, &len);

	if (err || !bootcfg_entry_has(text, len, "linux", &at, &n))
		return err;
	if (*subvolume &&
	    (!bootcfg_entry_has(text, len, "options", &at, &n) || !has_word(at, n, subvolume)))
		return 0;
	return bootcfg_add(cfg, path, &bootcfg_form_key, bootcfg_options, BOOTCFG_LOOK) ? 0 :
											  -ENOMEM;
}

/* The word of the running kernel that says which snapshot is the root file system; "" for none. */
static void find_subvolume(const struct invocation *in, char *word, size_t size)
{
	_free_ char *cmdline = NULL;
	char value[256];

	*word = '\0';
	if (bootcfg_is_there(in, "/proc/cmdline") &&
	    !bootcfg_load(in, "/proc/cmdline", &cmdline, NULL) &&
	    !cmdline_find(cmdline, "rootflags", value, sizeof(value)))
		snprintf(word, size, "rootflags=%s", value);
}

static int sdbootutil_list(const struct invocation *in, struct bootcfg *cfg)
{
	struct bootcfg_paths paths = { 0 };
	char subvolume[300];
	int err = bootcfg_add_cmdline(in, cfg);

	if (!err && !cfg->nr_files) {
		log_error("there is no " KI_CMDLINE
			  ", of which sdbootutil makes the entries: write "
			  "the kernel's command line into it, and run \"" CTL_PROGRAM
			  " setup\" again");
		return -ENOENT;
	}
	find_subvolume(in, subvolume, sizeof(subvolume));
	bootcfg_scan_boot(in, "loader/entries", "", ".conf", &paths);
	for (size_t i = 0; !err && i < paths.nr; i++)
		err = look_at_snapshot(in, cfg, paths.path[i], subvolume);
	bootcfg_paths_deinit(&paths);
	return err;
}

static int sdbootutil_apply(const struct invocation *in, const char *value)
{
	static const char *const argv[] = { "sdbootutil", "update-all-entries", NULL };

	(void)in, (void)value;
	return run(argv);
}

const struct bootcfg_ops bootcfg_sdbootutil = {
	.name = "sdbootutil",
	.present = sdbootutil_present,
	.list = sdbootutil_list,
	.apply = sdbootutil_apply,
};
