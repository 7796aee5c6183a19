/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads kernel modules in the order that the image's builder wrote down: no
 * dependency search, no events. They are ELF files, or those packed by zstd.
 */
#ifndef CAPTURE_INIT_MODULES_H
#define CAPTURE_INIT_MODULES_H

#include <stddef.h>

#define MODULES_LIST	 "/etc/vmcore-save/modules"
#define MODULES_LIST_MAX (256u << 10)
#define MODULES_FILE_MAX (64u << 20)

/** struct modules_count - What became of a list. */
struct modules_count {
	unsigned loaded;
	unsigned present;  /* were there already, built in or loaded */
	unsigned unneeded; /* say that their hardware is not there */
	unsigned failed;   /* logged */
};

/**
 * modules_parse_line() - Split "PATH [PARAMETERS…]" in place.
 * Return: the path, NULL for a line without one (empty, or a '#' comment).
 * *@params_ret points to what follows, at least "".
 */
char *modules_parse_line(char *line, char **params_ret);

/**
 * modules_load_list() - Load what a list names; what cannot be loaded is logged and left out.
 * @at: which entry is being tried, counted from 1, so that somebody else can go on behind
 *	it where it is the end of this process; 0 to begin with
 * @alive: called before each module
 *
 * The file of a module that is loaded, or that says it is not needed, is removed.
 *
 * Return: 0; -ENOENT where there is no list (not logged: a kernel may need none); -errno, logged.
 */
int modules_load_list(const char *list, unsigned *at, void (*alive)(void *), void *alive_ctx,
		      struct modules_count *count_ret);

/** modules_problem() - What an errno of finit_module(2) means, in words. */
const char *modules_problem(int err);

#endif
