// SPDX-License-Identifier: GPL-2.0-or-later
/* Kernel images: whatever the file holds, it is named, and named without reading beyond it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"
#include "loader/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t head = MIN(size, (size_t)IMAGE_HEAD_MAX);
	struct image image;
	char why[512] = "";
	int err;

	image_probe(data, head, size, &image);
	err = image_check(&image, "x86_64", "file", why, sizeof(why));
	if (!image.what || !*image.what)
		abort();
	/* What is refused is refused with a sentence; what is taken has what the kernel checks. */
	if (err && strlen(why) < 10)
		abort();
	if (!err && !image.calls)
		abort();
	if (!err && (image.calls & IMAGE_FILE_CALL) &&
	    (image.kind != IMAGE_BZIMAGE || !(image.xloadflags & XLF_KERNEL_64)))
		abort();
	if (!err && image.claimed_size > size)
		abort();
	return 0;
}
