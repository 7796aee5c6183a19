// SPDX-License-Identifier: GPL-2.0-or-later
/* vmcore-mkimage: an initramfs from a manifest, without dracut and without root. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "initramfs/image.h"
#include "initramfs/output.h"
#include "lib/cleanup.h"
#include "lib/config.h"
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
	struct config config;
	char fs_modules[CONFIG_MAX_TARGETS * 64];
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

static void print_mistake(void *ctx, const char *message)
{
	(void)ctx;
	log_error("%s", message);
}

/* What the kernel would ask modprobe for when it mounts; a row for what is no plain "fs-TYPE". */
static const struct {
	const char *type, *modules;
} fs_modules[] = {
	{ "raw", "" },
	{ "ssh", "" },
	{ "vfat", "fs-vfat ?nls_cp437 ?nls_ascii ?nls_iso8859_1" },
	{ "nfs", "nfs nfsv3 nfsv4" },
	{ "virtiofs", "virtio_pci virtiofs" },
	{ "9p", "virtio_pci 9pnet_virtio 9p" },
};

static void add_fs_modules(struct args *args, const char *type)
{
	size_t len = strlen(args->fs_modules), size = sizeof(args->fs_modules) - len;
	char *at = args->fs_modules + len;

	for (size_t i = 0; i < ARRAY_SIZE(fs_modules); i++)
		if (streq(type, fs_modules[i].type)) {
			snprintf(at, size, "%s ", fs_modules[i].modules);
			return;
		}
	snprintf(at, size, "fs-%s ", type);
}

/* Network cards of common machines, for where there is a target behind one. */
static const char net_modules[] =
	"?virtio_pci ?virtio_net ?e1000 ?e1000e ?igb ?ixgbe ?i40e ?ice ?tg3 ?bnxt_en ?mlx5_core "
	"?r8169 ?vmxnet3 ?xen_netfront ?hv_netvsc ?ena ?gve ?af_packet ?ipv6";

/* Sets the variables that the configuration decides. */
static int take_conf(struct args *args)
{
	_free_ char *text = NULL;
	struct config *config = &args->config;
	bool net = false;
	size_t size;
	int err = io_read_file(args->conf, CONFIG_MAX_BYTES, &text, &size);

	if (err) {
		log_error("%s: %s", args->conf, strerror(-err));
		return err;
	}
	config_init(config);
	if (config_parse(text, size, args->conf, config, print_mistake, NULL))
		return -EBADMSG;
	if (!config->nr_targets) {
		log_error("%s: no target, such as \"ext4 UUID=...\"", args->conf);
		return -EBADMSG;
	}
	for (unsigned i = 0; i < config->nr_targets; i++) {
		const char *type = config->targets[i].type;

		add_fs_modules(args, type);
		net = net || after_prefix(type, "nfs") || streq(type, "ssh");
	}
	err = manifest_set_var(&args->vars, "CONF", args->conf);
	if (!err)
		err = manifest_set_var(&args->vars, "FS_MODULES", args->fs_modules);
	if (!err)
		err = manifest_set_var(&args->vars, "NET_MODULES", net ? net_modules : "");
	return err ? err : manifest_set_var(&args->vars, "EXTRA_MODULES", config->extra_modules);
}

static int check_file(const struct args *args, const struct manifest *m, const char *key,
		      const char *path)
{
	for (size_t i = 0; i < m->nr; i++)
		if (m->entries[i].kind == MANIFEST_FILE && streq(m->entries[i].path, path))
			return 0;
	log_error("%s: %s: %s has no file %s", args->conf, key, args->manifest, path);
	return -EBADMSG;
}

/* What the configuration names must be in the manifest, which alone says where it comes from. */
static int check_files(struct args *args, const struct manifest *m)
{
	const struct config *config = &args->config;
	const char *const hooks[][2] = {
		{ "kdump_pre", config->kdump_pre },
		{ "kdump_post", config->kdump_post },
		{ "kdump_emergency", config->kdump_emergency },
	};
	char bins[sizeof(config->extra_bins)], *save = NULL;
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		if (*hooks[i][1] && check_file(args, m, hooks[i][0], hooks[i][1]))
			err = -EBADMSG;
	strcpy(bins, config->extra_bins);
	for (char *w = strtok_r(bins, " ", &save); w; w = strtok_r(NULL, " ", &save))
		if (check_file(args, m, "extra_bins", w))
			err = -EBADMSG;
	for (unsigned i = 0; i < config->nr_targets; i++)
		if (streq(config->targets[i].type, "ssh") &&
		    check_file(args, m, "ssh", "/usr/bin/ssh"))
			err = -EBADMSG;
	return err;
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
	if (args.conf && take_conf(&args))
		return 1;
	err = io_read_file(args.manifest, MANIFEST_MAX_BYTES, &text, &len);
	if (err) {
		log_error("%s: %s", args.manifest, strerror(-err));
		return 1;
	}
	if (manifest_parse(text, len, args.manifest, &args.vars, &manifest))
		return 1;
	err = args.conf ? check_files(&args, &manifest) : 0;
	if (!err)
		err = build(&args, &manifest);
	manifest_deinit(&manifest);
	return err ? 1 : 0;
}
