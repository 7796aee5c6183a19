// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/iomem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

/* The kernel indents by two blanks for each level (r_show() of kernel/resource.c). */
#define INDENT 2

static const struct {
	const char *name;
	enum iomem_type type;
} names[] = {
	{ "System RAM", IOMEM_RAM },
	{ "Reserved", IOMEM_RESERVED },
	{ "reserved", IOMEM_RESERVED }, /* until 5.0 (1a127034cd2d) */
	{ "ACPI Tables", IOMEM_ACPI_TABLES },
	{ "ACPI Non-volatile Storage", IOMEM_ACPI_NVS },
	{ "Unusable memory", IOMEM_UNUSABLE },
	{ "Persistent Memory", IOMEM_PMEM },
	{ "Persistent Memory (legacy)", IOMEM_PMEM_LEGACY },
	{ "Soft Reserved", IOMEM_SOFT_RESERVED },
	{ "Crash kernel", IOMEM_CRASH },
	{ "Kernel code", IOMEM_KERNEL_CODE },
	{ "Kernel data", IOMEM_KERNEL_DATA },
	{ "Kernel bss", IOMEM_KERNEL_BSS },
};

enum iomem_type iomem_type(const char *name, size_t len)
{
	static const char driver[] = "System RAM (";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i].name) == len && !memcmp(names[i].name, name, len))
			return names[i].type;
	if (len > strlen(driver) && !memcmp(name, driver, strlen(driver)))
		return IOMEM_RAM_DRIVER;
	return IOMEM_OTHER;
}

static int push(struct iomem *iomem, const struct iomem_range *range)
{
	if (iomem->nr == IOMEM_RANGES_MAX)
		return -E2BIG;
	if (iomem->nr == iomem->room) {
		size_t room = iomem->room ? 2 * iomem->room : 64;
		struct iomem_range *more = realloc(iomem->ranges, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		iomem->ranges = more;
		iomem->room = room;
	}
	iomem->ranges[iomem->nr++] = *range;
	return 0;
}

int iomem_add(struct iomem *iomem, uint64_t start, uint64_t end, enum iomem_type type)
{
	struct iomem_range range = { .start = start, .end = end, .type = type };

	return start < end ? push(iomem, &range) : -EINVAL;
}

/* "  00100000-3ffdefff : System RAM", up to @end. The last address is one of the range. */
static int parse_line(const char *line, const char *end, struct iomem_range *range_ret)
{
	const char *at = line;
	uint64_t first, last;
	char *stop;

	while (at < end && *at == ' ')
		at++;
	range_ret->depth = (at - line) / INDENT;
	errno = 0;
	first = strtoull(at, &stop, 16);
	if (stop == at || *stop != '-' || errno)
		return -EBADMSG;
	at = stop + 1;
	last = strtoull(at, &stop, 16);
	if (stop == at || errno || end - stop < 3 || memcmp(stop, " : ", 3) || last < first ||
	    last == UINT64_MAX)
		return -EBADMSG;
	range_ret->start = first;
	range_ret->end = last + 1;
	range_ret->type = iomem_type(stop + 3, end - stop - 3);
	return 0;
}

int iomem_parse(const char *text, struct iomem *iomem_ret)
{
	struct iomem iomem = { 0 };
	bool seen = false;
	int err = 0;

	while (!err && *text) {
		const char *end = text + strcspn(text, "\n");
		struct iomem_range range;

		err = parse_line(text, end, &range);
		if (!err)
			err = push(&iomem, &range);
		seen = seen || (!err && range.end > 1);
		text = *end ? end + 1 : end;
	}
	if (!err && !seen)
		err = -EACCES;
	if (err)
		iomem_free(&iomem);
	else
		*iomem_ret = iomem;
	return err;
}

int iomem_exclude(struct iomem *iomem, uint64_t start, uint64_t end)
{
	size_t nr = iomem->nr;

	for (size_t i = 0; i < nr; i++) {
		struct iomem_range *r = &iomem->ranges[i], rest = *r;
		int err = 0;

		if (start >= r->end || end <= r->start || start >= end)
			continue;
		rest.start = end;
		/* An empty range is one whose end is its start; iomem_sort() drops it. */
		r->end = MAX(r->start, start);
		if (rest.start < rest.end)
			err = push(iomem, &rest);
		if (err)
			return err;
	}
	iomem_sort(iomem);
	return 0;
}

int iomem_select(struct iomem *to, const struct iomem *from, enum iomem_type type)
{
	for (size_t i = 0; i < from->nr; i++) {
		const struct iomem_range *r = &from->ranges[i];
		int err = r->type == type ? iomem_add(to, r->start, r->end, type) : 0;

		if (err)
			return err;
	}
	return 0;
}

static int by_address(const void *a, const void *b)
{
	const struct iomem_range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	return (int)x->type - (int)y->type;
}

void iomem_sort(struct iomem *iomem)
{
	size_t nr = 0;

	if (iomem->nr)
		qsort(iomem->ranges, iomem->nr, sizeof(*iomem->ranges), by_address);
	for (size_t i = 0; i < iomem->nr; i++) {
		const struct iomem_range *r = &iomem->ranges[i];
		struct iomem_range *last = nr ? &iomem->ranges[nr - 1] : NULL;

		if (r->start == r->end)
			continue;
		if (last && last->type == r->type && r->start <= last->end)
			last->end = MAX(last->end, r->end);
		else
			iomem->ranges[nr++] = *r;
	}
	iomem->nr = nr;
}

void iomem_free(struct iomem *iomem)
{
	free(iomem->ranges);
	*iomem = (struct iomem){ 0 };
}
