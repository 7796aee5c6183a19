// SPDX-License-Identifier: GPL-2.0-or-later
#include "loader/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

/* Since 6.8 (426081603f6c), with retain_initrd on the command line. */
#define RETAINED_INITRD	    "/sys/firmware/initrd"
#define RETAINED_INITRD_MAX (1u << 30)

/* The kernel reads whole regular files only; say which one is at fault, and how. */
static int open_file(const char *path, const char *role, int *fd_ret, uint64_t *size_ret)
{
	/* O_NONBLOCK: do not hang in the open of a FIFO. */
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		int err = errno;

		log_error("cannot open the %s %s: %s", role, path, strerror(err));
		return -err;
	}
	if (!S_ISREG(st.st_mode)) {
		log_error("the %s %s is no regular file", role, path);
		return -EINVAL;
	}
	if (st.st_size == 0) {
		log_error("the %s %s is empty", role, path);
		return -ENODATA;
	}
	*fd_ret = take_fd(&fd);
	*size_ret = st.st_size;
	return 0;
}

/*
 * A file in memory that the kernel can read: it takes none that is open for writing
 * (kernel_read_file(), ETXTBSY), so the descriptor that filled it is changed for another.
 */
static int memory_file(const char *name, const void *data, size_t len, int *fd_ret)
{
	_close_ int fd = memfd_create(name, MFD_CLOEXEC);
	char self[32];
	int reader, err;

	if (fd < 0)
		return -errno;
	err = io_write_full(fd, data, len);
	if (err)
		return err;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	reader = open(self, O_RDONLY | O_CLOEXEC);
	if (reader < 0)
		return -errno;
	*fd_ret = reader;
	return 0;
}

static int replace_fd(int *fd, const char *name, const void *data, size_t len, uint64_t *size_ret)
{
	int reader = -1, err = memory_file(name, data, len, &reader);

	if (err) {
		log_error("cannot keep the %s in memory: %s", name, strerror(-err));
		return err;
	}
	cleanup_close(fd);
	*fd = reader;
	*size_ret = len;
	return 0;
}

static int take_unwrapped(struct input *in, struct unwrapped *u, const struct options *opts)
{
	bool own_initrd = opts->initrd || (opts->flags & OPT_REUSE_INITRD);
	int err;

	in->image = u->image;
	in->kind = u->kind;
	in->wrapping = u->wrapping;
	if (!u->wrapping)
		return 0;
	in->cmdline = take_ptr(u->cmdline);
	err = replace_fd(&in->kernel_fd, "kernel", u->kernel, u->kernel_len, &in->kernel_size);
	if (!err && u->initrd && !own_initrd)
		err = replace_fd(&in->initrd_fd, "initrd", u->initrd, u->initrd_len,
				 &in->initrd_size);
	return err;
}

/* struct mapped - A file in memory, until unmap(). */
struct mapped {
	void *data;
	size_t len;
};

static void unmap(struct mapped *m)
{
	if (m->data)
		munmap(m->data, m->len);
}

static int unwrap_kernel(struct input *in, const struct options *opts)
{
	__cleanup(unmap) struct mapped file = { 0 };
	__cleanup(input_unwrap_free) struct unwrapped u = { 0 };
	char why[512] = "there is no memory to take the kernel apart in";
	void *data = MAP_FAILED;
	int err;

	if (in->kernel_size <= SIZE_MAX)
		data = mmap(NULL, in->kernel_size, PROT_READ, MAP_PRIVATE, in->kernel_fd, 0);
	if (data == MAP_FAILED) {
		log_error("cannot read the kernel %s: %s", opts->kernel, strerror(errno));
		return -errno;
	}
	file = (struct mapped){ data, in->kernel_size };
	err = input_unwrap(file.data, file.len, opts->kernel, &u, why, sizeof(why));
	if (err) {
		log_error("%s", why);
		return err;
	}
	return take_unwrapped(in, &u, opts);
}

static int check_kernel(const struct input *in, const struct options *opts)
{
	struct utsname uts;
	char path[512], why[1024];
	int err;

	if (uname(&uts))
		return -errno;
	snprintf(path, sizeof(path), "%s%s", opts->kernel,
		 in->kind == IMAGE_UKI	      ? "'s .linux section" :
		 in->kind == IMAGE_COMPRESSED ? ", unpacked," :
						"");
	err = image_check(&in->image, uts.machine, path, why, sizeof(why));
	if (!err && opts->type && !image_type_fits(opts->type, in->kind, &in->image)) {
		snprintf(why, sizeof(why), "%s is %s, not what --type=%s says", path,
			 in->image.what, opts->type);
		err = -ENOEXEC;
	}
	if (!err && !input_calls(opts, &in->image, why, sizeof(why)))
		err = -ENOEXEC;
	if (err)
		log_error("%s", why);
	return err;
}

static int reuse_initrd(struct input *in)
{
	_free_ char *data = NULL;
	size_t len;
	int err = io_read_file(RETAINED_INITRD, RETAINED_INITRD_MAX, &data, &len);

	if (err == -ENOENT)
		log_error("--reuseinitrd: the running kernel kept no initrd: it does with "
			  "retain_initrd on its command line, and shows it since Linux 6.8");
	else if (err)
		log_error("--reuseinitrd: cannot read " RETAINED_INITRD ": %s", strerror(-err));
	return err ? err : replace_fd(&in->initrd_fd, "initrd", data, len, &in->initrd_size);
}

int input_open(const struct options *opts, struct input *in_ret)
{
	struct input in = { .kernel_fd = -1, .initrd_fd = -1 };
	int err = open_file(opts->kernel, "kernel", &in.kernel_fd, &in.kernel_size);

	if (!err && opts->initrd)
		err = open_file(opts->initrd, "initrd", &in.initrd_fd, &in.initrd_size);
	if (!err)
		err = unwrap_kernel(&in, opts);
	if (!err)
		err = check_kernel(&in, opts);
	if (!err && (opts->flags & OPT_REUSE_INITRD))
		err = reuse_initrd(&in);
	if (err) {
		input_close(&in);
		return err;
	}
	*in_ret = in;
	return 0;
}

void input_close(struct input *in)
{
	cleanup_close(&in->kernel_fd);
	cleanup_close(&in->initrd_fd);
	free(in->cmdline);
}
