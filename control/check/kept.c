// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/check/kept.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/bounded.h"
#include "lib/cleanup.h"
#include "lib/util.h"

#define MAX_DEPTH 8
#define MAX_BYTES 16384u

/* Bits of a dump level, makedumpfile(8); those without the cache's bits drop none of it. */
#define LEVEL_CACHE	    2u
#define LEVEL_CACHE_PRIVATE 4u
#define LEVEL_USER	    8u
#define LEVEL_FREE	    16u

unsigned kept_level(const char *core_collector)
{
	for (const char *at = core_collector; (at = strstr(at, "-d")); at += 2) {
		const char *value = at + 2 + strspn(at + 2, " \t");

		if ((at == core_collector || at[-1] == ' ' || at[-1] == '\t') && *value >= '0' &&
		    *value <= '9')
			return (unsigned)strtoul(value, NULL, 10) & KEPT_ALL_LEVELS;
	}
	return KEPT_ALL_LEVELS;
}

static int take(struct json_object *in, const char *key, uint64_t *sum)
{
	struct json_object *value;
	int64_t n;

	if (!json_object_object_get_ex(in, key, &value) ||
	    !json_object_is_type(value, json_type_int))
		return -EBADMSG;
	n = json_object_get_int64(value);
	return n < 0 || __builtin_add_overflow(*sum, (uint64_t)n, sum) ? -EBADMSG : 0;
}

static int sum_up(struct json_object *pages, unsigned level, uint64_t *pages_ret)
{
	const struct {
		const char *class;
		bool dropped;
	} rows[] = {
		{ "cache", level & (LEVEL_CACHE | LEVEL_CACHE_PRIVATE) },
		{ "cache_private", level & LEVEL_CACHE_PRIVATE },
		{ "user", level & LEVEL_USER },
		{ "free", level & LEVEL_FREE },
	};
	struct json_object *classes;
	uint64_t kept = 0, zero = 0;
	int err = take(pages, "planned", &kept); /* at the highest level */

	if (!err)
		err = take(pages, "zero", &zero);
	if (!json_object_object_get_ex(pages, "by_class", &classes))
		return -EBADMSG;
	for (size_t i = 0; i < ARRAY_SIZE(rows) && !err; i++)
		err = rows[i].dropped ? 0 : take(classes, rows[i].class, &kept);
	if (err || zero > kept)
		return -EBADMSG;
	*pages_ret = kept - zero;
	return 0;
}

int kept_parse(const char *text, unsigned level, uint64_t *pages_ret)
{
	struct json_tokener *tokener = json_tokener_new_ex(MAX_DEPTH);
	struct json_object *json, *pages;
	int err = -EBADMSG;

	if (!tokener)
		return -ENOMEM;
	json = json_tokener_parse_ex(tokener, text, (int)strlen(text));
	if (json_tokener_get_error(tokener) == json_tokener_success &&
	    json_object_object_get_ex(json, "pages", &pages))
		err = sum_up(pages, level, pages_ret);
	json_object_put(json);
	json_tokener_free(tokener);
	return err;
}

int kept_count(const struct invocation *in, unsigned level, uint64_t *bytes_ret)
{
	_free_ char *kcore = ctl_path(in, "/proc/kcore"), *text = malloc(MAX_BYTES);
	const char *const argv[] = { "vmcore-save", "--mem-usage", "--json", kcore, NULL };
	uint64_t pages = 0;
	int err;

	if (!kcore || !text)
		return -ENOMEM;
	if (access(kcore, R_OK))
		return -ENOENT;
	err = bounded_read(argv, KEPT_SECONDS, text, MAX_BYTES);
	if (!err)
		err = kept_parse(text, level, &pages);
	if (!err && __builtin_mul_overflow(pages, (uint64_t)sysconf(_SC_PAGESIZE), bytes_ret))
		err = -EBADMSG;
	return err;
}
