// SPDX-License-Identifier: GPL-2.0-or-later
/* Every option and what it does to struct options. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/dump/codec.h"
#include "capture/options_private.h"
#include "lib/log.h"
#include "lib/util.h"

static int parse_number(const char *arg, unsigned long long max, unsigned long long *value_ret)
{
	unsigned long long value;
	char *end;

	if (*arg < '0' || *arg > '9')
		return -EINVAL;
	errno = 0;
	value = strtoull(arg, &end, 10);
	if (errno || *end || value > max)
		return -EINVAL;
	*value_ret = value;
	return 0;
}

static int refuse_mode(void)
{
	log_error("only one of -F, -R, --split, --reassemble, --dry-run, --dump-dmesg, "
		  "--mem-usage, --fetch, --check-config and --print-config can be done at a time");
	return -EINVAL;
}

static int apply_mode(struct options *o, const struct option_row *row, const char *arg)
{
	const enum option_mode mode = (enum option_mode)row->value;

	(void)arg;
	if (o->mode == MODE_HELP || o->mode == MODE_VERSION)
		return 0;
	if (o->mode != MODE_DUMP && o->mode != mode && mode != MODE_HELP && mode != MODE_VERSION)
		return refuse_mode();
	o->mode = mode;
	return 0;
}

/* With --split or -F as well: what they would do is counted all the same. */
static int apply_dry_run(struct options *o, const struct option_row *row, const char *arg)
{
	(void)row;
	(void)arg;
	o->dry_run = true;
	return 0;
}

static int apply_level(struct options *o, const struct option_row *row, const char *arg)
{
	char list[64], *rest = list, *word;

	(void)row;
	if (strlen(arg) >= sizeof(list)) {
		log_error("-d %s: too long", arg);
		return -EINVAL;
	}
	strcpy(list, arg);
	o->nr_levels = 0;
	while ((word = strsep(&rest, ","))) {
		unsigned long long level;

		if (parse_number(word, DUMP_LEVEL_MAX, &level)) {
			log_error("-d %s: a dump level is a number from 0 to %u", arg,
				  DUMP_LEVEL_MAX);
			return -EINVAL;
		}
		if (o->nr_levels == OPTIONS_LEVELS_MAX) {
			log_error("-d %s: more than %d dump levels", arg, OPTIONS_LEVELS_MAX);
			return -EINVAL;
		}
		o->levels[o->nr_levels++] = (unsigned)level;
	}
	return 0;
}

static int set_codec(struct options *o, const struct codec *codec, int level)
{
	if (!codec->create) {
		log_error("compression with %s is not built in", codec->name);
		return -EINVAL;
	}
	o->codec = codec;
	o->codec_level = level;
	o->codec_given = true;
	return 0;
}

static int apply_codec(struct options *o, const struct option_row *row, const char *arg)
{
	(void)arg;
	return set_codec(o, codec_find(row->letter), 0);
}

