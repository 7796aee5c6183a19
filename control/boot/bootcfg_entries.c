// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Boot loaders that read entries, a file for each kernel (UAPI.1, the Boot Loader Specification,
 * type #1): systemd-boot, and GRUB of Fedora and its like. They are written here, even where there
 * is grubby: it writes in place, and knows one reservation alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "control/boot/bootcfg_private.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/util.h"

const char *const bootcfg_options[] = { "options", NULL };
static const char *const kernelopts[] = { "kernelopts", NULL };
static const char *const grub_linux[] = { "GRUB_CMDLINE_LINUX", NULL };
/* Where the EFI partition, or the one that extends it, is mounted: systemd's bootctl(1), "OPTIONS".
 */
static const char *const boot_dirs[] = { "/efi", "/boot/efi", "/boot" };

bool bootcfg_entry_has(const char *text, size_t len, const char *key, const char **at_ret,
		       size_t *len_ret)
{
	const char *const names[] = { key, NULL };
	_spans_ struct bootcfg_spans spans = { 0 };
	int err = bootcfg_form_key.find(text, len, names, &spans);

	if (err || !spans.nr)
		return false;
	*at_ret = text + spans.span[0].start;
	*len_ret = spans.span[0].len;
	return true;
}

static bool contains(const char *text, size_t len, const char *what)
{
	return memmem(text, len, what, strlen(what)) != NULL;
}

/* struct entries - What is to be known of all of them. */
struct entries {
	char id[33];   /* of this system, "" for unknown */
	bool others;   /* leave out those of other systems */
	bool from_env; /* GRUB's environment has kernelopts */
};

/* Adds an entry that boots Linux. Return: 1 added; 0 not; -errno, logged. */
static int add_entry(const struct invocation *in, struct bootcfg *cfg, const char *path,
		     const struct entries *e)
{
	unsigned flags = BOOTCFG_INSERT;
	_free_ char *text = NULL;
	const char *at;
	size_t len, n;
	int err = bootcfg_load(in, path, &text, &len);

	if (err)
		return err;
	if (!bootcfg_entry_has(text, len, "linux", &at, &n))
		return 0;
	if (e->others && bootcfg_entry_has(text, len, "machine-id", &at, &n) &&
	    !contains(at, n, e->id))
		return 0;
	if (e->from_env && bootcfg_entry_has(text, len, "options", &at, &n) &&
	    contains(at, n, "$kernelopts"))
		flags = BOOTCFG_STRIP;
	return bootcfg_add(cfg, path, &bootcfg_form_key, bootcfg_options, flags) ? 1 : -ENOMEM;
}

static int add_entries(const struct invocation *in, struct bootcfg *cfg,
		       const struct bootcfg_paths *paths, struct entries *e)
{
	int nr = 0, err = 0;

	for (size_t i = 0; err >= 0 && i < paths->nr; i++) {
		err = add_entry(in, cfg, paths->path[i], e);
		nr += err > 0;
	}
	/* A copied system's entries still have the ID of that which it was copied from. */
	if (err < 0 || nr || !e->others)
		return err < 0 ? err : 0;
	e->others = false;
	return add_entries(in, cfg, paths, e);
}

static void entries_init(const struct invocation *in, struct entries *e)
{
	_free_ char *id = NULL;

	*e = (struct entries){ 0 };
	if (!bootcfg_load(in, "/etc/machine-id", &id, NULL))
		snprintf(e->id, sizeof(e->id), "%s", id);
	e->others = strspn(e->id, "0123456789abcdef") == 32;
}

/* The same partition may be seen at two of the places. */
static bool is_same_place(const struct invocation *in, const char *a, const char *b)
{
	_free_ char *left = ctl_path(in, a), *right = ctl_path(in, b);
	struct stat st, other;

	return left && right && !stat(left, &st) && !stat(right, &other) &&
	       st.st_dev == other.st_dev && st.st_ino == other.st_ino;
}

void bootcfg_scan_boot(const struct invocation *in, const char *below, const char *begin,
		       const char *end, struct bootcfg_paths *paths)
{
	for (size_t i = 0; i < ARRAY_SIZE(boot_dirs); i++) {
		char dir[64], earlier[64];
		bool seen = false;

		snprintf(dir, sizeof(dir), "%s/%s", boot_dirs[i], below);
		for (size_t k = 0; k < i; k++) {
			snprintf(earlier, sizeof(earlier), "%s/%s", boot_dirs[k], below);
			seen |= is_same_place(in, dir, earlier);
		}
		if (!seen)
			bootcfg_scan(in, dir, begin, end, paths);
	}
}

static size_t count_in(const struct invocation *in, const char *directory)
{
	struct bootcfg_paths paths = { 0 };
	size_t nr;

	bootcfg_scan(in, directory, "", ".conf", &paths);
	nr = paths.nr;
	bootcfg_paths_deinit(&paths);
	return nr;
}

size_t bootcfg_count_boot(const struct invocation *in, const char *below, const char *begin,
			  const char *end)
{
	struct bootcfg_paths paths = { 0 };
	size_t nr;

	bootcfg_scan_boot(in, below, begin, end, &paths);
	nr = paths.nr;
	bootcfg_paths_deinit(&paths);
	return nr;
}

/* ---- systemd-boot */

