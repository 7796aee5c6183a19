/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The manifest of an image: text, one entry a line, in the style of the kernel's
 * usr/gen_init_cpio. docs/man/vmcore-mkimage.8 has the grammar.
 */
#ifndef INITRAMFS_MANIFEST_H
#define INITRAMFS_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MANIFEST_MAX_BYTES   (1u << 20)
#define MANIFEST_MAX_ENTRIES 1024u
#define MANIFEST_MAX_VARS    64u

enum manifest_kind {
	MANIFEST_DIR,
	MANIFEST_FILE,	/* value: the file on the host to take */
	MANIFEST_SLINK, /* value: what the link points to */
	MANIFEST_NOD,
	MANIFEST_MODULES, /* value: names with one space between; "?" before a name: if there is one
			   */
	MANIFEST_FIRMWARE, /* value: names, in the same way */
	MANIFEST_MODULE_LIST,
	MANIFEST_BUILD_NOTE,
};

/**
 * struct manifest_entry
 * @path: absolute path in the image
 * @value: by kind, see above; else empty
 * @mode: permissions, and for a node the type as in stat(2)
 * @name: of the manifest, borrowed; @line: both for messages
 */
struct manifest_entry {
	enum manifest_kind kind;
	char *path;
	char *value;
	uint32_t mode, uid, gid;
	uint32_t major, minor;
	const char *name;
	unsigned line;
};

struct manifest {
	struct manifest_entry *entries;
	size_t nr;
};

/**
 * struct manifest_vars - The variables that ${NAME} may name. Strings are borrowed.
 * @used: a manifest asked for its value
 */
struct manifest_vars {
	struct {
		const char *name, *value;
		bool used;
	} var[MANIFEST_MAX_VARS];
	size_t nr;
};

/**
 * manifest_set_var() - Set a variable, or change it.
 * Return: 0, -EINVAL for a name that is not [A-Za-z_][A-Za-z0-9_]*, -ENOSPC for too many.
 */
int manifest_set_var(struct manifest_vars *vars, const char *name, const char *value);

/** manifest_var_name_len() - How many of the first bytes of @s can be a variable's name. */
size_t manifest_var_name_len(const char *s);

/** manifest_var_value() - Value of the variable whose name is @len bytes; NULL where not set. */
const char *manifest_var_value(struct manifest_vars *vars, const char *name, size_t len);

/** manifest_var_used() - Whether a manifest that was read has asked for a variable. */
bool manifest_var_used(const struct manifest_vars *vars, const char *name);

/**
 * manifest_parse() - Read a manifest.
 * @text, @len: may hold anything
 * @name: file name for messages
 * @vars: what ${NAME} means
 * @manifest_ret: owned by the caller, to be released by manifest_deinit()
 *
 * Every path is checked: absolute, without "." and "..", its directory listed before
 * it, no path twice.
 *
 * Return: 0, or -EBADMSG for a mistake, logged with file and line; -ENOMEM.
 */
int manifest_parse(const char *text, size_t len, const char *name, struct manifest_vars *vars,
		   struct manifest *manifest_ret);

/**
 * manifest_add() - The same, behind the entries that @m has; a @m of zeros has none.
 * @name: borrowed by the entries
 *
 * Return: as manifest_parse(); @m then has the entries that it had.
 */
int manifest_add(const char *text, size_t len, const char *name, struct manifest_vars *vars,
		 struct manifest *m);

/**
 * manifest_has_file() - Whether there is a file or a link of this path.
 * What a link leads to is a line of the manifest as well.
 */
bool manifest_has_file(const struct manifest *m, const char *path);

void manifest_deinit(struct manifest *m);

#endif
