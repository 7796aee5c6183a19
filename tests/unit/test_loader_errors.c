// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/util.h"
#include "loader/loader.h"
#include "tests/unit/test.h"

static const struct image kernel = {
	.kind = IMAGE_BZIMAGE,
	.what = "a bzImage",
	.init_size = 50 << 20,
	.xloadflags = 0x7f,
};

static struct facts plain_facts(void)
{
	return (struct facts){
		.kernel = "/boot/k",
		.image = &kernel,
		.kernel_size = 8 << 20,
		.initrd_size = 10 << 20,
		.memory = 1 << 30,
		.status = { 0, 0, 256 << 20 },
		.load_limit = -1,
	};
}

/* Every errno that the calls are known to give has a row of its own. */
TEST(loader, every_errno_has_a_sentence)
{
	static const struct {
		unsigned op;
		int err[24];
	} t[] = {
		{ OP_LOAD, { EPERM,   EACCES,	  ENOSYS,   EBUSY,   EADDRNOTAVAIL, ENOMEM,
			     ENOEXEC, EINVAL,	  ENODATA,  ENOKEY,  EKEYREJECTED,  ENOPKG,
			     EBADMSG, EMSGSIZE,	  ELIBBAD,  ETXTBSY, EFBIG,	    EIO,
			     EINTR,   EOPNOTSUPP, EOVERFLOW } },
		{ OP_LOAD_PANIC, { EPERM,   EACCES,	ENOSYS,	  EBUSY,   EADDRNOTAVAIL, ENOMEM,
				   ENOEXEC, EINVAL,	ENODATA,  ENOKEY,  EKEYREJECTED,  ENOPKG,
				   EBADMSG, EMSGSIZE,	ELIBBAD,  ETXTBSY, EFBIG,	  EIO,
				   EINTR,   EOPNOTSUPP, EOVERFLOW } },
		{ OP_UNLOAD, { EPERM, ENOSYS, EBUSY, EINVAL } },
		{ OP_UNLOAD_PANIC, { EPERM, ENOSYS, EBUSY, EINVAL } },
		{ OP_EXEC, { EPERM, EBUSY, EINVAL } },
	};
	struct facts f = plain_facts();

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		for (const int *err = t[i].err; *err; err++) {
			char out[1024] = "";

			if (!errors_explain(t[i].op, *err, &f, out, sizeof(out)))
				test_fail(__FILE__, __LINE__, "no row for %s, operation %u",
					  strerror(*err), t[i].op);
			CHECK(strlen(out) > 30);
			CHECK(!strpbrk(out, "{}?"));
		}
	}
}

TEST(loader, an_errno_without_a_row_is_still_told)
{
	struct facts f = plain_facts();
	char out[256];

	CHECK(!errors_explain(OP_LOAD, ENOTTY, &f, out, sizeof(out)));
	CHECK(strstr(out, strerror(ENOTTY)));
}

static void set_disabled(struct facts *f)
{
	f->load_disabled = true;
}

static void set_no_cap(struct facts *f)
{
	f->no_cap = true;
}

static void set_used_up(struct facts *f)
{
	f->load_limit = 0;
}

static void set_limited(struct facts *f)
{
	f->load_limit = 3;
}

static void set_locked_down(struct facts *f)
{
	strcpy(f->lockdown, "integrity");
}

static void set_locked_down_signed(struct facts *f)
{
	static const struct image signed_kernel = { .kind = IMAGE_BZIMAGE,
						    .what = "a bzImage",
						    .has_signature = true };

	strcpy(f->lockdown, "confidentiality");
	f->image = &signed_kernel;
}

static void set_not_locked_down(struct facts *f)
{
	strcpy(f->lockdown, "none");
}

static void set_unreserved(struct facts *f)
{
	f->status.crash_size = 0;
}

static void set_small(struct facts *f)
{
	f->status.crash_size = (60 << 20) - 1;
}

static void set_just_enough(struct facts *f)
{
	f->status.crash_size = 60 << 20;
}

static void set_size_unknown(struct facts *f)
{
	f->status.crash_size = -1;
}

static void set_four_level(struct facts *f)
{
	static const struct image old = { .kind = IMAGE_BZIMAGE,
					  .what = "a bzImage",
					  .xloadflags = 0x1f };

	f->image = &old;
}

static void set_memory_short(struct facts *f)
{
	f->memory = (18 << 20) - 1;
}

/* 8 + 10 MiB for the files, and 50 + 10 MiB where the segments come from the same memory. */
static void set_memory_for_panic(struct facts *f)
{
	f->memory = 18 << 20;
}

static void set_memory_unknown(struct facts *f)
{
	f->memory = -1;
}

static void set_no_kexec(struct facts *f)
{
	f->status.loaded = -1;
}

