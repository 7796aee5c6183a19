// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/dumps/symbols.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/util.h"

#define RELEASE_MAX 64 /* kernel: include/uapi/linux/utsname.h, __NEW_UTS_LEN */

/* Debian, Ubuntu; Fedora, RHEL; openSUSE; a kernel that was built here. */
static const char *const places[] = {
	"/usr/lib/debug/boot/vmlinux-",
	NULL,
	"/usr/lib/debug/lib/modules/",
	"/vmlinux",
	"/usr/lib/debug/usr/lib/modules/",
	"/vmlinux.debug",
	"/usr/lib/debug/usr/lib/modules/",
	"/vmlinux",
	"/lib/modules/",
	"/build/vmlinux",
};

/* By a file that only this family has; the first that is there counts. */
static const struct {
	const char *sign, *before, *behind;
} hints[] = {
	{ "/etc/fedora-release", "dnf debuginfo-install kernel-core-", "" },
	{ "/etc/redhat-release", "dnf debuginfo-install kernel-core-", "" },
	{ "/etc/SUSEConnect", "zypper install kernel-default-debuginfo, of ", "" },
	{ "/etc/products.d", "zypper install kernel-default-debuginfo, of ", "" },
	{ "/usr/share/keyrings/ubuntu-archive-keyring.gpg", "apt install linux-image-unsigned-",
	  "-dbgsym, from ddebs.ubuntu.com" },
	{ "/etc/debian_version", "apt install linux-image-", "-dbg" },
};

bool symbols_is_release(const char *release)
{
	size_t len = strlen(release);

	return len && len <= RELEASE_MAX && *release != '.' && *release != '-' &&
	       strspn(release, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			       "._+~-") == len;
}

char *symbols_find(const struct invocation *in, const char *release)
{
	for (size_t i = 0; i < ARRAY_SIZE(places) && symbols_is_release(release); i += 2) {
		char path[256];
		_free_ char *rooted = NULL;

		snprintf(path, sizeof(path), "%s%s%s", places[i], release, places[i + 1] ?: "");
		rooted = ctl_path(in, path);
		if (rooted && access(rooted, F_OK) == 0)
			return take_ptr(rooted);
	}
	return NULL;
}

void symbols_hint(const struct invocation *in, const char *release, char *buf, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(hints) && symbols_is_release(release); i++) {
		_free_ char *sign = ctl_path(in, hints[i].sign);

		if (!sign || access(sign, F_OK))
			continue;
		snprintf(buf, size, "%s%s%s", hints[i].before, release, hints[i].behind);
		return;
	}
	snprintf(buf, size, "the vmlinux of this kernel, with symbols, is needed");
}
