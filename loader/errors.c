// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every errno that kexec_file_load(2) and reboot(2) can give, as a sentence that says
 * what happened and what to do. Sources: kernel/kexec_file.c, kernel/kexec_core.c,
 * fs/kernel_read_file.c, arch/x86/kernel/kexec-bzimage64.c and
 * crypto/asymmetric_keys/verify_pefile.c of Linux 5.10 to 6.18.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/util.h"
#include "loader/loader.h"

#define OP_LOADS   (OP_LOAD | OP_LOAD_PANIC)
#define OP_UNLOADS (OP_UNLOAD | OP_UNLOAD_PANIC)
#define OP_FILE	   (OP_LOADS | OP_UNLOADS)
#define OP_ALL	   (OP_FILE | OP_EXEC)

/**
 * struct error_row - One explanation.
 * @ops: operations that it is for, a set
 * @when: whether the facts fit it; NULL: always
 * @text: with {words} that expand() replaces
 */
struct error_row {
	unsigned ops;
	int err;
	bool (*when)(const struct facts *f);
	const char *text;
};

static bool is_disabled(const struct facts *f)
{
	return f->load_disabled;
}

static bool is_unprivileged(const struct facts *f)
{
	return f->no_cap;
}

static bool is_used_up(const struct facts *f)
{
	return f->load_limit == 0;
}

static bool is_locked_down(const struct facts *f)
{
	return *f->lockdown && !streq(f->lockdown, "none");
}

static bool is_locked_down_signed(const struct facts *f)
{
	return is_locked_down(f) && f->image && f->image->has_signature;
}

static bool is_unreserved(const struct facts *f)
{
	return f->status.crash_size == 0;
}

static bool is_reserved_too_small(const struct facts *f)
{
	return f->status.crash_size > 0 && (uint64_t)f->status.crash_size < facts_needed(f);
}

static bool is_reserved(const struct facts *f)
{
	return f->status.crash_size > 0;
}

static bool is_short_for_load(const struct facts *f)
{
	return f->memory >= 0 && (uint64_t)f->memory < facts_buffers(f, false);
}

static bool is_short_for_panic(const struct facts *f)
{
	return f->memory >= 0 && (uint64_t)f->memory < facts_buffers(f, true);
}

static bool is_four_level(const struct facts *f)
{
	return f->image && f->image->kind == IMAGE_BZIMAGE && !(f->image->xloadflags & XLF_5LEVEL);
}

static bool is_not_loaded(const struct facts *f)
{
	return f->status.loaded == 0;
}

static bool has_no_kexec(const struct facts *f)
{
	return f->status.loaded < 0;
}

#define SEE_LOG "the kernel's log (dmesg) may say more"
#define SIGNED_ADVICE                                                                              \
	"install the distribution's signed kernel, or sign it with a key that the running "        \
	"kernel trusts"

