/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the directory of one dump holds: PID 1 writes it, retain.h removes it, vmcorectl lists it.
 */
#ifndef LIB_DUMP_DIR_H
#define LIB_DUMP_DIR_H

#define DIR_NAME_SIZE 96 /* a host's name may stand before the time */

#define RECORD_NAME	 "vmcore-save.json"
#define RECORD_LOG_NAME	 "vmcore-dmesg.txt"
#define RECORD_LOG_TMP	 "vmcore-dmesg-incomplete.txt"
#define RECORD_DUMP_NAME "vmcore"
#define RECORD_DUMP_FLAT "vmcore.flat" /* as a stream: the flattened format */
#define RECORD_DUMP_TMP	 "vmcore-incomplete"

#endif
