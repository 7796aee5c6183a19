// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/image.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/devices.h"
#include "control/file.h"
#include "control/held.h"
#include "control/run.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

/* What builds, and what goes in as it is; directories end with '/': all files in them. */
static const char *const parts[] = {
	"/usr/sbin/vmcore-save",
	"/usr/sbin/vmcore-save-dracut",
	"/usr/lib/vmcore-save/busybox",
	"/usr/lib/dracut/modules.d/99vmcore-save/",
	"/usr/bin/dracut",
	"/usr/lib/dracut/dracut-functions.sh",
	"/usr/lib/dracut/dracut-version.sh",
	"/etc/modprobe.d/", /* parameters of the modules */
	"/etc/kdump/pre.d/",
	"/etc/kdump/post.d/",
	"/etc/kdump/emergency.d/",
	"/etc/vmcore-save/pre.d/",
	"/etc/vmcore-save/post.d/",
	"/etc/vmcore-save/emergency.d/",
};

/* A full image is dracut's own besides; "auto" may be one. */
static const char *const full_parts[] = { "/etc/dracut.conf", "/etc/dracut.conf.d/" };

/* struct gather - A list that is being made. */
struct gather {
	const struct system *sys;
	struct inputs *inputs;
	const struct inputs *known;
	int err;
};

static void add_file(struct gather *g, const char *name)
{
	if (!g->err)
		g->err = inputs_add_file(g->inputs, g->known, g->sys->in->root, name);
}

static int is_visible(const struct dirent *d)
{
	return *d->d_name != '.';
}

static void add_part(struct gather *g, const char *name)
{
	_free_ char *directory = ctl_path(g->sys->in, name);
	struct dirent **list = NULL;
	int nr;

	if (name[strlen(name) - 1] != '/') {
		add_file(g, name);
		return;
	}
	nr = directory ? scandir(directory, &list, is_visible, alphasort) : 0;
	for (int i = 0; i < nr; i++) {
		_free_ char *file = NULL;

		if (asprintf(&file, "%s%s", name, list[i]->d_name) < 0) {
			file = NULL;
			g->err = -ENOMEM;
		} else {
			add_file(g, file);
		}
		free(list[i]);
	}
	free(list);
}

/* Each word of @words that is a path. */
static void add_paths(struct gather *g, const char *words)
{
	while (*words) {
		size_t len = strcspn(words, " ");

		if (*words == '/') {
			_free_ char *name = strndup(words, len);

			if (name)
				add_file(g, name);
			else
				g->err = -ENOMEM;
		}
		words += len;
		words += strspn(words, " ");
	}
}

static void add_kernel(struct gather *g)
{
	static const char *const lists[] = { "modules.dep", "modules.builtin" };
	const struct system *sys = g->sys;

	if (sys->vmlinuz)
		add_file(g, sys->vmlinuz + strlen(sys->in->root));
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		char name[128];

		snprintf(name, sizeof(name), "/lib/modules/%s/%s", sys->release, lists[i]);
		add_file(g, name);
	}
}

static const char *const ssh_parts[] = {
	"/root/.ssh/known_hosts",
	"/root/.ssh/known_hosts2",
	"/etc/ssh/ssh_known_hosts",
	"/etc/ssh/ssh_known_hosts2",
};

static void add_host_keys(struct gather *g, const struct config *config)
{
	bool wanted = false;

	for (unsigned i = 0; i < config->nr_targets; i++)
		wanted |= streq(config->targets[i].type, "ssh");
	if (!wanted)
		return;
	add_paths(g, config->sshkey);
	for (size_t i = 0; i < ARRAY_SIZE(ssh_parts); i++)
		add_file(g, ssh_parts[i]);
}

static void add_devices(struct gather *g, const struct config *config)
{
	char text[DEVICES_TEXT_SIZE], name[320];

	for (unsigned i = 0; i < config->nr_targets && !g->err; i++) {
		devices_of_target(g->sys->in, &config->targets[i], text);
		snprintf(name, sizeof(name), "devices of %s", config->targets[i].where);
		g->err = inputs_add_fact(g->inputs, name, text);
	}
	if (g->err || (config->nr_targets && config->failure_action != CONFIG_DUMP_TO_ROOTFS))
		return;
	devices_of_path(g->sys->in, config->nr_targets ? "/" : config->path, text);
	g->err = inputs_add_fact(g->inputs, "devices of the root file system", text);
}

static int gather(const struct system *sys, const struct config *config, const struct inputs *known,
		  struct inputs *now)
{
	struct gather g = { .sys = sys, .inputs = now, .known = known };

