// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/dumps/record.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>
#include <time.h>

#include "lib/sha256.h"
#include "lib/util.h"

#define MAX_DEPTH 16 /* the manifest's is 5 */

static const char *const verdicts[] = { "complete", "incomplete", "log-only", "failed" };

/* The member @key of @in, which may be NULL or no object. */
static struct json_object *member(struct json_object *in, const char *key, enum json_type type)
{
	struct json_object *value;

	if (!json_object_is_type(in, json_type_object) ||
	    !json_object_object_get_ex(in, key, &value) || !json_object_is_type(value, type))
		return NULL;
	return value;
}

static struct json_object *object(struct json_object *in, const char *key)
{
	return member(in, key, json_type_object);
}

static const char *string(struct json_object *in, const char *key)
{
	struct json_object *value = member(in, key, json_type_string);
	const char *s = value ? json_object_get_string(value) : NULL;

	return s && *s ? s : NULL;
}

static uint64_t number(struct json_object *in, const char *key)
{
	struct json_object *value = member(in, key, json_type_int);

	return value ? json_object_get_uint64(value) : 0; /* of a negative one too */
}

static uint64_t millis(struct json_object *in, const char *key)
{
	struct json_object *value = member(in, key, json_type_double);
	double seconds = value ? json_object_get_double(value) : (double)number(in, key);

	return seconds > 0 && seconds < 1e9 ? (uint64_t)(seconds * 1000 + 0.5) : 0;
}

static const char *digest(struct json_object *in)
{
	const char *s = string(in, "sha256");

	return s && strlen(s) == SHA256_HEX_BYTES - 1 &&
			       strspn(s, "0123456789abcdef") == SHA256_HEX_BYTES - 1 ?
		       s :
		       NULL;
}

static int64_t time_of(struct json_object *json)
{
	uint64_t crash = number(json, "crash_time");
	const char *written = string(json, "written");
	struct tm tm = { .tm_mday = 1 };
	int64_t when;

	if (crash)
		return crash <= (uint64_t)RECORD_MAX_TIME ? (int64_t)crash : 0;
	if (!written || !strptime(written, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return 0;
	when = timegm(&tm);
	return when > 0 && when <= RECORD_MAX_TIME ? when : 0;
}

static void take_dump(struct json_object *dump, struct record *r)
{
	struct json_object *pages = object(dump, "pages");

	r->format = string(dump, "format");
	r->codec = string(dump, "codec");
	r->scan_problem = string(dump, "scan_problem");
	r->sha256 = digest(dump);
	r->level = number(dump, "level");
	r->has_pages = pages != NULL;
	r->present = number(pages, "present");
	r->kept = number(pages, "kept");
	r->dropped = number(pages, "dropped");
	r->zero = number(pages, "zero");
	r->unreadable = number(pages, "unreadable");
}

static void take(struct json_object *json, struct record *r)
{
	struct json_object *target = object(json, "target"), *env = object(json, "environment");

	r->reason = string(json, "reason");
	r->panic_line = string(json, "panic_line");
	r->kernel = string(json, "kernel_release");
	r->architecture = string(json, "architecture");
	r->target_type = string(target, "type");
	r->target = string(target, "configured");
	r->when = time_of(json);
	r->dump_bytes = number(object(json, "files"), "dump_bytes");
	take_dump(object(json, "dump"), r);
	r->mem_total_kib = number(env, "mem_total_kib");
	r->mem_available_min_kib = number(env, "mem_available_min_kib");
	r->peak_memory_kib = number(env, "peak_memory_kib");
	r->steps = member(json, "steps", json_type_array);
	if (r->steps)
		r->nr_steps = MIN(json_object_array_length(r->steps), (size_t)RECORD_MAX_STEPS);
}

static struct json_object *parse(const char *text, size_t len)
{
	struct json_tokener *tokener = json_tokener_new_ex(MAX_DEPTH);
	struct json_object *json;

	if (!tokener)
		return NULL;
	json = json_tokener_parse_ex(tokener, text, (int)len);
	if (json_tokener_get_error(tokener) != json_tokener_success) {
		json_object_put(json);
		json = NULL;
	}
	json_tokener_free(tokener);
	return json;
}

int record_parse(const char *text, size_t len, struct record *ret, const char **why)
{
	struct json_object *json = len <= RECORD_MAX_BYTES ? parse(text, len) : NULL;
	const char *program = string(json, "program"), *verdict = string(json, "verdict");
	struct record r = { .json = json };

	*why = "it is not JSON, or not whole";
	if (!json)
		return -EBADMSG;
	for (size_t i = 0; verdict && i < ARRAY_SIZE(verdicts); i++) {
		if (streq(verdict, verdicts[i]))
			r.verdict = verdicts[i];
	}
	if (!program || !streq(program, "vmcore-save") || !r.verdict) {
		*why = "it is not one of vmcore-save's";
		json_object_put(json);
		return -EBADMSG;
	}
	take(json, &r);
	*ret = r;
	return 0;
}

void record_deinit(struct record *record)
{
	json_object_put(record->json);
	*record = (struct record){ .json = NULL };
}

bool record_step(const struct record *record, size_t i, struct record_step *ret)
{
	struct json_object *step = json_object_array_get_idx(record->steps, i);
	struct record_step s = { .name = string(step, "name"),
				 .outcome = string(step, "outcome"),
				 .error = string(step, "error"),
				 .at_ms = millis(step, "at"),
				 .ms = millis(step, "seconds") };

	if (!s.name || !s.outcome)
		return false;
	*ret = s;
	return true;
}
