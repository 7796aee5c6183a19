/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INITRAMFS_STRIP_H
#define INITRAMFS_STRIP_H

#include <stddef.h>

/**
 * strip_program() - Cut off what a program has for linkers and debuggers alone.
 * @data: a file, changed in place where it is a little-endian ELF program whose
 *	section table is its end, as linkers lay it out; what has something behind that, an
 *	archive say, is left alone as is all else
 *
 * Return: the new length, @len at most.
 */
size_t strip_program(void *data, size_t len);

/**
 * strip_module() - Cut debug information out of a kernel module.
 * @data: a file, changed in place where it is a little-endian relocatable ELF file that is not
 *	signed, with its sections one behind the other
 *
 * Return: the new length, @len at most.
 */
size_t strip_module(void *data, size_t len);

#endif
