// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * deflate-train PAGES... - trains the Huffman codes of capture/dump/deflate_page_tables.c.
 *
 * Each file holds pages of 4096 bytes (tests/bench/codec.py extracts them from a core).
 * Lloyd's iteration: every page chooses the code that writes it in the fewest bits, every
 * code is fitted to the pages that chose it, its own header's length included, since each
 * page pays for that. Prints the table; what it cost, on stderr.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/dump/deflate_page_private.h"
#include "lib/util.h"

#define PAGE	   4096
#define EVERY	   6 /* one page in so many teaches; the others tell what it learned */
#define ROUNDS	   12
#define EXCHANGES  24
#define SYMBOLS	   DEFLATE_SYMBOLS
#define NR_PRECODE 19
#define REPEAT	   16 /* precode: the previous length 3 to 6 times, 2 extra bits */
#define MAX_OPS	   (DEFLATE_NR_LITLEN + DEFLATE_NR_DIST)

/* One alphabet's lengths as the precode's symbols, repeats with their extra bits. */
struct ops {
	unsigned nr;
	uint8_t symbol[MAX_OPS];
	uint8_t extra[MAX_OPS];
};

struct trained {
	struct deflate_trained out;
	double total[SYMBOLS]; /* counts of the pages that chose it */
	double pages;
	double bits;
	double loss; /* bits more, were it not there */
};

struct page {
	unsigned bits; /* in its best code */
	uint16_t count[SYMBOLS];
};

static struct page *pages;
static size_t nr_pages;

static void *must(void *p)
{
	if (!p) {
		perror("deflate-train");
		exit(1);
	}
	return p;
}

static unsigned bytes_in_matches(const struct deflate_block *b)
{
	unsigned n = PAGE - b->tail;

	for (unsigned i = 0; i < b->nr; i++)
		n -= b->sequences[i].literals;
	return n;
}

static void parse(enum deflate_effort effort, const uint8_t *in, struct deflate_block *b)
{
	static struct deflate_matcher m;
	static struct deflate_finder f;

	if (effort == DEFLATE_FAST) {
		deflate_parse_start(&m);
		deflate_parse(&m, in, 0, PAGE, b);
	} else {
		deflate_lazy_start(&f);
		deflate_parse_lazy(&f, in, 0, PAGE, b);
	}
}

static void read_pages(enum deflate_effort effort, const char *path)
{
	static struct deflate_block b;
	uint8_t in[PAGE];
	FILE *f = must(fopen(path, "rb"));

	for (unsigned i = 0; fread(in, PAGE, 1, f) == 1; i++) {
		if (i % EVERY)
			continue;
		if (nr_pages % 4096 == 0)
			pages = must(realloc(pages, (nr_pages + 4096) * sizeof(*pages)));
		parse(effort, in, &b);
		/* What does not compress is stored as it is, and teaches nothing. */
		if (bytes_in_matches(&b) < PAGE / 16)
			continue;
		memcpy(pages[nr_pages++].count, b.count, sizeof(b.count));
	}
	fclose(f);
}

/*
 * Lengths of @n consecutive symbols that minimize counts x lengths + weight x the bits that
 * writing the lengths takes, with @price for each unit of code space 2^-length: shortest
 * path over the operations of RFC 1951 3.2.7 (a length, or a repetition of the last).
 */
