// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/unpack.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/decompress.h"
#include "lib/io.h"
#include "lib/log.h"

int unpack_file(const char *path, void **data_ret, size_t *len_ret)
{
	_free_ char *raw = NULL;
	_free_ void *data = NULL;
	const char *format = NULL;
	size_t len;
	int err = io_read_file(path, UNPACK_MAX, &raw, &len);

	if (!err)
		format = decompress_format(raw, len);
	if (format)
		err = decompress(raw, len, UNPACK_MAX, &data, &len);
	else if (!err)
		data = take_ptr(raw);
	if (!err && (len < SELFMAG || memcmp(data, ELFMAG, SELFMAG)))
		err = -EBADMSG;
	if (err == -EBADMSG)
		log_error("%s: broken %s file, or no kernel module", path, format ? format : "ELF");
	else if (err)
		log_error("%s: %s", path, strerror(-err));
	if (err)
		return err;
	*data_ret = take_ptr(data);
	*len_ret = len;
	return 0;
}
