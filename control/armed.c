// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/armed.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control/file.h"
#include "control/inputs.h"
#include "control/json_take.h"
#include "control/settings.h"
#include "control/system.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define MAX_BYTES (64u << 10)
#define PATH	  RUN_DIR "/" ARMED_NAME

int armed_read(const struct invocation *in, struct armed *armed_ret)
{
	_free_ char *path = ctl_path(in, PATH), *text = NULL;
	struct json_object *top = NULL, *when;
	int err = path ? io_read_file(path, MAX_BYTES, &text, NULL) : -ENOMEM;

	if (err)
		return err;
	*armed_ret = (struct armed){ 0 };
	top = json_tokener_parse(text);
	if (!json_object_is_type(top, json_type_object) ||
	    json_take_text(top, "kernel", armed_ret->kernel, sizeof(armed_ret->kernel)) ||
	    json_take_text(top, "kernel_sha256", armed_ret->kernel_sha256,
			   sizeof(armed_ret->kernel_sha256)) ||
	    json_take_text(top, "release", armed_ret->release, sizeof(armed_ret->release)) ||
	    json_take_text(top, "image", armed_ret->image, sizeof(armed_ret->image)) ||
	    json_take_text(top, "image_sha256", armed_ret->sha256, sizeof(armed_ret->sha256)) ||
	    json_take_text(top, "cmdline", armed_ret->cmdline, sizeof(armed_ret->cmdline)))
		err = -EBADMSG;
	else if (json_object_object_get_ex(top, "when", &when))
		armed_ret->when = json_object_get_int64(when);
	json_object_put(top);
	return err;
}

int armed_write(const struct invocation *in, const struct armed *armed)
{
	_free_ char *path = ctl_path(in, PATH);
	struct json_object *top = json_object_new_object();
	const char *text;
	int err = -ENOMEM;

	if (path && top &&
	    !json_object_object_add(top, "kernel", json_object_new_string(armed->kernel)) &&
	    !json_object_object_add(top, "kernel_sha256",
				    json_object_new_string(armed->kernel_sha256)) &&
	    !json_object_object_add(top, "release", json_object_new_string(armed->release)) &&
	    !json_object_object_add(top, "image", json_object_new_string(armed->image)) &&
	    !json_object_object_add(top, "image_sha256", json_object_new_string(armed->sha256)) &&
	    !json_object_object_add(top, "cmdline", json_object_new_string(armed->cmdline)) &&
	    !json_object_object_add(top, "when", json_object_new_int64(armed->when)) &&
	    (text = json_object_to_json_string_ext(top, JSON_C_TO_STRING_PRETTY)))
		err = file_replace(path, text, strlen(text), 0644);
	else
		log_error("out of memory");
	json_object_put(top);
	return err;
}

/* The list of what the image is made from knows the files that have not changed: reading them is
 * most of the time that arming takes. */
static int digest(const struct system *sys, const struct inputs *list, const char *path,
		  char hex[SHA256_HEX_BYTES])
{
	const struct input *known =
		list ? inputs_find(list, path + strlen(sys->in->root), false) : NULL;

	if (!known || strlen(known->sha256) != SHA256_HEX_BYTES - 1)
		return armed_digest(path, hex);
	memcpy(hex, known->sha256, SHA256_HEX_BYTES);
	return 0;
}

int armed_compose(const struct system *sys, const struct settings *settings,
		  const struct inputs *list, struct armed *armed)
{
	char consoles[512];
	const char *const pieces[] = { consoles, settings->append, settings->append_extra };
	size_t used = 0;
	int err;

	system_consoles(sys->in, consoles, sizeof(consoles));
	*armed = (struct armed){ .when = time(NULL) };
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		if (*pieces[i])
			used += (size_t)snprintf(armed->cmdline + used,
						 sizeof(armed->cmdline) - used, "%s%s",
						 used ? " " : "", pieces[i]);
	}
	if (strlen(sys->vmlinuz) >= sizeof(armed->kernel) ||
	    strlen(sys->image) >= sizeof(armed->image)) {
		log_error("%s: the path is too long", sys->image);
		return -ENAMETOOLONG;
	}
	strcpy(armed->kernel, sys->vmlinuz);
	strcpy(armed->image, sys->image);
	memcpy(armed->release, sys->release, sizeof(armed->release));
	err = digest(sys, list, armed->kernel, armed->kernel_sha256);
	return err ? err : digest(sys, list, armed->image, armed->sha256);
}

void armed_forget(const struct invocation *in)
{
	_free_ char *path = ctl_path(in, PATH);

	if (path)
		unlink(path);
}

int armed_digest(const char *path, char hex[SHA256_HEX_BYTES])
{
	struct inputs one = { 0 };
	int err = inputs_add_file(&one, NULL, "", path);

	if (!err && one.list[0].sha256[1] == '\0') {
		log_error("%s: %s", path, strerror(ENOENT));
		err = -ENOENT;
	}
	if (!err)
		memcpy(hex, one.list[0].sha256, SHA256_HEX_BYTES);
	inputs_deinit(&one);
	return err;
}
