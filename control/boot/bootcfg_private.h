/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of bootcfg share: a section for each. */
#ifndef CONTROL_BOOT_BOOTCFG_PRIVATE_H
#define CONTROL_BOOT_BOOTCFG_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "control/boot/bootcfg.h"
#include "lib/cleanup.h"
#include "lib/sha256.h"

#define BOOTCFG_MAX_BYTES (1u << 20)
#define BOOTCFG_MAX_SPANS 512u
#define BOOTCFG_MAX_FILES 512u
#define BOOTCFG_WORD	  "crashkernel="
/* Of a value; none of them means something to a shell within quotes, or to a boot loader. */
#define BOOTCFG_CHARS "0123456789abcdefghijklmnopqrstuvwxyzKMGT:,@-"

/* ---- bootcfg_forms.c: where in a file command lines stand */

/**
 * struct bootcfg_span - A command line, or a part of one, within a text.
 * @name: which of the names it is of, by place
 * @bare: a shell's word without quotes: they have to be put around it
 */
struct bootcfg_span {
	size_t start, len;
	unsigned name;
	bool bare;
};

struct bootcfg_spans {
	struct bootcfg_span *span; /* owned */
	size_t nr;
};

static inline void bootcfg_spans_deinit(struct bootcfg_spans *spans)
{
	free(spans->span);
}

#define _spans_ __cleanup(bootcfg_spans_deinit)

/**
 * struct bootcfg_form - How a file holds command lines.
 * @find: all spans of any of @names (ends with NULL), in the text's order; what it found stays in
 *	@out on failure, too. Return: 0; -EBADMSG not of this form; -E2BIG; -ENOMEM. Not logged.
 * @each: each span is a command line of its own; else all are one
 * @open, @close: the line that a file without one gets: name (where @named), @open, words, @close;
 *	NULL: none can be made up
 * @block: bytes of a file that always has as many, filled up with '#'; 0 for any
 */
struct bootcfg_form {
	int (*find)(const char *text, size_t len, const char *const *names,
		    struct bootcfg_spans *out);
	bool each, named;
	const char *open, *close;
	size_t block;
};

extern const struct bootcfg_form bootcfg_form_line;    /* nothing else; '#' begins a comment */
extern const struct bootcfg_form bootcfg_form_key;     /* "options ..." of an entry */
extern const struct bootcfg_form bootcfg_form_label;   /* "append ..." of extlinux's labels */
extern const struct bootcfg_form bootcfg_form_shell;   /* NAME="..." */
extern const struct bootcfg_form bootcfg_form_args;    /* args="..." of grubby --info=ALL */
extern const struct bootcfg_form bootcfg_form_grubenv; /* GRUB's environment block */
extern const struct bootcfg_form bootcfg_form_grubcfg; /* "linux ..." of what grub-mkconfig made,
							* for this system's kernels */

/** bootcfg_spans_add() - Return: 0; -E2BIG; -ENOMEM. */
int bootcfg_spans_add(struct bootcfg_spans *out, size_t start, size_t end, unsigned name,
		      bool bare);

/* ---- bootcfg_text.c: words within them; nothing is read or written */

/** bootcfg_text_get() - The crashkernel= of a text.
 * @mixed_ret: whether command lines differ; may be NULL
 * @spans_ret: how many there are; may be NULL
 * Return: 0, with "" for none and "?" for one that is no value; as of bootcfg_form.find. */
int bootcfg_text_get(const struct bootcfg_form *form, const char *const *names, const char *text,
		     size_t len, char value[BOOTCFG_VALUE_SIZE], bool *mixed_ret,
		     size_t *spans_ret);

/**
 * bootcfg_text_edit() - The text with @value for crashkernel=, each of them; NULL or "": without.
 *
 * One that is there is replaced where it stands; else it is added at the end of the last command
 * line of the first name that has one. All else stays, to the byte.
 * @insert: make a command line where there is none
 * Return: 0, with *@out_ret owned by the caller; as of bootcfg_form.find; -ENOSPC it does not fit
 * into the block; -ENODATA there is no command line, and @insert or the form do not let it be made.
 */
int bootcfg_text_edit(const struct bootcfg_form *form, const char *const *names, const char *text,
		      size_t len, const char *value, bool insert, char **out_ret, size_t *len_ret);

/** bootcfg_value_in() - The value of crashkernel= in a text that may be a shell's; of several the
 * values with a space between; "?" for what is too long or no value.
 * Return: whether there is one outside of comments that take a whole line. */
