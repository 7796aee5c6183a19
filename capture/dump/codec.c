// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/dump/codec.h"

#include "capture/dump/codec_private.h"
#include "lib/util.h"

/* The default first. */
static const struct codec *const codecs[] = {
	&codec_fast, &codec_zlib, &codec_zstd, &codec_lzo, &codec_snappy,
};

const struct codec *codec_at(size_t i)
{
	return i < ARRAY_SIZE(codecs) ? codecs[i] : NULL;
}

const struct codec *codec_find(char option)
{
	for (size_t i = 0; option && i < ARRAY_SIZE(codecs); i++)
		if (codecs[i]->option == option)
			return codecs[i];
	return NULL;
}

const struct codec *codec_find_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(codecs); i++)
		if (streq(codecs[i]->name, name))
			return codecs[i];
	return NULL;
}
