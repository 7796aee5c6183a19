/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes one JSON document (RFC 8259) to a stream, indented, members in call order.
 * Strings may hold any bytes: what is not valid UTF-8 or is a control character is
 * escaped, so a hostile panic line cannot break the document.
 */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *out;	/* borrowed */
	unsigned depth; /* open objects and arrays */
	bool empty;	/* nothing yet in the innermost one */
};

/** json_init() - Start a document on @out. */
void json_init(struct json *j, FILE *out);

/* @key is NULL inside an array and for the outermost value. */
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
/** json_end() - Close the innermost object or array; @close is '}' or ']'. */
void json_end(struct json *j, char close);
void json_string(struct json *j, const char *key, const char *value); /* NULL writes null */
void json_u64(struct json *j, const char *key, uint64_t value);
void json_i64(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
/** json_millis() - A duration in seconds, "12.345", from milliseconds. */
void json_millis(struct json *j, const char *key, uint64_t ms);

#endif
