/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which modules a kernel has, by what depmod(8) and its build wrote beside them. */
#ifndef CONTROL_KMOD_H
#define CONTROL_KMOD_H

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

/** kmod_each_needed() - Call @fn for a module and all that it needs, by modules.dep. */
void kmod_each_needed(const struct kmod *kmod, const char *name,
		      void (*fn)(void *ctx, const char *name), void *ctx);

#endif
