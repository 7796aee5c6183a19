/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A test is TEST(area, name) { ... } in any file of this folder; it registers
 * itself. CHECK() fails the test and says where; the run goes on with the next.
 */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct test_case {
	const char *name; /* "area/name" */
	void (*run)(void);
	struct test_case *next;
};

void test_register(struct test_case *t);
void test_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define TEST(area, id)                                                                             \
	static void test_##area##_##id(void);                                                      \
	__attribute__((constructor)) static void test_reg_##area##_##id(void)                      \
	{                                                                                          \
		static struct test_case t = { #area "/" #id, test_##area##_##id, NULL };           \
		test_register(&t);                                                                 \
	}                                                                                          \
	static void test_##area##_##id(void)

/* Fails the test and returns from it (or from a void helper). */
#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			test_fail(__FILE__, __LINE__, "%s", #cond);                                \
			return;                                                                    \
		}                                                                                  \
	} while (0)

#define CHECK_EQ(got, want)                                                                        \
	do {                                                                                       \
		int64_t got_ = (int64_t)(got), want_ = (int64_t)(want);                            \
		if (got_ != want_) {                                                               \
			test_fail(__FILE__, __LINE__,                                              \
				  "%s is %" PRId64 " (0x%" PRIx64 "), want %" PRId64, #got, got_,  \
				  (uint64_t)got_, want_);                                          \
			return;                                                                    \
		}                                                                                  \
	} while (0)

#define CHECK_STR(got, want)                                                                       \
	do {                                                                                       \
		const char *got_ = (got), *want_ = (want);                                         \
		if (strcmp(got_, want_)) {                                                         \
			test_fail(__FILE__, __LINE__, "%s is \"%s\", want \"%s\"", #got, got_,     \
				  want_);                                                          \
			return;                                                                    \
		}                                                                                  \
	} while (0)

#endif
