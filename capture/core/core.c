// SPDX-License-Identifier: GPL-2.0-or-later
/* Opening and closing a core, and its plain accessors. */
#include "capture/core/core.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/core/core_priv.h"
#include "lib/log.h"
#include "lib/util.h"

#define OPEN_READ_AHEAD (64u * 1024)

/* Asked in this order. */
static const struct input_ops *const inputs[] = { &input_elf, &input_kdump };

static int open_input(struct core *core, struct file_view *view)
{
	uint8_t head[CORE_HEAD_BYTES];

	if (file_view_read_padded(view, 0, head, sizeof(head))) {
		log_error("%s: cannot be read", core->name);
		return -EIO;
	}
	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++) {
		if (!inputs[i]->matches(head))
			continue;
		core->ops = inputs[i];
		return inputs[i]->open(core, view);
	}
	log_error("%s: neither an ELF core nor a kdump-compressed dump", core->name);
	return -EBADMSG;
}

static int core_init(struct core *core, int fd, const char *name)
{
	struct file_view *view;
	int err = core_file_open(fd, name, &core->file);

	if (err)
		return err;
	core->name = core->file->name;
	err = file_view_create(core->file, OPEN_READ_AHEAD, &view);
	if (err)
		return err;
	err = open_input(core, view);
	file_view_destroy(view);
	if (err)
		return err;
	core_set_access(core, CORE_ACCESS_AUTO);
	if (core->incomplete)
		log_warn("%s: marked incomplete: it does not hold all that it should", name);
	if (core->truncated)
		log_warn("%s: it lacks %llu bytes of the memory that it describes", name,
			 (unsigned long long)core->truncated);
	err = core_reader_create(core, &core->own);
	if (err)
		return err;
	if (core->vi)
		return 0;
	err = core_find_vmcoreinfo(core);
	return err && err != -ENOMEM ? core_search_vmcoreinfo(core) : err;
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
	err = core_init(core, fd, name);
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
	core_reader_destroy(core->own);
	if (core->ops)
		core->ops->close(core->input);
	core_file_close(core->file);
	vmcoreinfo_free(core->vi);
	free(core->tables);
	free(core->notes);
	free(core->segments);
	free(core->loads);
	free(core);
}

void core_set_access(struct core *core, enum core_access access)
{
	core->file->map =
		access == CORE_ACCESS_MMAP || (access == CORE_ACCESS_AUTO && core->file->in_proc);
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

uint64_t core_crash_time(const struct core *core)
{
	const char *s = core->vi ? vmcoreinfo_string(core->vi, "CRASHTIME") : NULL;

	if (s)
		return strtoull(s, NULL, 10);
	return core->header_time ? core->header_time : core->file->mtime;
}

bool core_incomplete(const struct core *core)
{
	return core->incomplete;
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
