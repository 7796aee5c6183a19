// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/dump/crew.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "lib/log.h"
#include "lib/util.h"

#define STACK_BYTES (256u * 1024) /* a thread's, for readers and codecs */

struct worker {
	struct crew *crew;
	pthread_t thread;
	struct batch_tools tools;
};

/*
 * @nr_threads: that run; 0 where the caller works, with the tools of workers[0]
 * @submitted, @started, @taken: batches, counted from the beginning; number i stands in
 *	batches[i % nr_batches]
 * @done: by place in @batches
 */
struct crew {
	unsigned nr_workers, nr_threads, nr_batches;
	struct worker *workers;
	struct batch *batches;
	bool *done;
	uint64_t submitted, started, taken;
	bool stop;
	pthread_mutex_t lock;
	pthread_cond_t work, finished;
};

static void *worker_run(void *arg)
{
	struct worker *w = arg;
	struct crew *c = w->crew;

	pthread_mutex_lock(&c->lock);
	for (;;) {
		unsigned place;

		while (!c->stop && c->started == c->submitted)
			pthread_cond_wait(&c->work, &c->lock);
		if (c->stop)
			break;
		place = c->started++ % c->nr_batches;
		pthread_mutex_unlock(&c->lock);
		batch_work(&c->batches[place], &w->tools);
		pthread_mutex_lock(&c->lock);
		c->done[place] = true;
		pthread_cond_signal(&c->finished);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* Signals are left to the caller's thread, but
 * for those that a worker's own doing raises. */
static void start_threads(struct crew *c)
{
	pthread_attr_t attr;
	sigset_t all, old;

	if (c->nr_workers < 2 || pthread_attr_init(&attr))
		return;
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	sigfillset(&all);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGSEGV);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (c->nr_threads < c->nr_workers) {
		struct worker *w = &c->workers[c->nr_threads];

		if (pthread_create(&w->thread, &attr, worker_run, w))
			break;
		c->nr_threads++;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
}

static int make_tools(struct crew *c, const struct dump_job *job, bool compresses)
{
	const struct dump_options *o = job->options;

	for (unsigned i = 0; i < c->nr_workers; i++) {
		int err = batch_tools_init(&c->workers[i].tools, job->core,
					   compresses ? o->codec : NULL, o->codec_level);

		c->workers[i].crew = c;
		if (err)
			return err;
	}
	return 0;
}

static int make_batches(struct crew *c, const struct dump_job *job, bool compresses)
{
	const struct dump_options *o = job->options;

	for (unsigned i = 0; i < c->nr_batches; i++) {
		int err = batch_init(&c->batches[i], job->page_size, compresses && o->codec,
				     o->level & DUMP_LEVEL_ZERO);

		if (err)
			return err;
	}
	return 0;
}

static int make_crew(const struct dump_job *job, bool compresses, unsigned nr_workers,
		     struct crew **crew_ret)
{
	struct crew *c = calloc(1, sizeof(*c));
	int err = -ENOMEM;

	if (!c)
		return -ENOMEM;
	c->nr_workers = nr_workers;
	/* Each thread has one in work and one ready; one is being written. */
	c->nr_batches = c->nr_workers > 1 ? 2 * c->nr_workers + 1 : 1;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->work, NULL);
	pthread_cond_init(&c->finished, NULL);
	c->workers = calloc(c->nr_workers, sizeof(*c->workers));
	c->batches = calloc(c->nr_batches, sizeof(*c->batches));
	c->done = calloc(c->nr_batches, sizeof(*c->done));
	if (c->workers && c->batches && c->done)
		err = make_tools(c, job, compresses);
	if (!err)
		err = make_batches(c, job, compresses);
	if (err) {
		crew_destroy(c);
		return err;
	}
	*crew_ret = c;
	return 0;
}

int crew_create(const struct dump_job *job, bool compresses, struct crew **crew_ret)
{
	const unsigned threads = job->options->threads;
	const unsigned wanted = threads ? MIN(threads, DUMP_THREADS_MAX) : 1;
	struct crew *c;
	unsigned nr = wanted, got;
	int err = make_crew(job, compresses, nr, &c);

	/* Fewer threads than wanted are no failure, and leave some memory to others. */
	while (err == -ENOMEM && nr > 1) {
		nr /= 2;
		err = make_crew(job, compresses, nr, &c);
	}
	if (err)
		return err;
	start_threads(c);
	got = c->nr_threads ? c->nr_threads : 1;
	if (got < wanted)
		log_warn("only %u of %u threads could be started", got, wanted);
	*crew_ret = c;
	return 0;
}

void crew_destroy(struct crew *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_broadcast(&c->work);
	pthread_mutex_unlock(&c->lock);
	for (unsigned i = 0; i < c->nr_threads; i++)
		pthread_join(c->workers[i].thread, NULL);
	for (unsigned i = 0; c->workers && i < c->nr_workers; i++)
		batch_tools_deinit(&c->workers[i].tools);
	for (unsigned i = 0; c->batches && i < c->nr_batches; i++)
		batch_deinit(&c->batches[i]);
	pthread_cond_destroy(&c->finished);
	pthread_cond_destroy(&c->work);
	pthread_mutex_destroy(&c->lock);
	free(c->done);
	free(c->batches);
	free(c->workers);
	free(c);
}

struct batch *crew_idle(struct crew *c)
{
	struct batch *b;

	if (c->submitted - c->taken == c->nr_batches)
		return NULL;
	b = &c->batches[c->submitted % c->nr_batches];
	b->nr = 0;
	return b;
}

void crew_submit(struct crew *c)
{
	unsigned place = c->submitted % c->nr_batches;

	if (!c->nr_threads) {
		batch_work(&c->batches[place], &c->workers[0].tools);
		c->done[place] = true;
		c->submitted++;
		return;
	}
	pthread_mutex_lock(&c->lock);
	c->done[place] = false;
	c->submitted++;
	pthread_cond_signal(&c->work);
	pthread_mutex_unlock(&c->lock);
}

struct batch *crew_take(struct crew *c)
{
	unsigned place = c->taken % c->nr_batches;

	if (c->taken == c->submitted)
		return NULL;
	pthread_mutex_lock(&c->lock);
	while (!c->done[place])
		pthread_cond_wait(&c->finished, &c->lock);
	pthread_mutex_unlock(&c->lock);
	return &c->batches[place];
}

void crew_release(struct crew *c)
{
	c->taken++;
}
