/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a crash image holds, as far as a check needs to know it. */
#ifndef CONTROL_CONTENT_H
#define CONTROL_CONTENT_H

#include <stdbool.h>
#include <stddef.h>

#define CONTENT_MAX_IMAGE    (256u << 20) /* also without its compression twice that */
#define CONTENT_MAX_MODULES  1024u
#define CONTENT_MAX_STACK    (64u << 10)
#define CONTENT_MODULE_BYTES 56u /* MODULE_NAME_LEN of the kernel */

/**
 * struct content
 * @modules: names as the kernel has them: no path, no ending, '_' for '-'
 * @listed: the image has a list of modules, and @modules are those; else all files *.ko
 * @stack: what the image puts together below a target, docs/stack.md; owned, NULL for nothing
 * @config: /etc/vmcore-save.conf is in it
 * @program: vmcore-save is: as /init, or in a full image below /usr or /bin
 */
struct content {
	char (*modules)[CONTENT_MODULE_BYTES];
	unsigned nr_modules;
	char *stack;
	bool listed, config, program;
};

/**
 * content_read() - Look into an image.
 * Return: 0, @content_ret to be released by content_deinit(); -ENOENT and the like of the file;
 * -EBADMSG, -EOPNOTSUPP, -EFBIG, -E2BIG of what is in it; -ENOMEM.
 */
int content_read(const char *path, struct content *content_ret);

/** content_packing() - What packs an image of which content_read() returned -EOPNOTSUPP, though the
 * kernel unpacks it; NULL where that is not the reason. */
const char *content_packing(const char *path);

/** content_of() - The same of an image in memory. */
int content_of(const void *data, size_t len, struct content *content_ret);
void content_deinit(struct content *content);

/** content_has() - @name: with '-' or '_'. */
bool content_has(const struct content *content, const char *name);

/** content_module_name() - Of "PATH/NAME.ko.xz" and the like, @len bytes. Return: false for what
 * is no module's file. */
bool content_module_name(const char *path, size_t len, char name[CONTENT_MODULE_BYTES]);

#endif
