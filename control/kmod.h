/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which modules a kernel has, by what depmod(8) and its build wrote beside them. */
#ifndef CONTROL_KMOD_H
#define CONTROL_KMOD_H

#include <stddef.h>

enum kmod_state {
	KMOD_BUILT_IN, /* modules.builtin */
	KMOD_MODULE,   /* modules.dep */
	KMOD_NONE,     /* neither */
	KMOD_UNKNOWN,  /* not in modules.dep, and there is no modules.builtin */
};

/** struct kmod - @dep, @builtin: the files' text; NULL for one that cannot be read; owned */
struct kmod {
	char *dep, *builtin;
};

/** kmod_init() - Read them; kmod_deinit() is due. */
void kmod_init(struct kmod *kmod, const char *root, const char *release);
void kmod_deinit(struct kmod *kmod);

/** kmod_state() - Of a module by its name, as the kernel has it: with '_' for '-'. */
enum kmod_state kmod_state(const struct kmod *kmod, const char *name);

/**
 * kmod_each_needed() - Call @fn for all that a module needs and then the module, in load order.
 * @fn: gets a path below the kernel's folder, not NUL-terminated; anything but 0 ends it
 *
 * Return: what @fn returned last; 0 where modules.dep has no such module.
 */
int kmod_each_needed(const struct kmod *kmod, const char *name,
		     int (*fn)(void *ctx, const char *path, size_t len), void *ctx);

#endif
