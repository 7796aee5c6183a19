// SPDX-License-Identifier: GPL-2.0-or-later
/* After the reboot: what has happened, to the journal and to who logs in. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "control/commands.h"
#include "control/dumps/records.h"
#include "control/dumps/told.h"
#include "control/dumps/trial.h"
#include "control/file.h"
#include "control/text.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define STATE_PATH "/var/lib/vmcore-save/told"
#define MOTD_PATH  "/run/motd.d/vmcore-save" /* pam_motd(8) */

enum {
	OPT_CLEAR
};

const struct ctl_option notice_options[] = {
	[OPT_CLEAR] = { "clear", 0, NULL, "take the message at login away" },
	{ 0 },
};

static int fail(const char *path, int err)
{
	log_error("%s: %s", path, strerror(-err));
	return err;
}

/* A line of each new dump; NULL without memory. */
static char *describe(const struct dump *dump)
{
	char when[TEXT_TIME_SIZE], *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);
	const char *line = dump_panic_line(dump);

	if (!to)
		return NULL;
	fprintf(to, "Crash at %s UTC: ", text_time(dump->when, when));
	text_put(to, line, strlen(line));
	fprintf(to, "; %s, in ", dump->verdict);
	text_put(to, dump->path, strlen(dump->path));
	if (fclose(to)) {
		free(text);
		return NULL;
	}
	return text;
}

struct notice {
	const struct invocation *in;
	const char *told; /* the state before */
	FILE *motd;
	unsigned nr;
};

/* Once; "test --result" still has it. */
static int tell_trial(struct notice *n, const struct dumps *dumps, char **line_ret)
{
	const struct dump *dump;
	enum trial_outcome outcome;
	struct trial trial;

	if (trial_read(n->in, &trial) || trial.told)
		return 0;
	outcome = trial_judge(n->in, &trial, dumps, &dump);
	if (outcome == TRIAL_PENDING)
		return 0;
	*line_ret = trial_line(&trial, outcome, dump);
	if (!*line_ret)
		return -ENOMEM;
	log_warn("%s", *line_ret);
	fprintf(n->motd, "%s\n", *line_ret);
	n->nr++;
	trial.told = true;
	return trial_write(n->in, &trial);
}

static int tell(struct notice *n, const struct dumps *dumps)
{
	_free_ char *trial = NULL;
	struct json j;
	int err = tell_trial(n, dumps, &trial);

	if (err)
		return err;
	json_init(&j, stdout);
	if (n->in->json) {
		json_object(&j, NULL);
		json_array(&j, "dumps");
	}
	for (unsigned i = 0; i < dumps->nr; i++) {
		const struct dump *d = &dumps->list[i];
		_free_ char *line = NULL;

		if (!d->ours || told_knows(n->told, d))
			continue;
		if (!(line = describe(d)))
			return -ENOMEM;
		log_warn("%s", line);
		fprintf(n->motd, "%s\n", line);
		n->nr++;
		if (!n->in->json)
			continue;
		json_object(&j, NULL);
		dump_json(&j, d);
		json_end(&j, '}');
	}
	if (n->in->json) {
		json_end(&j, ']');
		json_string(&j, "test", trial);
		json_end(&j, '}');
	}
	fputs("See: " CTL_PROGRAM " show; to end this message: " CTL_PROGRAM " notice --clear\n",
	      n->motd);
	return 0;
}

static int write_state(const char *path, const char *before, const struct dumps *dumps)
{
	_free_ char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	if (!to)
		return -ENOMEM;
	told_write(to, before, dumps);
	if (fclose(to))
		return -ENOMEM;
	if (len > TOLD_MAX_BYTES)
		return fail(path, -EFBIG);
	if (streq(text, before))
		return 0;
	return file_replace(path, text, len, 0600);
}

static int write_motd(const struct invocation *in, const char *text, size_t len)
{
	_free_ char *path = ctl_path(in, MOTD_PATH);

	return path ? file_replace(path, text, len, 0644) : -ENOMEM;
}

static int notice(const struct invocation *in, const struct dumps *dumps)
{
	_free_ char *path = ctl_path(in, STATE_PATH), *told = NULL, *motd = NULL;
	struct notice n = { .in = in, .told = "" };
	size_t len = 0;
	int err = path ? io_read_file(path, TOLD_MAX_BYTES, &told, NULL) : -ENOMEM;

	if (err == -ENOMEM)
		return err;
	if (err && err != -ENOENT)
		return fail(path, err);
	if (told)
		n.told = told;
	n.motd = open_memstream(&motd, &len);
	if (!n.motd)
		return -ENOMEM;
	err = tell(&n, dumps);
	if (fclose(n.motd) && !err)
		err = -ENOMEM;
	if (!err && n.nr)
		err = write_motd(in, motd, len);
	/* Last: what was not told everywhere is told again. */
	return err ? err : write_state(path, n.told, dumps);
}

static int clear(const struct invocation *in)
{
	_free_ char *path = ctl_path(in, MOTD_PATH);

	if (path && (!unlink(path) || errno == ENOENT))
		return CTL_OK;
	fail(path ?: MOTD_PATH, -errno);
	return CTL_FAILED;
}

int cmd_notice(const struct invocation *in)
{
	struct dumps dumps;
	int err;

	if (in->value[OPT_CLEAR])
		return clear(in);
	err = dumps_find(in, NULL, &dumps);
	if (!err) {
		err = notice(in, &dumps);
		if (err == -ENOMEM)
			log_error("cannot tell of the dumps: %s", strerror(ENOMEM));
	}
	dumps_deinit(&dumps);
	return err ? CTL_FAILED : CTL_OK;
}