	add_file(&g, CONFIG_PATH);
	if (streq(now->list ? now->list[0].sha256 : "-", "-"))
		add_file(&g, CONFIG_KDUMP_PATH);
	add_kernel(&g);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		add_part(&g, parts[i]);
	for (size_t i = 0; !streq(config->image, "tiny") && i < ARRAY_SIZE(full_parts); i++)
		add_part(&g, full_parts[i]);
	add_paths(&g, config->kdump_pre);
	add_paths(&g, config->kdump_post);
	add_paths(&g, config->kdump_emergency);
	add_paths(&g, config->extra_bins);
	add_host_keys(&g, config);
	add_devices(&g, config);
	if (g.err == -E2BIG)
		log_error("the image is made from more than %u files", INPUTS_MAX);
	else if (g.err == -ENOMEM)
		log_error("out of memory");
	return g.err;
}

static void log_mistake(void *ctx, const char *message)
{
	(void)ctx;
	log_error("%s", message);
}

int image_config(const struct invocation *in, struct config *config, char **path_ret)
{
	_free_ char *ours = ctl_path(in, CONFIG_PATH), *kdumps = ctl_path(in, CONFIG_KDUMP_PATH);
	const char *path;
	int mistakes;

	config_init(config);
	if (!ours || !kdumps)
		return -ENOMEM;
	path = config_choose_path(ours, kdumps);
	mistakes = config_read(path, config, log_mistake, NULL);
	if (mistakes == -ENOENT)
		mistakes = 0;
	if (mistakes < 0) {
		log_error("%s: %s", path, strerror(-mistakes));
		return mistakes;
	}
	*path_ret = strdup(path);
	if (!*path_ret)
		return -ENOMEM;
	if (!mistakes)
		return 0;
	free(*path_ret);
	*path_ret = NULL;
	return -EINVAL;
}

int image_look(const struct system *sys, const struct config *config, struct inputs *now_ret,
	       enum image_state *state_ret,
	       void (*report)(void *ctx, const char *name, const char *what), void *ctx)
{
	_free_ char *text = NULL;
	struct inputs before = { 0 };
	bool known = !io_read_file(sys->inputs, INPUTS_MAX_BYTES, &text, NULL) &&
		     !inputs_parse(text, &before);
	int err;

	*now_ret = (struct inputs){ 0 };
	err = gather(sys, config, known ? &before : NULL, now_ret);
	for (size_t i = 0; !err && i < before.nr; i++) {
		if (before.list[i].held)
			err = inputs_add_held(now_ret, &before, sys->in->root, before.list[i].name);
	}
	if (!known || access(sys->image, R_OK))
		*state_ret = IMAGE_ABSENT;
	else
		*state_ret = !err && inputs_difference(&before, now_ret, report, ctx) ?
				     IMAGE_STALE :
				     IMAGE_FRESH;
	inputs_deinit(&before);
	if (err)
		inputs_deinit(now_ret);
	return err;
}

static int write_inputs(const struct system *sys, const struct inputs *now)
{
	_free_ char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	if (to)
		inputs_print(now, to);
	if (!to || fclose(to)) {
		log_error("out of memory");
		return -ENOMEM;
	}
	return file_replace(sys->inputs, text, len, 0600);
}

/* Only a whole image that the kernel would unpack takes the old one's place. */
static int run_dracut(const struct system *sys, const char *config_path, const char *new)
{
	const char *const argv[] = { "vmcore-save-dracut", "--hostonly", "--force", new,
				     sys->release,	   NULL };
	int err;

	log_info("building the crash image of %s, which may take a minute", sys->release);
	if (*sys->in->root && setenv("VMCORE_SAVE_CONF", config_path, 1))
		return -ENOMEM;
	err = run(argv);
	if (err == -ENOENT)
		log_error("vmcore-save-dracut is not installed, or not in PATH");
	return err;
}

int image_build(const struct system *sys, const char *config_path, struct inputs *now)
{
	_free_ char *new = NULL;
	int err;

	if (asprintf(&new, "%s.new", sys->image) < 0) {
		new = NULL;
		return -ENOMEM;
	}
	err = run_dracut(sys, config_path, new);
	inputs_drop_held(now);
	if (!err)
		err = held_collect(sys, new, now);
	/* From here on an interrupted run leaves an image that counts as stale. */
	if (!err && unlink(sys->inputs) && errno != ENOENT)
		err = -errno;
	if (!err)
		err = file_rename_synced(new, sys->image);
	if (!err)
		err = inputs_add_held(now, NULL, sys->in->root, sys->image + strlen(sys->in->root));
	if (!err)
		err = write_inputs(sys, now);
	if (err)
		unlink(new);
	else
		log_info("%s is built", sys->image);
	return err;
}
