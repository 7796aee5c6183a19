/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages for people. Every line goes to stderr and, once log_open_kmsg() has
 * been called, to the kernel's log as well, so that a serial console, a saved
 * dmesg and a shell all tell the same story.
 *
 * Who logs: the deepest function that knows the object (file, pfn, key) logs
 * once and returns -errno; callers pass it on silently.
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stdint.h>

enum log_level {
	LOG_LVL_NONE = -1,
	LOG_LVL_ERROR,
	LOG_LVL_WARN,
	LOG_LVL_INFO,
	LOG_LVL_DEBUG,
};

/** log_set_level() - Print messages up to @level; the default is LOG_LVL_INFO. */
void log_set_level(enum log_level level);

/** log_level() - The level in force. */
enum log_level log_level(void);

/**
 * log_set_name() - Prefix of every line, normally the program's name.
 * @name: borrowed for the life of the program
 */
void log_set_name(const char *name);

/**
 * log_set_step() - Name of the step under way; switches the prefix to
 * "name[seconds] step: ", as a capture environment's console wants it.
 * @step: borrowed until the next call; NULL goes back to the plain prefix
 *
 * Seconds count from the first call, on CLOCK_MONOTONIC.
 */
void log_set_step(const char *step);

/**
 * log_open_kmsg() - From now on copy every line to /dev/kmsg.
 *
 * When /dev/kmsg and stderr both end on the console, a line would show twice:
 * this turns the copy on stderr off where @only is true.
 *
 * Return: 0 or -errno where /dev/kmsg cannot be opened (nothing changes).
 */
int log_open_kmsg(int only);

/** log_msg() - Print one line; the newline is added. Used through the macros below. */
void log_msg(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_msg(LOG_LVL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_msg(LOG_LVL_WARN, __VA_ARGS__)
#define log_info(...)  log_msg(LOG_LVL_INFO, __VA_ARGS__)
#define log_debug(...) log_msg(LOG_LVL_DEBUG, __VA_ARGS__)

#endif
