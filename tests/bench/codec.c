// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench-codec PAGES... - speed and ratio of every codec, and of what peers use.
 *
 * Each file holds pages of 4096 bytes; tests/bench/codec.py extracts them from a core. Pages
 * go one at a time, as in a dump, and one that does not shrink counts as it is. CPU time;
 * the best of ROUNDS rounds, which take the codecs in turn.
 */
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "capture/dump/codec.h"
#include "lib/util.h"
#if __has_include(<isa-l/igzip_lib.h>)
#include <isa-l/igzip_lib.h>
#endif

#define PAGE   4096
#define ROUNDS 3

/* A row to measure: ours have a codec, peers' a compress of their own. */
struct row {
	char name[32];
	const struct codec *codec;
	void *state;
	size_t (*compress)(void *state, const void *page, size_t len, void *out, size_t out_len);
	double seconds;
	size_t bytes;
};

static size_t copy_page(void *state, const void *page, size_t len, void *out, size_t out_len)
{
	(void)state;
	memcpy(out, page, MIN(len, out_len));
	return len;
}

static size_t zlib_page(void *state, const void *page, size_t len, void *out, size_t out_len)
{
	z_stream *z = state;

	deflateReset(z);
	z->next_in = (Bytef *)(uintptr_t)page;
	z->avail_in = (uInt)len;
	z->next_out = out;
	z->avail_out = (uInt)out_len;
	return deflate(z, Z_FINISH) == Z_STREAM_END ? z->total_out : 0;
}

static size_t libdeflate_page(void *state, const void *page, size_t len, void *out, size_t out_len)
{
	return libdeflate_zlib_compress(state, page, len, out, out_len);
}

static void add(struct row *rows, unsigned *nr, struct row row, const char *name, int level)
{
	snprintf(row.name, sizeof(row.name), level ? "%s %d" : "%s", name, level);
	rows[(*nr)++] = row;
}

static void *zlib_state(int level)
{
	z_stream *z = calloc(1, sizeof(*z));

	if (!z || deflateInit(z, level) != Z_OK)
		exit(1);
	return z;
}

#if __has_include(<isa-l/igzip_lib.h>)
struct igzip {
	struct isal_zstream stream;
	struct isal_hufftables trained, *tables;
};

static size_t igzip_page(void *state, const void *page, size_t len, void *out, size_t out_len)
{
	struct igzip *g = state;

	isal_deflate_stateless_init(&g->stream);
	g->stream.hufftables = g->tables;
	g->stream.gzip_flag = IGZIP_ZLIB;
	g->stream.end_of_stream = 1;
	g->stream.next_in = (uint8_t *)(uintptr_t)page;
	g->stream.avail_in = (uint32_t)len;
	g->stream.next_out = out;
	g->stream.avail_out = (uint32_t)out_len;
	return isal_deflate_stateless(&g->stream) == COMP_OK ? g->stream.total_out : 0;
}

/* igzip's level 0 with tables of its own choice, and with tables for these very pages. */
static void add_igzip(struct row *rows, unsigned *nr, uint8_t *pages, size_t len)
{
	struct isal_huff_histogram h;
	struct igzip *plain = calloc(1, sizeof(*plain)), *trained = calloc(1, sizeof(*trained));

	if (!plain || !trained)
		exit(1);
	memset(&h, 0, sizeof(h));
	for (size_t i = 0; i < len; i += PAGE)
		isal_update_histogram(pages + i, PAGE, &h);
	isal_create_hufftables(&trained->trained, &h);
	trained->tables = &trained->trained;
	isal_deflate_stateless_init(&plain->stream);
	plain->tables = plain->stream.hufftables;
	add(rows, nr, (struct row){ .state = plain, .compress = igzip_page }, "igzip level 0", 0);
	add(rows, nr, (struct row){ .state = trained, .compress = igzip_page },
	    "igzip level 0, trained", 0);
}
#endif

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void measure(struct row *row, const uint8_t *pages, size_t len)
{
	static uint8_t out[2 * PAGE];
	double start = now(), seconds;
	size_t bytes = 0;

	for (size_t i = 0; i < len; i += PAGE) {
		size_t n = row->compress(row->state, pages + i, PAGE, out, PAGE - 1);

		bytes += n ? n : PAGE;
	}
	seconds = now() - start;
	if (!row->bytes || seconds < row->seconds)
		row->seconds = seconds;
	row->bytes = bytes;
}

static unsigned make_rows(struct row *rows, uint8_t *pages, size_t len)
{
	unsigned nr = 0;

	add(rows, &nr, (struct row){ .compress = copy_page }, "memcpy", 0);
	for (size_t i = 0; codec_at(i); i++) {
		const struct codec *c = codec_at(i);
		struct row row = { .codec = c, .compress = c->compress };

		if (!c->create)
			continue;
		if (c->create(0, &row.state))
			exit(1);
		add(rows, &nr, row, c->name, 0);
	}
	add(rows, &nr, (struct row){ .compress = zlib_page, .state = zlib_state(1) },
	    "makedumpfile's zlib", 1);
	add(rows, &nr, (struct row){ .compress = zlib_page, .state = zlib_state(6) }, "zlib", 6);
	for (int level = 1; level <= 2; level++)
		add(rows, &nr,
		    (struct row){ .compress = libdeflate_page,
				  .state = libdeflate_alloc_compressor(level) },
		    "libdeflate", level);
#if __has_include(<isa-l/igzip_lib.h>)
	add_igzip(rows, &nr, pages, len);
#else
	(void)pages;
	(void)len;
#endif
	return nr;
}

static uint8_t *read_pages(const char *path, size_t *len_ret)
{
	FILE *f = fopen(path, "rb");
	uint8_t *pages;
	long len;

	if (!f || fseek(f, 0, SEEK_END) || (len = ftell(f)) < PAGE) {
		fprintf(stderr, "%s: no pages\n", path);
		exit(1);
	}
	rewind(f);
	*len_ret = (size_t)len / PAGE * PAGE;
	pages = malloc(*len_ret);
	if (!pages || fread(pages, *len_ret, 1, f) != 1) {
		perror(path);
		exit(1);
	}
	fclose(f);
	return pages;
}

static void bench(const char *path)
{
	struct row rows[16] = { 0 };
	size_t len;
	uint8_t *pages = read_pages(path, &len);
	unsigned nr = make_rows(rows, pages, len);

	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned i = 0; i < nr; i++)
			measure(&rows[i], pages, len);
	printf("%s: %zu pages\n%-24s %8s %8s\n", path, len / PAGE, "codec", "MB/s", "ratio");
	for (unsigned i = 0; i < nr; i++)
		printf("%-24s %8.0f %8.3f\n", rows[i].name, (double)len / rows[i].seconds / 1e6,
		       (double)len / (double)rows[i].bytes);
	fflush(stdout);
	free(pages);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: bench-codec PAGES...\n");
		return 2;
	}
	for (int i = 1; i < argc; i++)
		bench(argv[i]);
	return 0;
}
