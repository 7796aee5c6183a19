// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * check: what the running kernel makes of a crash: whether it becomes a panic, whether the capture
 * kernel may be loaded, and what is left where the capture fails. Lines for whose facts this
 * kernel has no file are left out.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/check/check.h"
#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/util.h"

/* The first line of a file of the system; NULL where it cannot be read. */
static char *first_line(const struct check *c, const char *path)
{
	_free_ char *full = ctl_path(c->sys.in, path);
	char *text = NULL;

	if (!full || io_read_file(full, 4096, &text, NULL))
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* Documentation/admin-guide/sysctl/kernel.rst. Return: whether there is such a number. */
static bool sysctl(const struct check *c, const char *name, long *value_ret)
{
	_free_ char *path = NULL, *text = NULL;

	if (asprintf(&path, "/proc/sys/kernel/%s", name) < 0) {
		path = NULL;
		return false;
	}
	text = first_line(c, path);
	if (text)
		*value_ret = strtol(text, NULL, 10);
	return text;
}

static void check_panic(struct check *c)
{
	long value;

	/* As with hangs, there are reasons for either. */
	if (sysctl(c, "panic_on_oops", &value))
		check_tell(c, CHECK_OK, "oops",
			   value ? "" :
				   "kernel.panic_on_oops = 1 in /etc/sysctl.d to have it captured",
			   value ? "an oops is a panic" :
				   "an oops kills a process and is not captured");
	if (!sysctl(c, "panic", &value))
		return;
	if (value)
		check_tell(c, CHECK_OK, "panic", "",
			   "where the capture kernel does not start, the kernel reboots");
	else
		check_tell(c, CHECK_WARN, "panic", "kernel.panic = 10 in /etc/sysctl.d",
			   "where the capture kernel does not start, the machine hangs for ever");
}

/* Whether a hang is one is a matter of taste, so that it is told and no more. */
static void check_hangs(struct check *c)
{
	static const char *const names[] = { "softlockup_panic", "hardlockup_panic",
					     "hung_task_panic", "unknown_nmi_panic" };
	char yes[128] = "", no[128] = "";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char *list;
		long value;

		if (!sysctl(c, names[i], &value))
			continue;
		list = value ? yes : no;
		snprintf(list + strlen(list), sizeof(yes) - strlen(list), "%s%s", *list ? ", " : "",
			 names[i]);
	}
	if (*yes || *no)
		check_tell(c, CHECK_OK, "hangs",
			   *no ? "set kernel.NAME = 1 in /etc/sysctl.d to have them captured" : "",
			   "captured: %s; not: %s", *yes ? yes : "none", *no ? no : "none");
}

static void check_kexec(struct check *c)
{
	const char *then = c->sys.loaded ? "what is armed stays till the next boot" :
					   "nothing can be armed before the next boot";
	long value;

	if (sysctl(c, "kexec_load_disabled", &value)) {
		if (value)
			check_tell(c, CHECK_WARN, "kexec", "reboot to arm another image",
				   "kernel.kexec_load_disabled is set: %s", then);
		else
			check_tell(c, CHECK_OK, "kexec", "", "a capture kernel may be loaded");
	}
	if (sysctl(c, "kexec_load_limit_panic", &value) && !value)
		check_tell(c, CHECK_WARN, "kexec", "reboot to arm another image",
			   "kernel.kexec_load_limit_panic is used up: %s", then);
}

bool check_is_signed(const void *head, size_t len)
{
	const uint8_t *p = head;
	uint64_t pe, optional, directory;

	if (len < 0x40 || memcmp(p, "MZ", 2))
		return false;
	pe = get_le32(p + 0x3c);
	optional = pe + 24;
	if (!range_within(optional, 2, len) || memcmp(p + pe, "PE\0\0", 4))
		return false;
	switch (get_le16(p + optional)) {
	case 0x10b: /* PE32 */
		directory = optional + 96;
		break;
	case 0x20b: /* PE32+ */
		directory = optional + 112;
		break;
	default:
		return false;
	}
	/* The fifth entry is the certificate table, of which the size is the second word. */
	return range_within(directory, 5 * 8, len) && get_le32(p + directory - 4) > 4 &&
	       get_le32(p + directory + 4 * 8 + 4);
}

static bool kernel_is_signed(const struct check *c)
{
	_close_ int fd = c->sys.vmlinuz ? open(c->sys.vmlinuz, O_RDONLY | O_CLOEXEC) : -1;
	char head[4096];
	ssize_t n = fd < 0 ? -1 : io_read_full(fd, head, sizeof(head));

	return n > 0 && check_is_signed(head, (size_t)n);
}

/* Four bytes of attributes, then the variable's one (UEFI, 3.3 Globally Defined Variables). */
static bool has_secure_boot(const struct check *c)
{
	_free_ char *data = NULL,
		    *path = ctl_path(c->sys.in, "/sys/firmware/efi/efivars/SecureBoot-"
						"8be4df61-93ca-11d2-aa0d-00e098032b8c");
	size_t len;

	return path && !io_read_file(path, 64, &data, &len) && len == 5 && data[4] == 1;
}

static void check_lockdown(struct check *c)
{
	_free_ char *text = first_line(c, "/sys/kernel/security/lockdown");
	const char *how = text ? strchr(text, '[') : NULL;
	const bool secure = has_secure_boot(c);
	char mode[32] = "none";

	if (!how && !secure)
		return;
	if (how)
		snprintf(mode, sizeof(mode), "%.*s", (int)strcspn(how + 1, "]"), how + 1);
	if (streq(mode, "none") && !secure)
		check_tell(c, CHECK_OK, "lockdown", "", "none, and no Secure Boot");
	else if (kernel_is_signed(c))
		check_tell(c, CHECK_OK, "lockdown", "", "%s, Secure Boot %s: %s is signed", mode,
			   secure ? "on" : "off", c->sys.vmlinuz);
	else
		check_tell(c, CHECK_WARN, "lockdown", "install a signed kernel, or sign it",
			   "%s, Secure Boot %s, and %s is not signed: loading it may be refused",
			   mode, secure ? "on" : "off",
			   c->sys.vmlinuz ? c->sys.vmlinuz : "the kernel");
}

/* What keeps the end of the log where even the capture fails. */
static void check_pstore(struct check *c)
{
	_free_ char *backend = first_line(c, "/sys/module/pstore/parameters/backend");
	_free_ char *erst = ctl_path(c->sys.in, "/sys/firmware/acpi/tables/ERST");

	if (!backend)
		return;
	if (*backend && *backend != '(') /* "(null)" */
		check_tell(c, CHECK_OK, "pstore", "", "%s keeps the end of the log besides",
			   backend);
	else if (erst && !access(erst, F_OK))
		check_tell(c, CHECK_WARN, "pstore", "boot without erst_disable",
			   "the firmware has an ERST for the end of the log, which is not used");
	else
		check_tell(c, CHECK_OK, "pstore", "",
			   "none: where the capture fails, nothing keeps the log");
}

void check_kernel(struct check *c)
{
	check_panic(c);
	check_hangs(c);
	check_kexec(c);
	check_lockdown(c);
	check_pstore(c);
}
