// SPDX-License-Identifier: GPL-2.0-or-later
/* Opening and closing a core, and its plain accessors. */
#include "capture/core/core.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/core/core_priv.h"
#include "lib/log.h"

static int find_size(struct core *core)
{
	struct stat st;
	off_t end;

	if (fstat(core->fd, &st))
		end = -1;
	else if (S_ISREG(st.st_mode))
		end = st.st_size; /* of /proc/vmcore as well */
	else
		end = lseek(core->fd, 0, SEEK_END); /* a raw partition */
	if (end < 0) {
		int err = -errno;

		log_error("%s: cannot find its size: %s", core->name, strerror(-err));
		return err;
	}
	core->file_size = (uint64_t)end;
	return 0;
}

static int core_init(struct core *core, const char *name)
{
	int err;

	core->name = strdup(name);
	if (!core->name)
		return -ENOMEM;
	err = find_size(core);
	if (err)
		return err;

	err = core_parse_headers(core);
	if (err)
		return err;
	if (core->truncated)
		log_warn("%s: the file is cut off, %llu bytes of memory are missing", name,
			 (unsigned long long)core->truncated);
	return core_find_vmcoreinfo(core);
}

int core_open_fd(int fd, const char *name, struct core **core_ret)
{
	struct core *core = calloc(1, sizeof(*core));
	int err;

	if (!core) {
		close(fd);
		log_error("%s: out of memory", name);
		return -ENOMEM;
	}
	core->fd = fd;
	err = core_init(core, name);
	if (err) {
		if (err == -ENOMEM)
			log_error("%s: out of memory", name);
		core_close(core);
		return err;
	}
	*core_ret = core;
	return 0;
}

int core_open(const char *path, struct core **core_ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		int err = -errno;

		log_error("%s: cannot open: %s", path, strerror(-err));
		return err;
	}
	return core_open_fd(fd, path, core_ret);
}

void core_close(struct core *core)
{
	if (!core)
		return;
	close(core->fd);
	vmcoreinfo_free(core->vi);
	free(core->tables);
	free(core->notes);
	free(core->segments);
	free(core->loads);
	free(core->name);
	free(core);
}

const struct core_segment *core_segments(const struct core *core, size_t *nr_ret)
{
	*nr_ret = core->nr_segments;
	return core->segments;
}

const struct core_segment *core_loads(const struct core *core, size_t *nr_ret)
{
	*nr_ret = core->nr_loads;
	return core->loads;
}

uint64_t core_truncated_bytes(const struct core *core)
{
	return core->truncated;
}

const struct arch_ops *core_arch(const struct core *core)
{
	return core->arch;
}

bool core_big_endian(const struct core *core)
{
	return core->big_endian;
}

const struct vmcoreinfo *core_vmcoreinfo(const struct core *core)
{
	return core->vi;
}

const void *core_notes(const struct core *core, size_t *len_ret)
{
	*len_ret = core->notes_len;
	return core->notes;
}

size_t core_page_size(const struct core *core)
{
	return core->page_size;
}

uint64_t core_end_paddr(const struct core *core)
{
	const struct core_segment *last = &core->segments[core->nr_segments - 1];

	return last->paddr + last->memsz;
}
