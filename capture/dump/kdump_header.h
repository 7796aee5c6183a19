/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_DUMP_KDUMP_HEADER_H
#define CAPTURE_DUMP_KDUMP_HEADER_H

#include "capture/core/core.h"
#include "capture/core/kdump_layout.h"

/** kdump_header_fill() - All but status, max_mapnr and the sizes of what follows. */
void kdump_header_fill(struct core *core, struct kdump_header *h);

/** kdump_sub_header_fill() - All but dump_level and max_mapnr_64, for notes that stand at
 * @offset_note. */
void kdump_sub_header_fill(struct core *core, uint64_t offset_note, struct kdump_sub_header *sh);

#endif
