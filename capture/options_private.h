/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the options share. */
#ifndef CAPTURE_OPTIONS_PRIVATE_H
#define CAPTURE_OPTIONS_PRIVATE_H

#include <stddef.h>

#include "capture/options.h"

/**
 * struct option_row - One option. There is a row also for each of makedumpfile(8) that is
 * not there, so that a habit gets a sentence and not a usage text.
 * @letter: 0 for none
 * @name: long name; NULL for none
 * @apply: NULL: not supported
 * @value: what @apply makes of it: the mode that the option asks for, or, where it is not
 *	supported, unused
 * @instead: where it is not supported, what to do or why; may be NULL
 */
struct option_row {
	char letter;
	const char *name;
	bool has_arg;
	int (*apply)(struct options *o, const struct option_row *row, const char *arg);
	int value;
	const char *instead;
};

/** option_rows() - The table; *@nr_ret rows. */
const struct option_row *option_rows(size_t *nr_ret);

#define OPTION_ROWS_MAX 80

#endif
