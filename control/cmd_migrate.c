// SPDX-License-Identifier: GPL-2.0-or-later
/* migrate: another crash dump service's variables as our configuration. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "control/commands.h"
#include "control/migrate/migrate.h"
#include "control/settings.h"
#include "control/text.h"
#include "lib/cleanup.h"
#include "lib/config.h"
#include "lib/io.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/util.h"

enum {
	MIGRATE_SETTINGS,
};

const struct ctl_option migrate_options[] = {
	[MIGRATE_SETTINGS] = { "settings", 's', NULL, "print " SETTINGS_PATH " instead" },
	{ 0 },
};

/* The file of an argument is one of this system, whatever --root says. */
static char *find_file(const struct invocation *in)
{
	static const struct migrate_dialect *const dialects[] = { &migrate_debian,
								  &migrate_fedora };

	if (in->nr_args)
		return strdup(in->args[0]);
	for (size_t i = 0; i < ARRAY_SIZE(dialects); i++) {
		_free_ char *path = ctl_path(in, dialects[i]->file);

		if (path && access(path, F_OK) == 0)
			return take_ptr(path);
	}
	log_error("neither %s nor %s is here: give the file; " CONFIG_KDUMP_PATH
		  " is read as it is and needs none of this",
		  migrate_debian.file, migrate_fedora.file);
	return NULL;
}

static void print_text(const struct invocation *in, const struct migration *m, const char *path)
{
	const char *text = in->value[MIGRATE_SETTINGS] ? m->settings : m->config;

	fputs("# Made by " CTL_PROGRAM " migrate of ", stdout);
	text_put(stdout, path, strlen(path));
	printf(" (%s).\n%s", m->dialect->name, text ? text : "");
}

static void print_json(const struct migration *m, const char *path)
{
	struct json j;

	json_init(&j, stdout);
	json_object(&j, NULL);
	json_string(&j, "file", path);
	json_string(&j, "service", m->dialect->name);
	json_string(&j, "config", m->config ? m->config : "");
	json_string(&j, "settings", m->settings ? m->settings : "");
	json_u64(&j, "lost", m->nr_lost);
	json_end(&j, '}');
}

/* kdump.conf counts only where there is no configuration of ours: nothing must take its place. */
static bool is_in_the_way(const struct invocation *in, const struct migration *m)
{
	_free_ char *kdump = ctl_path(in, CONFIG_KDUMP_PATH);

	if (m->dialect != &migrate_fedora || in->value[MIGRATE_SETTINGS] || in->json || !kdump ||
	    access(kdump, F_OK))
		return false;
	log_error(CONFIG_KDUMP_PATH " is read as it is, and a " CONFIG_PATH
				    " would take its place; \"" CTL_PROGRAM
				    " migrate --settings\" has the rest");
	return true;
}

int cmd_migrate(const struct invocation *in)
{
	_free_ char *path = find_file(in), *text = NULL;
	struct migration m = { .nr = 0 };
	int status = CTL_FAILED, err;
	size_t len;

	if (!path)
		return CTL_FAILED;
	err = io_read_file(path, MIGRATE_MAX_BYTES, &text, &len);
	if (!err && strlen(text) != len)
		err = -EBADMSG;
	if (!err)
		err = migrate_text(text, &m);
	if (err == -ENODATA)
		log_error("%s: no variable of kdump-tools, kdump-utils or SUSE's kdump in it",
			  path);
	else if (err)
		log_error("%s: %s", path, strerror(-err));
	if (!err && !is_in_the_way(in, &m)) {
		if (in->json)
			print_json(&m, path);
		else
			print_text(in, &m, path);
		if (m.nr_lost)
			log_warn("%u of what the file says could not be taken over: see the "
				 "comments",
				 m.nr_lost);
		status = m.nr_lost ? CTL_NO : CTL_OK;
	}
	migrate_deinit(&m);
	return status;
}
