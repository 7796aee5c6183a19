/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a program needs before it can be started. */
#ifndef INITRAMFS_PROGRAM_H
#define INITRAMFS_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#define PROGRAM_PATH_MAX 256u

/**
 * program_interpreter() - The program that the kernel starts for this one: the dynamic linker of an
 * ELF file (PT_INTERP), or what stands behind "#!".
 * @path_ret: empty where it needs none, as a static program, or where that cannot be told
 */
void program_interpreter(const void *data, size_t len, char path_ret[static PROGRAM_PATH_MAX]);

/** program_machine() - e_machine of an ELF file of any class and byte order; 0 (EM_NONE) else. */
unsigned program_machine(const void *data, size_t len);

/** program_machine_name() - "x86-64"; NULL for one that has no name here. */
const char *program_machine_name(unsigned machine);

/** program_runs_on() - Whether a kernel whose modules are for @kernel can start programs of
 * @machine. */
bool program_runs_on(unsigned machine, unsigned kernel);

#endif
