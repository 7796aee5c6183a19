// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/dumps/trial.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control/dumps/record.h"
#include "control/file.h"
#include "control/json_take.h"
#include "control/system.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define PATH	    STATE_DIR "/test.json"
#define MAX_BYTES   (16u << 10)
#define MAX_SECONDS 86400 /* more is another clock, or not the boot behind the crash */

static int read_boot_id(const struct invocation *in, char id[TRIAL_BOOT_ID_SIZE])
{
	_free_ char *path = ctl_path(in, "/proc/sys/kernel/random/boot_id"), *text = NULL;
	int err = path ? io_read_file(path, 64, &text, NULL) : -ENOMEM;

	if (err)
		return err;
	text[strcspn(text, "\n")] = '\0';
	if (strlen(text) != TRIAL_BOOT_ID_SIZE - 1)
		return -EBADMSG;
	memcpy(id, text, TRIAL_BOOT_ID_SIZE);
	return 0;
}

/* When this kernel started, proc_stat(5); 0 where that cannot be known. */
static int64_t boot_time(const struct invocation *in)
{
	_free_ char *path = ctl_path(in, "/proc/stat"), *text = NULL;
	const char *line;

	if (!path || io_read_file(path, 4u << 20, &text, NULL))
		return 0;
	line = strstr(text, "\nbtime ");
	return line ? strtoll(line + strlen("\nbtime "), NULL, 10) : 0;
}

int trial_begin(const struct invocation *in, const struct armed *armed)
{
	struct trial trial = { .when = time(NULL) };
	int err = read_boot_id(in, trial.boot_id);

	if (err) {
		log_error("/proc/sys/kernel/random/boot_id: %s", strerror(-err));
		return err;
	}
	if (armed) {
		strcpy(trial.kernel, armed->kernel);
		strcpy(trial.image, armed->image);
		strcpy(trial.image_sha256, armed->sha256);
	}
	return trial_write(in, &trial);
}

static int64_t take_number(struct json_object *from, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(from, key, &value) ? json_object_get_int64(value) : 0;
}

static int take(struct json_object *top, struct trial *t)
{
	struct json_object *told;

	*t = (struct trial){ .when = 0 };
	if (!json_object_is_type(top, json_type_object) ||
	    json_take_text(top, "boot_id", t->boot_id, sizeof(t->boot_id)) ||
	    json_take_text(top, "kernel", t->kernel, sizeof(t->kernel)) ||
	    json_take_text(top, "image", t->image, sizeof(t->image)) ||
	    json_take_text(top, "image_sha256", t->image_sha256, sizeof(t->image_sha256)))
		return -EBADMSG;
	t->when = take_number(top, "time");
	t->seconds = (uint64_t)take_number(top, "seconds");
	t->told = json_object_object_get_ex(top, "told", &told) && json_object_get_boolean(told);
	return t->when > 0 && t->when <= RECORD_MAX_TIME && t->seconds <= MAX_SECONDS ? 0 :
											-EBADMSG;
}

int trial_read(const struct invocation *in, struct trial *trial_ret)
{
	_free_ char *path = ctl_path(in, PATH), *text = NULL;
	struct json_object *top;
	struct trial trial;
	int64_t seconds;
	int err = path ? io_read_file(path, MAX_BYTES, &text, NULL) : -ENOMEM;

	if (err)
		return err;
	top = json_tokener_parse(text);
	err = take(top, &trial);
	json_object_put(top);
	if (err)
		return err;
	seconds = boot_time(in) - trial.when;
	if (!trial.seconds && seconds > 0 && seconds < MAX_SECONDS)
		trial.seconds = (uint64_t)seconds;
	*trial_ret = trial;
	return 0;
}

int trial_write(const struct invocation *in, const struct trial *t)
{
	_free_ char *path = ctl_path(in, PATH);
	struct json_object *top = json_object_new_object();
	const char *text;
	int err = -ENOMEM;

	if (path && top && !json_object_object_add(top, "time", json_object_new_int64(t->when)) &&
	    !json_object_object_add(top, "boot_id", json_object_new_string(t->boot_id)) &&
	    !json_object_object_add(top, "kernel", json_object_new_string(t->kernel)) &&
	    !json_object_object_add(top, "image", json_object_new_string(t->image)) &&
	    !json_object_object_add(top, "image_sha256", json_object_new_string(t->image_sha256)) &&
	    !json_object_object_add(top, "told", json_object_new_boolean(t->told)) &&
	    !json_object_object_add(top, "seconds", json_object_new_int64((int64_t)t->seconds)) &&
	    (text = json_object_to_json_string_ext(top, JSON_C_TO_STRING_PRETTY)))
		err = file_replace(path, text, strlen(text), 0600);
	else
		log_error("out of memory");
	json_object_put(top);
	return err;
}

int trial_forget(const struct invocation *in)
{
	_free_ char *path = ctl_path(in, PATH);

	if (path && (!unlink(path) || errno == ENOENT))
		return 0;
	log_error("%s: %s", path ?: PATH, strerror(path ? errno : ENOMEM));
	return path ? -errno : -ENOMEM;
}

bool trial_is_pending(const struct invocation *in, const struct trial *trial)
{
	char boot_id[TRIAL_BOOT_ID_SIZE];

	return !read_boot_id(in, boot_id) && streq(boot_id, trial->boot_id);
}