static void fit_path(const double *count, unsigned n, double weight, const double *precode,
		     double price, uint8_t *lengths, struct ops *ops)
{
	static double best[SYMBOLS + 1][16], sum[SYMBOLS + 1];
	static uint8_t from[SYMBOLS + 1][16], step[SYMBOLS + 1][16];
	double space[16];

	for (int l = 0; l < 16; l++)
		space[l] = price * ldexp(1, -l);
	for (unsigned i = 0; i <= n; i++)
		for (unsigned l = 0; l <= DEFLATE_MAX_BITS; l++)
			best[i][l] = INFINITY;
	sum[0] = 0;
	for (unsigned i = 0; i < n; i++)
		sum[i + 1] = sum[i] + count[i];
	for (unsigned i = 0; i < n; i++) {
		unsigned last = 1;

		for (unsigned l = 1; l <= DEFLATE_MAX_BITS; l++)
			if (best[i][l] < best[i][last])
				last = l;
		for (unsigned l = 1; l <= DEFLATE_MAX_BITS; l++) {
			double c = (i ? best[i][last] : 0) + weight * precode[l] + count[i] * l +
				   space[l];

			if (c < best[i + 1][l]) {
				best[i + 1][l] = c;
				from[i + 1][l] = (uint8_t)last;
				step[i + 1][l] = 1;
			}
			for (unsigned r = 3; i && r <= 6 && i + r <= n; r++) {
				c = best[i][l] + weight * (precode[REPEAT] + 2) +
				    (sum[i + r] - sum[i]) * l + r * space[l];
				if (c < best[i + r][l]) {
					best[i + r][l] = c;
					from[i + r][l] = (uint8_t)l;
					step[i + r][l] = (uint8_t)r;
				}
			}
		}
	}
	unsigned l = 1;
	for (unsigned k = 1; k <= DEFLATE_MAX_BITS; k++)
		if (best[n][k] < best[n][l])
			l = k;
	ops->nr = 0;
	for (unsigned i = n; i;) {
		unsigned s = step[i][l], f = from[i][l];

		ops->symbol[ops->nr] = (uint8_t)(s == 1 ? l : REPEAT);
		ops->extra[ops->nr++] = (uint8_t)(s - (s == 1 ? 1 : 3));
		memset(lengths + i - s, (int)l, s);
		i -= s;
		l = f;
	}
	for (unsigned i = 0; i < ops->nr / 2; i++) {
		uint8_t a = ops->symbol[i], e = ops->extra[i];

		ops->symbol[i] = ops->symbol[ops->nr - 1 - i];
		ops->extra[i] = ops->extra[ops->nr - 1 - i];
		ops->symbol[ops->nr - 1 - i] = a;
		ops->extra[ops->nr - 1 - i] = e;
	}
}

/* The shortest operations that write given lengths. */
static void write_lengths(const uint8_t *lengths, unsigned n, const double *precode,
			  struct ops *ops)
{
	double best[SYMBOLS + 1];
	uint8_t step[SYMBOLS + 1];

	best[n] = 0;
	for (unsigned i = n; i--;) {
		best[i] = best[i + 1] + precode[lengths[i]];
		step[i] = 1;
		for (unsigned r = 1;
		     i && r <= 6 && i + r <= n && lengths[i + r - 1] == lengths[i - 1]; r++)
			if (r >= 3 && best[i + r] + precode[REPEAT] + 2 < best[i]) {
				best[i] = best[i + r] + precode[REPEAT] + 2;
				step[i] = (uint8_t)r;
			}
	}
	ops->nr = 0;
	for (unsigned i = 0; i < n; i += step[i]) {
		ops->symbol[ops->nr] = step[i] == 1 ? lengths[i] : REPEAT;
		ops->extra[ops->nr++] = step[i] == 1 ? 0 : (uint8_t)(step[i] - 3);
	}
}

static long kraft(const uint8_t *lengths, unsigned n)
{
	long sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += 1L << (15 - lengths[i]);
	return sum;
}

/* A complete code: what code space is left goes where it gains most. */
static void fill(const double *count, unsigned n, uint8_t *lengths)
{
	for (long slack; (slack = 32768 - kraft(lengths, n)) > 0;) {
		double best = -1;
		unsigned which = 0;

		for (unsigned i = 0; i < n; i++) {
			double gain = count[i] / (double)(1L << (15 - lengths[i]));

			if (1L << (15 - lengths[i]) <= slack && gain > best) {
				best = gain;
				which = i;
			}
		}
		lengths[which]--;
	}
}

static void fit(const double *count, unsigned n, double weight, const double *precode,
		uint8_t *lengths, struct ops *ops)
{
	double low = 1e-3, high = 1e15;

	while (high / low > 1.01) {
		double mid = sqrt(low * high);

		fit_path(count, n, weight, precode, mid, lengths, ops);
		if (kraft(lengths, n) > 32768)
			low = mid;
		else
			high = mid;
	}
	fit_path(count, n, weight, precode, high, lengths, ops);
	fill(count, n, lengths);
	write_lengths(lengths, n, precode, ops);
}