/* The first row that fits is it: the rows with a condition come before the one without. */
static const struct error_row error_rows[] = {
	{ OP_FILE, EPERM, is_disabled,
	  "loading is switched off until the next reboot (sysctl kernel.kexec_load_disabled is 1): "
	  "find what sets it in /etc/sysctl.d, take it out, reboot" },
	{ OP_ALL, EPERM, is_unprivileged,
	  "no permission: this needs CAP_SYS_BOOT; run it as root, outside of a container" },
	{ OP_LOADS, EPERM, is_used_up,
	  "no permission: the number of loads that {limit} allows is used up until the next "
	  "reboot" },
	{ OP_LOADS, EPERM, is_locked_down_signed,
	  "the kernel is locked down ({lockdown}) and does not trust the signature of {kernel}: "
	  "the file was changed, or its key is none of the kernel's own and of those that Secure "
	  "Boot hands over (db and MOK, UEFI only); enroll the key, or switch lockdown off" },
	{ OP_LOADS, EPERM, is_locked_down,
	  "the kernel is locked down ({lockdown}) and {kernel} is not signed: " SIGNED_ADVICE
	  ", or switch lockdown or Secure Boot off" },
	{ OP_LOADS, EPERM, NULL,
	  "the kernel refuses to load {kernel} though we seem to be privileged: a security policy "
	  "does (lockdown, IMA, LoadPin or seccomp), or this is a container; " SEE_LOG },
	{ OP_UNLOADS | OP_EXEC, EPERM, NULL,
	  "the kernel refuses though we seem to be privileged: a security policy does (seccomp or "
	  "an LSM), or this is a container; " SEE_LOG },
	{ OP_LOADS, EACCES, NULL,
	  "a security policy (SELinux, AppArmor or IMA) does not let the kernel read {kernel} or "
	  "the initrd; look into the audit log" },

	{ OP_FILE, ENOSYS, NULL,
	  "the running kernel has no kexec_file_load (built without CONFIG_KEXEC_FILE): boot a "
	  "kernel that has it" },
	{ OP_FILE, EBUSY, NULL,
	  "another load or unload did not end within two seconds: see who runs it and try again" },
	{ OP_EXEC, EBUSY, NULL, "a load or unload is under way: try again when it has ended" },

	{ OP_LOAD_PANIC, EADDRNOTAVAIL, is_unreserved,
	  "no memory is reserved for a capture kernel: add crashkernel=256M to the kernel command "
	  "line and reboot" },
	{ OP_LOAD_PANIC, EADDRNOTAVAIL, is_reserved_too_small,
	  "the {reserved} that are reserved are too small: {kernel} takes {kernel_needs} to unpack "
	  "itself and the initrd {initrd_needs}, which makes {needs} before anything runs; raise "
	  "crashkernel= and reboot" },
	{ OP_LOAD_PANIC, EADDRNOTAVAIL, is_reserved,
	  "{kernel} and its initrd find no place in the {reserved} that are reserved (they take "
	  "{needs} and some more, aligned): raise crashkernel= and reboot" },
	{ OP_LOAD_PANIC, EADDRNOTAVAIL, NULL,
	  "the capture kernel finds no place in the reserved memory: see that crashkernel= stands "
	  "on the kernel command line, raise it and reboot" },
	{ OP_LOAD, EADDRNOTAVAIL, NULL,
	  "no stretch of memory is large enough for {kernel} and its initrd ({needs} and some "
	  "more): use a smaller initrd" },
	{ OP_LOAD, ENOMEM, is_short_for_load,
	  "{kernel} and its initrd take {load_buffers} of the running kernel's memory while they "
	  "are loaded, and it can spare {memory}: free some, or use a smaller initrd" },
	{ OP_LOAD_PANIC, ENOMEM, is_short_for_panic,
	  "{kernel} and its initrd take {panic_buffers} of the running kernel's memory while they "
	  "are loaded, and it can spare {memory}: free some, or use a smaller initrd" },
	{ OP_LOADS, ENOMEM, NULL,
	  "the kernel has no memory left to take {kernel} and its initrd in: free some and try "
	  "again, or use a smaller initrd" },

	{ OP_LOADS, ENOEXEC, is_four_level,
	  "the kernel does not take {kernel}: it cannot run with 5-level page tables (built "
	  "without CONFIG_X86_5LEVEL), which this machine seems to use; load another kernel or "
	  "boot with no5lvl" },
	{ OP_LOADS, ENOEXEC, NULL,
	  "the kernel does not take {kernel} ({what}) for a kernel that it can load; " SEE_LOG },
	{ OP_LOADS, EINVAL, NULL,
	  "the kernel refuses these arguments: kernel and initrd together are larger than half of "
	  "the memory, or the command line is too long for {kernel}; " SEE_LOG },
	{ OP_UNLOADS, EINVAL, NULL, "the kernel does not know how to unload; " SEE_LOG },
	{ OP_EXEC, EINVAL, is_not_loaded, "nothing is loaded: load a kernel with -l first" },
	{ OP_EXEC, EINVAL, has_no_kexec,
	  "the running kernel cannot do this (built without CONFIG_KEXEC_CORE), or we are in a "
	  "container: run it on the machine itself" },
	{ OP_EXEC, EINVAL, NULL,
	  "the kernel refuses, as it does to a process in a container: run it on the machine "
	  "itself" },

	{ OP_LOADS, ENODATA, NULL,
	  "{kernel} is not signed and the kernel loads signed kernels only: " SIGNED_ADVICE },
	{ OP_LOADS, ENOKEY, NULL,
	  "{kernel} is signed with a key that the running kernel does not have: " SIGNED_ADVICE },
	{ OP_LOADS, EKEYREJECTED, NULL,
	  "the signature of {kernel} does not hold: the file was changed after it was signed, or "
	  "its key is revoked; " SIGNED_ADVICE },
	{ OP_LOADS, ENOPKG, NULL,
	  "{kernel} is signed in a way that the running kernel has no code for (hash or key "
	  "type): " SIGNED_ADVICE },
	{ OP_LOADS, EBADMSG, NULL, "the signature of {kernel} is malformed: " SIGNED_ADVICE },
	{ OP_LOADS, EMSGSIZE, NULL,
	  "the signature of {kernel} is malformed, its sizes disagree: " SIGNED_ADVICE },
	{ OP_LOADS, ELIBBAD, NULL,
	  "{kernel} is no well-formed EFI program, so its signature cannot be looked "
	  "at: " SIGNED_ADVICE },

	{ OP_LOADS, ETXTBSY, NULL,
	  "{kernel} or the initrd is open for writing: wait until it is written, then try again" },
	{ OP_LOADS, EFBIG, NULL, "{kernel} or the initrd is too large for the kernel to take in" },
	{ OP_LOADS, EIO, NULL,
	  "{kernel} or the initrd cannot be read to its end: check the disk; " SEE_LOG },
	{ OP_LOADS, EINTR, NULL, "a signal interrupted the load: try again" },
	{ OP_LOADS, EOPNOTSUPP, NULL,
	  "the running kernel cannot load {kernel} in this way; " SEE_LOG },
	{ OP_LOADS, EOVERFLOW, NULL,
	  "sizes in {kernel} add up to more than there can be: the file is damaged, install it "
	  "again" },
};

