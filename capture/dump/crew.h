/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads that work on batches, and the ring in which these go round: filled by the
 * caller, worked on by whoever is free, taken back in the order in which they were filled.
 * So what is made of them does not depend on the number of threads.
 *
 *	while ((b = crew_idle(c)) && fill(b))
 *		crew_submit(c);
 *	b = crew_take(c);
 *	use(b);
 *	crew_release(c);
 */
#ifndef CAPTURE_DUMP_CREW_H
#define CAPTURE_DUMP_CREW_H

#include "capture/dump/dump_private.h"

struct crew;

/**
 * crew_create() - Start the threads.
 * @compresses: whether pages may be packed, by the options' codec
 *
 * Where there is no memory for all, there are fewer, and a warning. With no more than one
 * thread wanted, or where none can be started, the caller's own does the work, in
 * crew_submit().
 * Return: 0; -ENOMEM; the codec's error.
 */
int crew_create(const struct dump_job *job, bool compresses, struct crew **crew_ret);

/** crew_destroy() - Wait for what is under way and end the threads; NULL is allowed. */
void crew_destroy(struct crew *c);

/** crew_idle() - An empty batch to be filled; NULL where all are in use. */
struct batch *crew_idle(struct crew *c);

/** crew_submit() - Hand over the batch that crew_idle() gave. */
void crew_submit(struct crew *c);

/** crew_take() - Wait for the oldest batch that was handed over; NULL where there is none. */
struct batch *crew_take(struct crew *c);

/** crew_release() - The batch that crew_take() gave may be filled again. */
void crew_release(struct crew *c);

#endif
