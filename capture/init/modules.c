// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/init/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zstd.h>

#include "capture/init/once.h"
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
		return "not a module of this kernel, or packed by another method than zstd";
	case -EBADMSG:
		return "the file or its signature is malformed";
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

/* What the builder packs is told by what it holds, not by its name. */
static bool is_packed(const char *data, size_t len)
{
	static const uint8_t magic[] = { 0x28, 0xb5, 0x2f, 0xfd }; /* RFC 8878, 3.1.1 */

	return len > sizeof(magic) && memcmp(data, magic, sizeof(magic)) == 0;
}

static int unpack(const char *data, size_t len, struct once *out, size_t *len_ret)
{
	unsigned long long size = ZSTD_getFrameContentSize(data, len);
	int err;

	/* Covers what zstd says where it does not know. */
	if (size > MODULES_FILE_MAX)
		return -EFBIG;
	if (!size)
		return -EBADMSG;
	err = once_map(out, size);
	if (err)
		return err;
	if (ZSTD_decompress(out->map, size, data, len) != size)
		return -EBADMSG;
	*len_ret = size;
	return 0;
}

/* A kernel unpacks modules itself since 5.17 (b1ae6dc41eaa), if it was built so, and not zstd
 * before 6.3. */
static int load_packed(const char *path, const char *params, bool lend)
{
	_once_ struct once module = ONCE_NONE;
	_free_ char *data = NULL;
	size_t len, size;
	int err = io_read_file(path, MODULES_FILE_MAX, &data, &len);

	if (!err)
		err = unpack(data, len, &module, &size);
	if (err)
		return err;
	free(take_ptr(data));
	/* The kernel first copies the module from its beginning to its end, 16 pages at a time
	 * (copy_module_from_user(), kernel/module/main.c), and then takes memory to place it in:
	 * by then ours can be gone. */
	if (lend)
		once_lend(&module, 16 * (size_t)sysconf(_SC_PAGESIZE));
	return syscall(SYS_init_module, module.map, size, params) ? -errno : 0;
}

static int load_file(int fd, const char *path, const char *params)
{
	char head[8];
	ssize_t n = io_pread_full(fd, head, sizeof(head), 0);

	if (n < 0)
		return (int)n;
	if (is_packed(head, n)) {
		int err = load_packed(path, params, true);

		/* EFAULT is of a kernel that reads it in another way. */
		return err == -EFAULT ? load_packed(path, params, false) : err;
	}
	return syscall(SYS_finit_module, fd, params, 0) ? -errno : 0;
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
	err = load_file(fd, path, params);
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

int modules_load_list(const char *list, unsigned *at, void (*alive)(void *), void *alive_ctx,
		      struct modules_count *count_ret)
{
	struct modules_count count = { .loaded = 0 };
	_free_ char *text = NULL;
	unsigned nr = 0, first = *at;
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

		if (!path || ++nr < first)
			continue;
		if (nr == first) {
			log_warn("going on behind %s, with which the last try ended", path);
			continue;
		}
		*at = nr;
		alive(alive_ctx);
		load_one(path, params, &count);
	}
	*count_ret = count;
	return 0;
}
