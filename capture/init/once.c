// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/init/once.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/util.h"

#define STACK_SIZE (64u << 10)

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

int once_map(struct once *once, size_t len)
{
	size_t page = page_size();
	void *map;

	*once = (struct once)ONCE_NONE;
	if (!len || len > SIZE_MAX - page)
		return -EINVAL;
	len = ROUND_UP(len, page);
	map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return -errno;
	/* Of a huge page nothing comes back before all of it is let go. */
	madvise(map, len, MADV_NOHUGEPAGE);
	once->map = map;
	once->len = len;
	return 0;
}

/* The reader sleeps in a fault until the last page is there. */
static void *wait_for_last(void *arg)
{
	struct once *once = arg;
	size_t page = page_size();
	struct pollfd fds[] = { { .fd = once->fault, .events = POLLIN },
				{ .fd = once->stop, .events = POLLIN } };
	struct uffdio_copy copy = { .dst = (uintptr_t)once->map + once->len - page,
				    .src = (uintptr_t)once->last,
				    .len = page };

	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	if (!(fds[0].revents & POLLIN))
		return NULL;
	/* Not zeros, which would be taken for what was there, but a fault. */
	if (once->read && mprotect(once->map, once->read, PROT_NONE) == 0)
		madvise(once->map, once->read, MADV_DONTNEED);
	if (ioctl(once->fault, UFFDIO_COPY, &copy)) {
		struct uffdio_range range = { .start = copy.dst, .len = page };

		mprotect(once->map + once->len - page, page, PROT_NONE);
		ioctl(once->fault, UFFDIO_WAKE, &range);
	}
	return NULL;
}

static int fault_open(const struct once *once)
{
	size_t page = page_size();
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = {
		.range = { .start = (uintptr_t)once->map + once->len - page, .len = page },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	_close_ int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &range))
		return -errno;
	return take_fd(&fd);
}

static int thread_start(struct once *once)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int err = pthread_attr_init(&attr);

	if (err)
		return -err;
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&once->thread, &attr, wait_for_last, once);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return -err;
}

int once_lend(struct once *once, size_t chunk)
{
	size_t page = page_size();
	char *at = once->map + once->len - page;
	_free_ char *last = malloc(page);
	_close_ int fault = fault_open(once), stop = eventfd(0, EFD_CLOEXEC);
	int err;

	if (!last)
		return -ENOMEM;
	if (fault < 0 || stop < 0)
		return fault < 0 ? fault : -errno;
	memcpy(last, at, page);
	once->read = once->len > chunk + page ? (once->len - page - chunk) / page * page : 0;
	once->last = last;
	once->fault = fault;
	once->stop = stop;
	madvise(at, page, MADV_DONTNEED);
	err = thread_start(once);
	if (err) {
		struct uffdio_range range = { .start = (uintptr_t)at, .len = page };

		ioctl(fault, UFFDIO_UNREGISTER, &range);
		memcpy(at, last, page);
		once->last = NULL;
		once->fault = once->stop = -1;
		return err;
	}
	take_ptr(last);
	take_fd(&fault);
	take_fd(&stop);
	return 0;
}

void once_unmap(struct once *once)
{
	if (once->fault >= 0) {
		eventfd_write(once->stop, 1);
		pthread_join(once->thread, NULL);
		close(once->fault);
		close(once->stop);
		free(once->last);
	}
	if (once->map)
		munmap(once->map, once->len);
	*once = (struct once)ONCE_NONE;
}
