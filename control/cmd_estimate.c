// SPDX-License-Identifier: GPL-2.0-or-later
/* estimate: how large crashkernel= has to be here, and how that is known. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "control/commands.h"
#include "control/records.h"
#include "control/reserve.h"
#include "control/system.h"
#include "lib/json.h"
#include "lib/log.h"

enum {
	ESTIMATE_KERNEL,
};

const struct ctl_option estimate_options[] = {
	[ESTIMATE_KERNEL] = { "kernel", 'k', "VERSION", "for this one, not the running one" },
	{ 0 },
};

/* struct spare - What the newest capture that told of it had left at its tightest. */
struct spare {
	uint64_t kib;
	int64_t when;
};

static struct spare spare_of(const struct invocation *in)
{
	struct spare spare = { 0 };
	struct dumps dumps;

	dumps_find(in, NULL, &dumps); /* what cannot be looked at is logged, and tells nothing */
	for (size_t i = 0; i < dumps.nr; i++) {
		const struct dump *d = &dumps.list[i];

		if (d->ours && d->record.mem_available_min_kib && d->when > spare.when)
			spare = (struct spare){ d->record.mem_available_min_kib, d->when };
	}
	dumps_deinit(&dumps);
	return spare;
}

static double mib(uint64_t bytes)
{
	return (double)bytes / (1 << 20);
}

static void print_text(const struct system *sys, const struct reserve *r, const struct spare *spare)
{
	printf("%7.1f MiB  the kernel, unpacking itself: %s\n", mib(r->kernel), sys->vmlinuz);
	printf("%7.1f MiB  the crash image: %s\n", mib(r->packed), sys->image);
	printf("%7.1f MiB  the same, unpacked\n", mib(r->unpacked));
	printf("%7.1f MiB  measured: map of memory, kernel's own, drivers, vmcore-save\n",
	       mib(RESERVE_BASE));
	printf("%7.1f MiB  together, which is about the smallest that works\n", mib(r->smallest));
	printf("%7" PRIu64 " MiB  recommended, a quarter more: crashkernel=%" PRIu64 "M\n",
	       r->recommended >> 20, r->recommended >> 20);
	if (sys->reserved)
		printf("%7" PRIu64 " MiB  are reserved now%s\n", sys->reserved >> 20,
		       sys->reserved < r->smallest ? ": too little" : "");
	if (spare->kib)
		printf("%7" PRIu64 " MiB  were free at the tightest moment of the last capture\n",
		       spare->kib >> 10);
}

static void print_json(const struct system *sys, const struct reserve *r, const struct spare *spare)
{
	struct json j;

	json_init(&j, stdout);
	json_object(&j, NULL);
	json_string(&j, "release", sys->release);
	json_u64(&j, "kernel_bytes", r->kernel);
	json_u64(&j, "image_bytes", r->packed);
	json_u64(&j, "image_unpacked_bytes", r->unpacked);
	json_u64(&j, "base_bytes", RESERVE_BASE);
	json_u64(&j, "smallest_bytes", r->smallest);
	json_u64(&j, "recommended_bytes", r->recommended);
	json_u64(&j, "reserved_bytes", sys->reserved);
	json_u64(&j, "last_capture_free_bytes", spare->kib << 10);
	json_end(&j, '}');
}

int cmd_estimate(const struct invocation *in)
{
	struct reserve reserve;
	struct spare spare;
	struct system sys;
	int err = system_init(&sys, in, in->value[ESTIMATE_KERNEL]);

	if (err)
		return CTL_FAILED;
	err = reserve_of(&sys, &reserve);
	if (err == -ENOENT)
		log_error("%s: \"" CTL_PROGRAM " rebuild\" builds it",
			  sys.vmlinuz ? "there is no crash image yet" : "no file of that kernel");
	else if (err == -ENOEXEC)
		log_error("%s does not tell how much memory it needs: it is no bzImage",
			  sys.vmlinuz);
	else if (err)
		log_error("%s: %s", sys.image, strerror(-err));
	if (!err) {
		spare = spare_of(in);
		if (in->json)
			print_json(&sys, &reserve, &spare);
		else
			print_text(&sys, &reserve, &spare);
	}
	system_deinit(&sys);
	return err ? CTL_FAILED : CTL_OK;
}
