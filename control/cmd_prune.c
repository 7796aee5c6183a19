// SPDX-License-Identifier: GPL-2.0-or-later
/* Old dumps that make room, by the rules of keep_dumps and keep_size. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "control/commands.h"
#include "control/dumps/records.h"
#include "control/text.h"
#include "lib/cleanup.h"
#include "lib/dump_dir.h"
#include "lib/log.h"
#include "lib/retain.h"
#include "lib/util.h"

enum {
	OPT_KEEP,
	OPT_MAX_SIZE,
	OPT_DRY_RUN,
	OPT_DIR
};

const struct ctl_option prune_options[] = {
	[OPT_KEEP] = { "keep", 0, "N", "complete dumps that stay in a directory" },
	[OPT_MAX_SIZE] = { "max-size", 0, "SIZE", "what all may take up together (K, M, G, T)" },
	[OPT_DRY_RUN] = { "dry-run", 0, NULL, "only tell what would go" },
	[OPT_DIR] = { "dir", 0, "DIR", "look into this directory only" },
	{ 0 },
};

struct prune {
	const struct invocation *in;
	const struct dumps *dumps;
	struct retain_prune rule;
	const char *place; /* that is being pruned */
	unsigned warned;   /* a bit for each place */
	struct json json;
	struct retain_count all;
};

/* Read as the configuration's keys are, so that they mean the same. */
static int read_limit(const struct invocation *in, unsigned option, const char *key,
		      struct config *config)
{
	const char *value = in->value[option];
	char line[64];

	if (!value)
		return 0;
	snprintf(line, sizeof(line), "%s %s", key, value);
	if (strlen(value) < 32 && !value[strcspn(value, " \t\n#\"")] &&
	    !config_parse(line, strlen(line), "", config, NULL, NULL))
		return 0;
	log_error("--%s=: not a number%s above 0; see --help", in->command->options[option].name,
		  option == OPT_MAX_SIZE ? " or a size such as 20G" : "");
	return -EINVAL;
}

/* What is asked for; else what is configured. */
static int read_rule(const struct invocation *in, const struct config *configured,
		     struct retain_prune *rule)
{
	_free_ struct config *config = malloc(sizeof(*config));
	const bool asked = in->value[OPT_KEEP] || in->value[OPT_MAX_SIZE];

	if (!config)
		return -ENOMEM;
	config_init(config);
	if (read_limit(in, OPT_KEEP, "keep_dumps", config) ||
	    read_limit(in, OPT_MAX_SIZE, "keep_size", config))
		return -EINVAL;
	if (!asked)
		*config = *configured;
	rule->keep_dumps = config->keep_dumps;
	rule->keep_bytes = config->keep_bytes;
	rule->dry_run = in->value[OPT_DRY_RUN] != NULL;
	if (retain_wanted(config))
		return 0;
	log_error("nothing says how many dumps are to stay: give --keep or --max-size, or set "
		  "keep_dumps or keep_size in " CONFIG_PATH);
	return -EINVAL;
}

static void tell(void *ctx, const char *name, uint64_t bytes, int err)
{
	struct prune *p = ctx;
	char size[TEXT_SIZE_SIZE];
	_free_ char *path = NULL, *clean = NULL;

	if (asprintf(&path, "%s/%s", p->place, name) < 0 || !(clean = text_clean(path)))
		return;
	if (err)
		log_error("cannot remove %s: %s", clean, strerror(-err));
	if (!p->in->json && !err)
		printf("%s %s (%s)\n", p->rule.dry_run ? "would remove" : "removed", clean,
		       text_size(bytes, size));
	if (!p->in->json)
		return;
	json_object(&p->json, NULL);
	json_string(&p->json, "path", path);
	json_u64(&p->json, "bytes", bytes);
	json_string(&p->json, "error", err ? strerror(-err) : NULL);
	json_end(&p->json, '}');
}

/* Whether two captures' names are of one host. */
static bool is_of_same_host(const struct dump *a, const struct dump *b)
{
	const char *stamp;

	return retain_is_capture(a->name, b->name, &stamp);
}

/* A name that begins with the time has no host in it. */
static bool has_host(const struct dump *d)
{
	const char *stamp;

	return retain_is_capture(d->name, d->name, &stamp) && stamp != d->name;
}

/*
 * Whether @d is the one of its host that stays: the newest of the complete ones, by its name,
 * for that is what retain.h goes by; without any, the newest.
 */
static bool is_last(const struct dumps *dumps, const struct dump *d)
{
	const char *stamp, *other_stamp;
	const bool complete = streq(d->verdict, "complete");

	if (!d->ours || !retain_is_capture(d->name, d->name, &stamp))
		return false;
	for (unsigned i = 0; i < dumps->nr; i++) {
		const struct dump *other = &dumps->list[i];
		const bool other_complete = streq(other->verdict, "complete");

		if (other == d || other->place != d->place || !other->ours ||
		    !is_of_same_host(other, d))
			continue;
		retain_is_capture(other->name, d->name, &other_stamp);
		if (other_complete != complete ? other_complete :
						 strverscmp(other_stamp, stamp) > 0)
			return false;
	}
	return true;
}

static int prune_place(struct prune *p, const struct dump *last)
{
	const struct dumps_place *place = &p->dumps->places[last->place];
	_close_ int fd = -1;
	struct retain_count count;
	int err;

	if (has_host(last) && !place->given) {
		if (!(p->warned & 1u << last->place))
			log_warn("%s: dumps named by a host stay; --dir=%s prunes them too",
				 place->path, place->path);
		p->warned |= 1u << last->place;
		return 0;
	}
	fd = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		err = -errno;
		log_error("%s: %s", place->path, strerror(-err));
		return err;
	}
	p->place = place->path;
	p->rule.own = last->name;
	err = retain_prune(fd, &p->rule, &count);
	if (!err) {
		p->all.dumps += count.dumps;
		p->all.bytes += count.bytes;
	}
	return err;
}

static int prune_all(struct prune *p)
{
	int err = 0;

	for (unsigned i = 0; i < p->dumps->nr; i++) {
		if (is_last(p->dumps, &p->dumps->list[i]))
			err = prune_place(p, &p->dumps->list[i]) ?: err;
	}
	return err;
}

static int prune(struct prune *p)
{
	char size[TEXT_SIZE_SIZE];
	int err;

	if (p->in->json) {
		json_init(&p->json, stdout);
		json_object(&p->json, NULL);
		json_bool(&p->json, "dry_run", p->rule.dry_run);
		json_array(&p->json, "removed");
	}
	err = prune_all(p);
	if (p->in->json) {
		json_end(&p->json, ']');
		json_u64(&p->json, "bytes", p->all.bytes);
		json_end(&p->json, '}');
	} else {
		printf("%u dumps %s, %s\n", p->all.dumps, p->rule.dry_run ? "would go" : "went",
		       text_size(p->all.bytes, size));
	}
	return err;
}

int cmd_prune(const struct invocation *in)
{
	struct dumps dumps;
	struct prune p = { .in = in, .dumps = &dumps };
	int err = dumps_find(in, in->value[OPT_DIR], &dumps), status = CTL_FAILED;

	p.rule.told = tell;
	p.rule.ctx = &p;
	if (!err) {
		err = read_rule(in, dumps.config, &p.rule);
		status = err ? CTL_USAGE : prune(&p) ? CTL_FAILED : CTL_OK;
	}
	dumps_deinit(&dumps);
	return status;
}
