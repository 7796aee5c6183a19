/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a dump came to, as JSON: in the manifest, and for --json. */
#ifndef CAPTURE_FIGURES_H
#define CAPTURE_FIGURES_H

#include "capture/dump/dump.h"
#include "capture/options.h"
#include "lib/json.h"

/** figures_kernel() - Members about the crashed kernel; @core may be NULL. */
void figures_kernel(struct core *core, struct json *j);

/** figures_pages() - A member "pages": how many there are of which kind. */
void figures_pages(const struct dump_stats *st, struct json *j);

/** figures_dump() - Members about format, sizes and pages, into the object that is open. */
void figures_dump(const struct options *o, unsigned level, const struct dump_stats *st,
		  struct json *j);

#endif
