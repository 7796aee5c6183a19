/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An ELF dump, in the order of these calls: begin, put and checkpoint, finish. A PT_LOAD's
 * pages follow each other in the file, and a page that is missing from it cannot be told
 * from one that is zero; so pages come by ascending pfn, and what is on the disk at any
 * moment is memory up to some address.
 */
#ifndef CAPTURE_DUMP_FORMAT_ELF_H
#define CAPTURE_DUMP_FORMAT_ELF_H

#include "capture/dump/dump_private.h"

struct elf_dump;

/** elf_dump_create() - Return: 0; -ENOMEM; -EINVAL, -EOPNOTSUPP: a machine that the format
 * cannot describe (logged). @job and @sink are borrowed. */
int elf_dump_create(const struct dump_job *job, const struct dump_sink *sink,
		    struct elf_dump **elf_ret);
void elf_dump_destroy(struct elf_dump *e);

/** elf_dump_begin() - Write the headers, flagged incomplete. */
int elf_dump_begin(struct elf_dump *e);

/** elf_dump_finish() - The last checkpoint, sync, and then take the mark of the incomplete away. */
int elf_dump_finish(struct elf_dump *e);

/** format_elf - Takes pages whose pfns ascend within a batch and from batch to batch. */
extern const struct format_ops format_elf;

#endif
