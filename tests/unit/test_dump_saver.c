// SPDX-License-Identifier: GPL-2.0-or-later
/* What PID 1 does with a core, from configuration to manifest, on files in memory. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/saver.h"
#include "capture/target/target.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/json.h"
#include "tests/unit/prb_builder.h"
#include "tests/unit/test.h"

static void count_alive(void *ctx)
{
	++*(unsigned *)ctx;
}

static char *describe(const struct init_saver *ops)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	struct json j;

	if (!f)
		return NULL;
	json_init(&j, f);
	json_object(&j, NULL);
	ops->describe(ops->ctx, &j);
	json_end(&j, '}');
	fclose(f);
	return text;
}

static int open_panicked(const struct init_saver *ops)
{
	struct prb_record r = { 0, 2, 0, 0x60, 0, "Kernel panic - not syncing: test" };
	struct core_builder b;
	char path[32];
	int fd, err;

	prb_builder_init(&b);
	prb_builder_span(&b, 0, 0);
	prb_builder_add(&b, &r);
	fd = core_builder_finish(&b);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = ops->open(ops->ctx, path);
	close(fd);
	return err;
}

TEST(dump_saver, from_core_to_manifest)
{
	_close_ int log_fd = memfd_create("log", 0), dump_fd = memfd_create("dump", 0);
	char want[SHA256_HEX_BYTES], log[64] = "";
	uint8_t digest[SHA256_DIGEST_BYTES];
	static uint8_t dump[1 << 20];
	_free_ char *text = NULL;
	struct init_saver ops;
	struct sha256 sha;
	unsigned alive = 0;
	struct saver s;
	ssize_t len;

	saver_init(&s, &ops);
	CHECK_EQ(ops.configure(ops.ctx, "makedumpfile -z -d 1"), 0);
	CHECK_EQ(open_panicked(&ops), 0);
	CHECK_EQ(ops.save_log(ops.ctx, log_fd), 0);
	CHECK(io_pread_full(log_fd, log, sizeof(log) - 1, 0) > 0);
	CHECK_STR(log, "[    0.000000] Kernel panic - not syncing: test\n");
	CHECK_EQ(
		ops.save_dump(ops.ctx, &(struct target_file){ .fd = dump_fd }, count_alive, &alive),
		0);
	CHECK(alive > 0);
	len = io_pread_full(dump_fd, dump, sizeof(dump), 0);
	CHECK(len > 0 && (size_t)len < sizeof(dump));
	sha256_init(&sha);
	sha256_update(&sha, dump, len);
	sha256_final(&sha, digest);
	sha256_hex(digest, want);
	text = describe(&ops);
	CHECK(text && strstr(text, want));
	CHECK(strstr(text, "\"panic_line\": \"Kernel panic - not syncing: test\""));
	CHECK(strstr(text, "\"kernel_release\": \"6.1.0-test\""));
	CHECK(strstr(text, "\"codec\": \"zstd\"") && strstr(text, "\"level\": 1"));
	CHECK(!strstr(text, "\"complete\": false"));
	/* All of it was written, but then the target could not keep it. */
	ops.lose_dump(ops.ctx, -EIO);
	free(text);
	text = describe(&ops);
	CHECK(text && strstr(text, "\"complete\": false,\n    \"error\": \"Input/output error\""));
	CHECK(!strstr(text, want));
	core_close(s.core);
}

TEST(dump_saver, a_second_dump_does_not_take_its_time_from_the_first)
{
	_close_ int dump_fd = memfd_create("dump", 0);
	struct target_file file = { .fd = dump_fd };
	struct init_saver ops;
	unsigned alive = 0;
	struct saver s;

	saver_init(&s, &ops);
	CHECK_EQ(open_panicked(&ops), 0);
	CHECK_EQ(ops.save_dump(ops.ctx, &file, count_alive, &alive), 0);
	s.verify_ms = 3600000; /* that was a long one */
	file.fd = -1;
	CHECK_EQ(ops.save_dump(ops.ctx, &file, count_alive, &alive), -EBADF);
	CHECK(s.dump_ms < 3600000);
	core_close(s.core);
}

/* A wrong core_collector is told, and the default stands in for it. */
TEST(dump_saver, wrong_collector)
{
	struct init_saver ops;
	struct saver s;

	saver_init(&s, &ops);
	CHECK_EQ(ops.configure(ops.ctx, "makedumpfile -d 77"), -EINVAL);
	CHECK_EQ(s.options.levels[0], 31);
	CHECK(s.options.codec != NULL);
}

/* Without a core, and with a target that takes nothing, the manifest says so. */
TEST(dump_saver, failures_are_described)
{
	_close_ int full = open("/dev/full", O_RDWR | O_CLOEXEC);
	_free_ char *text = NULL;
	struct init_saver ops;
	unsigned alive = 0;
	struct saver s;

	saver_init(&s, &ops);
	CHECK_EQ(ops.save_log(ops.ctx, full), -ENODATA);
	CHECK_EQ(ops.save_dump(ops.ctx, &(struct target_file){ .fd = full }, count_alive, &alive),
		 -ENODATA);
	text = describe(&ops);
	CHECK(text && strstr(text, "\"kernel_release\": null"));
	free(take_ptr(text));
	CHECK_EQ(open_panicked(&ops), 0);
	CHECK_EQ(ops.save_log(ops.ctx, full), -ENOSPC);
	CHECK_EQ(ops.save_dump(ops.ctx, &(struct target_file){ .fd = full }, count_alive, &alive),
		 -ENOSPC);
	text = describe(&ops);
	CHECK(text && strstr(text, "No space left on device"));
	CHECK(!strstr(text, "\"complete\": true"));
	core_close(s.core);
}

static unsigned count_threads(void)
{
	unsigned nr = 0;
	char line[128];
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Threads: %u", &nr) == 1)
			break;
	if (f)
		fclose(f);
	return nr;
}

static void watch_threads(void *ctx)
{
	unsigned *most = ctx, nr = count_threads();

	*most = nr > *most ? nr : *most;
}

/* A core_collector made for a large machine does not cost a capture kernel of one CPU memory. */
TEST(dump_saver, no_more_threads_than_cpus)
{
	_close_ int dump_fd = memfd_create("dump", 0);
	unsigned before = count_threads(), most = 0;
	struct init_saver ops;
	cpu_set_t all, one;
	struct saver s;
	int err;

	CHECK_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
	CPU_ZERO(&one);
	for (int cpu = 0; !CPU_COUNT(&one); cpu++)
		if (CPU_ISSET(cpu, &all))
			CPU_SET(cpu, &one);
	CHECK_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
	saver_init(&s, &ops);
	err = ops.configure(ops.ctx, "makedumpfile -l -d 0 --num-threads 16");
	if (!err)
		err = open_panicked(&ops);
	if (!err)
		err = ops.save_dump(ops.ctx, &(struct target_file){ .fd = dump_fd }, watch_threads,
				    &most);
	core_close(s.core);
	sched_setaffinity(0, sizeof(all), &all);
	CHECK_EQ(err, 0);
	CHECK_EQ(most, before);
}
