// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/init/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"

static const char blanks[] = " \t\r";

char *modules_parse_line(char *line, char **params_ret)
{
	char *path = line + strspn(line, blanks), *params;
	size_t len = strlen(path);

	while (len && strchr(blanks, path[len - 1]))
		path[--len] = '\0';
	if (!*path || *path == '#')
		return NULL;
	params = path + strcspn(path, blanks);
	if (*params)
		*params++ = '\0';
	*params_ret = params + strspn(params, blanks);
	return path;
}

/* kernel/module/main.c and signing.c; the architectures' loaders add ENOEXEC. */
const char *modules_problem(int err)
{
	switch (err) {
	case -ENOEXEC:
		return "not a module of this kernel, or compressed";
	case -EBADMSG:
		return "its signature is malformed";
	case -ENOKEY:
		return "signed with a key that the kernel does not have";
	case -EKEYREJECTED:
		return "unsigned or wrongly signed, and the kernel wants signatures";
	case -EPERM:
		return "the kernel forbids loading modules";
	case -ENOENT:
		return "it needs a symbol that no module before it in the list gives";
	case -EINVAL:
		return "it refuses a parameter, or was built for another kernel";
	case -ENOMEM:
		return "not enough memory";
	default:
		return strerror(-err);
	}
}

static void load_one(const char *path, const char *params, struct modules_count *count)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0) {
		log_error("%s: %s", path, strerror(errno));
		count->failed++;
		return;
	}
	err = syscall(SYS_finit_module, fd, params, 0) ? -errno : 0;
	/* The image lies in memory: what the kernel has taken over need not lie there twice. */
	if (!err || err == -EEXIST || err == -ENODEV)
		unlink(path);
	if (!err) {
		log_debug("%s loaded", path);
		count->loaded++;
	} else if (err == -EEXIST) {
		count->present++;
	} else if (err == -ENODEV) {
		log_debug("%s: not needed on this machine", path);
		count->unneeded++;
	} else {
		log_error("%s: %s", path, modules_problem(err));
		count->failed++;
	}
}

int modules_load_list(const char *list, void (*alive)(void *), void *alive_ctx,
		      struct modules_count *count_ret)
{
	struct modules_count count = { .loaded = 0 };
	_free_ char *text = NULL;
	char *line, *rest;
	int err = io_read_file(list, MODULES_LIST_MAX, &text, NULL);

	if (err == -ENOENT)
		return err;
	if (err) {
		log_error("%s: %s", list, strerror(-err));
		return err;
	}
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		char *params, *path = modules_parse_line(line, &params);

		if (!path)
			continue;
		alive(alive_ctx);
		load_one(path, params, &count);
	}
	*count_ret = count;
	return 0;
}
