// SPDX-License-Identifier: GPL-2.0-or-later
/* test --crash and --result: the whole of it, on this machine. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control/armed.h"
#include "control/cmd_test.h"
#include "control/commands.h"
#include "control/dumps/records.h"
#include "control/dumps/trial.h"
#include "control/system.h"
#include "control/text.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/util.h"

#define PSTORE	"/sys/fs/pstore"
#define DOWN_MS 5000u /* in which a kernel that was told to crash has done so */

/* What fails there would fail the crash. */
static int ask_check(const struct invocation *in, bool force)
{
	struct invocation check = { .command = in->command, .root = in->root };
	int status = cmd_check(&check);

	putchar('\n');
	if (status == CTL_NO && force) {
		log_warn(
			"a crash would not be captured, by what check says; it comes all the same");
		return CTL_OK;
	}
	if (status == CTL_NO)
		log_error("a crash would not be captured, so none is made: do what the lines with "
			  "FAIL say, or add --force");
	return status;
}

static int ask_person(void)
{
	char host[65] = "", answer[80];

	gethostname(host, sizeof(host) - 1);
	fputs("This machine", stdout);
	if (*host)
		printf(", %s,", host);
	puts(" crashes now, as from a bug: no service is stopped, no user is asked, and\n"
	     "what is not on a disk yet is lost. It comes back by itself if the capture works; if\n"
	     "not, somebody has to reset it. Afterwards: \"" CTL_PROGRAM " test --result\".");
	if (!isatty(STDIN_FILENO)) {
		log_error("there is no terminal to ask at: --yes, where nobody is to be asked");
		return CTL_USAGE;
	}
	printf("Type crash%s%s to go on: ", *host ? " or " : "", host);
	fflush(stdout);
	if (!fgets(answer, sizeof(answer), stdin))
		*answer = '\0';
	answer[strcspn(answer, "\n")] = '\0';
	if (streq(answer, "crash") || (*host && streq(answer, host)))
		return CTL_OK;
	log_info("not done");
	return CTL_NO;
}

static int write_below(const struct invocation *in, const char *name, const char *text)
{
	_free_ char *path = ctl_path(in, name);
	int err = path ? io_write_file(path, text) : -ENOMEM;

	if (err)
		log_error("%s: %s", name, strerror(-err));
	return err;
}

static int crash(const struct invocation *in)
{
	struct armed armed;
	bool known = !armed_read(in, &armed);

	if (trial_begin(in, known ? &armed : NULL))
		return CTL_FAILED;
	fflush(stdout);
	sync();
	/* Documentation/admin-guide/sysrq.rst: what is written to the trigger is always allowed,
	 * but by kernels before 3.x, which look at the mask. */
	if (!write_below(in, "/proc/sys/kernel/sysrq", "1") &&
	    !write_below(in, "/proc/sysrq-trigger", "c")) {
		clock_sleep_ms(DOWN_MS);
		log_error("the kernel was told to crash, and did not");
	}
	trial_forget(in);
	return CTL_FAILED;
}

int test_crash(const struct invocation *in, bool sure, bool force)
{
	struct system sys;
	int status;

	if (!*in->root && geteuid()) {
		log_error("test --crash: only root may do that");
		return CTL_FAILED;
	}
	if (system_init(&sys, in, NULL))
		return CTL_FAILED;
	status = sys.loaded ? CTL_OK : CTL_NO;
	system_deinit(&sys);
	if (status) {
		log_error("nothing is armed, so nothing would be captured: \"" CTL_PROGRAM
			  " start\"");
		return status;
	}
	status = ask_check(in, force);
	if (!status && !sure)
		status = ask_person();
	return status ? status : crash(in);
}

static bool has_files(const char *path)
{
	_closedir_ DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (*entry->d_name != '.')
			return true;
	}
	return false;
}

static void print_hints(const struct invocation *in, const struct dumps *dumps)
{
	_free_ char *pstore = ctl_path(in, PSTORE);

	puts("Look at:");
	for (unsigned i = 0; i < dumps->nr_elsewhere; i++) {
		const struct dumps_elsewhere *e = &dumps->elsewhere[i];

		printf("- %s, which %s: %s\n", e->target, e->why, e->hint);
	}
	if (pstore && has_files(pstore))
		puts("- " PSTORE ", where the end of a log is");
	puts("- the machine's console of that time: what the capture kernel said is there alone\n"
	     "- \"" CTL_PROGRAM " check\", and \"" CTL_PROGRAM " test --vm\" for the image by "
	     "itself");
}

static void print_json(const struct trial *trial, enum trial_outcome outcome,
		       const struct dump *dump, const struct dumps *dumps)
{
	struct json j;

	json_init(&j, stdout);
	json_object(&j, NULL);
	json_string(&j, "outcome", trial_outcome_name(outcome));
	json_i64(&j, "time", trial->when);
	json_u64(&j, "seconds", trial->seconds);
	json_string(&j, "kernel", *trial->kernel ? trial->kernel : NULL);
	json_string(&j, "image", *trial->image ? trial->image : NULL);
	json_string(&j, "image_sha256", *trial->image_sha256 ? trial->image_sha256 : NULL);
	if (dump) {
		json_object(&j, "dump");
		dump_json(&j, dump);
		json_string(&j, "reason", dump->record.reason);
		json_end(&j, '}');
	}
	json_array(&j, "elsewhere");
	for (unsigned i = 0; i < dumps->nr_elsewhere; i++)
		json_string(&j, NULL, dumps->elsewhere[i].hint);
	json_end(&j, ']');
	json_end(&j, '}');
}

static int print_text(const struct invocation *in, const struct trial *trial,
		      enum trial_outcome outcome, const struct dump *dump,
		      const struct dumps *dumps)
{
	_free_ char *line = trial_line(trial, outcome, dump);
	const char *why = dump ? (*dump->problem ? dump->problem : dump->record.reason) : NULL;

	if (!line)
		return -ENOMEM;
	puts(line);
	if (why && outcome == TRIAL_PARTLY) {
		fputs("Why: ", stdout);
		text_put(stdout, why, strlen(why));
		putchar('\n');
	}
	if (dump)
		puts("All of it: \"" CTL_PROGRAM " show\"");
	else if (outcome == TRIAL_LOST)
		print_hints(in, dumps);
	return 0;
}

static int tell(const struct invocation *in, const struct trial *trial)
{
	const struct dump *dump;
	enum trial_outcome outcome;
	struct dumps dumps;
	int err = dumps_find(in, NULL, &dumps);

	if (!err) {
		outcome = trial_judge(in, trial, &dumps, &dump);
		if (in->json)
			print_json(trial, outcome, dump, &dumps);
		else
			err = print_text(in, trial, outcome, dump, &dumps);
		if (!err && outcome != TRIAL_PENDING)
			err = trial_forget(in);
	}
	dumps_deinit(&dumps);
	return err ? CTL_FAILED : outcome == TRIAL_CAPTURED ? CTL_OK : CTL_NO;
}

int test_result(const struct invocation *in)
{
	struct trial trial;
	int err = trial_read(in, &trial);

	if (err == -ENOENT)
		log_error("no test crash is to be told of; \"" CTL_PROGRAM " test --crash\" makes "
			  "one, \"" CTL_PROGRAM " list\" has all dumps");
	else if (err)
		log_error(STATE_DIR "/test.json: %s", err == -EBADMSG ? "not what " CTL_PROGRAM
									" writes; remove it" :
									strerror(-err));
	return err ? CTL_FAILED : tell(in, &trial);
}
