// SPDX-License-Identifier: GPL-2.0-or-later
/* estimate: how large crashkernel= has to be here, and how that is known. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "control/commands.h"
#include "control/dumps/history.h"
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

static double mib(uint64_t bytes)
{
	return (double)bytes / (1 << 20);
}

static void print_captures(const struct reserve *r, const struct history *h)
{
	if (!r->captures) {
		printf("             no earlier capture of this kernel tells more\n");
		return;
	}
	printf("%7.1f MiB  the most that was in use in %u earlier capture%s of this kernel, of "
	       "%.1f\n",
	       mib(r->peak), r->captures, r->captures == 1 ? "" : "s", mib(h->total_kib << 10));
	printf("%7.1f MiB  the map of that memory\n", mib(r->map));
	printf("%7.1f MiB  both and the kernel, by what was measured here\n", mib(r->measured));
}

static void print_text(const struct system *sys, const struct reserve *r, const struct history *h)
{
	printf("%7.1f MiB  the kernel, unpacking itself: %s\n", mib(r->kernel), sys->vmlinuz);
	printf("%7.1f MiB  the crash image: %s\n", mib(r->packed), sys->image);
	printf("%7.1f MiB  the same, unpacked\n", mib(r->unpacked));
	printf("%7.1f MiB  map of memory, kernel's own, drivers, vmcore-save, as the project "
	       "measured\n",
	       mib(RESERVE_BASE));
	printf("%7.1f MiB  together, by these terms\n", mib(r->computed));
	print_captures(r, h);
	printf("%7.1f MiB  %s, about the smallest that works\n", mib(r->smallest),
	       r->captures ? "the larger of the two sums" : "so that is");
	printf("%7" PRIu64 " MiB  recommended, a quarter more: crashkernel=%" PRIu64 "M\n",
	       r->recommended >> 20, r->recommended >> 20);
	if (sys->reserved)
		printf("%7" PRIu64 " MiB  are reserved now%s\n", sys->reserved >> 20,
		       sys->reserved < r->smallest ? ": too little" : "");
	if (r->captures)
		printf("%7" PRIu64 " MiB  were free at the tightest moment of the last capture\n",
		       h->spare_kib >> 10);
}

static void print_json(const struct system *sys, const struct reserve *r, const struct history *h)
{
	struct json j;

	json_init(&j, stdout);
	json_object(&j, NULL);
	json_string(&j, "release", sys->release);
	json_u64(&j, "kernel_bytes", r->kernel);
	json_u64(&j, "image_bytes", r->packed);
	json_u64(&j, "image_unpacked_bytes", r->unpacked);
	json_u64(&j, "base_bytes", RESERVE_BASE);
	json_u64(&j, "computed_bytes", r->computed);
	json_u64(&j, "captures", r->captures);
	json_u64(&j, "capture_peak_bytes", r->peak);
	json_u64(&j, "capture_total_bytes", h->total_kib << 10);
	json_u64(&j, "capture_map_bytes", r->map);
	json_u64(&j, "measured_bytes", r->measured);
	json_u64(&j, "smallest_bytes", r->smallest);
	json_u64(&j, "recommended_bytes", r->recommended);
	json_u64(&j, "reserved_bytes", sys->reserved);
	json_u64(&j, "last_capture_free_bytes", h->spare_kib << 10);
	json_end(&j, '}');
}

int cmd_estimate(const struct invocation *in)
{
	struct reserve reserve;
	struct history history;
	struct system sys;
	int err = system_init(&sys, in, in->value[ESTIMATE_KERNEL]);

	if (err)
		return CTL_FAILED;
	if (history_read(in, sys.release, &history))
		log_warn("earlier captures could not be looked at in time, and do not count");
	err = reserve_measure(&sys, &history, &reserve);
	if (err == -ENOENT)
		log_error("%s: \"" CTL_PROGRAM " rebuild\" builds it",
			  sys.vmlinuz ? "there is no crash image yet" : "no file of that kernel");
	else if (err == -ENOEXEC)
		log_error("%s does not tell how much memory it needs: it is no bzImage",
			  sys.vmlinuz);
	else if (err)
		log_error("%s: %s", sys.image, strerror(-err));
	if (!err) {
		if (in->json)
			print_json(&sys, &reserve, &history);
		else
			print_text(&sys, &reserve, &history);
	}
	system_deinit(&sys);
	return err ? CTL_FAILED : CTL_OK;
}
