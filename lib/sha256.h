/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SHA-256 (FIPS 180-4). Freestanding: it calls nothing but memcpy and memset, so
 * that code which runs before any C library can link it as well.
 */
#ifndef LIB_SHA256_H
#define LIB_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_DIGEST_BYTES 32
#define SHA256_BLOCK_BYTES  64
#define SHA256_HEX_BYTES    (2 * SHA256_DIGEST_BYTES + 1)

struct sha256 {
	uint32_t state[8];
	uint64_t len; /* bytes so far */
	uint8_t block[SHA256_BLOCK_BYTES];
};

void sha256_init(struct sha256 *s);
void sha256_update(struct sha256 *s, const void *data, size_t len);

/** sha256_final() - Write the digest; @s is used up. */
void sha256_final(struct sha256 *s, uint8_t digest[SHA256_DIGEST_BYTES]);

/** sha256_hex() - The digest as 64 lower-case digits and a NUL. */
void sha256_hex(const uint8_t digest[SHA256_DIGEST_BYTES], char hex[SHA256_HEX_BYTES]);

#endif
