// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/boot/bootcfg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/boot/bootcfg_private.h"
#include "control/file.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/util.h"

/* The first that is present. What manages the files of others goes before them. */
static const struct bootcfg_ops *const loaders[] = {
	&bootcfg_ostree,    &bootcfg_sdbootutil,     &bootcfg_systemd_boot,  &bootcfg_grub_entries,
	&bootcfg_grubby,    &bootcfg_grub_debian,    &bootcfg_grub_mkconfig, &bootcfg_extlinux,
	&bootcfg_raspberry, &bootcfg_kernel_install,
};

/* struct state - Of one file, while they are changed. */
struct state {
	char *before, *after; /* NULL: not there */
	size_t before_len, after_len;
};

/* struct change - All of them. */
struct change {
	const struct invocation *in;
	struct bootcfg *cfg;
	const char *value;
	struct bootcfg_memory memory; /* as it was */
	char *memory_text;
	size_t memory_len;
	struct state *state; /* by the file's place */
};

static int load_memory(const struct invocation *in, struct bootcfg_memory *memory, char **text_ret,
		       size_t *len_ret)
{
	int err = bootcfg_load(in, BOOTCFG_MEMORY, text_ret, len_ret);

	*memory = (struct bootcfg_memory){ 0 };
	if (!err)
		err = bootcfg_memory_parse(*text_ret, *len_ret, memory);
	if (err != -EBADMSG)
		return err == -ENOENT ? 0 : err;
	log_warn("%s is damaged: what was there before is not known", BOOTCFG_MEMORY);
	bootcfg_memory_deinit(memory);
	return 0;
}

int bootcfg_find(const struct invocation *in, struct bootcfg *cfg_ret)
{
	struct bootcfg cfg = { 0 };
	int err = -ENODEV;

	for (size_t i = 0; i < ARRAY_SIZE(loaders) && !cfg.ops; i++) {
		if (loaders[i]->present(in))
			cfg.ops = loaders[i];
	}
	if (cfg.ops) {
		struct bootcfg_memory memory;
		_free_ char *text = NULL;
		size_t len;

		cfg.name = cfg.ops->name;
		err = load_memory(in, &memory, &text, &len);
		cfg.remembered = memory.there;
		bootcfg_memory_deinit(&memory);
		if (!err)
			err = cfg.ops->list(in, &cfg);
		if (!err)
			err = bootcfg_look(in, &cfg);
		cfg.by_hand = cfg.ops->by_hand;
		if (!err && cfg.nr_files && cfg.files[0].flags & BOOTCFG_OURS)
			cfg.remembered = *cfg.ours;
	}
	if (err) {
		bootcfg_deinit(&cfg);
		return err;
	}
	*cfg_ret = cfg;
	return 0;
}

void bootcfg_deinit(struct bootcfg *cfg)
{
	for (size_t i = 0; i < cfg->nr_files; i++) {
		free(cfg->files[i].path);
		free(cfg->files[i].seed);
	}
	free(cfg->files);
	*cfg = (struct bootcfg){ 0 };
}

const char *bootcfg_path(const struct bootcfg *cfg, size_t i)
{
	if (cfg->by_hand || cfg->files[i].flags & BOOTCFG_LOOK)
		return NULL;
	return cfg->files[i].path;
}

static void digest(const char *text, size_t len, char hex[SHA256_HEX_BYTES])
{
	uint8_t bytes[SHA256_DIGEST_BYTES];
	struct sha256 s;

	*hex = '\0';
	if (!text)
		return;
	sha256_init(&s);
	sha256_update(&s, text, len);
	sha256_final(&s, bytes);
	sha256_hex(bytes, hex);
}

/* Whether a file is still what we made of it. */
static bool is_untouched(const struct bootcfg_kept *kept, const struct state *state)
{
	char hex[SHA256_HEX_BYTES];

	digest(state->before, state->before_len, hex);
	return kept && *hex && streq(hex, kept->after);
}

/* A file as it would be without us, from what it is now. Return: 0, *@out_ret owned; -errno. */
static int without_us(const struct change *c, size_t i, char **out_ret, size_t *len_ret)
{
	const struct bootcfg_kept *kept = bootcfg_memory_find(&c->memory, c->cfg->files[i].path);
	const struct bootcfg_file *file = &c->cfg->files[i];
	const struct state *s = &c->state[i];
	char now[BOOTCFG_VALUE_SIZE] = "", was[BOOTCFG_VALUE_SIZE];

	if (is_untouched(kept, s))
		return bootcfg_copy(kept->text, kept->len, out_ret, len_ret);
	if (s->before)
		bootcfg_text_get(file->form, file->names, s->before, s->before_len, now, NULL,
				 NULL);
	memcpy(was, c->memory.was, sizeof(was));
	if (kept && kept->text)
		bootcfg_text_get(file->form, file->names, kept->text, kept->len, was, NULL, NULL);
	/* Another value than ours is somebody's who has changed it since. */
	if (!c->memory.there || !streq(now, c->memory.set) || strchr(was, '?'))
		memcpy(was, now, sizeof(was));
	if (file->flags & BOOTCFG_OURS)
		*was = '\0';
	else if (streq(was, now))
		return bootcfg_copy(s->before, s->before_len, out_ret, len_ret);
	return bootcfg_file_edit(file, s->before, s->before_len, was, out_ret, len_ret);
}