bool bootcfg_value_in(const char *text, char value[BOOTCFG_VALUE_SIZE]);

/** bootcfg_shell_is() - Whether a shell's text sets a variable, at last, to @value. */
bool bootcfg_shell_is(const char *text, size_t len, const char *name, const char *value);

/* ---- bootcfg_files.c */

enum bootcfg_flags {
	BOOTCFG_INSERT = 1,   /* make a line where there is none */
	BOOTCFG_OPTIONAL = 2, /* leave it as it is where there is none */
	BOOTCFG_STRIP = 4,    /* the word is elsewhere: only take it out here */
	BOOTCFG_LOOK = 8,     /* a program makes it of the others: only look */
	BOOTCFG_OURS = 16,    /* there for our word alone */
};

/**
 * struct bootcfg_file - A file that holds command lines.
 * @path: on the system, without in->root; owned
 * @names: as of bootcfg_form.find; static
 * @seed: what the file starts from where it is not there, or NULL; owned
 */
struct bootcfg_file {
	char *path;
	const struct bootcfg_form *form;
	const char *const *names;
	char *seed;
	unsigned flags;
};

/** bootcfg_copy() - @text and a NUL, or NULL for NULL. Return: 0, *@out_ret owned; -ENOMEM. */
int bootcfg_copy(const char *text, size_t len, char **out_ret, size_t *len_ret);

bool bootcfg_is_there(const struct invocation *in, const char *path);

/**
 * struct bootcfg_paths - Files of a directory, sorted by name; bootcfg_paths_deinit() releases
 * them.
 * @path: on the system, without in->root
 */
struct bootcfg_paths {
	char *path[BOOTCFG_MAX_FILES];
	size_t nr;
};

/** bootcfg_scan() - Add the files of @directory whose names begin and end so; none where it is not
 * there. What is more than there is room for is left out. */
void bootcfg_scan(const struct invocation *in, const char *directory, const char *begin,
		  const char *end, struct bootcfg_paths *paths);
void bootcfg_paths_deinit(struct bootcfg_paths *paths);

/** bootcfg_load() - Read a file below in->root, which a link may be, but not to outside.
 * Return: 0, *@text_ret owned; -ENOENT; -errno, logged. */
int bootcfg_load(const struct invocation *in, const char *path, char **text_ret, size_t *len_ret);

/** bootcfg_store() - Put @text there, with the mode that it has; NULL: remove it.
 * Return: 0 or -errno, logged. */
int bootcfg_store(const struct invocation *in, const char *path, const char *text, size_t len);

/** bootcfg_add() - Have a file looked at and changed. Return: it, or NULL, logged. */
struct bootcfg_file *bootcfg_add(struct bootcfg *cfg, const char *path,
				 const struct bootcfg_form *form, const char *const *names,
				 unsigned flags);

/** bootcfg_add_seen() - The same where the file is there. Return: 0 or -ENOMEM, logged. */
int bootcfg_add_seen(const struct invocation *in, struct bootcfg *cfg, const char *path,
		     const struct bootcfg_form *form, const char *const *names, unsigned flags);

/** bootcfg_add_cmdline() - Add kernel-install(8)'s /etc/kernel/cmdline, where it, or the one that
 * the distribution has, is there. Return: 0 or -ENOMEM, logged. */
int bootcfg_add_cmdline(const struct invocation *in, struct bootcfg *cfg);

/** bootcfg_file_edit() - What a file becomes. @text: what it holds, NULL: it is not there.
 * Return: 0, *@out_ret owned, NULL: it goes; -errno, logged. */
int bootcfg_file_edit(const struct bootcfg_file *file, const char *text, size_t len,
		      const char *value, char **out_ret, size_t *len_ret);

/** bootcfg_look() - Fill in cfg's @ours and @mixed from its files.
 * Return: 0 or -errno, logged. */
int bootcfg_look(const struct invocation *in, struct bootcfg *cfg);

/* ---- bootcfg_memory.c: what was there before */

/**
 * struct bootcfg_kept - A file as it was.
 * @text: NULL: it was not there
 * @after: SHA-256 of what we made of it; "" where that was not written down any more
 */
struct bootcfg_kept {
	char *path, *text;
	size_t len;
	char after[SHA256_HEX_BYTES];
};

/**
 * struct bootcfg_memory - All of them.
 * @there: there is something to remember
 * @set: the value that we have set
 * @was: what was in force before
 */
struct bootcfg_memory {
	bool there;
	char set[BOOTCFG_VALUE_SIZE], was[BOOTCFG_VALUE_SIZE];
	struct bootcfg_kept *kept;
	size_t nr;
};

