/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The crashed kernel's own description of its types, which it carries for BPF
 * (CONFIG_DEBUG_INFO_BTF, kernel 5.2): where in a struct a member is. Format:
 * kernel Documentation/bpf/btf.rst and include/uapi/linux/btf.h.
 *
 * Some 5 MB. It is gone through twice, names and then types, in windows; all
 * questions are asked at once.
 */
#ifndef CAPTURE_CORE_BTF_H
#define CAPTURE_CORE_BTF_H

#include "capture/core/core.h"

#define BTF_MAX_QUERY 255u

/**
 * struct btf_query - A question, and its answer.
 * @path: "task_struct" for a struct or union itself, "task_struct.tasks" for a member,
 *	through anonymous structs and unions, and "a.b.c" for a member of a member (of an
 *	array's first element); "pid_type.PIDTYPE_TGID" for a value of an enum. Names of
 *	up to 63 characters.
 * @found: whether the rest holds; else all is 0
 * @bit_offset: of the member, in bits from the start of the struct
 * @size: bytes of it, or of the whole array
 * @nr: elements where it is an array (of its outermost dimension), else 1
 * @value: the enum's value
 */
struct btf_query {
	const char *path;
	bool found;
	uint64_t bit_offset;
	uint64_t size;
	uint32_t nr;
	int64_t value;
};

/**
 * btf_ask() - Answer all of @queries.
 * @start, @stop: virtual addresses, as the symbols __start_BTF and __stop_BTF have them
 * @nr: at most BTF_MAX_QUERY
 *
 * Takes at most 350 KiB while it works. Of several types of one name the first that is
 * defined is meant. Where the types end in damage, what came before counts.
 *
 * Return: 0, each answer's @found set; -ENODATA it cannot be read; -EBADMSG it is not BTF;
 * -EOPNOTSUPP a big-endian kernel; -EINVAL; -ENOMEM.
 */
int btf_ask(struct core *core, uint64_t start, uint64_t stop, struct btf_query *queries, size_t nr);

#endif
