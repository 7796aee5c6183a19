// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "lib/cleanup.h"
#include "lib/json.h"
#include "tests/unit/test.h"

TEST(json, nests_and_escapes)
{
	_free_ char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	struct json j;

	json_init(&j, f);
	json_object(&j, NULL);
	json_string(&j, "s", "a\"b\\c\n\x01\xff\xc3\xa9\xed\xa0\x80");
	json_array(&j, "list");
	json_u64(&j, NULL, UINT64_MAX);
	json_i64(&j, NULL, -1);
	json_end(&j, ']');
	json_array(&j, "none");
	json_end(&j, ']');
	json_millis(&j, "t", 12034);
	json_bool(&j, "ok", true);
	json_string(&j, "nil", NULL);
	json_end(&j, '}');
	fclose(f);
	CHECK_STR(text, "{\n"
			"  \"s\": \"a\\\"b\\\\c\\n\\u0001\\u00ff\xc3\xa9\\u00ed\\u00a0\\u0080\",\n"
			"  \"list\": [\n"
			"    18446744073709551615,\n"
			"    -1\n"
			"  ],\n"
			"  \"none\": [],\n"
			"  \"t\": 12.034,\n"
			"  \"ok\": true,\n"
			"  \"nil\": null\n"
			"}\n");
}