const char *errors_format_size(uint64_t bytes, char *buf, size_t size)
{
	uint64_t tenths = bytes / 1024 * 10 / 1024;

	if (bytes < 1 << 20)
		snprintf(buf, size, "%" PRIu64 " KiB", DIV_ROUND_UP(bytes, 1024));
	else if (tenths % 10)
		snprintf(buf, size, "%" PRIu64 ".%u MiB", tenths / 10, (unsigned)(tenths % 10));
	else
		snprintf(buf, size, "%" PRIu64 " MiB", tenths / 10);
	return buf;
}

/* What a {word} stands for. Return: a string that lives as long as @buf and @f. */
static const char *word_value(const char *word, size_t len, const struct facts *f, unsigned op,
			      char buf[32])
{
	const struct {
		const char *name;
		const char *text;
		uint64_t size; /* where there is no text */
	} words[] = {
		{ "kernel", f->kernel ? f->kernel : "the kernel image", 0 },
		{ "what", f->image ? f->image->what : "unknown", 0 },
		{ "lockdown", f->lockdown, 0 },
		{ "limit",
		  op & OP_LOAD_PANIC ? "kernel.kexec_load_limit_panic" :
				       "kernel.kexec_load_limit_reboot",
		  0 },
		{ "reserved", NULL, MAX(f->status.crash_size, 0) },
		{ "kernel_needs", NULL, f->image ? f->image->init_size : 0 },
		{ "initrd_needs", NULL, f->initrd_size },
		{ "needs", NULL, facts_needed(f) },
		{ "load_buffers", NULL, facts_buffers(f, false) },
		{ "panic_buffers", NULL, facts_buffers(f, true) },
		{ "memory", NULL, MAX(f->memory, 0) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strlen(words[i].name) != len || memcmp(words[i].name, word, len))
			continue;
		return words[i].text ? words[i].text : errors_format_size(words[i].size, buf, 32);
	}
	return "?";
}

static void append(char *out, size_t size, const char *text, size_t len)
{
	size_t used = strlen(out);

	len = MIN(len, size - used - 1);
	memcpy(out + used, text, len);
	out[used + len] = '\0';
}

static void expand(const char *text, unsigned op, const struct facts *f, char *out, size_t size)
{
	*out = '\0';
	while (*text) {
		size_t plain = strcspn(text, "{");
		size_t word = text[plain] ? strcspn(text + plain + 1, "}") : 0;
		const char *value;
		char buf[32];

		append(out, size, text, plain);
		text += plain;
		if (!*text)
			return;
		value = word_value(text + 1, word, f, op, buf);
		append(out, size, value, strlen(value));
		text += word + 2;
	}
}

bool errors_explain(enum operation op, int err, const struct facts *facts, char *out, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(error_rows); i++) {
		const struct error_row *row = &error_rows[i];

		if (row->err != err || !(row->ops & op) || (row->when && !row->when(facts)))
			continue;
		expand(row->text, op, facts, out, size);
		return true;
	}
	snprintf(out, size, "the kernel refuses: %s; " SEE_LOG, strerror(err));
	return false;
}
