// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>

#include "lib/cleanup.h"
#include "lib/sha256.h"
#include "lib/util.h"
#include "tests/unit/test.h"

static void digest_of(const void *data, size_t len, size_t piece, char *hex)
{
	uint8_t digest[SHA256_DIGEST_BYTES];
	struct sha256 s;

	sha256_init(&s);
	for (size_t at = 0; at < len; at += piece)
		sha256_update(&s, (const char *)data + at, MIN(piece, len - at));
	sha256_final(&s, digest);
	sha256_hex(digest, hex);
}

/* The examples that NIST publishes with FIPS 180-4, and lengths around the padding's edge. */
TEST(sha256, vectors)
{
	static const struct {
		const char *text;
		const char *hex;
	} cases[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
		{ "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
		  "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
		  "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char hex[SHA256_HEX_BYTES];

		digest_of(cases[i].text, strlen(cases[i].text), 1000, hex);
		CHECK_STR(hex, cases[i].hex);
	}
}

TEST(sha256, million_in_pieces)
{
	static const size_t pieces[] = { 1000000, 4096, 64, 63, 65, 7 };
	_free_ char *a = malloc(1000000);

	CHECK(a);
	memset(a, 'a', 1000000);
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		char hex[SHA256_HEX_BYTES];

		digest_of(a, 1000000, pieces[i], hex);
		CHECK_STR(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	}
}

/* 55 and 56 bytes are the last that fit and the first that do not fit beside the length. */
TEST(sha256, padding_edge)
{
	static const struct {
		size_t len;
		const char *hex;
	} cases[] = {
		{ 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318" },
		{ 56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a" },
		{ 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb" },
	};
	char a[64];

	memset(a, 'a', sizeof(a));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char hex[SHA256_HEX_BYTES];

		digest_of(a, cases[i].len, 64, hex);
		CHECK_STR(hex, cases[i].hex);
	}
}