static int plan_file(struct change *c, size_t i)
{
	const struct bootcfg_file *file = &c->cfg->files[i];
	struct state *s = &c->state[i];
	int err = bootcfg_load(c->in, file->path, &s->before, &s->before_len);

	if (err == -ENOENT)
		err = 0;
	if (err)
		return err;
	if (!c->value && !(file->flags & BOOTCFG_LOOK))
		return without_us(c, i, &s->after, &s->after_len);
	return bootcfg_file_edit(file, s->before, s->before_len, c->value, &s->after,
				 &s->after_len);
}

static bool is_same(const struct state *s)
{
	return s->before && s->after ?
		       s->before_len == s->after_len && !memcmp(s->before, s->after, s->after_len) :
		       s->before == s->after;
}

/* Before the files change, and after that with @done: then it is known what they became. Some of
 * them are for root's eyes alone. */
static int remember(struct change *c, bool done)
{
	_free_ char *text = NULL, *path = ctl_path(c->in, BOOTCFG_MEMORY);
	struct bootcfg_memory next = { .there = true };
	size_t len;
	int err = 0;

	snprintf(next.set, sizeof(next.set), "%s", c->value);
	snprintf(next.was, sizeof(next.was), "%s", c->memory.there ? c->memory.was : c->cfg->ours);
	for (size_t i = 0; !err && i < c->cfg->nr_files; i++) {
		const struct bootcfg_file *file = &c->cfg->files[i];
		_free_ char *old = NULL;
		struct bootcfg_kept *kept;
		size_t old_len = 0;

		if (file->flags & BOOTCFG_LOOK)
			continue;
		err = without_us(c, i, &old, &old_len);
		kept = err ? NULL : bootcfg_memory_keep(&next, file->path, old, old_len);
		if (!kept)
			err = err ? err : -ENOMEM;
		else if (done)
			digest(c->state[i].after, c->state[i].after_len, kept->after);
	}
	if (!err)
		err = bootcfg_memory_print(&next, &text, &len);
	if (!err)
		err = path ? file_replace(path, text, len, 0600) : -ENOMEM;
	bootcfg_memory_deinit(&next);
	return err;
}

static void put_back(const struct change *c)
{
	for (size_t i = 0; i < c->cfg->nr_files; i++) {
		const struct state *s = &c->state[i];

		if (!is_same(s))
			bootcfg_store(c->in, c->cfg->files[i].path, s->before, s->before_len);
	}
	bootcfg_store(c->in, BOOTCFG_MEMORY, c->memory_text, c->memory_len);
}

static int write_files(const struct change *c)
{
	int err = 0;

	for (size_t i = 0; !err && i < c->cfg->nr_files; i++) {
		const struct state *s = &c->state[i];

		if (!is_same(s))
			err = bootcfg_store(c->in, c->cfg->files[i].path, s->after, s->after_len);
	}
	return err;
}

static int apply(const struct change *c)
{
	const struct bootcfg_ops *ops = c->cfg->ops;
	const char *value = c->value ? c->value : *c->memory.was ? c->memory.was : NULL;
	int err = *c->in->root || !ops->apply ? 0 : ops->apply(c->in, value);

	if (err == -ENOENT)
		log_error("the program that writes the configuration of %s is not in PATH",
			  c->cfg->name);
	return err;
}

/* That it counts is not believed, but looked up. */
static int check(const struct change *c)
{
	struct bootcfg *cfg = c->cfg;
	int err = bootcfg_look(c->in, cfg);

	if (!err && cfg->ops->check)
		return cfg->ops->check(c->in, cfg, c->value);
	if (err || !c->value || !cfg->nr_files)
		return err;
	if (streq(cfg->ours, c->value) && !cfg->mixed)
		return 0;
	log_error("%s does not have " BOOTCFG_WORD "%s everywhere, although it was set: look into "
		  "%s",
		  cfg->name, c->value, cfg->files[0].path);
	return -EIO;
}

static int carry_out(struct change *c)
{
	int err = c->value ? remember(c, false) : 0;

	if (!err)
		err = write_files(c);
	if (!err)
		err = apply(c);
	if (err) {
		put_back(c);
		log_error("the configuration of %s is as it was", c->cfg->name);
		return err;
	}
	err = c->value ? remember(c, true) : bootcfg_store(c->in, BOOTCFG_MEMORY, NULL, 0);
	c->cfg->remembered = !err && c->value;
	return err ? err : check(c);
}

static void change_deinit(struct change *c)
{
	for (size_t i = 0; c->state && i < c->cfg->nr_files; i++) {
		free(c->state[i].before);
		free(c->state[i].after);
	}
	free(c->state);
	free(c->memory_text);
	bootcfg_memory_deinit(&c->memory);
}

int bootcfg_set(const struct invocation *in, struct bootcfg *cfg, const char *value)
{
	struct change c = { .in = in, .cfg = cfg, .value = value };
	int err;

	if (cfg->by_hand) {
		cfg->ops->left(in, cfg, value);
		return 0;
	}
	err = load_memory(in, &c.memory, &c.memory_text, &c.memory_len);
	if (!err) {
		c.state = calloc(cfg->nr_files + 1, sizeof(*c.state));
		err = c.state ? 0 : -ENOMEM;
	}
	for (size_t i = 0; !err && i < cfg->nr_files; i++)
		err = plan_file(&c, i);
	if (!err)
		err = carry_out(&c);
	if (!err && cfg->ops->left)
		cfg->ops->left(in, cfg, value);
	change_deinit(&c);
	return err;
}
