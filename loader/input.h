/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the command line names, made ready for either call: the kernel and the initrd as
 * file descriptors of whole regular files, taken out of what they are wrapped in.
 */
#ifndef LOADER_INPUT_H
#define LOADER_INPUT_H

#include "loader/image.h"
#include "loader/options.h"

/* Most that may come of a compressed kernel; a vmlinux with all its debug information fits. */
#define INPUT_UNPACKED_MAX (1u << 30)

/**
 * struct unwrapped - A file in memory, taken apart. Pointers borrow from the file or @owned.
 * @image: of the kernel itself
 * @kind: of the file as it was: image.kind, IMAGE_COMPRESSED or IMAGE_UKI
 * @wrapping: what was taken off, "gzip-compressed data"; NULL for none
 * @initrd: of a unified kernel image, NULL without
 * @cmdline: of a unified kernel image, NUL-terminated, NULL without
 * @owned: what was decompressed, NULL for nothing
 */
struct unwrapped {
	struct image image;
	enum image_kind kind;
	const char *wrapping;
	const uint8_t *kernel;
	size_t kernel_len;
	const uint8_t *initrd;
	size_t initrd_len;
	char *cmdline;
	void *owned;
};

/**
 * input_unwrap() - Take the kernel out of a file; what is no wrapping stays as it is.
 * @path: the file's name, for the sentence
 * @why: gets a sentence on failure
 *
 * One compression around one unified kernel image is taken off, no more.
 *
 * Return: 0; -EBADMSG damaged; -EFBIG more than INPUT_UNPACKED_MAX; -ENOMEM.
 */
int input_unwrap(const void *file, size_t len, const char *path, struct unwrapped *ret, char *why,
		 size_t why_size);

/** input_unwrap_free() - Release what it owns. */
void input_unwrap_free(struct unwrapped *u);

/**
 * struct input - What is to be loaded.
 * @kernel_fd: read-only; the file that was named, or a memfd with what was in it
 * @initrd_fd: the same, -1 without
 * @image: of the kernel; image.calls says which calls can take it
 * @kind: of the file that was named
 * @wrapping: see struct unwrapped
 * @cmdline: of a unified kernel image, NULL without
 */
struct input {
	int kernel_fd;
	int initrd_fd;
	uint64_t kernel_size;
	uint64_t initrd_size;
	struct image image;
	enum image_kind kind;
	const char *wrapping;
	char *cmdline;
};

/**
 * input_open() - Open what the options name, and check it. Errors are logged.
 *
 * An initrd that the options name replaces the one of a unified kernel image.
 *
 * Return: 0; -errno; -ENOEXEC the kernel is none that this machine can load, or not by the
 * call that the options ask for; -ENODATA a file is empty; -EBADMSG damaged.
 */
int input_open(const struct options *opts, struct input *in_ret);

/** input_close() - Release it. */
void input_close(struct input *in);

/**
 * input_calls() - The calls to try: those that the options allow and that can take it.
 * @why: gets a sentence where there is none
 *
 * Return: a set of IMAGE_*_CALL, 0 for none.
 */
unsigned input_calls(const struct options *opts, const struct image *image, char *why,
		     size_t why_size);

#endif
