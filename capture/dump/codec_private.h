/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of the codec table, each in a file with its library's name. */
#ifndef CAPTURE_DUMP_CODEC_PRIVATE_H
#define CAPTURE_DUMP_CODEC_PRIVATE_H

#include <errno.h>

#include "capture/dump/codec.h"

extern const struct codec codec_fast;
extern const struct codec codec_zlib;
extern const struct codec codec_zstd;
extern const struct codec codec_lzo;
extern const struct codec codec_snappy;

/* The level that @level asks @codec for; 0 where it is out of range. */
static inline int codec_level(const struct codec *codec, int level)
{
	if (!level)
		return codec->default_level;
	return level >= codec->min_level && level <= codec->max_level ? level : 0;
}

#endif
