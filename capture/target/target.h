/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a dump can go, as rows of a table. A new kind of target is a new
 * struct target_ops in a file of its own and a row in target.c.
 *
 * A target gets one directory for each capture, and in it a few files: the log, the
 * dump, the manifest. Whether that is a directory is the target's affair.
 */
#ifndef CAPTURE_TARGET_TARGET_H
#define CAPTURE_TARGET_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "capture/target/dir.h"
#include "capture/target/find.h"
#include "lib/config.h"

#define TARGET_NAME_SIZE 64

struct target;

/**
 * struct target_file - A file that is being written.
 * @fd: to write to from offset 0, or of what is written once and in order from where its
 *	position is; owned
 * @limit: most bytes of it; 0 for no limit but the target's room
 * @stale: what is not written does not read as zero, and the file has no size of its own
 * @end: where @stale, behind the highest byte of what was written: told by the writer
 * @stream: @fd cannot seek: what needs to go back must be sent as a stream
 * @name: as it is called until it is committed
 * @pid: of the process that takes the stream; 0 for none
 */
struct target_file {
	int fd;
	bool stream;
	bool stale;
	uint64_t limit;
	uint64_t end;
	char name[TARGET_NAME_SIZE];
	pid_t pid;
};

/**
 * struct target_limits - After so many seconds acts of a row end by themselves, for whoever
 * supervises them: a step that is given less fails without the row's sentence. 0: what a system
 * call may hang in, and only a supervisor can end.
 * @wait: besides target->wait_s
 * @call: each of those that are neither @wait, @commit nor @abandon
 * @commit: @commit or @abandon
 */
struct target_limits {
	unsigned wait, call, commit;
};

/**
 * struct target_ops - A kind of target. All return 0 or -errno, and on failure leave a
 * sentence in target->error; nothing of that is logged here. Whatever takes long calls
 * target->alive(); nothing waits without a limit.
 *
 * @name: for people
 * @limits: what its acts take at most
 * @types: values of config_target.type that mean this row, up to a NULL
 * @network: the network must be up before @wait
 * @wait: wait until it can be used, at most target->wait_s seconds; fills
 *	target->description
 * @open: mount it, or connect, and get as far as target->where->path, made where missing
 * @make_dir: make this capture's directory, named by the time; fills target->dir_name
 * @reopen: instead of the three before, after the death of the process that called them:
 *	get back into target->dir_name
 * @space: bytes that are free for this capture; -EOPNOTSUPP where that cannot be known
 * @create: make a file under a name that tells that it is not complete, in place of what an
 *	earlier try left there
 * @commit: all of it is written: make it durable, then give it its @final_name. The
 *	file is closed in any case
 * @abandon: it will not be complete: keep what there is, durable, under the name that it
 *	has, or nothing where it is empty. The file is closed
 * @replace: write a small file whole, in place of one of this name
 * @bytes: size of a file in the directory; -ENOENT where there is none
 * @sync: make everything durable. May be NULL
 * @close: flush everything and let it go; called also after a failed @open. -ETIMEDOUT: it
 *	has stopped answering, is left as it is, and need not be tried again
 */
struct target_ops {
	const char *name;
	struct target_limits limits;
	const char *const *types;
	bool network;
	int (*wait)(struct target *target);
	int (*open)(struct target *target);
	int (*make_dir)(struct target *target, time_t when);
	int (*reopen)(struct target *target);
	int (*space)(struct target *target, uint64_t *bytes_ret);
	int (*create)(struct target *target, const char *name, struct target_file *file_ret);
	int (*commit)(struct target *target, struct target_file *file, const char *final_name);
	int (*abandon)(struct target *target, struct target_file *file);
	int (*replace)(struct target *target, const char *name, const char *data, size_t len);
	int (*bytes)(struct target *target, const char *name, uint64_t *bytes_ret);
	int (*sync)(struct target *target);
	int (*close)(struct target *target);
};

/**
 * struct target - A target in use.
 * @ops: NULL before target_init()
 * @where: borrowed; which of the configuration's targets
 * @config: borrowed
 * @mount_point: borrowed; an existing directory of its own
 * @wait_s: longest wait for it to appear, config->device_timeout unless told otherwise
 * @alive: called with @alive_ctx several times a second while something is waited for
 * @description: what was found, for people
 * @dir_name: the capture's directory below where->path; empty before it is made
 * @dir_fd: that directory, or before it where->path, of what is mounted; -1 for none
 * @device: the block device, where there is one
 * @fstype: as mounted
 * @priv: the row's own; owned by it, freed by @close
 */
struct target {
	const struct target_ops *ops;
	const struct config_target *where;
	const struct config *config;
	const char *mount_point;
	unsigned wait_s;
	void (*alive)(void *ctx);
	void *alive_ctx;
	char description[256];
	char error[192];
	char dir_name[DIR_NAME_SIZE];
	int dir_fd;
	struct find_device device;
	char fstype[16];
	void *priv;
};

/** target_init() - Choose the row that where->type means. Return: 0; -EOPNOTSUPP with
 * target->error where there is none. */
int target_init(struct target *target, const struct config *config,
		const struct config_target *where, const char *mount_point);

/** target_fail() - Leave a sentence in target->error. Return: @err. */
int target_fail(struct target *target, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * target_mount() - mount(2) @source at target->mount_point, with where->options.
 * @data: the row's own options; where->options come behind them and so win
 *
 * What is a flag and not an option of the file system is left out of where->options: a dump's
 * target is never executed from, and is always writable. What is mounted there already, by a
 * process that died, stays and will do. Return: 0 or -errno.
 */
int target_mount(const struct target *target, const char *source, const char *fstype,
		 const char *data);

/** target_mount_flag() - Whether mount(8) makes a flag of the option of @len bytes, or keeps it for
 * itself: file systems fail at such. */
bool target_mount_flag(const char *word, size_t len);

/**
 * target_mount_data() - What of @options is for the file system, behind @data.
 * @text, @size: gets it. Return: 0; -E2BIG.
 */
int target_mount_data(char *text, size_t size, const char *data, const char *options);

/** target_mount_problem() - What an errno of mount(2) with these options means, in words. */
const char *target_mount_problem(int err, const char *options);

/** target_write_problem() - What an errno of a write means for a dump, in words. */
const char *target_write_problem(int err);

/*
 * block.c: @wait of targets on a block device; fills target->device.
 */
int block_wait(struct target *target);

/*
 * tree.c: what targets share that are a mounted directory tree. Such a row mounts it at
 * target->mount_point in its @open, then calls tree_open(); the others it takes as they
 * are.
 */
int tree_open(struct target *target);
int tree_make_dir(struct target *target, time_t when);
int tree_reopen(struct target *target);
int tree_space(struct target *target, uint64_t *bytes_ret);
int tree_create(struct target *target, const char *name, struct target_file *file_ret);
int tree_commit(struct target *target, struct target_file *file, const char *final_name);
int tree_abandon(struct target *target, struct target_file *file);
int tree_replace(struct target *target, const char *name, const char *data, size_t len);
int tree_bytes(struct target *target, const char *name, uint64_t *bytes_ret);
int tree_sync(struct target *target);
int tree_close(struct target *target);

extern const struct target_ops target_fs_ops;
extern const struct target_ops target_nfs_ops;
extern const struct target_ops target_raw_ops;
extern const struct target_ops target_share_ops;
extern const struct target_ops target_ssh_ops;

#endif
