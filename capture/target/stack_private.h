/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the assembly share. */
#ifndef CAPTURE_TARGET_STACK_PRIVATE_H
#define CAPTURE_TARGET_STACK_PRIVATE_H

#include <sys/types.h>

#include "capture/target/dm.h"
#include "capture/target/stack.h"

#define STACK_PARAMS_MAX 4096

/** stack_set_problem() - Say why @layer is not there: "NAME: WHAT WHICH". */
void stack_set_problem(struct stack_layer *layer, const char *what, const char *which);

/** stack_add_leg() - Append " N" or " M:m N" to a row's parameters, STACK_PARAMS_MAX of them.
 * Return: 0 or -E2BIG. */
int stack_add_leg(char *params, dev_t dev, uint64_t offset);

/** stack_lvm_table() - The table of a logical volume by LVM's metadata as they are now.
 * Return: 0 or -errno, with the problem set. */
int stack_lvm_table(struct stack *stack, struct stack_layer *layer, struct dm_table *table);

#endif
