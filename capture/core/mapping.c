// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A page of a mapping that the file no longer reaches, or that the device or the memory
 * below it cannot deliver, raises SIGBUS (mmap(2)) in the thread that touches it. Here that
 * ends the copy under way with -EIO.
 *
 * What makes the jump out of the handler safe: the signal is synchronous, so the handler
 * runs on the thread that is in mapping_copy(), at its memcpy(), which holds no lock and
 * leaves nothing half done but the destination, undefined after an error. The handler looks
 * at its own thread's guard (in a static program an offset from the thread pointer, so
 * nothing is allocated; the thread has written to it just before) and at the fault's
 * address: any other SIGBUS goes to whoever handled it before. SA_NODEFER leaves the signal
 * mask as it was, so that there is no mask to restore and sigsetjmp() costs no system call.
 */
#include "capture/core/mapping.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

/*
 * Bytes to copy at once. Larger copies are made by string instructions, which are no faster
 * and, where a machine is emulated, slower by far.
 */
#define COPY_BYTES 4096u

struct guard {
	sigjmp_buf env;
	uintptr_t start, end;
};

/* Process-wide as the disposition itself: written once, before the handler can run. */
static pthread_once_t installed = PTHREAD_ONCE_INIT;
static struct sigaction previous;
static int install_errno;

static _Thread_local struct guard *volatile thread_guard;

static void pass_on(int sig, siginfo_t *info, void *context)
{
	if (previous.sa_flags & SA_SIGINFO) {
		previous.sa_sigaction(sig, info, context);
	} else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
		previous.sa_handler(sig);
	} else {
		signal(sig, SIG_DFL); /* the fault comes again on return, and ends the process */
		if (info->si_code <= 0)
			raise(sig); /* sent by someone: it does not come again */
	}
}

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	struct guard *guard = thread_guard;
	uintptr_t at = (uintptr_t)info->si_addr;

	if (guard && info->si_code > 0 && at >= guard->start && at < guard->end) {
		thread_guard = NULL;
		siglongjmp(guard->env, 1);
	}
	pass_on(sig, info, context);
}

static void install(void)
{
	struct sigaction action = { .sa_sigaction = on_sigbus,
				    .sa_flags = SA_SIGINFO | SA_NODEFER };

	/* The previous one first: the handler may run as soon as it is there. */
	if (sigaction(SIGBUS, NULL, &previous) || sigaction(SIGBUS, &action, NULL))
		install_errno = errno;
}

int mapping_prepare(void)
{
	pthread_once(&installed, install);
	return -install_errno;
}

int mapping_copy(void *dst, const void *src, size_t len)
{
	/* The address of a hardware memory error may be known to the page only. */
	struct guard guard = { .start = (uintptr_t)src & ~(uintptr_t)4095,
			       .end = (uintptr_t)src + len };

	if (sigsetjmp(guard.env, 0))
		return -EIO;
	thread_guard = &guard;
	for (size_t at = 0; at < len; at += COPY_BYTES)
		memcpy((char *)dst + at, (const char *)src + at,
		       len - at < COPY_BYTES ? len - at : COPY_BYTES);
	thread_guard = NULL;
	return 0;
}
