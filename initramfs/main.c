// SPDX-License-Identifier: GPL-2.0-or-later
/* vmcore-mkimage: an initramfs from a manifest, without dracut and without root. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "initramfs/conf.h"
#include "initramfs/defaults.h"
#include "initramfs/image.h"
#include "initramfs/output.h"
#include "initramfs/root.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define PROGRAM	      "vmcore-mkimage"
#define MANIFESTS_MAX 8u

static const char usage_text[] =
	"Usage: " PROGRAM " --root DIR [--hardware FILE] [OPTION]... -o IMAGE\n"
	"       " PROGRAM " --conf FILE --moddir DIR -D VMCORE_SAVE=FILE [OPTION]... -o IMAGE\n"
	"\n"
	"  -r, --root DIR           the machine's root file system, unpacked; what follows is "
	"taken\n"
	"                           from there where no option names it\n"
	"  -c, --conf FILE          the image's configuration (DIR/etc/vmcore-save.conf)\n"
	"  -K, --kernel VERSION     whose modules, of several kernels in DIR/lib/modules\n"
	"  -k, --moddir DIR         the kernel's modules, /lib/modules/VERSION\n"
	"  -F, --firmware DIR       firmware that modules ask for (DIR/lib/firmware)\n"
	"  -H, --hardware FILE      the machine's drivers, in place of those of common machines\n"
	"  -m, --manifest FILE      what goes into the image, in place of the installed manifest\n"
	"  -a, --add FILE           a manifest of what is added; may be given again\n"
	"  -D, --define NAME=VALUE  what ${NAME} in a manifest means; VMCORE_SAVE and BUSYBOX are\n"
	"                           the programs\n"
	"  -z, --gzip               the same as --compress gzip\n"
	"      --compress METHOD    none (default), gzip or zstd\n"
	"  -o, --output FILE        the image\n"
	"      --help, --version\n"
	"\n"
	"Nothing of the machine is run. The same inputs give the same bytes; times are\n"
	"SOURCE_DATE_EPOCH, or 0.\n";

enum {
	OPT_COMPRESS = 256,
	OPT_HELP,
	OPT_VERSION
};

static const struct option options[] = {
	{ "root", required_argument, NULL, 'r' },
	{ "conf", required_argument, NULL, 'c' },
	{ "kernel", required_argument, NULL, 'K' },
	{ "moddir", required_argument, NULL, 'k' },
	{ "firmware", required_argument, NULL, 'F' },
	{ "hardware", required_argument, NULL, 'H' },
	{ "manifest", required_argument, NULL, 'm' },
	{ "add", required_argument, NULL, 'a' },
	{ "define", required_argument, NULL, 'D' },
	{ "gzip", no_argument, NULL, 'z' },
	{ "compress", required_argument, NULL, OPT_COMPRESS },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ 0 },
};

/* Strings live as long as the program. */
struct args {
	char *root, *moddir, *firmware;
	const char *kernel, *conf, *hardware, *output, *compression;
	const char *manifest[1 + MANIFESTS_MAX]; /* the first one is what --manifest names */
	size_t nr_added;
	struct manifest_vars vars;
};

/* @arg stays cut in two for the life of the program. */
static int define(struct args *args, char *arg)
{
	char *value = strchr(arg, '=');
	int err = -EINVAL;

	if (value) {
		*value++ = '\0';
		err = manifest_set_var(&args->vars, arg, value);
	}
	if (err == -ENOSPC)
		log_error("more than %u variables", MANIFEST_MAX_VARS);
	else if (err)
		log_error("-D takes NAME=VALUE, and NAME is made of letters, digits and _");
	return err;
}

static int add_manifest(struct args *args, const char *name)
{
	if (args->nr_added == MANIFESTS_MAX) {
		log_error("--add may be given %u times at most", MANIFESTS_MAX);
		return -EINVAL;
	}
	args->manifest[1 + args->nr_added++] = name;
	return 0;
}

/* 0 where it is no plain string option. */
static const char **string_option(struct args *args, int c)
{
	switch (c) {
	case 'K':
		return &args->kernel;
	case 'c':
		return &args->conf;
	case 'H':
		return &args->hardware;
	case 'm':
		return &args->manifest[0];
	case 'o':
		return &args->output;
	case OPT_COMPRESS:
		return &args->compression;
	}
	return NULL;
}

static int take_option(struct args *args, int c)
{
	const char **string = string_option(args, c);

	if (string) {
		*string = optarg;
		return 0;
	}
	switch (c) {
	case 'r':
		args->root = optarg;
		return 0;
	case 'k':
		args->moddir = optarg;
		return 0;
	case 'F':
		args->firmware = optarg;
		return 0;
	case 'D':
		return define(args, optarg);
	case 'a':
		return add_manifest(args, optarg);
	case 'z':
		args->compression = "gzip";
		return 0;
	case OPT_HELP:
		fputs(usage_text, stdout);
		exit(0);
	case OPT_VERSION:
		puts(PROGRAM " " VMCORE_SAVE_VERSION);
		exit(0);
	}
	return -EINVAL;
}

static void cut_slashes(char *path)
{
	for (size_t n = path ? strlen(path) : 0; n > 1 && path[n - 1] == '/'; n--)
		path[n - 1] = '\0';
}

static int parse_args(int argc, char **argv, struct args *args)
{
	int c, err = 0;

	while (!err && (c = getopt_long(argc, argv, "r:c:K:k:F:H:m:a:D:zo:", options, NULL)) != -1)
		err = take_option(args, c);
	if (err)
		return err;
	if (optind != argc || !args->output) {
		log_error("-o is needed, and nothing stands beside options; see --help");
		return -EINVAL;
	}
	if (args->kernel && (args->moddir || !args->root)) {
		log_error(
			"--kernel says which of the kernels of --root, where there is no --moddir");
		return -EINVAL;
	}
	cut_slashes(args->root);
	cut_slashes(args->moddir);
	cut_slashes(args->firmware);
	return 0;
}