/* Code lengths up to 7 of the precode, by trying all ways to share its 128 units of space. */
static void fit_precode(const unsigned *count, uint8_t *lengths)
{
	static unsigned best[NR_PRECODE + 1][129];
	static uint8_t choice[NR_PRECODE + 1][129];

	for (unsigned u = 0; u <= 128; u++)
		best[NR_PRECODE][u] = u ? 1u << 30 : 0;
	for (unsigned i = NR_PRECODE; i--;)
		for (unsigned u = 0; u <= 128; u++) {
			best[i][u] = count[i] ? 1u << 30 : best[i + 1][u];
			choice[i][u] = 0;
			for (unsigned l = 1; l <= 7 && count[i]; l++) {
				unsigned unit = 128u >> l;

				if (unit <= u &&
				    best[i + 1][u - unit] + count[i] * l < best[i][u]) {
					best[i][u] = best[i + 1][u - unit] + count[i] * l;
					choice[i][u] = (uint8_t)l;
				}
			}
		}
	for (unsigned i = 0, u = 128; i < NR_PRECODE; i++) {
		lengths[i] = choice[i][u];
		u -= lengths[i] ? 128u >> lengths[i] : 0;
	}
}

static void put(struct deflate_trained *t, unsigned bits, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++, t->header_bits++)
		t->header[t->header_bits / 8] |= (uint8_t)((bits >> i & 1) << t->header_bits % 8);
}

static void put_ops(struct deflate_trained *t, const struct ops *ops, const uint8_t *lengths,
		    const uint16_t *codes)
{
	for (unsigned i = 0; i < ops->nr; i++) {
		put(t, codes[ops->symbol[i]], lengths[ops->symbol[i]]);
		if (ops->symbol[i] == REPEAT)
			put(t, ops->extra[i], 2);
	}
}

static void write_header(struct deflate_trained *t, const struct ops *litlen,
			 const struct ops *dist, const uint8_t *precode)
{
	static const uint8_t order[NR_PRECODE] = { 16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
						   11, 4,  12, 3, 13, 2, 14, 1, 15 };
	uint16_t codes[NR_PRECODE];
	unsigned n = NR_PRECODE;

	deflate_huffman(precode, NR_PRECODE, codes);
	while (!precode[order[n - 1]])
		n--;
	memset(t->header, 0, sizeof(t->header));
	t->header_bits = 0;
	put(t, 2 << 1, 3);
	put(t, DEFLATE_NR_LITLEN - 257, 5);
	put(t, DEFLATE_NR_DIST - 1, 5);
	put(t, n - 4, 4);
	for (unsigned i = 0; i < n; i++)
		put(t, precode[order[i]], 3);
	put_ops(t, litlen, precode, codes);
	put_ops(t, dist, precode, codes);
}

static void train_code(struct trained *c)
{
	double count[SYMBOLS], precode[NR_PRECODE];
	uint8_t lengths[NR_PRECODE];
	struct ops litlen, dist;

	/* No symbol is impossible, whatever these pages show. */
	for (unsigned i = 0; i < SYMBOLS; i++)
		count[i] = c->total[i] + 1e-3 * c->pages + 1e-9;
	for (unsigned i = 0; i < NR_PRECODE; i++)
		precode[i] = 4;
	for (int round = 0; round < 4; round++) {
		unsigned used[NR_PRECODE] = { 0 };

		fit(count, DEFLATE_NR_LITLEN, c->pages, precode, c->out.litlen, &litlen);
		fit(count + DEFLATE_DIST0, DEFLATE_NR_DIST, c->pages, precode, c->out.dist, &dist);
		for (unsigned i = 0; i < litlen.nr; i++)
			used[litlen.symbol[i]]++;
		for (unsigned i = 0; i < dist.nr; i++)
			used[dist.symbol[i]]++;
		fit_precode(used, lengths);
		for (unsigned i = 0; i < NR_PRECODE; i++)
			precode[i] = lengths[i] ? lengths[i] : 7;
	}
	write_header(&c->out, &litlen, &dist, lengths);
}

