/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block devices that are put together from others, as they were recorded when the image
 * was built: device-mapper's linear and striped tables and md's raid1. LVM's logical volumes
 * are mapped as LVM's metadata on the disks have them at the capture. docs/stack.md has the grammar
 * of the text and says what is checked and what is not. Neither lvm, mdadm nor udev is needed: the
 * layers are set up by ioctl, bottom up.
 */
#ifndef CAPTURE_TARGET_STACK_H
#define CAPTURE_TARGET_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STACK_PATH	  "/etc/vmcore-save/stack"
#define STACK_MAX_BYTES	  (64u << 10)
#define STACK_MAX_LAYERS  32u
#define STACK_MAX_ROWS	  256u
#define STACK_MAX_LEGS	  1024u
#define STACK_MAX_DEVICES 128u
#define STACK_NAME_SIZE	  128 /* DM_NAME_LEN */

enum stack_kind {
	STACK_DM,
	STACK_MD,
};

/** struct stack_leg - A stretch of a device below. @device: index into struct stack.devices;
 * @offset: in sectors of 512 bytes, as all that follows */
struct stack_leg {
	unsigned device;
	uint64_t offset;
};

/** struct stack_row - A line of a mapper table. @chunk: of striped; 0 for linear */
struct stack_row {
	uint64_t start, sectors, chunk;
	unsigned first_leg, nr_legs;
};

/**
 * struct stack_layer - A device that is put together.
 * @name: the mapper's name, or the kernel's name of an md array ("md127")
 * @uuid: the mapper's; of an array its UUID as libblkid tells it
 * @link: a further name below /dev ("vg/root"), or empty
 * @first_row, @nr_rows: of a mapper table
 * @major, @minor: version of the array's superblock: 0.90, 1.0, 1.1, 1.2
 * @members: how many an array has when it is whole
 * @up: it is there
 * @problem: why not, for people
 */
struct stack_layer {
	enum stack_kind kind;
	char name[STACK_NAME_SIZE];
	char uuid[STACK_NAME_SIZE];
	char link[STACK_NAME_SIZE];
	unsigned first_row, nr_rows;
	unsigned major, minor, members;
	bool up;
	char problem[192];
};

/** struct stack - What the text says; no pointers in it, freed by free(). @devices: TAG=value as
 * find_matches() takes it, or the name of a layer before; @look_ms: when to try again, for a
 * round looks at every device. */
struct stack {
	uint64_t look_ms;
	unsigned nr_layers, nr_rows, nr_legs, nr_devices;
	struct stack_layer layers[STACK_MAX_LAYERS];
	struct stack_row rows[STACK_MAX_ROWS];
	struct stack_leg legs[STACK_MAX_LEGS];
	char devices[STACK_MAX_DEVICES][STACK_NAME_SIZE];
};

/**
 * stack_parse() - Read the text of a stack file.
 * @text, @len: may hold anything
 * @stack_ret: owned by the caller
 * @line_ret: on -EBADMSG the number of the line that is wrong
 *
 * Return: 0; -EBADMSG where a line is wrong: then nothing is to be put together, for half
 * a table is a wrong one; -ENOMEM.
 */
int stack_parse(const char *text, size_t len, struct stack **stack_ret, unsigned *line_ret);

/** stack_layer_of() - The layer of this name, or NULL. */
struct stack_layer *stack_layer_of(struct stack *stack, const char *name);

/** stack_is_lvm() - Whether it is mapped by LVM's metadata and not by what was recorded. */
bool stack_is_lvm(const struct stack_layer *layer);

/** stack_read() - The image's stack, owned by the caller; NULL where it has none, or, logged,
 * a bad one. */
struct stack *stack_read(void);

/**
 * stack_assemble() - Put together what can be put together now.
 * @stack: NULL is fine
 * @waited_ms, @limit_ms: an array that lacks members is started without them after a third
 *	of the limit, at most 10 s
 *
 * Layers that are there are left alone, so that it may be called as often as one likes, by
 * one process after the other.
 */
void stack_assemble(struct stack *stack, uint64_t waited_ms, uint64_t limit_ms);

/** stack_problem() - Why the first layer that is missing is not there; NULL for none. */
const char *stack_problem(const struct stack *stack);

/** stack_stop() - Take down all that is not in use, top down, so that the next boot finds
 * arrays that were shut down in order. Best effort. */
void stack_stop(void);

#endif