/* What booted this system, as it says itself (systemd.io/BOOT_LOADER_INTERFACE; GRUB does from 2.12
 * on): UTF-16 behind four bytes of attributes. "" for unknown. */
static void loader_info(const struct invocation *in, char *buf, size_t size)
{
	static const char path[] = "/sys/firmware/efi/efivars/LoaderInfo-"
				   "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
	_free_ char *text = NULL;
	size_t len, used = 0;

	*buf = '\0';
	if (!bootcfg_is_there(in, path) || bootcfg_load(in, path, &text, &len))
		return;
	for (size_t i = 4; i + 1 < len && used + 1 < size; i += 2)
		buf[used++] = text[i];
	buf[used] = '\0';
}

static bool systemd_boot_present(const struct invocation *in)
{
	char info[64];

	if (!bootcfg_count_boot(in, "loader/entries", "", ".conf") &&
	    !bootcfg_count_boot(in, "EFI/Linux", "", ".efi"))
		return false;
	loader_info(in, info, sizeof(info));
	if (*info)
		return after_prefix(info, "systemd-boot") != NULL;
	return bootcfg_count_boot(in, "EFI/systemd", "systemd-boot", ".efi") &&
	       !bootcfg_is_there(in, "/boot/grub/grub.cfg") &&
	       !bootcfg_is_there(in, "/boot/grub2/grub.cfg");
}

static int systemd_boot_list(const struct invocation *in, struct bootcfg *cfg)
{
	struct bootcfg_paths paths = { 0 };
	struct entries e;
	int err;

	entries_init(in, &e);
	bootcfg_scan_boot(in, "loader/entries", "", ".conf", &paths);
	err = add_entries(in, cfg, &paths, &e);
	bootcfg_paths_deinit(&paths);
	return err ? err : bootcfg_add_cmdline(in, cfg);
}

/* A unified kernel image holds its command line, under a signature it may be. */
static void systemd_boot_left(const struct invocation *in, struct bootcfg *cfg, const char *value)
{
	struct bootcfg_paths paths = { 0 };

	bootcfg_scan_boot(in, "EFI/Linux", "", ".efi", &paths);
	if (paths.nr)
		snprintf(cfg->left, sizeof(cfg->left),
			 "%s is a unified kernel image, which holds its command line: %s"
			 "build it again, with kernel-install, dracut or mkinitcpio",
			 paths.path[0],
			 bootcfg_is_there(in, KI_CMDLINE) || !value ?
				 "" :
				 "add " BOOTCFG_WORD " to what it is built from, and ");
	bootcfg_paths_deinit(&paths);
}

const struct bootcfg_ops bootcfg_systemd_boot = {
	.name = "systemd-boot",
	.present = systemd_boot_present,
	.list = systemd_boot_list,
	.left = systemd_boot_left,
};

/* ---- GRUB with entries: Fedora's, Red Hat's */

static bool grub_entries_present(const struct invocation *in)
{
	_free_ char *text = NULL;
	size_t len;

	if (!bootcfg_is_there(in, GRUB_FILE) || bootcfg_load(in, GRUB_FILE, &text, &len) ||
	    !bootcfg_shell_is(text, len, "GRUB_ENABLE_BLSCFG", "true"))
		return false;
	return count_in(in, BOOTCFG_ENTRIES) != 0;
}

/* RHEL 8: "options $kernelopts", which GRUB's environment has. */
static int add_grubenv(const struct invocation *in, struct bootcfg *cfg, bool *has_ret)
{
	static const char *const places[] = { "/boot/grub2/grubenv", "/boot/grub/grubenv" };
	char value[BOOTCFG_VALUE_SIZE];

	*has_ret = false;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_free_ char *text = NULL;
		size_t len, spans = 0;

		if (!bootcfg_is_there(in, places[i]))
			continue;
		if (bootcfg_load(in, places[i], &text, &len))
			return -EIO;
		if (bootcfg_text_get(&bootcfg_form_grubenv, kernelopts, text, len, value, NULL,
				     &spans))
			log_warn("%s is no GRUB environment block: it is left alone", places[i]);
		else if (spans)
			*has_ret = true;
		if (*has_ret)
			return bootcfg_add(cfg, places[i], &bootcfg_form_grubenv, kernelopts, 0) ?
				       0 :
				       -ENOMEM;
	}
	return 0;
}

static int grub_entries_list(const struct invocation *in, struct bootcfg *cfg)
{
	struct bootcfg_paths paths = { 0 };
	struct entries e;
	int err;

	entries_init(in, &e);
	err = add_grubenv(in, cfg, &e.from_env);
	bootcfg_scan(in, BOOTCFG_ENTRIES, "", ".conf", &paths);
	if (!err)
		err = add_entries(in, cfg, &paths, &e);
	bootcfg_paths_deinit(&paths);
	if (!err)
		err = bootcfg_add_cmdline(in, cfg);
	/* Of which grub2-mkconfig makes the others again. */
	if (!err)
		err = bootcfg_add_seen(in, cfg, GRUB_FILE, &bootcfg_form_shell, grub_linux,
				       BOOTCFG_OPTIONAL);
	return err;
}

const struct bootcfg_ops bootcfg_grub_entries = {
	.name = "GRUB",
	.present = grub_entries_present,
	.list = grub_entries_list,
};
