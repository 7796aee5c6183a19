// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/conf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/udev_link.h"
#include "lib/util.h"

/* What the kernel would ask modprobe for when it mounts; a row for what is no plain "fs-TYPE". */
static const struct {
	const char *type, *modules;
} fs_modules[] = {
	{ "raw", "" },
	{ "ssh", "" },
	{ "vfat", "fs-vfat ?nls_cp437 ?nls_ascii ?nls_iso8859_1 " },
	{ "nfs", "nfs ?nfsv3 ?nfsv4 " },
	{ "virtiofs", "virtio_pci virtiofs " },
	{ "9p", "virtio_pci 9pnet_virtio 9p " },
};

/* Watchdogs and disks of common machines; watchdog.sh and block.sh agree. "?" takes a module only
 * if there is one. The watchdog comes first: another module may hang. */
static const char common_drivers[] =
	"?i6300esb ?lpc_ich ?iTCO_wdt ?sp5100_tco ?ib700wdt ?wdat_wdt ?virtio_pci ?virtio_blk "
	"?virtio_scsi ?nvme ?ahci ?ata_piix ?sd_mod ?xen_blkfront ?vmw_pvscsi";

/* Network cards of common machines, for where something is behind one; network.sh agrees. */
static const char net_drivers[] =
	"?virtio_pci ?virtio_mmio ?virtio_net ?e1000 ?e1000e ?igb ?igc ?ixgbe ?ixgbevf ?i40e ?iavf "
	"?ice ?r8169 ?tg3 ?bnx2 ?bnx2x ?bnxt_en ?mlx4_en ?mlx5_core ?qede ?be2net ?cxgb4 ?ena ?gve "
	"?vmxnet3 ?xen_netfront ?hv_netvsc ?atlantic ";
#define NET_PROTOCOLS "?af_packet ?ipv6"

/* What ssh.sh takes from the system that it runs on; docs/image.md has the lines. */
static const char *const ssh_files[] = {
	"/usr/bin/ssh",
	"/etc/vmcore-save/ssh/key",
	"/etc/vmcore-save/ssh/known_hosts",
	"/etc/passwd",
};

static void print_mistake(void *ctx, const char *message)
{
	(void)ctx;
	log_error("%s", message);
}

static void add_fs_modules(struct conf *conf, const char *type)
{
	size_t len = strlen(conf->fs_modules), size = sizeof(conf->fs_modules) - len;
	char *at = conf->fs_modules + len;

	for (size_t i = 0; i < ARRAY_SIZE(fs_modules); i++)
		if (streq(type, fs_modules[i].type)) {
			snprintf(at, size, "%s", fs_modules[i].modules);
			return;
		}
	snprintf(at, size, "fs-%s ", type);
}

static bool wants_net(const struct config *config)
{
	bool net = *config->fence_kdump_nodes != '\0';

	for (unsigned i = 0; i < config->nr_targets; i++)
		net = net || streq(config->targets[i].type, "nfs") ||
		      streq(config->targets[i].type, "ssh");
	return net;
}

static int read_conf(struct conf *conf)
{
	_free_ char *text = NULL;
	size_t size;
	int err = io_read_file(conf->name, CONFIG_MAX_BYTES, &text, &size);

	if (err) {
		log_error("%s: %s", conf->name, strerror(-err));
		return err;
	}
	config_init(&conf->config);
	if (config_parse(text, size, conf->name, &conf->config, print_mistake, NULL))
		return -EBADMSG;
	if (!conf->config.nr_targets) {
		log_error("%s: no target, such as \"ext4 UUID=...\"", conf->name);
		return -EBADMSG;
	}
	return 0;
}

static int set_vars(struct conf *conf, struct manifest_vars *vars)
{
	const char *drivers = conf->drivers ? conf->drivers : common_drivers;
	const struct {
		const char *name, *value;
	} sets[] = {
		{ "CONF", conf->name },
		{ "DRIVERS", drivers },
		{ "FS_MODULES", conf->fs_modules },
		{ "NET_MODULES", conf->net_modules },
		{ "EXTRA_MODULES", conf->config.extra_modules },
		{ "SSH_KEY", conf->config.sshkey },
	};
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(sets); i++)
		err = manifest_set_var(vars, sets[i].name, sets[i].value);
	if (err == -ENOSPC)
		log_error("more than %u variables", MANIFEST_MAX_VARS);
	return err;
}

int conf_take(struct conf *conf, const char *path, struct manifest_vars *vars)
{
	int err;

	conf->name = path;
	conf->fs_modules[0] = '\0';
	conf->net_modules[0] = '\0';
	err = read_conf(conf);
	if (err)
		return err;
	for (unsigned i = 0; i < conf->config.nr_targets; i++)
		add_fs_modules(conf, conf->config.targets[i].type);
	if (wants_net(&conf->config))
		snprintf(conf->net_modules, sizeof(conf->net_modules), "%s" NET_PROTOCOLS,
			 conf->drivers ? "" : net_drivers);
	return set_vars(conf, vars);
}

struct check {
	const struct conf *conf;
	const char *manifest;
	const struct manifest *m;
	int err;
};

static void check_file(struct check *c, const char *key, const char *path)
{
	if (manifest_has_file(c->m, path))
		return;
	log_error("%s: %s: %s has no file %s", c->conf->name, key, c->manifest, path);
	c->err = -EBADMSG;
}

static void check_target(struct check *c, const struct config_target *target)
{
	char spec[UDEV_SPEC_SIZE];

	if (streq(target->type, "ssh"))
		for (size_t i = 0; i < ARRAY_SIZE(ssh_files); i++)
			check_file(c, "ssh", ssh_files[i]);
	if (udev_link_spec(target->where, spec) == -EOPNOTSUPP) {
		log_error("%s: %s %s: %s", c->conf->name, target->type, target->where,
			  UDEV_LINK_PROBLEM);
		c->err = -EBADMSG;
	}
}

int conf_check(const struct conf *conf, const char *name, const struct manifest *m)
{
	const struct config *config = &conf->config;
	struct check c = { conf, name, m, 0 };
	char bins[sizeof(config->extra_bins)], *save = NULL;
	const char *const hooks[][2] = {
		{ "kdump_pre", config->kdump_pre },
		{ "kdump_post", config->kdump_post },
		{ "kdump_emergency", config->kdump_emergency },
	};

	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		if (*hooks[i][1])
			check_file(&c, hooks[i][0], hooks[i][1]);
	if (config->failure_action == CONFIG_SHELL)
		check_file(&c, "failure_action shell", "/bin/sh");
	strcpy(bins, config->extra_bins);
	for (char *w = strtok_r(bins, " ", &save); w; w = strtok_r(NULL, " ", &save))
		check_file(&c, "extra_bins", w);
	for (unsigned i = 0; i < config->nr_targets; i++)
		check_target(&c, &config->targets[i]);
	return c.err;
}