/* NAME or NAME:LEVEL */
static int apply_codec_name(struct options *o, const struct option_row *row, const char *arg)
{
	const struct codec *codec;
	unsigned long long level = 0;
	char name[16], *colon;

	(void)row;
	if (streq(arg, "none")) {
		o->codec = NULL;
		o->codec_given = false;
		return 0;
	}
	strncpy(name, arg, sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	colon = strchr(name, ':');
	if (colon)
		*colon = '\0';
	codec = codec_find_name(name);
	if (!codec) {
		log_error("--codec %s: there is fast, zlib, zstd, lzo, snappy and none", arg);
		return -EINVAL;
	}
	if (colon && (parse_number(colon + 1, 99, &level) || (int)level < codec->min_level ||
		      (int)level > codec->max_level)) {
		if (codec->max_level)
			log_error("--codec %s: %s has levels from %d to %d", arg, name,
				  codec->min_level, codec->max_level);
		else
			log_error("--codec %s: %s has no levels", arg, name);
		return -EINVAL;
	}
	return set_codec(o, codec, (int)level);
}

static int apply_elf(struct options *o, const struct option_row *row, const char *arg)
{
	(void)row;
	(void)arg;
	o->format = DUMP_FORMAT_ELF;
	return 0;
}

static int apply_flag(struct options *o, const struct option_row *row, const char *arg)
{
	(void)arg;
	if (row->letter == 'f')
		o->force = true;
	else if (streq(row->name, "show-stats"))
		o->show_stats = true;
	else if (streq(row->name, "json"))
		o->json = true;
	else if (streq(row->name, "list"))
		o->list = true;
	else if (streq(row->name, "erase"))
		o->erase = true;
	else if (streq(row->name, "non-mmap"))
		o->non_mmap = true;
	else
		o->check_params = true;
	return 0;
}

static int apply_debug(struct options *o, const struct option_row *row, const char *arg)
{
	(void)o;
	(void)row;
	(void)arg;
	log_set_level(LOG_LVL_DEBUG);
	return 0;
}

/* makedumpfile's bits: 1 progress, 2 what it does, 4 errors, 8 debugging, 16 report. */
static int apply_message_level(struct options *o, const struct option_row *row, const char *arg)
{
	unsigned long long level;

	(void)row;
	if (parse_number(arg, 31, &level)) {
		log_error("--message-level %s: a message level is a number from 0 to 31", arg);
		return -EINVAL;
	}
	o->no_progress = !(level & 1);
	o->show_stats |= !!(level & 16);
	if (level & 8)
		log_set_level(LOG_LVL_DEBUG);
	else if (!(level & 2))
		log_set_level(level & 4 ? LOG_LVL_WARN : LOG_LVL_NONE);
	return 0;
}

static int apply_threads(struct options *o, const struct option_row *row, const char *arg)
{
	unsigned long long nr;

	(void)row;
	if (parse_number(arg, INT32_MAX, &nr)) {
		log_error("--num-threads %s: this is not a number of threads", arg);
		return -EINVAL;
	}
	nr = MIN(nr, (unsigned long long)DUMP_THREADS_MAX);
	o->threads = nr ? (unsigned)nr : 1;
	return 0;
}

/* Bytes, or with K, M, G or T behind it. */
static int apply_limit(struct options *o, const struct option_row *row, const char *arg)
{
	static const char units[] = "KMGT";
	char number[32], *unit = NULL;
	const char *at;
	unsigned long long value;
	unsigned shift = 0;

	(void)row;
	strncpy(number, arg, sizeof(number) - 1);
	number[sizeof(number) - 1] = '\0';
	if (*number)
		unit = number + strlen(number) - 1;
	at = unit && *unit & ~0x20 ? strchr(units, *unit & ~0x20) : NULL;
	if (at) {
		shift = 10 * (unsigned)(at - units + 1);
		*unit = '\0';
	}
	if (parse_number(number, INT64_MAX >> shift, &value) || !value) {
		log_error("-L %s: a size in bytes, or with K, M, G or T behind it", arg);
		return -EINVAL;
	}
	o->limit = (uint64_t)value << shift;
	return 0;
}

/* Tuning of what makedumpfile does otherwise; there is nothing here to be tuned. */
static int apply_nothing(struct options *o, const struct option_row *row, const char *arg)
{
	(void)o;
	(void)arg;
	if (row->letter)
		log_debug("-%c has no effect here", row->letter);
	else
		log_debug("--%s has no effect here", row->name);
	return 0;
}

#define NO_XEN	   "dumps of a Xen hypervisor are not supported"
#define NO_VMLINUX "everything is found in the core itself, a vmlinux is not needed"
#define NO_ERASE   "nothing can be erased from a dump"
#define NO_SADUMP  "dumps of sadump are not supported"

static const struct option_row rows[] = {
	{ 'd', NULL, true, apply_level, 0, NULL },
	{ 'c', NULL, false, apply_codec, 0, NULL },
	{ 'z', NULL, false, apply_codec, 0, NULL },
	{ 'l', NULL, false, apply_codec, 0, NULL },
	{ 'p', NULL, false, apply_codec, 0, NULL },
	{ 0, "codec", true, apply_codec_name, 0, NULL },
	{ 'E', NULL, false, apply_elf, 0, NULL },
	{ 'F', NULL, false, apply_mode, MODE_FLATTENED, NULL },
	{ 'R', NULL, false, apply_mode, MODE_REARRANGE, NULL },
	{ 'L', NULL, true, apply_limit, 0, NULL },
	{ 'f', NULL, false, apply_flag, 0, NULL },
	{ 'h', "help", false, apply_mode, MODE_HELP, NULL },
	{ 'v', "version", false, apply_mode, MODE_VERSION, NULL },
	{ 'D', NULL, false, apply_debug, 0, NULL },
	{ 0, "message-level", true, apply_message_level, 0, NULL },
	{ 0, "num-threads", true, apply_threads, 0, NULL },
	{ 0, "show-stats", false, apply_flag, 0, NULL },
	{ 0, "json", false, apply_flag, 0, NULL },
	{ 0, "split", false, apply_mode, MODE_SPLIT, NULL },
	{ 0, "reassemble", false, apply_mode, MODE_REASSEMBLE, NULL },
	{ 0, "dry-run", false, apply_dry_run, 0, NULL },
	{ 0, "dump-dmesg", false, apply_mode, MODE_DMESG, NULL },
	{ 0, "mem-usage", false, apply_mode, MODE_MEM_USAGE, NULL },
	{ 0, "check-config", false, apply_mode, MODE_CHECK_CONFIG, NULL },
	{ 0, "print-config", false, apply_mode, MODE_PRINT_CONFIG, NULL },
	{ 0, "fetch", false, apply_mode, MODE_FETCH, NULL },
	{ 0, "list", false, apply_flag, 0, NULL },
	{ 0, "erase", false, apply_flag, 0, NULL },
	{ 0, "non-mmap", false, apply_flag, 0, NULL },
	{ 0, "check-params", false, apply_flag, 0, NULL },
	/* makedumpfile(8)'s tuning. */
	{ 'b', NULL, true, apply_nothing, 0, NULL },
	{ 0, "cyclic-buffer", true, apply_nothing, 0, NULL },
	{ 0, "splitblock-size", true, apply_nothing, 0, NULL },
	{ 0, "work-dir", true, apply_nothing, 0, NULL },
	/* makedumpfile(8)'s others. */
	{ 'x', NULL, true, NULL, 0, NO_VMLINUX },
	{ 'i', NULL, true, NULL, 0, "everything is found in the core itself" },
	{ 'g', NULL, true, NULL, 0, NO_VMLINUX },
	{ 'X', NULL, false, NULL, 0, NO_XEN },
	{ 'e', NULL, false, NULL, 0, "the memory map is always kept whole" },
	{ 0, "xen-syms", true, NULL, 0, NO_XEN },
	{ 0, "xen-vmcoreinfo", true, NULL, 0, NO_XEN },
	{ 0, "xen_phys_start", true, NULL, 0, NO_XEN },
	{ 0, "vtop", true, NULL, 0, "crash has a command of that name" },
	{ 0, "partial-dmesg", false, NULL, 0, "the whole log is always written" },
	{ 0, "config", true, NULL, 0, NO_ERASE },
	{ 0, "eppic", true, NULL, 0, NO_ERASE },
	{ 0, "extension", true, NULL, 0, NO_ERASE },
	{ 0, "diskset", true, NULL, 0, NO_SADUMP },
};

static_assert(ARRAY_SIZE(rows) <= OPTION_ROWS_MAX, "OPTION_ROWS_MAX");

const struct option_row *option_rows(size_t *nr_ret)
{
	*nr_ret = ARRAY_SIZE(rows);
	return rows;
}
