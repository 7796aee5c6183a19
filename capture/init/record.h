/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The manifest, vmcore-save.json: what became of a capture, made from the shared
 * state alone, so that the worker writes it as well as a process that comes after
 * the worker's death.
 */
#ifndef CAPTURE_INIT_RECORD_H
#define CAPTURE_INIT_RECORD_H

#include <stdio.h>
#include <time.h>

#include "capture/init/init.h"
#include "capture/init/state.h"
#include "lib/dump_dir.h"

#define RECORD_SCHEMA 1

/** record_build() - Write the text of target @i's manifest. @when: the wall clock's time. */
void record_build(const struct init_state *st, const struct steps *steps, unsigned i, time_t when,
		  FILE *out);

/** record_describe() - Keep what @saver says now for manifests to come. Best effort. */
void record_describe(struct init_state *st, const struct init_saver *saver);

/** record_write() - Write or replace the manifest of target @i, which is @target.
 * Return: 0 or -errno with target->error. */
int record_write(const struct init_state *st, const struct steps *steps, unsigned i,
		 struct target *target);

/**
 * record_look() - A worker may have died between an act and its note of it: let the names in
 * the capture's directory tell. Return: 0; -errno with target->error, and @t knows no more
 * than before of what could not be asked.
 */
int record_look(struct state_target *t, struct target *target);

/** record_rescue() - After the worker's death: get back into the directory of the target
 * that it was at and record there what is known. Return: 0 or -errno, logged. */
int record_rescue(struct init_state *st, const struct steps *steps);

/** record_report() - Write the manifest of the target that holds most of it to config.report,
 * which may hang: for a process that can be ended. Return: 0 or -errno, not logged. */
int record_report(const struct init_state *st, const struct steps *steps);

#endif