static void fixed_code(struct deflate_trained *t)
{
	memset(t, 0, sizeof(*t));
	memset(t->litlen, 8, 144);
	memset(t->litlen + 144, 9, 112);
	memset(t->litlen + 256, 7, 24);
	memset(t->litlen + 280, 8, 8);
	memset(t->dist, 5, DEFLATE_NR_DIST);
	t->header[0] = 1 << 1;
	t->header_bits = 3;
}

static unsigned page_bits(const struct page *p, const struct deflate_trained *t)
{
	unsigned bits = t->header_bits;

	for (unsigned i = 0; i < DEFLATE_NR_LITLEN; i++)
		bits += p->count[i] * t->litlen[i];
	for (unsigned i = 0; i < DEFLATE_NR_DIST; i++)
		bits += p->count[DEFLATE_DIST0 + i] * t->dist[i];
	return bits;
}

/* Every page to its best code. Return: bits of all, without extra bits. */
static double assign(struct trained *codes, unsigned n)
{
	double all = 0;

	for (unsigned k = 0; k < n; k++) {
		memset(codes[k].total, 0, sizeof(codes[k].total));
		codes[k].pages = codes[k].bits = codes[k].loss = 0;
	}
	for (size_t p = 0; p < nr_pages; p++) {
		unsigned best = 0, best_bits = UINT32_MAX, second = UINT32_MAX;

		for (unsigned k = 0; k < n; k++) {
			unsigned bits = page_bits(&pages[p], &codes[k].out);

			if (bits < best_bits) {
				second = best_bits;
				best_bits = bits;
				best = k;
			} else {
				second = MIN(second, bits);
			}
		}
		pages[p].bits = best_bits;
		codes[best].loss += n > 1 ? second - best_bits : 0;
		for (unsigned i = 0; i < SYMBOLS; i++)
			codes[best].total[i] += pages[p].count[i];
		codes[best].pages++;
		codes[best].bits += best_bits;
		all += best_bits;
	}
	return all;
}

/* A code of its own for a page that the codes so far serve badly. */
static void seed(struct trained *c, const struct trained *like, const struct page *p)
{
	*c = (struct trained){ .pages = 1 };
	for (unsigned i = 0; i < SYMBOLS; i++)
		c->total[i] = 0.5 * p->count[i] + 0.5 * like->total[i] / (like->pages + 1);
	train_code(c);
}

/* Of a few pages picked at random, the one that makes the best seed. */
static void add_code(struct trained *codes, unsigned n, unsigned *random)
{
	struct trained best = { 0 };
	double best_gain = -1;

	for (int tries = 0; tries < 24; tries++) {
		struct trained c;
		double gain = 0;

		*random = *random * 1664525 + 1013904223;
		seed(&c, &codes[1], &pages[(size_t)(*random >> 4) % nr_pages]);
		for (size_t p = 0; p < nr_pages; p += 7) {
			unsigned then = page_bits(&pages[p], &c.out);

			gain += then < pages[p].bits ? pages[p].bits - then : 0;
		}
		if (gain > best_gain) {
			best_gain = gain;
			best = c;
		}
	}
	codes[n] = best;
}

static void print_row(const char *field, const uint8_t *v, unsigned n)
{
	printf("\t\t.%s = {", field);
	for (unsigned i = 0; i < n; i++)
		printf("%s%u,", i % 24 ? " " : "\n\t\t\t", v[i]);
	printf("\n\t\t},\n");
}

static void print_set(const char *name, const struct trained *codes, unsigned n)
{
	printf("\nstatic const struct deflate_trained %s[] = {\n", name);
	for (unsigned k = 0; k < n; k++) {
		const struct deflate_trained *t = &codes[k].out;

		printf("\t{\n");
		print_row("litlen", t->litlen, sizeof(t->litlen));
		print_row("dist", t->dist, sizeof(t->dist));
		printf("\t\t.header_bits = %u,\n", t->header_bits);
		print_row("header", t->header, DIV_ROUND_UP(t->header_bits, 8));
		printf("\t},\n");
	}
	printf("};\n");
}

/* Each code but the fixed one to the pages that chose it. */
static void fit_codes(struct trained *codes, unsigned n)
{
	for (unsigned k = 1; k < n; k++)
		if (codes[k].pages)
			train_code(&codes[k]);
}