#define BOOTCFG_MEMORY "/var/lib/vmcore-save/boot-loader"

/** bootcfg_memory_parse() - Return: 0; -EBADMSG; -ENOMEM. Not logged; bootcfg_memory_deinit() is
 * due in any case. */
int bootcfg_memory_parse(const char *text, size_t len, struct bootcfg_memory *memory);
void bootcfg_memory_deinit(struct bootcfg_memory *memory);
/** bootcfg_memory_print() - Return: 0 or -ENOMEM; *@text_ret is owned by the caller. */
int bootcfg_memory_print(const struct bootcfg_memory *memory, char **text_ret, size_t *len_ret);
/** bootcfg_memory_find() - NULL where that file is not remembered. */
struct bootcfg_kept *bootcfg_memory_find(const struct bootcfg_memory *memory, const char *path);
/** bootcfg_memory_keep() - Remember a file; @text is copied, NULL: it is not there.
 * Return: it, or NULL without memory. */
struct bootcfg_kept *bootcfg_memory_keep(struct bootcfg_memory *memory, const char *path,
					 const char *text, size_t len);

/* ---- bootcfg_entries.c: a file for each kernel (UAPI.1, the Boot Loader Specification) */

#define BOOTCFG_ENTRIES "/boot/loader/entries" /* of a GRUB; others have theirs where EFI looks */

extern const char *const bootcfg_options[]; /* the name of an entry's command line */

/** bootcfg_entry_has() - The value of an entry's key, up to the line's end, borrowed from @text.
 * Return: whether there is one. */
bool bootcfg_entry_has(const char *text, size_t len, const char *key, const char **at_ret,
		       size_t *len_ret);

/** bootcfg_scan_boot() - bootcfg_scan() of @below wherever the EFI partition may be mounted. */
void bootcfg_scan_boot(const struct invocation *in, const char *below, const char *begin,
		       const char *end, struct bootcfg_paths *paths);

/** bootcfg_count_boot() - How many it would add. */
size_t bootcfg_count_boot(const struct invocation *in, const char *below, const char *begin,
			  const char *end);

/* ---- the table, and its rows */

/**
 * struct bootcfg_ops - A kind of boot loader.
 * @present: whether it is in force
 * @list: adds the files and fills in @foreign. Return: 0 or -errno, logged
 * @look: adds to @ours and @mixed what programs say; NULL for none. Return: 0 or -errno, logged
 * @apply: runs what makes them count; NULL for none. Return: 0; -ENOENT there is no such
 *	program; -errno, logged. @value: what is to count, NULL for none. Not called with in->root.
 * @check: looks whether they count; NULL: bootcfg_look() tells. Return: 0 or -errno, logged
 * @by_hand: no file is written, for @left says what is to be typed
 * @left: fills in what stays to be done; NULL for nothing
 */
struct bootcfg_ops {
	const char *name;
	bool (*present)(const struct invocation *in);
	int (*list)(const struct invocation *in, struct bootcfg *cfg);
	int (*look)(const struct invocation *in, struct bootcfg *cfg);
	int (*apply)(const struct invocation *in, const char *value);
	int (*check)(const struct invocation *in, struct bootcfg *cfg, const char *value);
	bool by_hand;
	void (*left)(const struct invocation *in, struct bootcfg *cfg, const char *value);
};

#define GRUB_FILE  "/etc/default/grub"
#define GRUB_DIR   "/etc/default/grub.d"
#define GRUB_OURS  GRUB_DIR "/vmcore-save.cfg"
#define KI_CMDLINE "/etc/kernel/cmdline"

extern const struct bootcfg_ops bootcfg_ostree, bootcfg_sdbootutil;	    /* bootcfg_managed.c */
extern const struct bootcfg_ops bootcfg_systemd_boot, bootcfg_grub_entries; /* bootcfg_entries.c */
extern const struct bootcfg_ops bootcfg_grubby, bootcfg_grub_debian,
	bootcfg_grub_mkconfig; /* bootcfg_grub.c */
extern const struct bootcfg_ops bootcfg_extlinux, bootcfg_raspberry,
	bootcfg_kernel_install; /* bootcfg_line.c */

/* ---- bootcfg_grubcfg.c: what grub-mkconfig has made */

/** bootcfg_grubcfg_resets() - The last line of a shell's text that sets
 * GRUB_CMDLINE_LINUX_DEFAULT without what it held. Return: its number; 0 for none. */
unsigned bootcfg_grubcfg_resets(const char *text);

#endif
