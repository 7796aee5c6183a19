/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much memory a capture takes, term by term. What the terms do not explain was measured with
 * three stock kernels and eleven kinds of targets (docs/measurements.md, "The smallest
 * reservation"): with RESERVE_BASE no sum is below what was found.
 */
#ifndef CONTROL_RESERVE_H
#define CONTROL_RESERVE_H

#include <stddef.h>
#include <stdint.h>

#define RESERVE_BASE (24u << 20) /* map of memory, slab, threads, loaded modules, vmcore-save */
#define RESERVE_STEP (16u << 20) /* what is recommended is a multiple of it */

/**
 * struct reserve - In bytes.
 * @kernel: what the kernel needs to unpack itself and start, which is more than it keeps
 * @packed, @unpacked: the image, both at once while it is unpacked
 * @computed: their sum with RESERVE_BASE
 * @captures: earlier ones of this kernel that are known; the terms below are 0 without one
 * @peak: the most that one of them had in use
 * @map: what the map of its memory took besides (64 bytes for each page of 4096)
 * @measured: their sum with @kernel
 * @smallest: the larger of the two sums
 * @recommended: with a quarter more, for other drivers and the next release of the kernel
 */
struct reserve {
	uint64_t kernel, packed, unpacked, computed;
	unsigned captures;
	uint64_t peak, map, measured;
	uint64_t smallest, recommended;
};

struct history;
struct system;

/** reserve_compute() - Fill in what the others follow from: @kernel, @packed, @unpacked. */
void reserve_compute(struct reserve *reserve, const struct history *history);

/**
 * reserve_kernel_bytes() - init_size of a bzImage (Documentation/arch/x86/boot.rst).
 * @head: the file's begin
 *
 * Return: bytes; 0 where it is none, or one older than protocol 2.10.
 */
uint64_t reserve_kernel_bytes(const void *head, size_t len);

/** reserve_measure() - Look at @sys's kernel and image.
 * Return: 0; -ENOENT there is no image yet; -errno. Not logged. */
int reserve_measure(const struct system *sys, const struct history *history,
		    struct reserve *reserve_ret);

/** reserve_of() - The same, with the history that can be found. */
int reserve_of(const struct system *sys, struct reserve *reserve_ret);

#endif