/* Seconds since 1970 that all times are set to, as other tools of a reproducible build have it:
 * https://reproducible-builds.org/specs/source-date-epoch/ */
static int read_epoch(uint32_t *mtime_ret)
{
	const char *s = getenv("SOURCE_DATE_EPOCH");
	unsigned long long v;
	char *end;

	if (!s || !*s)
		return 0;
	errno = 0;
	v = strtoull(s, &end, 10);
	if (*s < '0' || *s > '9' || *end || errno || v > UINT32_MAX) {
		log_error("SOURCE_DATE_EPOCH=%s is not a number of seconds that an initramfs can "
			  "hold",
			  s);
		return -EINVAL;
	}
	*mtime_ret = (uint32_t)v;
	return 0;
}

/* What --root has, where no other option names it. */
static int take_defaults(struct args *args)
{
	char *path = NULL;
	int err = 0;

	if (!args->manifest[0]) {
		err = defaults_manifest(&path);
		args->manifest[0] = path;
	}
	if (err || !args->root)
		return err;
	if (!args->conf) {
		err = defaults_conf(args->root, &path);
		args->conf = path;
	}
	if (!err && !args->moddir)
		err = root_modules(args->root, args->kernel, &args->moddir);
	return err ? err : defaults_programs(args->root, &args->vars);
}

static int read_text(const char *path, size_t max, char **text_ret, size_t *len_ret)
{
	int err = io_read_file(path, max, text_ret, len_ret);

	if (err)
		log_error("%s: %s", path, strerror(-err));
	return err;
}

static int read_hardware(struct args *args, struct hardware *hw, struct conf *conf)
{
	_free_ char *text = NULL;
	char *firmware;
	size_t len;
	int err = read_text(args->hardware, HARDWARE_MAX_BYTES, &text, &len);

	if (!err)
		err = hardware_parse(text, len, args->hardware, hw);
	if (err)
		return err;
	conf->drivers = hardware_join(&hw->drivers);
	firmware = hardware_join(&hw->firmware);
	if (!conf->drivers || !firmware)
		return -ENOMEM;
	err = manifest_set_var(&args->vars, "DRIVERS", conf->drivers);
	return err ? err : manifest_set_var(&args->vars, "FIRMWARE", firmware);
}

static int read_manifests(struct args *args, struct manifest *m)
{
	int err = 0;

	for (size_t i = 0; i <= args->nr_added && !err; i++) {
		_free_ char *text = NULL;
		size_t len;

		err = read_text(args->manifest[i], MANIFEST_MAX_BYTES, &text, &len);
		if (!err)
			err = manifest_add(text, len, args->manifest[i], &args->vars, m);
	}
	return err;
}

/* A description that no line of a manifest asks for would be without effect. */
static int check_used(const struct args *args, const struct hardware *hw)
{
	if ((!hw->drivers.nr || manifest_var_used(&args->vars, "DRIVERS")) &&
	    (!hw->firmware.nr || manifest_var_used(&args->vars, "FIRMWARE")))
		return 0;
	log_error("%s: no line of %s has ${DRIVERS}, or ${FIRMWARE}, to put it into the image",
		  args->hardware, args->manifest[0]);
	return -EINVAL;
}

static int read_inputs(struct args *args, struct hardware *hw, struct conf *conf,
		       struct manifest *m)
{
	int err = take_defaults(args);

	if (!err && !manifest_var_value(&args->vars, "FIRMWARE", strlen("FIRMWARE")))
		err = manifest_set_var(&args->vars, "FIRMWARE", "");
	if (!err && args->root)
		err = manifest_set_var(&args->vars, "ROOT", args->root);
	if (!err && args->hardware)
		err = read_hardware(args, hw, conf);
	if (!err && args->conf)
		err = conf_take(conf, args->conf, &args->vars);
	if (!err)
		err = read_manifests(args, m);
	if (!err && args->hardware)
		err = check_used(args, hw);
	if (!err && args->conf)
		err = conf_check(conf, args->manifest[0], m);
	return err;
}

static int build(const struct args *args, const struct manifest *manifest,
		 const struct hardware *hw)
{
	const struct image_source source = {
		.manifest = manifest,
		.name = args->manifest[0],
		.moddir = args->moddir,
		.root = args->root,
		.firmware_root = args->firmware ? args->firmware : args->root,
		.firmware = args->firmware ? "" :
			    args->root	   ? "/lib/firmware" :
					     NULL,
		.hardware = args->hardware ? hw : NULL,
	};
	struct output *output;
	struct cpio cpio;
	int err = output_create(args->output, args->compression, &output);

	if (err)
		return err;
	cpio_init(&cpio, output_write, output);
	err = read_epoch(&cpio.mtime);
	if (!err)
		err = image_write(&source, &cpio);
	if (!err)
		err = output_commit(output);
	output_destroy(output);
	return err;
}

int main(int argc, char **argv)
{
	struct args args = { .compression = "none" };
	struct manifest manifest = { 0 };
	struct hardware hw = { 0 };
	struct conf conf = { 0 };
	int err;

	log_set_name(PROGRAM);
	if (parse_args(argc, argv, &args))
		return 2;
	err = read_inputs(&args, &hw, &conf, &manifest);
	if (!err)
		err = build(&args, &manifest, &hw);
	if (err == -ENOMEM)
		log_error("out of memory");
	manifest_deinit(&manifest);
	hardware_deinit(&hw);
	return err ? 1 : 0;
}
