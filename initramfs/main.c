// SPDX-License-Identifier: GPL-2.0-or-later
/* vmcore-mkimage: an initramfs from a manifest, without dracut and without root. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "initramfs/conf.h"
#include "initramfs/image.h"
#include "initramfs/output.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define PROGRAM "vmcore-mkimage"

static const char usage_text[] =
	"Usage: " PROGRAM " -m MANIFEST -c CONF [-D NAME=VALUE]... [-k MODDIR] [-z] -o IMAGE\n"
	"\n"
	"  -m, --manifest FILE      what goes into the image\n"
	"  -c, --conf FILE          the image's configuration; sets ${CONF}, ${FS_MODULES},\n"
	"                           ${NET_MODULES} and ${EXTRA_MODULES}\n"
	"  -D, --define NAME=VALUE  what ${NAME} in the manifest means\n"
	"  -k, --moddir DIR         the kernel's modules, /lib/modules/VERSION\n"
	"  -z, --gzip               the same as --compress gzip\n"
	"      --compress METHOD    none (default), gzip or zstd\n"
	"  -o, --output FILE        the image\n"
	"      --help, --version\n";

enum {
	OPT_COMPRESS = 256,
	OPT_HELP,
	OPT_VERSION
};

static const struct option options[] = {
	{ "manifest", required_argument, NULL, 'm' },
	{ "conf", required_argument, NULL, 'c' },
	{ "define", required_argument, NULL, 'D' },
	{ "moddir", required_argument, NULL, 'k' },
	{ "gzip", no_argument, NULL, 'z' },
	{ "compress", required_argument, NULL, OPT_COMPRESS },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ 0 },
};

struct args {
	const char *manifest, *conf, *output, *compression;
	char *moddir;
	struct manifest_vars vars;
	struct conf settings;
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

static int parse_args(int argc, char **argv, struct args *args)
{
	int c, err = 0;

	while (!err && (c = getopt_long(argc, argv, "m:c:D:k:zo:", options, NULL)) != -1) {
		switch (c) {
		case 'm':
			args->manifest = optarg;
			break;
		case 'c':
			args->conf = optarg;
			break;
		case 'D':
			err = define(args, optarg);
			break;
		case 'k':
			args->moddir = optarg;
			break;
		case 'z':
			args->compression = "gzip";
			break;
		case 'o':
			args->output = optarg;
			break;
		case OPT_COMPRESS:
			args->compression = optarg;
			break;
		case OPT_HELP:
			fputs(usage_text, stdout);
			exit(0);
		case OPT_VERSION:
			puts(PROGRAM " " VMCORE_SAVE_VERSION);
			exit(0);
		default:
			return -EINVAL;
		}
	}
	if (err)
		return err;
	if (optind != argc || !args->manifest || !args->output) {
		log_error("-m and -o are needed, and nothing stands beside options; see --help");
		return -EINVAL;
	}
	for (size_t n = args->moddir ? strlen(args->moddir) : 0; n > 1; n--) {
		if (args->moddir[n - 1] != '/')
			break;
		args->moddir[n - 1] = '\0';
	}
	return 0;
}

static int build(const struct args *args, const struct manifest *manifest)
{
	const struct image_source source = { manifest, args->manifest, args->moddir };
	struct output *output;
	struct cpio cpio;
	int err = output_create(args->output, args->compression, &output);

	if (err)
		return err;
	cpio_init(&cpio, output_write, output);
	err = image_write(&source, &cpio);
	if (err == -ENOMEM)
		log_error("out of memory");
	if (!err)
		err = output_commit(output);
	output_destroy(output);
	return err;
}

int main(int argc, char **argv)
{
	struct args args = { .compression = "none" };
	_free_ char *text = NULL;
	struct manifest manifest;
	size_t len;
	int err;

	log_set_name(PROGRAM);
	if (parse_args(argc, argv, &args))
		return 2;
	if (args.conf && conf_take(&args.settings, args.conf, &args.vars))
		return 1;
	err = io_read_file(args.manifest, MANIFEST_MAX_BYTES, &text, &len);
	if (err) {
		log_error("%s: %s", args.manifest, strerror(-err));
		return 1;
	}
	if (manifest_parse(text, len, args.manifest, &args.vars, &manifest))
		return 1;
	err = args.conf ? conf_check(&args.settings, args.manifest, &manifest) : 0;
	if (!err)
		err = build(&args, &manifest);
	manifest_deinit(&manifest);
	return err ? 1 : 0;
}
