/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dump's manifest, vmcore-save.json, as capture/init/record.c and capture/saver.c write it.
 * Whatever the file holds, what is not there or of another type is left out.
 */
#ifndef CONTROL_DUMPS_RECORD_H
#define CONTROL_DUMPS_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_MAX_BYTES (256u << 10)
#define RECORD_MAX_STEPS 256u
#define RECORD_MAX_TIME	 INT64_C(253402300799) /* the end of the year 9999 */

struct json_object;

/**
 * struct record - Strings are borrowed from @json, hold any characters, and are NULL where the
 * manifest has none.
 * @json: owned
 * @verdict: never NULL: "complete", "incomplete", "log-only" or "failed"
 * @when: time of the crash, else of the manifest, in seconds since 1970; 0 where it tells none
 * @dump_bytes: of the file, after a complete dump
 * @sha256: 64 lower-case digits
 * @steps: owned by @json; see record_step()
 */
struct record {
	struct json_object *json;
	const char *verdict;
	const char *reason;
	const char *panic_line;
	const char *kernel;
	const char *architecture;
	const char *target_type, *target;
	const char *format, *codec;
	const char *scan_problem;
	const char *sha256;
	int64_t when;
	uint64_t dump_bytes;
	uint64_t level;
	bool has_pages;
	uint64_t present, kept, dropped, zero, unreadable;
	uint64_t mem_total_kib, mem_available_min_kib, peak_memory_kib;
	struct json_object *steps;
	size_t nr_steps;
};

/** struct record_step - Strings as of struct record; times in milliseconds, 0 without one. */
struct record_step {
	const char *name;
	const char *outcome;
	const char *error;
	uint64_t at_ms, ms;
};

/** record_parse() - Read a manifest's text.
 * @why: what is wrong with it, where it returns -EBADMSG
 *
 * Return: 0, and record_deinit() is due; -EBADMSG; -ENOMEM. */
int record_parse(const char *text, size_t len, struct record *ret, const char **why);
void record_deinit(struct record *record);

/** record_step() - The step @i of record->nr_steps. Return: whether it is one. */
bool record_step(const struct record *record, size_t i, struct record_step *ret);

#endif
