// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/json_take.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

int json_take_text(struct json_object *from, const char *key, char *to, size_t size)
{
	struct json_object *value;
	size_t len;

	if (!json_object_object_get_ex(from, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return -EBADMSG;
	len = (size_t)json_object_get_string_len(value);
	if (len >= size || strlen(json_object_get_string(value)) != len)
		return -EBADMSG;
	memcpy(to, json_object_get_string(value), len + 1);
	return 0;
}
