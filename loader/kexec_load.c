// SPDX-License-Identifier: GPL-2.0-or-later
#include "loader/kexec_load.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "arch/arch.h"
#include "lib/log.h"
#include "lib/util.h"
#include "loader/loader.h"

void *kexec_plan_own(struct kexec_plan *plan, void *memory)
{
	if (memory)
		plan->owned[plan->nr_owned++] = memory;
	return memory;
}

struct kexec_plan_segment *kexec_plan_add(struct kexec_plan *plan, const char *name,
					  const uint8_t *data, size_t len)
{
	struct kexec_plan_segment *seg = &plan->segments[plan->nr_segments++];

	*seg = (struct kexec_plan_segment){
		.name = name,
		.data = data,
		.len = len,
		.mem_len = ROUND_UP(len, PLACE_PAGE),
		.checked = true,
	};
	return seg;
}

void kexec_plan_free(struct kexec_plan *plan)
{
	for (unsigned i = 0; i < plan->nr_owned; i++)
		free(plan->owned[i]);
	*plan = (struct kexec_plan){ 0 };
}

void kexec_plan_debug(const struct kexec_plan *plan)
{
	for (unsigned i = 0; i < plan->nr_segments; i++) {
		const struct kexec_plan_segment *seg = &plan->segments[i];

		log_debug("segment %u: 0x%" PRIx64 "-0x%" PRIx64 ", %zu bytes filled: %s", i,
			  seg->addr, seg->addr + seg->mem_len, seg->len, seg->name);
	}
	log_debug("entry 0x%" PRIx64 ", command line: %s", plan->entry, plan->cmdline);
}

/* The bits of the running kernel; 0 where it is no x86. */
static unsigned running_bits(void)
{
	const struct arch_ops *arch;
	struct utsname uts;

	if (uname(&uts))
		return 0;
	arch = arch_find_uname(uts.machine);
	return arch == &arch_x86_64 ? 64 : arch == &arch_i386 ? 32 : 0;
}

static int call(const struct kexec_request *req, const struct machine *m,
		const struct kexec_plan *plan, char *why)
{
	struct syscall_segment segments[KEXEC_SEGMENTS_MAX];
	unsigned long flags = m->bits == 64 ? KEXEC_ARCH_X86_64 : KEXEC_ARCH_386;

	for (unsigned i = 0; i < plan->nr_segments; i++) {
		const struct kexec_plan_segment *seg = &plan->segments[i];

		if (seg->addr + seg->mem_len - 1 > ULONG_MAX) {
			snprintf(why, WHY_SIZE,
				 "a 32-bit program cannot load above 4 GiB: use "
				 "the 64-bit one");
			return -EADDRNOTAVAIL;
		}
		segments[i] =
			(struct syscall_segment){ seg->data, seg->len, seg->addr, seg->mem_len };
	}
	if (req->crash)
		flags |= KEXEC_ON_CRASH;
	if (req->crash && kexec_updates_elfcorehdr(req, m))
		flags |= KEXEC_UPDATE_ELFCOREHDR;
	return syscall_kexec_load(plan->entry, plan->nr_segments, segments, flags);
}

int kexec_load(const struct kexec_request *req, char *why)
{
	unsigned bits = running_bits();
	struct kexec_plan plan;
	struct machine m;
	int err;

	*why = '\0';
	if (!bits) {
		snprintf(why, WHY_SIZE, "kexec_load(2) is used on x86 only: leave -c out");
		return -EOPNOTSUPP;
	}
	err = machine_read("", bits, req->crash, &m, why);
	if (err)
		return err;
	err = kexec_plan_x86(req, &m, &plan, why);
	if (!err) {
		kexec_plan_debug(&plan);
		err = call(req, &m, &plan, why);
		kexec_plan_free(&plan);
	}
	machine_free(&m);
	return err;
}