/*
 * The code that is missed least gives way to a new one. Lloyd's iteration ends in whatever
 * valley it began in; this leads out. Return: bits of all.
 */
static double exchange(struct trained *codes, unsigned n, unsigned *random)
{
	static struct trained before[DEFLATE_MAX_CODES];
	double all = assign(codes, n), now;
	unsigned least = 1;

	memcpy(before, codes, n * sizeof(*codes));
	for (unsigned k = 2; k < n; k++)
		if (codes[k].loss < codes[least].loss)
			least = k;
	codes[least] = codes[n - 1];
	assign(codes, n - 1);
	add_code(codes, n - 1, random);
	for (int round = 0; round < 2; round++) {
		assign(codes, n);
		fit_codes(codes, n);
	}
	now = assign(codes, n);
	if (now < all)
		return now;
	memcpy(codes, before, n * sizeof(*codes));
	return assign(codes, n);
}

/* Codes for the pages read: from one for all to @want, where the codes so far do worst. */
static void train(struct trained *codes, unsigned want)
{
	unsigned random = 1, n = 2;

	memset(codes, 0, want * sizeof(*codes));
	fixed_code(&codes[0].out);
	assign(codes, 1);
	codes[1] = codes[0];
	memset(&codes[1].out, 0, sizeof(codes[1].out));
	train_code(&codes[1]);
	for (; n < want; n++) {
		double all = assign(codes, n);

		fprintf(stderr, "%u codes: %.0f bits a page\n", n, all / nr_pages);
		fit_codes(codes, n);
		assign(codes, n);
		add_code(codes, n, &random);
	}
	for (int i = 0; i < EXCHANGES; i++)
		fprintf(stderr, "exchange %d: %.1f bits a page\n", i,
			exchange(codes, n, &random) / nr_pages);
	for (int round = 0; round < ROUNDS; round++) {
		double all = assign(codes, n);

		fprintf(stderr, "round %d: %.1f bits a page\n", round, all / nr_pages);
		fit_codes(codes, n);
	}
	fprintf(stderr, "end: %.1f bits a page\n", assign(codes, n) / nr_pages);
	for (unsigned k = 0; k < n; k++)
		fprintf(stderr, "code %u: %.0f pages, header %u bits, %.0f bits a page\n", k,
			codes[k].pages, codes[k].out.header_bits,
			codes[k].bits / (codes[k].pages + 1e-9));
}

static const struct {
	const char *name, *row;
	unsigned nr;
} sets[DEFLATE_EFFORTS] = {
	[DEFLATE_FAST] = { "fast", "DEFLATE_FAST", 16 },
	[DEFLATE_SMALL] = { "small", "DEFLATE_SMALL", 32 },
};

int main(int argc, char **argv)
{
	static struct trained codes[DEFLATE_MAX_CODES];

	if (argc < 2) {
		fprintf(stderr, "usage: deflate-train PAGES...\n");
		return 2;
	}
	printf("// SPDX-License-Identifier: GPL-2.0-or-later\n"
	       "/* Written by tests/bench/deflate_train.c: train again rather than edit. */\n"
	       "#include \"capture/dump/deflate_page_private.h\"\n"
	       "#include \"lib/util.h\"\n\n"
	       "/* clang-format off */\n");
	for (unsigned s = 0; s < DEFLATE_EFFORTS; s++) {
		nr_pages = 0;
		for (int i = 1; i < argc; i++)
			read_pages((enum deflate_effort)s, argv[i]);
		if (!nr_pages) {
			fprintf(stderr, "deflate-train: no page compresses\n");
			return 1;
		}
		train(codes, sets[s].nr);
		print_set(sets[s].name, codes, sets[s].nr);
	}
	printf("\nconst struct deflate_set deflate_sets[DEFLATE_EFFORTS] = {\n");
	for (unsigned s = 0; s < DEFLATE_EFFORTS; s++)
		printf("\t[%s] = {%s, ARRAY_SIZE(%s)},\n", sets[s].row, sets[s].name, sets[s].name);
	printf("};\n");
	return 0;
}
