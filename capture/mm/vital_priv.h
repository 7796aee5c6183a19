/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of vital share; not for others. */
#ifndef CAPTURE_MM_VITAL_PRIV_H
#define CAPTURE_MM_VITAL_PRIV_H

#include "capture/mm/vital_set.h"

struct vital {
	struct core *core;
	struct vital_set set;
};

/** vital_find_mappings() - Page tables, and what they map apart from the linear map of
 * memory. @page_offset, @vmemmap: where these start; 0: not known. */
void vital_find_mappings(struct vital *v, uint64_t page_offset, uint64_t vmemmap);

#endif
