/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that a system call reads once, from its beginning to its end, and that is given back as
 * soon as it has been read, not when the call returns.
 */
#ifndef CAPTURE_INIT_ONCE_H
#define CAPTURE_INIT_ONCE_H

#include <pthread.h>
#include <stddef.h>

/** struct once - Set up by once_map(). */
struct once {
	char *map;
	size_t len;	 /* whole pages */
	size_t read;	 /* what may go when the last page is asked for */
	int fault, stop; /* of the thread that waits for that; -1 without one */
	char *last;	 /* what the last page holds */
	pthread_t thread;
};

#define ONCE_NONE                                                                                  \
	{                                                                                          \
		.fault = -1, .stop = -1                                                            \
	}

/* A variable's cleanup, as in lib/cleanup.h */
#define _once_ __attribute__((cleanup(once_unmap)))

/**
 * once_map() - Memory of @len bytes, not 0, to be filled at @once->map.
 * Return: 0 or -errno.
 */
int once_map(struct once *once, size_t len);

/**
 * once_lend() - From now on, all but the end goes away when the last page is read.
 * @chunk: how many bytes in front of what it reads the reader may come back to
 *
 * Who reads what is gone gets EFAULT. Takes userfaultfd(2), with the right to have faults of
 * the kernel told.
 *
 * Return: 0 or -errno; then the memory stays as it is.
 */
int once_lend(struct once *once, size_t chunk);

/** once_unmap() - Ends it, whatever was read. */
void once_unmap(struct once *once);

#endif
