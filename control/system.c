// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/system.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/cmdline.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

static uint64_t number_in(const struct invocation *in, const char *path)
{
	_free_ char *full = ctl_path(in, path), *text = NULL;

	if (!full || io_read_file(full, 64, &text, NULL))
		return 0;
	return strtoull(text, NULL, 10);
}

/* It becomes part of file names. */
static bool is_release(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-_~");

	return n && !s[n] && n < sizeof(((struct system *)0)->release) && *s != '.' && *s != '-';
}

static char *machine_id(const struct invocation *in)
{
	_free_ char *path = ctl_path(in, "/etc/machine-id");
	char *id = NULL;

	if (!path || io_read_file(path, 64, &id, NULL))
		return NULL;
	id[strcspn(id, "\n")] = '\0';
	if (strspn(id, "0123456789abcdef") != 32 || id[32]) {
		free(id);
		return NULL;
	}
	return id;
}

static char *path_of(const struct system *sys, const char *before, const char *behind)
{
	char *path;
	int n = asprintf(&path, "%s%s%s%s", sys->in->root, before, sys->release, behind);

	return n < 0 ? NULL : path;
}

/* Where distributions and kernel-install(8) put kernels; that one below the machine's ID. */
static int find_vmlinuz(struct system *sys)
{
	static const struct {
		const char *before, *behind;
		bool id;
	} places[] = {
		{ "/boot/vmlinuz-", "", false },
		{ "/boot/vmlinux-", "", false },
		{ "/lib/modules/", "/vmlinuz", false },
		{ "/boot/", "/linux", true },
		{ "/efi/", "/linux", true },
		{ "/boot/efi/", "/linux", true },
	};
	_free_ char *id = machine_id(sys->in);

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_free_ char *path = NULL;
		char before[64];

		if (places[i].id && !id)
			break;
		snprintf(before, sizeof(before), "%s%s%s", places[i].before, places[i].id ? id : "",
			 places[i].id ? "/" : "");
		path = path_of(sys, before, places[i].behind);
		if (!path)
			return -ENOMEM;
		if (access(path, R_OK) == 0) {
			sys->vmlinuz = take_ptr(path);
			return 0;
		}
	}
	return 0;
}

int system_init(struct system *sys, const struct invocation *in, const char *release)
{
	struct utsname u;

	*sys = (struct system){ .in = in };
	if (!release && !uname(&u))
		release = u.release;
	if (!release || !is_release(release)) {
		log_error("%s: no kernel is called that", release ? release : "");
		return -EINVAL;
	}
	memcpy(sys->release, release, strlen(release) + 1);
	sys->image = path_of(sys, "/boot/initrd-vmcore-save-", ".img");
	sys->inputs = path_of(sys, STATE_DIR "/image-", ".inputs");
	if (!sys->image || !sys->inputs || find_vmlinuz(sys)) {
		system_deinit(sys);
		log_error("out of memory");
		return -ENOMEM;
	}
	sys->reserved = number_in(in, "/sys/kernel/kexec_crash_size");
	sys->loaded = number_in(in, "/sys/kernel/kexec_crash_loaded") == 1;
	return 0;
}

void system_deinit(struct system *sys)
{
	free(sys->vmlinuz);
	free(sys->image);
	free(sys->inputs);
	*sys = (struct system){ 0 };
}

void system_consoles(const struct invocation *in, char *buf, size_t size)
{
	_free_ char *path = ctl_path(in, "/proc/cmdline"), *text = NULL;
	struct cmdline_word word;
	const char *cursor;
	size_t used = 0;

	*buf = '\0';
	if (!path || io_read_file(path, 64u << 10, &text, NULL))
		return;
	cursor = text;
	while (cmdline_next(&cursor, &word)) {
		if (!cmdline_is(&word, "console") || used + word.raw_len + 2 > size)
			continue;
		if (used)
			buf[used++] = ' ';
		memcpy(buf + used, word.raw, word.raw_len);
		used += word.raw_len;
		buf[used] = '\0';
	}
}