static void set_loaded(struct facts *f)
{
	f->status.loaded = 1;
}

static void set_no_image(struct facts *f)
{
	f->image = NULL;
	f->kernel = NULL;
}

TEST(loader, sentences_follow_the_facts)
{
	static const struct {
		enum operation op;
		int err;
		void (*set)(struct facts *f);
		const char *part;
	} t[] = {
		{ OP_LOAD, EPERM, set_disabled, "kernel.kexec_load_disabled" },
		{ OP_UNLOAD_PANIC, EPERM, set_disabled, "kernel.kexec_load_disabled" },
		{ OP_LOAD, EPERM, set_no_cap, "CAP_SYS_BOOT" },
		{ OP_EXEC, EPERM, set_no_cap, "CAP_SYS_BOOT" },
		{ OP_LOAD, EPERM, set_used_up, "kernel.kexec_load_limit_reboot" },
		{ OP_LOAD_PANIC, EPERM, set_used_up, "kernel.kexec_load_limit_panic" },
		{ OP_LOAD_PANIC, EPERM, set_limited, "a security policy" },
		{ OP_LOAD, EPERM, set_locked_down, "locked down (integrity) and /boot/k is not" },
		{ OP_LOAD, EPERM, set_locked_down_signed, "not trust the signature of /boot/k" },
		{ OP_LOAD, EPERM, set_not_locked_down, "a security policy" },
		{ OP_UNLOAD, EPERM, set_locked_down, "a security policy" },
		{ OP_LOAD_PANIC, EADDRNOTAVAIL, set_unreserved, "no memory is reserved" },
		{ OP_LOAD_PANIC, EADDRNOTAVAIL, set_small,
		  "the 59.9 MiB that are reserved are too small: /boot/k takes 50 MiB to unpack "
		  "itself and the initrd 10 MiB, which makes 60 MiB" },
		{ OP_LOAD_PANIC, EADDRNOTAVAIL, set_just_enough, "find no place in the 60 MiB" },
		{ OP_LOAD_PANIC, EADDRNOTAVAIL, set_size_unknown, "see that crashkernel= stands" },
		{ OP_LOAD, EADDRNOTAVAIL, set_unreserved, "no stretch of memory" },
		{ OP_LOAD_PANIC, ENOEXEC, set_four_level, "5-level" },
		{ OP_LOAD_PANIC, ENOEXEC, set_loaded, "(a bzImage)" },
		{ OP_LOAD, ENOEXEC, set_no_image, "(unknown)" },
		{ OP_LOAD_PANIC, ENOMEM, set_memory_short, "take 18 MiB of" },
		{ OP_LOAD_PANIC, ENOMEM, set_memory_for_panic, "has no memory left" },
		{ OP_LOAD, ENOMEM, set_memory_for_panic, "it can spare 18 MiB" },
		{ OP_LOAD, ENOMEM, set_memory_for_panic, "take 78 MiB of" },
		{ OP_LOAD, ENOMEM, set_memory_unknown, "has no memory left" },
		{ OP_EXEC, EINVAL, set_no_kexec, "CONFIG_KEXEC_CORE" },
		{ OP_EXEC, EINVAL, set_loaded, "container" },
		{ OP_EXEC, EINVAL, set_disabled, "nothing is loaded" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct facts f = plain_facts();
		char out[1024];

		t[i].set(&f);
		CHECK(errors_explain(t[i].op, t[i].err, &f, out, sizeof(out)));
		if (!strstr(out, t[i].part))
			test_fail(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", out, t[i].part);
	}
}

TEST(loader, a_sentence_is_cut_at_the_buffer)
{
	struct facts f = plain_facts();
	char whole[1024], out[64];

	errors_explain(OP_LOAD, ENOMEM, &f, whole, sizeof(whole));
	for (size_t size = 1; size <= sizeof(out); size++) {
		memset(out, 'x', sizeof(out));
		errors_explain(OP_LOAD, ENOMEM, &f, out, size);
		CHECK_EQ(strlen(out), size - 1);
		CHECK(!strncmp(out, whole, size - 1));
	}
}

TEST(loader, sizes_are_readable)
{
	static const struct {
		uint64_t bytes;
		const char *want;
	} t[] = {
		{ 0, "0 KiB" },		  { 1, "1 KiB" },
		{ 1024, "1 KiB" },	  { (1 << 20) - 1, "1024 KiB" },
		{ 1 << 20, "1 MiB" },	  { 0x3378000, "51.4 MiB" },
		{ 256 << 20, "256 MiB" }, { UINT64_MAX, "17592186044415.9 MiB" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char buf[32];

		CHECK_STR(errors_format_size(t[i].bytes, buf, sizeof(buf)), t[i].want);
	}
}

/* ---- a root directory of our own ---- */

static void put_file(const char *root, const char *path, const char *text)
{
	char full[512];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(full, 0700);
		*slash = '/';
	}
	f = fopen(full, "w");
	if (!f) {
		test_fail(__FILE__, __LINE__, "cannot write %s", full);
		return;
	}
	fputs(text, f);
	fclose(f);
}

static void remove_root(char **root)
{
	char command[600];

	snprintf(command, sizeof(command), "rm -rf '%s'", *root);
	if (system(command))
		test_fail(__FILE__, __LINE__, "%s", command);
}

#define ROOT(name)                                                                                 \
	char name##_template[] = "/var/tmp/loader-test.XXXXXX";                                    \
	__cleanup(remove_root) char *name = mkdtemp(name##_template)

TEST(loader, status_reads_the_older_files)
{
	ROOT(root);
	struct kexec_status st;

	CHECK(root);
	put_file(root, "/sys/kernel/kexec_loaded", "0\n");
	put_file(root, "/sys/kernel/kexec_crash_loaded", "1\n");
	put_file(root, "/sys/kernel/kexec_crash_size", "268435456\n");
	status_read(root, &st);
	CHECK_EQ(st.loaded, 0);
	CHECK_EQ(st.crash_loaded, 1);
	CHECK_EQ(st.crash_size, 256 << 20);
}

TEST(loader, status_prefers_the_newer_files)
{
	ROOT(root);
	struct kexec_status st;

	CHECK(root);
	put_file(root, "/sys/kernel/kexec/loaded", "1\n");
	put_file(root, "/sys/kernel/kexec_loaded", "0\n");
	put_file(root, "/sys/kernel/kexec/crash_loaded", "0\n");
	put_file(root, "/sys/kernel/kexec/crash_size", "0\n");
	status_read(root, &st);
	CHECK_EQ(st.loaded, 1);
	CHECK_EQ(st.crash_loaded, 0);
	CHECK_EQ(st.crash_size, 0);
}

TEST(loader, status_absent_or_malformed_is_unknown)
{
	static const char *const bad[] = { "",	   "\n",   "x\n",
					   "1x\n", "-5\n", "99999999999999999999999\n" };
	struct kexec_status st;

	status_read("/nonexistent", &st);
	CHECK_EQ(st.loaded, -1);
	CHECK_EQ(st.crash_loaded, -1);
	CHECK_EQ(st.crash_size, -1);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ROOT(root);

		CHECK(root);
		put_file(root, "/sys/kernel/kexec_crash_size", bad[i]);
		status_read(root, &st);
		CHECK_EQ(st.crash_size, -1);
	}
}

TEST(loader, facts_are_read)
{
	ROOT(root);
	struct facts f = { .kernel = "kept" };

	CHECK(root);
	put_file(root, "/proc/self/status",
		 "Name:\tx\nCapPrm:\t000001ffffffffff\nCapEff:\t000001ffffbfffff\n");
	put_file(root, "/proc/sys/kernel/kexec_load_disabled", "1\n");
	put_file(root, "/proc/sys/kernel/kexec_load_limit_panic", "0\n");
	put_file(root, "/proc/sys/kernel/kexec_load_limit_reboot", "-1\n");
	put_file(root, "/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	put_file(root, "/proc/meminfo",
		 "MemTotal: 9 kB\nMemAvailable:     2048 kB\nSwapFree:  1024 kB\n");
	facts_read(root, true, &f);
	CHECK_EQ(f.memory, 3 << 20);
	CHECK(f.no_cap);
	CHECK(f.load_disabled);
	CHECK_EQ(f.load_limit, 0);
	CHECK_STR(f.lockdown, "integrity");
	CHECK_STR(f.kernel, "kept");
	facts_read(root, false, &f);
	CHECK_EQ(f.load_limit, -1);

	put_file(root, "/proc/self/status", "Name:\tx\nCapEff:\t0000000000400000\n");
	put_file(root, "/proc/sys/kernel/kexec_load_disabled", "0\n");
	put_file(root, "/sys/kernel/security/lockdown",
		 "[a-word-that-is-longer-than-any-lockdown-level]\n");
	facts_read(root, true, &f);
	CHECK(!f.no_cap);
	CHECK(!f.load_disabled);
	CHECK_STR(f.lockdown, "");
}

TEST(loader, facts_absent_accuse_nobody)
{
	struct facts f = { 0 };

	facts_read("/nonexistent", true, &f);
	CHECK_EQ(f.memory, -1);
	CHECK(!f.no_cap);
	CHECK(!f.load_disabled);
	CHECK_EQ(f.load_limit, -1);
	CHECK_STR(f.lockdown, "");
}
