// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/util.h"
#include "loader/loader.h"
#include "loader/machine.h"

/* Nothing that is read here is longer. */
#define FACT_MAX 65536

#define CAP_SYS_BOOT 22

static int read_text(const char *root, const char *path, char **text_ret)
{
	return machine_text(root, path, FACT_MAX, text_ret);
}

/* A file that holds one decimal number. Return: 0, -errno, -EBADMSG. */
static int read_number(const char *root, const char *path, int64_t *number_ret)
{
	_free_ char *text = NULL;
	char *end;
	int err = read_text(root, path, &text);
	long long v;

	if (err)
		return err;
	errno = 0;
	v = strtoll(text, &end, 10);
	if (end == text || errno || (*end && *end != '\n'))
		return -EBADMSG;
	*number_ret = v;
	return 0;
}

int64_t facts_either(const char *root, const char *newer, const char *older)
{
	int64_t v;

	if (read_number(root, newer, &v) && read_number(root, older, &v))
		return -1;
	return v < 0 ? -1 : v;
}

void status_read(const char *root, struct kexec_status *status_ret)
{
	int64_t loaded = facts_either(root, "/sys/kernel/kexec/loaded", "/sys/kernel/kexec_loaded");
	int64_t crash_loaded = facts_either(root, "/sys/kernel/kexec/crash_loaded",
					    "/sys/kernel/kexec_crash_loaded");

	status_ret->loaded = loaded < 0 ? -1 : loaded != 0;
	status_ret->crash_loaded = crash_loaded < 0 ? -1 : crash_loaded != 0;
	status_ret->crash_size =
		facts_either(root, "/sys/kernel/kexec/crash_size", "/sys/kernel/kexec_crash_size");
}

/* "none [integrity] confidentiality": the word in brackets is in force. */
static void read_lockdown(const char *root, char *out, size_t size)
{
	_free_ char *text = NULL;
	const char *open, *close;

	*out = '\0';
	if (read_text(root, "/sys/kernel/security/lockdown", &text))
		return;
	open = strchr(text, '[');
	close = open ? strchr(open, ']') : NULL;
	if (close && (size_t)(close - open) <= size)
		snprintf(out, size, "%.*s", (int)(close - open - 1), open + 1);
}

static bool lacks_cap_sys_boot(const char *root)
{
	_free_ char *text = NULL;
	static const char key[] = "\nCapEff:";
	const char *line, *digits;
	char *end;
	unsigned long long caps;

	if (read_text(root, "/proc/self/status", &text))
		return false;
	line = strstr(text, key);
	if (!line)
		return false;
	digits = line + strlen(key);
	caps = strtoull(digits, &end, 16); /* not sscanf(): that is 100 KB in a static program */
	return end != digits && !(caps & (1ULL << CAP_SYS_BOOT));
}

/* A line of /proc/meminfo, bytes; 0 where it is not there. */
static int64_t meminfo_line(const char *text, const char *key)
{
	const char *line = strstr(text, key);
	long long kib = line ? strtoll(line + strlen(key), NULL, 10) : 0;

	return kib > 0 && kib < INT64_MAX / 4096 ? kib * 1024 : 0;
}

/* MemAvailable says what can be had without swapping; it is never 0 on a running system. */
static int64_t read_memory(const char *root)
{
	_free_ char *text = NULL;
	int64_t available;

	if (read_text(root, "/proc/meminfo", &text))
		return -1;
	available = meminfo_line(text, "\nMemAvailable:");
	return available ? available + meminfo_line(text, "\nSwapFree:") : -1;
}

void facts_read(const char *root, bool crash, struct facts *facts)
{
	int64_t v;

	status_read(root, &facts->status);
	facts->memory = read_memory(root);
	facts->no_cap = lacks_cap_sys_boot(root);
	facts->load_disabled = !read_number(root, "/proc/sys/kernel/kexec_load_disabled", &v) && v;
	/* Since 6.3 (a42aaad2e47b); -1 is "no limit" there, too. */
	facts->load_limit = -1;
	if (!read_number(root,
			 crash ? "/proc/sys/kernel/kexec_load_limit_panic" :
				 "/proc/sys/kernel/kexec_load_limit_reboot",
			 &v))
		facts->load_limit = v;
	read_lockdown(root, facts->lockdown, sizeof(facts->lockdown));
}

uint64_t facts_needed(const struct facts *facts)
{
	uint64_t kernel = facts->image ? facts->image->init_size : 0, sum;

	if (!kernel || __builtin_add_overflow(kernel, facts->initrd_size, &sum))
		return kernel;
	return sum;
}

uint64_t facts_buffers(const struct facts *facts, bool crash)
{
	uint64_t sum;

	if (__builtin_add_overflow(facts->kernel_size, facts->initrd_size, &sum) ||
	    (!crash && __builtin_add_overflow(sum, facts_needed(facts), &sum)))
		return UINT64_MAX;
	return sum;
}
